"""What words mean: the classes of `policy/words/` (illness, faith, debt, insult …) and the phrases in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from .lexicon import lines

FILES = ("health", "special", "family", "abuse")
ROLES = "roles"  # Words that stand for somebody.

Tail = tuple[str, ...]
Phrase = tuple[Tail, str]
_LETTERS = 3  # Some first words begin hundreds of phrases; so many letters of the second word tell which are looked at.


@dataclass(slots=True)
class _Lists:
    exact: dict[str, set[str]] = field(default_factory=dict)
    beginnings: dict[str, set[str]] = field(default_factory=dict)
    endings: dict[str, set[str]] = field(default_factory=dict)
    phrases: dict[str, list[Phrase]] = field(default_factory=dict)
    phrase_beginnings: dict[str, list[Phrase]] = field(default_factory=dict)

    def add(self, entry: str, name: str) -> None:
        first, *tail = entry.split()
        if tail:
            phrases = self.phrase_beginnings if first.endswith("*") else self.phrases
            phrases.setdefault(first.rstrip("*"), []).append((tuple(tail), name))
        elif entry.endswith("*"):
            self.beginnings.setdefault(entry[:-1], set()).add(name)
        elif entry.startswith("*"):
            self.endings.setdefault(entry[1:], set()).add(name)
        else:
            self.exact.setdefault(entry, set()).add(name)


@lru_cache(maxsize=2)
def _lists(files: tuple[str, ...]) -> _Lists:
    out = _Lists()
    for name in files:
        section = ""
        for line in lines(f"{name}.txt"):
            entry = line.strip()
            if entry.startswith("["):
                section = f"{name}.{entry.strip('[]')}"
            elif entry:
                out.add(entry.casefold(), section)
    return out


@lru_cache(maxsize=8192)
def role(lower: str) -> str:
    """The parts that a word may play for somebody ('i', 'they', 'kin' …), joined; empty for most words."""
    return " ".join(sorted(name.partition(".")[2] for name in _lists((ROLES,)).exact.get(lower, ())))


@dataclass(frozen=True, slots=True)
class Topic:
    """The classes of a word, and the phrases that may begin with it, by the first letters of their second words.

    `heads` holds the first one or two of these letters: by them most words that follow are told to make no phrase.
    """

    classes: frozenset[str]
    phrases: dict[str, tuple[Phrase, ...]]
    heads: frozenset[str]

    def phrases_from(self, lower: list[str], i: int) -> list[tuple[int, str]]:
        """The phrases that begin at word i, which another word follows: where each ends, and its class."""
        second = lower[i + 1]
        out = []
        for cut in range(1, min(len(second), _LETTERS) + 1):
            for tail, name in self.phrases.get(second[:cut], ()):
                last = _end(lower, i, tail)
                if last:
                    out.append((last, name))
        return out


def _end(lower: list[str], start: int, tail: Tail) -> int:
    at = start
    for wanted in tail:
        at += 1
        if at >= len(lower):
            return 0
        if wanted.endswith("*"):
            if not lower[at].startswith(wanted[:-1]):
                return 0
        elif lower[at] != wanted:
            return 0
    return at


@lru_cache(maxsize=60_000)
def topic(lower: str) -> Topic | None:
    lists = _lists(FILES)
    classes: set[str] = set(lists.exact.get(lower, ()))
    phrases = list(lists.phrases.get(lower, ()))
    for cut in range(2, min(len(lower), 24) + 1):
        head, tail = lower[:cut], lower[-cut:]
        if head in lists.beginnings:
            classes |= lists.beginnings[head]
        if head in lists.phrase_beginnings:
            phrases += lists.phrase_beginnings[head]
        if tail in lists.endings:
            classes |= lists.endings[tail]
    if not classes and not phrases:
        return None
    by_second: dict[str, list[Phrase]] = {}
    for phrase in sorted(set(phrases)):
        by_second.setdefault(phrase[0][0].rstrip("*")[:_LETTERS], []).append(phrase)
    return Topic(
        frozenset(classes),
        {start: tuple(found) for start, found in by_second.items()},
        frozenset(start[:2] for start in by_second),
    )
