"""What is found in pictures, and that covering it cannot be undone.

Signs and plates are drawn here. The one real face is NASA's portrait of Eileen Collins, in the public domain, which the
package scikit-image carries; none is committed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from gatami.policy import text
from gatami.policy.photos import Box, faces, plates, words
from gatami.policy.photos.boxes import merged
from gatami.policy.photos.cover import cover
from gatami.policy.photos.look import check, load, look
from gatami.policy.photos.networks import spans, weights

FACE = (181, 58, 270, 178)
"""Of the portrait, 512 by 512: left, top, right, bottom."""


def find(words_: str) -> list[tuple[int, int, str]]:
    return [(found.start, found.end, found.kind) for found in text.find(words_)]


@cache
def portrait() -> np.ndarray:
    return np.asarray(Image.open(weights("skimage", "data/astronaut.png")).convert("RGB"))


def sign(*lines: str, size: int = 52, at: tuple[int, int] = (150, 200)) -> np.ndarray:
    """A white board with these lines, on grey."""
    picture = Image.new("RGB", (960, 720), (122, 128, 118))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size)
    wide = max(draw.textlength(line, font=font) for line in lines)
    x, y = at
    draw.rectangle((x - 20, y - 15, x + wide + 20, y + len(lines) * size * 1.25 + 15), fill=(244, 244, 240))
    for row, line in enumerate(lines):
        draw.text((x, y + row * size * 1.25), line, fill=(20, 20, 20), font=font)
    return np.asarray(picture)


def over(boxes: list[Box], corners: tuple[float, ...], picture: np.ndarray) -> float:
    """The largest share of the corners that one of the boxes covers."""
    left, top, right, bottom = corners
    wanted = Box.of_pixels("text", (left, top, right, bottom), picture.shape[1::-1], 1.0, "here")
    return max((box.shared(wanted) / wanted.area for box in boxes), default=0.0)


# -- boxes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "ghost", "left": 0, "top": 0, "width": 1, "height": 1},
        {"kind": "face", "left": float("nan"), "top": 0, "width": 1, "height": 1},
        {"kind": "face", "left": "0", "top": 0, "width": 1, "height": 1},
        {"kind": "face", "left": True, "top": 0, "width": 1, "height": 1},
        {"kind": "face", "left": 1.2, "top": 0, "width": 1, "height": 1},
        {"kind": "face", "left": 0, "top": 0, "width": -1, "height": 1},
        {"kind": "face", "left": 0, "top": 0, "width": 1},
        {"kind": "face", "left": 0, "top": 0, "width": 1, "height": 1, "colour": "red"},
    ],
)
def test_nonsense_is_no_box(values):
    with pytest.raises(ValueError):
        Box.of(values)


def test_a_box_is_cut_at_the_picture_and_survives_json():
    box = Box.of({"kind": "face", "left": -0.5, "top": 0.5, "width": 1, "height": 9})
    assert (box.left, box.top, box.right, box.bottom) == (0, 0.5, 0.5, 1)
    assert Box.of(box.asdict()) == box
    assert box.pixels(101, 50) == (0, 25, 51, 50)


def test_boxes_on_each_other_become_one_that_names_both_rules():
    one, other = (
        Box("plate", 0.1, 0.1, 0.2, 0.1, 0.5, "ocr"),
        Box("plate", 0.15, 0.1, 0.2, 0.1, 0.9, "cascade"),
    )
    apart = Box("plate", 0.6, 0.6, 0.2, 0.1, 0.5, "ocr")
    (sure, lone) = merged([one, apart, other])
    assert sure.left == 0.1
    assert sure.right == pytest.approx(0.35)
    assert set(sure.rule.split("+")) == {"ocr", "cascade"}
    assert lone == apart


def test_tiles_cover_the_whole_length_and_overlap():
    for length in (5, 63, 832, 833, 1408, 1600, 4999):
        found = spans(length, 832, 64)
        assert found[0][0] == 0
        assert found[-1][1] == length
        assert all(end - start <= 833 for start, end in found)
        assert all(this[1] - following[0] >= 60 for this, following in pairwise(found))


# -- faces -------------------------------------------------------------------------------------------------------------


def small_scene(wide: int) -> tuple[np.ndarray, tuple[float, ...]]:
    """The portrait as part of a larger picture, with a face so wide."""
    scale = wide / (FACE[2] - FACE[0])
    small = cv2.resize(portrait(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((900, 1200, 3), (110, 120, 105), dtype=np.uint8)
    picture[300 : 300 + small.shape[0], 600 : 600 + small.shape[1]] = small
    return picture, tuple(
        offset + side * scale for offset, side in zip((600, 300, 600, 300), FACE, strict=True)
    )


@pytest.mark.parametrize("wide", [24, 48, 89])
def test_a_face_is_found_at_any_size_and_covered_so_that_neither_network_sees_it(wide):
    picture, corners = small_scene(wide)
    boxes = faces.find(picture)
    assert over(boxes, corners, picture) > 0.7
    covered = cover(picture, boxes)
    assert check(covered, tuple(boxes)) == []
    assert over(faces.find(covered), corners, picture) < 0.3


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_in_a_picture_that_lies_on_its_side_is_found(quarters):
    turned = np.ascontiguousarray(np.rot90(portrait(), -quarters))
    left, top, right, bottom = FACE
    for _ in range(quarters):
        left, top, right, bottom = 512 - bottom, left, 512 - top, right
    assert over(faces.find(turned), (left, top, right, bottom), turned) > 0.6


def test_the_second_network_is_what_it_is_asked_for():
    """It sees the face where it is not covered; else its silence afterwards would prove nothing."""
    face = Box.of_pixels("face", FACE, (512, 512), 1.0, "here")
    assert check(portrait(), (face,))


def test_a_wall_has_no_face():
    assert faces.find(sign("Gangveg stengt")) == []


# -- covering ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["face", "plate", "text", "drawn"])
def test_nothing_of_what_is_covered_is_left_and_nothing_else_is_touched(kind):
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (200, 300, 3), dtype=np.uint8)
    box = Box(kind, 0.3, 0.3, 0.3, 0.3)
    covered = cover(picture, [box])
    left, top, right, bottom = box.pixels(300, 200)
    before, after = (one[top:bottom, left:right].astype(float).ravel() for one in (picture, covered))
    assert abs(np.corrcoef(before, after)[0, 1]) < 0.1
    assert (covered[:20] == picture[:20]).all()
    assert (covered[:, :40] == picture[:, :40]).all()
    assert (cover(picture, [box]) != covered).any(), "the noise is not reproducible"


def test_two_persons_of_like_colour_look_alike_when_covered():
    """What is left of a box is its colour: two patterns with one mean cannot be told apart."""
    stripes = np.zeros((120, 120, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    checks = np.zeros((120, 120, 3), dtype=np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 200
    box = Box("face", 0.2, 0.2, 0.6, 0.6)
    means = [[cover(pattern, [box])[40:80, 40:80].mean() for _ in range(12)] for pattern in (stripes, checks)]
    assert abs(np.mean(means[0]) - np.mean(means[1])) < 3 * (np.std(means[0]) + np.std(means[1])) / 12**0.5


def test_a_box_of_one_pixel_and_one_of_the_whole_picture_are_covered():
    picture = np.full((3, 2, 3), 90, dtype=np.uint8)
    picture[0, 0] = 255
    assert (cover(picture, [Box("drawn", 0, 0, 1, 1)])[0, 0] < 200).all()
    assert cover(picture, [Box("face", 0.0, 0.0, 0.01, 0.01)]).shape == picture.shape


# -- plates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text_",
    ["DN 48213", "EL12345", "N DN 48213", "AB 1234", "ABC 123", "ABC 12D", "DN 4821B", "ÅB 12345", "dn48213"],
)
def test_what_is_written_like_a_plate_of_norway_or_a_neighbour(text_):
    assert plates.written(text_.replace("Å", "A")) == "near"


@pytest.mark.parametrize("text_", ["B MW 4321", "KAB 12771", "AB-123-CD", "AB12 CDE", "1234 BCD", "M AB 123"])
def test_what_is_written_like_a_plate_of_elsewhere(text_):
    assert plates.written(text_) in ("near", "far")


@pytest.mark.parametrize(
    "text_",
    ["E6", "E 18", "Fv 7010", "FV7010", "Rv 3", "Rv. 306", "12", "12B", "60", "1,2 km", "22 33 44 55", "0150 OSLO",
     "REMA 1000", "2026", "Storgata 12", "P", "", "A", "07-17", "912 34 567", "BUSS 31"],
)  # fmt: skip
def test_signs_house_numbers_and_telephones_are_no_plates(text_):
    assert plates.written(text_) is None


@pytest.mark.parametrize("quarters", [0, 1, 2])
def test_a_plate_is_covered_and_a_road_sign_stays(quarters):
    picture = np.ascontiguousarray(np.rot90(sign("DN 48213"), quarters))
    (box,) = plates.find(picture)
    assert box.kind == "plate"
    assert 0.02 < box.area < 0.15
    assert plates.find(cover(picture, [box])) == []
    assert plates.find(np.ascontiguousarray(np.rot90(sign("E 18 Oslo", "Fv 7010"), quarters))) == []


def test_a_plate_in_two_rows_is_one():
    (box,) = plates.find(sign("DN", "4821", size=64))
    assert box.height > 0.15


# -- words -------------------------------------------------------------------------------------------------------------


def test_names_on_a_mailbox_and_a_number_on_a_sign_are_covered():
    mailbox = sign("Kari Halvorsen", "Storgata 12")
    seen = words.private(words.read(mailbox), find)
    assert over(seen, (160, 215, 480, 250), mailbox) > 0.8
    call = sign("Bil til salgs", "Ring 912 34 567")
    seen = words.private(words.read(call), find)
    assert over(seen, (300, 275, 520, 310), call) > 0.8
    assert over(seen, (150, 205, 400, 245), call) < 0.2, "only the number is hidden"


@pytest.mark.parametrize(
    "lines", [("Storgata",), ("Storgata 12",), ("Ole Deviks vei",), ("Rema 1000",), ("Parkering", "forbudt")]
)
def test_names_of_streets_and_shops_stay(lines):
    assert words.private(words.read(sign(*lines)), find) == []


def test_letters_that_the_reader_drops_or_joins_do_not_hide_a_name():
    line = Box("text", 0.1, 0.1, 0.5, 0.1, 0.9, "ocr")
    for read in ("Hakon Bjornstad", "HakonBjornstad", "Tlf.91234567", "Tlf:912 34 567"):
        assert words.private([words.Line(read, line, 0.9)], find), read


def test_what_finds_is_not_believed_when_it_points_beyond_the_text():
    line = words.Line("Kari", Box("text", 0.1, 0.1, 0.5, 0.1), 0.9)
    assert words.private([line], lambda text_: [(2, 99, "PERSON"), (3, 3, "PERSON"), (-4, 2, "PERSON")]) == []


# -- together ----------------------------------------------------------------------------------------------------------


def test_one_look_finds_a_face_a_plate_and_a_number():
    picture = sign("DN 48213").copy()
    picture[300:720, :] = sign("Ring 912 34 567", at=(150, 500))[300:720, :]
    picture[60:260, 700:900] = cv2.resize(
        portrait()[20:320, 80:380], (200, 200), interpolation=cv2.INTER_AREA
    )
    seen = look(picture, find)
    assert {box.kind for box in seen.boxes} == {"face", "plate", "text"}
    assert seen.left == ()
    assert seen.lines >= 2
    assert 0 < seen.text_share < 0.5


def test_loaded_networks_start_no_thread_and_work_in_a_fork():
    """Run apart: other tests' libraries have threads. onnxruntime from 1.29 on starts one, to report to its maker."""
    program = """if True:
        import os, sys, numpy as np
        from gatami.policy.photos.look import load, look
        load()
        threads = len(os.listdir("/proc/self/task"))
        child = os.fork()
        if not child:
            look(np.full((64, 64, 3), 90, np.uint8), lambda text: [])
            os._exit(0)
        sys.exit(threads != 1 or os.waitpid(child, 0)[1] != 0)
        """
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


def test_the_smallest_pictures_are_looked_at():
    load()
    for shape in ((1, 1, 3), (1, 900, 3), (900, 1, 3), (7, 5, 3)):
        seen = look(np.full(shape, 120, dtype=np.uint8), find)
        assert seen.boxes == ()


def test_the_command_line_covers_a_picture_without_secrets_or_database(tmp_path):
    source, target = tmp_path / "in.png", tmp_path / "out.jpg"
    Image.fromarray(sign("Ring 912 34 567")).save(source)
    flask = [sys.executable, "-m", "flask", "--app", "wsgi", "policy", "photo"]
    environment = {"PATH": os.environ["PATH"], "GATAMI_MODE": "production"}
    done = subprocess.run(
        [*flask, source, target], env=environment, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert [box["kind"] for box in told["boxes"]] == ["text"]
    assert (told["width"], told["height"], told["left"]) == (960, 720, [])
    assert words.private(words.read(np.asarray(Image.open(target))), find) == []
    source.write_bytes(b"GIF89a of no use")
    refused = subprocess.run(
        [*flask, source, target], env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "NotAPicture" in refused.stderr
