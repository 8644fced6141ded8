"""Styles from Python: load, stylize, blend, save."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import FastTransferError
from ..models.blending import StyleMixture, load_style_or_blend
from ..models.blending import blend as blend_styles
from ..models.style_file import StyleFile
from ..stylizing.settings import EngineSettings, MaskSettings, StylizerSettings
from ..stylizing.stylizer import Stylizer
from .cards import card_of
from .exporting import exported, saved
from .masks import masking_of
from .options import field_names, known
from .pictures import through

if TYPE_CHECKING:
    from typing_extensions import Unpack  # of Python 3.11

    from .options import CallOptions, ExportOptions, Options

    Named = str | os.PathLike[str]  # a bundled name, a style file, or a run folder


class Style:
    """A style, ready for pictures.

    Made by ``load``, ``blend`` and ``train``; safe to call from any number of threads.

    >>> import fasttransfer as ft
    >>> import numpy as np
    >>> style = ft.load("mosaic", engine="torch")
    >>> style
    <Style mosaic>
    >>> style(np.zeros((48, 64, 3), np.uint8)).shape
    (48, 64, 3)
    """

    def __init__(self, stylizer: Stylizer, engine: EngineSettings) -> None:
        self._stylizer = stylizer
        self._engine = engine

    def __repr__(self) -> str:
        return f"<Style {self.name}>"

    @property
    def name(self) -> str:
        """As its file has it; that of a blend names its parts."""
        return self._stylizer.name

    @property
    def metadata(self) -> dict[str, Any]:
        """What the style file says of itself: license, settings of the training, scores; a copy."""
        return dict(self._stylizer.style.metadata)

    @property
    def card(self) -> dict[str, Any]:
        """The metadata that people ask for: name, license, network, start, steps, scores, parts."""
        return card_of(self.name, self.metadata)

    @property
    def settings(self) -> StylizerSettings:
        """What is done around the network."""
        return self._stylizer.settings

    def __call__(self, content: Any, mask: Any = None, **options: Unpack[CallOptions]) -> Any:
        """Stylizes one picture, a batch, or a list.

        Args:
            content: one of these, and the same kind comes back:

                - a path (str or PathLike) of a picture: a PIL image comes back
                - a PIL image of any mode: mode RGBA if it has transparency, otherwise RGB
                - a uint8 array (H, W, 3), (H, W, 4), or a batch (B, H, W, 3); a gray one (H, W)
                  comes back as (H, W, 3)
                - a float tensor (3, H, W) or (B, 3, H, W), RGB in [0, 1], of any dtype and device
                - a uint8 tensor (3, H, W) or (B, 3, H, W), RGB from 0 to 255
                - a list or tuple of these
            mask: where the pictures are stylized: white, True, or 1 is the full style, and black,
                False, or 0 leaves the picture exactly as it is. One for all pictures, resized to each;
                or a list, or a batch (B, H, W), with one for each:

                - a path of a picture, or a PIL image of any mode, which count by their brightness
                - an array or tensor (H, W) of uint8, bool, or floats in [0, 1]
                - ``"alpha"``: where each picture is opaque
                - ``"person"``: where a model finds a person
            **options: size, color, strength, or stroke_size for this call only, see ``load``;
                mask_feather, mask_invert, and mask_model, see ``CallOptions``. Strength may be
                a mask too.

        Raises:
            FastTransferError: not an image, a file that cannot be read, an option that cannot be
                used, or a picture that does not fit into memory.

        >>> import fasttransfer as ft, torch
        >>> style = ft.load("mosaic", engine="torch")
        >>> photo = torch.rand(3, 40, 60)
        >>> style(photo, size=30).shape
        torch.Size([3, 20, 30])
        >>> bool((style(photo, strength=0) == photo).all())
        True
        >>> left = torch.zeros(40, 60)
        >>> left[:, :30] = 1
        >>> bool((style(photo, mask=left)[:, :, 32:] == photo[:, :, 32:]).all())
        True
        """
        around: dict[str, Any] = dict(options)
        strength = around.get("strength")
        is_mask = strength is not None and not isinstance(strength, int | float)
        if self._stylizer.other is not None and (mask is None or is_mask):
            raise FastTransferError(
                f"'{self.name}' has two styles; give mask=, white for the first and black for the second"
                + (", and a number as strength." if is_mask else ".")
            )
        masking = masking_of(
            mask,
            around.pop("strength") if is_mask else None,
            around.pop("mask_feather", MaskSettings.feather),
            around.pop("mask_invert", False),
            around.pop("mask_model", None),
        )
        stylizer = self._stylizer
        if around:
            stylizer = stylizer.with_settings(**known(around, field_names(StylizerSettings)))
        return through(stylizer, content, masking)

    def blend(self, other: Style | Named, weight: float = 0.5) -> Style:
        """This style mixed with another one; see ``blend``.

        Args:
            other: the other style.
            weight: of the other one, from 0 (this style) to 1 (the other style).

        >>> import fasttransfer as ft
        >>> ft.load("mosaic", engine="torch").blend("udnie", 0.25).name
        'mosaic 0.75 + udnie 0.25'
        """
        if not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise FastTransferError(f"weight={weight} must be a number from 0 to 1.")
        parts = [(_style_of(self), 1 - weight), (_style_of(other), weight)]
        return self._with(_blended(parts))

    def beside(self, other: Style | Named) -> Style:
        """This style where a mask is white, and another one where it is black.

        The result requires a mask in each call; there, strength is a number. Strength, if it is an
        option of both styles, is that of this one, and so are metadata and card; color and
        stroke_size are each style's own.

        Args:
            other: the other style; if it is not loaded, it gets the options of this one.

        Raises:
            FastTransferError: see ``load``; a style that is two already.

        >>> import fasttransfer as ft, torch
        >>> photo, left = torch.rand(3, 40, 60), torch.zeros(40, 60)
        >>> left[:, :30] = 1
        >>> mosaic, udnie = (ft.load(name, engine="torch") for name in ("mosaic", "udnie"))
        >>> both = mosaic.beside(udnie)(photo, mask=left)
        >>> bool((both[:, :, 32:] == udnie(photo)[:, :, 32:]).all())
        True
        """
        second = other if isinstance(other, Style) else self._with(_style_of(other))
        own, others = self._stylizer, second._stylizer  # noqa: SLF001 - of this class
        for one in (own, others):
            _check_is_one(one, "has two styles already, and takes no third")
        return Style(own.beside(others), self._engine)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the style as a style file, which ``load`` and the commands read.

        With a single style goes what its scores compare with; a blend has no style image, so it
        cannot be scored against one.

        Args:
            path: ending in ``.safetensors``, which is added if it has no ending.

        Returns:
            The file.

        Raises:
            FastTransferError: another ending, a place that cannot be written, or a mixture of
                pictures, which is no single network.
        """
        return saved(_style_of(self), path)

    def export(
        self, path: str | os.PathLike[str] | None = None, **options: Unpack[ExportOptions]
    ) -> Path:
        """Writes the style for other programs, checked by running it.

        Args:
            path: the file, or a folder; None is the style's name in the current folder.
            **options: the format, and what the file takes and gives, see ``ExportOptions``.

        Returns:
            The file.

        Raises:
            FastTransferError: another ending, a file that is there already, an option that cannot be
                used, a missing library, or a mixture of pictures, which is no single network.
        """
        return exported(_style_of(self), path, dict(options))

    def _with(self, style: StyleFile | StyleMixture) -> Style:
        return Style(Stylizer(style, self.settings, self._engine), self._engine)


def load(style: Style | Named | Mapping[Any, float], **options: Unpack[Options]) -> Style:
    """Makes a style ready for pictures.

    Args:
        style: the name of a bundled style, a style file, a run folder, weights of other programs
            (.pth), a blend as text (``"mosaic:0.6,udnie:0.4"``) or as a mapping, see ``blend``.
        **options: size, color, strength, stroke_size, engine, device, precision, with the values
            that the commands take; see ``Options``.

    Raises:
        FastTransferError: no such style, a file that cannot be read, or an option that cannot be used.

    >>> import fasttransfer as ft
    >>> ft.load("starry_night", strength=0.8, engine="torch").card["license"]
    'public domain: The Starry Night, Vincent van Gogh, 1889'
    """
    chosen = known(dict(options), field_names(StylizerSettings) | field_names(EngineSettings))
    around = StylizerSettings(
        **{k: v for k, v in chosen.items() if k in field_names(StylizerSettings)}
    )
    engine = EngineSettings(**{k: v for k, v in chosen.items() if k in field_names(EngineSettings)})
    found = _blended_mapping(style) if isinstance(style, Mapping) else _style_of(style)
    return Style(Stylizer(found, around, engine), engine)


def blend(styles: Mapping[Any, float], **options: Unpack[Options]) -> Style:
    """Mixes styles.

    Styles whose networks have one shape and go back to one start are mixed by the mean of their
    weights, which is as fast as one style (Deep Network Interpolation, Wang et al. 2019,
    arXiv:1811.10515). Of others the pictures are mixed, and a line on stderr says so.

    Args:
        styles: weights by style, each as ``load`` takes it; they are divided by their sum.
        **options: see ``load``.

    Raises:
        FastTransferError: see ``load``; weights that are negative or all 0.

    >>> import fasttransfer as ft
    >>> style = ft.blend({"mosaic": 0.6, "udnie": 0.4}, engine="torch")
    >>> [(part["name"], part["weight"]) for part in style.card["parts"]]
    [('mosaic', 0.6), ('udnie', 0.4)]
    """
    if not isinstance(styles, Mapping):
        raise FastTransferError(
            f'A blend is a mapping such as {{"mosaic": 0.6, "udnie": 0.4}}, not a '
            f"{type(styles).__name__}."
        )
    return load(styles, **options)


def _check_is_one(stylizer: Stylizer, problem: str) -> None:
    if stylizer.other is not None:
        raise FastTransferError(f"'{stylizer.name}' {problem}.")


def _style_of(style: Style | Named | StyleFile) -> StyleFile | StyleMixture:
    if isinstance(style, Style):
        _check_is_one(style._stylizer, "has two styles, for two regions; name one of them")  # noqa: SLF001
        return style._stylizer.style  # noqa: SLF001 - of this module
    if isinstance(style, StyleFile):
        return style
    if isinstance(style, str | os.PathLike):
        return load_style_or_blend(os.fsdecode(style))
    raise FastTransferError(
        f"A {type(style).__name__} is no style; give the name of a bundled style, a style file, a run "
        "folder, or what load returned."
    )


def _blended_mapping(styles: Mapping[Any, float]) -> StyleFile | StyleMixture:
    return _blended([(_style_of(style), weight) for style, weight in styles.items()])


def _blended(parts: list[tuple[StyleFile | StyleMixture, float]]) -> StyleFile | StyleMixture:
    """Of mixtures the parts are taken."""
    flat: list[tuple[StyleFile, float]] = []
    for style, weight in parts:
        if isinstance(style, StyleMixture) and isinstance(weight, int | float):
            flat += [(part, share * weight) for part, share in style.parts]
        elif isinstance(style, StyleFile):
            flat.append((style, weight))
    return blend_styles(flat)
