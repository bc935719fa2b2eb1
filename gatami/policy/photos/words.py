"""Text in a picture: where it stands, what it says, and which of it is nobody's business.

PP-OCRv6 (Apache-2.0) finds the lines (Liao et al., arXiv:1911.08947) and reads them. It knows æ, ø and å, mixes them
up with each other or drops them, and joins or cuts words; what it read is therefore judged in several forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from .boxes import Box
from .networks import session, spans, weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[Any]
    Quad = NDArray[Any]

Find = Callable[[str], Iterable[tuple[int, int, str]]]
"""What the text policy hides in a text: start, end, kind."""

_OF_WHAT_IS_WRITTEN: Final = frozenset({"HEALTH", "SPECIAL", "FAMILY", "ABUSE", "UNREAD"})
"""What is said on a wall or a poster is often the fault itself; whoever it names is covered all the same."""
_OF_A_PLACE: Final = frozenset({"ADDRESS"})
"""A sign with a street and a number says where the fault is, unless somebody's name stands beside it."""
LONGEST: Final = 1152
"""Longest side in which lines are looked for; they are read in the full picture."""
MOST: Final = 40
"""Lines that are read; a picture with more of them is a document or a screen, and the rest is counted."""
LEGIBLE: Final = 0.5
"""Mean of the characters' probabilities from which on a line counts as read."""
_TEXT_AT, _LINE_AT = 0.3, 0.45
_HIGH = 48
_AT_ONCE = 1600
_TILE, _OVERLAP = 640, 64


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: what was read, where, how surely (0..1).

    `middles` gives for each character how far along the line it stands, 0..1; `along` where the line begins and ends,
    as x and y in shares of the picture. Where nothing could be read, `text` is empty.
    """

    text: str
    box: Box
    confidence: float
    middles: tuple[float, ...] = ()
    along: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    height: float = 0.0
    """Of the letters' row, in shares of the picture's height."""
    aspect: float = 0.0
    """The line's length over its height."""


def read(rgb: Picture) -> list[Line]:
    """The lines of an upright picture; those that stand sideways or upside down are read too."""
    import numpy as np

    height, width = rgb.shape[:2]
    # Wide lines first, since a single sign tells nothing of anybody; among them the highest letters.
    quads = sorted(_quads(rgb), key=lambda quad: (_sides(quad)[0] < 1.2 * _sides(quad)[1], -_sides(quad)[1]))
    strips = [_strip(rgb, quad) for quad in quads[:MOST]]
    texts = _recognized(strips)
    doubtful = [index for index, (text, sure, _) in enumerate(texts) if 0.1 < sure < 0.8 and len(text) > 2][
        :8
    ]
    turned = _recognized([np.ascontiguousarray(strips[index][::-1, ::-1]) for index in doubtful])
    upside_down = set()
    for index, again in zip(doubtful, turned, strict=True):
        if again[1] > texts[index][1] + 0.1 and again[1] >= LEGIBLE:
            texts[index] = again
            upside_down.add(index)
    lines = []
    for index, quad in enumerate(quads):
        text, sure, middles = texts[index] if index < MOST else ("", 0.0, ())
        long, high = _sides(quad)
        corners = (quad[:, 0].min(), quad[:, 1].min(), quad[:, 0].max(), quad[:, 1].max())
        begin, end = (quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2
        size = np.array([width, height])
        if index in upside_down:
            begin, end = end, begin
        legible = sure >= LEGIBLE
        lines.append(
            Line(
                text if legible else "",
                Box.of_pixels("text", tuple(corners), (width, height), sure, "ocr"),
                sure,
                middles if legible else (),
                tuple(float(at) for at in (*begin / size, *end / size)),
                high / height,
                long / max(high, 1.0),
            )
        )
    return lines


def read_in(rgb: Picture, box: Box) -> tuple[str, float]:
    """One line that fills the box: its text and how surely it was read."""
    left, top, right, bottom = box.pixels(rgb.shape[1], rgb.shape[0])
    ((text, sure, _),) = _recognized([rgb[top:bottom, left:right]])
    return text, sure


def load() -> None:
    """Load the networks, so that processes forked from this one share them."""
    _finder()
    _reader()


# -- what is private ---------------------------------------------------------------------------------------------------


def private(lines: list[Line], find: Find) -> list[Box]:
    """Boxes over the parts of lines that the text policy hides.

    Lines are judged alone, and together with those that stand under each other as on a sign or a mailbox, so that
    'Kontakt' over '912 34 567' is understood.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for block in _blocks([index for index, line in enumerate(lines) if line.text], lines):
        starts, text = [], ""
        for index in block:
            starts.append(len(text))
            text += lines[index].text + "\n"
        for judged, places in _forms(text.rstrip("\n")):
            hidden = [one for one in find(judged) if one[2] not in _OF_WHAT_IS_WRITTEN]
            somebody = any(kind not in _OF_A_PLACE for _, _, kind in hidden)
            for start, end, kind in hidden:
                if not 0 <= start < end <= len(places) or (kind in _OF_A_PLACE and not somebody):
                    continue
                first, last = places[start], places[end - 1] + 1
                for index, begin in zip(block, starts, strict=True):
                    length = len(lines[index].text)
                    if first < begin + length and last > begin:
                        found.setdefault(index, []).append((max(first - begin, 0), min(last - begin, length)))
    return [
        _part(lines[index], start, end)
        for index, ends in sorted(found.items())
        for start, end in _joined(ends)
    ]


def _joined(ends: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ends):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _forms(text: str) -> list[tuple[str, list[int]]]:
    """The text as read, and with words cut where they were joined: each with the place of each of its characters in the
    text as read."""
    plain = list(range(len(text)))
    forms = [(text, plain)]
    cut = ""
    places: list[int] = []
    for index, character in enumerate(text):
        before = text[index - 1] if index else " "
        joined = (before.islower() and character.isupper()) or (before.isalpha() and character.isdigit())
        joined = joined or (
            before in ".,:;" and character.isalnum() and not (index > 1 and text[index - 2].isdigit())
        )
        if joined and not re.search(r"[@/]", text):
            cut += " "
            places.append(index)
        cut += character
        places.append(index)
    if cut != text:
        forms.append((cut, places))
    return forms


def _blocks(readable: list[int], lines: list[Line]) -> list[list[int]]:
    """Lines that stand under or beside each other in letters of like height, in reading order."""
    blocks: list[list[int]] = []
    for index in sorted(readable, key=lambda one: (lines[one].box.top, lines[one].box.left)):
        box, high = lines[index].box, lines[index].height
        for block in blocks:
            last, above = lines[block[-1]].box, lines[block[-1]].height
            alike = 0.5 <= high / max(above, 1e-6) <= 2
            under = box.top - last.bottom < 1.2 * high and min(box.right, last.right) > max(
                box.left, last.left
            )
            level = min(box.bottom, last.bottom) - max(box.top, last.top) > 0.5 * min(high, above)
            beside = level and -0.2 * high < box.left - last.right < 3 * high
            if alike and (under or beside):
                block.append(index)
                break
        else:
            blocks.append([index])
    return blocks


def _part(line: Line, start: int, end: int) -> Box:
    """The box over some characters of a line."""
    if (start <= 0 and end >= len(line.text)) or len(line.middles) != len(line.text):
        return line.box
    middles = line.middles
    begin = (middles[start - 1] + middles[start]) / 2 if start > 0 else 0.0
    finish = (middles[end - 1] + middles[end]) / 2 if end < len(middles) else 1.0
    x1, y1, x2, y2 = line.along
    # A half of a letter's row more on either side, since the reader's places are those of its steps, not of ink.
    xs = sorted((x1 + (x2 - x1) * begin, x1 + (x2 - x1) * finish))
    ys = sorted((y1 + (y2 - y1) * begin, y1 + (y2 - y1) * finish))
    box = line.box
    if abs(x2 - x1) * box.height >= abs(y2 - y1) * box.width * 0.5 and box.width >= box.height * 0.5:
        slack = 0.01 * box.width
        left, right = max(xs[0] - slack, box.left), min(xs[1] + slack, box.right)
        top, bottom = max(ys[0] - line.height * 0.75, box.top), min(ys[1] + line.height * 0.75, box.bottom)
    else:
        left, right = box.left, box.right
        top, bottom = max(ys[0] - 0.01 * box.height, box.top), min(ys[1] + 0.01 * box.height, box.bottom)
    if right <= left or bottom <= top:
        return box
    return Box("text", left, top, right - left, bottom - top, line.confidence, "ocr")


# -- finding lines -----------------------------------------------------------------------------------------------------


@cache
def _finder() -> Any:
    return session(weights("rapidocr", "models/PP-OCRv6_det_small.onnx").read_bytes())


def _quads(rgb: Picture) -> list[Quad]:
    """Four corners a line, in pixels of the picture: where it begins above, where it ends above, below, below."""
    import cv2
    import numpy as np

    height, width = rgb.shape[:2]
    scale = min(LONGEST / max(height, width), 2.0)
    small = cv2.resize(
        rgb,
        (max(round(width * scale), 8), max(round(height * scale), 8)),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    map_ = _text_map(small)
    contours, _ = cv2.findContours((map_ > _TEXT_AT).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    quads = []
    for contour in contours:
        (x, y), (wide, high), angle = cv2.minAreaRect(contour)
        if min(wide, high) < 3:
            continue
        left, top, w, h = cv2.boundingRect(contour)
        inside = np.zeros((h, w), dtype=np.uint8)
        cv2.drawContours(inside, [contour - (left, top)], -1, 1, -1)
        if cv2.mean(map_[top : top + h, left : left + w], inside)[0] < _LINE_AT:
            continue
        # The network marks a line's core; its text reaches further out by this.
        out = wide * high * 1.6 / (2 * (wide + high))
        corners = cv2.boxPoints(((x, y), (wide + 2 * out, high + 2 * out), angle)) / scale
        quads.append(_in_order(corners))
    return quads


def _text_map(rgb: Picture) -> NDArray[np.float32]:
    """How likely each pixel belongs to text. In tiles, which stay in the processor's cache."""
    import cv2
    import numpy as np

    height, width = rgb.shape[:2]
    whole = np.zeros((height, width), dtype=np.float32)
    for top, bottom in spans(height, _TILE, _OVERLAP):
        for left, right in spans(width, _TILE, _OVERLAP):
            high, wide = bottom - top, right - left
            tile = cv2.copyMakeBorder(
                rgb[top:bottom, left:right], 0, -high % 32, 0, -wide % 32, cv2.BORDER_REPLICATE
            )
            batch = tile[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1
            found = _finder().run(None, {"x": batch})[0][0, 0, :high, :wide]
            part = whole[top:bottom, left:right]
            np.maximum(part, found, out=part)
    return whole


def _in_order(corners: Quad) -> Quad:
    """Clockwise from where the line begins above; a line that stands on end begins below."""
    import numpy as np

    by_x = corners[np.argsort(corners[:, 0])]
    left, right = by_x[:2][np.argsort(by_x[:2, 1])], by_x[2:][np.argsort(by_x[2:, 1])]
    quad = np.array([left[0], right[0], right[1], left[1]], dtype=np.float32)
    long, high = _sides(quad)
    return np.roll(quad, 1, axis=0) if high > 1.5 * long else quad


def _sides(quad: Quad) -> tuple[float, float]:
    import numpy as np

    return float(np.linalg.norm(quad[0] - quad[1])), float(np.linalg.norm(quad[0] - quad[3]))


def _strip(rgb: Picture, quad: Quad) -> Picture:
    """The line laid flat, in the reader's height."""
    import cv2
    import numpy as np

    long, high = _sides(quad)
    wide = min(max(round(_HIGH * long / max(high, 1.0)), 16), 1600)
    flat = np.array([[0, 0], [wide, 0], [wide, _HIGH], [0, _HIGH]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad, flat)
    return cv2.warpPerspective(
        rgb, matrix, (wide, _HIGH), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


# -- reading lines -----------------------------------------------------------------------------------------------------


@cache
def _reader() -> tuple[Any, list[str]]:
    loaded = session(weights("rapidocr", "models/PP-OCRv6_rec_small.onnx").read_bytes())
    characters = loaded.get_modelmeta().custom_metadata_map["character"].split("\n")
    return loaded, ["", *characters, " "]


def _recognized(strips: list[Picture]) -> list[tuple[str, float, tuple[float, ...]]]:
    """Text, mean probability and the characters' places along the strip, for each."""
    import cv2
    import numpy as np

    out: list[tuple[str, float, tuple[float, ...]]] = [("", 0.0, ())] * len(strips)
    if not strips:
        return out
    loaded, characters = _reader()
    sized = []
    for index, strip in enumerate(strips):
        wide = min(max(round(strip.shape[1] * _HIGH / strip.shape[0]), 16), 1600)
        sized.append((index, cv2.resize(strip, (wide, _HIGH)) if strip.shape[:2] != (_HIGH, wide) else strip))
    sized.sort(key=lambda one: one[1].shape[1])
    while sized:
        # The reader answers with the likelihood of 18,710 signs at each eighth pixel: wide lines are read one by one.
        number = next(
            (n for n in range(min(6, len(sized)), 1, -1) if n * sized[n - 1][1].shape[1] <= _AT_ONCE), 1
        )
        some, sized = sized[:number], sized[number:]
        widest = max(-(-some[-1][1].shape[1] // 32) * 32, 160)
        batch = np.zeros((len(some), 3, _HIGH, widest), dtype=np.float32)
        for row, (_, strip) in enumerate(some):
            batch[row, :, :, : strip.shape[1]] = strip[:, :, ::-1].transpose(2, 0, 1) / np.float32(127.5) - 1
        probable = loaded.run(None, {"x": batch})[0]
        best, sure = probable.argmax(axis=2), probable.max(axis=2)
        for row, (index, strip) in enumerate(some):
            steps = np.nonzero((best[row] > 0) & (np.diff(best[row], prepend=0) != 0))[0]
            if not len(steps):
                continue
            share = (steps + 0.5) / best.shape[1] * widest / strip.shape[1]
            text = [characters[best[row, step]] for step in steps]
            middles = [min(float(at), 1.0) for at in share]
            # Some of the network's signs are of two characters; each keeps a place of its own.
            spread = [at for character, at in zip(text, middles, strict=True) for _ in character]
            out[index] = ("".join(text), float(sure[row, steps].mean()), tuple(spread))
    return out
