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
) = (1 << bit for bit in range(len(SECTIONS)))


@lru_cache(maxsize=1)
def _lists() -> dict[str, int]:
    found: dict[str, int] = {}
    bit = 0
    for line in lines("name_cues.txt"):
        if line.startswith("["):
            bit = 1 << SECTIONS.index(line.strip("[]"))
            continue
        for entry in line.split():
            found[entry] = found.get(entry, 0) | bit
    return found


def cues(lower: str) -> int:
    """The parts that a lower-case word may play beside a name, as a sum of the constants above; 0 for most words."""
    return _lists().get(lower, 0)
