"""The words of a text, with all that the lists say about each: read once, asked by every rule."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, compress
from typing import NamedTuple

from .forms import MASKED, NO_CLASS
from .forms import form as seen_form
from .identifiers import speaks_of
from .lexicon import TOKEN, Word, word
from .name_cues import ABBREVIATION, cues
from .topics import Topic, topic
from .weights import Form

BLANK = Word(0, 0, False, False, False, "-")  # The entry of numbers and punctuation.

_PIECE = re.compile(rf"(?:{TOKEN.pattern})\s*")
_STOPS = frozenset(".!?:;…")
_OPENERS = frozenset("-–—\"«»'(“”•*>)]")
_INSIDE, _STOP, _OPENER, _SHORT = 0, 1, 2, 3

ARTICLES_WRITTEN_ON = ("n'", "n’", "a'", "a’")


@dataclass(slots=True)
class Tokens:
    """The words of a text with what the lists say about each."""

    text: str
    words: list[str]
    starts: list[int]
    lower: list[str]
    entries: list[Word]
    capital: list[bool]
    first: list[bool]  # Starts a sentence or a line.
    marks: list[Topic | None]
    spoken: list[int]
    cues: list[int]  # Three more places at the end, which also are what stands before the first word.
    maybe: list[int]  # The places of words that may be names by their form.
    stops: list[int]  # The places of marks that may end a sentence.
    forms: list[Form]  # As the weights see words in small letters by themselves.

    def end(self, i: int) -> int:
        return self.starts[i] + len(self.words[i])


class _Known(NamedTuple):
    """All that is to be known of a word by itself."""

    lower: str
    entry: Word
    capital: bool
    mark: Topic | None
    edge: int  # Whether it ends a sentence, may stand before the first word of one, or is cut short by a full stop.
    spoken: int  # Speaks of numbers (1) or of social media (2).
    cues: int
    maybe: bool
    form: Form


@lru_cache(maxsize=60_000)
def _known(form: str) -> _Known:
    lower = form.lower()
    if not form[0].isalpha():
        edge = _STOP if form in _STOPS else _OPENER if form in _OPENERS else _INSIDE
        return _Known(
            lower, BLANK, False, None, edge, 0, cues(lower), False, seen_form(lower, False, NO_CLASS)
        )
    # The dialect writes its articles before a name without a space: n'Ola.
    bare = lower[2:] if lower.startswith(ARTICLES_WRITTEN_ON) else lower
    entry, parts, mark = word(bare), cues(lower), topic(lower)
    # Counted from the front: a capital İ has two characters in lower case.
    capital = form[len(lower) - len(bare)].isupper()
    edge = _SHORT if parts & ABBREVIATION else _INSIDE
    # In small letters only what the lists know as a name first; 'stein' and 'liv' are names in capitals.
    small = entry.given > 1 or entry.surname > 1
    small = small and len(form) > 1
    maybe = len(form) > 1 if capital else small
    # A word in capitals is seen as its place has it, which is not known yet.
    seen = MASKED if capital else seen_form(lower, False, mark.classes if mark else NO_CLASS)
    return _Known(lower, entry, capital, mark, edge, speaks_of(lower), parts, maybe, seen)


def tokens(text: str) -> Tokens:
    # Each piece is a word with the blanks behind it, so that the lengths tell where words begin.
    pieces = _PIECE.findall(text)
    lead = len(text) - len(text.lstrip())
    words = list(map(str.rstrip, pieces))
    starts = list(accumulate(map(len, pieces), initial=lead))[:-1]
    known = list(map(_known, words))
    if not known:
        return Tokens(text, [], [], [], [], [], [], [], [], [0, 0, 0], [], [], [])
    lower, entries, capital, marks, edges, spoken, parts, maybe, forms = map(list, zip(*known, strict=True))
    count = range(len(words))
    edged = list(compress(count, edges))
    return Tokens(
        text,
        words,
        starts,
        lower,
        entries,
        capital,
        _firsts(text, starts, edges, edged),
        marks,
        list(filter(None, spoken)),
        [*parts, 0, 0, 0],
        list(compress(count, maybe)),
        [i for i in edged if edges[i] == _STOP],
        forms,
    )


def _firsts(text: str, starts: list[int], edges: list[int], edged: list[int]) -> list[bool]:
    """Which words start a sentence or a line."""
    firsts = [False] * (len(starts) + 1)
    firsts[0] = True
    for i in edged:
        edge = edges[i]
        if (edge == _STOP and not (i and edges[i - 1] == _SHORT)) or (edge == _OPENER and firsts[i]):
            firsts[i + 1] = True
    firsts.pop()
    if "\n" in text:
        at = text.find("\n")
        while at >= 0:
            i = bisect_right(starts, at)
            if i == len(starts):
                break
            firsts[i] = True
            at = text.find("\n", starts[i])
    return firsts
