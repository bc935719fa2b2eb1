"""What is held of each word while names are looked for, and how places are told from people."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .lexicon import Word
from .name_cues import AND, AT_PLACE, DIRECTION, TO_PLACE
from .tokens import BLANK, Tokens

PATRONYM = ("sen", "sson", "ssen", "dotter", "datter")
CERTAIN = 0.95  # What a rule says so surely is not judged again by the weights.


@dataclass(slots=True)
class Draft:
    """What is held of each word while names are looked for.

    The lists have three more places at the end, which also are what stands before the first word: so neighbours need no check.
    """

    found: Tokens
    lower: list[str]
    entry: list[Word]
    cue: list[int]
    capital: list[bool]
    first: list[bool]
    veto: list[bool]
    score: list[float]
    rule: list[str]

    def mark(self, i: int, value: float, name: str) -> None:
        if value > self.score[i]:
            self.score[i] = value
            self.rule[i] = name

    def adjoins(self, i: int) -> bool:
        """Whether the next word follows within the same sentence."""
        return not self.first[i + 1] and self.entry[i + 1] is not BLANK

    def close(self, i: int) -> bool:
        """Whether nothing but one space stands before the next word."""
        return self.found.starts[i + 1] - self.found.end(i) <= 1


PLACE_ENDING = re.compile(
    r"(?:dalen|åsen|foss|fossen|moen|vatnet|vannet|sjøen|fjellet|bygda|grenda|neset|vika|øya|elva|bekken|lia|haugen|marka|myra"
    r"|sletta|sletten|bakken|bakkan|vollen|veien|vegen|gata|krysset|brua|senteret|hallen|huset|parken|plassen|feltet|kleiva"
    r"|svingen|tunnelen|skogen|vangen|stranda|sundet|viken|botn|heia|ski|stadion)s?$"
)


def beside_place(d: Draft, i: int) -> bool:
    """A place by its ending, by the preposition before it, or beside another place."""
    if PLACE_ENDING.search(d.lower[i]):
        return True
    k, least = i - 1, max(0, i - 12)
    while k > least and (
        d.cue[k] & AND
        or d.lower[k] in (",", "-", "–", "/")
        or (
            d.capital[k]
            and not d.entry[k].given
            and (d.cue[k - 1] & (AT_PLACE | AND) or d.lower[k - 1] in (",", "til", "te", "fra", "frå", "for"))
        )
    ):
        k -= 1
    if k < 0:
        return False
    if d.cue[k] & (AT_PLACE | TO_PLACE):
        return True
    return d.lower[k] in ("for", "før", "av") and k > 0 and bool(d.cue[k - 1] & DIRECTION)


_ENGLISH = frozenset({"the", "is", "and", "there", "of", "a", "my", "was"})


def in_english(d: Draft, i: int) -> bool:
    """Whether the words before are English, where 'at' is said of places; in Norwegian it begins a clause."""
    return not _ENGLISH.isdisjoint(d.lower[max(0, i - 12) : i])
