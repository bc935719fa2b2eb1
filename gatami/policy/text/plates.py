"""Number plates: Norwegian ones by their shape, personal and foreign ones where the text speaks of plates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from . import nearby
from .nearby import Hit
from .spelled import number_in_words

# Two letters and five digits; trailers, tractors and motorcycles have four (kjøretøyforskriften § 2-14).
_NUMBER = re.compile(
    r"[0-9](?:[ .\n_-]{0,3}[0-9]){3,4}(?![\w]|[.,:/-][0-9]| [0-9][0-9]? ?[0-9][0-9](?![0-9]))"
)
_LETTERS = re.compile(r"(?<![\w-])([A-Za-zÆØÅæøå]{2}|[A-Z]\.[A-Z]\.)([ .\-–_:/]{0,2})$")
# Letters that are typed for digits in a plate: 'VF 4O 668'.
_TYPED_GATE = re.compile(r"[0-9] ?[OoIilSB]|[OoIilSB] ?[0-9]")
_TYPED = re.compile(r"(?<![\w-])([A-Za-z]{2}[ .\-–]{0,2})([0-9OoIilSB](?:[ .]{0,2}[0-9OoIilSB]){3,4})(?!\w)")
_AS_DIGITS = str.maketrans("OoIilSB", "0011158")
# 'ZA 4410 i løypa': a letter by itself is a word.
_LONE_LETTER = re.compile(r"(?<![0-9OISB])[oil](?![0-9])|[ .][OISBoil]$")
# A number that stands between belongs to the word before: 'rute 3, RZ 10 233'.
_NUMBER_BETWEEN = re.compile(r"[0-9][,;:)] ?$")
# Plates of most of Europe, where the text speaks of a car: 'B 284 KRM', 'HH KL 2041', 'KLX 482', 'YK19 DXB', '52-KZ-BD'.
_FOREIGN = re.compile(
    r"(?<![\w-])(?:[A-Z]{1,3}[ -][0-9]{2,4}[ -][A-Z]{1,3}|[A-Z]{1,3}[ -][A-Z]{1,2}[ -][0-9]{2,4}|[A-Z]{3}[ -]?[0-9]{3}"
    r"|[A-Z]{3}[ -]?[0-9]{2}[A-Z]|[A-Z]{2}[0-9]{2} ?[A-Z]{3}|[A-Z]{2,3} [0-9][A-Z0-9]{3,4}|[0-9]{2}-[A-Z]{2,3}-[A-Z]{2}|[0-9]{2}-[A-Z]{3}-[0-9]|[0-9]-[A-Z]{3}-[0-9]{3})(?![\w-])"
)
# The second pair of letters on plates of Ukraine and Bulgaria.
_LETTERS_BEHIND = re.compile(r" ?[A-Z]{2}(?!\w)")
_SPREAD_GATE = re.compile(r"[A-ZÆØÅ][ .-][A-ZÆØÅ][ .-]{0,2}\d")
_SPREAD = re.compile(
    r"[A-ZÆØÅa-zæøå](?<![\w-].)[ .-][A-ZÆØÅa-zæøå][ .-]{0,2}\d(?:[ -]{0,2}\d){3,4}(?!\w|[.,:/-]\d)"
)
_IN_WORDS = re.compile(r"(?<!\w)[A-ZÆØÅ][ -]?[A-ZÆØÅ][ ,-]{1,2}(?=\w)", re.IGNORECASE)
_BLOCKS = re.compile(r"[A-ZÆØÅ0-9](?<![\w-].)[A-ZÆØÅ0-9]{0,6}(?:[ -][A-ZÆØÅ0-9]{1,5}){0,2}(?![\w-])")
_LOWER_BLOCK = re.compile(r"(?<![\w.-])(?=[a-z]{0,4}\d)(?=\d{0,4}[a-z])[a-z0-9]{5,7}(?![\w-])")
_DIGIT_BEHIND = re.compile(r"[ -]\d")
_CAPITALS = re.compile(r"[A-ZÆØÅ]+(?![a-zæøå])")
_SMALL = re.compile(r"[a-zæøå]+")
_SPACING = re.compile(r"\d{5}|\d\d[ .\n_-]{1,3}\d{3}|\d{3}[ .]\d\d|\d(?:[ .]{1,2}\d){4}")
_NOT_DIGITS = re.compile(r"\D")
_WORDS = re.compile(r"[A-Za-zÀ-ɏ]+")
_QUOTED = re.compile(r"[\"«“'‘](\w[\w -]{0,6}\w)[\"»”'’]")
_ROAD = re.compile(r"(?:E|FV|RV|EV|KV|PV|HC|P|H|S|D|M|KM|NR|NS|EN|ISO|IP)[ -]?\d", re.IGNORECASE)
_UNIT_AFTER = re.compile(r" ?(?:meter|m\b|km|kr\b|kroner|volt|v\b|kg|liter|stk|,-|kvm)", re.IGNORECASE)
_REAL = frozenset("ABCDEFHJKLNPRSTUVWXYZ")
_REACH = 64


@lru_cache(maxsize=1)
def _not_plates() -> frozenset[str]:
    return frozenset(nearby.sections()["not plate"])


@lru_cache(maxsize=1)
def _not_small_plates() -> frozenset[str]:
    return frozenset(nearby.sections()["not small plate"])


@lru_cache(maxsize=1)
def _not_word_plates() -> frozenset[str]:
    return frozenset(nearby.sections()["not word plate"])


@lru_cache(maxsize=1)
def _roads() -> frozenset[str]:
    return frozenset(nearby.sections()["road"])


@lru_cache(maxsize=1)
def _signs() -> frozenset[str]:
    return frozenset(nearby.sections()["signs"])


def _with_digits(match: re.Match[str]) -> str:
    """A plate with the letters in its number read as digits, where most of them are digits already."""
    worded = match[1].lower().strip(" .-–") in _not_word_plates()
    if worded or sum(map(str.isdigit, match[2])) < 3 or _LONE_LETTER.search(match[2]):
        return match[0]
    return match[1] + match[2].translate(_AS_DIGITS)


def _of_plate(text: str, start: int, end: int) -> bool:
    """Whether words for cars or plates stand before or right behind."""
    told = nearby.before(text, start)
    return nearby.near(told, nearby.VEHICLE | nearby.PLATE | nearby.SIGN, 5) or _vehicle_after(text, end)


def _abroad(text: str, match: re.Match[str]) -> bool:
    """Whether what has the shape of a foreign plate belongs to a car and is neither its model nor a road."""
    told = nearby.before(text, match.start())
    if nearby.other_number(told) or _ROAD.match(match[0]) or _UNIT_AFTER.match(text, match.end()):
        return False
    if not _signs().isdisjoint(match[0].replace("-", " ").split()):
        return False
    return nearby.near(told, nearby.VEHICLE | nearby.PLATE | nearby.ABROAD, 4) or _vehicle_after(
        text, match.end()
    )


def plates(text: str, *, spoken_of: bool, numbered: bool, driven: bool) -> Iterator[Hit]:
    """`spoken_of` says whether the text has a word for plates, `numbered` numbers in words, `driven` a word for a car."""
    taken: list[tuple[int, int]] = []
    if _TYPED_GATE.search(text):
        text = _TYPED.sub(_with_digits, text)
    for number in _NUMBER.finditer(text):
        letters = _LETTERS.search(text, max(0, number.start() - 6), number.start())
        confidence = _norwegian(text, letters, number, beside=bool(taken)) if letters else 0
        if letters and confidence:
            end = number.end()
            behind = _LETTERS_BEHIND.match(text, end) if spoken_of and len(number[0]) == 4 else None
            end = behind.end() if behind else end
            taken.append((letters.start(), end))
            rule = "plate.shape" if confidence > 0.85 else "plate.cue"
            yield letters.start(), end, "PLATE", confidence, rule
    if spoken_of or _SPREAD_GATE.search(text):
        for match in _SPREAD.finditer(text):
            if _of_plate(text, match.start(), match.end()):
                taken.append(match.span())
                yield match.start(), match.end(), "PLATE", 0.85, "plate.cue"
    if numbered and spoken_of:
        for match in _IN_WORDS.finditer(text):
            end = number_in_words(text, match.end(), 4, 5)
            if end and _of_plate(text, match.start(), end):
                taken.append((match.start(), end))
                yield match.start(), end, "PLATE", 0.85, "plate.cue"
    for match in _FOREIGN.finditer(text) if driven else ():
        if not any(a < match.end() and match.start() < b for a, b in taken) and _abroad(text, match):
            taken.append(match.span())
            yield match.start(), match.end(), "PLATE", 0.75, "plate.abroad"
    if spoken_of:
        behind_words = [hit for first, last in _behind_words(text) for hit in _called(text, first, last)]
        for start, end, confidence in behind_words:
            if not any(a < end and start < b for a, b in taken):
                rule = "plate.abroad" if confidence < 0.8 else "plate.cue"
                yield start, end, "PLATE", confidence, rule


def _norwegian(text: str, before: re.Match[str], behind: re.Match[str], *, beside: bool) -> float:
    """How sure it is that two letters and a number are a plate, 0 where they are something else."""
    letters, gap, number = before[1].replace(".", ""), before[2], behind[0]
    upper, digits = letters.upper(), _NOT_DIGITS.sub("", number)
    wordy = letters.lower() in _not_word_plates() and letters != upper
    if upper in ("NO", "NR") or (wordy and len(number) != 5):
        return 0
    told = nearby.before(text, before.start())
    direct = nearby.near(told, nearby.PLATE | nearby.SIGN, 1)
    counted = nearby.other_number(told) and not _NUMBER_BETWEEN.search(
        text[max(0, before.start() - 4) : before.start()]
    )
    if not direct and counted:
        return 0
    vehicle = direct or beside or nearby.near(told, nearby.VEHICLE | nearby.PLATE | nearby.SIGN, 6)
    five = len(digits) == 5
    if not vehicle and set(gap) & set("_:/"):
        return 0
    parked = direct and nearby.near(told, nearby.VEHICLE, 6)
    if upper in _roads() and not (parked or (five and (vehicle or upper == "EV"))):
        return 0
    if wordy and not direct:
        return 0
    driven = bool(told and told[0] & nearby.VEHICLE)
    if upper in _not_plates() and letters == upper and not direct and not driven:
        return 0
    if _UNIT_AFTER.match(text, behind.end()) and not direct:
        return 0
    if letters == upper and five and _SPACING.fullmatch(number):
        return 0.95
    vehicle = vehicle or _vehicle_after(text, behind.end())
    if letters == upper:
        if vehicle:
            return 0.9
        if five:
            return 0
        return _small(letters, gap, digits)
    if vehicle or (five and not gap) or (five and letters[0].isupper() and len(number) == 5):
        return 0.85
    return 0


def _small(letters: str, gap: str, digits: str) -> float:
    """Four digits without a word about vehicles: only letters that stand on plates, and no year."""
    if not set(letters) <= _REAL or letters in _not_small_plates() or (gap and digits[:2] in ("19", "20")):
        return 0
    return 0.9


def _vehicle_after(text: str, at: int) -> bool:
    words = _WORDS.findall(text[at : at + 34].lower())
    return any(nearby.cue(word) & (nearby.VEHICLE | nearby.PLATE) for word in words[:5])


def _of_vehicle(text: str, told: list[int], end: int) -> bool:
    return nearby.near(told, nearby.VEHICLE | nearby.ABROAD, 8) or _vehicle_after(text, end)


@lru_cache(maxsize=20_000)
def _begins(form: str) -> bool:
    return bool(nearby.cue(form.lower()) & (nearby.PLATE | nearby.SIGN | nearby.ABROAD))


def _behind_words(text: str) -> Iterator[tuple[int, int]]:
    """The stretches behind the words for plates, where a plate of any other shape can stand."""
    done = 0
    for match in _WORDS.finditer(text):
        if _begins(match[0]):
            start, done = max(match.end(), done), match.end() + _REACH + 8
            yield start, done


def _shouted(text: str) -> bool:
    """Whether the whole text is in capitals, which then tell nothing."""
    return len(_CAPITALS.findall(text)) * 2 > len(_SMALL.findall(text))


def _called(text: str, first: int, last: int) -> Iterator[tuple[int, int, float]]:
    """Personal plates (two to seven characters of one's own choice, kjøretøyforskriften § 2-15) and plates from abroad."""
    for match in _BLOCKS.finditer(text, first, last):
        found = match[0]
        mixed = _mixed(found)
        if not mixed and not _DIGIT_BEHIND.search(found):
            # Words in capitals that follow belong to the sentence.
            found = found.partition(" ")[0]
        own = not mixed and 2 <= len(found.replace(" ", "")) <= 7 and not found.isdigit()
        if (
            not (mixed or own)
            or _ROAD.match(found)
            or not _signs().isdisjoint(found.replace("-", " ").split())
        ):
            continue
        told = nearby.before(text, match.start(), _REACH)
        strong, weak = nearby.near(told, nearby.PLATE, 1), nearby.near(told, nearby.SIGN, 1)
        if own and (strong or (weak and _of_vehicle(text, told, match.end()))) and not _shouted(text):
            yield match.start(), match.start() + len(found), 0.85
        elif mixed and (strong or not nearby.other_number(told)):
            abroad = nearby.near(told, nearby.ABROAD | nearby.SIGN | nearby.PLATE, 3)
            if strong or weak or (abroad and _of_vehicle(text, told, match.end())):
                yield match.start(), match.end(), 0.75
    yield from _called_small(text, first, last)


def _mixed(found: str) -> bool:
    """The shape of plates in most of Europe: five to eight characters, letters as well as two digits or more."""
    squeezed = found.replace(" ", "").replace("-", "")
    digits = sum(map(str.isdigit, squeezed))
    return 5 <= len(squeezed) <= 8 and digits >= 2 and len(squeezed) - digits >= 1


def _called_small(text: str, first: int, last: int) -> Iterator[tuple[int, int, float]]:
    for match in _LOWER_BLOCK.finditer(text, first, last):
        told = nearby.before(text, match.start())
        if told and told[0] & (nearby.PLATE | nearby.SIGN) and _mixed(match[0]):
            yield match.start(), match.end(), 0.75
    for match in _QUOTED.finditer(text, first, last):
        told = nearby.before(text, match.start(), _REACH)
        if not told or match[1].upper().split(" ")[0] in _signs() or match[1].isdigit():
            continue
        weak = told[0] & nearby.SIGN and _of_vehicle(text, told, match.end())
        if (told[0] & nearby.PLATE or weak) and not _ROAD.match(match[1]):
            yield match.start(1), match.end(1), 0.85
