"""Find what is nobody's business in a text: every rule asked in turn, overlaps resolved, and asked again until nothing is left."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from . import addresses, identifiers, matters, people
from .findings import Finding, scrub
from .identifiers import Hit
from .kinds import MASK
from .normal import normal
from .topics import Topic, phrase_end

ROUNDS = 4
# Reports end at 4,000 characters; what is longer than this is hidden as a whole rather than read for a second.
MOST_CHARACTERS = 6_000
MOST_WORDS = 1_400
MOST_COSTLY = 240  # Numbers, and words of health, crime, family and contempt.
_MASKED = re.compile(rf"\s*(?:{MASK.pattern})?\s*")
_DIGIT = re.compile(r"\d")
_NUMBERED = re.compile(r"[^\W\d_]\.? ?(?:nr\.? ?|nummer )?\d")
_CONTACTS = frozenset({"PHONE", "EMAIL", "NATIONAL_ID", "ACCOUNT"})
# Where two findings claim the same characters, the surer kind keeps them.
_RANK = {
    "EMAIL": 0,
    "HANDLE": 1,
    "ACCOUNT": 2,
    "NATIONAL_ID": 3,
    "PHONE": 4,
    "PLATE": 5,
    "ADDRESS": 6,
    "PERSON": 7,
    "ABUSE": 8,
    "FAMILY": 9,
    "SPECIAL": 10,
    "HEALTH": 11,
    "UNREAD": 12,
}


def find(text: str, *, allowed: frozenset[str] = frozenset(), language: str | None = None) -> list[Finding]:
    """Findings in the order of the text, never overlapping.

    `allowed` holds what the municipality itself made public: phone numbers, addresses, people by office, places.
    `language` is what the text is said to be in; every language is looked for whatever it says, since residents mix them.
    """
    findings, suspicious = _once(text, allowed)
    if not findings or not suspicious:
        return findings
    public = scrub(text, findings)
    for _ in range(ROUNDS):
        more, _again = _once(public, allowed)
        if not more:
            break
        findings = _merged(findings, more)
        public = scrub(text, findings)
    return findings


def _once(text: str, allowed: frozenset[str]) -> tuple[list[Finding], bool]:
    """The findings, and whether anything is left outside of them that could become one beside a mask."""
    plain = normal(text[:MOST_CHARACTERS])
    words, rest = _bounded(plain.text)
    hits = _resolved(_hits(words, allowed), len(words.text))
    suspicious = bool(hits) and _suspicious(words, hits)
    found = []
    for start, end, kind, confidence, rule in hits:
        first, last = plain.span(start, end)
        found.append(Finding(first, last, kind, confidence, rule))
    unread = plain.span(rest, rest + 1)[0] if rest < len(plain.text) else MOST_CHARACTERS
    if text[unread:] and not _MASKED.fullmatch(text, unread):
        found = [finding for finding in found if finding.end <= unread]
        found.append(Finding(unread, len(text), "UNREAD", 1.0, "unread"))
        suspicious = True
    return found, suspicious


def _suspicious(words: people.Tokens, hits: list[Hit]) -> bool:
    """Some word outside the findings is of a sort that every finding needs at least one of."""
    text = words.text
    if words.spoken or "@" in text or "::" in text or "#" in text or "/" in text:
        return True
    covered = bytearray(len(text))
    for start, end, *_ in hits:
        covered[start:end] = b"\1" * (end - start)
    met: set[tuple[int, int]] = set()
    for i, start in enumerate(words.starts):
        if covered[start]:
            continue
        form = words.words[i]
        entry = words.entries[i]
        if form[0].isdigit():
            if len(form) > 2 or (
                i
                and (
                    words.words[i - 1][0].isalpha()
                    or words.words[i - 1][0].isdigit()
                    or words.words[i - 1] in ".,-+("
                )
            ):
                return True
        elif words.capital[i]:
            if (
                entry.given
                or entry.surname
                or not (entry.plain or entry.place or entry.organisation)
                or len(form) == 1
            ):
                return True
        elif entry.given > 1 or ((entry.given or entry.surname > 1) and not entry.plain):
            return True
        mark = words.marks[i]
        if mark is not None and _says_something(words, i, mark):
            return True
        met |= people.enables(words.lower[i])
    return people.possible(met)


_HELPERS = frozenset(
    {"health.body", "health.more", "family.child", "abuse.group"}
)  # Nothing comes of these alone.


def _says_something(words: people.Tokens, i: int, mark: Topic) -> bool:
    if not mark.flags <= _HELPERS:
        return True
    following = words.lower[i + 1] if i + 1 < len(words.lower) else ""
    return (
        bool(mark.phrases)
        and mark.may_start(following)
        and any(phrase_end(words.lower, i, tail) >= 0 for tail, _ in mark.phrases)
    )


def _bounded(text: str) -> tuple[people.Tokens, int]:
    """The words that are read, and where the rest begins: no text, however long or hostile, takes more work than this."""
    words = people.tokens(text)
    first = len(words.words)
    first = min(first, MOST_WORDS)
    if first > MOST_COSTLY:
        costly = [i for i in range(first) if words.marks[i] is not None or words.words[i][0].isdigit()]
        if len(costly) > MOST_COSTLY:
            first = costly[MOST_COSTLY]
    if first == len(words.words):
        return words, len(text)
    rest = words.starts[first]
    return people.tokens(text[:rest]), rest


def _hits(words: people.Tokens, allowed: frozenset[str]) -> list[Hit]:
    open_digits = frozenset(re.sub(r"\D", "", value)[-8:] for value in allowed if _DIGIT.search(value))
    open_words = frozenset(value.casefold() for value in allowed)
    text = words.text
    hits = [
        hit
        for hit in identifiers.identifiers(text, words.spoken, open_digits)
        if text[hit[0] : hit[1]].casefold() not in open_words
    ]
    named = people.people(words, open_words)
    contacts = [hit for hit in hits if hit[2] in _CONTACTS]
    homes = list(addresses.addresses(text, named, contacts, open_words)) if _NUMBERED.search(text) else []
    hits += homes
    hits += named
    hits += matters.matters(words, named)
    return hits


def _resolved(hits: Iterable[Hit], length: int) -> list[Hit]:
    """No overlaps: the surer kind keeps the characters; a clause around a name or a number swallows it."""
    kept: list[Hit] = []
    taken = bytearray(length)
    for hit in sorted(hits, key=lambda h: (_RANK[h[2]], -h[3], h[0], -h[1], h[4])):
        start, end, kind, confidence, rule = hit
        if taken.find(1, start, end) < 0:
            taken[start:end] = b"\1" * (end - start)
            kept.append(hit)
            continue
        clause = _RANK[kind] >= 8
        rest: list[Hit] = []
        free = True
        for other in kept:
            if other[1] <= start or other[0] >= end:
                rest.append(other)
            elif clause and start <= other[0] and other[1] <= end:
                continue
            elif other[0] <= start and end <= other[1]:
                free = False
                break
            elif other[0] <= start:
                start = other[1]
                rest.append(other)
            else:
                end = other[0]
                rest.append(other)
        if free and start < end:
            rest.append((start, end, kind, confidence, rule))
            kept = rest
            taken[start:end] = b"\1" * (end - start)
    return sorted(kept)


def _merged(findings: list[Finding], more: list[Finding]) -> list[Finding]:
    """Findings of the public text, set back into the original."""
    starts: list[int] = []
    shifts: list[
        tuple[int, int, int]
    ] = []  # where in the public text, where in the original, how long (0: a mask)
    public_at = original_at = 0
    for finding in findings:
        length = finding.start - original_at
        starts.append(public_at)
        shifts.append((public_at, original_at, length))
        public_at += length
        mask = len(
            scrub(
                "x" * (finding.end - finding.start),
                [Finding(0, finding.end - finding.start, finding.kind, 1, finding.rule)],
            )
        )
        starts.append(public_at)
        shifts.append((public_at, finding.start, 0))
        public_at += mask
        original_at = finding.end
    starts.append(public_at)
    shifts.append((public_at, original_at, 1 << 60))

    def back(place: int, *, is_end: bool) -> int:
        index = bisect_right(starts, place - is_end) - 1
        public, original, length = shifts[index]
        if length == 0:
            return findings[index // 2].end if is_end else findings[index // 2].start
        return original + place - public

    out = list(findings)
    for new in more:
        start, end = back(new.start, is_end=False), back(new.end, is_end=True)
        inside = [old for old in out if old.start < end and start < old.end]
        start, end = min([start, *(old.start for old in inside)]), max([end, *(old.end for old in inside)])
        out = [old for old in out if old not in inside]
        out.append(Finding(start, end, new.kind, new.confidence, new.rule))
    return sorted(out, key=lambda f: f.start)
