"""The trained weights: what the reader adds up is what the trainer was told, and the search finds the best labels."""

from __future__ import annotations

import itertools
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gatami.policy.text import weights
from gatami.policy.text.weights import NEVER, Chain, Form, attributes, pack

LABELS = ("O", "first", "between", "last")
ALL = tuple(range(len(LABELS)))
# A matter begins with its first word and ends with its last, or is one word.
STEPS = [
    ("O", "O"), ("O", "first"), ("first", "O"), ("first", "first"), ("first", "between"), ("first", "last"),
    ("between", "between"), ("between", "last"), ("last", "O"), ("last", "first"),
]  # fmt: skip


def form(word: str) -> Form:
    features = (
        (f"word {word}", tuple(range(9))),
        (f"ends {word[-1]}", (0, 3, 4)),
    )
    return Form(features, word, word[0])


FORMS = {word: form(word) for word in ("det", "er", "naboen", "syk", "hull", "vei", ".")}


@pytest.fixture
def made(tmp_path: Path) -> tuple[Chain, dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    dice = random.Random(7)
    names = {
        name
        for _ in range(30)
        for row in attributes([FORMS[dice.choice(list(FORMS))] for _ in range(9)])
        for name in row
    }
    state = {
        (name, label): dice.choice((-1.5, -0.5, 0.25, 1.0, 2.0))
        for name in sorted(names)
        for label in LABELS
        if dice.random() < 0.5
    }
    moves = {(a, b): dice.choice((-1.0, 0.0, 0.5)) for a, b in STEPS}
    pack(tmp_path / "w.npz", state, moves, LABELS)
    return Chain(tmp_path / "w.npz"), state, moves


def sentences(number: int) -> list[list[Form]]:
    dice = random.Random(11)
    return [[FORMS[dice.choice(list(FORMS))] for _ in range(dice.randint(1, 12))] for _ in range(number)]


def test_margins_are_the_sum_of_what_was_trained(made):
    chain, state, _ = made
    told = sentences(40)
    scored = chain.margins(told)
    inside = np.full(len(scored.margins), fill_value=False)
    for (begin, end), sentence in zip(scored.sentences, told, strict=True):
        assert end - begin == len(sentence)
        inside[begin:end] = True
        wanted = np.array(
            [
                [sum(state.get((name, label), 0.0) for name in row) for label in LABELS]
                for row in attributes(sentence)
            ]
        )
        np.testing.assert_allclose(scored.margins[begin:end], wanted[:, 1:] - wanted[:, :1], atol=1e-3)
    assert len(scored.edges) == len(inside)
    assert all(
        (edge != max(scored.edges)) == within for edge, within in zip(scored.edges, inside, strict=True)
    )


def test_the_tables_may_begin_anew(made, monkeypatch):
    chain, *_ = made
    told = sentences(5)
    before = chain.margins(told)
    monkeypatch.setattr(weights, "KEPT", 0)
    after = chain.margins(told)
    np.testing.assert_array_equal(before.margins, after.margins)


def test_threads_at_once_see_what_one_alone_sees(made, tmp_path, monkeypatch):
    """The tables begin anew all the time, and every thread adds words and pairs that the others have not met."""
    _, state, moves = made
    pack(tmp_path / "again.npz", state, moves, LABELS)
    told = sentences(300)
    alone = Chain(tmp_path / "again.npz")
    wanted = [alone.margins([sentence]).margins for sentence in told]
    monkeypatch.setattr(weights, "KEPT", 3)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        together = Chain(tmp_path / "again.npz")
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda sentence: together.margins([sentence]).margins, told * 4))
    finally:
        sys.setswitchinterval(before)
    for got, want in zip(found, wanted * 4, strict=True):
        np.testing.assert_array_equal(got, want)


def only(chain: Chain, sentence: list[Form]) -> weights.Margins:
    scored = chain.margins([sentence])
    ((begin, end),) = scored.sentences
    return scored.margins[begin:end]


@pytest.mark.parametrize("favour", [0.0, 0.7])
@pytest.mark.parametrize(("first", "last"), [(True, True), (False, False), (True, False)])
def test_best_is_the_best_of_all(made, favour, first, last):
    chain, _, moves = made
    for sentence in sentences(25):
        rows = only(chain, sentence[:5])

        def worth(path, rows=rows):
            own = sum(float(rows[i][label - 1]) if label else -favour for i, label in enumerate(path))
            whole = ([] if first else [0]) + list(path) + ([] if last else [0])
            steps = [moves.get((LABELS[a], LABELS[b]), NEVER) for a, b in itertools.pairwise(whole)]
            return own + sum(steps)

        best = max(itertools.product(ALL, repeat=len(rows)), key=worth)
        found, gains = chain.best(rows.tolist(), favour, ALL, first=first, last=last)
        assert worth(found) == pytest.approx(worth(best), abs=1e-3)
        assert sum(gains) == pytest.approx(worth(found) - worth([0] * len(rows)), abs=1e-3)


def test_no_hope_means_none_is_found(made):
    chain, *_ = made
    told = [sentence[:2] for sentence in sentences(400)]
    scored = chain.margins(told)
    for favour in (-12.0, -9.0, -6.0):
        hopes = chain.hopes(scored, favour)
        found = [
            any(chain.best(scored.margins[begin:end].tolist(), favour, ALL, first=True, last=True)[0])
            for begin, end in scored.sentences
        ]
        assert all(place in hopes for place, something in enumerate(found) if something)
        assert any(found)
        assert len(hopes) < len(told) * 0.9


def test_what_is_out_of_reach_is_not_found(made):
    chain, *_ = made
    hopeless = 0
    for sentence in sentences(200):
        shifted = (only(chain, sentence) - 6.0).tolist()
        found, _ = chain.best(shifted, 0.0, ALL, first=True, last=True)
        if found[0] < 2 and found[-1] != 2:
            place = chain.reach(shifted, 0.0, range(1))
            low, high = place or (0, 0)
            hopeless += place is None
            assert not any(found[:low])
            assert not any(found[high:])
    assert hopeless > 5
