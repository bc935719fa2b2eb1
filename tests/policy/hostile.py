"""Two hundred files that somebody might send instead of a photo, made here and the same each time."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO

from PIL import Image, ImageCms

TAKEN = ("Made", "Unreadable")
"""The head is fine; what comes of the body is the decoder's affair."""
ANY = (*TAKEN, "NotAPicture", "TooManyPixels", "Moving", "CutOff", "Mixed")
HOW_MANY = 200

Hostile = tuple[str, bytes, tuple[str, ...]]


def hostile_files() -> Iterator[Hostile]:
    """Name, bytes, and what may come of it: an error of `photos.check`, or `Made` or `Unreadable` of `photos.make`."""
    groups = (_whole, _cut, _too_large, _wrong, _mixed, _moving, _lying)
    count = 0
    for group in groups:
        for hostile in group():
            count += 1
            yield hostile
    yield from _fuzzed(HOW_MANY - count)


# Parts ------------------------------------------------------------------------------------------------------------


@cache
def drawn(width: int = 96, height: int = 64) -> Image.Image:
    grain = Image.frombytes("L", (width, height), random.Random(4).randbytes(width * height))
    slope = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (slope, grain, slope.transpose(Image.Transpose.ROTATE_180)))


def saved(kind: str, picture: Image.Image | None = None, **how: object) -> bytes:
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    out = BytesIO()
    (picture or drawn()).save(out, kind, **how)
    return out.getvalue()


@cache
def plain(kind: str) -> bytes:
    return saved(kind)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, before: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segment(marker: int, body: bytes, data: bytes | None = None) -> bytes:
    data = data or plain("JPEG")
    return data[:2] + segment(marker, body) + data[2:]


def resized_head(data: bytes, width: int, height: int) -> bytes:
    """A JPEG whose frame tells another size."""
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(n + struct.pack("<I", len(b)) + b + b"\0" * (len(b) % 2) for n, b in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def vp8x(flags: int, width: int, height: int) -> bytes:
    return bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


def resized_ispe(data: bytes, width: int, height: int) -> bytes:
    """A HEIF or AVIF whose properties tell another size."""
    out, at = bytearray(data), -1
    while (at := data.find(b"ispe", at + 1)) >= 0:
        out[at + 8 : at + 16] = struct.pack(">II", width, height)
    return bytes(out)


def film() -> bytes:
    brand = box(b"ftyp", b"mp42", struct.pack(">I", 0), b"isommp42")
    return brand + box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", bytes(500))


def archive() -> bytes:
    import zipfile

    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(zipfile.ZipInfo("hull.html"), "<p>hull</p>")
    return out.getvalue()


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><rect width="9" height="9"/></svg>'
HTML = b"<!doctype html><html><body><script>alert(1)</script></body></html>"

STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""Orientation → what the camera would have stored, so that turning it as EXIF asks gives the drawn picture back."""


def oriented(picture: Image.Image, orientation: int, kind: str, by: str = "exif") -> bytes:
    """`by`: `exif` alone, or `container` too, which pillow-heif writes where it is handed EXIF as bytes."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = STORED_AS.get(orientation)
    turned = picture.transpose(stored) if stored is not None else picture
    return saved(kind, turned, exif=exif.tobytes() if by == "container" else exif)


# Groups -----------------------------------------------------------------------------------------------------------


def _whole() -> Iterator[Hostile]:
    """Odd, and still pictures."""
    made = ("Made",)
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        yield f"1 x 1 {kind}", saved(kind, Image.new("RGB", (1, 1), "red")), made
    yield "1 x 1 HEIF", saved("HEIF", Image.new("RGB", (1, 1), "red")), TAKEN
    yield "1 x 3000", saved("PNG", Image.new("RGB", (1, 3000))), made
    yield "65,500 wide", saved("PNG", Image.new("L", (65_500, 1))), made
    yield "65,500 wide JPEG", saved("JPEG", Image.new("L", (65_500, 8))), made
    for mode in ("1", "L", "LA", "P", "RGBA", "I;16"):
        yield f"mode {mode}", saved("PNG", Image.new(mode, (40, 30))), made
    yield "CMYK", saved("JPEG", drawn().convert("CMYK")), made
    yield "grey JPEG", saved("JPEG", drawn().convert("L")), made
    yield "grey and alpha WebP", saved("WEBP", drawn().convert("RGBA"), lossless=True), made
    row = b"\0" + random.Random(5).randbytes(40 * 6)
    yield "16 bit RGB", png(40, 30, 16, 2, row * 30), made
    yield "16 bit RGBA", png(40, 30, 16, 6, (b"\0" + row[1:] + bytes(80)) * 30), made
    yield "progressive", saved("JPEG", progressive=True), made
    yield "one frame of APNG", png(4, 4, 8, 0, bytes(20), chunk(b"acTL", struct.pack(">II", 1, 0))), made
    for orientation in range(1, 9):
        yield f"orientation {orientation} JPEG", oriented(drawn(), orientation, "JPEG"), made
        yield f"orientation {orientation} HEIF", oriented(drawn(), orientation, "HEIF", "container"), made
    for orientation in (0, 9, 65_535):
        yield f"orientation {orientation}", oriented(drawn(), orientation, "JPEG"), made
    tiff = b"Exif\0\0II*\0\x08\0\0\0"
    for name, body in (
        ("noise", b"Exif\0\0" + random.Random(6).randbytes(400)),
        ("cut off", tiff),
        ("a circle", tiff + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)),
        ("4 billion values", tiff + struct.pack("<HHHIII", 1, 0x010F, 2, 0xFFFFFFFF, 8, 0)),
        ("65,535 entries", tiff + b"\xff\xff" + bytes(2000)),
    ):
        yield f"EXIF is {name}", with_segment(0xE1, body), made
    for kind in ("JPEG", "PNG", "WEBP"):
        yield f"{kind} with a broken profile", saved(kind, icc_profile=b"acsp" * 99), made
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # The day on which it was made, and then a hole.
    profile[24:36], profile[200:400] = bytes(12), bytes(200)
    yield "a profile with a hole", saved("JPEG", icc_profile=bytes(profile)), made
    yield "a film behind it, as Google does", plain("JPEG") + film(), made
    yield (
        "a film behind it, as Samsung does",
        plain("JPEG") + b"\0\0\x30\x0aMotionPhoto_Data" + film() + b"SEFT",
        made,
    )
    yield "a film behind a HEIC", plain("HEIF") + box(b"mpvd", film()), made
    yield "two in one, as for 3D", plain("JPEG") + plain("JPEG"), made
    yield "padded with zeros", plain("JPEG") + bytes(5000), made
    yield (
        "XMP that speaks of pages",
        with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><svg /></x:xmpmeta>"),
        made,
    )


def _cut() -> Iterator[Hostile]:
    wholes = {kind: plain(kind) for kind in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")}
    wholes["progressive JPEG"] = saved("JPEG", progressive=True)
    for kind, data in wholes.items():
        for share in (0.05, 0.3, 0.6, 0.9, 0.999):
            yield f"{kind} cut at {share}", data[: max(14, int(len(data) * share))], ("CutOff",)


def _too_large() -> Iterator[Hostile]:
    too_many = ("TooManyPixels",)
    for width, height in ((60_000, 60_000), (9_000, 9_000), (65_535, 1), (1, 65_501), (2**31 - 1, 2**31 - 1)):
        yield f"PNG bomb {width} x {height}", png(width, height, 8, 2, bytes(9999)), too_many
    for width, height in ((65_535, 65_535), (10_000, 9_000), (65_535, 1)):
        yield f"JPEG bomb {width} x {height}", resized_head(plain("JPEG"), width, height), too_many
    yield "progressive bomb", resized_head(saved("JPEG", progressive=True), 30_000, 30_000), too_many
    for kind in ("HEIF", "AVIF"):
        for width, height in ((11_880, 11_880), (2**31, 2**31), (65_535, 8)):
            yield f"{kind} bomb {width} x {height}", resized_ispe(plain(kind), width, height), too_many
    yield "WebP canvas", riff((b"VP8X", vp8x(0, 2**24, 2**24)), (b"VP8 ", plain("WEBP")[20:])), too_many
    yield "lossless WebP bomb", riff((b"VP8L", b"\x2f" + struct.pack("<I", 0x0FFFFFFF) + bytes(50))), too_many
    yield "WebP bomb", riff((b"VP8 ", b"\0\0\0\x9d\x01\x2a" + b"\xff\x3f\xff\x3f" + bytes(50))), too_many
    grid = box(b"idat", b"\0\1\xff\xff" + struct.pack(">II", 40_000, 40_000))
    yield "a grid larger than it tells", _heif_of_a_grid(grid), too_many


def _heif_of_a_grid(idat: bytes) -> bytes:
    full = bytes(4)
    meta = box(
        b"meta",
        full,
        box(b"hdlr", full, bytes(4), b"pict", bytes(13)),
        box(b"pitm", full, b"\0\1"),
        box(b"iinf", full, b"\0\1", box(b"infe", b"\2\0\0\0", b"\0\1", b"\0\0", b"grid", b"\0")),
        box(b"iprp", box(b"ipco", box(b"ispe", full, struct.pack(">II", 64, 64)))),
        box(b"iloc", b"\1\0\0\0", b"\x44\0", b"\0\1", struct.pack(">HHHHII", 1, 1, 0, 1, 0, len(idat) - 8)),
        idat,
    )
    return box(b"ftyp", b"heic", bytes(4), b"mif1heic") + meta


def _wrong() -> Iterator[Hostile]:
    no = ("NotAPicture",)
    grain = random.Random(7)
    files = {
        "nothing": b"",
        "one byte": b"\xff",
        "GIF": saved("GIF"),
        "animated GIF": saved("GIF", save_all=True, append_images=[drawn().convert("L")]),
        "BMP": saved("BMP"),
        "TIFF": saved("TIFF"),
        "icon": saved("ICO"),
        "SVG": SVG,
        "SVG with a head": b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- hull -->\n' + SVG,
        "SVG in UTF-16": SVG.decode().encode("utf-16"),
        "PDF": PDF,
        "page": HTML,
        "archive": archive(),
        "film": film(),
        "film of a phone": box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + box(b"moov", bytes(20)),
        "WebM": b"\x1aE\xdf\xa3" + bytes(60),
        "AVI": b"RIFF\x40\0\0\0AVI LIST" + bytes(60),
        "sound": b"RIFF\x40\0\0\0WAVEfmt " + bytes(60),
        "program": b"MZ\x90\0" + bytes(60),
        "script": b"#!/bin/sh\nexit 0\n",
        "text": b"Hull i vegen ved Skage.",
        "JPEG XL": b"\xff\x0a" + bytes(60),
        "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
        "raw": box(b"ftyp", b"crx ", bytes(4), b"crx isom") + bytes(60),
        "a HEIC without a picture": box(b"ftyp", b"heic", bytes(4), b"mif1heic")
        + box(b"meta", bytes(4), box(b"hdlr", bytes(8), b"mdta", bytes(13))),
    }
    for name, data in files.items():
        yield name, data, no
    for number in range(4):
        yield f"noise {number}", bytes([65 + number]) + grain.randbytes(1000 * number + 3), no


def _mixed() -> Iterator[Hostile]:
    mixed = ("Mixed",)
    jpeg = plain("JPEG")
    yield "JPEG with a PDF in its comment", with_segment(0xFE, PDF), mixed
    yield "PNG with a PDF in its text", png(4, 4, 8, 0, bytes(20), chunk(b"tEXt", b"a\0" + PDF)), mixed
    yield "JPEG and PDF", jpeg + PDF, mixed
    for kind in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF"):
        yield f"{kind} and archive", plain(kind) + archive(), mixed
    for name, body in (
        ("page", HTML),
        ("script", b"--><script>alert(1)</script>"),
        ("PHP", b"<?php system($_GET[0]); ?>"),
        ("SVG", SVG),
    ):
        yield f"JPEG with a {name} in its comment", with_segment(0xFE, body), mixed
        yield f"{name} behind a JPEG", jpeg + body, mixed
    yield (
        "a page far behind the head",
        with_segment(0xE1, b"Exif\0\0" + bytes(9000), with_segment(0xFE, HTML)),
        mixed,
    )
    yield (
        "PNG with PHP in its text",
        png(4, 4, 8, 0, bytes(20), chunk(b"tEXt", b"a\0<?php phpinfo();")),
        mixed,
    )
    yield "JPEG that is a script", jpeg[:2] + b"\xff\xe0/*" + bytes(0x2F28) + jpeg[20:], mixed
    yield "program behind a JPEG", jpeg + b"\x7fELF" + bytes(80), mixed


def _moving() -> Iterator[Hostile]:
    moving = ("Moving",)
    second = drawn().transpose(Image.Transpose.ROTATE_180)
    for kind in ("WEBP", "PNG", "AVIF"):
        data = bytearray(saved(kind, save_all=True, append_images=[second], duration=99))
        for name in (b"mvhd", b"tkhd", b"mdhd"):
            # An AVIF tells when it was made.
            if (at := data.find(name)) >= 0:
                data[at + 8 : at + 24] = bytes(16)
        yield f"animated {kind}", bytes(data), moving
    frame = (b"ANMF", bytes(16) + b"VP8 " + plain("WEBP")[16:])
    yield "WebP that moves and does not say so", riff((b"VP8X", vp8x(0, 96, 64)), frame), moving
    sequence = box(b"ftyp", b"msf1", bytes(4), b"msf1hevc") + box(b"moov", box(b"mvhd", bytes(100)))
    yield "HEIF sequence", sequence + box(b"mdat", bytes(99)), moving
    yield "HEIF with a track", plain("HEIF") + box(b"moov", box(b"mvhd", bytes(100))), moving


def _lying() -> Iterator[Hostile]:
    """Heads that pass, before bodies that do not fit them."""
    jpeg = saved("JPEG", drawn(600, 400))
    yield "small frame, large body", resized_head(jpeg, 16, 16), TAKEN
    yield "large frame, small body", resized_head(plain("JPEG"), 8900, 8900), TAKEN
    yield "no rows", resized_head(jpeg, 600, 0), ("CutOff",)
    frame = jpeg.find(b"\xff\xc0")
    yield "two frames", jpeg[:frame] + jpeg[frame : frame + 19] + jpeg[frame:], TAKEN
    yield "twelve bits", jpeg[: frame + 4] + b"\x0c" + jpeg[frame + 5 :], TAKEN
    yield "no tables", jpeg[:2] + jpeg[frame:], TAKEN
    yield (
        "nothing but a head",
        jpeg[: jpeg.find(b"\xff\xda")] + b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0\xff\xd9",
        TAKEN,
    )
    yield "PNG with too few rows", png(5000, 5000, 8, 2, bytes(999)), TAKEN
    yield "PNG of 79 million pixels in 80 kB", png(8900, 8900, 8, 0, bytes(8901 * 8900)), TAKEN
    yield "PNG with a wrong sum", plain("PNG")[:29] + b"\0\0\0\0" + plain("PNG")[33:], TAKEN
    yield "PNG whose rows are noise", plain("PNG").replace(b"IDATx", b"IDAT\0", 1), TAKEN
    profile = b"a\0\0" + zlib.compress(bytes(80_000_000), 1)
    yield "a profile that swells", png(4, 4, 8, 2, bytes(52), chunk(b"iCCP", profile)), TAKEN
    yield "a text that swells", png(4, 4, 8, 2, bytes(52), chunk(b"zTXt", profile)), TAKEN
    yield "a palette that is none", png(9, 9, 8, 3, bytes(90)), TAKEN
    yield (
        "WebP with another canvas",
        riff((b"VP8X", vp8x(0, 9000, 8000)), (b"VP8 ", plain("WEBP")[20:])),
        TAKEN,
    )
    yield (
        "WebP with a broken EXIF",
        riff((b"VP8X", vp8x(8, 96, 64)), (b"VP8 ", plain("WEBP")[20:]), (b"EXIF", b"II*\0")),
        TAKEN,
    )
    large = saved("HEIF", drawn(900, 700))
    yield "HEIC that tells less", resized_ispe(large, 64, 64), TAKEN
    yield "HEIC that tells more", resized_ispe(plain("HEIF"), 8900, 8900), TAKEN
    yield "AVIF that tells more", resized_ispe(plain("AVIF"), 8900, 8900), TAKEN
    yield "grid without tiles", _heif_of_a_grid(box(b"idat", b"\0\1\0\0" + struct.pack(">II", 64, 64))), TAKEN


def _fuzzed(count: int) -> Iterator[Hostile]:
    """Bytes changed, left out and doubled, anywhere."""
    chance = random.Random(8)
    kinds = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")
    for number in range(count):
        kind = kinds[number % len(kinds)]
        data = bytearray(plain(kind))
        for _ in range(chance.choice((1, 3, 30))):
            at = chance.randrange(len(data))
            how = chance.randrange(4)
            if how < 2:
                data[at] = chance.randrange(256)
            elif how == 2:
                del data[at : at + chance.randrange(1, 20)]
            else:
                data[at:at] = data[at : at + chance.randrange(1, 200)]
        yield f"fuzzed {kind} {number}", bytes(data), ANY
