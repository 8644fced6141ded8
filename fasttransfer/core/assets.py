"""Where the files of the package are: bundled data in ``assets`` and the settings in ``conf``."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

# A wheel carries conf/ inside the package; in the repository it lies beside it.
CONF_DIR = next((d for d in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if d.is_dir()), _PACKAGE)

_ASSETS = _PACKAGE / "assets"
BASES = _ASSETS / "base"  # one for each network that has one
CAMERA_PAGE = _ASSETS / "camera_page"  # what the live page and exported sites share
PAGE_PARTS = _ASSETS / "page"  # of the page that compares styles
STYLE_IMAGES = _ASSETS / "styles"
BUNDLED_STYLES = _ASSETS / "trained"
VGG_WEIGHTS = _ASSETS / "vgg" / "vgg16_features_float16.safetensors"

# Photos that come with the package, by the names that they are asked for: to train with; to look at,
# which are never trained on; and one of these that is larger.
BUNDLED_PHOTOS = {
    "bundled": _ASSETS / "photos" / "train",
    "bundled-probe": _ASSETS / "photos" / "probe",
    "bundled-large": _ASSETS / "photos" / "large",
}


def config_names(group: str, folder: Path = CONF_DIR) -> list[str]:
    """The names of the YAML files of a group, such as ``network``."""
    return sorted(path.stem for path in (folder / group).glob("*.yaml"))
