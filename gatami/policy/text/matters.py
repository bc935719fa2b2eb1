"""What is said about people: health, belief, crime, family, contempt.

A word alone decides nothing: 'rullestolbrukere kommer ikke fram' is about a road. Trained weights read each sentence with all that
the lists know of its words (what they mean, whom they stand for, their grammar) and say where a private matter begins and ends.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp

from .identifiers import Hit
from .lexicon import WORDS, grammar
from .normal import HOLE
from .people import Tokens
from .reasons import REASONS
from .topics import role
from .weights import OUTSIDE, Chain, Form, Margins, Scores

KINDS = ("HEALTH", "SPECIAL", "FAMILY", "ABUSE")
# Each matter has a label for its first word, one for its last, and one for those between; a matter of one word has the first.
FIRST, BETWEEN, LAST = "first", "between", "last"
LABELS = (OUTSIDE, *(f"{place} {kind}" for kind in KINDS for place in (FIRST, BETWEEN, LAST)))
# A matter must be clearly likelier than nothing; how far it stretches is judged more freely, since half a clause hides nothing.
FAVOUR_FINDING = -0.2
FAVOUR_STRETCH = 0.5
_ALL = tuple(range(len(LABELS)))
_OF_KIND = tuple((0, 1 + 3 * kind, 2 + 3 * kind, 3 + 3 * kind) for kind in range(len(KINDS)))

THREAT = "abuse.threat"
_MARK = "."  # The sort of punctuation.
_ENDS = frozenset(".!?…")
_LONGEST_SENTENCE = 90
_EVERYWHERE = tuple(range(9))
_NEAR = (0, 1, 2, 3, 4, 5, 6)
# Where each sort of feature counts: see `weights.PLACES`.
_PLACES = {
    "word": (0, 2, 3, 4, 5),
    "lemma": _EVERYWHERE,
    "sort": _NEAR,
    "role": (7, 8),
    "four": (0, 3, 4),
    "class": _EVERYWHERE,
    "topic": _EVERYWHERE,
}


@lru_cache(maxsize=30_000)
def _form(lower: str, capital: bool, classes: frozenset[str]) -> Form:
    """All that the weights see of a word."""
    if lower == HOLE:
        features = ["word #", "lemma #", "sort name", "role name"]
        lemma, sort = "#", "name"
    elif not lower[0].isalpha():
        lemma, sort = "9" if lower.isdigit() else lower, "9" if lower.isdigit() else _MARK
        features = ["word " + lemma, "lemma " + lemma, "sort " + sort]
    else:
        known = grammar(lower)
        lemma = known.lemma
        who = role(lower)
        sort = who or str(known.sorts)
        features = ["word " + lower, "lemma " + lemma, "sort " + sort, "four " + lower[:4]]
        features += [f"begins {lower[:5]}", f"begins {lower[:6]}"]
        features += [f"ends {lower[-cut:]}" for cut in (3, 4, 5, 6)]
        if who:
            features.append("role " + who)
    features += [f"class {name}" for name in sorted(classes)]
    if classes and sort.isdigit():
        sort = min(classes)
    features += [f"topic {name}" for name in sorted({name.partition(".")[0] for name in classes})]
    if capital:
        features.append("capital")
    return Form(tuple((name, _PLACES.get(name.partition(" ")[0], (0,))) for name in features), lemma, sort)


_NONE: frozenset[str] = frozenset()
_MASKED = _form(HOLE, False, _NONE)


@dataclass(slots=True)
class Reading:
    """A text as the weights see it: word by word, and what is hidden already as one word, whatever stood there.

    So a name and its mask read alike, and what was read once need not be read again beside masks.
    """

    forms: list[Form]
    classes: list[frozenset[str]]
    spans: list[tuple[int, int]]
    sentences: list[tuple[int, int]]


def read(found: Tokens, covered: list[Hit]) -> Reading:
    """`covered` holds what other rules hide: names, numbers, homes."""
    hidden = _hidden(found, covered)
    classes = _classes(found, hidden)
    forms: list[Form] = []
    kept: list[frozenset[str]] = []
    spans: list[tuple[int, int]] = []
    ends: list[int] = []
    lower, capital, first, starts, words = found.lower, found.capital, found.first, found.starts, found.words
    breaks = _breaks(found)
    inside = -1
    for i, start in enumerate(starts):
        if hidden and (at := hidden[i]) >= 0:
            if at != inside:
                forms.append(_MASKED)
                kept.append(_NONE)
                spans.append((start, start))
                inside = at
            spans[-1] = (spans[-1][0], start + len(words[i]))
        else:
            inside = -1
            forms.append(_form(lower[i], capital[i] and not first[i], classes[i]))
            kept.append(classes[i])
            spans.append((start, start + len(words[i])))
            if i in breaks or len(forms) - (ends[-1] if ends else 0) > _LONGEST_SENTENCE:
                ends.append(len(forms))
    if not ends or ends[-1] < len(forms):
        ends.append(len(forms))
    return Reading(forms, kept, spans, list(pairwise([0, *ends])))


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


def _classes(found: Tokens, hidden: list[int]) -> list[frozenset[str]]:
    """The classes of each word, those of phrases with them."""
    out = [_NONE] * len(found.words)
    for i, mark in enumerate(found.marks):
        if mark is None or (hidden and hidden[i] >= 0):
            continue
        out[i] = out[i] | mark.classes if out[i] else mark.classes
        if mark.phrases:
            for last, name in mark.phrases_from(found.lower, i):
                for j in range(i, last + 1):
                    out[j] |= {name}
    return out


def _breaks(found: Tokens) -> set[int]:
    """The words that end a sentence or a line."""
    words, starts, text = found.words, found.starts, found.text
    out = set()
    for i, form in enumerate(words):
        if form in _ENDS:
            if form == "." and i + 1 < len(words):
                # A full stop inside an abbreviation or a number does not end a sentence.
                glued = starts[i + 1] == starts[i] + 1
                before = words[i - 1] if i else ""
                # 'St. Olavs hospital'.
                short = before in ("St", "st") or (0 < len(before) < 4 and words[i + 1][0].islower())
                if glued or short:
                    continue
            out.add(i)
    at = text.find("\n")
    while at >= 0:
        out.add(bisect_left(starts, at) - 1)
        at = text.find("\n", at + 1)
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
        if sentence and sentence not in quiet:
            places.append(begin)
            told.append(sentence)
    if not places:
        return []
    chain = _chain()
    hits: list[Hit] = []
    score, rows = chain.scores(told)
    margins = score[:, 1:] - score[:, :1]
    by_kind = margins.reshape(len(margins), len(KINDS), 3)
    of_kind = by_kind.max(axis=2)
    first, last = by_kind[:, :, 0], by_kind[:, :, 2]
    hopes: list[Margins] = [
        (first.max(axis=1).tolist(), of_kind.max(axis=1).tolist(), last.max(axis=1).tolist()),
        *zip(first.T.tolist(), of_kind.T.tolist(), last.T.tolist(), strict=True),
    ]
    for begin, (low, high), sentence in zip(places, rows, told, strict=True):
        stretches = _stretches(chain, score, hopes, low, high)
        if not stretches:
            quiet.add(sentence)
        for stretch, label in stretches:
            spoken = [
                i for i in stretch if sentence[i - low].sort != _MARK and sentence[i - low] is not _MASKED
            ]
            if spoken:
                head, tail = begin + spoken[0] - low, begin + spoken[-1] - low
                kind = KINDS[(label - 1) // 3]
                sure = of_kind[spoken[0] : spoken[-1] + 1, (label - 1) // 3]
                hits.append(
                    (
                        text.spans[head][0],
                        text.spans[tail][1],
                        kind,
                        _confidence(float(sure.sum()) / len(sure)),
                        _rule(kind, text.classes[head : tail + 1]),
                    )
                )
    return hits


def _stretches(
    chain: Chain, score: Scores, hopes: list[Margins], begin: int, end: int
) -> list[tuple[range, int]]:
    """The rows of each matter in a sentence, and the first of its kind's labels."""
    place = chain.hopeful(hopes[0], begin, end, FAVOUR_STRETCH, _ALL)
    if place is None:
        return []
    low, high = place
    among: tuple[int, ...] = (0,)
    for kind, labels in enumerate(_OF_KIND):
        if chain.hopeful(hopes[kind + 1], begin, end, FAVOUR_STRETCH, labels):
            among += labels[1:]
    if len(among) == 1:
        return []
    edges = {"first": low == begin, "last": high == end}
    wide, gains = chain.best(score[low:high], FAVOUR_STRETCH, among, **edges)
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
                sure = sure or chain.best(score[low:high], FAVOUR_FINDING, among, **edges)[0]
                labelled = [label for label in sure[i : j + 1] if label]
            kinds = Counter((label - 1) // 3 for label in labelled if label)
            if kinds:
                kind = max(kinds, key=lambda kind: (kinds[kind], -kind))
                out.append((range(low + i, low + j + 1), 1 + 3 * kind))
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
