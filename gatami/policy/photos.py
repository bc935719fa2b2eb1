"""Pictures that strangers send: which are taken, and how they become safe to show.

`check` looks at the head of a file and nothing more. `render` decodes it in a process of its own, bounded in time
and memory, so that a picture made to break a decoder costs that one picture. This file is also the program of that
process, and therefore imports Pillow late and nothing of this project.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

SIZES = {"small": 480, "medium": 960, "large": 1600}
"""Name of a public size → its longest side in pixels."""
FORMATS = {"webp": "image/webp", "jpg": "image/jpeg"}
"""Ending of a public file → its media type."""
PIXELS = 80_000_000
"""The most that a picture may hold; a phone's largest today is 50 million, with few exceptions."""

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class NotAPicture(Exception):
    """The bytes are no JPEG, PNG, WebP, HEIC or AVIF, whatever the file's name says."""


class TooManyPixels(Exception):
    """More than PIXELS, or no pixel at all."""


class Unreadable(Exception):
    """Decoding failed, or cost more time or memory than a picture may."""


@dataclass(frozen=True, slots=True)
class Box:
    """Something to cover. Shares of the upright picture's width and height."""

    kind: str
    left: float
    top: float
    width: float
    height: float
    confidence: float = 1.0
    rule: str = "person"

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Box:
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class Rendition:
    """One public file without metadata; `width` and `height` in pixels."""

    size: str
    format: str
    width: int
    height: int
    data: bytes

    @property
    def name(self) -> str:
        return f"{self.size}.{self.format}"


@dataclass(frozen=True, slots=True)
class Made:
    boxes: tuple[Box, ...]
    lines: int
    text_share: float
    left: tuple[Box, ...]
    width: int
    height: int
    plain: bytes
    renditions: tuple[Rendition, ...]


def make(data: bytes, *, seconds: int, memory: int, boxes: Any = None, rules: Any = None) -> Made:
    renditions = render(data, seconds, memory, [[b.left, b.top, b.width, b.height] for b in boxes or ()])
    plain, *rest = renditions
    return Made(tuple(boxes or ()), 0, 0.0, (), plain.width, plain.height, plain.data, tuple(rest))


def kind(data: bytes) -> str | None:
    """`JPEG`, `PNG`, `WEBP`, `HEIF` or `AVIF` by the first bytes; None for everything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "AVIF"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "HEIF"
    return None


def check(data: bytes) -> str:
    """The kind of a picture whose head can be read. Raises NotAPicture, TooManyPixels."""
    found = kind(data)
    if found is None:
        raise NotAPicture
    try:
        picture = _open(data, found)
    except Exception as error:
        # A broken head makes decoders raise nearly anything, a bomb's own warning among it.
        if type(error).__name__.startswith("DecompressionBomb"):
            raise TooManyPixels from error
        raise NotAPicture from error
    if not 0 < picture.width * picture.height <= PIXELS:
        raise TooManyPixels
    return found


def render(data: bytes, seconds: int, memory: int, boxes: Any = ()) -> list[Rendition]:
    """The public sizes of a picture: upright, in sRGB, as WebP, with every piece of metadata gone.

    `seconds` of processor time and `memory` in bytes bound the decoding. Raises Unreadable.
    """
    program = [sys.executable, "-I", __file__, str(seconds), str(memory), json.dumps(boxes)]
    try:
        child = subprocess.run(
            program, input=data, capture_output=True, timeout=3 * seconds, env={}, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable("took too long") from error
    if child.returncode != 0:
        raise Unreadable(child.stderr.decode(errors="replace")[-300:].strip().rpartition("\n")[2] or "killed")
    head, _, body = child.stdout.partition(b"\n")
    renditions = []
    for size, format_, width, height, length in json.loads(head):
        renditions.append(Rendition(size, format_, width, height, body[:length]))
        body = body[length:]
    return renditions


def _open(data: bytes, found: str) -> Image:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = PIXELS
    if found == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
    return Image.open(BytesIO(data), formats=(found,))


def _upright(picture: Image) -> Image:
    """The picture turned as its metadata asks, in sRGB, pasted into a new one that never held metadata."""
    from PIL import Image, ImageCms, ImageOps

    profile = picture.info.get("icc_profile")
    picture = ImageOps.exif_transpose(picture) or picture
    if picture.mode == "I;16":
        picture = picture.point(lambda value: value / 256).convert("L")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            picture = ImageCms.profileToProfile(picture, source, target, outputMode="RGB") or picture
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # A broken profile changes some colours; the picture is still worth showing.
    clean = Image.new("RGB", picture.size, "white")
    layered = picture.convert("RGBA") if "A" in picture.mode or "transparency" in picture.info else None
    clean.paste(layered or picture.convert("RGB"), (0, 0), layered)
    return clean


def _render_here(data: bytes, boxes: Any) -> tuple[list[Any], bytes]:
    from PIL import Image

    found = check(data)
    picture = _open(data, found)
    longest = max(SIZES.values())
    picture.draft("RGB", (longest, longest))
    picture.load()
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture = _upright(picture)
    head, body = [], b""

    def add(name: str, ending: str, image: Any) -> None:
        nonlocal body
        out = BytesIO()
        image.save(out, {"jpg": "JPEG"}.get(ending, "WEBP"), quality=78)
        head.append((name, ending, image.width, image.height, out.tell()))
        body += out.getvalue()

    add("plain", "webp", picture)
    for left, top, width, height in boxes:
        box = (
            left * picture.width,
            top * picture.height,
            (left + width) * picture.width,
            (top + height) * picture.height,
        )
        picture.paste((90, 90, 90), tuple(int(v) for v in box))  # type: ignore[arg-type]
    for size, side in SIZES.items():
        smaller = picture.copy()
        smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
        for ending in FORMATS:
            add(size, ending, smaller)
    return head, body


def _main() -> None:
    import resource

    seconds, memory = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    head, body = _render_here(sys.stdin.buffer.read(), json.loads(sys.argv[3]))
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)


if __name__ == "__main__":
    _main()
