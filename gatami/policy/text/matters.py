"""What is said about people: health, belief, crime, family, contempt.

A word alone decides nothing: 'rullestolbrukere kommer ikke fram' is about a road. Trained weights read each sentence with all that
the lists know of its words (what they mean, whom they stand for, their grammar) and say where a private matter begins and ends.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, pairwise
from math import exp

from .forms import MARK, MASKED, NO_CLASS, form
from .identifiers import Hit
from .lexicon import WORDS
from .normal import HOLE
from .people import Tokens
from .reasons import REASONS
from .weights import OUTSIDE, Chain, Form

KINDS = ("HEALTH", "SPECIAL", "FAMILY", "ABUSE")
# Each matter has a label for its first word, one for its last, and one for those between; a matter of one word has the first.
FIRST, BETWEEN, LAST = "first", "between", "last"
LABELS = (OUTSIDE, *(f"{place} {kind}" for kind in KINDS for place in (FIRST, BETWEEN, LAST)))
# A matter must be clearly likelier than nothing; how far it stretches is judged more freely, since half a clause hides nothing.
FAVOUR_FINDING = -0.2
FAVOUR_STRETCH = 0.5
THREAT = "abuse.threat"
_ALL = range(len(KINDS))
_ENDS = frozenset(".!?…")
_LONGEST_SENTENCE = 90
_LINE_END = re.compile("\n")


@dataclass(slots=True)
class Reading:
    """A text as the weights see it: word by word, and what is hidden already as one word, whatever stood there.

    So a name and its mask read alike, and what was read once need not be read again beside masks.
    """

    found: Tokens
    forms: list[Form]
    places: Sequence[int]  # Of each form the place of its word, or of the first word that it hides.
    classes: dict[int, frozenset[str]]  # By the place of the word, where there are any.
    sentences: list[tuple[int, int]]

    @property
    def spans(self) -> list[tuple[int, int]]:
        starts = self.found.starts
        ends = [place - 1 for place in (*self.places[1:], len(starts))]
        return [(starts[a], self.found.end(b)) for a, b in zip(self.places, ends, strict=True)]


def read(found: Tokens, covered: list[Hit]) -> Reading:
    """`covered` holds what other rules hide: names, numbers, homes."""
    hidden = _hidden(found, covered)
    classes = _classes(found, hidden)
    forms = found.forms.copy()
    lower, capital, first = found.lower, found.capital, found.first
    for i, names in classes.items():
        mark = found.marks[i]
        if capital[i] or mark is None or names is not mark.classes:
            forms[i] = form(lower[i], capital[i] and not first[i], names)
    for i in compress(range(len(forms)), capital):
        if i not in classes:
            forms[i] = form(lower[i], not first[i], NO_CLASS)
    breaks = _breaks(found)
    if not hidden:
        return Reading(found, forms, range(len(forms)), classes, _sentences(forms, breaks))
    # Where two stretches overlap, each hides what it has as one word.
    places = [i for i, (before, here) in enumerate(pairwise([-1, *hidden])) if here < 0 or here != before]
    forms = [forms[i] if hidden[i] < 0 else MASKED for i in places]
    breaks = [bisect_left(places, i) for i in breaks if hidden[i] < 0]
    return Reading(found, forms, places, classes, _sentences(forms, breaks))


def _sentences(forms: list[Form], breaks: list[int]) -> list[tuple[int, int]]:
    """Where sentences begin and end; what is longer than a sentence can be is cut."""
    out: list[tuple[int, int]] = []
    begin = 0
    for last in (*breaks, len(forms) - 1):
        while last - begin >= _LONGEST_SENTENCE:
            end = begin + _LONGEST_SENTENCE + 1
            while end <= last and forms[end - 1] is MASKED:
                end += 1
            out.append((begin, end))
            begin = end
        if begin <= last:
            out.append((begin, last + 1))
            begin = last + 1
    return out


def _hidden(found: Tokens, covered: list[Hit]) -> list[int]:
    """For each word the first word of the hidden stretch that it lies in, -1 for none; empty where nothing is hidden."""
    masked = HOLE in found.text
    if not covered and not masked:
        return []
    starts = found.starts
    out = [-1] * len(starts)
    if masked:
        for i, word in enumerate(found.words):
            if word == HOLE:
                out[i] = i
    for hit in covered:
        i = max(0, bisect_left(starts, hit[0] + 1) - 1)
        i += found.end(i) <= hit[0] if starts else 0
        group = i
        while i < len(starts) and starts[i] < hit[1]:
            out[i] = group
            i += 1
    return out


def _classes(found: Tokens, hidden: list[int]) -> dict[int, frozenset[str]]:
    """The classes of each word that has any, those of phrases with them."""
    out: dict[int, frozenset[str]] = {}
    lower = [*found.lower, " "]
    for i in compress(range(len(found.lower)), found.marks):
        mark = found.marks[i]
        if mark is None or (hidden and hidden[i] >= 0):
            continue
        if mark.classes:
            out[i] = out[i] | mark.classes if i in out else mark.classes
        second = lower[i + 1]
        if second[:2] in mark.heads or second[0] in mark.heads:
            for last, name in mark.phrases_from(lower, i):
                for j in range(i, last + 1):
                    out[j] = out.get(j, NO_CLASS) | {name}
    return {i: names for i, names in out.items() if hidden[i] < 0} if hidden else out


def _breaks(found: Tokens) -> list[int]:
    """The words that end a sentence or a line."""
    words, starts, text = found.words, found.starts, found.text
    out = []
    for i in found.stops:
        form = words[i]
        if form in _ENDS:
            if form == "." and i + 1 < len(words):
                # A full stop inside an abbreviation or a number does not end a sentence.
                glued = starts[i + 1] == starts[i] + 1
                before = words[i - 1] if i else ""
                # 'St. Olavs hospital'.
                short = before in ("St", "st") or (0 < len(before) < 4 and words[i + 1][0].islower())
                if glued or short:
                    continue
            out.append(i)
    if "\n" in text:
        lines = {bisect_left(starts, match.start()) - 1 for match in _LINE_END.finditer(text)}
        out = sorted(lines.union(out) - {-1})
    return out


@lru_cache(maxsize=1)
def _chain() -> Chain:
    return Chain(WORDS / "matters.npz")


def matters(found: Tokens, covered: list[Hit], quiet: set[tuple[Form, ...]]) -> list[Hit]:
    """Clauses that say something private or abusive, in the order of the text.

    `quiet` holds sentences of this text that say nothing, and takes in those that are met: they are not read again when
    the text is, with its masks.
    """
    text = read(found, covered)
    places, told = [], []
    for begin, end in text.sentences:
        sentence = tuple(text.forms[begin:end])
        if sentence not in quiet:
            places.append(begin)
            told.append(sentence)
    if not places:
        return []
    chain = _chain()
    hits: list[Hit] = []
    scored = chain.margins(told)
    quiet.update(told)
    for place, kinds in chain.hopes(scored, FAVOUR_STRETCH).items():
        sentence, begin = told[place], places[place]
        low, high = scored.sentences[place]
        stretches = _stretches(chain, scored.margins[low:high].tolist(), kinds)
        if stretches:
            quiet.discard(sentence)
        for stretch, kind in stretches:
            spoken = [i for i in stretch if sentence[i].sort != MARK and sentence[i] is not MASKED]
            if spoken:
                head, tail = (text.places[begin + i] for i in (spoken[0], spoken[-1]))
                rows = slice(low + spoken[0], low + spoken[-1] + 1)
                sure = scored.margins[rows, 3 * kind : 3 * kind + 3].max(axis=1)
                hits.append(
                    (
                        found.starts[head],
                        found.end(tail),
                        KINDS[kind],
                        _confidence(float(sure.sum()) / len(sure)),
                        _rule(KINDS[kind], [text.classes.get(i, NO_CLASS) for i in range(head, tail + 1)]),
                    )
                )
    return hits


def _stretches(chain: Chain, margins: list[list[float]], among: list[int]) -> list[tuple[range, int]]:
    """The words of each matter in a sentence, and its kind, out of the kinds that it may be."""
    place = chain.reach(margins, FAVOUR_STRETCH, _ALL)
    if place is None:
        return []
    low, high = place
    rows = margins[low:high]

    def best(favour: float, among: list[int]) -> tuple[list[int], list[float]]:
        labels = (0, *[1 + 3 * kind + part for kind in among for part in range(3)])
        found = chain.best(rows, favour, labels, first=low == 0, last=high == len(margins))
        head, tail = found[0][0], found[0][-1]
        if (head and head % 3 != 1) or (tail and tail % 3 == 2):
            # Half a matter at the edge of a sentence counts where a whole one of its kind could stand as well.
            whole = [kind for kind in among if chain.reach(margins, FAVOUR_STRETCH, range(kind, kind + 1))]
            if whole != among:
                return best(favour, whole)
        return found

    wide, gains = best(FAVOUR_STRETCH, among)
    out: list[tuple[range, int]] = []
    sure: list[int] = []
    i, count = 0, len(wide)
    while i < count:
        j = i
        while j + 1 < count and wide[j + 1] and wide[i]:
            j += 1
        if wide[i]:
            labelled = wide[i : j + 1]
            after = gains[j + 1] if j + 1 < count else 0.0
            # What outweighs nothing as a whole is found; else some part of it must do so by itself.
            if sum(gains[i : j + 1]) + after <= (FAVOUR_STRETCH - FAVOUR_FINDING) * len(labelled):
                sure = sure or best(FAVOUR_FINDING, among)[0]
                labelled = [label for label in sure[i : j + 1] if label]
            kinds = Counter((label - 1) // 3 for label in labelled if label)
            if kinds:
                kind = max(kinds, key=lambda kind: (kinds[kind], -kind))
                out.append((range(low + i, low + j + 1), kind))
        i = j + 1
    return out


def _confidence(margin: float) -> float:
    """Between 0.5 and 0.99, by how much the kind outweighs 'nothing' on the mean word."""
    return round(min(0.99, max(0.5, 1 / (1 + exp(-margin)))), 2)


_ORDER = {name: place for place, name in enumerate(REASONS)}


def _rule(kind: str, classes: list[frozenset[str]]) -> str:
    """The class of words that speaks loudest in the stretch, as the reason that a person can follow; a threat before all."""
    topic = kind.lower()
    counts = Counter(
        name for names in classes for name in names if name.startswith(topic) and name in REASONS
    )
    if counts[THREAT] > 1:
        return THREAT
    return min(counts, key=lambda name: (-counts[name], _ORDER[name])) if counts else f"{topic}.sentence"


# Classes whose words stand in every other report and tell nothing by themselves.
_COMMON = frozenset(
    {
        "health.body", "health.carer", "health.outcome", "special.country", "special.police", "special.politics",
        "family.child", "family.kin", "abuse.threat", "abuse.curse", "abuse.group", "abuse.office", "abuse.praise",
        "abuse.beast",
    }
)  # fmt: skip


def left_topics(found: Tokens) -> frozenset[str]:
    """The topics that single words of a text speak of; what a masked text still says, rightly or not."""
    return frozenset(
        name.partition(".")[0]
        for mark in found.marks
        if mark is not None
        for name in mark.classes
        if name not in _COMMON
    )
