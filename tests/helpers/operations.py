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


class Operations(TorchDispatchMode):
    """Notes the names of all operations on a device other than the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **kwargs or {})
        flat, _ = torch.utils._pytree.tree_flatten((args, kwargs, result))
        devices = {item.device.type for item in flat if isinstance(item, torch.Tensor)}
        if devices - {"cpu"} and func.namespace == "aten":
            self.names.append(func._schema.name)
        return result
