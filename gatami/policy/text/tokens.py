"""The words of a text, with all that the lists say about each: read once, asked by every rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from .identifiers import speaks_of
from .lexicon import TOKEN, Word, word
from .name_cues import ABBREVIATION, CAPITAL_ONLY, cues
from .topics import Topic, topic

BLANK = Word(0, 0, False, False, False, "-")  # The entry of numbers and punctuation.

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


@lru_cache(maxsize=60_000)
def _known(form: str) -> _Known:
    lower = form.lower()
    if not form[0].isalpha():
        edge = _STOP if form in _STOPS else _OPENER if form in _OPENERS else _INSIDE
        return _Known(lower, BLANK, False, None, edge, 0, cues(lower), False)
    # The dialect writes its articles before a name without a space: n'Ola.
    bare = lower[2:] if lower.startswith(ARTICLES_WRITTEN_ON) else lower
    entry, parts = word(bare), cues(lower)
    # Counted from the front: a capital İ has two characters in lower case.
    capital = form[len(lower) - len(bare)].isupper()
    edge = _SHORT if parts & ABBREVIATION else _INSIDE
    # In small letters only what the lists know as a name first; 'stein' and 'liv' are names in capitals.
    small = entry.given > 1 and len(form) > 2 and not parts & CAPITAL_ONLY
    maybe = len(form) > 1 if capital else small
    return _Known(lower, entry, capital, topic(lower), edge, speaks_of(lower), parts, maybe)


def tokens(text: str) -> Tokens:
    matches = list(TOKEN.finditer(text))
    words = [match[0] for match in matches]
    starts = [match.start() for match in matches]
    known = list(map(_known, words))
    if not known:
        return Tokens(text, [], [], [], [], [], [], [], [], [0, 0, 0], [])
    lower, entries, capital, marks, edges, spoken, parts, maybe = map(list, zip(*known, strict=True))
    return Tokens(
        text,
        words,
        starts,
        lower,
        entries,
        capital,
        _firsts(text, words, starts, edges),
        marks,
        list(filter(None, spoken)),
        [*parts, 0, 0, 0],
        list(compress(range(len(words)), maybe)),
    )


def _firsts(text: str, words: list[str], starts: list[int], edges: list[int]) -> list[bool]:
    """Which words start a sentence or a line."""
    firsts = []
    first = True
    previous = _INSIDE
    for edge in edges:
        firsts.append(first)
        first = (edge == _STOP and previous != _SHORT) or (first and edge == _OPENER)
        previous = edge
    if "\n" in text:
        at = text.find("\n")
        for i, start in enumerate(starts):
            if start > at:
                if i:
                    firsts[i] = True
                at = text.find("\n", start)
                if at < 0:
                    break
    return firsts
