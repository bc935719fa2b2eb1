"""Capitalised words that look like names of people and belong to streets, offices, firms, storms and animals."""

from __future__ import annotations

from .lexicon import word
from .name_cues import (
    ABBREVIATION,
    BELONGING,
    BRAND,
    BUILDING,
    CALLED,
    FIRM,
    FIRM_ALWAYS,
    MONTH,
    OFFICE,
    POSSESSIVE,
    POSSESSOR,
    STREET,
    THING,
    TITLE,
    cues,
)
from .tokens import Tokens

# Cues that may make a veto of a word beside them.
_SPEAKS = ABBREVIATION | BRAND | CALLED | FIRM | MONTH | OFFICE | STREET | THING
_SHIPS = ("st", "ms", "mf", "mt")  # Saints and ships, before a full stop.
_STREETS = (
    "gate",
    "gata",
    "gaten",
    "vegen",
    "veien",
    "plass",
    "plassen",
    "torget",
    "allé",
    "bakken",
    "stien",
)
_QUOTES = frozenset("«“\"'»„”")
_VESSELS = ("båten", "båt", "ferja", "ferga", "ferjen", "fergen", "skuta", "skøyta", "sjarken", "snekka")
_GENITIVE = ("s", "x", "z", "-", "'", "’")


def vetoes(found: Tokens) -> list[bool]:
    """Which words are no names of people, whatever else speaks for them; three more places at the end stay free."""
    veto = [False] * (len(found.words) + 3)
    cue = found.cues
    capital = [*found.capital, False, False]
    for i in found.maybe:
        if not capital[i] or not (
            (cue[i - 1] | cue[i] | cue[i + 1]) & _SPEAKS
            or capital[i + 1]
            or found.lower[i][-1] in "s'’"
            or _joint(found, i)
        ):
            continue
        if cue[i] & BRAND and not cue[i - 1] & CALLED:
            veto[i] = True
            if found.lower[i] == "nordmann":
                # Ola and Kari Nordmann are everybody, together or alone.
                for j in range(max(0, i - 3), i):
                    veto[j] = capital[j]
            continue
        # What follows a genitive that is written apart belongs to it: Astrid's Yarn Shop.
        if found.lower[i].endswith(_STREETS) and not found.entries[i].surname and len(found.lower[i]) > 6:
            # 'Håkon Hallsgate'.
            veto[i] = True
            _veto_back(found, veto, i)
            continue
        if cue[i] & MONTH and i and found.words[i - 1].isdigit():
            veto[i] = True
            continue
        if cue[i] & MONTH and found.first[i] and not (capital[i + 1] or cue[i + 1] & POSSESSIVE):
            # 'Mai kom og gikk'.
            veto[i] = True
            continue
        after = i + 2 if cue[i + 1] == 0 and found.lower[i + 1 : i + 2] in (["'"], ["’"]) else i + 1
        if cue[after] & (STREET | FIRM) and _named_place(found, i, cue[after], capital[after], after > i + 1):
            veto[i] = veto[after] = True
            _veto_back(found, veto, i)
        elif "-" in found.lower[i] and _compound(found.lower[i]):
            veto[i] = True
            _veto_back(found, veto, i)
        elif capital[i + 1] and not found.first[i + 1] and _owner_in_name(found, i, cue[i + 1]):
            veto[i] = veto[i + 1] = True
            _veto_back(found, veto, i)
        if cue[i] & (OFFICE | THING) and capital[i + 1] and not found.first[i + 1]:
            veto[i] = True
        if cue[i] & ABBREVIATION:
            veto[i] = True
        if _bears_name(found, i, cue):
            j = i
            while j < len(found.words) and j < i + 3 and capital[j] and (j == i or not found.first[j]):
                veto[j] = True
                j += 1
    return veto


def _joint(found: Tokens, i: int) -> bool:
    return (
        "-" in found.lower[i]
        or (i > 1 and found.lower[i - 1] == "." and found.lower[i - 2] in _SHIPS)
        or _quoted_thing(found, i)
        or found.lower[i].endswith(_STREETS)
    )


def _quoted_thing(found: Tokens, i: int) -> bool:
    """'Båten «Solveig»'."""
    return (
        i > 1
        and found.lower[i - 1] in _QUOTES
        and (bool(found.cues[i - 2] & THING) or found.lower[i - 2].endswith(_VESSELS))
    )


def _veto_back(found: Tokens, veto: list[bool], i: int) -> None:
    """What stands before in capitals is part of the same street or firm."""
    while i > 0 and found.capital[i - 1] and not found.first[i]:
        i -= 1
        veto[i] = True


def _owner_in_name(found: Tokens, i: int, following: int) -> bool:
    """'Astrid's Yarn Shop', 'Olsens Fisk': a plain word in capitals after a genitive belongs to a firm."""
    if found.lower[i].endswith(("'s", "’s")):
        return not following & BRAND
    entry = found.entries[i + 1]
    if not entry.plain or entry.given or entry.surname or following & BRAND:
        return False
    return found.lower[i].endswith("s") and word(found.lower[i]) is word(found.lower[i][:-1])


def _compound(lower: str) -> bool:
    return bool(cues(lower.rsplit("-", 1)[1]) & STREET)


def _named_place(found: Tokens, i: int, following: int, capital: bool, apart: bool) -> bool:
    """A word before 'gate', 'kafé' or 'Bygg AS'."""
    form = found.lower[i]
    if following & FIRM and (capital or following & FIRM_ALWAYS):
        return True
    if not following & STREET:
        return False
    genitive = apart or form.endswith(_GENITIVE)
    if found.first[i] and not genitive:
        return False
    if following & BUILDING and not genitive and not capital:
        return False
    # A house, a cabin or a garden is a person's own more often than a street's.
    owned = found.entries[i].given > 1 or (i > 0 and bool(found.cues[i - 1] & TITLE))
    return not (following & BELONGING and owned)


def _bears_name(found: Tokens, i: int, cue: list[int]) -> bool:
    """'Kong Olav', 'stormen Hans', 'hunden vår heter Storm', 'ms Lofoten'."""
    if i == 0:
        return False
    if _quoted_thing(found, i):
        return True
    if cue[i - 1] & OFFICE or (cue[i - 1] & THING and (not found.first[i] or found.capital[i - 1])):
        return True
    if i > 1 and cue[i - 1] & CALLED:
        owned = 1 if cue[i - 2] & POSSESSOR else 0
        if i > 1 + owned and cue[i - 2 - owned] & THING:
            return True
    return i > 1 and found.lower[i - 1] == "." and found.lower[i - 2] in _SHIPS
