"""Where the work on a large picture is kept until it is complete, so that a stop costs little."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..core.files import write_whole
from ..core.scratch import scratch_folder
from .planes import DamagedStateError, Plane
from .rasters import Unpacked

FORMAT = 4  # of the files in the folder; another one is not continued
_JOB, _PHOTO, _RESULT = "job.json", "photo", "stylized"


class WorkFolder:
    """The hidden folder beside an output.

    The photo as an array, the result as far as it is, and what is known of its tiles.

    Args:
        output: the file that the picture becomes.
        key: what must be the same for the work to continue, as JSON.

    Attributes:
        path: of the folder. What is there of other work is removed.
        damaged: whether something was there that no work leaves behind.
    """

    def __init__(self, output: Path, key: dict[str, Any]) -> None:
        self.path = output.with_name(f".{output.name}.tiles")
        self.damaged = False
        self._scratch = ExitStack()
        text = json.dumps({"format": FORMAT, **key}, sort_keys=True)
        if _is_own(self.path):
            kept = self._job()
            if kept == text:
                return
            shutil.rmtree(self.path)
        output.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(self.path):  # a link, or somebody else's
            self.path = self._scratch.enter_context(scratch_folder(output.parent))
        else:
            self.path.mkdir(mode=0o700)
        write_whole(self.path / _JOB, lambda file: file.write(text.encode()))

    @property
    def started(self) -> bool:
        """Whether tiles are done, or about to be."""
        return any(self.path.glob("*.journal"))

    def photo(self, unpack: Callable[[Path], Unpacked]) -> Unpacked:
        """The photo as an array; ``unpack`` makes it at a path, unless that is done.

        What was kept comes without its notes.

        Raises:
            DamagedStateError: what is kept of it cannot be used.
        """
        about, path = self.path / "photo.json", self.path / _PHOTO
        if about.exists():
            shape, checksum, damage = _about_photo(about)
            plane = Plane(path, shape, "uint8", kept=True)
            if plane.checksum() != checksum:
                raise DamagedStateError(f"{path.name} has other pixels")
            return Unpacked(plane, damage=damage)
        found = unpack(path)
        known = {"shape": found.plane.shape, "checksum": found.plane.checksum()}
        text = json.dumps({**known, "damage": found.damage})
        write_whole(about, lambda file: file.write(text.encode()))
        return found

    def result(self, photo: Plane) -> Plane:
        """The array of the stylized picture.

        Raises:
            DamagedStateError: tiles of it are said to be done, but it cannot be used.
        """
        return Plane(self.path / _RESULT, photo.shape, "uint8", kept=self.started)

    def remove(self) -> None:
        """Removes the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._scratch.close()

    def _job(self) -> str | None:
        try:
            text = (self.path / _JOB).read_text(encoding="utf-8")
            json.loads(text)
        except FileNotFoundError:  # killed between two lines
            return None
        except (OSError, ValueError):
            self.damaged = True
            return None
        return text


def _is_own(folder: Path) -> bool:
    """Whether it is a folder of this user's into which nobody else can write."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    return os.name == "nt" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


def _about_photo(about: Path) -> tuple[tuple[int, int, int], int, str | None]:
    """The shape of the unpacked photo, its checksum, and what is missing from its file."""
    try:
        found = json.loads(about.read_bytes())
        height, width, channels = (int(side) for side in found["shape"])
        checksum, damage = int(found["checksum"]), found["damage"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedStateError(f"{about.name} cannot be read") from error
    if min(height, width) < 1 or channels not in (3, 4):
        raise DamagedStateError(f"{about.name} holds no shape of a picture")
    return (height, width, channels), checksum, None if damage is None else str(damage)
