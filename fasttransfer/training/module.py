"""The Lightning module: one training step, the optimiser, the averaged weights, what is logged."""

import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel

from ..core.errors import FastTransferError
from ..data.style_image import StyleImage
from ..losses.perceptual import PerceptualLoss, StyleObjective
from ..losses.temporal import TemporalLoss
from ..models.style_file import CHECKPOINT_KEY, FORMAT_VERSION, LAST_CHECKPOINT
from ..models.transformer_net import TransformerNet

_Tensors = tuple[Tensor, ...] | list[Tensor]


class StyleTraining(pl.LightningModule):
    """Trains one network for one style image.

    Args:
        network: what is trained.
        loss: what is minimised.
        style: the style image.
        optimizer: makes one for the parameters.
        scheduler: makes one for an optimizer and ``total_steps``.
        temporal: against flicker; None trains for single pictures.
        averaged_part: of the run, over which the weights are averaged, which is what is kept, see
            ``mean_of_last``.
        compile: whether the network goes through ``torch.compile``.

    Raises:
        FastTransferError: numbers that make no sense, of the optimizer and the schedule too.

    Attributes:
        metadata: JSON values that every checkpoint and style file of the run carries.
    """

    strict_loading = False  # checkpoints leave the frozen VGG out

    def __init__(
        self,
        network: TransformerNet,
        loss: PerceptualLoss,
        style: StyleImage,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
        scheduler: Callable[..., LRScheduler],
        temporal: TemporalLoss | None,
        averaged_part: float,
        compile: bool,
    ) -> None:
        super().__init__()
        if not 0 <= averaged_part < 1:
            raise FastTransferError(
                f"training.averaged_part={averaged_part} must be from 0 to below 1."
            )
        self.network = network
        self.loss = loss
        self.target = loss.target(style.image, style.strength)
        self.style = style
        self.temporal = temporal
        self.averaged = AveragedModel(network, multi_avg_fn=mean_of_last(averaged_part))
        self.averaged.requires_grad_(False)
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        try:  # now, while no run folder has been made
            self._optimizer_and_schedule(network.parameters(), total_steps=1000)
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise FastTransferError(
                f"The optimizer or its schedule cannot be made: {error}; "
                "change optimizer.* or scheduler.*."
            ) from None
        self.metadata: dict[str, Any] = {"name": style.name, "licence": style.licence}
        if compile:
            self.network.compile()
        self._last_batch_end: float | None = None
        self._seconds_before = 0.0
        self._fit_started: float | None = None

    @property
    def seconds(self) -> float:
        """How long the run has been training, also before it was resumed."""
        if self._fit_started is None:
            return self._seconds_before
        return self._seconds_before + time.perf_counter() - self._fit_started

    @property
    def told(self) -> dict[str, Any]:
        """What a checkpoint and a style file tell of the run as it stands."""
        device = self.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return {
            **self.metadata,
            "steps": self.global_step,
            "seconds": round(self.seconds, 1),
            "device": name,
        }

    @property
    def result(self) -> TransformerNet:
        """The network with the averaged weights."""
        network = self.averaged.module
        assert isinstance(network, TransformerNet)
        return network

    @property
    def objective(self) -> StyleObjective:
        """The loss for the style image."""
        return StyleObjective(self.loss, self.target)

    @property
    def learned(self) -> Iterable[Parameter]:
        """What the optimizer moves."""
        return self.network.parameters()

    def start_from(self, network: TransformerNet) -> None:
        """Takes the weights of a trained network of the same shape, half as easily moved as new ones."""
        self.network.load_state_dict(network.state_dict())
        self.network.renew_scales()
        self.averaged.module.load_state_dict(self.network.state_dict())

    def on_fit_start(self) -> None:
        """Sets, elsewhere than on a CPU, the layout of the weights.

        On a CPU PyTorch's instance norm copies every channels_last tensor, so the network is
        left contiguous there; the loss network, without norms, never is."""
        self._fit_started = time.perf_counter()
        if self.device.type != "cpu":
            self.network.to(memory_format=torch.channels_last)

    def training_step(self, content: Tensor, _: int) -> Tensor:
        """One batch of photos (B, 3, H, W) to the loss that is minimised."""
        steps = self.global_step * self.trainer.world_size + self.global_rank
        terms = self.terms(content, first_crop=steps * len(content))
        self._stop_unless_finite(terms)
        self.log_dict({f"train/{name}": term.detach() for name, term in terms.items()})
        return terms["total"]

    def terms(self, content: Tensor, first_crop: int) -> dict[str, Tensor]:
        """The terms of the loss over a batch of photos (B, 3, H, W), and ``total``; ``first_crop``
        is the number of the first of them, as ``crops.CropNumbers`` counts."""
        stylized = self.network(content)
        terms: dict[str, Tensor] = self.loss(stylized, content, self.target, first_crop)
        if self.temporal is not None:
            term = self.temporal(self.network, content, stylized, first_crop)
            total = terms["total"] + self.temporal.weight * term
            terms |= {"temporal": term, "total": total}
        return terms

    def _stop_unless_finite(self, terms: dict[str, Tensor]) -> None:
        bad = ~torch.isfinite(terms["total"])
        if self.trainer.world_size > 1:  # all processes must stop at the same step
            bad = self.trainer.strategy.reduce(bad.float(), reduce_op="sum") > 0
        if not bad:  # on a GPU this waits for the step
            return
        names = [name for name, term in terms.items() if not torch.isfinite(term)]
        if len(names) > 1:  # the sum says nothing that its terms do not
            names.remove("total")
        kept = Path(self.trainer.default_root_dir) / LAST_CHECKPOINT
        raise FastTransferError(
            f"The loss is no longer a number at step {self.global_step} "
            f"({', '.join(names) or 'on another process'}); start again with a smaller optimizer.lr, "
            "or with trainer.gradient_clip_val=1 and trainer.precision=32-true if they were changed"
            + (f"; the last good checkpoint is kept as {kept}." if kept.exists() else ".")
        )

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Averages the weights right behind the step, before any callback can save them."""
        super().optimizer_step(*args, **kwargs)
        self.average()

    def average(self) -> None:
        """Counts the weights of now into the average."""
        self.averaged.update_parameters(self.network)

    def on_train_batch_end(self, outputs: Any, batch: Tensor, batch_idx: int) -> None:
        """Measures the speed."""
        now = time.perf_counter()
        if self._last_batch_end is not None:
            photos = len(batch) * self.trainer.world_size
            self.log("train/images_per_second", photos / (now - self._last_batch_end))
        self._last_batch_end = now

    def configure_optimizers(self) -> Any:
        """The optimizer and, for each step, the schedule over the whole run."""
        steps = self.trainer.max_steps + 1  # OneCycleLR looks a step ahead
        optimizer, scheduler = self._optimizer_and_schedule(self.learned, steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def _optimizer_and_schedule(
        self, parameters: Iterable[Parameter], total_steps: int
    ) -> tuple[Optimizer, LRScheduler]:
        optimizer = self.make_optimizer(parameters)
        try:
            return optimizer, self.make_scheduler(optimizer, total_steps=total_steps)
        except ZeroDivisionError:  # a twentieth of 20 steps, less 1, is a warm-up of no length
            return optimizer, self.make_scheduler(optimizer, total_steps=total_steps + 1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leaves the loss network out, and adds the metadata and the random states."""
        checkpoint["state_dict"] = {
            key: value
            for key, value in checkpoint["state_dict"].items()
            if not key.startswith("loss.")
        }
        checkpoint[CHECKPOINT_KEY] = {
            **self.told,
            "format_version": FORMAT_VERSION,
            "network_config": self.network.config,
        }
        checkpoint["random_states"] = {
            "python": random.getstate(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restores the random states and the time that was used."""
        self._seconds_before = checkpoint[CHECKPOINT_KEY]["seconds"]
        states = checkpoint["random_states"]
        random.setstate(states["python"])
        torch.set_rng_state(states["torch"])
        if len(states["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(states["cuda"])


def mean_of_last(part: float) -> Callable[[_Tensors, _Tensors, Tensor | int], None]:
    """What ``AveragedModel`` takes as ``multi_avg_fn``: a moving average whose time constant is this
    part of the steps so far. Its weights fall as k^(1 / part − 1), with k the number of the step, so
    that the beginning has no share at any time, however long the run will be (polynomial-decay
    averaging, Shamir & Zhang 2013, arXiv:1212.1824)."""

    @torch.no_grad()
    def average(averaged: _Tensors, current: _Tensors, count: Tensor | int) -> None:
        steps = int(count) + 1  # with this one
        torch._foreach_lerp_(averaged, current, 1 / max(1.0, part * steps))

    return average
