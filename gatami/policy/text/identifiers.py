"""Numbers, addresses and names of accounts: whatever has a shape of its own.

Every pattern is linear: repetitions are bounded, or no two neighbours can read the same character.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from . import nearby
from .emails import emails
from .handles import computers, handles
from .nearby import Hit
from .numbers import long_numbers, typed_as_digits
from .plates import plates
from .spelled import is_glued_number, is_number_part, is_number_word, spelled_numbers

__all__ = ["Hit", "identifiers", "speaks_of"]

_DIGIT = re.compile(r"[0-9]")
_POINT = r"(?:\.| \. |\[\.\]|\(\.\)| (?:dot|punktum|prikk) )"
_DOTTED = re.compile(rf"[0-9]{_POINT}[0-9]{{1,3}}{_POINT}[0-9]{{1,3}}{_POINT}[0-9]")
_MAIL_WORD = re.compile(
    r"(?:.*kr[øo]ll?.?al(?:f|ph)a.*|.*alfa-?kr[øo]ll?.*|krøll.*|kralfa|alfa|snabel.*|krullalfa|alfakrull|dot|dått|punktum|punktom|pungtum|punkt|prikk|prekk|pkt"
    r"|dott|gmail|hotmail|outlook|yahoo|icloud|live|online|protonmail)$",
    re.IGNORECASE,
)
_SERVICES_MORE = re.compile(
    r"(?:vipps|posts?|poster|signert|signerer|skriver|kommenterer|kommentarfelt\w*|username|login|innlogga|logget|logs|logged|kanalen|channel|account)$"
)
_JOINT = re.compile(r"[-'’]")
_AT_WORD = re.compile(r" (?:at|AT|a|ætt|æt|et) \w+\.\w")
_FEW_DIGITS = re.compile(r"[0-9][0-9 ,.()-]{2}")
_NUMBERS, _SERVICES, _MAIL, _PLATES, _IDENTITY, _NUMBER_ROW, _VEHICLES = 1, 2, 4, 8, 16, 32, 64


def speaks_of(lower: str) -> int:
    """1 a number in words, 2 a word about social media, 4 one that disguises an e-mail address, 8 one about plates, 16 one about identity numbers, 32 a row of numbers in words, 64 one for a car, 0 none."""
    if _MAIL_WORD.match(lower):
        return _MAIL
    if is_number_word(lower):
        return _NUMBERS
    if "-" in lower and all(map(is_number_part, lower.split("-"))):
        return _NUMBER_ROW if lower.count("-") > 2 or len(lower) > 20 else _NUMBERS
    if is_glued_number(lower):
        return _NUMBER_ROW
    told = nearby.cue(lower)
    if told & (nearby.PLATE | nearby.SIGN | nearby.ABROAD):
        return _PLATES
    if told & nearby.VEHICLE:
        return _VEHICLES
    if told & nearby.IDENTITY:
        return _IDENTITY
    head = _JOINT.split(lower, maxsplit=1)[0]
    if (
        told & nearby.SERVICE
        or _SERVICES_MORE.match(lower)
        or (head != lower and nearby.cue(head or lower) & nearby.SERVICE)
    ):
        return _SERVICES
    return 0


def identifiers(text: str, spoken: Collection[int], open_digits: frozenset[str]) -> Iterator[Hit]:
    """All of them, each asked only where the text holds what it cannot do without."""
    if spoken or "@" in text or "(" in text or "[" in text or _AT_WORD.search(text):
        yield from emails(text, disguised=_MAIL in spoken)
    typed = typed_as_digits(text)
    if _DIGIT.search(text):
        yield from long_numbers(typed, open_digits, identity=_IDENTITY in spoken)
        if text.count(":") > 1 or _DOTTED.search(text):
            yield from computers(text)
    told = sum(1 for kind in spoken if kind == _NUMBERS)
    driven = _VEHICLES in spoken or _PLATES in spoken
    yield from plates(text, spoken_of=_PLATES in spoken, numbered=told > 0, driven=driven)
    if told > 2 or _NUMBER_ROW in spoken or (told and _FEW_DIGITS.search(text)):
        yield from spelled_numbers(typed)
    yield from handles(text, social=_SERVICES in spoken)
