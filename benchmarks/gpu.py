"""What a GPU makes of training and stylizing, each goal beside what was measured.

    python benchmarks/gpu.py [--out gpu.json] [--seconds 450] [--parts steps,frames] [--photos FOLDER]
    python benchmarks/gpu.py --small          # tries every part on a CPU

Results are saved after each part, and a part is left out once ``--seconds`` have passed. The parts, in
order: ``agreement`` (terms and gradients on the device against float32 on the CPU), ``steps`` (images/s
against the recipe that people copy, and what a budget chooses), ``busy`` (how long the device computes
in a step), ``johnson2016``, ``frames`` (1080p from bytes to bytes), ``waits`` (what a step waits for),
``photos`` (crops/s), ``repeat`` (equal weights from equal seeds), ``style`` (one from 15 s).
"""

import argparse
import copy
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from machine import describe
from omegaconf import DictConfig
from torch import Tensor
from torch.utils.data import DataLoader
from train_speed import plain_step

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.children import python_command
from fasttransfer.core.hardware import has_bfloat16, pick_device
from fasttransfer.data.crops import CropNumbers, PhotoCrops, RandomCrop, batch_of
from fasttransfer.data.findings import Findings
from fasttransfer.data.photos import photo_folder, usable_photos
from fasttransfer.models.style_file import load_style
from fasttransfer.stylizing.torch_engine import TorchEngine
from fasttransfer.training.budget import Pace, plan
from fasttransfer.training.build import build_training
from fasttransfer.training.callbacks import SCORES_FILE, read_scores
from fasttransfer.training.module import StyleTraining

Step = Callable[[], object]


@dataclass(frozen=True)
class Goal:
    """What is wanted of a part: at least, or at most, a number."""

    part: str
    key: str
    text: str
    least: float | None = None
    most: float | None = None

    def line(self, found: float) -> str:
        reached = (self.least is None or found >= self.least) and (
            self.most is None or found <= self.most
        )
        wanted = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        return f"{'reached' if reached else 'MISSED '}  {self.text}: {found:g} ({wanted})"


GOALS = (
    Goal("agreement", "float32", "relative error of the gradient in float32", most=1e-3),
    Goal("agreement", "reduced", "relative error of the gradient in bfloat16", most=0.1),
    Goal("steps", "johnson_ratio", "johnson, times the plain recipe's images/s", least=6),
    Goal("steps", "default_ratio", "default, times the plain recipe's images/s", least=15),
    Goal("busy", "share", "share of a step in which the device computes", least=0.8),
    Goal("johnson2016", "minutes", "experiment=johnson2016 in full, minutes", most=3),
    Goal("frames", "realtime", "realtime, 1080p frames/s", least=500),
    Goal("frames", "default", "default, 1080p frames/s", least=300),
    Goal("waits", "in_a_step", "waits in a step that is not logged", most=0),
    Goal("repeat", "largest_difference", "difference of weights after equal runs", most=0),
)


@dataclass
class Bench:
    """The device, the sizes, and what was found so far."""

    device: torch.device
    photos: Path
    out: Path
    is_small: bool
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def crop(self) -> int:
        return 32 if self.is_small else 384

    @property
    def reduced(self) -> bool:
        return has_bfloat16(self.device)

    def config(self, *overrides: str) -> DictConfig:
        small = ["style.size=96", "data.crop_size=32", "loss.part=16"] if self.is_small else []
        settings = ["run_dir=unused", "style.name=mosaic", "start=null", *small, *overrides]
        with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
            return compose("train", settings)

    def training(self, *overrides: str) -> StyleTraining:
        training = build_training(self.config(*overrides), style="mosaic").to(self.device)
        training.choose_layout(self.device)
        return training

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def seconds(self, step: Step, times: int = 0) -> float:
        """Of a step among many that follow each other, the median of three measurements."""
        times = times or (2 if self.is_small else 20)
        for _ in range(2 if self.is_small else 8):
            step()
        taken = []
        for _ in range(3):
            self.wait()
            start = time.perf_counter()
            for _ in range(times):
                step()
            self.wait()
            taken.append((time.perf_counter() - start) / times)
        return statistics.median(taken)


def step_of(training: StyleTraining, batch: Tensor, reduced: bool) -> Step:
    """A step as the loop of Lightning takes it, for crops that are on the device."""
    optimizer = training.make_optimizer(training.trainable)
    weights = [*training.trainable]
    numbers = count()

    def step() -> None:
        with torch.autocast(batch.device.type, torch.bfloat16, enabled=reduced):
            total = training.terms(batch, first_crop=next(numbers))["total"]
        torch.autograd.backward(total)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        training.average()

    return step


class ReadyCrops(PhotoCrops):
    """Crops of noise that need not be read: the plain recipe is not to wait for photos."""

    def __init__(self, side: int) -> None:
        self.ready = torch.rand(3, side, side)

    def crop(self, number: int) -> Tensor:
        return self.ready


def agreement(bench: Bench) -> dict[str, float]:
    """The gradient of equal weights and crops, against float32 on the CPU."""
    reference = bench.training().cpu()
    crops = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))

    def gradient(training: StyleTraining, device: torch.device, reduced: bool) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=reduced):
            total = training.terms(crops.to(device), first_crop=0)["total"]
        found = torch.autograd.grad(total, [*training.network.parameters()])
        return torch.cat([value.double().flatten().cpu() for value in found])

    expected = gradient(reference, torch.device("cpu"), reduced=False)
    there = copy.deepcopy(reference).to(bench.device)
    there.choose_layout(bench.device)
    return {
        name: float((gradient(there, bench.device, reduced) - expected).norm() / expected.norm())
        for name, reduced in (("float32", False), ("reduced", bench.reduced))
    }


def steps(bench: Bench) -> dict[str, Any]:
    """Images/s of one crop a step and of more, and the batch that a budget of 5 minutes chooses."""
    found: dict[str, Any] = {}
    batches = (1, 2) if bench.is_small else (1, 4, 8, 16)
    plain_crop = 32 if bench.is_small else 256
    style = bench.training().style.image
    best: dict[str, float] = {}
    for batch in batches:
        plain = bench.seconds(plain_step(ReadyCrops(plain_crop), batch, style, bench.device), 2)
        rates = {"plain": batch / plain}
        for network in ("johnson", "default"):
            training = bench.training(f"network={network}")
            crops = torch.rand(batch, 3, plain_crop, plain_crop, device=bench.device)
            rates[network] = batch / bench.seconds(step_of(training, crops, bench.reduced))
        found[f"{batch} of {plain_crop}²"] = rates
        best = {name: max(rate, best.get(name, 0)) for name, rate in rates.items()}
    pace = Pace(bench.training(), bench.crop, bench.device, bench.reduced)
    chosen = plan(300, pace, 1, may_grow=not bench.is_small)
    return found | {
        "johnson_ratio": best["johnson"] / best["plain"],
        "default_ratio": best["default"] / best["plain"],
        "budget_5m": vars(chosen),
    }


def busy(bench: Bench) -> dict[str, Any]:
    """Kernels of a step at the batch that a budget chooses, and the share of it that they fill."""
    if bench.device.type != "cuda":
        return {"skipped": "counts the kernels of CUDA"}
    batch = bench.found.get("steps", {}).get("budget_5m", {}).get("batch_size", 8)
    crops = torch.rand(batch, 3, bench.crop, bench.crop, device=bench.device)
    step = step_of(bench.training(), crops, bench.reduced)
    taken = bench.seconds(step)
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        step()
        bench.wait()
    kernels = [event for event in profile.events() if event.device_type.name == "CUDA"]
    computed = sum(event.device_time for event in kernels) / 1e6
    return {
        "batch_size": batch,
        "kernels": len(kernels),
        "seconds": taken,
        "share": computed / taken,
    }


def johnson2016(bench: Bench) -> dict[str, float]:
    """40,000 steps of 4 crops of 256², from the time of one."""
    training = bench.training("experiment=johnson2016")
    side = 32 if bench.is_small else 256
    taken = bench.seconds(
        step_of(training, torch.rand(4, 3, side, side, device=bench.device), bench.reduced)
    )
    return {"seconds_a_step": taken, "minutes": 40_000 * taken / 60}


def frames(bench: Bench) -> dict[str, float]:
    """Frames/s from bytes on the host to bytes on the host, one frame after the other."""
    height, width = (54, 96) if bench.is_small else (1080, 1920)
    pictures = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    found = {}
    for name in ("realtime", "default"):
        network = bench.training(f"network={name}").network
        engine = TorchEngine(network, bench.device, "auto")
        found[name] = 1 / bench.seconds(lambda engine=engine: engine.frames(pictures))  # type: ignore[misc]
    return found


def waits(bench: Bench) -> dict[str, Any]:
    """What a step waits for, as CUDA itself notices."""
    if bench.device.type != "cuda":
        return {"skipped": "CUDA notices waits"}
    crops = torch.rand(1, 3, bench.crop, bench.crop, device=bench.device)
    step = step_of(bench.training(), crops, bench.reduced)
    step()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        step()
        torch.cuda.set_sync_debug_mode("default")
    places = [f"{Path(each.filename).name}:{each.lineno}" for each in caught]
    return {"in_a_step": len(places), "places": places}


def photos(bench: Bench) -> dict[str, float]:
    """Crops/s from files, read by as many processes as a run has."""
    paths, _ = usable_photos(photo_folder(bench.photos), Findings(64, 10**8))
    window = RandomCrop(bench.crop, 384, 0.5, 1.5)
    crops = PhotoCrops(paths, window, 0, 10**8, Path(tempfile.gettempdir()) / "skipped.txt")
    readers = 1 if bench.is_small else min(16, max(1, (os.cpu_count() or 2) - 1))
    numbers = CropNumbers(4, 0, 0, 1)
    loader = DataLoader(crops, batch_sampler=numbers, num_workers=readers, collate_fn=batch_of)
    batches = iter(loader)
    for _ in range(2 * readers):
        next(batches)
    read = 3 if bench.is_small else 200
    start = time.perf_counter()
    for _ in range(read):
        next(batches)
    return {"crops_per_second": 4 * read / (time.perf_counter() - start), "readers": readers}


def trained(bench: Bench, folder: Path, *settings: str) -> float:
    """Seconds that train.py takes."""
    small = ["style.size=96", "data.crop_size=32", "loss.part=16", "data.probe_size=64"]
    own = [*(small if bench.is_small else []), f"run_dir={folder}", f"data.root={bench.photos}"]
    accelerator = f"trainer.accelerator={bench.device.type}"
    command = [*python_command("fasttransfer.cli.train"), accelerator, *own, *settings]
    start = time.perf_counter()
    done = run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-300:])
    return time.perf_counter() - start


def repeat(bench: Bench) -> dict[str, float]:
    """The weights of two runs with equal seeds."""
    number = 3 if bench.is_small else 40
    with tempfile.TemporaryDirectory() as folder:
        weights = []
        for name in ("one", "two"):
            steps_of_run = ("budget=null", f"trainer.max_steps={number}", "style=oil")
            trained(bench, Path(folder) / name, *steps_of_run)
            network = load_style(Path(folder) / name / "style.safetensors").network
            weights.append(torch.cat([value.flatten() for value in network.state_dict().values()]))
    return {"largest_difference": float((weights[0] - weights[1]).abs().max())}


def style(bench: Bench) -> dict[str, Any]:
    """The scores of a style from 15 s, to be held against those of 5 minutes of two cores."""
    budget = "2s" if bench.is_small else "15s"
    with tempfile.TemporaryDirectory() as folder:
        taken = trained(bench, Path(folder) / "run", "style=oil", f"budget={budget}")
        scores = read_scores(Path(folder) / "run" / SCORES_FILE)
    last = max(scores)
    return {"budget": budget, "seconds": taken, "steps": last, "scores": scores[last]}


PARTS = (agreement, steps, busy, johnson2016, frames, waits, photos, repeat, style)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--seconds", type=float, default=450, help="after which no part begins")
    parser.add_argument("--parts", default=",".join(part.__name__ for part in PARTS))
    parser.add_argument("--photos", type=Path, default=Path("bundled"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--small", action="store_true", help="on a CPU, to try the program itself")
    typed = parser.parse_args()
    device = torch.device("cpu") if typed.small else pick_device(typed.device)
    bench = Bench(device, typed.photos, typed.out, typed.small)
    place = torch.cuda.get_device_name() if device.type == "cuda" else describe()
    bench.found["machine"] = f"{place}, PyTorch {torch.__version__}"
    began = time.perf_counter()
    failed = False
    for part in PARTS:
        if part.__name__ not in typed.parts.split(","):
            continue
        if time.perf_counter() - began > typed.seconds:
            print(f"{part.__name__}: left out, {typed.seconds:g} s have passed", flush=True)
            continue
        try:
            bench.found[part.__name__] = part(bench)
        except Exception as error:  # the other parts are worth having
            failed = True
            bench.found[part.__name__] = {"error": f"{type(error).__name__}: {error}"[:500]}
        typed.out.write_text(json.dumps(bench.found, indent=1), "utf-8")
        print(f"{part.__name__}: {json.dumps(bench.found[part.__name__])}", flush=True)
    print(bench.found["machine"])
    if typed.small:
        print("the goals are for a GPU at full size")
        raise SystemExit(1 if failed else 0)
    for goal in GOALS:
        value = bench.found.get(goal.part, {}).get(goal.key)
        print(f"unknown  {goal.text}" if value is None else goal.line(value))
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
