"""One look at a picture: everything in it that is nobody's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import faces, plates, words
from .boxes import Box
from .cover import cover

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[Any]


UNREAD_HIGHEST = 0.03
"""Height in shares of the picture's up to which a line that nothing could be read of counts as text."""


@dataclass(frozen=True, slots=True)
class Look:
    """`lines` of text of which `text_share` is the share of the picture's area, 0..1; `left` are the faces that a second
    network still sees after covering."""

    boxes: tuple[Box, ...]
    lines: int
    text_share: float
    left: tuple[Box, ...]


def look(rgb: Picture, find: words.Find) -> Look:
    """Find faces, plates and private text. `find` tells what the text policy hides in a text: start, end, kind."""
    seen = faces.find(rgb)
    lines = words.read(rgb)
    # A badge on a jacket is text; the pattern of a face that is taken for text is none.
    signs = plates.find(rgb, lines)
    private = [
        box
        for box in words.private(lines, find)
        if not any(box.shared(plate) >= 0.7 * box.area for plate in signs)
    ]
    boxes = (*seen, *signs, *private)
    # What could not be read counts where it is small, as on a letter; a large pattern without a letter is no text.
    written = [line for line in lines if line.text or line.height < UNREAD_HIGHEST]
    share = min(sum(line.box.area for line in written), 1.0)
    return Look(boxes, len(written), share, tuple(check(cover(rgb, boxes), boxes)))


def check(covered: Picture, boxes: tuple[Box, ...]) -> list[Box]:
    """Faces that a second network still sees in a picture that was covered with these boxes, where faces were."""
    return faces.seen_by_second(covered, [box for box in boxes if box.kind == "face"])


def load() -> None:
    """Load every network, so that processes forked from this one share them."""
    for module in (faces, plates, words):
        module.load()
