"""Values of settings, as plain Python."""

from omegaconf import ListConfig


def as_list(value: object) -> list[str]:
    """A setting that may be one thing or a list of things, as a list; null is the empty list."""
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, ListConfig) else [str(value)]
