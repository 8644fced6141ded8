"""Trains the bundled styles one after another, with one command.

``python -m fasttransfer.cli.zoo paintings=FOLDER`` starts a ``train.py`` run for every style and
network; an interrupted run continues with the same command. Each finished run becomes a float16 style
file in the package, and its card is added to the ``README.md`` there.
"""

import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from ..core.assets import CONF_DIR, config_names
from ..core.children import child_environment, python_command
from ..core.errors import FastTransferError
from ..core.files import write_whole
from ..core.paths import expand_user
from ..core.values import as_list
from ..data.photos import photo_folder, read_probe
from ..data.style_image import bundled_style_images
from ..evaluation.scores import packed_target, score
from ..evaluation.style_evaluator import read_style_image
from ..models.style_file import STYLE_FILE, load_style, save_style
from ..models.vgg import VGG16Features
from ..models.weight_files import read_target
from ..training.run_folder import is_complete, new_or_resumed
from ..training.stored_settings import SETTINGS_FILE, read_settings
from .gallery import cards, markdown, spread

DEFAULT_NETWORK = "default"  # its styles have no suffix in their names
MARK = "<!-- cards -->"  # in README.md, around the text that this program writes


@dataclass(frozen=True)
class Training:
    """One style in one network.

    Attributes:
        name: of the style file, such as ``udnie`` or ``udnie_realtime``.
        folder: of its run.
        style: the style image, a file or the name of a bundled one.
        settings: of ``train.py``, as they are typed.
    """

    name: str
    folder: Path
    style: str
    settings: list[str]

    @property
    def is_drawn(self) -> bool:
        """Whether the style image is in the package, so that its style file holds nothing of it."""
        return self.style in bundled_style_images()

    def run(self) -> None:
        """Starts or continues the run unless it is complete; its output appears on the terminal."""
        if is_complete(self.folder):
            return
        print(f"python train.py {shlex.join(self.settings)}", flush=True)
        settings = new_or_resumed(self.folder, self.settings)
        done = subprocess.run(
            [*python_command("fasttransfer.cli.train"), *settings],
            env=child_environment(),
            check=False,
        )
        if done.returncode:
            begun = (self.folder / SETTINGS_FILE).is_file()
            raise FastTransferError(
                f"training {self.name} ended with exit code {done.returncode}, see above"
                + ("; the same command continues it." if begun else ".")
            )


def trainings(config: DictConfig) -> Iterator[Training]:
    """The runs to make, in the order of the names."""
    only = as_list(config.only) or list(config.styles)
    if unknown := set(only) - set(config.styles):
        raise FastTransferError(
            f"There is no {', '.join(sorted(unknown))} in the zoo; choose from "
            f"{', '.join(config.styles)}."
        )
    networks = list(config.networks)
    presets = config_names("network")
    if unknown := set(networks) - set(presets):
        raise FastTransferError(
            f"There is no network {', '.join(sorted(unknown))}; choose from {', '.join(presets)}."
        )
    for name in only:
        for network in networks:
            full_name = name if network == DEFAULT_NETWORK else f"{name}_{network}"
            folder = Path(config.runs) / full_name
            own = Path(config.output) / f"{full_name}.safetensors"
            further = config.further and own.is_file()
            style = _style_image(name, config.styles[name], config.paintings)
            settings = [
                *_style_settings(style, full_name, config.styles[name]),
                f"network={network}",
                f"start={own if further else config.start}",
                f"data.root={config.photos}",
                "budget=null",
                f"trainer.max_steps={config.steps}",
                f"run_dir={folder}",
                *config.overrides,
            ]
            yield Training(full_name, folder, style, settings)


def _style_image(name: str, about: Mapping[str, Any], paintings: str | None) -> str:
    """The file of a painting, or the name of a drawn style image."""
    if about["file"] is None:
        return name
    if paintings is None:
        raise FastTransferError(
            f"'{name}' requires {about['file']}; set paintings= to the folder with the paintings."
        )
    painting = expand_user(paintings) / about["file"]
    if not painting.is_file():
        raise FastTransferError(
            f"'{name}' requires '{painting}', which does not exist; set paintings= to the folder with "
            "the paintings."
        )
    return str(painting)


def _style_settings(style: str, full_name: str, about: Mapping[str, Any]) -> list[str]:
    settings = [f"style.path={style}", f"style.name={full_name}"]
    if about["file"] is not None:
        source = f"public domain: {about['title']}, {about['by']}, {about['year']}"
        settings.append(f"style.license='{source}'")
    return settings


def _check_further(training: Training) -> None:
    """Refuses to overwrite later training of a style with its first run.

    Raises FastTransferError if a complete run is the style's first one.
    """
    start = read_settings(training.folder, {}).start
    if Path(str(start)).stem != training.name:
        raise FastTransferError(
            f"{training.folder} holds a run that did not start from {training.name}; with further=true "
            "set another runs=."
        )
    print(f"{training.name} is complete in {training.folder}", flush=True)


def add(training: Training, path: Path) -> None:
    """Writes the style file of a finished run to ``path``, in float16."""
    file = training.folder / STYLE_FILE
    style = load_style(file)
    target = {} if training.is_drawn else read_target(file)
    save_style(path, style.network, style.metadata, torch.float16, target)


def add_targets(trained: Iterable[Training], output: Path) -> None:
    """Writes what scores compare with into existing style files, and changes nothing else in them.

    Those whose style image is in the package stay as they are.
    """
    features = VGG16Features("bundled")
    for path, training in _existing(trained, output):
        if not training.is_drawn:
            style_file = load_style(path)
            target = packed_target(read_style_image(training.style, style_file), features)
            save_style(path, style_file.network, style_file.metadata, torch.float16, target)
            print(f"{training.name} can be scored without its painting", flush=True)


def score_again(trained: Iterable[Training], output: Path) -> None:
    """Recomputes the scores in existing style files, and what they compare with.

    They are measured over the probe photos of ``conf/data/photos.yaml``: terms and measures may
    have changed since the training.
    """
    data = OmegaConf.load(CONF_DIR / "data" / "photos.yaml")
    settings = (data.probe_size, data.probe_count, data.max_pixels)
    photos = read_probe(photo_folder(data.probe), *settings).values()
    features = VGG16Features("bundled")
    for path, training in _existing(trained, output):
        style_file = load_style(path)
        image = read_style_image(training.style, style_file)
        scores = score(style_file.network, photos, image, features)
        metadata = style_file.metadata | {"scores": scores}
        target = {} if training.is_drawn else packed_target(image, features)
        save_style(path, style_file.network, metadata, torch.float16, target)
        print(f"scored {training.name}: {scores['balanced_total']:.2f}", flush=True)


def _existing(trained: Iterable[Training], output: Path) -> Iterator[tuple[Path, Training]]:
    for training in trained:
        path = output / f"{training.name}.safetensors"
        if path.is_file():
            yield path, training
        else:
            print(f"{training.name} does not exist", flush=True)


def train(training: Training, path: Path, further: bool) -> None:
    """Trains the style file at ``path`` if it is missing, or with ``further`` continues its training."""
    if path.is_file() and not further:
        print(f"{training.name} already exists; further=true continues its training", flush=True)
        return
    if is_complete(training.folder) and further:
        _check_further(training)
    training.run()
    add(training, path)


def write_cards(folder: Path) -> None:
    """Updates the tables of all styles in the folder's ``README.md``, between its two marks."""
    path = folder / "README.md"
    before, after = "", ""
    if path.is_file() and path.read_text("utf-8").count(MARK) == 2:
        before, _, after = path.read_text("utf-8").split(MARK)
    shown = cards(folder)
    text = f"{before}{MARK}\n{markdown(shown)}\n{spread(shown)}{MARK}{after}"
    write_whole(path, lambda file: file.write(text.encode()))
