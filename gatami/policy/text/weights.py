"""A linear-chain conditional random field: trained by `policy.build`, read here with numpy.

Each word gives weights to its own place and to its neighbours' places, whatever these are. So the weights of a word are summed
once, kept as a row of a table, and a text is scored by adding shifted rows. Only how much the other labels gain over the first
is kept, since nothing else decides.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

Margins = npt.NDArray[np.float32]
Gains = npt.NDArray[np.float64]
_Entry = tuple[int, float, list[tuple[int, float]]]

# Where a feature of a word may count: at the word itself, at a neighbour so many places on, anywhere in the window before or after.
PLACES = ("0", "-3", "-2", "-1", "+1", "+2", "+3", "<", ">")
_SHIFTS = ((1, 3), (2, 2), (3, 1), (4, -1), (5, -2), (6, -3))
WINDOW = 7
KEPT = 30_000  # Rows of words, and of pairs, that are kept before the tables begin anew.
NEVER = -1e6
_SLACK = 1e-3  # What rounding may cost.
_FENCE = -1e6
EDGE = "^"
OUTSIDE = "O"


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What is known of a word: its features, each with the places where it counts, and what it brings into a pair.

    Whoever makes forms makes one for each word and keeps it: its row is found by its identity.
    """

    features: tuple[tuple[str, tuple[int, ...]], ...]
    lemma: str
    sort: str


_NOTHING = Form((), "", "")
_BORDER = Form(((EDGE, (1, 2, 3, 4, 5, 6)),), EDGE, EDGE)
# What stands before a text, between two sentences and behind a text, so that no window reaches from one into another.
_LEAD = (*[_NOTHING] * (WINDOW - 2), _BORDER, _BORDER, _BORDER)
_GAP = (_BORDER, _BORDER, _BORDER, _NOTHING, _BORDER, _BORDER, _BORDER)
_AT_THREE = (
    1,
    2,
    3,
    0,
    4,
    5,
    6,
)  # The places that count at a word itself, from three before it to three behind it.


def pair_features(left: Form, right: Form) -> tuple[str, str, str, str]:
    return (
        f"ll{left.lemma}|{right.lemma}",
        f"ss{left.sort}|{right.sort}",
        f"sl{left.sort}|{right.lemma}",
        f"ls{left.lemma}|{right.sort}",
    )


def attributes(forms: Sequence[Form]) -> list[list[str]]:
    """The same as `Chain.margins` sees, written out as names, for the trainer."""
    count = len(forms)
    rows: list[list[str]] = [[] for _ in forms]
    for j in range(-3, count + 3):
        form = forms[j] if 0 <= j < count else _BORDER
        for name, places in form.features:
            for place in places:
                if place == 0:
                    rows[j].append(f"0 {name}")
                elif place < 7:
                    i = j + _SHIFTS[place - 1][1]
                    if 0 <= i < count:
                        rows[i].append(f"{place} {name}")
                elif 0 <= j < count:
                    span = range(j + 1, j + 1 + WINDOW) if place == 7 else range(j - WINDOW, j)
                    for i in span:
                        if 0 <= i < count:
                            rows[i].append(f"{place} {name}")
    for i, (left, right) in enumerate(pairwise(forms)):
        for name in pair_features(left, right):
            rows[i].append(f"l {name}")
            rows[i + 1].append(f"r {name}")
    return rows


def pack(
    path: Path,
    state: dict[tuple[str, str], float],
    moves: dict[tuple[str, str], float],
    labels: Sequence[str],
) -> None:
    """Write what a trainer found, as `Chain` reads it: `state` by (attribute, label), `moves` by (label, label)."""
    order = {label: i for i, label in enumerate(labels)}
    size = len(labels)
    singles = sorted({name.split(" ", 1)[1] for name, _ in state if name[0].isdigit()})
    pairs = sorted({name.split(" ", 1)[1] for name, _ in state if not name[0].isdigit()})
    at, pair_at = ({name: i for i, name in enumerate(names)} for names in (singles, pairs))
    weights = np.zeros((len(singles), len(PLACES) * size), dtype=np.float16)
    pair_weights = np.zeros((len(pairs), 2 * size), dtype=np.float16)
    for (attribute, label), weight in state.items():
        place, name = attribute.split(" ", 1)
        if place.isdigit():
            weights[at[name], int(place) * size + order[label]] = weight
        else:
            pair_weights[pair_at[name], ("l", "r").index(place) * size + order[label]] = weight
    # What never followed upon another in training cannot do so here.
    transitions = np.full((size, size), NEVER, dtype=np.float32)
    for (left, right), weight in moves.items():
        transitions[order[left], order[right]] = weight
    blobs = {
        name: np.frombuffer("\n".join(names).encode(), dtype=np.uint8)
        for name, names in (("labels", labels), ("names", singles), ("pair_names", pairs))
    }
    np.savez_compressed(
        path,
        weights=weights,
        pair_weights=pair_weights,
        transitions=transitions,
        labels=blobs["labels"],
        names=blobs["names"],
        pair_names=blobs["pair_names"],
    )


class _Rows(dict[Form, int]):
    """The row of each word in a table that grows by one where a word is met for the first time.

    Reading takes no lock: a row is written before it is known, and a table that has grown holds all that the one before did.
    """

    def __init__(self, names: dict[str, int], weights: Margins) -> None:
        super().__init__()
        self._names, self._weights = names, weights
        self._lock = Lock()
        self.table = np.zeros((1024, weights.shape[1]), dtype=np.float32)
        self.forms: list[Form] = []
        for edge in (_NOTHING, _BORDER):
            self.__missing__(edge)

    def __missing__(self, form: Form) -> int:
        # Two threads that add rows at once would give one word the weights of another, and something private would be shown.
        with self._lock:
            if form not in self:
                row = len(self.forms)
                if row == len(self.table):
                    self.table = np.concatenate([self.table, np.zeros_like(self.table)])
                names = self._names
                found = [names[name] for name, _ in form.features if name in names]
                if found:
                    self.table[row] = self._weights[found].sum(axis=0)
                self.forms.append(form)
                self[form] = row
            return self[form]


class _PairRows(dict[tuple[int, int], int]):
    """The same of two words that follow each other; most pairs say nothing and share the first row."""

    def __init__(self, names: dict[str, int], weights: Margins, forms: list[Form]) -> None:
        super().__init__()
        self._names, self._weights, self._forms = names, weights, forms
        self._lock = Lock()
        self._used = 0
        self.table = np.zeros((1024, weights.shape[1]), dtype=np.float32)

    def __missing__(self, pair: tuple[int, int]) -> int:
        left, right = pair
        found = []
        if left > 1 and right > 1:
            features = pair_features(self._forms[left], self._forms[right])
            found = [self._names[name] for name in features if name in self._names]
        if not found:
            self[pair] = 0
            return 0
        with self._lock:
            if pair not in self:
                row = self._used = self._used + 1
                if row == len(self.table):
                    self.table = np.concatenate([self.table, np.zeros_like(self.table)])
                self.table[row] = self._weights[found].sum(axis=0)
                self[pair] = row
            return self[pair]


@dataclass(frozen=True, slots=True)
class Scored:
    """By how much each label but the first outweighs the first at each word, shape (rows, labels - 1), and where sentences stand.

    Between sentences are rows that mean nothing; `edges` tells of each row where in a sentence it is.
    """

    margins: Margins
    edges: list[int]
    sentences: list[tuple[int, int]]


_INSIDE, _BEGIN, _END, _WHOLE, _BETWEEN = range(
    5
)  # A word in its sentence, or what stands between two of these.
_BETWEEN_SENTENCES = [_BETWEEN] * len(_GAP)


def _bounds(moves: Gains) -> tuple[Gains, float]:
    """What bounds the gain of a matter from above, beside the margins of its words: see `Chain.hopes`.

    Shape (7, kinds, places in a sentence): what a first word, one between and a last word gain by their steps, the steps
    beside first and last words included; a word between at the edge of a sentence, where matters need not be whole, as if
    it were a first or a last one; and one word by itself as a first or as a last one. Then what a matter right behind
    another may spare.
    """
    gain = moves - moves[0, 0]
    first, between, last = (range(place, len(moves), 3) for place in (1, 2, 3))
    enter, leave_first, leave_last = gain[0, first], gain[first, 0], gain[last, 0]
    inside, onward, closing = gain[between, between], gain[first, between], gain[between, last]
    # From the first word to the last; what the words between say of their steps is once too often taken off.
    through = np.maximum(gain[first, last], onward - inside + closing)
    never = np.full(len(enter), _FENCE)
    none = np.zeros(len(enter))
    begin = np.maximum(closing - through, 0.0)
    end = np.maximum(onward, inside)
    either = np.maximum(leave_first, leave_last)
    # By columns: inside of a sentence, its first word, its last, its only one, and between sentences.
    steps = [
        [enter, none, enter, none, never],
        [inside, inside, inside, inside, never],
        [through + leave_last, through + leave_last, through, through, never],
        [never, begin, never, begin, never],
        [never, never, end, end, never],
        [enter + leave_first, either, enter, none, never],
        [never, either, never, none, never],
    ]
    bonus = [
        gain[label, other] - gain[label, 0] - gain[0, other]
        for label in (*first, *last)
        for other in first
        if moves[label, other] > NEVER
    ]
    return np.array(steps).transpose(0, 2, 1), max(0.0, *bonus)


class Chain:
    """The weights, and the rows of the words that were met. One for each process; a row is the same whenever it is made.

    The first label means nothing. Each three behind it are for the first word of a matter, for those between, and for its last;
    a matter of one word has the first of the three.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path) as found:
            text = {name: found[name].tobytes().decode() for name in ("labels", "names", "pair_names")}
            self.labels = text["labels"].split("\n")
            self._size = len(self.labels) - 1
            self._names = {name: i for i, name in enumerate(text["names"].split("\n"))}
            self._pair_names = {name: i for i, name in enumerate(text["pair_names"].split("\n"))}
            places = self._over_first(found["weights"], len(PLACES))
            self._weights = places[:, [*_AT_THREE, 7, 8]].reshape(len(places), -1)
            pairs = self._over_first(found["pair_weights"], 2)
            self._pair_weights = pairs.reshape(len(pairs), -1)
            moves = np.maximum(found["transitions"], NEVER).astype(np.float64)
        self._moves: list[list[float]] = moves.tolist()
        self._entries_of: dict[tuple[int, ...], list[_Entry]] = {}
        self._bounds, bonus = _bounds(moves)
        self._least = -2 * bonus - _SLACK
        self._most_of: dict[range, tuple[float, float, float]] = {}
        self._begin()

    def _over_first(self, weights: npt.NDArray[np.float16], places: int) -> Margins:
        by_label = weights.astype(np.float32).reshape(len(weights), places, self._size + 1)
        return by_label[:, :, 1:] - by_label[:, :, :1]

    def _begin(self) -> tuple[_Rows, _PairRows]:
        words = _Rows(self._names, self._weights)
        self._tables = words, _PairRows(self._pair_names, self._pair_weights, words.forms)
        return self._tables

    def margins(self, sentences: Iterable[Sequence[Form]]) -> Scored:
        words, pairs = self._tables
        if len(words) > KEPT or len(pairs) > 4 * KEPT:
            # Whoever still reads the tables before keeps them.
            words, pairs = self._begin()
        forms: list[Form] = [*_LEAD]
        places: list[tuple[int, int]] = []
        edges: list[int] = []
        for sentence in sentences:
            begin = len(forms)
            forms += sentence
            places.append((begin - len(_LEAD), len(forms) - len(_LEAD)))
            forms += _GAP
            edges += [_BEGIN, *[_INSIDE] * (len(sentence) - 2), _END] if len(sentence) > 1 else [_WHOLE]
            edges += _BETWEEN_SENTENCES
        rows = list(map(words.__getitem__, forms))
        told = list(map(pairs.__getitem__, pairwise(rows)))
        summed = self._summed(words.table.take(rows, axis=0), pairs.table.take(told, axis=0))
        return Scored(summed, edges[: -len(_GAP)], places)

    def _summed(self, words: Margins, pairs: Margins) -> Margins:
        """The rows of all sentences, with gaps between them, added up at every place but the lead's and the last gap's."""
        size, lead = self._size, len(_LEAD)
        count, width = words.shape
        last = count - len(_GAP)
        # Seen aslant, what the words from three before to three behind say of a word stands side by side.
        step = words.itemsize
        aslant = np.ndarray(
            (last - lead, 7, size),
            np.float32,
            words,
            (lead - 3) * width * step,
            (width * step, (width + size) * step, step),
        )
        score: Margins = aslant.sum(axis=1)
        window = words[:, 7 * size :].cumsum(axis=0)
        before, behind = window[:, :size], window[:, size:]
        score += before[lead - 1 : last - 1]
        score -= before[lead - 1 - WINDOW : last - 1 - WINDOW]
        score += behind[lead + WINDOW : last + WINDOW]
        score -= behind[lead:last]
        score += pairs[lead:last, :size]
        score += pairs[lead - 1 : last - 1, size:]
        return score

    def hopes(self, scored: Scored, favour: float) -> dict[int, list[int]]:
        """The sentences in which another label could outweigh the first when it has `favour`, and of which kinds.

        A bound from above, cheap to reckon for all sentences at once, that spares most of them the search for the best labels:
        what the best matter of each kind that ends at a word gains over nothing.
        """
        own = scored.margins.T.astype(np.float64, order="C").reshape(-1, 3, len(scored.margins)) + favour
        first, between, last = own[:, 0], own[:, 1], own[:, 2]
        steps = self._bounds.take(scored.edges, axis=2)
        begun = np.maximum(first + steps[0], between + steps[3])
        ended = np.maximum(last + steps[2], between + steps[4])
        alone = np.maximum(first + steps[5], own.max(axis=1) + steps[6])
        upto = (between + steps[1]).cumsum(axis=1)
        begun -= upto
        ended[:, 1:] += upto[:, :-1]
        ended[:, 1:] += np.maximum.accumulate(begun[:, :-1], axis=1)
        alone[:, 1:] = np.maximum(alone[:, 1:], ended[:, 1:])
        kinds, rows = (alone > self._least).nonzero()
        found: dict[int, list[int]] = {}
        begins = [begin for begin, _ in scored.sentences]
        for row, kind in zip(rows.tolist(), kinds.tolist(), strict=True):
            of = found.setdefault(bisect_right(begins, row) - 1, [])
            if not of or of[-1] < kind:
                of.append(kind)
        return found

    def reach(self, rows: Sequence[Sequence[float]], favour: float, kinds: range) -> tuple[int, int] | None:
        """The words of a sentence from the first to the last at which these kinds could outweigh the first label; None without any.

        A bound that tells not the one kind from the other: by how much the likeliest label for the first word of a matter, for
        any of its words and for its last outweigh the first label, and the best steps between them. `rows` are its margins.
        """
        enter, inner, leave = self._most(kinds)
        run, start, low, high, behind = -1e9, 0, len(rows), 0, len(rows) - 1
        left, right = 3 * kinds.start, 3 * kinds.stop
        for i, row in enumerate(rows):
            opened = max(row[left:right:3]) + favour
            if i:
                opened += enter
            closed = run + inner + max(row[left + 2 : right : 3]) + favour
            run += inner + max(row[left:right]) + favour
            began = start
            if opened > run:
                run, start = opened, i
            out = leave if i < behind else 0.0
            if closed + out > 0 and began < low:
                low = began
            if opened + out > 0 and i < low:
                low = i
            if closed + out > 0 or opened + out > 0:
                high = i + 1
        return (low, high) if low < high else None

    def best(
        self,
        margins: Sequence[Sequence[float]],
        favour: float,
        among: tuple[int, ...],
        *,
        first: bool,
        last: bool,
    ) -> tuple[list[int], list[float]]:
        """The likeliest labels out of `among` for a row of words, after `favour` was taken from the first label at each.

        `first` and `last` tell whether the row begins and ends its sentence; beside it stands the first label. With the
        labels comes what each word gains over the handicapped first label, the steps to and from its neighbours included.
        """
        own = itemgetter(*[label - 1 for label in among[1:]])
        rows = [[-favour, *own(row)] for row in margins]
        entries, stay = self._entries(among), self._moves[0][0]
        reached = rows[0]
        if not first:
            reached = [own + self._moves[0][label] for own, label in zip(reached, among, strict=True)]
        back: list[list[int]] = []
        for row in rows[1:]:
            following, origins = [], []
            for (nearest, step, more), gained in zip(entries, row, strict=True):
                origin, most = nearest, reached[nearest] + step
                for other, weight in more:
                    value = reached[other] + weight
                    if value > most:
                        origin, most = other, value
                following.append(most + gained)
                origins.append(origin)
            reached = following
            back.append(origins)
        if not last:
            reached = [value + self._moves[label][0] for value, label in zip(reached, among, strict=True)]
        path = [max(range(len(among)), key=reached.__getitem__)]
        for origins in reversed(back):
            path.append(origins[path[-1]])
        path.reverse()
        before, gains = 0, []
        for i, at in enumerate(path):
            step = self._moves[before][among[at]] - stay if i or not first else 0.0
            gains.append(rows[i][at] - rows[i][0] + step)
            before = among[at]
        if not last:
            gains[-1] += self._moves[before][0] - stay
        return [among[at] for at in path], gains

    def _most(self, kinds: range) -> tuple[float, float, float]:
        """The most that steps into labels of these kinds, between them and out of them gain over staying with the first."""
        found = self._most_of.get(kinds)
        if found is None:
            moves, stay = self._moves, self._moves[0][0]
            others = range(1 + 3 * kinds.start, 1 + 3 * kinds.stop)
            found = self._most_of[kinds] = (
                max(moves[0][label] for label in others) - stay,
                max(moves[left][label] for left in others for label in others) - stay,
                max(moves[label][0] for label in others) - stay,
            )
        return found

    def _entries(self, among: tuple[int, ...]) -> list[_Entry]:
        """By the label that is entered: the labels that it can be entered from, with the weight of the step."""
        found = self._entries_of.get(among)
        if found is None:
            found = self._entries_of[among] = []
            for label in among:
                steps = [(i, self._moves[left][label]) for i, left in enumerate(among)]
                (origin, weight), *more = [step for step in steps if step[1] > NEVER] or steps
                found.append((origin, weight, more))
        return found
