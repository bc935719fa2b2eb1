"""Numbers that are written in words, or in words and digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from . import nearby
from .nearby import Hit

_ONES = (
    "null|nullein|nul|nill|en|én|ein|æin|ett|et|eitt|to|tre|tri|fire|fir|fire|fem|fæm|seks|sæks|sju|sjø|syv|sjau|åtte|otte|åtta|ni|nie"
    "|zero|oh|one|two|three|four|five|six|seven|eight|nine"
)
_TEENS = (
    "ti|elleve|ellevæ|ølløv|tolv|tretten|trætten|fjorten|femten|fæmten|seksten|sekstan|sækstan|sytten|søtten|atten|nitten|ten|eleven|twelve"
    "|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
)
_TENS = (
    "tjue|tjuge|tyve|tretti|trætti|tredve|trædve|førti|førrti|fyrti|førr|firti|femti|fæmti|seksti|sæksti|sytti|sjutti|sjøtti|søtti|åtti|otti|nitti"
    "|twenty|thirty|forty|fourty|fifty|sixty|seventy|eighty|ninety"
)
_DOUBLES = "dobbel|dobbelt|double|trippel|triple"
# 'Seksogseksti' is how older people say 66.
_BELOW_HUNDRED = rf"(?:{_ONES})og(?:{_TENS})|(?:{_TENS})(?:og)?(?:{_ONES})?|{_TEENS}|{_ONES}"
_WORD = rf"(?:{_ONES})?hundre(?:og)?(?:{_BELOW_HUNDRED})?|{_BELOW_HUNDRED}|{_DOUBLES}"
_TEN = re.compile(rf"(?:{_TENS})$", re.IGNORECASE)
_TWO = re.compile(rf"(?:{_ONES})og(?:{_TENS})$|(?:{_TENS})(?:og)?(?:{_ONES})?$|(?:{_TEENS})$", re.IGNORECASE)
_PART = re.compile(r"[^\W\d_]+|[0-9]+")
_LONGEST = 70  # A phone number in words, with a country code.
_LONG_WORD = re.compile(rf"\w{{13,{_LONGEST}}}")
_BETWEEN = re.compile(r"[ ,.\-–/\n()_]{0,3}")
_NUMBER_WORD = re.compile(rf"(?:{_WORD})$", re.IGNORECASE)
# Words that are numbers and articles or particles as well; they count once other numbers stand there.
_ARTICLES = frozenset(["en", "én", "ein", "ett", "et", "to", "oh", "one", "ti", "ten", *_DOUBLES.split("|")])


def is_number_word(lower: str) -> bool:
    return lower not in _ARTICLES and _NUMBER_WORD.match(lower) is not None


def _count(parts: list[str]) -> tuple[int, int, int]:
    """The fewest and the most digits that these words can stand for, and how many of them are words."""
    least = most = words = 0
    tens = hundreds = 0  # How many digits the number before leaves open: 'nitti' one, 'ni hundre' two.
    times = 1
    for part in parts:
        if part == "og":
            continue
        if part.isdigit():
            least, most, tens, hundreds = least + len(part), most + len(part), 0, 0
            continue
        words += 1
        if part in ("dobbel", "dobbelt", "double", "trippel", "triple"):
            times = 3 if part.startswith("tri") else 2
            continue
        if "hundre" in part:
            grown = 2 if part.startswith("hundre") and most else 3
            least, most, tens, hundreds = least + grown, most + grown, 0, int(part.endswith(("hundre", "og")))
        elif _TWO.match(part):
            most += 2
            least += 0 if hundreds else 2
            tens, hundreds = int(bool(_TEN.match(part))), 0
        else:
            most += times
            least += 0 if tens or hundreds else times
            tens = hundreds = 0
        times = 1
    return least, most, words


@lru_cache(maxsize=20_000)
def is_number_part(lower: str) -> bool:
    if (lower.isdigit() and len(lower) < 4) or lower == "og" or _NUMBER_WORD.match(lower) is not None:
        return True
    return 4 < len(lower) < 24 and len(_glued(lower)) > 1


_SINGLE_WORDS = sorted({*_TENS.split("|"), *_TEENS.split("|"), *_ONES.split("|"), *"0123456789"})


@lru_cache(maxsize=20_000)
def _glued(lower: str) -> tuple[str, ...]:
    """The number words that a word without blanks is made of ('nientotrefirefemsekssju'), none where it is made of others."""
    reached: list[tuple[str, ...] | None] = [(), *[None] * len(lower)]
    for at, parts in enumerate(reached):
        if parts is not None and at < len(lower):
            for word in _SINGLE_WORDS:
                if lower.startswith(word, at) and reached[at + len(word)] is None:
                    reached[at + len(word)] = (*parts, word)
        if at == 1 and len(lower) > 1 and not any(reached[1:]):
            break
    return reached[-1] or ()


def is_glued_number(lower: str) -> bool:
    """Whether a word is six number words or more without blanks."""
    return 12 < len(lower) <= _LONGEST and len(_glued(lower)) > 5


def _rows(text: str) -> Iterator[list[re.Match[str]]]:
    """Three words and numbers or more that follow each other."""
    if b"\1\1\1" not in bytes(map(is_number_part, _PART.findall(text.lower()))):
        return
    row: list[re.Match[str]] = []
    for match in _PART.finditer(text):
        if not is_number_part(match[0].lower()):
            if len(row) > 2:
                yield row
            row = []
            continue
        if row and (len(row) == 24 or not _BETWEEN.fullmatch(text, row[-1].end(), match.start())):
            if len(row) > 2:
                yield row
            row = []
        if row or match[0].lower() != "og":
            row.append(match)
    if len(row) > 2:
        yield row


def number_in_words(text: str, at: int, least: int, most: int) -> int:
    """Where a number in words and digits ends that begins at `at` and has so many digits; 0 without one."""
    parts: list[str] = []
    end = 0
    while len(parts) < 9:
        match = _PART.match(text, at)
        if match is None or not is_number_part(match[0].lower()):
            break
        parts.append(match[0].lower())
        fewest, greatest, words = _count(parts)
        if fewest > most:
            break
        if words and fewest <= most and greatest >= least:
            end = match.end()
        gap = _BETWEEN.match(text, match.end())
        at = gap.end() if gap else match.end()
    return end


def spelled_numbers(text: str) -> Iterator[Hit]:
    for match in _LONG_WORD.finditer(text):
        parts = list(_glued(match[0].lower()))
        least, most, words = _count(parts) if len(parts) > 5 else (0, 0, 0)
        if words > 2 and most > 6:
            identity = least <= 11 <= most and not least <= 8 <= most
            yield (
                match.start(),
                match.end(),
                "NATIONAL_ID" if identity else "PHONE",
                0.85,
                "id.words" if identity else "phone.words",
            )
    for row in _rows(text):
        while row[-1][0].lower() == "og":
            row.pop()
        parts = [part[0].lower() for part in row]
        parts = [
            single
            for part in parts
            for single in (
                (part,) if _NUMBER_WORD.match(part) or not part.isalpha() or part == "og" else _glued(part)
            )
        ]
        least, most, words = _count(parts)
        start, end = row[0].start(), row[-1].end()
        if most < 7 or not words:
            continue
        told = nearby.before(text, start)
        called = nearby.near(told, nearby.PHONE | nearby.NUMBER, 3)
        if words < 2 and not called:
            continue
        if least <= 11 <= most and (
            nearby.near(told, nearby.IDENTITY, 3) or not (called or least <= 8 <= most)
        ):
            yield start, end, "NATIONAL_ID", 0.85, "id.words"
        elif any(least <= n <= most for n in (8, 10, 12)) or (called and most >= 7 and least <= 13):
            yield start, end, "PHONE", 0.9, "phone.words"
