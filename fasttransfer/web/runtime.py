"""The files of onnxruntime-web, which runs networks in browsers: always of one version."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from ..core.errors import FastTransferError
from ..core.paths import expand_user

VERSION = "1.30.0"  # packages/fasttransfer-web/hatch_build.py has the same
PACKAGE = "fasttransfer_web"

# What a browser loads, the script that starts it first, and their SHA-256. Browsers without WebGPU, or
# without a way to wait for it (JSPI), take the smaller files.
FILES = {
    "wasm": {
        "ort.wasm.min.mjs": ("219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b"),
        "ort-wasm-simd-threaded.mjs": (
            "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b"
        ),
        "ort-wasm-simd-threaded.wasm": (
            "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
        ),
    },
    "webgpu": {
        "ort.jspi.min.mjs": ("bc57179d923fda2d88d4a395359c8df44399dde087bf9ff44fc0e40ab398e4d9"),
        "ort-wasm-simd-threaded.jspi.mjs": (
            "270e2c6da9f297239d301d329782b6446641cb1e16a77967690adcfca35f3268"
        ),
        "ort-wasm-simd-threaded.jspi.wasm": (
            "a54c76f86b0f0d9572380cf1c6292a7b3903716ffcbcd6b0e5c7050bf430eb93"
        ),
    },
}


def runtime_files(folder: str | None) -> dict[str, bytes]:
    """The contents of all files in ``FILES``, by their names.

    Args:
        folder: where they are; None is the package that the extra ``web`` installs.

    Raises:
        FastTransferError: a file is missing, or is not that of ``VERSION``.
    """
    place = _installed() if folder is None else expand_user(folder)
    sums = FILES["wasm"] | FILES["webgpu"]
    return {name: _checked(place / name, expected) for name, expected in sums.items()}


def _installed() -> Path:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise FastTransferError(
            f"export=web needs the files of onnxruntime-web {VERSION}; run npm install "
            f"onnxruntime-web@{VERSION} and add web.runtime=node_modules/onnxruntime-web/dist, or run "
            "python -m pip install ./packages/fasttransfer-web in a checkout of fasttransfer"
        )
    return Path(found.origin).parent / "runtime"


def _checked(path: Path, expected: str) -> bytes:
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise FastTransferError(
            f"{path} cannot be read ({error.strerror}); web.runtime= must be the folder dist of "
            f"onnxruntime-web {VERSION}"
        ) from error
    if hashlib.sha256(contents).hexdigest() != expected:
        raise FastTransferError(
            f"{path} is not the file of onnxruntime-web {VERSION}; run npm install "
            f"onnxruntime-web@{VERSION} and name its folder dist in web.runtime="
        )
    return contents
