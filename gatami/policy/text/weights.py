"""A linear-chain conditional random field: trained by `policy.build`, read here with numpy.

Each word gives weights to its own place and to its neighbours' places, whatever these are. So the weights of a word are summed
once, kept as a row of a table, and a text is scored by adding shifted rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Margins = tuple[list[float], list[float], list[float]]

# Where a feature of a word may count: at the word itself, at a neighbour so many places on, anywhere in the window before or after.
PLACES = ("0", "-3", "-2", "-1", "+1", "+2", "+3", "<", ">")
_SHIFTS = ((1, 3), (2, 2), (3, 1), (4, -1), (5, -2), (6, -3))
WINDOW = 7
KEPT = 30_000  # Rows of words, and of pairs, that are kept before the tables begin anew.
NEVER = -1e6
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


_BORDER = Form(((EDGE, (1, 2, 3, 4, 5, 6)),), EDGE, EDGE)


def pair_features(left: Form, right: Form) -> tuple[str, str, str, str]:
    return (
        f"ll{left.lemma}|{right.lemma}",
        f"ss{left.sort}|{right.sort}",
        f"sl{left.sort}|{right.lemma}",
        f"ls{left.lemma}|{right.sort}",
    )


def attributes(forms: Sequence[Form]) -> list[list[str]]:
    """The same as `Chain.scores` sees, written out as names, for the trainer."""
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


class Chain:
    """The weights, and the rows of the words that were met. One for each process; a row is the same whenever it is made."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as found:
            text = {name: found[name].tobytes().decode() for name in ("labels", "names", "pair_names")}
            self.labels = text["labels"].split("\n")
            self._at = {name: i for i, name in enumerate(text["names"].split("\n"))}
            self._pair_at = {name: i for i, name in enumerate(text["pair_names"].split("\n"))}
            self._weights = found["weights"].astype(np.float32)
            self._pair_weights = found["pair_weights"].astype(np.float32)
            self._moves: list[list[float]] = np.maximum(found["transitions"], NEVER).tolist()
        self._lock = Lock()
        self._size = len(self.labels)
        self._entries_of: dict[tuple[int, ...], list[list[tuple[int, float]]]] = {}
        self._bounds_of: dict[tuple[int, ...], tuple[float, float, float]] = {}
        self._begin()

    def _begin(self) -> None:
        self._forms: list[Form] = []
        self._pairs_used = 0
        self._rows: dict[Form, int] = {}
        self._pair_rows: dict[tuple[int, int], int] = {}
        self._table = np.zeros((1024, len(PLACES) * self._size), dtype=np.float32)
        self._pair_table = np.zeros((1024, 2 * self._size), dtype=np.float32)
        self._add(Form((), "", ""))
        self._add(_BORDER)

    def _add(self, form: Form) -> int:
        row = len(self._forms)
        if row == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        found = [self._at[name] for name, _ in form.features if name in self._at]
        if found:
            self._table[row] = self._weights[found].sum(axis=0)
        self._forms.append(form)
        self._rows[form] = row
        return row

    def _add_pair(self, pair: tuple[int, int]) -> int:
        # The first row stays empty: most pairs say nothing.
        names = pair_features(self._forms[pair[0]], self._forms[pair[1]])
        found = [self._pair_at[name] for name in names if name in self._pair_at]
        row = 0
        if found:
            row = self._pairs_used = self._pairs_used + 1
            if row == len(self._pair_table):
                self._pair_table = np.concatenate([self._pair_table, np.zeros_like(self._pair_table)])
            self._pair_table[row] = self._pair_weights[found].sum(axis=0)
        self._pair_rows[pair] = row
        return row

    def scores(self, sentences: Iterable[Sequence[Form]]) -> tuple[Scores, list[tuple[int, int]]]:
        """The score of each label at each word, shape (rows, labels), and the rows where each sentence begins and ends."""
        # Two threads that add rows at once would give one word the weights of another, and something private would be shown.
        with self._lock:
            return self._scores(sentences)

    def _scores(self, sentences: Iterable[Sequence[Form]]) -> tuple[Scores, list[tuple[int, int]]]:
        if len(self._forms) > KEPT or len(self._pair_rows) > 4 * KEPT:
            self._begin()
        rows: list[int] = [0] * WINDOW
        rows[-3:] = [1, 1, 1]
        pairs: list[int] = [0] * WINDOW
        starts: list[tuple[int, int]] = []
        known, pair_rows = self._rows, self._pair_rows
        for forms in sentences:
            begin = len(rows)
            last = -1
            for form in forms:
                row = known.get(form, -1)
                if row < 0:
                    row = self._add(form)
                rows.append(row)
                if last >= 0:
                    pair = pair_rows.get((last, row), -1)
                    pairs.append(pair if pair >= 0 else self._add_pair((last, row)))
                last = row
            starts.append((begin, len(rows)))
            rows += (1, 1, 1, 0, 1, 1, 1)
            pairs += (0,) * (WINDOW + 1)
        return self._summed(rows, pairs), starts

    def _summed(self, rows: list[int], pairs: list[int]) -> Scores:
        """The rows of all sentences, with borders between them, added up at every place in one go."""
        size = self._size
        table = self._table[rows]
        score = table[:, :size].copy()
        for place, shift in _SHIFTS:
            part = table[:, place * size : (place + 1) * size]
            if shift > 0:
                score[shift:] += part[:-shift]
            else:
                score[:shift] += part[-shift:]
        before = np.cumsum(table[:, 7 * size : 8 * size], axis=0)
        score[WINDOW + 1 :] += before[WINDOW:-1] - before[: -WINDOW - 1]
        after = np.cumsum(table[:, 8 * size :], axis=0)
        score[:-WINDOW] += after[WINDOW:] - after[:-WINDOW]
        both = self._pair_table[pairs]
        score += both[:, :size]
        score[1:] += both[:-1, size:]
        return score

    def hopeful(
        self, margins: Margins, begin: int, end: int, favour: float, among: tuple[int, ...]
    ) -> tuple[int, int] | None:
        """The rows from the first to the last at which other labels could outweigh the first; None where they cannot.

        `margins` tells of each row by how much the likeliest label for the first word of a matter, for any of its words
        and for its last outweigh the first label: a bound from above, cheap to reckon, that spares most sentences the
        search for the best labels.
        """
        enter, inner, leave = self._bounds(among)
        firsts, any_, lasts = margins
        # A matter at the start of a sentence has no step into it, one at the end none out of it.
        run, start, low, high = -1e9, begin, end, begin
        for i in range(begin, end):
            opened = firsts[i] + favour
            if i > begin:
                opened += enter
            closed = run + inner + lasts[i] + favour
            run += inner + any_[i] + favour
            began = start
            if opened > run:
                run, start = opened, i
            out = leave if i + 1 < end else 0.0
            if closed + out > 0 and began < low:
                low = began
            if opened + out > 0 and i < low:
                low = i
            if closed + out > 0 or opened + out > 0:
                high = i + 1
        return (low, high) if low < high else None

    def best(
        self, score: Scores, favour: float, among: tuple[int, ...], *, first: bool, last: bool
    ) -> tuple[list[int], list[float]]:
        """The likeliest labels out of `among` for a row of words, after `favour` was taken from the first label at each.

        `first` and `last` tell whether the row begins and ends its sentence; beside it stands the first label. With the
        labels comes what each word gains over the handicapped first label, the steps to and from its neighbours included.
        """
        rows: list[list[float]] = score[:, among].tolist()
        entries, stay = self._entries(among), self._moves[0][0]
        for row in rows:
            row[0] -= favour
        reached = rows[0][:]
        if not first:
            reached = [own + self._moves[0][label] for own, label in zip(reached, among, strict=True)]
        back: list[list[int]] = []
        for row in rows[1:]:
            following, origins = [], []
            for entry, own in zip(entries, row, strict=True):
                origin, most = -1, -1e9
                for other, weight in entry:
                    value = reached[other] + weight
                    if value > most:
                        origin, most = other, value
                following.append(most + own)
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

    def _bounds(self, among: tuple[int, ...]) -> tuple[float, float, float]:
        """The most that steps into other labels, between them and out of them gain over staying with the first."""
        found = self._bounds_of.get(among)
        if found is None:
            moves, others = self._moves, among[1:]
            stay = moves[0][0]
            found = self._bounds_of[among] = (
                max(moves[0][label] for label in others) - stay,
                max(moves[left][label] for left in others for label in others) - stay,
                max(moves[label][0] for label in others) - stay,
            )
        return found

    def _entries(self, among: tuple[int, ...]) -> list[list[tuple[int, float]]]:
        """By the label that is entered: the labels that it can be entered from, with the weight of the step."""
        found = self._entries_of.get(among)
        if found is None:
            found = self._entries_of[among] = [
                [
                    (i, self._moves[left][label])
                    for i, left in enumerate(among)
                    if self._moves[left][label] > NEVER
                ]
                for label in among
            ]
        return found
