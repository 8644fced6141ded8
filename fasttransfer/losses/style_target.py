"""What a loss compares with for one style image."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from .terms import Level


class StyleTarget(nn.Module):
    """What the terms compare with for one style image, as buffers that follow the module they are in.

    Args:
        values: by term and name. The means of two targets are a style between both.
        strength: multiplies the terms that follow the style.
    """

    def __init__(
        self,
        values: Mapping[str, Mapping[str, Tensor]],
        levels: Sequence[Level],
        strength: float = 1.0,
    ) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.strength = strength
        self.names = {term: tuple(tensors) for term, tensors in values.items()}
        for term, tensors in values.items():
            for name, tensor in tensors.items():
                self.register_buffer(f"{term}_{name}", tensor, persistent=False)

    def of(self, term: str) -> dict[str, Tensor]:
        """The values of one term."""
        return {name: self.get_buffer(f"{term}_{name}") for name in self.names[term]}

    def mixed_with(self, other: "StyleTarget") -> "StyleTarget":
        """A style halfway between two."""
        values = {
            term: {
                name: (own + other.of(term)[name]) / 2
                for name, own in self.of(term).items()
                if name in other.names[term]
            }
            for term in self.names
        }
        levels = [level for level in self.levels if level in other.levels]
        return StyleTarget(values, levels, (self.strength + other.strength) / 2)
