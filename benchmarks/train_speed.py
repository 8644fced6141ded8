"""Training images per second: this package against the recipe that people copy today.

`plain` is that recipe: the johnson network and loss in float32, contiguous, both passes through
VGG16 to relu4_3, and photos read between the steps. `johnson` is the same network trained by this
package, `default` the default network, both with the default loss; all at the same batch and crop.
Rounds alternate, so that a busy machine slows all alike; the photos are read from files.

    python benchmarks/train_speed.py [FOLDER] [--batch 4] [--crop 256] [--rounds 5]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import torch
from hydra.utils import instantiate
from machine import describe
from omegaconf import OmegaConf
from presets import plain_johnson
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.hardware import has_bfloat16, pick_device
from fasttransfer.data.crops import CropNumbers, PhotoCrops, RandomCrop, batch_of
from fasttransfer.data.findings import Findings
from fasttransfer.data.photos import photo_folder, usable_photos
from fasttransfer.data.style_image import StyleImage
from fasttransfer.losses.objectives import make_objective
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.models.vgg import VGG16Features
from fasttransfer.training.module import StyleTraining

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
Step = Callable[[], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default="bundled", help="photos to train on")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    typed = parser.parse_args()
    device = pick_device("auto")
    paths, _ = usable_photos(photo_folder(typed.folder), Findings(64, 10**8))
    crops = PhotoCrops(paths, RandomCrop(typed.crop, 384, 0.5, 1.5), 0, 10**8, Path("skipped.txt"))
    style = StyleImage("mosaic", size=512, name=None, license=None, strength=1)
    steps: dict[str, Step] = {
        "plain": plain_step(crops, typed.batch, style.image, device),
        "johnson": our_step("johnson", crops, typed.batch, style, device),
        "default": our_step("default", crops, typed.batch, style, device),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for taken in range(typed.rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if taken:  # the first round prepares kernels
                seconds[name].append(time.perf_counter() - start)
    show(seconds, typed.batch, typed.crop, device)


def build_network(name: str) -> TransformerNet:
    network: TransformerNet = instantiate(
        OmegaConf.load(CONF_DIR / "network" / f"{name}.yaml"), _convert_="all"
    )
    return network


def plain_step(crops: PhotoCrops, batch: int, style: Tensor, device: torch.device) -> Step:
    """One step of the plain recipe, with nothing of this package but the layers."""
    network = plain_johnson().train().requires_grad_(True).to(device)
    vgg = VGG16Features("bundled").features.to(device, memory_format=torch.contiguous_format)
    mean = torch.tensor([0.48235, 0.45882, 0.40784], device=device).view(1, 3, 1, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    numbers = count()

    def features(images: Tensor) -> dict[str, Tensor]:
        from fasttransfer.models.vgg import LAYERS

        found: dict[str, Tensor] = {}
        activation = (images - mean) * 255
        for index, layer in enumerate(vgg):
            activation = layer(activation)
            found |= {name: activation for name in STYLE_LAYERS if LAYERS[name] == index}
        return found

    def gram(activation: Tensor) -> Tensor:
        flat = activation.flatten(2)
        return flat @ flat.mT / (flat.shape[1] * flat.shape[2])

    with torch.no_grad():
        targets = {name: gram(found) for name, found in features(style.to(device)).items()}

    def step() -> None:
        content = torch.stack([crops.crop(next(numbers)) for _ in range(batch)]).to(device)
        stylized = network(content)
        with torch.no_grad():
            wanted = features(content)
        found = features(stylized)
        loss = F.mse_loss(found["relu3_3"], wanted["relu3_3"])
        for name, target in targets.items():
            loss = loss + 5 * F.mse_loss(gram(found[name]), target.expand(batch, -1, -1))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        loss.item()

    return step


def our_step(
    name: str, crops: PhotoCrops, batch: int, style: StyleImage, device: torch.device
) -> Step:
    """One step as train.py takes it: layouts, precision, reading ahead, averaged weights."""
    training = StyleTraining(
        build_network(name),
        make_objective("balanced", VGG16Features("bundled")),
        style,
        partial(torch.optim.Adam, lr=1e-3),
        partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=1e-3),
        temporal=None,
        averaged_part=0.05,
        compile=False,
    ).to(device)
    if device.type != "cpu":
        training.network.to(memory_format=torch.channels_last)
    optimizer = training.make_optimizer(training.network.parameters())
    numbers = CropNumbers(batch, 0, 0, 1)
    photos = iter(DataLoader(crops, batch_sampler=numbers, num_workers=1, collate_fn=batch_of))
    reduced = has_bfloat16(device)

    def step() -> None:
        content = next(photos).crops.to(device, non_blocking=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=reduced):
            total = training.terms(content, first_crop=0)["total"]
        optimizer.zero_grad()
        torch.autograd.backward(total)
        torch.nn.utils.clip_grad_norm_(training.network.parameters(), 1.0)
        optimizer.step()
        training.average()
        total.item()

    return step


def show(seconds: dict[str, list[float]], batch: int, crop: int, device: torch.device) -> None:
    """A table, and its figures as one JSON object in the last line."""
    rates = {name: batch / statistics.median(times) for name, times in seconds.items()}
    figures = {
        name: {"images_per_second": round(rate, 3), "ratio": round(rate / rates["plain"], 2)}
        for name, rate in rates.items()
    }
    place = torch.cuda.get_device_name() if device.type == "cuda" else describe()
    title = f"training images/s, batch {batch} at {crop}², {device.type}"
    table = Table("recipe", "images/s", "ratio", title=title)
    for name, row in figures.items():
        table.add_row(name, str(row["images_per_second"]), f"{row['ratio']}×")
    console = Console()
    console.print(table)
    console.print(f"median of {len(seconds['plain'])} steps; {place}")
    print(json.dumps(figures | {"machine": place, "batch": batch, "crop": crop}))


if __name__ == "__main__":
    main()
