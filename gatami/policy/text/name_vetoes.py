"""Capitalised words that look like names of people and belong to streets, offices, firms, storms and animals."""

from __future__ import annotations

from .lexicon import word
from .name_cues import (
    ABBREVIATION,
    AT_PLACE,
    BELONGING,
    BRAND,
    BUILDING,
    CALLED,
    FIRM,
    FIRM_ALWAYS,
    GOODBYE,
    KIND_OF_PLACE,
    MONTH,
    OFFICE,
    POSSESSIVE,
    POSSESSOR,
    STORM,
    STORM_NAME,
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
_FARMS = ("bakken", "plass", "plassen")  # Streets end so, and surnames.
_QUOTES = frozenset("«“\"'»„”")
_VESSELS = ("båten", "båt", "ferja", "ferga", "ferjen", "fergen", "skuta", "skøyta", "sjarken", "snekka")
_LIKENESSES = frozenset(
    {
        "statuen",
        "statue",
        "bysten",
        "byste",
        "minnesmerket",
        "portrettet",
        "maleriet",
        "bautaen",
        "skulpturen",
        "bildet",
        "monumentet",
        "minnestøtten",
        "støtta",
    }
)
_OURS = frozenset({"vår", "vårt", "min", "mi", "mitt", "our", "my"})
_ANIMALS = frozenset(
    {
        "hunden",
        "hund",
        "bikkja",
        "katten",
        "katt",
        "pusen",
        "hesten",
        "valpen",
        "tispa",
        "dog",
        "cat",
        "horse",
        "puppy",
        "båten",
        "kaninen",
        "hundan",
        "hundene",
        "eselet",
        "ponnien",
        "gås",
        "gåsa",
        "lammet",
        "kua",
        "kyra",
        "geita",
        "merra",
        "hoppa",
    }
)
_BREEDS = (
    "puddel",
    "puddelen",
    "hund",
    "hunden",
    "katt",
    "katten",
    "valp",
    "valpen",
    "schæfer",
    "labrador",
    "terrier",
    "retriever",
    "collie",
    "setter",
    "ponnien",
    "eselet",
    "geita",
    "papegøya",
    "spaniel",
    "hest",
    "hesten",
    "ponni",
    "fjording",
    "dog",
    "cat",
)
_SOMEBODY = frozenset(
    {
        "eier",
        "eieren",
        "eigar",
        "eigaren",
        "han",
        "hun",
        "ho",
        "jeg",
        "eg",
        "æ",
        "naboen",
        "mannen",
        "dama",
        "kona",
        "owner",
    }
)
_PARTS_OF_PLACE = frozenset(
    {
        "øvre",
        "nedre",
        "indre",
        "ytre",
        "nordre",
        "søndre",
        "søre",
        "vestre",
        "østre",
        "austre",
        "midtre",
        "store",
        "nye",
        "upper",
        "lower",
    }
)
_SHOPS = frozenset(
    {"bunnpris", "kiwi", "rema", "coop", "joker", "spar", "meny", "extra", "prix", "esso", "shell", "circle"}
)
_EVERYBODY = frozenset(
    {"nordmann", "deere", "davidson", "ferguson", "hårfagre", "brumm", "gynt", "skakke", "slembe", "justitia"}
)
_MOST_STORMS = 12
_SINCE = frozenset({"etter", "ætter", "siden", "sidan", "sia", "under", "since", "after", "før"})
_WE = frozenset({"vi", "me", "folk", "mi", "alle", "dei", "de", "dem", "dæm"})
_CALL = frozenset({"kaller", "kallar", "kalle", "kalla", "kalte"})
_IT = frozenset({"den", "det", "som", "dæ", "denne", "dette"})
_BEFORE_NAME = _WE | _IT | {"etter", "after", "av", "over", "of", "til", "hos", "s", "f", "k", "y"}
_NAMED_AFTER = frozenset({"oppkalt", "oppkalla", "oppkalte", "kalt", "kalla", "named", "called"})
_GENITIVE = ("s", "x", "z", "-", "'", "’")


def vetoes(found: Tokens) -> list[bool]:
    """Which words are no names of people, whatever else speaks for them; three more places at the end stay free."""
    veto = [False] * (len(found.words) + 3)
    cue = found.cues
    capital = [*found.capital, False, False]
    things: list[int] = []
    storms = [i for i in range(len(found.words)) if cue[i] & STORM][:_MOST_STORMS]
    for i in found.maybe:
        if not capital[i] or not (
            (cue[i - 1] | cue[i] | cue[i + 1]) & _SPEAKS
            or capital[i + 1]
            or found.lower[i][-1] in "s'’"
            or (cue[i] & STORM_NAME and storms)
            or (i > 1 and (found.lower[i - 1] in _BEFORE_NAME or cue[i - 1] & (POSSESSOR | BRAND)))
            or (i + 2 < len(found.words) and found.lower[i + 1] in ("(", ","))
            or (i > 2 and (found.lower[i - 1] == "," or found.lower[i - 1] in _QUOTES))
            or _joint(found, i)
            or found.text[found.end(i) : found.end(i) + 2] == "- "
        ):
            continue
        if cue[i] & STORM_NAME and storms and _of_storm(found, i, storms):
            veto[i] = True
            continue
        if i > 2 and found.lower[i - 1] in _WE and found.lower[i - 2] in _CALL and found.lower[i - 3] in _IT:
            veto[i] = True
            continue
        if i > 2 and found.lower[i - 1] in _CALL and found.lower[i - 2] in _WE and found.lower[i - 3] in _IT:
            veto[i] = True
            continue
        if cue[i] & BRAND and not cue[i - 1] & CALLED:
            veto[i] = True
            if found.lower[i] in _EVERYBODY:
                # Ola and Kari Nordmann are everybody, together or alone; John Deere is a tractor.
                for j in range(max(0, i - 3), i):
                    veto[j] = capital[j]
            continue
        # What follows a genitive that is written apart belongs to it: Astrid's Yarn Shop.
        if (
            found.lower[i].endswith(_STREETS)
            and not found.entries[i].surname
            and len(found.lower[i]) > 6
            and not (found.lower[i].endswith(_FARMS) and _full_name_before(found, i))
        ):
            # 'Håkon Hallsgate'.
            veto[i] = True
            _veto_back(found, veto, i)
            continue
        if found.lower[i] in _PARTS_OF_PLACE and capital[i + 1] and found.entries[i + 1].given < 2:
            # 'Øvre Bjørnåsen'.
            veto[i] = veto[i + 1] = not found.first[i + 1]
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
        elif "-" in found.lower[i] and _compound(found.words[i]):
            veto[i] = True
            _veto_back(found, veto, i)
        elif capital[i + 1] and not found.first[i + 1] and _owner_in_name(found, i, cue[i + 1]):
            veto[i] = veto[i + 1] = True
            _veto_back(found, veto, i)
        if cue[i] & (OFFICE | THING) and capital[i + 1] and not found.first[i + 1] and found.words[i] != "Ms":
            veto[i] = not cue[i - 1] & GOODBYE
        if cue[i] & ABBREVIATION:
            veto[i] = True
        if found.text[found.end(i) : found.end(i) + 2] == "- ":
            # 'Berg- og dalbane'.
            veto[i] = True
        if _bears_name(found, i, cue):
            j = i
            while j < len(found.words) and j < i + 3 and capital[j] and (j == i or not found.first[j]):
                veto[j] = True
                things.append(j)
                j += 1
    named = {found.lower[i] for i in things}
    for i in found.maybe if named else ():
        if found.lower[i] in named and capital[i] and not capital[i + 1]:
            # What is a dog's name once is the dog's name again.
            veto[i] = True
    return veto


def _of_storm(found: Tokens, i: int, storms: list[int]) -> bool:
    """'Siden Ingunn': a single name that a storm bore, with a word for storms close by."""
    capital = found.capital[i - 1] and not found.first[i - 1]
    if capital and not found.first[i] and not found.cues[i - 1] & STORM:
        return False
    if i + 1 < len(found.words) and found.capital[i + 1] and not found.first[i + 1]:
        return False
    spoken_of = found.cues[i - 1] & TITLE or found.cues[i + 1] & POSSESSIVE
    after_it = found.lower[i - 1] in _SINCE
    return not (spoken_of and not found.first[i]) and (after_it or any(abs(i - j) < 10 for j in storms))


def _joint(found: Tokens, i: int) -> bool:
    return (
        "-" in found.lower[i]
        or (i > 1 and found.lower[i - 1] == "." and found.lower[i - 2] in _SHIPS)
        or _quoted_thing(found, i)
        or found.lower[i].endswith(_STREETS)
    )


def _full_name_before(found: Tokens, i: int) -> bool:
    """'Anne Lise Fossbakken': a given name before, and no word for places before that."""
    before = found.entries[i - 1]
    if not i or found.first[i] or not found.capital[i - 1] or before.given < 2 or before.place:
        return False
    return i < 2 or not found.cues[i - 2] & AT_PLACE


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


def _compound(form: str) -> bool:
    """'Kari-hytta'; but 'Vassbotn-Haug' is a surname."""
    last = form.rsplit("-", 1)[1]
    entry = word(last.lower())
    if last[:1].isupper() and entry.surname > 1:
        return False
    # 'Olav Thon-bygget', 'Karl XII-steinen': a word in small letters at the end makes a thing of any name.
    thing = last[:1].islower() and len(last) > 3 and entry.plain and entry.given < 2
    return thing or bool(cues(last.lower()) & STREET)


def _named_place(found: Tokens, i: int, following: int, capital: bool, apart: bool) -> bool:
    """A word before 'gate', 'kafé' or 'Bygg AS'."""
    form = found.lower[i]
    if following & FIRM and (capital or following & FIRM_ALWAYS):
        return True
    if not following & STREET:
        return False
    genitive = apart or form.endswith(_GENITIVE)
    following_word = found.entries[i + 1] if i + 1 < len(found.words) else found.entries[i]
    given = found.entries[i].given > 1 or (
        i > 0 and found.capital[i - 1] and not found.first[i] and found.entries[i - 1].given > 1
    )
    if capital and not genitive and following_word.surname > 1 and given:
        # 'Jon Arne Haug', 'Steinar Voll'.
        return False
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
    k = i - 1 - (found.lower[i - 1] == ",")
    if k > 0 and found.lower[k] in _OURS and found.lower[k - 1] in _ANIMALS:
        return True
    if (
        i > 1
        and found.lower[i - 1] == ","
        and found.lower[i - 2] in _ANIMALS
        and found.lower[i + 1 : i + 2] == [","]
    ):
        return True
    if (
        i > 1
        and found.lower[i - 1] in _IT
        and found.lower[i - 2] in ("døpt", "døypt", "kalt", "kaller", "named")
    ):
        return True
    if (
        cue[i - 1] & BRAND
        and found.capital[i - 1]
        and not found.first[i - 1]
        and found.lower[i - 1] in _SHOPS
    ):
        return True
    if i + 2 < len(found.words) and found.lower[i + 1] in "(," and found.lower[i + 2].endswith(_BREEDS):
        return True
    quoted = found.lower[i - 1] in _QUOTES
    k = i - 1 - quoted
    if cue[k] & CALLED and any(
        found.lower[j] in _ANIMALS or cue[j] & (KIND_OF_PLACE | THING * quoted)
        for j in range(max(0, i - 6), k)
    ):
        return not any(found.lower[j] in _SOMEBODY for j in range(max(0, i - 4), i - 1))
    if i > 1 and found.lower[i - 1] in ("etter", "after") and found.lower[i - 2] in _NAMED_AFTER:
        return True
    if found.words[i - 1] == "Ms":
        return False
    if i > 2 and found.lower[i - 2] == "/" and found.lower[i - 1] in "sfky" and found.lower[i - 3] in "mrs":
        return True
    if i > 1 and found.lower[i - 1] in ("av", "over", "til", "of") and found.lower[i - 2] in _LIKENESSES:
        return True
    if found.words[i - 1] == "Hos" and not found.first[i - 1]:
        # A café of that name.
        return True
    if cue[i - 1] & OFFICE or (cue[i - 1] & THING and (not found.first[i] or found.capital[i - 1])):
        return True
    if i > 1 and cue[i - 1] & CALLED:
        if "som" in found.lower[max(0, i - 6) : i - 2]:
            # 'Han som dumpet båten heter ...'.
            return False
        owned = 1 if cue[i - 2] & POSSESSOR else 0
        if i > 1 + owned and cue[i - 2 - owned] & THING:
            return True
        if i > 2 and found.lower[i - 2] == "som" and cue[i - 3] & (THING | KIND_OF_PLACE | STREET):
            return True
    return i > 1 and found.lower[i - 1] == "." and found.lower[i - 2] in _SHIPS
