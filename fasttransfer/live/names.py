"""What cameras are called. This module loads nothing heavy."""

CAMERA = "camera"


def is_camera(name: str) -> bool:
    """Whether ``input=name`` means a camera; a file of that name is written ``./camera``."""
    return name.partition(":")[0] == CAMERA
