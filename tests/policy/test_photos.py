import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from gatami.policy import photos
from tests import factories

LIMITS = (10, 2 * 1024**3)


def heif(size=(320, 200)):
    import pillow_heif

    pillow_heif.register_heif_opener()
    return factories.picture("HEIF", size)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_pictures_are_known_by_their_content(kind):
    assert photos.check(factories.picture(kind)) == kind


def test_heic_is_known_and_rendered():
    assert photos.check(heif()) == "HEIF"
    assert [(r.width, r.height) for r in photos.render(heif(), *LIMITS)] == [(320, 200), (320, 200)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hei",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        factories.picture("GIF"),
        factories.picture("BMP"),
        factories.picture("TIFF"),
        b"\x89PNG\r\n\x1a\nrest",
        b"PK\x03\x04",
    ],
)
def test_everything_else_is_no_picture(data):
    with pytest.raises(photos.NotAPicture):
        photos.check(data)


def test_a_bomb_is_refused_by_its_head():
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    with pytest.raises(photos.TooManyPixels):
        photos.check(bomb)


def test_a_broken_picture_is_unreadable_and_nothing_worse():
    whole = factories.picture(size=(1200, 800), quality=95)
    with pytest.raises(photos.Unreadable):
        photos.render(whole[: len(whole) // 3], *LIMITS)


def test_a_picture_that_takes_too_much_memory_is_unreadable():
    with pytest.raises(photos.Unreadable):
        photos.render(factories.picture("PNG", (6000, 6000)), 10, 150 * 1024**2)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright_and_carry_no_metadata(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Kameraet til Kari"
    exif.get_ifd(0x8825)[2] = (64.0, 29.0, 29.0)
    drawn = Image.new("RGB", (400, 200), "white")
    drawn.paste("black", (0, 0, 100, 200))
    # What the camera would have stored, so that turning it as EXIF asks gives the drawn picture back.
    stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    out = BytesIO()
    (drawn.transpose(stored) if stored is not None else drawn).save(out, "JPEG", exif=exif, comment=b"Kari")
    for rendition in photos.render(out.getvalue(), *LIMITS):
        shown = Image.open(BytesIO(rendition.data))
        assert shown.format == "WEBP"
        assert shown.size == (rendition.width, rendition.height) == (400, 200)
        assert shown.getpixel((20, 100))[0] < 60
        assert shown.getpixel((380, 100))[0] > 200
        assert not shown.getexif()
        assert "icc_profile" not in shown.info
        assert b"Kari" not in rendition.data


def test_large_pictures_come_in_two_sizes():
    sizes = {
        r.size: (r.width, r.height) for r in photos.render(factories.picture(size=(4000, 3000)), *LIMITS)
    }
    assert sizes == {"small": (480, 360), "large": (1600, 1200)}


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "1"])
def test_every_colour_mode_is_shown(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    out = BytesIO()
    Image.new(mode, (64, 64)).save(out, kind)
    assert len(photos.render(out.getvalue(), *LIMITS)) == 2
