"""Trained weights: how surely a word is somebody's name, from its form, its neighbours and what the rules say of it.

A logistic regression over features that are names of what is seen. Words that the dictionary does not know count by their
sort only, so that the weights hold no names of their texts. Trained by `policy.build` on NorNE and on our own reports.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp
from typing import NamedTuple

from .lexicon import WORDS, Word, grammar, lexicon, word
from .name_cues import CAPITAL_ONLY
from .name_draft import Draft
from .name_rules import nickname

FILE = "names.weights"


@lru_cache(maxsize=1)
def _weights() -> dict[str, float]:
    rows = (row.rpartition("\t") for row in (WORDS / FILE).read_text(encoding="utf-8").splitlines())
    return {name: float(weight) for name, _, weight in rows}


class Seen(NamedTuple):
    """What the weights see of a word: how it is named to its neighbours, its sort in the lists, its sort in the grammar."""

    name: str
    sort: str
    part: str


@lru_cache(maxsize=60_000)
def seen(form: str) -> Seen:
    if not form[0].isalpha():
        mark = "9" if form.isdigit() else form[0]
        return Seen(mark, mark, mark)
    lower = form.lower()
    shape = "x" if form[0].islower() else "X" if len(form) == 1 else "U" if form.isupper() else "C"
    entry = word(lower[lower.rfind("-") + 1 :] if nickname(form) else lower)
    sort = f"{shape}{entry.code}{'s' if _genitive(lower, entry) else ''}"
    if entry.plain:
        return Seen(lower, sort, f"{shape}{grammar(lower).sorts}")
    return Seen(sort, sort, f"{shape}?")


def _genitive(lower: str, entry: Word) -> bool:
    """Whether a name stands in the genitive."""
    if not (entry.given or entry.surname) or not lower.endswith("s"):
        return False
    return lower not in lexicon().given and lower not in lexicon().surnames


_START = Seen("^", "^", "^")
_END = Seen("$", "$", "$")


def own_features(form: str) -> list[str]:
    """What is seen of a word by itself."""
    sort, lower = seen(form).sort, form.lower()
    entry, shape = word(lower), sort[:1]
    known = entry.plain or entry.given or entry.surname or entry.place
    hyphen = f"-{entry.given}" if "-" in lower else ""
    return [
        f"w{lower}" if known else "w?",
        f"c{sort}",
        f"3{lower[-3:]}{shape}",
        f"4{lower[-4:]}{shape}",
        f"<{lower[:3]}{shape}",
        f"n{min(len(lower), 9)}{shape}{hyphen}",
        f"d{shape}{0 if entry.given else grammar(lower).sorts}{entry.plain}",
    ]


@lru_cache(maxsize=60_000)
def _own(form: str) -> float:
    """What a word weighs by itself."""
    weights = _weights()
    return sum([weights[name] for name in own_features(form) if name in weights])


@lru_cache(maxsize=60_000)
def _near(form: str) -> tuple[Seen, float, float, float, float]:
    """How a word is seen; what it weighs right before and after another word, and two places before and after."""
    weights, looks = _weights(), seen(form)
    before, after, further, beyond = (weights.get(place + looks.name, 0.0) for place in "baBA")
    return looks, before, after, further, beyond


@lru_cache(maxsize=1)
def _edges() -> tuple[float, float, float, float]:
    """What the edges of a sentence weigh."""
    before, after, further, beyond = (_weights().get(name, 0.0) for name in ("b^", "a$", "B^", "A$"))
    return before, after, further, beyond


def _around(d: Draft, i: int) -> tuple[Seen, Seen, Seen, Seen]:
    """The words before and after word i within its sentence, and the ones beyond these."""
    words, first = d.found.words, d.first
    before, after, further, beyond = _START, _END, _START, _END
    if not first[i]:
        before = seen(words[i - 1])
        if not first[i - 1]:
            further = seen(words[i - 2])
    if not first[i + 1]:
        after = seen(words[i + 1])
        if not first[i + 2]:
            beyond = seen(words[i + 2])
    return before, after, further, beyond


def _together(d: Draft, i: int, own: Seen, around: tuple[Seen, Seen, Seen, Seen]) -> list[str]:
    """What is seen of a word and its neighbours together."""
    (before, before_sort, before_part), (after, after_sort, after_part), _, _ = around
    sort, rule = own.sort, d.rule[i]
    start = "1" if d.first[i] else "0"
    cue_before = 0 if start == "1" else d.cue[i - 1]
    cue_after = 0 if after == "$" else d.cue[i + 1]
    return [
        f"q{sort}|{after_sort}",
        f"t{before_sort}|{sort}|{after_sort}",
        f"k{cue_before}|{sort}",
        f"K{cue_after}|{sort}|{start}",
        f"g{start}{sort}|{after_part}",
        f"G{before_part}|{after_part}",
        f"h{start}{after}",
        f"r{rule}|{sort}|{start}",
        f"y{rule}|{before}",
        f"Y{rule}|{after}",
    ]


def features(d: Draft, i: int) -> list[str]:
    """All that is seen of word i, written out for the trainer."""
    around = _around(d, i)
    names = [place + near.name for place, near in zip("baBA", around, strict=True)]
    form = d.found.words[i]
    return own_features(form) + names + _together(d, i, seen(form), around)


def asked(d: Draft) -> list[int]:
    """The words that may be names; not the usual words, unless a rule speaks for them."""
    return [
        i
        for i in d.found.maybe
        if not d.veto[i]
        and (
            d.rule[i]
            or (_uncommon(d.entry[i], d.capital[i]) and (d.capital[i] or not d.cue[i] & CAPITAL_ONLY))
        )
    ]


def _uncommon(entry: Word, capital: bool) -> bool:
    """Not a usual word; in small letters a word that is a surname as well ('bakken', 'dal') is one."""
    return bool(not entry.plain or entry.given > 1 or (capital and (entry.given or entry.surname)))


def sure(d: Draft, i: int) -> float:
    """How surely word i is part of somebody's name, between 0 and 1."""
    words, first, weights = d.found.words, d.first, _weights()
    own, total = seen(words[i]), _own(words[i])
    before, after, further, beyond = _START, _END, _START, _END
    before_weighs, after_weighs, further_weighs, beyond_weighs = _edges()
    if not first[i]:
        before, before_weighs, *_ = _near(words[i - 1])
        if not first[i - 1]:
            further, _, _, further_weighs, _ = _near(words[i - 2])
    if not first[i + 1]:
        after, _, after_weighs, *_ = _near(words[i + 1])
        if not first[i + 2]:
            beyond, *_, beyond_weighs = _near(words[i + 2])
    total += before_weighs + after_weighs + further_weighs + beyond_weighs
    names = _together(d, i, own, (before, after, further, beyond))
    total += sum([weights[name] for name in names if name in weights])
    return 1 / (1 + exp(-max(-30.0, min(30.0, total))))
