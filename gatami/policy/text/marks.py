"""Labelled texts for tests, measuring and training: `[[KIND:hidden]]` around what should be found."""

from __future__ import annotations

import re

_MARK = re.compile(r"\[\[([A-Z_]+):([^\[\]]+)\]\]")


def parse_marks(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The clean text and its spans, offsets in the clean text."""
    parts: list[str] = []
    spans: list[tuple[int, int, str]] = []
    at = length = 0
    for match in _MARK.finditer(marked):
        before = marked[at : match.start()]
        length += len(before)
        spans.append((length, length + len(match[2]), match[1]))
        parts += [before, match[2]]
        length += len(match[2])
        at = match.end()
    return "".join(parts) + marked[at:], spans
