"""Heads, pixels and public files."""

import json
import struct
import subprocess
import sys
import time
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from gatami.policy import photos
from gatami.policy.photos import heads, pixels
from tests import factories
from tests.policy import hostile

LIMITS = {"seconds": 10, "memory": 512 * 1024**2}


def verdict(data):
    try:
        return photos.check(data)
    except photos.Refused as error:
        return type(error).__name__


# Heads ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_pictures_are_known_by_their_content(kind):
    data = hostile.saved(kind)
    assert photos.kind(data) == photos.check(data) == kind


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "empty"),
        (b"hei", None),
        (hostile.SVG, "svg"),
        (b'<?xml version="1.0"?>' + hostile.SVG, "svg"),
        (hostile.SVG.decode().encode("utf-16"), "svg"),
        (hostile.HTML, "html"),
        (hostile.PDF, "pdf"),
        (factories.picture("GIF"), "gif"),
        (factories.picture("BMP"), "bmp"),
        (factories.picture("TIFF"), "tiff"),
        (hostile.archive(), "zip"),
        (hostile.film(), "video"),
        (b"\x1aE\xdf\xa3" + bytes(40), "video"),
        (hostile.box(b"ftyp", b"crx ", bytes(4)), "raw"),
        (b"\xff\x0a" + bytes(40), "jxl"),
        (b"Hull i vegen", None),
    ],
)
def test_everything_else_is_no_picture_and_the_door_learns_what_it_is(data, found):
    with pytest.raises(photos.NotAPicture) as refused:
        photos.check(data)
    assert refused.value.found == found


def test_a_bomb_is_refused_by_its_head_which_tells_the_size():
    with pytest.raises(photos.TooManyPixels) as refused:
        photos.check(hostile.resized_ispe(hostile.plain("HEIF"), 11_880, 11_880))
    assert (refused.value.width, refused.value.height) == (11_880, 11_880)


def test_the_largest_picture_is_just_taken():
    data = hostile.plain("JPEG")
    assert verdict(hostile.resized_head(data, 10_000, 8_000)) == "JPEG"
    assert verdict(hostile.resized_head(data, 10_000, 8_001)) == "TooManyPixels"
    assert verdict(hostile.resized_head(data, 65_500, 1)) == "JPEG"
    assert verdict(hostile.resized_head(data, 65_501, 1)) == "TooManyPixels"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_no_part_of_a_picture_is_taken_for_the_whole(kind):
    data = hostile.plain(kind)
    taken = [at for at in range(14, len(data)) if verdict(data[:at]) == kind]
    assert taken == []


def test_what_is_mixed_in_is_named():
    for body, found in ((hostile.HTML, "html"), (hostile.PDF, "pdf"), (hostile.archive(), "zip")):
        with pytest.raises(photos.Mixed) as refused:
            photos.check(hostile.plain("JPEG") + body)
        assert refused.value.found == found


_HEADS = [hostile.plain(kind)[:400] for kind in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")]


@given(st.sampled_from(_HEADS), st.integers(0, 400), st.binary(max_size=60), st.integers(0, 400))
@example(b"\xff\xd8\xff", 3, b"", 0)
@example(b"\x89PNG\r\n\x1a\n", 8, b"", 0)
@example(b"\0\0\0\x10ftypheic", 12, b"", 0)
@example(b"RIFF\0\0\0\0WEBP", 12, b"", 0)
def test_whatever_the_bytes_are_check_answers_or_refuses(head, at, body, again):
    assert verdict(head[:at] + body + head[again:])


@given(
    st.binary(max_size=200),
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x10ftypavif", b""]),
)
def test_noise_is_refused(body, beginning):
    assert verdict(beginning + body) in ("NotAPicture", "CutOff", "Mixed", "TooManyPixels", "Moving")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 25_000_000,
        b"\xff\xd8" + b"\xff\xfe\0\2" * 6_000_000,
        b"\xff\xd8\xff" + b"PK\5\6" * 6_000_000,
        hostile.plain("PNG")[:33] + bytes(25_000_000),
        b"\0\0\0\x10ftypheic\0\0\0\0" + b"\0\0\0\x08free" * 3_000_000,
        hostile.plain("JPEG")[:-2] + bytes(25_000_000),
    ],
    ids=["fill", "comments", "archives", "empty chunks", "boxes", "no end"],
)
def test_no_bytes_keep_the_door_busy(data):
    started = time.process_time()
    with pytest.raises(photos.Refused):
        photos.check(data)
    # Measured: at most 30 ms, for looking through 25 MB once.
    assert time.process_time() - started < 0.3


# Pixels -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def decoders():
    pixels.load()


def half_black():
    drawn = Image.new("RGB", (400, 200), "white")
    drawn.paste("black", (0, 0, 100, 200))
    return drawn


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "by"),
    [
        ("JPEG", "exif"),
        ("PNG", "exif"),
        ("WEBP", "exif"),
        ("HEIF", "exif"),
        ("HEIF", "container"),
        ("AVIF", "exif"),
    ],
)
def test_pictures_stand_upright(kind, by, orientation):
    data = hostile.oriented(half_black(), orientation, kind, by)
    if kind == "HEIF" and orientation > 1:
        assert heads.turns(data) == (by == "container")
    rgb = pixels.decode(data, 1600)
    assert rgb.shape == (200, 400, 3)
    assert rgb[100, 20].max() < 60
    assert rgb[100, 380].min() > 200
    assert rgb[20, 20].max() < 60


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_what_the_container_says_is_not_turned_twice_by_exif(kind):
    exif = Image.Exif()
    # Pillow leaves the orientation out of an AVIF's EXIF, so that it is put in under the number beside it.
    exif[0x0112] = exif[0x0113] = 6
    data = hostile.saved(kind, half_black().transpose(Image.Transpose.ROTATE_90), exif=exif.tobytes())
    for order in "<>":
        data = data.replace(
            struct.pack(order + "HHI", 0x0113, 3, 1), struct.pack(order + "HHI", 0x0112, 3, 1)
        )
    assert heads.turns(data)
    said = [struct.pack(order + "HHIH", 0x0112, 3, 1, 6) in data for order in "<>"]
    assert any(said), "EXIF says it too"
    assert pixels.decode(data, 1600).shape == (200, 400, 3)


def test_colour_profiles_become_srgb():
    import numpy
    import pyvips

    red = pyvips.Image.new_from_array(
        numpy.full((8, 8, 3), (250, 60, 50), numpy.uint8), interpretation="srgb"
    )
    data = red.icc_transform("p3", input_profile="srgb").jpegsave_buffer(Q=100)
    assert abs(pixels.decode(data, 1600)[4, 4].astype(int) - (250, 60, 50)).max() <= 6
    stored = Image.open(BytesIO(data)).getpixel((4, 4))
    assert abs(stored[0] - 250) > 8, "the profile makes a difference here"


def test_cmyk_is_shown_in_its_colours():
    out = BytesIO()
    Image.new("CMYK", (32, 32), (0, 255, 255, 0)).save(out, "JPEG")
    red, green, blue = pixels.decode(out.getvalue(), 1600)[16, 16]
    assert red > 180
    assert green < 90
    assert blue < 90


def test_sixteen_bits_become_eight():
    row = b"\0" + struct.pack(">3H", 65_535, 32_768, 0) * 4
    assert list(pixels.decode(hostile.png(4, 4, 16, 2, row * 4), 1600)[2, 2]) == [255, 128, 0]


def test_what_is_transparent_is_white():
    for data in (
        hostile.saved("PNG", Image.new("RGBA", (9, 9), (0, 0, 0, 0))),
        hostile.saved("WEBP", Image.new("RGBA", (9, 9), (0, 0, 0, 0)), lossless=True),
        hostile.saved("PNG", Image.new("LA", (9, 9), (0, 0))),
    ):
        assert pixels.decode(data, 1600).min() == 255


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "1"])
def test_every_colour_mode_is_shown(mode):
    data = hostile.saved("JPEG" if mode == "CMYK" else "PNG", Image.new(mode, (64, 48)))
    assert pixels.decode(data, 1600).shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_a_large_picture_is_shrunk_and_a_small_one_is_not_enlarged(kind):
    assert pixels.decode(hostile.saved(kind, Image.new("RGB", (2000, 1000), "red")), 1600).shape == (
        800,
        1600,
        3,
    )
    assert pixels.decode(hostile.saved(kind, Image.new("RGB", (1000, 2000), "red")), 1600).shape == (
        1600,
        800,
        3,
    )
    assert pixels.decode(hostile.saved(kind, Image.new("RGB", (64, 40), "red")), 1600).shape == (40, 64, 3)


def test_public_files_come_in_three_widths_and_two_formats():
    rgb = pixels.decode(factories.picture(size=(4000, 3000)), 1600)
    made = pixels.encode(rgb)
    assert [(r.size, r.format, r.width, r.height) for r in made] == [
        (size, name, width, height)
        for size, width, height in (("small", 480, 360), ("medium", 960, 720), ("large", 1600, 1200))
        for name in ("webp", "jpg")
    ]
    for rendition in made:
        shown = Image.open(BytesIO(rendition.data))
        assert shown.format == {"webp": "WEBP", "jpg": "JPEG"}[rendition.format]
        assert shown.size == (rendition.width, rendition.height)
        assert rendition.format == "webp" or shown.info["progressive"]


def test_a_small_picture_gives_all_names():
    made = pixels.encode(pixels.decode(factories.picture(size=(320, 200)), 1600))
    assert {(r.width, r.height) for r in made} == {(320, 200)}
    assert len(made) == len(photos.SIZES) * len(photos.FORMATS)


@pytest.mark.parametrize("broken", ["exif", "comment", "icc_profile", "xmp"])
def test_a_file_with_more_than_pixels_is_not_bare(broken):
    picture = Image.new("RGB", (40, 30), "red")
    more = {broken: b"Exif\0\0II*\0\x08\0\0\0\0\0" if broken == "exif" else b"acsp" * 40}
    assert not pixels.is_bare(hostile.saved("JPEG", picture, **more))
    assert pixels.is_bare(hostile.saved("JPEG", picture))
    assert not pixels.is_bare(hostile.saved("JPEG", picture) + b"more")
    assert pixels.is_bare(hostile.saved("WEBP", picture))
    if broken != "comment":
        assert not pixels.is_bare(hostile.saved("WEBP", picture, **more))


# Metadata ----------------------------------------------------------------------------------------------------------

SECRET = "Kari Prøvesen"
HARMLESS = {
    *("SourceFile", "ExifTool:ExifToolVersion"),
    *("File:FileType", "File:FileTypeExtension", "File:MIMEType", "File:ImageWidth", "File:ImageHeight"),
    *("File:EncodingProcess", "File:BitsPerSample", "File:ColorComponents", "File:YCbCrSubSampling"),
    *("JFIF:JFIFVersion", "JFIF:ResolutionUnit", "JFIF:XResolution", "JFIF:YResolution"),
    *("RIFF:ImageWidth", "RIFF:ImageHeight", "RIFF:HorizontalScale", "RIFF:VerticalScale", "RIFF:VP8Version"),
    *("Composite:ImageSize", "Composite:Megapixels"),
}


def telling(kind):
    """A picture full of everything that a camera, a phone or a program leaves in it."""
    drawn = Image.new("RGB", (1800, 900), "white")
    ImageDraw.Draw(drawn).ellipse((300, 200, 900, 700), "green")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x013B] = "Kamera", "X1", SECRET
    exif[0x9286] = b"ASCII\0\0\0" + SECRET.encode()
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (64.0, 29.0, 29.4), "E", (11.0, 58.0, 41.2)
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>'
        + SECRET.encode()
        + b"</dc:creator>"
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    more = {"exif": exif.tobytes(), "icc_profile": profile}
    if kind == "PNG":
        more["pnginfo"] = info = PngImagePlugin.PngInfo()
        info.add_text("Author", SECRET)
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    else:
        more["xmp"] = xmp
    if kind == "JPEG":
        more["comment"] = SECRET.encode()
    data = hostile.saved(kind, drawn, **more)
    if kind == "JPEG":
        iptc = b"\x1c\x02\x50" + struct.pack(">H", len(SECRET.encode())) + SECRET.encode()
        resource = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc
        data = hostile.with_segment(0xED, resource + b"\0" * (len(iptc) % 2), data)
    return data


def exiftool(*files):
    told = subprocess.run(
        ["exiftool", "-json", "-G", "-a", "-u", "-ee", *map(str, files)], capture_output=True, check=True
    )
    return json.loads(told.stdout)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_public_files_tell_nothing_but_their_pixels(kind, tmp_path):
    source = tmp_path / f"source.{kind.lower()}"
    source.write_bytes(telling(kind))
    (told,) = exiftool(source)
    for proof in ("EXIF:GPSLatitude", "EXIF:Artist", "XMP:Creator"):
        assert proof in told, "what is not put in cannot go missing"
    assert kind != "JPEG" or ("IPTC:By-line" in told and "File:Comment" in told)
    files = []
    for rendition in photos.make(source.read_bytes(), boxes=(), **LIMITS).renditions:
        files.append(tmp_path / f"{rendition.size}.{rendition.format}")
        files[-1].write_bytes(rendition.data)
        assert SECRET.encode() not in rendition.data
    assert len(files) == 6
    for told in exiftool(*files):
        left = {name for name in told if name.rpartition(":")[0] != "File" or name in HARMLESS} - HARMLESS
        assert left == set()
        # Of the file itself exiftool also tells name, folder, size, dates and rights.
        assert (
            not {name for name in told if name.startswith("File:")}
            - HARMLESS
            - {
                *(
                    "File:FileName",
                    "File:Directory",
                    "File:FileSize",
                    "File:FileModifyDate",
                    "File:FileAccessDate",
                ),
                *("File:FileInodeChangeDate", "File:FilePermissions"),
            }
        )


# Who loads what -----------------------------------------------------------------------------------------------------


def test_web_processes_never_load_the_libraries_that_decode_and_see():
    code = """
import importlib, pkgutil, sys
from gatami.policy import photos
from gatami.policy.photos import process
photos.check(sys.stdin.buffer.read())
assert not {"numpy", "PIL"} & set(sys.modules), "the package alone"
import gatami.app, gatami.web
for door in pkgutil.iter_modules(gatami.web.__path__):
    importlib.import_module(f"gatami.web.{door.name}")
assert "gatami.web.reporting" in sys.modules
print({"PIL", "pyvips", "cv2", "onnxruntime", "pillow_heif"} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input=hostile.plain("HEIF"), capture_output=True, check=False
    )
    assert done.stdout.decode().strip() == "set()", done.stderr.decode()[-2000:]


def test_three_bytes_of_a_script_by_chance_are_none():
    """Of the compressed bytes of two thousand pictures, one holds any given three in its first thousands."""
    by_chance = factories.picture(comment=b"\x92<%@\xc1\x03")
    assert photos.check(by_chance) == "JPEG"
    with pytest.raises(photos.Mixed):
        photos.check(factories.picture(comment=b'<%@ page import="java.io.*" %>'))
