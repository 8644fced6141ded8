"""What a picture file says beside its pixels: date, place, camera, resolution, and XMP."""

import io
import re
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

_EXIF, _GPS = 0x8769, 0x8825  # directories within EXIF data
_ORIENTATION, _XMP = 274, 700
_STRIPS, _STRIP_SIZES = 273, 279
_COLOR_SPACE, _WIDTH, _HEIGHT = 0xA001, 0xA002, 0xA003
# What of EXIF is about the scene, the camera and the author. The rest describes how the pixels of the
# old file were stored.
_KEPT = (
    *(270, 271, 272, 305, 306, 315, 316, 33432),  # description, camera, software, date, author
    *(18246, 18249, 40091, 40092, 40093, 40094, 40095),  # rating, and what Windows calls title
)
_LONGEST = 65_000  # bytes that a JPEG can hold of each
_THUMBNAILS = re.compile(rb"<(xmp|xap):Thumbnails\b.*?</\1:Thumbnails>", re.DOTALL)
_TURNED = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\s*[1-8]")


@dataclass(frozen=True)
class Metadata:
    """Metadata for a picture that was made from another one.

    Attributes:
        exif: as in a JPEG, without thumbnails and notes of the camera's maker; orientation 1.
        xmp: an XMP packet, without thumbnails; orientation 1.
        dpi: pixels per inch, horizontally and vertically.
        has_profile: the file names its color space, so a written one says sRGB.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    has_profile: bool = False

    @classmethod
    def of(cls, image: Image.Image) -> "Metadata":
        """Of an image that Pillow opened. What is damaged is left out."""
        return cls(_exif(image), _xmp(image), _dpi(image), bool(image.info.get("icc_profile")))

    def options(self, kind: str, size: tuple[int, int]) -> dict[str, Any]:
        """What Pillow's ``save`` takes for a picture of the format ``kind`` and this size."""
        options: dict[str, Any] = {}
        if self.dpi is not None and kind in ("JPEG", "PNG", "TIFF", "BMP"):
            options["dpi"] = self.dpi
        if self.has_profile and kind != "BMP":
            options["icc_profile"] = srgb_profile()
        if kind in ("BMP", "TIFF"):  # see ``in_tiff``
            return options
        fitting = self._fitting() if kind == "JPEG" else self
        if fitting.exif is not None:
            options["exif"] = _with_size(fitting.exif, size)
        if fitting.xmp is not None and kind == "PNG":
            options["pnginfo"] = PngInfo()
            options["pnginfo"].add_itxt("XML:com.adobe.xmp", fitting.xmp)
        elif fitting.xmp is not None:
            options["xmp"] = fitting.xmp
        return options

    def in_tiff(self, contents: bytes) -> bytes:
        """The compressed TIFF file of one page that ``contents`` is, with EXIF data and XMP.

        Pillow writes directories of EXIF data into uncompressed TIFFs only.
        """
        if self.exif is None and self.xmp is None:
            return contents
        file = io.BytesIO(contents)
        directory = ImageFileDirectory_v2(file.read(8))
        file.seek(directory.next)
        directory.load(file)
        tags = dict(directory)  # reads all of them, and only what was read is written again
        starts, sizes = tags[_STRIPS], tags[_STRIP_SIZES]
        if self.exif is not None:
            exif = Image.Exif()
            exif.load(_with_size(self.exif, (tags[256], tags[257])))
            for tag in exif:
                directory[tag] = exif.get_ifd(tag) if tag in (_EXIF, _GPS) else exif[tag]
        if self.xmp is not None:
            directory[_XMP] = self.xmp
        directory[_STRIPS] = tuple(
            start - min(starts) for start in starts
        )  # from the directory's end
        made = io.BytesIO()
        directory.save(made)
        made.write(contents[min(starts) : max(map(sum, zip(starts, sizes, strict=True)))])
        return made.getvalue()

    def on_vips(self, vips: Any, image: Any) -> Any:
        """A picture of libvips with all of this; its TIFFs hold no EXIF data."""
        image = image.copy()
        blobs = {
            "exif-data": None
            if self.exif is None
            else _with_size(self.exif, (image.width, image.height)),
            "xmp-data": self.xmp,
            "icc-profile-data": srgb_profile() if self.has_profile else None,
        }
        for name, blob in blobs.items():
            if blob is not None:
                image.set_type(vips.GValue.blob_type, name, blob)
        if self.dpi is not None:  # libvips counts pixels per millimeter
            image = image.copy(xres=self.dpi[0] / 25.4, yres=self.dpi[1] / 25.4)
        return image

    def _fitting(self) -> "Metadata":
        """Without what is too long for a JPEG."""
        exif, xmp = (
            part if part is not None and len(part) < _LONGEST else None
            for part in (self.exif, self.xmp)
        )
        return replace(self, exif=exif, xmp=xmp)


NO_METADATA = Metadata()


def srgb_profile() -> bytes:
    """The color profile of what this package writes."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _exif(image: Image.Image) -> bytes | None:
    try:
        found = image.getexif()
        made, is_empty = Image.Exif(), True
        for tag in _KEPT:
            if tag in found:
                made[tag] = found[tag]
        for part in (_EXIF, _GPS):
            values = dict(found.get_ifd(part))
            for tag in (0x927C, 0xA005, _WIDTH, _HEIGHT):  # the maker's notes, interoperability
                values.pop(tag, None)
            if values and part == _EXIF:
                values[_COLOR_SPACE] = 1  # sRGB
            if values:
                made.get_ifd(part).update(values)
                is_empty = False
        if is_empty and not dict(made):
            return None
        made[_ORIENTATION] = 1
        return made.tobytes()
    except Exception:  # damaged EXIF data raises whatever it likes and must not cost the picture
        return None


def _with_size(exif: bytes, size: tuple[int, int]) -> bytes:
    made = Image.Exif()
    made.load(exif)
    if _EXIF in made:
        details = made.get_ifd(_EXIF)
        details[_WIDTH], details[_HEIGHT] = size
    return made.tobytes()


def _xmp(image: Image.Image) -> bytes | None:
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(found, str):
        found = found.encode()
    if not isinstance(found, bytes) or not found.strip(b"\0 \r\n"):
        return None
    return _TURNED.sub(rb"\g<1>1", _THUMBNAILS.sub(b"", found))


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in image.info.get("dpi", ()))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None
