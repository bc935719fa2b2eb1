"""What was changed between two texts, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

_WORDS = re.compile(r"\[[^\[\]]*\]\s*|[^\s\[]+\s*|\[\s*|\s+")


def differences(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Pieces of both texts in their order: `same`, `out` (only before) or `in` (only after). A mask is one word."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    for act, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if act == "equal":
            yield "same", "".join(old[start:end])
            continue
        if end > start:
            yield "out", "".join(old[start:end])
        if last > first:
            yield "in", "".join(new[first:last])
