"""The Lightning module: one training step, the optimizer, the averaged weights, what is logged."""

import random
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..core.errors import FastTransferError
from ..core.hardware import prefers_channels_last
from ..core.values import number
from ..data.crops import CropBatch
from ..data.style_image import StyleImage
from ..evaluation.scores import packed_target
from ..losses.perceptual import PerceptualLoss, StyleObjective
from ..losses.temporal import TemporalLoss
from ..models.blending import BASE_KEY
from ..models.style_file import CHECKPOINT_KEY, FORMAT_VERSION, LAST_CHECKPOINT
from ..models.transformer_net import TransformerNet
from .averaging import RunningAverage
from .run_folder import PLANNED_STEPS
from .schedules import go_on, schedule_over


class StyleTraining(pl.LightningModule):
    """Trains one network for one style image.

    Args:
        network: what is trained.
        loss: what is minimized.
        style: the style image.
        optimizer: makes one for the parameters.
        scheduler: makes one for an optimizer and ``total_steps``.
        temporal: against flicker; None trains for single pictures.
        averaged_part: of the run, over which the weights are averaged, which is what is kept, see
            ``RunningAverage``.
        compile: whether the network goes through ``torch.compile``.

    Raises:
        FastTransferError: numbers that make no sense, of the optimizer and the schedule too.

    Attributes:
        metadata: JSON values that every checkpoint and style file of the run carries.
        has_begun: whether a checkpoint, if there is one, has been taken over whole.
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
        part = number("training.averaged_part", averaged_part, least=0, below=1)
        self.network = network
        self.loss = loss
        self.target = loss.target(style.image, style.strength)
        self.style = style
        self.temporal = temporal
        self.averaged = RunningAverage(network, part)
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        try:  # now, while no run folder has been made
            self._optimizer_and_schedule(network.parameters(), steps=1000)
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise FastTransferError(
                f"The optimizer or its schedule cannot be made: {error}; "
                "change optimizer.* or scheduler.*."
            ) from None
        self.metadata: dict[str, Any] = {"name": style.name, "license": style.license}
        if compile:
            self.network.compile()
        self.has_begun = False
        self._seconds_before = 0.0
        self._fit_started: float | None = None
        self._logged: tuple[float, int] | None = None  # when, and at which step
        # Since ``stop_unless_finite``: the sum of the losses, and the terms of the last step.
        self._unchecked: tuple[Tensor, dict[str, Tensor]] | None = None

    @property
    def seconds(self) -> float:
        """How long the run has been training, also before it was resumed."""
        if self._fit_started is None:
            return self._seconds_before
        return self._seconds_before + time.perf_counter() - self._fit_started

    @property
    def summary(self) -> dict[str, Any]:
        """What a checkpoint and a style file say about the run as it stands."""
        device = self.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return {
            **self.metadata,
            "steps": self.global_step,
            "seconds": round(self.seconds, 1),
            "device": name,
        }

    @cached_property
    def packed_target(self) -> dict[str, Tensor]:
        """What scores compare with, for the style files of the run."""
        return packed_target(self.style.image, self.loss.features)

    @property
    def result(self) -> TransformerNet:
        """The network with the averaged weights."""
        return self.averaged.module

    @property
    def objective(self) -> StyleObjective:
        """The loss for the style image."""
        return StyleObjective(self.loss, self.target)

    @property
    def trainable(self) -> Iterable[Parameter]:
        """What the optimizer moves."""
        return self.network.parameters()

    def start_from(self, network: TransformerNet) -> None:
        """Takes the weights of a trained network of the same shape, half as easily moved as new ones."""
        self.network.load_state_dict(network.state_dict())
        self.network.renew_scales()
        self.averaged.module.load_state_dict(self.network.state_dict())

    def setup(self, stage: str) -> None:
        """Sets the layout of the weights, before a strategy wraps the network for several devices."""
        self.choose_layout(self.trainer.strategy.root_device)

    def choose_layout(self, device: torch.device) -> None:
        """Lays kernels out in memory as suits training on ``device``.

        On a CPU PyTorch's norms are slower with channels last when they are trained, so the network
        is left contiguous there.
        """
        if device.type != "cpu" and prefers_channels_last(device):
            self.network.to(memory_format=torch.channels_last)
            self.averaged.to(memory_format=torch.channels_last)

    def on_fit_start(self) -> None:
        """The time of the run counts from here."""
        self._fit_started = time.perf_counter()

    def on_train_start(self) -> None:
        """A checkpoint has been taken over by now."""
        self.has_begun = True

    def training_step(self, batch: CropBatch, _: int) -> Tensor:
        """One batch of crops to the loss that is minimized.

        Only where values are logged does it wait for the device.
        """
        terms = self.terms(batch.crops, first_crop=batch.numbers[0])
        self._note({name: term.detach() for name, term in terms.items()})
        if self._is_logged:
            self.stop_unless_finite()
            self.log_dict({f"train/{name}": term.detach() for name, term in terms.items()})
            self._log_speed(len(batch.crops))
        return terms["total"]

    @property
    def _is_logged(self) -> bool:
        """Whether Lightning logs the step that is under way."""
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return every > 0 and (self.global_step + 1) % every == 0

    def _log_speed(self, photos: int) -> None:
        now, before = (time.perf_counter(), self.global_step), self._logged
        self._logged = now
        if before is not None:
            number = photos * self.trainer.world_size * (now[1] - before[1])
            self.log("train/images_per_second", number / (now[0] - before[0]))

    def terms(self, content: Tensor, first_crop: int) -> dict[str, Tensor]:
        """The terms of the loss over a batch of photos (B, 3, H, W), and ``total``.

        ``first_crop`` is the number of the first of them, as ``crops.CropNumbers`` counts.
        """
        stylized = self.network(content)
        terms: dict[str, Tensor] = self.loss(stylized, content, self.target, first_crop)
        if self.temporal is not None:
            term = self.temporal(self.network, content, stylized, first_crop)
            total = terms["total"] + self.temporal.weight * term
            terms |= {"temporal": term, "total": total}
        return terms

    def _note(self, terms: dict[str, Tensor]) -> None:
        """A sum is a number only if all that it is made of are: one operation a step is enough."""
        before = 0 if self._unchecked is None else self._unchecked[0]
        self._unchecked = (before + terms["total"], terms)

    def stop_unless_finite(self) -> None:
        """Waits for the device.

        Raises:
            FastTransferError: the loss was no number in a step since this was last called.
        """
        if self._unchecked is None:
            return
        losses, terms = self._unchecked
        self._unchecked = None
        bad = ~torch.isfinite(losses)
        if self.trainer.world_size > 1:  # all processes must stop at the same step
            bad = self.trainer.strategy.reduce(bad.float(), reduce_op="sum") > 0
        if not bad:
            return
        names = [name for name, term in terms.items() if not torch.isfinite(term)]
        if len(names) > 1:  # the sum says nothing that its terms do not
            names.remove("total")
        kept = Path(self.trainer.default_root_dir) / LAST_CHECKPOINT
        raise FastTransferError(
            f"The loss is no longer a number at step {self.global_step} "
            f"({', '.join(names) or 'in a step before, or on another process'}); start again with a "
            "smaller optimizer.lr, or with trainer.gradient_clip_val=1 and trainer.precision=32-true if "
            "they were changed"
            + (f"; the last good checkpoint is kept as {kept}." if kept.exists() else ".")
        )

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Averages the weights right behind the step, before any callback can save them."""
        super().optimizer_step(*args, **kwargs)
        self.average()

    def average(self) -> None:
        """Adds the current weights to the average."""
        self.averaged.update(self.network)

    def configure_optimizers(self) -> Any:
        """The optimizer and, for each step, the schedule over the whole run."""
        optimizer, scheduler = self._optimizer_and_schedule(self.trainable, self.trainer.max_steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def _optimizer_and_schedule(
        self, parameters: Iterable[Parameter], steps: int
    ) -> tuple[Optimizer, LRScheduler]:
        optimizer = self.make_optimizer(parameters)
        return optimizer, schedule_over(self.make_scheduler, optimizer, steps)

    def replan(self, steps: int) -> None:
        """Ends the run that is under way after ``steps``, and its schedule with it."""
        (config,) = self.trainer.lr_scheduler_configs
        planned = self.trainer.max_steps
        go_on(config.scheduler, self.make_scheduler, self.global_step, planned, steps)
        self.trainer.fit_loop.epoch_loop.max_steps = steps
        if "training" in self.metadata:
            settings = self.metadata["training"]
            trainer = settings["trainer"] | {"max_steps": steps}
            self.metadata["training"] = settings | {"trainer": trainer}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leaves the loss network out, and adds the metadata and the random states."""
        checkpoint["state_dict"] = {
            key: value
            for key, value in checkpoint["state_dict"].items()
            if not key.startswith("loss.")
        }
        checkpoint[CHECKPOINT_KEY] = {
            **self.summary,
            "format_version": FORMAT_VERSION,
            "network_config": self.network.config,
        }
        checkpoint[PLANNED_STEPS] = self.trainer.max_steps
        checkpoint["random_states"] = {
            "python": random.getstate(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restores the random states and the time that was used."""
        self._seconds_before = checkpoint[CHECKPOINT_KEY]["seconds"]
        if BASE_KEY in checkpoint[CHECKPOINT_KEY]:
            self.metadata[BASE_KEY] = checkpoint[CHECKPOINT_KEY][BASE_KEY]
        states = checkpoint["random_states"]
        random.setstate(states["python"])
        torch.set_rng_state(states["torch"])
        if len(states["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(states["cuda"])
