"""Several style files or checkpoints over the same photos and clips, side by side in TensorBoard."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import islice, tee
from pathlib import Path
from statistics import fmean, median

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from .checkpoint import LAST_CHECKPOINT, STYLE_FILE, STYLE_IMAGE_FILE, StyleFile, load_style
from .errors import FastTransferError
from .evaluate import Scores, score_pictures
from .extras import need
from .files import fresh_folder
from .flicker import Frame, measure_flicker
from .images import from_bytes, read_picture, resize, resize_to, to_bytes
from .pictures import captioned, side_by_side
from .style import MAX_PIXELS, StyleImage, bundled_style_images
from .stylize import Stylizer
from .vgg import VGG16Features
from .video import VideoSettings

Player = Callable[[], Iterator[Frame]]

REPEATS = 3  # of every picture, for the time; one more goes before them
SHOWN = {  # on the terminal; TensorBoard gets all
    "objective": "balanced_total",
    "content": "balanced_content",
    "style term": "balanced_style",
    "johnson": "johnson_total",
    "ms": "milliseconds",
    "flicker": "flicker",
}


def compare(
    styles: Sequence[Path],
    photos: Sequence[Path],
    clips: Sequence[Path],
    make_stylizer: Callable[..., Stylizer],
    log_dir: str,
    photo_size: int,
    clip_frames: int,
    max_pixels: int,
    weights: str,
    video: VideoSettings,
) -> dict[str, Scores]:
    """Stylizes each photo in each style and writes pictures, scores and times to TensorBoard; of
    each clip the first frame is such a photo, and the flicker is measured.

    Args:
        styles: style files or Lightning checkpoints.
        photos: picture files.
        clips: video files.
        make_stylizer: makes a ``Stylizer`` of a style.
        log_dir: TensorBoard's folder; every style gets one of its own in it.
        photo_size: longer side in pixels at which all are stylized and scored.
        clip_frames: how many of a clip are looked at, from its start.
        max_pixels: larger photos and frames are refused.
        weights: of the loss network, see ``VGG16Features``.
        video: how clips are decoded.

    Returns:
        For each style its mean scores, where its style image is known, milliseconds a photo, and
        the mean excess ``flicker`` of the clips in 8-bit levels, see ``flicker``.
    """
    console = Console(highlight=False, soft_wrap=True)
    contents = read_photos(photos, photo_size, max_pixels, console)
    players = read_clips(clips, photo_size, clip_frames, max_pixels, video, console)
    contents |= {name: to_photo(next(play())) for name, play in players.items()}
    if not contents or not styles:
        raise FastTransferError(
            "compare=true needs one style and one photo or video at least; give both."
        )
    # In one folder TensorBoard would mix two comparisons.
    log_dir = str(fresh_folder(Path(log_dir)))
    features = VGG16Features(weights)
    grids: dict[str, list[Tensor]] = {n: [captioned(c, "photo")] for n, c in contents.items()}
    means: dict[str, Scores] = {}
    for label, path in zip(labels(styles), styles, strict=True):
        style_file = load_style(path)
        stylizer = make_stylizer(style=style_file)
        style = style_image_of(path, style_file)
        with SummaryWriter(str(Path(log_dir) / label)) as writer:
            rows = []
            for number, (name, content) in enumerate(contents.items()):
                stylized, milliseconds = timed(stylizer, content)
                height, width = stylized.shape[1:]  # size= may make it another than the photo's
                pairs = [(stylized, resize_to(content, height, width))]
                row = {} if style is None else score_pictures(pairs, style, features)
                rows.append(row | {"milliseconds": milliseconds})
                for key, value in rows[-1].items():
                    writer.add_scalar(f"compare/{key}", value, number)
                grids[name].append(captioned(stylized, label))
            means[label] = {key: fmean(row[key] for row in rows) for key in rows[0]}
            means[label] |= log_flicker(players, stylizer, writer, console)
            writer.add_hparams(
                {"style": label, "steps": style_file.metadata.get("steps", 0)},
                {f"compare/mean_{key}": value for key, value in means[label].items()},
                run_name=".",
            )
    with SummaryWriter(log_dir) as writer:
        for name, grid in grids.items():
            writer.add_image(f"compare/{name}", side_by_side(grid))
    tell(means, log_dir, console)
    return means


def read_photos(
    photos: Sequence[Path], size: int, max_pixels: int, console: Console
) -> dict[str, Tensor]:
    """Photos (3, H, W) with a longer side of at most ``size``, by names that tell them apart; a file
    that cannot be read is told and left out."""
    contents: dict[str, Tensor] = {}
    for photo in photos:
        try:
            content = shrunk(read_picture(photo, max_pixels=max_pixels).rgb, size)
        except FastTransferError as error:
            console.print(f"left out: {error}", markup=False)
            continue
        contents[different(photo.stem, contents)] = content
    return contents


def read_clips(
    clips: Sequence[Path],
    size: int,
    frames: int,
    max_pixels: int,
    video: VideoSettings,
    console: Console,
) -> dict[str, Player]:
    """What plays the first ``frames`` frames of each clip, with a longer side of at most ``size``, by
    names that tell them apart; a file that cannot be read is told and left out."""
    players: dict[str, Player] = {}
    if not clips:
        return players
    need("av", "video", "comparing styles over clips")
    from .demux import ClipReader

    def play(clip: Path) -> Iterator[Frame]:
        with ClipReader(clip, video, max_pixels) as reader:
            for frame, _, _ in islice(reader, frames):
                yield to_frame(shrunk(to_photo(frame), size))

    for clip in clips:
        try:
            with ClipReader(clip, video, max_pixels):
                players[different(f"{clip.stem} (video)", players)] = partial(play, clip)
        except FastTransferError as error:
            console.print(f"left out: {error}", markup=False)
    return players


def log_flicker(
    players: dict[str, Player], stylizer: Stylizer, writer: SummaryWriter, console: Console
) -> Scores:
    """Measures the flicker of each clip, writes it to TensorBoard, and returns the mean excess; a
    clip that cannot be measured is told and left out."""
    excesses = []
    for number, (name, play) in enumerate(players.items()):
        contents, frames = tee(play())
        if stylizer.size is not None:
            contents = (to_frame(resize(to_photo(frame), stylizer.size)) for frame in contents)
        try:
            [flicker] = measure_flicker(contents, [map(stylizer.frame, frames)])
        except FastTransferError as error:
            console.print(f"no flicker of {name}: {error}", markup=False)
            continue
        writer.add_scalar("compare/flicker", flicker.excess, number)
        writer.add_scalar("compare/warping_error_of_input", flicker.content, number)
        excesses.append(flicker.excess)
    return {"flicker": fmean(excesses)} if excesses else {}


def to_photo(frame: Frame) -> Tensor:
    """RGB bytes (H, W, 3) as a photo (3, H, W) in [0, 1]."""
    return from_bytes(torch.from_numpy(frame[None]))[0]


def to_frame(photo: Tensor) -> Frame:
    """A photo (3, H, W) in [0, 1] as RGB bytes (H, W, 3)."""
    return to_bytes(photo[None])[0].contiguous().numpy()


def shrunk(photo: Tensor, size: int) -> Tensor:
    """(3, H, W) with a longer side of at most ``size``."""
    return resize(photo, size) if max(photo.shape) > size else photo


def timed(stylizer: Stylizer, content: Tensor) -> tuple[Tensor, float]:
    """The stylized photo and the median milliseconds it took."""
    stylizer(content)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        stylized = stylizer(content)  # comes back to the CPU, so it waits for the device
        times.append(1000 * (time.perf_counter() - start))
    return stylized, median(times)


def labels(styles: Sequence[Path]) -> list[str]:
    """A short, different name for every path: of its run folder, or of the file."""
    names: list[str] = []
    for path in styles:
        folder = path.parent.parent if path.name == LAST_CHECKPOINT.name else path.parent
        name = (
            folder.resolve().name if path.name in (STYLE_FILE, LAST_CHECKPOINT.name) else path.stem
        )
        names.append(different(name, names))
    return names


def different(name: str, taken: Collection[str]) -> str:
    """``name``, or with a number behind it if it is taken."""
    numbered = (f"{name}-{n}" for n in range(2, len(taken) + 2))
    return name if name not in taken else next(c for c in numbered if c not in taken)


def style_image_of(path: Path, style_file: StyleFile) -> Tensor | None:
    """The style image (1, 3, H, W) that a style was trained for: from its run folder, or the bundled
    one; None if neither is there, in which case only times can be told."""
    training = style_file.metadata.get("training", {}).get("style", {})
    name, size = str(training.get("path")), training.get("size")
    for folder in (path.parent, path.parent.parent):
        if (folder / STYLE_IMAGE_FILE).is_file():
            return read_picture(folder / STYLE_IMAGE_FILE, max_pixels=MAX_PIXELS).rgb[None]
    if name in bundled_style_images() and isinstance(size, int):
        return StyleImage(name, size, name=None, licence=None).image
    return None


def tell(means: dict[str, Scores], log_dir: str, console: Console) -> None:
    """A table on the terminal, and how to see the pictures."""
    table = Table("style", *SHOWN)
    for label, scores in means.items():
        row = (f"{scores[key]:.4g}" if key in scores else "-" for key in SHOWN.values())
        table.add_row(label, *row)
    console.print(table, soft_wrap=False)
    console.print(f"see them with: tensorboard --logdir {log_dir}")
