"""Where in a picture something is nobody's business."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

KINDS = ("face", "plate", "text", "drawn")
"""What a box covers; `drawn` is one that a person drew."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the upright picture: `left`, `top`, `width` and `height` in shares 0..1 of its sides.

    What lies outside of the picture is cut off. `confidence` is 0..1; `rule` names what found it. Raises ValueError
    for an unknown kind, for anything that is no finite number, and for a box with no area inside of the picture.
    """

    kind: str
    left: float
    top: float
    width: float
    height: float
    confidence: float = 1.0
    rule: str = "person"

    def __post_init__(self) -> None:
        numbers = (self.left, self.top, self.width, self.height, self.confidence)
        if self.kind not in KINDS:
            raise ValueError(f"no such kind of box: {self.kind!r}")
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
            raise ValueError("a box is made of numbers")
        if not all(math.isfinite(number) for number in numbers) or not isinstance(self.rule, str):
            raise ValueError("a box is made of finite numbers and a rule's name")
        left, top = min(max(self.left, 0.0), 1.0), min(max(self.top, 0.0), 1.0)
        right, bottom = min(max(self.right, 0.0), 1.0), min(max(self.bottom, 0.0), 1.0)
        if right <= left or bottom <= top:
            raise ValueError("the box has no area inside of the picture")
        for name, value in (
            ("left", left),
            ("top", top),
            ("width", right - left),
            ("height", bottom - top),
            ("confidence", min(max(float(self.confidence), 0.0), 1.0)),
        ):
            object.__setattr__(self, name, float(value))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The box that `asdict` or a form's JSON describes. Raises ValueError for anything else."""
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError("a box has a kind, left, top, width and height") from error

    @classmethod
    def of_pixels(
        cls,
        kind: str,
        corners: tuple[float, float, float, float],
        size: tuple[int, int],
        confidence: float,
        rule: str,
    ) -> Self:
        """From `corners` (left, top, right, bottom) in pixels of a picture of `size` (width, height)."""
        left, top, right, bottom = (float(corner) for corner in corners)
        width, height = size
        return cls(
            kind,
            left / width,
            top / height,
            (right - left) / width,
            (bottom - top) / height,
            float(confidence),
            rule,
        )

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def area(self) -> float:
        """Share of the picture's area."""
        return self.width * self.height

    def shared(self, other: Box) -> float:
        """The area that both cover, as share of the picture."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def grown(self, sideways: float, upwards: float) -> Box:
        """Larger by these shares of its own width and height on each side."""
        return Box(
            self.kind,
            self.left - self.width * sideways,
            self.top - self.height * upwards,
            self.width * (1 + 2 * sideways),
            self.height * (1 + 2 * upwards),
            self.confidence,
            self.rule,
        )

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in a picture of this size, rounded outwards."""
        return (
            math.floor(self.left * width),
            math.floor(self.top * height),
            min(math.ceil(self.right * width), width),
            min(math.ceil(self.bottom * height), height),
        )

    def asdict(self) -> dict[str, Any]:
        return asdict(self)


def merged(boxes: Iterable[Box], overlap: float = 0.4) -> list[Box]:
    """Boxes of a kind that lie on each other become one, which spans them all and names every rule.

    Two lie on each other where they share `overlap` of the smaller one's area. The result is ordered by confidence.
    """
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda one: -one.confidence):
        spanning = box
        while twin := next((one for one in kept if _on_each_other(one, spanning, overlap)), None):
            kept.remove(twin)
            spanning = _spanning(twin, spanning)
        kept.append(spanning)
    return sorted(kept, key=lambda one: -one.confidence)


def _on_each_other(one: Box, other: Box, overlap: float) -> bool:
    return one.kind == other.kind and one.shared(other) >= overlap * min(one.area, other.area)


def _spanning(one: Box, other: Box) -> Box:
    left, top = min(one.left, other.left), min(one.top, other.top)
    rules = dict.fromkeys((*one.rule.split("+"), *other.rule.split("+")))
    return Box(
        one.kind,
        left,
        top,
        max(one.right, other.right) - left,
        max(one.bottom, other.bottom) - top,
        max(one.confidence, other.confidence),
        "+".join(rules),
    )
