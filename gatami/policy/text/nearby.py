"""What stands before a number or a name and tells what it is: the words of `identifier_cues.txt`, nearest first."""

from __future__ import annotations

import re
from functools import lru_cache

from .lexicon import lines, word

Hit = tuple[int, int, str, float, str]

PHONE = 1
NUMBER = 2
OFFICE = 4
PRIVATE = 8
OTHER = 16
ACCOUNT = 32
CARD = 64
IDENTITY = 128
PLATE = 256
SIGN = 512
VEHICLE = 1024
ABROAD = 2048
SERVICE = 4096
FILLER = 8192
BREAK = 16384  # The end of a sentence or of a line.
_NUMBER_WORD = 32768

_SECTIONS = {
    "phone": PHONE,
    "number": NUMBER,
    "office": OFFICE,
    "private": PRIVATE,
    "other": OTHER,
    "account": ACCOUNT,
    "card": CARD,
    "identity": IDENTITY,
    "plate": PLATE,
    "sign": SIGN,
    "vehicle": VEHICLE,
    "abroad": ABROAD,
    "service": SERVICE,
    "filler": FILLER,
}
_OF_NUMBERS = PHONE | ACCOUNT | CARD | IDENTITY | PLATE | NUMBER
_WORD = re.compile(r"[A-Za-zÀ-ɏ]+|[.!?;\n☎📞📱]")
# 'reg.nr', 'f. nr', 'd-nummer' and their like are one word.
_SHORTENED = frozenset({"personal", "f", "d", "reg", "pers", "org", "id", "kto", "p", "tlf", "tel", "mob"})
_MOST = 8
_NUMBER_OF = re.compile(r".{2,}(?:nummer(?:et)?|nr)$")


@lru_cache(maxsize=1)
def sections() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines("identifier_cues.txt"):
        if line.startswith("["):
            current = found.setdefault(line[1:-1], [])
        elif line:
            current.append(line)
    return {name: tuple(entries) for name, entries in found.items()}


@lru_cache(maxsize=1)
def _rules() -> tuple[dict[str, int], list[tuple[int, tuple[str, ...], tuple[str, ...]]]]:
    """Whole words with what they tell; beginnings and endings of words, by what they tell."""
    whole: dict[str, int] = {}
    parts = []
    for name, bit in _SECTIONS.items():
        entries = sections()[name]
        for entry in entries:
            if "*" not in entry:
                whole[entry] = whole.get(entry, 0) | bit
        heads = tuple(entry[:-1] for entry in entries if entry.endswith("*"))
        tails = tuple(entry[1:] for entry in entries if entry.startswith("*"))
        parts.append((bit, heads, tails))
    return whole, parts


@lru_cache(maxsize=20_000)
def cue(lower: str) -> int:
    """What one word tells of the number behind it, as a sum."""
    if not lower[0].isalpha():
        return PHONE if lower in "☎📞📱" else BREAK
    whole, parts = _rules()
    found = whole.get(lower, 0)
    for bit, heads, tails in parts:
        if lower.startswith(heads) or lower.endswith(tails):
            found |= bit
    if found & VEHICLE:
        found &= ~OTHER  # A 'stasjonsvogn' is no 'stasjon'.
    if not found & _OF_NUMBERS and _NUMBER_OF.match(lower):
        found |= OTHER
    return found


@lru_cache(maxsize=20_000)
def _form(form: str) -> int:
    """What a word tells as it is written: somebody's name tells that the number is private."""
    lower = form.lower()
    found = cue(lower)
    if not found and form[0].isupper():
        entry = word(lower)
        if (entry.given > 1 or entry.surname > 1) and not entry.place:
            return PRIVATE
    if lower in ("nr", "no") or lower.startswith(("nummer", "number")):
        return found | _NUMBER_WORD
    return found


def before(text: str, at: int, reach: int = 52) -> list[int]:
    """What the words before a place tell, nearest first; fillers and numbers are left out."""
    start = max(0, at - reach)
    forms = _WORD.findall(text, start, at)
    if forms and start and text[start - 1].isalpha() and text[start].isalpha():
        del forms[0]
    told: list[int] = []
    i = len(forms) - 1
    while i >= 0 and len(told) < _MOST:
        form = forms[i]
        i -= 1
        if form == ".":
            # The dot of an abbreviation ends no sentence.
            if (
                i >= 0
                and len(forms[i]) > 3
                and not (_form(forms[i]) & _OF_NUMBERS or forms[i].endswith("nr"))
            ):
                told.append(BREAK)
            continue
        mask = _form(form)
        if mask & _NUMBER_WORD and i >= 0:
            first = i - (forms[i] == "." and i > 0)
            if forms[first].lower() in _SHORTENED:
                told.append(cue(forms[first].lower() + form.lower()))
                i = first - 1
                continue
        if not mask & FILLER:
            told.append(mask)
    return told


def near(told: list[int], wanted: int, within: int) -> bool:
    for mask in told[:within]:  # noqa: SIM110 - A generator takes three times as long, and every number asks.
        if mask & wanted:
            return True
    return False


def nearest(told: list[int], wanted: int) -> int:
    """The first of these that is told of, 0 where none is."""
    for mask in told:
        if mask & wanted:
            return mask & wanted
    return 0


def other_number(told: list[int]) -> bool:
    """Whether the words next to it say that this number counts poles, cases, meters and the like."""
    for mask in told[:3]:
        if mask & OTHER:
            return not mask & (PHONE | PLATE)
        if not mask & NUMBER:
            return False
    return False


def of_an_office(told: list[int], *, mobile: bool) -> bool:
    """Whether the number is said to be that of a public body or a firm, and of nobody in it."""
    # Of 'I rang the council, mobile 9...' the number is the writer's.
    reach = 2 if mobile and near(told, PHONE, 1) else 6
    for mask in told[:reach]:
        if mask & OFFICE:
            return True
        if mask & (PRIVATE | BREAK):
            return False
    return False
