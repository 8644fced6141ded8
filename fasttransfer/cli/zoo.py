"""Trains the bundled styles: ``fasttransfer zoo --help``."""

from pathlib import Path

from omegaconf import DictConfig

from ..core.assets import CONF_DIR
from ..data.photos import photo_folder, read_probe
from ..data.style_image import MAX_PIXELS
from ..images.writing import write_picture
from ..zoo.gallery import SHOWN_AT, cards, sheet
from ..zoo.training import DEFAULT_NETWORK, add_targets, score_again, train, trainings, write_cards
from .config import command
from .program import Program

PROGRAM = Program(
    "zoo",
    CONF_DIR / "zoo",
    texts=("paintings", "photos", "runs", "output", "overrides", "sheet"),
    lists=("overrides",),
)


@command(PROGRAM)
def main(config: DictConfig) -> None:
    """Trains what is missing, or scores what is there; writes style files, their cards and the sheet."""
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    if config.targets:
        add_targets(trainings(config), output)
    elif config.score:
        score_again(trainings(config), output)
        write_cards(output)
    else:
        for training in trainings(config):
            train(training, output / f"{training.name}.safetensors", config.further)
            write_cards(output)
    if config.sheet is not None:
        photos = read_probe(photo_folder("bundled-probe"), SHOWN_AT, 8, MAX_PIXELS).values()
        chosen = [photo for number, photo in enumerate(photos) if number in config.sheet_photos]
        names = [one.name for one in cards(output) if one.network == DEFAULT_NETWORK]
        paths = [output / f"{name}.safetensors" for name in names]
        write_picture(Path(config.sheet), sheet(paths, chosen), None, quality=90)


if __name__ == "__main__":
    main()
