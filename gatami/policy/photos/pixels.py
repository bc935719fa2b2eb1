"""From the bytes of a picture to bare pixels, and from pixels to the files that are shown.

`decode` runs only in the child process of `process`, since decoders break on what strangers send. The libraries are
loaded by `load`, so that whoever asks for SIZES alone gets none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from . import heads

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Rgb = NDArray[numpy.uint8]

SIZES = {"small": 480, "medium": 960, "large": 1600}
"""Name of a public size → its longest side in pixels; nothing is enlarged."""
FORMATS = {"webp": "image/webp", "jpg": "image/jpeg"}
"""Format of a public file → its media type; every browser of the last years reads the first, every browser the second."""

_WEBP = {"Q": 78, "effort": 1, "keep": "none"}
"""More effort costs up to 0.2 s a picture and saves about 3 %."""
_JPEG = {"Q": 80, "interlace": True, "optimize_coding": True, "keep": "none"}
_JPEG_PARTS = frozenset({0xC0, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xE0})
"""Frame, tables, restart interval and scan; E0 is JFIF's own, which holds the density that every file has."""
_ORIENTATION = 0x0112
_LOADERS = ("Jpeg", "Png", "Webp", "Heif")


class Unreadable(Exception):
    """Decoding failed, or cost more time or memory than a picture may. It tells why, and quotes nothing of the picture."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """One public file: a name of SIZES, a name of FORMATS, `width` and `height` in pixels, bytes without metadata."""

    size: str
    format: str
    width: int
    height: int
    data: bytes


def load() -> None:
    """Load the decoders, and forbid libvips every loader but the few that are needed. It starts no thread."""
    import PIL.Image  # noqa: F401
    import pillow_heif
    import pyvips

    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in _LOADERS:
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", False)
    pyvips.cache_set_max(0)
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False


def decode(data: bytes, longest: int) -> Rgb:
    """The picture as H x W x 3, upright, in sRGB, on white, neither side longer than `longest`.

    Raises Unreadable, and whatever a decoder raises; the caller makes Unreadable of that too.
    """
    import pyvips

    kind = heads.check(data)
    most = {"height": longest, "size": "down"}
    if kind == "HEIF":
        picture, exif = _heif(data)
        shrink = partial(_turned(picture, exif, data).thumbnail_image, longest, **most)
    else:
        picture = pyvips.Image.new_from_buffer(data, "", access="sequential")
        _refuse_more_than_told(picture.width, picture.height)
        shrink = partial(pyvips.Image.thumbnail_buffer, data, longest, **most, fail_on="truncated")
        if kind == "AVIF" and "exif-data" in picture.get_fields():
            whole = pyvips.Image.new_from_buffer(data, "", fail_on="truncated")
            shrink = partial(_turned(whole, picture.get("exif-data"), data).thumbnail_image, longest, **most)
    return _bare(_in_srgb(shrink, picture))


def _refuse_more_than_told(width: int, height: int) -> None:
    if width * height > heads.PIXELS:
        raise Unreadable("the decoder sees more pixels than the head tells")


def _in_srgb(shrink: Callable[..., Any], picture: Any) -> Any:
    """The shrunk picture in memory. A broken profile changes some colours; the picture is still worth showing."""
    import pyvips

    if "icc-profile-data" in picture.get_fields():
        try:
            return shrink(export_profile="srgb").copy_memory()
        except pyvips.Error:
            pass  # Once more, without the profile: what is broken beside it is told then.
    # To name a profile here too would change nothing, and take half a second.
    return shrink().copy_memory()


def _heif(data: bytes) -> tuple[Any, bytes]:
    """The picture, turned as the container says, and its EXIF. The libvips of the wheels has no decoder for HEVC."""
    import numpy
    import pillow_heif
    import pyvips

    opened = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    _refuse_more_than_told(*opened.size)
    space = "srgb" if "RGB" in opened.mode else "b-w"
    picture = pyvips.Image.new_from_array(numpy.asarray(opened), interpretation=space)
    if profile := opened.info.get("icc_profile"):
        picture = picture.copy()
        picture.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return picture, opened.info.get("exif") or b""


def _turned(picture: Any, exif: bytes, data: bytes) -> Any:
    """In HEIF and AVIF the container turns (ISO/IEC 23008-12, 6.5.10); EXIF counts where that says nothing.

    Programs that make HEIC of other pictures often copy EXIF alone.
    """
    import PIL.Image
    import pyvips

    told = PIL.Image.Exif()
    orientation = None
    if not heads.turns(data):
        # Broken EXIF raises nearly anything, and is no reason to lose the picture.
        with suppress(Exception):
            told.load(exif)
            orientation = told.get(_ORIENTATION)
    turned = picture.copy()
    for field in ("exif-data", "orientation"):
        turned.remove(field)
    if orientation in range(2, 9):
        turned.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return turned


def _bare(picture: Any) -> Rgb:
    picture = picture.colourspace("srgb")
    if picture.hasalpha():
        picture = picture.flatten(background=[255, 255, 255])
    rgb: Rgb = picture.cast("uchar").numpy()
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise Unreadable("it holds no picture in three colours")
    return rgb


def encode(rgb: Rgb) -> list[Rendition]:
    """The public files of H x W x 3 pixels: each of SIZES in each of FORMATS, in the order of these.

    There is no metadata that could be left: the files are made of nothing but the pixels, and looked at once more.
    """
    import pyvips

    made: list[Rendition] = []
    picture = pyvips.Image.new_from_array(rgb, interpretation="srgb")
    for size, longest in reversed(SIZES.items()):
        if max(picture.width, picture.height) > longest:
            picture = picture.thumbnail_image(longest, height=longest, size="down").copy_memory()
        for name, data in (
            ("jpg", picture.jpegsave_buffer(**_JPEG)),
            ("webp", picture.webpsave_buffer(**_WEBP)),
        ):
            if not is_bare(data):
                raise Unreadable("the encoder added more than pixels")
            made.append(Rendition(size, name, picture.width, picture.height, data))
    made.reverse()
    return made


def plain(rgb: Rgb) -> bytes:
    """The picture as a bare JPEG in its largest size."""
    import pyvips

    data: bytes = pyvips.Image.new_from_array(rgb, interpretation="srgb").jpegsave_buffer(**_JPEG)
    if not is_bare(data):
        raise Unreadable("the encoder added more than pixels")
    return data


def is_bare(data: bytes) -> bool:
    """Whether a JPEG or WebP holds what its pixels need and nothing else: no EXIF, XMP, profile, comment or second picture."""
    if heads.kind(data) == "WEBP":
        length = int.from_bytes(data[16:20], "little")
        return data[12:16] == b"VP8 " and 20 + length + length % 2 == len(data)
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1] in _JPEG_PARTS:
        if data[at + 1] == 0xDA:
            return data.find(b"\xff\xd9", at) == len(data) - 2
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False
