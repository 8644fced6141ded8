"""Trains the bases and the bundled styles on one GPU, several at a time, and bundles what it trained.

    python benchmarks/gpu_zoo.py train --paintings FOLDER --photos FOLDER --out FOLDER [--seconds 400]
    python benchmarks/gpu_zoo.py bundle --trained FOLDER
    python -m fasttransfer.cli.zoo paintings=FOLDER score=true

``train`` writes float16 weights and ``log.json`` as they come, and stops after ``--seconds``; ``bundle``
makes style files of them, and the last command scores these and writes their cards. ``--small`` tries
everything on a CPU in a minute.
"""

import argparse
import gc
import itertools
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu_parts import Recipe, StyleValues, crop_bank, device_directions
from gpu_step import Stepper, together
from omegaconf import OmegaConf
from torch import Tensor

from fasttransfer.core.assets import BASES, BUNDLED_STYLES, CONF_DIR
from fasttransfer.data.photos import photo_folder
from fasttransfer.data.style_image import BUNDLED_LICENSE, StyleImage
from fasttransfer.images.folders import pictures_below
from fasttransfer.models.style_file import load_style, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.training.multi_style import ManyStyles

HELD_OUT = ["great_wave", "dance_foyer", "woman_with_a_hat", "oil"]  # from the bases
BUNDLED_REPEATS = 3  # the package's own photos are sharper than most
SIZE = 512  # longer side of the style images
WEIGHTS_FILES = ("base", "default", "realtime")
COMMAND = "python benchmarks/gpu_zoo.py train"


@dataclass
class Output:
    """The folder that results are written to as they come."""

    folder: Path
    log: dict[str, Any] = field(default_factory=lambda: {"base": {}, "styles": {}})
    weights: dict[str, dict[str, Any]] = field(default_factory=dict)

    def keep(self, file: str, name: str, state: dict[str, Tensor]) -> None:
        """Adds float16 weights to ``file``."""
        half = {key: value.half().cpu() for key, value in state.items()}
        self.weights.setdefault(file, {})[name] = half

    def save(self) -> None:
        """Writes everything that is known so far."""
        for file, states in self.weights.items():
            torch.save(states, self.folder / f"{file}.pt")
        (self.folder / "log.json").write_text(json.dumps(self.log, indent=1), "utf-8")


def main() -> None:
    """Trains or bundles."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    for name in ("paintings", "photos", "out"):
        training.add_argument(f"--{name}", type=Path, required=True)
    training.add_argument("--seconds", type=float, default=400, help="for everything")
    training.add_argument(
        "--base-seconds", type=float, default=85, help="of these, until bases end"
    )
    training.add_argument("--device", default="cuda")
    training.add_argument("--workers", type=int, default=16, help="processes that read photos")
    training.add_argument("--small", action="store_true")
    bundling = commands.add_parser("bundle")
    bundling.add_argument("--trained", type=Path, required=True)
    typed = parser.parse_args()
    if typed.command == "bundle":
        bundle(typed.trained)
    else:
        train(typed)


def zoo_styles() -> dict[str, dict[str, Any]]:
    """The styles of ``conf/zoo``, in order."""
    found: dict[str, dict[str, Any]] = OmegaConf.to_container(  # type: ignore[assignment]
        OmegaConf.load(CONF_DIR / "zoo" / "zoo.yaml").styles
    )
    return found


def network_config(name: str) -> dict[str, Any]:
    """The settings of ``conf/network/NAME.yaml`` without its class."""
    found = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "network" / f"{name}.yaml"))
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items() if key != "_target_"}


def train(typed: argparse.Namespace) -> None:
    """The bases side by side, then every style from them, three of each network at a time."""
    begun = time.monotonic()
    device = torch.device(typed.device)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    device_directions(device)
    typed.out.mkdir(parents=True, exist_ok=True)
    output = Output(typed.out)
    recipe = Recipe.small() if typed.small else Recipe()
    bundled = sorted(pictures_below(photo_folder("bundled")))
    photos = [*sorted(pictures_below(typed.photos)), *BUNDLED_REPEATS * bundled]
    bank = crop_bank(photos, recipe, typed.workers).to(device)
    values = StyleValues(recipe).to(device)
    slots = {"default": 1, "realtime": 1} if typed.small else {"default": 3, "realtime": 3}
    starts = train_bases(typed, recipe, bank, values, begun, output)
    gc.collect()
    steppers = [
        (name, Stepper(network_config(name), bank, recipe))
        for name, number in slots.items()
        for _ in range(number)
    ]
    for name, stepper in steppers:
        stepper.prepare(starts[name], steps=recipe.most_steps)
        stepper.capture()
    seconds = together([stepper for _, stepper in steppers], 3 if typed.small else 60)
    names = list(zoo_styles())[: 2 if typed.small else None]
    waves = [names[i : i + slots["default"]] for i in range(0, len(names), slots["default"])]
    for number, wave in enumerate(waves):
        left = typed.seconds - (time.monotonic() - begun)
        steps = min(recipe.most_steps, int((left / (len(waves) - number) - 0.6) / seconds))
        if typed.small:
            steps = 2
        if steps < 1:
            print(f"no time left for {', '.join(n for w in waves[number:] for n in w)}")
            break
        seconds = train_wave(typed, wave, steps, steppers, starts, values, output)


def train_bases(
    typed: argparse.Namespace,
    recipe: Recipe,
    bank: Tensor,
    values: StyleValues,
    begun: float,
    output: Output,
) -> dict[str, dict[str, Tensor]]:
    """Both bases at once, every crop of a batch with another style; their averaged weights."""
    many = ManyStyles(str(typed.paintings), HELD_OUT, 1, 1, 12, recipe.style_size, 0)
    images = itertools.islice(many.images(), 8 if typed.small else None)
    found = [values(image.to(bank.device)) for image in images]
    rng = np.random.default_rng((0, 2))
    for _ in range(many.mixtures):
        one, other = rng.integers(len(found), size=2)
        found.append({key: (found[one][key] + found[other][key]) / 2 for key in found[one]})
    targets = {key: torch.cat([one[key] for one in found]) for key in found[0]}
    steppers = {
        name: Stepper(network_config(name), bank, recipe, styles=len(found), targets=targets)
        for name in ("default", "realtime")
    }
    states = {
        name: load_style(BASES / f"{name}.safetensors").network.state_dict() for name in steppers
    }
    for name, stepper in steppers.items():
        stepper.prepare(states[name], steps=recipe.most_steps)
        stepper.capture()
    seconds = together(list(steppers.values()), 3 if typed.small else 60)
    left = typed.base_seconds - (time.monotonic() - begun)
    steps = 2 if typed.small else max(100, min(recipe.most_steps, int(left / seconds)))
    for name, stepper in steppers.items():
        stepper.prepare(states[name], steps)
    seconds = together(list(steppers.values()), steps)
    for name, stepper in steppers.items():
        output.keep("base", name, stepper.result())
        output.log["base"][name] = {
            "steps": steps,
            "milliseconds": 1e3 * seconds,
            "batch": recipe.base_batch,
            "styles": len(found),
            "terms": stepper.terms(),
        }
    output.save()
    return {name: stepper.result() for name, stepper in steppers.items()}


def train_wave(
    typed: argparse.Namespace,
    wave: list[str],
    steps: int,
    steppers: list[tuple[str, Stepper]],
    starts: dict[str, dict[str, Tensor]],
    values: StyleValues,
    output: Output,
) -> float:
    """Some styles with each network at once; returns the seconds a step of all of them."""
    begun = time.monotonic()
    running = []
    for place, style in enumerate(wave):
        about = zoo_styles()[style]
        path = style if about["file"] is None else str(typed.paintings / about["file"])
        image = StyleImage(path, values.recipe.style_size, None, None, strength=1).image
        target = values(image.to(values.device))
        for network in starts:
            stepper = [one for name, one in steppers if name == network][place]
            stepper.prepare(starts[network], steps, target)
            running.append((style, network, stepper))
    seconds = together([stepper for _, _, stepper in running], steps)
    for style, network, stepper in running:
        name = style if network == "default" else f"{style}_{network}"
        output.keep(network, name, stepper.result())
        output.log["styles"][name] = {
            "steps": steps,
            "seconds": round(time.monotonic() - begun, 1),
            "batch": values.recipe.batch,
            "together": len(running),
            "terms": stepper.terms(),
        }
    output.save()
    print(f"{', '.join(wave)}: {steps} steps of {1e3 * seconds:.1f} ms", flush=True)
    return seconds


def bundle(trained: Path) -> None:
    """Style files in the package from what ``train`` wrote."""
    log = json.loads((trained / "log.json").read_text("utf-8"))
    weights: dict[str, dict[str, Tensor]] = {}
    for file in sorted(trained.glob("*.pt")):
        if file.stem != "base":
            weights |= torch.load(file, weights_only=True)
    bases = torch.load(trained / "base.pt", weights_only=True)
    for network, state in bases.items():
        about = {"name": "base", "license": BUNDLED_LICENSE, "command": COMMAND}
        about |= {"steps": log["base"][network]["steps"], "device": log.get("device", "cuda")}
        write(BASES / f"{network}.safetensors", network, state, about)
    for style, about in zoo_styles().items():
        for network in ("default", "realtime"):
            name = style if network == "default" else f"{style}_{network}"
            record = log["styles"][name]
            source = f"public domain: {about.get('title')}, {about.get('by')}, {about.get('year')}"
            metadata = {
                "name": name,
                "license": BUNDLED_LICENSE if about["file"] is None else source,
                "command": COMMAND,
                "device": log.get("device", "cuda"),
                "steps": record["steps"],
                "seconds": record["seconds"],
                "training": {
                    "start": "base",
                    "style": {"path": about["file"] or style, "size": SIZE, "strength": 1},
                    "data": {"batch_size": record["batch"], "crop_size": Recipe().crop},
                },
            }
            write(BUNDLED_STYLES / f"{name}.safetensors", network, weights[name], metadata)


def write(path: Path, network: str, state: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """A style file in float16."""
    trained = TransformerNet(**network_config(network))
    trained.load_state_dict({key: value.float() for key, value in state.items()})
    save_style(path, trained, metadata, dtype=torch.float16)
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
