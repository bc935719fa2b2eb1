"""Drawn pictures for the demo reports, so that no photo of a real place or person is needed.

Each is a scene (sky, hills, ground, road) with one subject on it. The same subject and number give the same picture.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 1280, 960
HORIZON = 400

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]

SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((126, 178, 219), (226, 239, 246)),
    "grey": ((158, 170, 180), (219, 224, 227)),
    "winter": ((171, 193, 214), (240, 243, 246)),
    "night": ((14, 20, 40), (45, 56, 84)),
}
GROUNDS: dict[str, Colour] = {
    "day": (112, 148, 84),
    "grey": (124, 132, 92),
    "winter": (233, 238, 243),
    "night": (24, 32, 34),
}
ASPHALT: dict[str, Colour] = {
    "day": (104, 106, 110),
    "grey": (88, 91, 95),
    "winter": (112, 117, 124),
    "night": (33, 36, 43),
}


def _between(first: Colour, second: Colour, share: float) -> Colour:
    r, g, b = (round(x + (y - x) * share) for x, y in zip(first, second, strict=True))
    return r, g, b


class Scene:
    """A canvas with a landscape on it, and the brushes that several subjects share."""

    def __init__(self, light: str, rnd: random.Random, *, road: bool = True) -> None:
        self.light, self.rnd = light, rnd
        self.image = Image.new("RGB", (WIDTH, HEIGHT))
        self.draw = ImageDraw.Draw(self.image)
        top, bottom = SKIES[light]
        for y in range(HORIZON + 1):
            self.draw.line((0, y, WIDTH, y), fill=_between(top, bottom, y / HORIZON))
        self._hills(_between(bottom, (70, 96, 120), 0.45), 120)
        self._hills(_between(GROUNDS[light], (40, 70, 66), 0.55), 55)
        near = GROUNDS[light]
        for y in range(HORIZON, HEIGHT):
            share = (y - HORIZON) / (HEIGHT - HORIZON)
            self.draw.line((0, y, WIDTH, y), fill=_between(_between(near, bottom, 0.35), near, share))
        if road:
            self._road()

    def _hills(self, colour: Colour, height: int) -> None:
        phases = [self.rnd.uniform(0, 6.3) for _ in range(3)]
        ridge: Points = [
            (
                x,
                HORIZON
                - height
                * (
                    0.55
                    + sum(math.sin(x / (310 / (i + 1)) + p) / (i + 2) for i, p in enumerate(phases)) / 2.4
                ),
            )
            for x in range(0, WIDTH + 40, 40)
        ]
        self.draw.polygon([(0, HORIZON + 2), *ridge, (WIDTH, HORIZON + 2)], fill=colour)

    def _road(self) -> None:
        vanishing = WIDTH * self.rnd.uniform(0.44, 0.56)
        colour = ASPHALT[self.light]
        self.draw.polygon(
            [
                (vanishing - 22, HORIZON),
                (vanishing + 22, HORIZON),
                (WIDTH * 1.02, HEIGHT),
                (-WIDTH * 0.02, HEIGHT),
            ],
            fill=colour,
        )
        line = _between(colour, (245, 238, 214), 0.72)
        for near in (0.10, 0.22, 0.38, 0.60, 0.86):
            y1 = HORIZON + (HEIGHT - HORIZON) * near
            y2 = y1 + 20 + 90 * near
            x1, x2 = (
                vanishing + (WIDTH / 2 - vanishing) * (y - HORIZON) / (HEIGHT - HORIZON) for y in (y1, y2)
            )
            w1, w2 = 2 + 9 * near, 3 + 12 * near
            self.draw.polygon([(x1 - w1, y1), (x1 + w1, y1), (x2 + w2, y2), (x2 - w2, y2)], fill=line)

    def blob(self, x: float, y: float, wide: float, high: float, colour: Colour, rough: float = 0.16) -> None:
        """An uneven flat shape, such as a hole, a puddle or a heap."""
        steps = 26
        points: Points = []
        for step in range(steps):
            turn = 2 * math.pi * step / steps
            reach = 1 + self.rnd.uniform(-rough, rough)
            points.append((x + math.cos(turn) * wide * reach, y + math.sin(turn) * high * reach))
        self.draw.polygon(points, fill=colour)

    def glow(self, x: float, y: float, reach: float, colour: Colour, strength: float = 0.85) -> None:
        light = Image.new("L", (WIDTH, HEIGHT))
        ImageDraw.Draw(light).ellipse(
            (x - reach, y - reach, x + reach, y + reach), fill=round(255 * strength)
        )
        # A blur this wide shows the same on an eighth of the pixels, at a sixtieth of the time.
        small = light.resize((WIDTH // 8, HEIGHT // 8)).filter(ImageFilter.GaussianBlur(reach / 22))
        self.image.paste(Image.new("RGB", (WIDTH, HEIGHT), colour), (0, 0), small.resize((WIDTH, HEIGHT)))
        self.draw = ImageDraw.Draw(self.image)

    def specks(
        self, x: float, y: float, wide: float, high: float, colours: list[Colour], number: int
    ) -> None:
        for _ in range(number):
            a, b = self.rnd.gauss(x, wide / 2), self.rnd.gauss(y, high / 2)
            size = self.rnd.uniform(2, 7)
            self.draw.ellipse(
                (a - size, b - size * 0.6, a + size, b + size * 0.6), fill=self.rnd.choice(colours)
            )

    def post(self, x: float, top: float, foot: float, wide: float, colour: Colour) -> None:
        self.draw.rectangle((x - wide / 2, top, x + wide / 2, foot), fill=colour)
        self.draw.rectangle(
            (x - wide / 2, top, x - wide / 6, foot), fill=_between(colour, (255, 255, 255), 0.25)
        )


def _hole(scene: Scene, x: float, y: float, wide: float) -> None:
    asphalt = ASPHALT[scene.light]
    scene.blob(x, y, wide * 1.12, wide * 0.44, _between(asphalt, (190, 186, 176), 0.35))
    scene.blob(x, y + 4, wide, wide * 0.37, (52, 49, 46))
    scene.blob(x + wide * 0.05, y + wide * 0.07, wide * 0.78, wide * 0.25, (84, 100, 112), 0.08)
    scene.blob(x - wide * 0.2, y + wide * 0.02, wide * 0.3, wide * 0.06, (150, 168, 180), 0.1)
    scene.specks(x, y + wide * 0.1, wide * 1.5, wide * 0.6, [(70, 70, 70), (140, 138, 132)], 60)


def _pothole(rnd: random.Random) -> Scene:
    scene = Scene(rnd.choice(["day", "grey"]), rnd)
    _hole(scene, WIDTH * rnd.uniform(0.36, 0.62), HEIGHT * 0.76, rnd.uniform(150, 220))
    if rnd.random() < 0.5:
        _hole(scene, WIDTH * rnd.uniform(0.4, 0.6), HEIGHT * 0.55, 60)
    return scene


def _edge(rnd: random.Random) -> Scene:
    scene = Scene("grey", rnd)
    scene.blob(1000, 760, 330, 170, (96, 78, 58))
    scene.blob(1060, 800, 260, 130, (68, 54, 40))
    scene.specks(990, 760, 420, 220, [(120, 100, 78), (88, 70, 52), (140, 138, 130)], 220)
    for x in (640, 790):
        scene.post(x, 520, 720, 18, (196, 62, 40))
        scene.draw.rectangle((x - 9, 560, x + 9, 600), fill=(240, 240, 236))
    return scene


def _streetlight(rnd: random.Random) -> Scene:
    scene = Scene("night", rnd)
    for x, foot, top in ((330, 860, 150), (520, 640, 290), (590, 540, 345)):
        dark = x != 590
        wide = (foot - top) / 45
        scene.post(x, top, foot, wide, (88, 92, 98))
        scene.draw.line(
            (x, top, x + (foot - top) * 0.16, top - 8), fill=(88, 92, 98), width=max(3, round(wide * 0.7))
        )
        lamp = (x + (foot - top) * 0.17, top)
        if not dark:
            scene.glow(lamp[0], lamp[1] + 30, (foot - top) * 0.30, (255, 214, 140), 0.75)
        size = (foot - top) / 26
        colour = (74, 78, 84) if dark else (255, 242, 208)
        scene.draw.ellipse(
            (lamp[0] - size * 1.5, lamp[1] - size / 2, lamp[0] + size * 1.5, lamp[1] + size / 2), fill=colour
        )
    for _ in range(60):
        a, b = rnd.uniform(0, WIDTH), rnd.uniform(0, 260)
        scene.draw.point((a, b), fill=(220, 224, 240))
    return scene


def _snow(rnd: random.Random) -> Scene:
    scene = Scene("winter", rnd)
    scene.blob(560, 760, 700, 210, (226, 232, 239), 0.1)
    for x, y, wide in ((930, 680, 270), (1080, 720, 230), (820, 740, 200)):
        scene.blob(x + 14, y + 22, wide, wide * 0.62, (196, 207, 220), 0.1)
        scene.blob(x, y, wide * 0.95, wide * 0.56, (248, 250, 252), 0.1)
    for x in (230, 300):
        scene.draw.line((x, HEIGHT, x + 220, 520), fill=(203, 212, 223), width=16)
    scene.post(150, 380, 760, 14, (206, 72, 48))
    for _ in range(160):
        a, b = rnd.uniform(0, WIDTH), rnd.uniform(0, HEIGHT)
        size = rnd.uniform(2, 5)
        scene.draw.ellipse((a, b, a + size, b + size), fill=(255, 255, 255))
    return scene


def _ice(rnd: random.Random) -> Scene:
    scene = Scene("winter", rnd)
    scene.blob(640, 760, 420, 150, (176, 198, 216), 0.08)
    scene.blob(640, 756, 380, 126, (204, 221, 234), 0.08)
    for _ in range(7):
        x, y = rnd.uniform(400, 860), rnd.uniform(680, 840)
        scene.draw.line(
            (x, y, x + rnd.uniform(60, 160), y - rnd.uniform(6, 22)), fill=(242, 248, 252), width=5
        )
    return scene


def _mailboxes(rnd: random.Random) -> Scene:
    scene = Scene("winter", rnd)
    for x, y, turn, colour in (
        (330, 700, 18, (60, 96, 70)),
        (560, 760, -24, (150, 44, 40)),
        (800, 715, 62, (58, 74, 108)),
    ):
        box = Image.new("RGBA", (240, 170), (0, 0, 0, 0))
        pen = ImageDraw.Draw(box)
        pen.rounded_rectangle((10, 20, 230, 150), 16, fill=colour)
        pen.rectangle((30, 44, 210, 58), fill=_between(colour, (0, 0, 0), 0.4))
        pen.rectangle((90, 80, 150, 112), fill=(232, 232, 226))
        turned = box.rotate(turn, expand=True)
        scene.image.paste(turned, (x - turned.width // 2, y - turned.height // 2), turned)
        scene.blob(x, y + 88, 150, 34, (240, 244, 248), 0.1)
    return scene


def _bin(rnd: random.Random) -> Scene:
    scene = Scene(rnd.choice(["day", "grey", "winter"]), rnd, road=False)
    scene.draw.rectangle((0, 820, WIDTH, HEIGHT), fill=ASPHALT[scene.light])
    body = rnd.choice([(56, 92, 62), (48, 70, 110), (70, 72, 76)])
    scene.blob(650, 852, 280, 34, _between(ASPHALT[scene.light], (0, 0, 0), 0.4), 0.04)
    scene.draw.polygon([(450, 380), (850, 380), (810, 840), (490, 840)], fill=body)
    scene.draw.polygon(
        [(450, 380), (520, 380), (540, 840), (490, 840)], fill=_between(body, (255, 255, 255), 0.16)
    )
    for _ in range(9):
        x, size = rnd.uniform(480, 790), rnd.uniform(50, 95)
        colour = rnd.choice([(222, 210, 184), (186, 152, 112), (236, 236, 232), (168, 190, 206)])
        scene.draw.polygon(
            [(x, 400), (x + size * 0.3, 400 - size), (x + size, 390 - size * 0.7), (x + size * 0.9, 410)],
            fill=colour,
        )
    scene.draw.polygon([(430, 250), (800, 180), (860, 240), (470, 330)], fill=_between(body, (0, 0, 0), 0.2))
    scene.draw.rectangle((440, 376, 860, 408), fill=_between(body, (0, 0, 0), 0.3))
    for x in (520, 780):
        scene.draw.ellipse((x - 34, 806, x + 34, 874), fill=(32, 32, 34))
    return scene


def _bottles(rnd: random.Random) -> Scene:
    scene = Scene("grey", rnd, road=False)
    scene.draw.rectangle((0, 700, WIDTH, HEIGHT), fill=ASPHALT["grey"])
    scene.draw.ellipse((420, 240, 860, 760), fill=(46, 104, 78))
    scene.draw.ellipse((470, 270, 640, 560), fill=(66, 128, 100))
    scene.draw.ellipse((580, 350, 700, 470), fill=(20, 30, 26))
    for _ in range(11):
        x, colour = rnd.uniform(90, 1150), rnd.choice([(60, 120, 70), (120, 84, 44), (176, 198, 204)])
        y = rnd.uniform(760, 880)
        scene.draw.rounded_rectangle((x, y - 110, x + 42, y), 12, fill=colour)
        scene.draw.rectangle((x + 14, y - 160, x + 28, y - 104), fill=colour)
    scene.specks(640, 890, 700, 60, [(176, 206, 196), (120, 168, 130), (226, 236, 238)], 160)
    return scene


def _dumping(rnd: random.Random) -> Scene:
    scene = Scene("day", rnd, road=False)
    scene.draw.rounded_rectangle((180, 560, 720, 760), 40, fill=(132, 74, 62))
    scene.draw.rounded_rectangle((210, 450, 690, 620), 40, fill=(150, 88, 72))
    for x in (150, 680):
        scene.draw.rounded_rectangle((x, 540, x + 80, 770), 30, fill=(118, 64, 54))
    scene.draw.rounded_rectangle((800, 380, 990, 780), 16, fill=(228, 230, 230))
    scene.draw.line((800, 540, 990, 540), fill=(150, 154, 156), width=6)
    for x, y, wide in ((560, 820, 90), (730, 850, 110), (1060, 800, 100), (330, 850, 80)):
        scene.blob(x, y, wide, wide * 0.75, (34, 35, 38), 0.08)
        scene.draw.polygon(
            [(x - 14, y - wide * 0.66), (x, y - wide), (x + 18, y - wide * 0.66)], fill=(34, 35, 38)
        )
    return scene


def _sign(rnd: random.Random) -> Scene:
    scene = Scene(rnd.choice(["day", "grey"]), rnd)
    sign = Image.new("RGBA", (500, 900), (0, 0, 0, 0))
    pen = ImageDraw.Draw(sign)
    pen.rectangle((240, 200, 260, 900), fill=(142, 146, 150))
    pen.ellipse((90, 40, 410, 360), fill=(198, 42, 36))
    pen.ellipse((130, 80, 370, 320), fill=(246, 244, 238))
    pen.text((250, 200), "30", fill=(24, 24, 26), anchor="mm", font_size=150)
    for _ in range(6):
        x, y = rnd.uniform(140, 360), rnd.uniform(90, 310)
        pen.ellipse((x - 9, y - 9, x + 9, y + 9), fill=(84, 76, 62))
    bent = sign.rotate(38, expand=True, resample=Image.Resampling.BICUBIC)
    scene.image.paste(bent, (520, 190), bent)
    scene.blob(1180, 930, 240, 60, _between(GROUNDS[scene.light], (0, 0, 0), 0.2), 0.1)
    return scene


def _swing(rnd: random.Random) -> Scene:
    scene = Scene("day", rnd, road=False)
    scene.blob(640, 830, 460, 90, (214, 190, 146), 0.04)
    for x1, x2 in ((250, 340), (250, 160), (1030, 940), (1030, 1120)):
        scene.draw.line((x1, 230, x2, 840), fill=(172, 66, 48), width=22)
    scene.draw.line((240, 232, 1040, 232), fill=(172, 66, 48), width=24)
    for left, broken in ((400, False), (720, True)):
        seat = 720
        scene.draw.line((left, 236, left, seat), fill=(96, 98, 102), width=7)
        if broken:
            scene.draw.line((left + 150, 236, left + 150, 420), fill=(96, 98, 102), width=7)
            scene.draw.line((left, seat, left + 60, seat + 110), fill=(34, 36, 40), width=24)
        else:
            scene.draw.line((left + 150, 236, left + 150, seat), fill=(96, 98, 102), width=7)
            scene.draw.rectangle((left - 10, seat, left + 160, seat + 24), fill=(34, 36, 40))
    return scene


def _slide(rnd: random.Random) -> Scene:
    scene = Scene("day", rnd, road=False)
    scene.draw.polygon(
        [(360, 330), (440, 330), (960, 800), (1060, 800), (1060, 840), (930, 840)], fill=(212, 150, 44)
    )
    for y in range(360, 820, 74):
        scene.draw.line((270, y, 350, y), fill=(120, 124, 130), width=12)
    for x in (270, 350):
        scene.draw.line((x, 320, x, 840), fill=(120, 124, 130), width=16)
    scene.draw.line([(880, 740), (905, 765), (890, 785), (925, 815)], fill=(52, 36, 14), width=8)
    return scene


def _sandbox(rnd: random.Random) -> Scene:
    scene = Scene("day", rnd, road=False)
    scene.draw.polygon([(300, 560), (980, 560), (1160, 840), (130, 840)], fill=(152, 108, 66))
    scene.draw.polygon([(340, 590), (940, 590), (1080, 806), (212, 806)], fill=(222, 200, 156))
    scene.specks(640, 700, 400, 70, [(206, 182, 138), (236, 216, 176)], 260)
    scene.draw.polygon([(540, 650), (620, 650), (604, 730), (556, 730)], fill=(206, 62, 48))
    scene.draw.line((780, 740, 900, 680), fill=(58, 108, 168), width=18)
    return scene


def _fence(rnd: random.Random) -> Scene:
    scene = Scene("day", rnd, road=False)
    for x in range(60, WIDTH, 230):
        scene.post(x, 260, 850, 20, (118, 122, 126))
    hole: Points = [(560, 420), (700, 390), (790, 520), (760, 700), (620, 730), (540, 600)]
    for k in range(-20, 44):
        scene.draw.line((k * 40, 280, k * 40 + 540, 820), fill=(168, 172, 176), width=3)
        scene.draw.line((k * 40 + 540, 280, k * 40, 820), fill=(168, 172, 176), width=3)
    scene.draw.polygon(hole, fill=GROUNDS["day"])
    for a, b in hole:
        scene.draw.line(
            (a, b, a + rnd.uniform(-60, 60), b + rnd.uniform(-60, 60)), fill=(150, 154, 158), width=4
        )
    return scene


def _manhole(rnd: random.Random) -> Scene:
    scene = Scene("grey", rnd)
    scene.blob(640, 720, 250, 120, (44, 45, 47), 0.02)
    scene.draw.ellipse((420, 590, 880, 810), fill=(74, 72, 70))
    scene.draw.ellipse((450, 606, 850, 790), fill=(96, 92, 88))
    for k in range(6):
        scene.draw.line((480 + k * 66, 640, 470 + k * 66, 760), fill=(66, 64, 62), width=12)
    return scene


def _leak(rnd: random.Random) -> Scene:
    scene = Scene("grey", rnd)
    scene.blob(660, 780, 430, 120, (126, 146, 160), 0.1)
    scene.blob(660, 775, 360, 92, (156, 178, 192), 0.1)
    for reach in (150, 105, 62):
        scene.draw.ellipse(
            (640 - reach, 720 - reach * 0.36, 640 + reach, 720 + reach * 0.36),
            outline=(214, 228, 236),
            width=6,
        )
    scene.blob(640, 700, 42, 54, (206, 222, 232), 0.2)
    return scene


def _tree(rnd: random.Random) -> Scene:
    scene = Scene("grey", rnd, road=False)
    trunk = Image.new("RGBA", (700, 900), (0, 0, 0, 0))
    pen = ImageDraw.Draw(trunk)
    pen.polygon([(330, 880), (370, 880), (360, 200), (340, 200)], fill=(226, 224, 216))
    for y in range(240, 880, 60):
        pen.line((336, y, 352, y + 8), fill=(50, 48, 46), width=8)
    for _ in range(90):
        a, b, size = rnd.gauss(350, 110), rnd.gauss(270, 120), rnd.uniform(24, 58)
        pen.ellipse(
            (a - size, b - size, a + size, b + size),
            fill=rnd.choice([(196, 164, 60), (170, 140, 52), (150, 148, 66)]),
        )
    turned = trunk.rotate(-28, expand=True, resample=Image.Resampling.BICUBIC)
    scene.image.paste(turned, (160, -60), turned)
    return scene


def _shelter(rnd: random.Random) -> Scene:
    scene = Scene("grey", rnd, road=False)
    scene.draw.rectangle((0, 800, WIDTH, HEIGHT), fill=ASPHALT["grey"])
    scene.draw.rectangle((250, 300, 1030, 340), fill=(60, 66, 72))
    for x in (270, 520, 770, 1010):
        scene.post(x, 340, 820, 16, (60, 66, 72))
    for x in (280, 780):
        scene.draw.rectangle((x, 350, x + 225, 780), fill=(186, 206, 214))
    scene.draw.rectangle((330, 660, 950, 690), fill=(138, 100, 66))
    for _ in range(5):
        left = rnd.uniform(530, 730)
        scene.draw.polygon(
            [(left, 350), (left + 50, 350), (left + 20, rnd.uniform(400, 500))], fill=(186, 206, 214)
        )
    scene.specks(650, 840, 380, 50, [(206, 224, 230), (176, 200, 208)], 170)
    return scene


def _graffiti(rnd: random.Random) -> Scene:
    scene = Scene("grey", rnd, road=False)
    scene.draw.rectangle((0, 170, WIDTH, 820), fill=(162, 160, 154))
    scene.specks(640, 480, 900, 420, [(150, 148, 142), (172, 170, 164)], 500)
    for _ in range(5):
        colour = rnd.choice([(196, 52, 70), (48, 96, 176), (58, 140, 84), (120, 60, 150)])
        x, y = rnd.uniform(80, 520), rnd.uniform(300, 640)
        path: Points = [(x, y)]
        for _ in range(9):
            x, y = x + rnd.uniform(-20, 130), y + rnd.uniform(-190, 190)
            path.append((x, min(max(y, 210), 780)))
        scene.draw.line(path, fill=colour, width=24, joint="curve")
    scene.draw.rectangle((0, 820, WIDTH, HEIGHT), fill=(110, 110, 108))
    return scene


def _river(rnd: random.Random) -> Scene:
    scene = Scene("day", rnd, road=False)
    scene.draw.polygon([(0, 520), (560, 470), (720, 960), (0, 960)], fill=(74, 118, 142))
    for _ in range(26):
        x, y = rnd.uniform(0, 480), rnd.uniform(540, 940)
        scene.draw.line((x, y, x + rnd.uniform(40, 140), y + 3), fill=(116, 158, 178), width=4)
    scene.draw.polygon([(560, 470), (640, 480), (850, 960), (720, 960)], fill=(112, 86, 60))
    scene.specks(730, 780, 70, 160, [(92, 68, 46), (134, 106, 78)], 120)
    return scene


def _bikes(rnd: random.Random) -> Scene:
    scene = Scene("grey", rnd, road=False)
    scene.draw.rectangle((0, 140, WIDTH, 640), fill=(178, 118, 92))
    scene.draw.rectangle((520, 250, 760, 640), fill=(52, 78, 92))
    scene.draw.rectangle((0, 640, WIDTH, HEIGHT), fill=ASPHALT["grey"])
    for x in range(120, 1120, 210):
        y, colour = (
            rnd.uniform(740, 800),
            rnd.choice([(190, 52, 44), (44, 84, 150), (230, 190, 60), (40, 120, 96)]),
        )
        for wheel in (x, x + 170):
            scene.draw.ellipse((wheel - 66, y - 66, wheel + 66, y + 66), outline=(30, 30, 32), width=9)
        scene.draw.line(
            [(x, y), (x + 62, y - 84), (x + 140, y - 84), (x + 84, y), (x, y)], fill=colour, width=10
        )
        scene.draw.line([(x + 84, y), (x + 56, y - 108)], fill=colour, width=10)
        scene.draw.line([(x + 170, y), (x + 132, y - 124), (x + 166, y - 134)], fill=(60, 60, 64), width=9)
    return scene


def _car(rnd: random.Random) -> Scene:
    """A car left in the snow. Its plate was never given to anybody: the numbers begin at 10000."""
    scene = Scene("winter", rnd)
    paint = rnd.choice([(150, 40, 44), (44, 76, 120)])
    scene.draw.rounded_rectangle((330, 470, 950, 800), 60, fill=_between(paint, (0, 0, 0), 0.15))
    scene.draw.polygon([(420, 480), (500, 350), (780, 350), (860, 480)], fill=paint)
    scene.draw.polygon([(450, 476), (516, 372), (764, 372), (830, 476)], fill=(176, 196, 206))
    for left in (380, 820):
        scene.draw.rounded_rectangle((left, 540, left + 80, 590), 12, fill=(196, 60, 50))
        scene.draw.rectangle((left + 5, 790, left + 75, 850), fill=(32, 32, 34))
    scene.draw.rectangle((500, 640, 780, 710), fill=(238, 238, 234), outline=(30, 30, 30), width=4)
    scene.draw.rectangle((504, 644, 530, 706), fill=(20, 50, 140))
    font = ImageFont.load_default(60)
    scene.draw.text((655, 675), "ZV 00517", fill=(24, 24, 24), font=font, anchor="mm", stroke_width=1)
    for _ in range(9):
        x = rnd.uniform(280, 900)
        scene.draw.ellipse((x, rnd.uniform(760, 800), x + 190, 900), fill=(246, 248, 250))
    return scene


SUBJECTS: dict[str, Callable[[random.Random], Scene]] = {
    "bikes": _bikes,
    "bin": _bin,
    "bottles": _bottles,
    "car": _car,
    "dumping": _dumping,
    "edge": _edge,
    "fence": _fence,
    "graffiti": _graffiti,
    "ice": _ice,
    "leak": _leak,
    "mailboxes": _mailboxes,
    "manhole": _manhole,
    "pothole": _pothole,
    "river": _river,
    "sandbox": _sandbox,
    "shelter": _shelter,
    "sign_bent": _sign,
    "slide": _slide,
    "snow": _snow,
    "streetlight_dark": _streetlight,
    "swing": _swing,
    "tree": _tree,
}


def picture(subject: str, number: int) -> bytes:
    """A JPEG of the subject, 960 x 720 pixels. Raises KeyError for an unknown subject."""
    scene = SUBJECTS[subject](random.Random(f"{subject} {number}"))
    out = io.BytesIO()
    # Pillow draws hard edges; made smaller, they are smooth.
    scene.image.resize((960, 720), Image.Resampling.LANCZOS).save(out, "JPEG", quality=88)
    return out.getvalue()
