"""Cue words: what stands around names and homes and tells them from streets, firms and plain words."""

from __future__ import annotations

from functools import lru_cache

from .lexicon import lines

SECTIONS = (
    "title",
    "article",
    "hello",
    "goodbye",
    "faint_goodbye",
    "called",
    "office",
    "thing",
    "street",
    "building",
    "belonging",
    "firm",
    "firm_always",
    "at_place",
    "to_place",
    "direction",
    "of_person",
    "possessor",
    "kind_of_place",
    "particle",
    "joining_particle",
    "faint_particle",
    "month",
    "possessive",
    "verb",
    "brand",
    "capital_only",
    "and",
    "perhaps",
    "streetless",
    "generic_street",
    "abbreviation",
    "message",
    "is",
    "family",
    "owned",
    "speak",
    "storm",
    "storm_name",
)
# A word may play several parts, so that its cues are a sum of these.
(
    TITLE,
    ARTICLE,
    HELLO,
    GOODBYE,
    FAINT_GOODBYE,
    CALLED,
    OFFICE,
    THING,
    STREET,
    BUILDING,
    BELONGING,
    FIRM,
    FIRM_ALWAYS,
    AT_PLACE,
    TO_PLACE,
    DIRECTION,
    OF_PERSON,
    POSSESSOR,
    KIND_OF_PLACE,
    PARTICLE,
    JOINING_PARTICLE,
    FAINT_PARTICLE,
    MONTH,
    POSSESSIVE,
    VERB,
    BRAND,
    CAPITAL_ONLY,
    AND,
    PERHAPS,
    STREETLESS,
    GENERIC_STREET,
    ABBREVIATION,
    MESSAGE,
    IS,
    FAMILY,
    OWNED,
    SPEAK,
    STORM,
    STORM_NAME,
) = (1 << bit for bit in range(len(SECTIONS)))


@lru_cache(maxsize=1)
def _lists() -> tuple[dict[str, int], list[tuple[int, tuple[str, ...]]]]:
    """Whole words, and the endings of words ('*sjåfør')."""
    found: dict[str, int] = {}
    endings: dict[int, list[str]] = {}
    bit = 0
    for line in lines("name_cues.txt"):
        if line.startswith("["):
            bit = 1 << SECTIONS.index(line.strip("[]"))
            continue
        for entry in line.split():
            if entry.startswith("*"):
                endings.setdefault(bit, []).append(entry[1:])
            else:
                found[entry] = found.get(entry, 0) | bit
    return found, [(part, tuple(tails)) for part, tails in endings.items()]


@lru_cache(maxsize=60_000)
def cues(lower: str) -> int:
    """The parts that a lower-case word may play beside a name, as a sum of the constants above; 0 for most words."""
    whole, endings = _lists()
    found = whole.get(lower, 0)
    for part, tails in endings:
        if lower.endswith(tails):
            found |= part
    return found
