"""Boxes made unrecognisable for good.

A box is filled with a few blocks: the mean colour of the whole box, a fifth of the difference that each block's own mean
makes, and noise from the system's source of randomness. What is left of a face are some sixty numbers of which the noise
drowns the lowest bits, so that neither sharpening nor guessing from known pictures (Hill et al., PoPETs 2016, on mosaics)
leads back; with plain blurring or fine mosaics it does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from .boxes import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[Any]

_GROWN: Final = {"face": (0.25, 0.3), "plate": (0.04, 0.08), "text": (0.02, 0.06), "drawn": (0.0, 0.0)}
"""Kind → by which shares of its width and height a box is covered wider than it was found, on each side. A face takes brow, ears
and chin with it: a smooth patch in the middle of a head is still taken for a face, by its surroundings."""
_ACROSS: Final = {"face": 4, "plate": 3, "text": 3, "drawn": 4}
"""Blocks along the shorter side of a face, along the longer side of the rest."""
_OWN_COLOUR: Final = 0.2
_NOISE, _GRAIN = 9.0, 2.5
"""Standard deviation of the noise of a block, and of a pixel, in levels of 255."""


def cover(rgb: Picture, boxes: Iterable[Box]) -> Picture:
    """A copy in which nothing of the boxes' content is left. Two calls never give the same pixels."""
    import numpy as np

    covered = rgb.copy()
    height, width = rgb.shape[:2]
    random = np.random.Generator(np.random.PCG64(int.from_bytes(os.urandom(32))))
    # The largest first: a small box inside of a large one would else tell the large one's blocks its own colours.
    for box in sorted(boxes, key=lambda one: -one.area):
        left, top, right, bottom = box.grown(*_GROWN[box.kind]).pixels(width, height)
        _fill(covered, left, top, right, bottom, _ACROSS[box.kind], random)
    return covered


def _fill(
    picture: Picture, left: int, top: int, right: int, bottom: int, across: int, random: np.random.Generator
) -> None:
    """Replace every pixel of the rectangle, and let its edge fade into what lies around it."""
    import cv2
    import numpy as np

    wide, high = right - left, bottom - top
    columns, rows = max(round(across * min(wide / high, 1)), 1), max(round(across * min(high / wide, 1)), 1)
    within = picture[top:bottom, left:right].astype(np.float32)
    blocks = cv2.resize(within, (columns, rows), interpolation=cv2.INTER_AREA).reshape(rows, columns, 3)
    mean = within.mean(axis=(0, 1))
    blocks = mean + _OWN_COLOUR * (blocks - mean) + random.normal(0, _NOISE, (rows, columns, 1))
    # Around the rectangle the blocks go on for a tenth and fade; inside of it nothing shines through.
    fade = max(round(0.08 * min(wide, high)), 1)
    outer = (
        max(left - fade, 0),
        max(top - fade, 0),
        min(right + fade, picture.shape[1]),
        min(bottom + fade, picture.shape[0]),
    )
    x = np.clip((np.arange(outer[0], outer[2]) - left) * columns // wide, 0, columns - 1)
    y = np.clip((np.arange(outer[1], outer[3]) - top) * rows // high, 0, rows - 1)
    filled = blocks[y[:, None], x[None, :]]
    filled = filled + random.normal(0, _GRAIN, (*filled.shape[:2], 1))
    opaque = np.minimum(
        _opacity(np.arange(outer[1], outer[3]), top, bottom, fade)[:, None],
        _opacity(np.arange(outer[0], outer[2]), left, right, fade)[None, :],
    )[..., None]
    around = picture[outer[1] : outer[3], outer[0] : outer[2]]
    around[:] = np.clip(around * (1 - opaque) + filled * opaque, 0, 255).astype(np.uint8)


def _opacity(at: NDArray[np.int_], first: int, last: int, fade: int) -> NDArray[np.float64]:
    """1 from `first` up to `last`, down to 0 at `fade` pixels outside."""
    import numpy as np

    outside = np.maximum(np.maximum(first - at, at - (last - 1)), 0)
    return 1 - np.minimum(outside / (fade + 1), 1)
