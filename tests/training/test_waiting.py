"""A training step launches operations and goes on; it never waits for what they compute."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from pytorch_lightning.callbacks import Callback
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.data import DataLoader

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.data.crops import batch_of
from fasttransfer.training.build import build, build_training
from tests.helpers.fakes import fake_cuda, move_to_fake_cuda
from tests.helpers.operations import Operations

STEPS = 13
MOST = 1020  # operations of a step of the default recipe; counted: 1,007


def composed(folder: Path, *overrides: str) -> DictConfig:
    """The settings of train.py, for a small style image and small crops."""
    small = ("style.size=96", "data.crop_size=64", "loss.part=32", "start=null")
    with initialize_config_dir(str(CONF_DIR), version_base=None):
        return compose(
            "train", overrides=[f"run_dir={folder}", "style.name=mosaic", *small, *overrides]
        )


class _EachStep(Callback):
    """Notes the operations of each step, its callbacks included."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.launched: dict[int, int] = {}
        self.waits: dict[int, list[str]] = {}

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.launched[trainer.global_step] = len(self.operations.launched)
        self.waits[trainer.global_step] = self.operations.waits
        self.operations.names.clear()


@pytest.mark.slow
@pytest.mark.parametrize("experiment", [None, "video"])
def test_a_step_of_the_whole_loop_waits_only_where_it_logs(
    tmp_path: Path, experiment: str | None
) -> None:
    """On the CPU, where the same operations are counted, with the callbacks that act in each step."""
    chosen = [] if experiment is None else [f"experiment={experiment}"]
    config = composed(tmp_path, f"trainer.max_steps={STEPS}", *chosen)
    training = build_training(config, style="mosaic")
    operations = Operations(on_cpu=True)
    steps = _EachStep(operations)
    own = [build(config.callbacks[name]) for name in ("learning_rate", "checkpoints", "progress")]
    trainer = pl.Trainer(
        accelerator="cpu",
        precision="bf16-mixed",
        max_steps=STEPS,
        gradient_clip_val=1,
        log_every_n_steps=10,
        callbacks=[steps, *own],
        enable_checkpointing=False,
        enable_model_summary=False,
        logger=build(config.logger),
        default_root_dir=tmp_path,
    )
    crops = [(torch.rand(3, 64, 64), number) for number in range(STEPS)]
    with operations:
        trainer.fit(training, DataLoader(crops, batch_size=1, collate_fn=batch_of))
    # The first step prepares, the tenth is logged, and the eleventh passes it on.
    quiet = [step for step in range(2, STEPS + 1) if step not in (10, 11)]
    assert {step: steps.waits[step] for step in quiet} == {step: [] for step in quiet}
    assert steps.waits[10]  # what is looked for is found
    if experiment is None:
        assert max(steps.launched[step] for step in quiet) <= MOST


@pytest.mark.slow
@fake_cuda
def test_nothing_is_fetched_from_a_device_or_sent_to_it(tmp_path: Path) -> None:
    """Forward, the optimizer, and the average, on tensors without numbers."""
    training = build_training(composed(tmp_path), style="mosaic")
    with FakeTensorMode():
        move_to_fake_cuda(training)
        optimizer = training.make_optimizer(training.trainable)
        content = torch.empty(2, 3, 64, 64, device="cuda")
        for step in range(2):
            with Operations() as counted:
                terms = training.terms(content, first_crop=step)
                for weight in training.trainable:
                    weight.grad = torch.empty_like(weight)
                optimizer.step()
                training.average()
    assert terms["total"].device.type == "cuda"
    assert len(counted.launched) > 400  # what is looked at is there
    assert counted.crossings == []
    assert counted.waits == []
