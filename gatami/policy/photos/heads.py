"""Which files are taken as pictures, told from their bytes alone: no decoder is loaded, and no pixel is decoded.

The web process runs this on whatever strangers send. Every loop is bounded, and whatever the bytes are, `check` answers or
raises `Refused`. Formats as in ITU-T T.81 (JPEG), the PNG specification, RFC 9649 (WebP) and ISO/IEC 23008-12 (HEIF, AVIF).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

PIXELS = 80_000_000
"""The most that a picture may hold; a phone's largest today is 50 million, with few exceptions."""
SIDE = 65_500
"""The longest side: JPEG's own decoder takes no more."""


class Refused(Exception):
    """A file that is not taken, by its head."""


class NotAPicture(Refused):
    """No JPEG, PNG, WebP, HEIC or AVIF, whatever the file's name says.

    `found`: what it is instead: `empty gif svg pdf tiff bmp ico psd raw jp2 jxl heif video audio zip html office program`;
    None where nobody knows. `heif`: the container of HEIC without a picture in it.
    """

    def __init__(self, found: str | None = None) -> None:
        super().__init__(found or "")
        self.found = found


class TooManyPixels(Refused):
    """More than PIXELS, or a side longer than SIDE; `width` and `height` as the head tells them."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(f"{width} x {height}")
        self.width, self.height = width, height


class Moving(Refused):
    """More than one frame: an animated PNG or WebP, a sequence in HEIF or AVIF."""


class CutOff(Refused):
    """It begins as a picture, and its end is missing, or its parts do not fit together."""


class Mixed(Refused):
    """A picture and something else at once: `found` is `pdf`, `zip`, `html`, `program` …, as in NotAPicture."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


def kind(data: bytes) -> str | None:
    """`JPEG`, `PNG`, `WEBP`, `HEIF` or `AVIF` by the first bytes; None for everything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(_PNG):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        brand, others = data[8:12], _other_brands(data)
        if brand in _AVIF or (brand in _ANY_CODEC and others & _AVIF):
            return "AVIF"
        if brand in _HEIC or brand in _ANY_CODEC:
            return "HEIF"
    return None


def check(data: bytes) -> str:
    """The kind of a picture, `JPEG PNG WEBP HEIF AVIF`. Raises a kind of Refused for all other bytes."""
    found = kind(data)
    if found is None:
        raise NotAPicture(sniff(data))
    _refuse_a_page(data[:_WINDOW])
    # XMP is the last part of many files, and its beginning may lie before the window.
    _refuse_a_page(data[max(_WINDOW, len(data) - _WINDOW) :].rpartition(b"</x:xmpmeta>")[2])
    if b"%PDF-" in data[:1024]:
        raise Mixed("pdf")
    _refuse_an_archive(data)
    try:
        sizes, end = _WALKS[found](data)
    except (struct.error, IndexError) as error:
        raise CutOff from error
    for width, height in sizes:
        if width * height > PIXELS or max(width, height) > SIDE:
            raise TooManyPixels(width, height)
        if not width or not height:
            raise CutOff
    behind = sniff(data[end : end + _WINDOW])
    if behind in _FOREIGN:
        raise Mixed(behind)
    return found


def turns(data: bytes) -> bool:
    """Whether the container of a HEIF or AVIF that `check` has taken says how to turn or mirror the picture."""
    meta = next(
        (body, stop) for name, body, stop in _boxes(data, 0, len(data), outermost=True) if name == b"meta"
    )
    return any(name in (b"irot", b"imir") for name, _at in _properties(data, meta[0] + 4, meta[1]))


# What else a file may be -----------------------------------------------------------------------------------------

_WINDOW = 4096
"""Bytes in which browsers and servers look for a page or a script."""
_FOREIGN = frozenset({"pdf", "zip", "html", "svg", "program", "office"})

_PAGE = re.compile(
    rb"<(?:script|html|body|iframe|svg)[\s>/]|<!doctype\s+(?:html|svg)|<\?php\s|<%@\s{0,4}(?:page|language)\b",
    re.IGNORECASE,
)
_XMP = re.compile(rb"<x:xmpmeta.*?(?:</x:xmpmeta>|\Z)", re.DOTALL)

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "gif"),
    (b"%PDF-", "pdf"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\1\0", "ico"),
    (b"8BPS", "psd"),
    (b"FUJIFILMCCD-RAW", "raw"),
    (b"\xff\x0a", "jxl"),
    (b"\0\0\0\x0cJXL ", "jxl"),
    (b"\0\0\0\x0cjP  ", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"FLV\x01", "video"),
    (b"\0\0\1\xba", "video"),
    (b"\0\0\1\xb3", "video"),
    (b"OggS", "audio"),
    (b"ID3", "audio"),
    (b"fLaC", "audio"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"Rar!\x1a\x07", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "zip"),
    (b"\x1f\x8b\x08", "zip"),
    (b"\xfd7zXZ\0", "zip"),
    (b"BZh", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (b"{\\rtf", "office"),
    (b"\x7fELF", "program"),
    (b"MZ\x90\0", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"#!/", "program"),
    (b"<?php", "program"),
)
_OF_BRAND = {b"jxl ": "jxl", b"crx ": "raw", b"M4A ": "audio", b"M4B ": "audio", b"jp2 ": "jp2"}


def sniff(data: bytes) -> str | None:
    """What bytes that are no picture of ours most likely are; the names are told at NotAPicture."""
    if not data:
        return "empty"
    for beginning, name in _BEGINNINGS:
        if data.startswith(beginning):
            return name
    if data[:2] == b"BM" and data[6:10] == b"\0\0\0\0":
        return "bmp"
    if data[:4] == b"RIFF":
        return {b"AVI ": "video", b"WAVE": "audio"}.get(data[8:12])
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return _OF_BRAND.get(data[8:12], "video")
    # UTF-16 has a zero byte beside each letter of a tag.
    text = data[:_WINDOW].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if text.startswith(b"<"):
        if b"<svg" in text:
            return "svg"
        if _PAGE.search(text):
            return "html"
    return None


def _refuse_a_page(window: bytes) -> None:
    """XMP, which is XML and may speak of anything, is left out; nothing that is shown keeps it."""
    match = _PAGE.search(window)
    if match and (match := _PAGE.search(_XMP.sub(b"", window))):
        raise Mixed("program" if match[0].startswith((b"<?", b"<%")) else "html")
    # The length of the first segment as the start of a comment: the same bytes are then a script.
    if window.startswith(b"\xff\xd8\xff\xe0/*"):
        raise Mixed("program")


def _refuse_an_archive(data: bytes) -> None:
    """ZIP is read from its end: the end of the central directory, and the directory where that says (APPNOTE 4.3.16)."""
    tail = max(0, len(data) - 66_000)
    at = data.rfind(b"PK\x05\x06", tail)
    for _ in range(16):
        if at < 0 or at + 22 > len(data):
            return
        entries, size, _offset, comment = struct.unpack_from("<HIIH", data, at + 10)
        directory = at - size
        if directory >= 0 and data[directory : directory + 4] == b"PK\x01\x02":
            raise Mixed("zip")
        if at + 22 + comment == len(data) and (entries or not size):
            raise Mixed("zip")
        at = data.rfind(b"PK\x05\x06", tail, at)


# The four containers: each walk gives every size that the head tells, and where the picture ends --------------------

_Walk = tuple[list[tuple[int, int]], int]
_PNG = b"\x89PNG\r\n\x1a\n"
_SEGMENTS = 2000
"""Parts before the pixels; a JPEG with 25 MB of metadata has 400."""


def _end(data: bytes, start: int, mark: bytes) -> int:
    """The place behind the mark. Nearly every file ends with it; to look through 25 MB takes 50 ms."""
    if data.endswith(mark) and len(data) - len(mark) >= start:
        return len(data)
    found = data.find(mark, start)
    if found < 0:
        raise CutOff
    return found + len(mark)


def _jpeg(data: bytes) -> _Walk:
    at = 2
    sizes: list[tuple[int, int]] = []
    for _ in range(_SEGMENTS):
        if data[at] != 0xFF:
            raise CutOff
        while data[at] == 0xFF:
            at += 1
            if at > len(data) - 2 or data[at - 1 : at + 63] == b"\xff" * 64:
                raise CutOff
        marker = data[at]
        at += 1
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or marker in (0x00, 0xD8, 0xD9):
            raise CutOff
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 3)
            sizes.append((width, height))
        elif marker == 0xFE:
            _refuse_a_page(data[at + 2 : at + min(length, _WINDOW)])
        elif marker == 0xDA:
            break
        at += length
    else:
        raise CutOff
    # Within the pixels a byte FF is followed by 00 or a restart marker, so the first such pair is the picture's end. What
    # phones append behind it (a film of the moment, a second picture for brightness, padding) is no fault.
    end = _end(data, at, b"\xff\xd9")
    if not sizes:
        raise CutOff
    return sizes, end


def _png(data: bytes) -> _Walk:
    at = len(_PNG)
    sizes: list[tuple[int, int]] = []
    for _ in range(_SEGMENTS):
        length, name = struct.unpack_from(">I4s", data, at)
        if not sizes and (name != b"IHDR" or length != 13):
            raise CutOff
        if name == b"IHDR":
            sizes.append(struct.unpack_from(">II", data, at + 8))
        elif name == b"acTL" and struct.unpack_from(">I", data, at + 8) > (1,):
            raise Moving
        elif name in (b"tEXt", b"iTXt"):
            _refuse_a_page(data[at + 8 : at + 8 + min(length, _WINDOW)])
        elif name == b"IDAT":
            break
        at += 12 + length
    return sizes, _end(data, at, b"IEND\xae\x42\x60\x82")


def _webp(data: bytes) -> _Walk:
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise CutOff
    at, whole = 12, False
    sizes: list[tuple[int, int]] = []
    for _ in range(_SEGMENTS):
        if at + 8 > end:
            break
        name, length = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if body + length > end:
            raise CutOff
        if name in (b"ANIM", b"ANMF") or (name == b"VP8X" and data[body] & 0x02):
            raise Moving
        if name == b"VP8X":
            wide, high = (int.from_bytes(data[i : i + 3], "little") + 1 for i in (body + 4, body + 7))
            sizes.append((wide, high))
        elif name == b"VP8 ":
            tag, wide, high = struct.unpack_from("<3x3sHH", data, body)
            if tag != b"\x9d\x01\x2a":
                raise CutOff
            sizes.append((wide & 0x3FFF, high & 0x3FFF))
            whole = True
        elif name == b"VP8L":
            sign, bits = struct.unpack_from("<BI", data, body)
            if sign != 0x2F:
                raise CutOff
            sizes.append(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
            whole = True
        at = body + length + length % 2
    if not whole:
        raise CutOff
    return sizes, end


# HEIF and AVIF: boxes in boxes --------------------------------------------------------------------------------------

_HEIC = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"})
_AVIF = frozenset({b"avif", b"avis"})
_ANY_CODEC = frozenset({b"mif1", b"mif2", b"msf1", b"miaf"})
_BOXES = 4096
"""Boxes, items and extents in one place; 80 million pixels in tiles of 256 x 256 are 1,221 items."""


def _other_brands(data: bytes) -> frozenset[bytes]:
    size = min(int.from_bytes(data[:4], "big"), 256)
    return frozenset(data[i : i + 4] for i in range(16, size - 3, 4))


def _boxes(data: bytes, start: int, end: int, outermost: bool = False) -> Iterator[tuple[bytes, int, int]]:
    """Type, begin and end of the content of each box. Whatever does not fit ends the outermost, and is CutOff inside."""
    for _ in range(_BOXES):
        if start + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = end if size == 0 else start + size
        if stop < body or stop > end:
            if outermost:
                return
            raise CutOff
        yield name, body, stop
        start = stop


def _heif(data: bytes) -> _Walk:
    found: list[tuple[int, int]] = []
    end = len(data)
    for number, (name, start, stop) in enumerate(_boxes(data, 0, len(data), outermost=True)):
        if name == b"ftyp" and number:
            # The film that some phones append to the picture.
            break
        if name == b"moov":
            raise Moving
        if name == b"meta":
            found.append((start, stop))
        if name in (b"meta", b"mdat"):
            end = stop
    if len(found) != 1:
        raise CutOff
    return _meta(data, *found[0]), end


def _meta(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    inside = {name: (body, stop) for name, body, stop in _boxes(data, start + 4, end)}
    if not {b"hdlr", b"pitm", b"iprp", b"iloc"} <= inside.keys():
        raise NotAPicture("heif")
    handler = inside[b"hdlr"][0] + 8
    if data[handler : handler + 4] != b"pict":
        raise NotAPicture("heif")
    sizes = [
        struct.unpack_from(">II", data, at + 4)
        for name, at in _properties(data, start + 4, end)
        if name == b"ispe"
    ]
    if not sizes:
        raise NotAPicture("heif")
    places = _places(data, *inside[b"iloc"], inside.get(b"idat", (0, 0)))
    for item, what in _items(data, *inside.get(b"iinf", (0, 0))):
        if what in (b"grid", b"iovl") and item in places:
            sizes.append(_canvas(data, places[item], what))
    return sizes


def _properties(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    for name, body, stop in _boxes(data, start, end):
        if name == b"iprp":
            for inner, first, last in _boxes(data, body, stop):
                if inner == b"ipco":
                    yield from ((what, at) for what, at, _stop in _boxes(data, first, last))


def _items(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Number and type of each item (`infe`, versions 2 and 3; the older ones have no type)."""
    if not end:
        return
    start += 6 if data[start] == 0 else 8
    for name, body, _stop in _boxes(data, start, end):
        if name == b"infe" and data[body] in (2, 3):
            yield struct.unpack_from(">H2x4s" if data[body] == 2 else ">I2x4s", data, body + 4)


def _canvas(data: bytes, at: int, what: bytes) -> tuple[int, int]:
    """The size of a picture that is put together from others, as the decoder will take it from the item itself."""
    shape = ">II" if data[at + 1] & 1 else ">HH"
    width, height = struct.unpack_from(shape, data, at + (4 if what == b"grid" else 10))
    return width, height


def _places(data: bytes, start: int, end: int, idat: tuple[int, int]) -> dict[int, int]:
    """Where each item begins. CutOff where one lies outside the file (`iloc`, versions 0 to 2)."""
    version = data[start]
    widths = data[start + 4] >> 4, data[start + 4] & 15, data[start + 5] >> 4, data[start + 5] & 15
    wide_offset, wide_length, wide_base, wide_index = widths
    if version > 2 or not {*widths} <= {0, 4, 8}:
        raise CutOff
    if not version:
        wide_index = 0
    at = start + 6

    def number(size: int) -> int:
        nonlocal at
        at += size
        if at > end:
            raise CutOff
        return int.from_bytes(data[at - size : at], "big")

    id_size = 4 if version == 2 else 2
    places, extents = {}, 0
    for _ in range(number(id_size)):
        item = number(id_size)
        method = number(2) & 15 if version else 0
        elsewhere = number(2)
        base, parts = number(wide_base), number(2)
        extents += 1 + parts
        if elsewhere or extents > 2 * _BOXES:
            raise CutOff
        for part in range(parts):
            number(wide_index)
            offset, length = base + number(wide_offset), number(wide_length)
            if method == 2:
                continue
            first, last = idat if method == 1 else (0, len(data))
            if first + offset + length > last:
                raise CutOff
            if part == 0:
                places[item] = first + offset
    return places


_WALKS: dict[str, Callable[[bytes], _Walk]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "HEIF": _heif,
    "AVIF": _heif,
}
