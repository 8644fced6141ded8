"""Settings of runs from before a change of their structure, as they are written today."""

from collections.abc import Mapping
from typing import Any

_TERMS = "fasttransfer.losses"
# Where the settings of terms are today, and what they were called beside the weights.
_MOVED = {
    "content": (f"{_TERMS}.content.ContentTerm", {"layer": "content_layer", "distance": "content_loss"}),
    "style": (
        f"{_TERMS}.gram.StyleTerm",
        {"layers": "style_layers", "distance": "style_loss", "average": "average_layers"},
    ),
    "tv": (f"{_TERMS}.regularizers.VariationTerm", {"measure": "variation_loss"}),
    "range": (f"{_TERMS}.regularizers.RangeTerm", {}),
    "grid": (f"{_TERMS}.regularizers.GridTerm", {"period": "grid_period", "window": "grid_window"}),
    "fine": (f"{_TERMS}.regularizers.FineTerm", {}),
    "tone": (f"{_TERMS}.color.ToneTerm", {"cell": "tone_cell"}),
    "palette": (f"{_TERMS}.color.PaletteTerm", {}),
}  # fmt: skip
_OLD_LOSS = "content_layer"  # only there before terms had names
_OLD_LICENSE = "licence"
_OLD_LOGGER = "pytorch_lightning.loggers.TensorBoardLogger"
_LOGGER = "fasttransfer.training.tensorboard.TensorBoardLogger"


def updated(found: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a run, whose loss has named terms and levels, and whose style has a license.

    Runs from before compared whole crops in full size, and go on with that.
    """
    settings = dict(found)
    loss = settings.get("loss")
    if isinstance(loss, Mapping) and _OLD_LOSS in loss:
        settings["loss"] = _named_terms(loss)
    style = settings.get("style")
    if isinstance(style, Mapping) and _OLD_LICENSE in style:
        kept = {key: value for key, value in style.items() if key != _OLD_LICENSE}
        settings["style"] = {"license": style[_OLD_LICENSE], **kept}
    logger = settings.get("logger")
    if isinstance(logger, Mapping) and logger.get("_target_") == _OLD_LOGGER:
        settings["logger"] = {**logger, "_target_": _LOGGER}
    return settings


def _named_terms(loss: Mapping[str, Any]) -> dict[str, Any]:
    terms = {
        term: {"_target_": target, **{new: loss[old] for new, old in names.items() if old in loss}}
        for term, (target, names) in _MOVED.items()
        if f"{term}_weight" in loss
    }
    moved = {old for _, names in _MOVED.values() for old in names.values()}
    kept = {key: value for key, value in loss.items() if key not in moved}
    levels = [{"reduce": 1, "content": 1, "style": 1}]
    return {**kept, "levels": levels, "part": None, "terms": terms}
