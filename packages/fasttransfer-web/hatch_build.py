"""Gets the files of onnxruntime-web for the wheel: by npm, of one version, compared with its digest."""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "onnxruntime-web"
VERSION = "1.30.0"
# Of the archive, as a package-lock.json has it behind "sha512-".
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.jspi.min.mjs",
    "ort-wasm-simd-threaded.jspi.mjs",
    "ort-wasm-simd-threaded.jspi.wasm",
)


class RuntimeHook(BuildHookInterface):  # type: ignore[misc,type-arg]
    """Adds the files to ``fasttransfer_web/runtime`` of the wheel; the checkout stays as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Downloads, compares, and unpacks; an editable installation gets none of it."""
        if version == "editable":
            raise SystemExit("fasttransfer-web cannot be installed as editable; leave out -e")
        self.unpacked = tempfile.TemporaryDirectory()  # until the wheel is written
        folder = Path(self.unpacked.name)
        with tarfile.open(fetch(folder)) as archive:
            for name in FILES:
                member = archive.extractfile(f"package/dist/{name}")
                if member is None:
                    raise SystemExit(f"{NAME} {VERSION} has no file dist/{name}")
                (folder / name).write_bytes(member.read())
                build_data["force_include"][str(folder / name)] = f"fasttransfer_web/runtime/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes what was downloaded."""
        self.unpacked.cleanup()


def fetch(folder: Path) -> Path:
    """The archive of ``VERSION``, as npm gets it, if it has the digest ``SHA512``."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "building fasttransfer-web needs npm, which comes with Node.js; install that"
        )
    command = [npm, "pack", f"{NAME}@{VERSION}", "--json", "--pack-destination", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"npm could not get {NAME} {VERSION}: {done.stderr.strip()}")
    path = folder / json.loads(done.stdout)[0]["filename"]
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise SystemExit(f"{path.name} is not what {NAME} {VERSION} was; do not use it")
    return path
