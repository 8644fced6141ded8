from types import SimpleNamespace

import torch

from fasttransfer.training.progress import Lines, line, progress, shown_metrics


def trainer(step: int) -> SimpleNamespace:
    metrics = {"train/content": torch.tensor(0.3141), "train/total": torch.tensor(9.0)}
    return SimpleNamespace(global_step=step, max_steps=600, callback_metrics=metrics)


def test_a_line_has_the_step_the_time_left_and_the_losses():
    metrics = shown_metrics(trainer(120))
    assert line(120, 600, 0.5, metrics) == "step 120 of 600 (20 %), 4 min left, content 0.31"


def test_without_a_terminal_a_line_comes_now_and_then(capsys):
    lines = progress(every_seconds=0)  # as under a test there is none
    assert isinstance(lines, Lines)
    lines.on_train_start(trainer(100), None)
    lines.on_train_batch_end(trainer(101), None, None, None, 0)
    lines.every_seconds = 3600
    lines.on_train_batch_end(trainer(102), None, None, None, 0)
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("step 101 of 600 (16 %), ")
    assert printed.out == ""


def test_other_processes_than_the_first_are_silent(capsys):
    lines = Lines(0)
    lines.disable()
    lines.on_train_batch_end(trainer(101), None, None, None, 0)
    assert capsys.readouterr().err == ""
