"""What the weights of `matters` see of a word: its form, what it means, whom it stands for, its grammar."""

from __future__ import annotations

from functools import lru_cache

from .lexicon import grammar
from .normal import HOLE
from .topics import role
from .weights import Form

MARK = "."  # The sort of punctuation.
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
def form(lower: str, capital: bool, classes: frozenset[str]) -> Form:
    """All that the weights see of a word; the same object for the same word."""
    if lower == HOLE:
        features = ["word #", "lemma #", "sort name", "role name"]
        lemma, sort = "#", "name"
    elif not lower[0].isalpha():
        lemma, sort = "9" if lower.isdigit() else lower, "9" if lower.isdigit() else MARK
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


NO_CLASS: frozenset[str] = frozenset()
MASKED = form(HOLE, False, NO_CLASS)
