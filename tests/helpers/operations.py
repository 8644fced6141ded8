"""Counts what is asked of a device, also on tensors without numbers."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# Answered without the device.
VIEWS = (
    *(
        "aten::view",
        "aten::_unsafe_view",
        "aten::t",
        "aten::transpose",
        "aten::slice",
        "aten::select",
    ),
    *(
        "aten::unbind",
        "aten::detach",
        "aten::alias",
        "aten::expand",
        "aten::as_strided",
        "aten::mT",
    ),
    *("aten::reshape", "aten::permute", "aten::unsqueeze", "aten::squeeze", "aten::split"),
)
WAITS = {"aten::_local_scalar_dense", "aten::item", "aten::nonzero", "aten::masked_select"}


class Operations(TorchDispatchMode):
    """Notes the names of all operations on some devices.

    Args:
        on_cpu: whether those on the CPU are noted, too, in place of a device that is not there.

    Attributes:
        names: of the operations, in order.
        crossings: of those that moved a tensor between the CPU and a device: a device is waited for
            unless the memory is pinned.
    """

    def __init__(self, on_cpu: bool = False) -> None:
        super().__init__()
        self.names: list[str] = []
        self.crossings: list[str] = []
        self._unseen = set() if on_cpu else {"cpu"}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **kwargs or {})
        flat, _ = torch.utils._pytree.tree_flatten((args, kwargs, result))
        tensors = [item for item in flat if isinstance(item, torch.Tensor)]
        devices = {tensor.device.type for tensor in tensors}
        if devices - self._unseen and func.namespace == "aten":
            self.names.append(func._schema.name)
        # A tensor of one number on the CPU is passed along as that number.
        if len({tensor.device.type for tensor in tensors if tensor.ndim > 0}) > 1:
            self.crossings.append(func._schema.name)
        return result

    @property
    def launched(self) -> list[str]:
        """Without what is only another view of the same memory."""
        return [name for name in self.names if not name.startswith(VIEWS)]

    @property
    def waits(self) -> list[str]:
        """Those whose result the host has to wait for."""
        return [name for name in self.names if name in WAITS]
