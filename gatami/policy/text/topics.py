"""The words and phrases that speak of health, belief, crime, family or contempt, from the lists in `policy/words/`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from .lexicon import lines

FILES = ("health", "special", "family", "abuse")

Tail = tuple[str, ...]


@dataclass(slots=True)
class Topics:
    exact: dict[str, set[str]] = field(default_factory=dict)
    prefix: dict[str, set[str]] = field(default_factory=dict)
    suffix: dict[str, set[str]] = field(default_factory=dict)
    phrases: dict[str, list[tuple[Tail, str]]] = field(default_factory=dict)
    phrase_prefix: dict[str, list[tuple[Tail, str]]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def topics() -> Topics:
    out = Topics()
    for name in FILES:
        section = ""
        for line in lines(f"{name}.txt"):
            entry = line.strip()
            if entry.startswith("["):
                section = f"{name}.{entry.strip('[]')}"
            elif entry:
                _add(out, entry.casefold(), section)
    return out


def _add(out: Topics, entry: str, flag: str) -> None:
    first, *tail = entry.split()
    if tail:
        target = out.phrase_prefix if first.endswith("*") else out.phrases
        target.setdefault(first.rstrip("*"), []).append((tuple(tail), flag))
    elif entry.endswith("*"):
        out.prefix.setdefault(entry[:-1], set()).add(flag)
    elif entry.startswith("*"):
        out.suffix.setdefault(entry[1:], set()).add(flag)
    else:
        out.exact.setdefault(entry, set()).add(flag)


_FILLERS = frozenset(
    [
        "så",
        "veldig",
        "svært",
        "ganske",
        "litt",
        "sabla",
        "ekstremt",
        "very",
        "so",
        "really",
        "heilt",
        "helt",
        "mye",
        "jo",
        "nesten",
        "itj",
        "visst",
        "også",
        "faktisk",
        "altså",
        "alltid",
        "ofte",
        "stadig",
        "både",
        "nå",
        "no",
        "also",
        "ikke",
        "ikkje",
        "kun",
        "fortsatt",
        "framleis",
        "flere",
    ]
)


@dataclass(frozen=True, slots=True)
class Topic:
    flags: frozenset[str]
    phrases: tuple[tuple[Tail, str], ...]
    seconds: frozenset[str]  # What may stand second in a phrase; empty where a beginning is enough.

    def may_start(self, following: str) -> bool:
        return not self.seconds or following in self.seconds or following in _FILLERS


@lru_cache(maxsize=60_000)
def topic(lower: str) -> Topic | None:
    lists = topics()
    flags: set[str] = set(lists.exact.get(lower, ()))
    phrases = list(lists.phrases.get(lower, ()))
    for cut in range(2, min(len(lower), 24) + 1):
        head, tail = lower[:cut], lower[-cut:]
        if head in lists.prefix:
            flags |= lists.prefix[head]
        if head in lists.phrase_prefix:
            phrases += lists.phrase_prefix[head]
        if tail in lists.suffix:
            flags |= lists.suffix[tail]
    if not flags and not phrases:
        return None
    seconds = frozenset(tail[0] for tail, _ in phrases)
    return Topic(
        frozenset(flags),
        tuple(sorted(phrases)),
        frozenset() if any(second.endswith("*") for second in seconds) else seconds,
    )


def phrase_end(words: list[str], start: int, tail: Tail) -> int:
    """The index of the last word of a phrase that begins at start, or -1."""
    at = start
    count = len(words)
    for wanted in tail:
        at += 1
        if at >= count:
            return -1
        word = words[at]
        if word != wanted and word in _FILLERS and at + 1 < count:
            # 'Ser veldig dårlig', 'er visst dømt': words of degree do not break a phrase.
            at += 1
            word = words[at]
        if wanted.endswith("*"):
            if not word.startswith(wanted[:-1]):
                return -1
        elif word != wanted:
            return -1
    return at
