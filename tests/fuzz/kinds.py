"""What is damaged, and the command that opens it: pictures, clips, volumes, style files, runs."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from tests.helpers.photos import make_photo

from . import seeds
from .mutations import mutate, mutate_text
from .sandbox import GOOD, Outcome, Sandbox

OWN_STYLE = "own.safetensors"
ON_CPU = ("engine=torch", "device=cpu", "max_pixels=1_000_000")


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Args:
        command: ``infer`` or ``train``.
        make_seeds: writes real files, or folders, of that kind into a folder.
        arguments: of the command; ``{0}`` is the damaged file, ``{1}`` its ending.
        output: the only file or folder that may change.
    """

    command: str
    make_seeds: Callable[[Path], list[Path]]
    arguments: tuple[str, ...]
    output: str = "out"


KINDS = {
    "pictures": Kind(
        "infer", seeds.pictures, (f"style={OWN_STYLE}", "input={0}", "output=out/", *ON_CPU)
    ),
    "clips": Kind(
        "infer", seeds.clips, (f"style={OWN_STYLE}", "input={0}", "output=out/", *ON_CPU)
    ),
    "volumes": Kind(
        "infer",
        seeds.volumes,
        (f"style={OWN_STYLE}", "input={0}", "output=out/done{1}", "task=volume", *ON_CPU),
    ),
    "styles": Kind(
        "infer", seeds.style_files, ("style={0}", "input=photo.png", "output=out/", *ON_CPU)
    ),
    "runs": Kind("train", seeds.run_folders, ("resume={0}",), output="in"),
}


class Fuzzer:
    """Damages files of one kind, one for each number, and opens them.

    Args:
        name: of the kind.
        folder: a new folder for the files.
        sandbox: a process that opens files with the command of the kind; None starts one.

    Raises:
        RuntimeError: if a file that is not damaged cannot be opened.
    """

    def __init__(self, name: str, folder: Path, sandbox: Sandbox | None = None) -> None:
        self.kind = KINDS[name]
        self._folder = folder
        self._seeds = folder / "seeds"
        self._seeds.mkdir(parents=True)
        self._originals = self.kind.make_seeds(self._seeds)
        self._style = seeds.tiny_style(self._seeds / OWN_STYLE)
        self._photo = make_photo(self._seeds / "content.png", *seeds.SIZE)
        self._sandbox = sandbox or Sandbox(self.kind.command)
        for original in self._originals:
            outcome = self._open(f"whole-{original.name}", partial(_copy, original))
            if outcome.name != "ok":
                raise RuntimeError(f"{original} is {outcome.name}:\n{outcome.text}")

    def run(self, number: int) -> Outcome:
        """Makes the input of that number, and opens it; removes it if all went well."""
        return self._open(str(number), partial(self._damage, Random(number)))

    def close(self) -> None:
        """Ends the process that opens files."""
        self._sandbox.close()

    def _open(self, name: str, write: Callable[[Path], Path]) -> Outcome:
        case = self._folder / name
        (case / "in").mkdir(parents=True)
        shutil.copy(self._style, case / OWN_STYLE)
        shutil.copy(self._photo, case / "photo.png")
        path = write(case / "in")
        ending = "".join(path.suffixes)
        filled = [
            argument.format(path.relative_to(case), ending) for argument in self.kind.arguments
        ]
        outcome = self._sandbox.run(case, filled, self.kind.output)
        if outcome.name in GOOD:
            shutil.rmtree(case)
            case.with_name(f"{name}.txt").unlink()
        return outcome

    def _damage(self, rng: Random, folder: Path) -> Path:
        original = rng.choice(self._originals)
        if original.is_dir():
            return _damage_run(_copy(original, folder), rng)
        others = [path.read_bytes() for path in self._originals]
        name = original.name
        if rng.random() < 0.1:  # a wrong ending
            name = original.name.split(".")[0] + "".join(rng.choice(self._originals).suffixes)
        path = folder / name
        path.write_bytes(mutate(original.read_bytes(), others, rng))
        return path


def _copy(path: Path, folder: Path) -> Path:
    copy = shutil.copytree if path.is_dir() else shutil.copy
    return Path(copy(path, folder / path.name))


def _damage_run(run: Path, rng: Random) -> Path:
    """Damages the settings of a run, or its checkpoint, or both."""
    for name in rng.choice([["config.yaml"], ["last.ckpt"], ["config.yaml", "last.ckpt"]]):
        path = next(run.rglob(name))
        if name == "config.yaml" and rng.random() < 0.8:
            text = mutate_text(path.read_text(), rng)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        else:
            path.write_bytes(mutate(path.read_bytes(), [path.read_bytes()], rng))
    return run
