"""Number plates: lines of text that are written like one, and what OpenCV's cascade takes for one if it reads so too.

The forms are those of Norway (kjøretøyforskriften § 2-8 with its annex: two letters and four or five digits), of its
neighbours, and of countries whose cars are often seen here. Signs of roads ('E 18', 'Fv 7010'), house numbers, years
and telephone numbers are written otherwise, and stay.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from . import words
from .boxes import Box
from .networks import weights
from .words import Line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[Any]

_LETTERS = str.maketrans("0158624", "OISBGZA")
_DIGITS = str.maketrans("OQDISBGZAT", "0001586247")
_NEAR_FORMS: Final = ("AA99999", "AA9999", "AAA999", "AAA99A")
"""Norway, Denmark and the Faroes; Norwegian trailers and motorcycles; Sweden old and new, Finland, Lithuania. Read
with one letter and digit taken for each other they still count."""
_FAR_FORMS: Final = re.compile(
    r"""
      [A-Z]{2}\d{2}[A-Z]{3}            # United Kingdom
    | [A-Z]{2}\d{3}[A-Z]{2}            # France, Italy
    | \d{4}[BCDFGHJKLMNPRSTVWXYZ]{3}   # Spain
    | \d{3}[A-Z]{3}                    # Estonia
    | [A-Z]{2,3}\d{3,5}[A-Z]{0,2}      # Poland, Latvia, Finland, Austria
    | [A-Z]{2}\d[A-Z]\d{3,4} | \d[A-Z]{1,2}\d{4}  # Czechia and others
    | [A-Z]{1,2}\d{3}[A-Z]{1,2} | \d{2}[A-Z]{2,3}\d{1,2} | [A-Z]\d{3}[A-Z]{2}  # The Netherlands
    """,
    re.VERBOSE,
)
_ROADS = re.compile(
    r"(?:[EO0]\s?\d{1,3}|(?:FV|RV|KV|PV|FYLKESVE[GI]|RIKSVE[GI])\.?\s?\d{1,4}|\d+\s?(?:KM|M|T|CM|MM))\b"
)
_WORD_AND_NUMBER = re.compile(r"(?:[A-Z]{4,}[\s.:\-]*\d+|(?:BUS|LED|AVD|NR|TLF|TEL|MAX|MIN|PL)[\s.:\-]+\d+)$")
_COUNTRY = re.compile(r"^(?:NO|N|S|SE|DK|FIN|FI|D|PL|LT|LV|EST|EE|GB|UK|NL|F|E|I)(?=[A-Z]{2})")
_CASCADE: Final = 1152
"""Longest side in which the cascade looks."""
ASPECT: Final = (2.2, 7.5)
"""A plate's letters, length over height; a Norwegian plate is 520 by 110 mm."""


def find(rgb: Picture, lines: list[Line] | None = None) -> list[Box]:
    """Plates of an upright picture. `lines` is what words.read made of it, where that is known."""
    if lines is None:
        lines = words.read(rgb)
    shown = _by_cascade(rgb)
    found = []
    for line in [*lines, *_side_by_side(lines), *_two_rows(rgb, lines)]:
        how = written(line.text)
        cascade = next(
            (box for box in shown if box.shared(line.box) >= 0.5 * min(box.area, line.box.area)), None
        )
        if how == "near" or (
            how == "far"
            and (
                cascade
                or (ASPECT[0] <= line.aspect <= ASPECT[1] and (_long(line) or _like_a_plate(rgb, line)))
            )
        ):
            rule = "ocr+cascade" if cascade else "ocr"
            found.append(_around(line, rule))
    for box in shown:
        if any(box.shared(one) >= 0.3 * min(box.area, one.area) for one in found):
            continue
        text, sure = words.read_in(rgb, box)
        signs = re.sub(r"\W", "", text)
        if (
            sure >= 0.4
            and 4 <= len(signs) <= 9
            and sum(map(str.isdigit, signs)) >= 2
            and not _stays(text.upper())
        ):
            found.append(Box("plate", box.left, box.top, box.width, box.height, sure, "cascade+ocr"))
    return found


def written(text: str) -> str | None:
    """`near` for the form of a plate of Norway or a neighbour, `far` for that of another country, else None."""
    text = text.upper().strip(" .,:;|-_·•'\"()[]")
    if _stays(text) or len(text) > 14:
        return None
    signs = re.sub(r"[\s.:·•'\-–_|*]", "", text)
    for form in (signs, _COUNTRY.sub("", signs)):
        if any(_fits(form, shape) for shape in _NEAR_FORMS):
            return "near"
    spelled = sum(1 for word in re.split(r"[\s·•\-]+", text) if word)
    german = spelled >= 3 and re.fullmatch(r"[A-Z]{1,3}[A-Z]{1,2}\d{1,4}[EH]?", signs)
    enough = len(signs) >= 5 and sum(map(str.isdigit, signs)) >= 2
    if spelled <= 4 and enough and (german or _FAR_FORMS.fullmatch(signs)):
        return "far"
    return None


def _stays(text: str) -> bool:
    """Whether it is the sign of a road, a length, or a word with a number behind it."""
    return bool(_ROADS.match(text) or _WORD_AND_NUMBER.match(text))


def _long(line: Line) -> bool:
    """Whether so many signs stand there that hardly anything but a plate is written so."""
    return sum(map(str.isalnum, line.text)) >= 7


def load() -> None:
    """Load the cascade, so that processes forked from this one share it."""
    _cascade()


def _fits(signs: str, form: str) -> bool:
    """Whether the signs are of this form, or would be if one of them was misread."""
    if len(signs) != len(form):
        return False
    misread = 0
    for sign, wanted in zip(signs, form, strict=True):
        if not _is(sign, wanted):
            misread += 1
            if not _is(sign.translate(_LETTERS if wanted == "A" else _DIGITS), wanted):
                return False
    return misread <= 1


def _is(sign: str, wanted: str) -> bool:
    return "A" <= sign <= "Z" if wanted == "A" else sign.isdecimal()


def _around(line: Line, rule: str) -> Box:
    """The plate around its letters."""
    box = line.box
    return Box("plate", box.left, box.top, box.width, box.height, line.confidence, rule).grown(0.08, 0.12)


def _side_by_side(lines: list[Line]) -> list[Line]:
    """Pairs of lines that stand in one row as parts of one: letters, and digits behind them."""
    return [
        _pair(one, other)
        for one in lines
        if re.fullmatch(r"\W*[A-Za-z0-9]{2,3}\W*", one.text)
        for other in lines
        if other is not one
        and re.fullmatch(r"\W*[A-Za-z0-9]{3,5}\W*", other.text)
        and 0.6 <= other.height / max(one.height, 1e-6) <= 1.6
        and abs(one.box.top + one.box.bottom - other.box.top - other.box.bottom) < one.height
        and -0.5 * one.height < other.box.left - one.box.right < 1.5 * one.height
    ]


def _two_rows(rgb: Picture, lines: list[Line]) -> list[Line]:
    """Letters above and digits below, as on motorcycles, tractors and square plates, however they are turned.

    Two high letters are often not taken for text; above digits they are then read where they must stand.
    """
    across = rgb.shape[1] / rgb.shape[0]
    found = []
    for digits in lines:
        if not re.fullmatch(r"\W*\d[\dOIBSZ]{3,4}\W*", digits.text):
            continue
        for letters in lines:
            if letters is digits or not re.fullmatch(r"\W*[A-Za-z0-9]{2,3}\W*", letters.text):
                continue
            x = (letters.box.left + letters.box.right - digits.box.left - digits.box.right) / 2 * across
            y = (letters.box.top + letters.box.bottom - digits.box.top - digits.box.bottom) / 2
            alike = 0.6 <= letters.height / max(digits.height, 1e-6) <= 1.6
            if alike and 0.35 * digits.height <= (x * x + y * y) ** 0.5 <= 2 * digits.height:
                found.append(_pair(letters, digits))
                break
        else:
            box = digits.box
            above = box.top - 1.05 * box.height
            if above >= 0 and digits.aspect >= 1.6 and box.height < 1.6 * digits.height:
                place = Box("text", box.left, above, box.width, 1.1 * box.height, digits.confidence, "ocr")
                text, sure = words.read_in(rgb, place)
                if sure >= 0.6 and re.fullmatch(r"\W*[A-Z]{2}\W*", text):
                    found.append(_pair(Line(text, place, sure, height=digits.height), digits))
    return found


def _pair(one: Line, other: Line) -> Line:
    left, top = min(one.box.left, other.box.left), min(one.box.top, other.box.top)
    right, bottom = max(one.box.right, other.box.right), max(one.box.bottom, other.box.bottom)
    sure = min(one.confidence, other.confidence)
    box = Box("text", left, top, right - left, bottom - top, sure, "ocr")
    return Line(f"{one.text.strip()} {other.text.strip()}", box, sure, height=one.height)


def _like_a_plate(rgb: Picture, line: Line) -> bool:
    """Dark signs on a ground that is light all over, or the reverse: two tones, and the ground has the most."""
    import cv2
    import numpy as np

    left, top, right, bottom = line.box.pixels(rgb.shape[1], rgb.shape[0])
    grey = cv2.cvtColor(rgb[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    if min(grey.shape) < 6:
        return False
    _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = grey[mask > 0]
    if not 0 < light.size < grey.size:
        return False
    contrast = float(np.median(light)) - float(np.median(grey[mask == 0]))
    return contrast >= 30 and 0.35 <= light.size / grey.size <= 0.9


@cache
def _cascade() -> Any:
    import cv2

    cv2.setNumThreads(1)
    return cv2.CascadeClassifier(str(weights("cv2", "data/haarcascade_russian_plate_number.xml")))


def _by_cascade(rgb: Picture) -> list[Box]:
    import cv2

    scale = min(_CASCADE / max(rgb.shape[:2]), 1.0)
    grey = cv2.resize(
        cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
    )
    height, width = grey.shape
    found, _, weighed = _cascade().detectMultiScale3(
        grey, scaleFactor=1.2, minNeighbors=3, minSize=(45, 15), outputRejectLevels=True
    )
    order = sorted(range(len(found)), key=lambda index: -float(weighed[index]))[:8]
    return [
        Box.of_pixels("plate", (x, y, x + w, y + h), (width, height), 0.5, "cascade")
        for x, y, w, h in (found[index].tolist() for index in order)
    ]
