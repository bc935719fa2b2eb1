"""The word lists: which words are names, places or plain words.

Read once, on first use. The lists are text files in `policy/words/`; only the dictionary is packed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import marisa_trie

from .normal import HOLE

WORDS = Path(__file__).resolve().parent.parent / "words"

TOKEN = re.compile(rf"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+|{HOLE}|[^\w\s]|_+")

COMMON = 1500  # Bearers from which a given name is a common one.


def lines(name: str) -> list[str]:
    """The entries of a list, without comments."""
    rows = (WORDS / name).read_text(encoding="utf-8").splitlines()
    return [row.split("#")[0].rstrip() if not row.startswith("#") else "" for row in rows]


@dataclass(frozen=True, slots=True)
class Lexicon:
    given: dict[str, int]
    surnames: dict[str, int]
    places: frozenset[str]
    organisations: frozenset[str]
    names_first: frozenset[str]  # In the dictionary too, and names all the same.
    never: frozenset[str]
    english: frozenset[str]
    dictionary: marisa_trie.Trie


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    never = frozenset(word.casefold() for word in lines("not_names.txt") if word)
    given = {name.casefold(): count for name, count in _counts("given_names.txt")}
    surnames = {name.casefold(): count for name, count in _counts("surnames.txt")}
    names_first: set[str] = set()
    words: set[str] = set()
    for line in lines("names_added.txt"):
        sort, _, names = line.partition(":")
        if sort in ("first", "word"):
            (names_first if sort == "first" else words).update(names.split())
            continue
        target = given if sort == "given" else surnames
        for name in names.split():
            target.setdefault(name.casefold(), 1)
            target[name.casefold()] = max(target[name.casefold()], 400)
    english = frozenset(word for word in lines("english_words.txt") if word) | words
    dictionary = marisa_trie.Trie()
    dictionary.mmap(str(WORDS / "dictionary.marisa"))
    places = frozenset(
        word.casefold() for name in ("places.txt", "places_added.txt") for word in lines(name) if word
    )
    organisations = frozenset(
        word.casefold()
        for name in ("organisations.txt", "organisations_added.txt")
        for word in lines(name)
        if word
    )
    return Lexicon(given, surnames, places, organisations, frozenset(names_first), never, english, dictionary)


def _counts(name: str) -> list[tuple[str, int]]:
    return [(row.split("\t")[0], int(row.split("\t")[1])) for row in lines(name) if row]


@dataclass(frozen=True, slots=True)
class Word:
    """What the lists say about one word."""

    given: int  # 0 no, 1 rare, 2 known, 3 common
    surname: int  # 0 no, 1 rare, 2 known, 3 common
    place: bool
    organisation: bool
    plain: bool  # In the dictionary as a lower-case word.
    code: str  # The same in one string, for the trained weights.


@dataclass(frozen=True, slots=True)
class Grammar:
    """The base form of a word, and the sorts of word that it may be, as a sum: see `policy.build.SORTS`."""

    lemma: str
    sorts: int


@lru_cache(maxsize=1)
def _grammar() -> tuple[marisa_trie.RecordTrie, list[tuple[int, str]]]:
    trie = marisa_trie.RecordTrie("<BH")
    trie.mmap(str(WORDS / "grammar.marisa"))
    endings = [row.partition("+") for row in lines("lemma_endings.txt") if row]
    return trie, [(int(cut), ending) for cut, _, ending in endings]


def grammar(lower: str) -> Grammar:
    """From the dictionary; of an unknown word, the sorts of the longest known word that it ends with."""
    trie, endings = _grammar()
    known = trie.get(lower)
    if known:
        sorts, rule = known[0]
        cut, ending = endings[rule]
        return Grammar(lower[: len(lower) - cut] + ending, sorts)
    for start in range(1, len(lower) - 3):
        tail = trie.get(lower[start:])
        if tail:
            return Grammar(lower[:6], tail[0][0])
    return Grammar(lower[:6], 0)


def _grade(count: int | None) -> int:
    return 0 if count is None else 1 if count < 60 else 2 if count < COMMON else 3


# Old Norse names are made of two parts, of which new ones are made to this day: Geirmund, Torlaug, Gunnveig.
_COMPOSED = re.compile(
    "(?:alf|arn|asb?|ås|aud|bjørg|bjørn|dag|eid|ein|eld|fred|frid|geir|gjer|gjert|gud|guld|gull|gunn|hall|halv|har|her|hild|hjalm|hjør|inge?"
    "|jor|jord|kjell|leid|leiv|mag|nor|odd|ol|ragn|roa|rog|run|sig|snø|sol|stein|styr|svan|svein|sven|sver|ter|tor|tore|ulv|une|unn|val|vig|yng|øy|øyst)"
    "(?:bera|bjørg|bjørn|bjart|bjørt|dis|finn|frid|frida|fred|geir|gerd|grim|gunn|gunna|hild|hilda|halla|kjell|ketil|laug|leif|leiv|liv"
    "|mod|mund|olf|rann|run|stein|trud|ulf|ulv|unn|vald|valda|vard|veig|vor)"
)
_PATRONYM = ("sen", "son", "datter", "dotter")


def _father(lower: str, lists: Lexicon) -> bool:
    """'Kolbjørnsen', 'Ivarsdatter': whether what stands before the ending is a given name."""
    stem = lower[: -len(next(end for end in _PATRONYM if lower.endswith(end)))]
    return any(lists.given.get(base, 0) >= 60 for base in (stem, stem[:-1]) if len(base) > 2)


@lru_cache(maxsize=60_000)
def word(lower: str) -> Word:
    """The entry of a lower-case word; of a name in the genitive, the entry of the name."""
    lists = lexicon()
    given, surname = _grade(lists.given.get(lower)), _grade(lists.surnames.get(lower))
    if "-" in lower and not given and not surname:
        parts = [part for part in lower.split("-") if part]
        given = min((_grade(lists.given.get(part)) for part in parts), default=0)
        if not given and len(parts) == 2:
            surname = min(_grade(lists.surnames.get(part)) for part in parts)
    if lower in lists.never:
        given = surname = 0
    elif not (given or surname) and _COMPOSED.fullmatch(lower):
        given = 2
    elif not surname and lower.endswith(_PATRONYM) and _father(lower, lists):
        surname = 2
    place = lower in lists.places
    organisation = lower in lists.organisations
    plain = lower in lists.never or lower in lists.english
    plain = plain or (lower in lists.dictionary and lower not in lists.names_first)
    if not (given or surname or place or plain) and len(lower) > 3 and lower.endswith("s"):
        base = word(lower[:-1].rstrip("'’"))
        if base.given or base.surname or base.place:
            return base
    code = f"{given}{surname}{'p' if place else ''}{'o' if organisation else ''}{'d' if plain else ''}"
    return Word(given, surname, place, organisation, plain, code)
