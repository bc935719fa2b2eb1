"""Runs of digits: rows of groups with nothing but separators between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

from . import nearby

_SEPARATOR = r"[ .\-–—/\n\t()*·•|~_]"
_SEVEN = re.compile(rf"[0-9](?:{_SEPARATOR}{{0,4}}[0-9]){{6,}}")
_FIVE = re.compile(rf"[0-9](?:{_SEPARATOR}{{0,4}}[0-9]){{4,}}")
_GROUP = re.compile(r"[0-9]+")
_REACH = 52


class Run:
    """A finding in it is always made of whole groups, so that no part of a longer number is taken for a number of its own."""

    __slots__ = ("_after", "_told", "ends", "groups", "held", "starts", "text")

    def __init__(self, text: str, spans: list[tuple[int, int]]) -> None:
        self.text = text
        self.starts = [start for start, _ in spans]
        self.ends = [end for _, end in spans]
        self.groups = [text[start:end] for start, end in spans]
        self.held = [0, *accumulate(map(len, self.groups))]
        self._after = {held: i for i, held in enumerate(self.held)}
        self._told: tuple[int, list[int]] = (-1, [])

    def upto(self, first: int, digits: int) -> int:
        """The group after those that hold exactly so many digits from `first` on, 0 where none end there."""
        return self._after.get(self.held[first] + digits, 0)

    def digits(self, first: int, after: int) -> str:
        return "".join(self.groups[first:after])

    def shape(self, first: int, after: int) -> str:
        return " ".join([str(len(group)) for group in self.groups[first:after]])

    def gap(self, i: int) -> str:
        """What stands between a group and the one before it."""
        return self.text[self.ends[i - 1] : self.starts[i]]

    def told(self, i: int) -> list[int]:
        """What the words before a group tell of it."""
        if self._told[0] != i:
            self._told = i, nearby.before(self.text, self.starts[i], _REACH)
        return self._told[1]


def runs(text: str, *, short: bool) -> Iterator[Run]:
    """The runs of seven digits and more, or of five, without those in the address of a page or the name of a file."""
    for match in (_FIVE if short else _SEVEN).finditer(text):
        if (
            match.start() == 0
            or text[match.start() - 1] in " \n\t(+:"
            or not _in_address(text, match.start())
        ):
            yield Run(text, [group.span() for group in _GROUP.finditer(text, match.start(), match.end())])


def _in_address(text: str, at: int) -> bool:
    first = max(0, at - 80)
    begin = max(text.rfind(" ", first, at), text.rfind("\n", first, at), first - 1)
    glued = text[begin + 1 : at]
    if ("/" in glued and any(map(str.isalpha, glued))) or "_" in glued:
        return True
    return "=" in glued and any(mark in glued for mark in "?&")
