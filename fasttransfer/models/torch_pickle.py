"""The pickle in a file of ``torch.save``, read without running code.

It is small, has a few opcodes, and makes dictionaries, lists, numbers, text, and tensors without values.
Everything else becomes a placeholder, or is refused.
"""

import math
import pickle
from dataclasses import dataclass
from typing import IO, Any, ClassVar

import torch
from torch import Tensor

MOST_BYTES = 2**18  # names, numbers and text; a training's checkpoint has 50,000
_MOST_AXES = 8  # of a tensor

_OPCODES = [
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.MEMOIZE),
    *(pickle.BINPUT, pickle.LONG_BINPUT, pickle.BINGET, pickle.LONG_BINGET),
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BINFLOAT),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1),
    *(pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINSTRING, pickle.SHORT_BINSTRING),
    *(pickle.BINBYTES, pickle.SHORT_BINBYTES),
    *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
    *(pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS),
    *(pickle.EMPTY_DICT, pickle.SETITEM, pickle.SETITEMS),
    *(pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.REDUCE, pickle.NEWOBJ, pickle.BUILD),
    pickle.BINPERSID,
]
_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
# What values of PyTorch and Python are made of that are no weights: placeholders stand for them.
_PASSED_OVER = {
    "torch": None,
    "torch._utils": None,
    "torch._tensor": None,
    "torch.serialization": None,
    "torch.storage": None,
    "torch.nn.parameter": None,
    "_codecs": {"encode"},
    "collections": {"Counter", "defaultdict"},
    "builtins": {"bytearray", "complex", "set"},
    "__builtin__": {"bytearray", "complex", "set"},
}
# Those of them that take no memory, whatever they are given.
_SMALL = {
    *(("torch", name) for name in ("Size", "device")),
    *(("torch", str(dtype).removeprefix("torch.")) for dtype in _STORAGES.values()),
    *(("collections", name) for name in ("Counter", "defaultdict")),
}


class CodeError(Exception):
    """The file names functions that would have to be called."""


class Placeholder:
    """Stands for a value that is not read."""

    def __new__(cls, *_: object, **__: object) -> "Placeholder":
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


class Names(dict[Any, Any]):
    """Stands for ``OrderedDict``, which would copy whatever it is given."""

    def __init__(self, *given: object) -> None:
        if given not in ((), ([],), ((),)):
            raise ValueError("a dictionary that is made of another value")
        super().__init__()

    def __setstate__(self, _: object) -> None: ...


@dataclass(frozen=True)
class Storage:
    """Values somewhere in the file: of which kind, where, and how many."""

    dtype: torch.dtype
    key: str
    numel: int


@dataclass(frozen=True)
class Unread:
    """A tensor whose values have not been read."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def of(self, values: Tensor) -> Tensor | Placeholder:
        """The tensor, or a placeholder if it claims more values than its storage has."""
        numbers = [self.offset, *self.size, *self.stride]
        if not all(type(n) is int and n >= 0 for n in numbers):
            return Placeholder()
        last = sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if (
            math.prod(self.size) > len(values)
            or 0 in self.size
            or self.offset + last >= len(values)
        ):
            return Placeholder()
        return values.as_strided(self.size, self.stride, self.offset)

    @property
    def fits(self) -> bool:
        """Whether no value is claimed that its storage does not have."""
        return math.prod(self.size) <= self.storage.numel


class _Limited:
    """A file of which only the next so many bytes can be read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MOST_BYTES

    def read(self, count: int) -> bytes:
        return self._spend(self._file.read(min(count, self._left + 1)))

    def readline(self) -> bytes:
        return self._spend(self._file.readline(self._left + 1))

    def _spend(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"a pickle of more than {MOST_BYTES} bytes")
        return data


def unpickle(file: IO[bytes], strict: bool = False) -> object:
    """The next pickle of a file, with an ``Unread`` for each tensor.

    Args:
        file: it begins there.
        strict: no placeholders, but for values that take no memory.

    Raises:
        CodeError: it names functions that would have to be called.
        Exception: it is damaged, too large, or no pickle that ``torch.save`` writes.
    """
    return (_StrictReader if strict else _Reader)(_Limited(file)).load()


# The one in Python: that in C makes room for as many memo places as a file says.
class _Reader(pickle._Unpickler):
    stack: list[Any]
    dispatch: ClassVar[dict[int, Any]] = {
        code[0]: pickle._Unpickler.dispatch[code[0]] for code in _OPCODES
    }

    def load_build(self) -> None:
        """State is passed over, and given to nothing else than what stands for objects."""
        self.stack.pop()
        if not isinstance(self.stack[-1], Names | Placeholder):
            raise ValueError("state for what has none")

    dispatch[pickle.BUILD[0]] = load_build

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return Names
        if module in ("torch", "torch.cuda") and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch._utils" and name == "_rebuild_parameter":
            return _rebuild_parameter
        names = _PASSED_OVER.get(module, ())
        if names is None or name in names:
            return Placeholder
        raise CodeError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Storage | Placeholder:
        kind, dtype, key, _, numel, *views = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or any(views):
            return Placeholder()
        return Storage(dtype, str(key), int(numel))


class _StrictReader(_Reader):
    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if found is Placeholder and (module, name) not in _SMALL:
            raise CodeError(f"{module}.{name}")
        return found


def _rebuild_tensor(
    storage: object, offset: Any, size: Any, stride: Any, *_: object
) -> Unread | Placeholder:
    if not isinstance(storage, Storage) or not isinstance(size, tuple):
        return Placeholder()
    if not isinstance(stride, tuple) or not len(size) == len(stride) <= _MOST_AXES:
        return Placeholder()
    return Unread(storage, offset, size, stride)


def _rebuild_parameter(data: object, *_: object) -> object:
    return data
