"""TensorBoard's log of a run."""

from collections.abc import Mapping

import pytorch_lightning.loggers as lightning
from pytorch_lightning.utilities import rank_zero_only


class TensorBoardLogger(lightning.TensorBoardLogger):
    """Lightning's logger without the number of the epoch, which Lightning adds to all that is logged.

    A run counts steps: an epoch is another number of them for each folder of photos.
    """

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Logs scalars at a step."""
        super().log_metrics({key: metrics[key] for key in metrics if key != "epoch"}, step)
