"""Find what is nobody's business in a text: every rule asked in turn, overlaps resolved, and asked again until nothing is left."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace

from . import addresses, identifiers, matters, people
from .findings import Finding, scrub
from .identifiers import Hit
from .kinds import MASK
from .normal import normal
from .weights import Form

ROUNDS = 4
# Reports end at 4,000 characters; what is longer than this is hidden as a whole rather than read for a second.
MOST_CHARACTERS = 6_000
MOST_WORDS = 1_400
MOST_COSTLY = 150  # Numbers.
_MASKED = re.compile(rf"\s*(?:{MASK.pattern})?\s*")
_DIGIT = re.compile(r"\d")
# A letter, perhaps a full stop, perhaps a blank, and a digit; looked for from the digit, since texts have few.
_NUMBERED = re.compile(r"\d(?:(?<=[^\W\d_]\d)|(?<=[^\W\d_][. ]\d)|(?<=[^\W\d_]\. \d))")
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
    quiet: set[tuple[Form, ...]] = set()
    findings = _touching(text, _once(text, allowed, quiet))
    if not findings:
        return findings
    public = scrub(text, findings)
    for _ in range(ROUNDS):
        # A mask changes what stands beside it: what is read next is what the public would read.
        more = _once(public, allowed, quiet)
        if not more:
            break
        findings = _touching(text, _merged(findings, more))
        public = scrub(text, findings)
    return findings


def _touching(text: str, findings: list[Finding]) -> list[Finding]:
    """Findings of one kind with nothing but space between them are one: a mask tells not how many names it hides."""
    out: list[Finding] = []
    for finding in findings:
        last = out[-1] if out else None
        if last and last.kind == finding.kind and not text[last.end : finding.start].strip(" \u200b"):
            out[-1] = replace(last, end=finding.end, confidence=max(last.confidence, finding.confidence))
        else:
            out.append(finding)
    return out


def _once(text: str, allowed: frozenset[str], quiet: set[tuple[Form, ...]]) -> list[Finding]:
    most = _readable(text)
    plain = normal(text[:most])
    words, rest = _bounded(plain.text)
    hits = _resolved(_hits(words, allowed, quiet), len(words.text))
    found = []
    for start, end, kind, confidence, rule in hits:
        first, last = plain.span(start, end)
        found.append(Finding(first, last, kind, confidence, rule))
    unread = plain.span(rest, rest + 1)[0] if rest < len(plain.text) else most
    if text[unread:] and not _MASKED.fullmatch(text, unread):
        found = [finding for finding in found if finding.end <= unread]
        found.append(Finding(unread, len(text), "UNREAD", 1.0, "unread"))
    return found


def _readable(text: str) -> int:
    """How much of a text is read: so many characters, of which a mask is one, since a mask may be longer than what it hides."""
    if len(text) <= MOST_CHARACTERS:
        return len(text)
    left, at = MOST_CHARACTERS, 0
    for mask in MASK.finditer(text):
        if mask.start() - at >= left:
            break
        left -= mask.start() - at + 1
        at = mask.end()
    return min(len(text), at + max(0, left))


def _bounded(text: str) -> tuple[people.Tokens, int]:
    """The words that are read, and where the rest begins: no text, however long or hostile, takes more work than this."""
    words = people.tokens(text)
    first = len(words.words)
    first = min(first, MOST_WORDS)
    if first > MOST_COSTLY:
        costly = [i for i in range(first) if words.words[i][0].isdigit()]
        if len(costly) > MOST_COSTLY:
            first = costly[MOST_COSTLY]
    if first == len(words.words):
        return words, len(text)
    rest = words.starts[first]
    return people.tokens(text[:rest]), rest


def _hits(words: people.Tokens, allowed: frozenset[str], quiet: set[tuple[Form, ...]]) -> list[Hit]:
    hits = direct(words, allowed)
    return hits + matters.matters(words, hits, quiet)


def direct(words: people.Tokens, allowed: frozenset[str] = frozenset()) -> list[Hit]:
    """Names, numbers and homes."""
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
    return [*hits, *homes, *named]


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


def left_topics(public: str) -> frozenset[str]:
    """`health`, `special`, `family` or `abuse`, where words that are left in a masked text may still speak of it."""
    return matters.left_topics(people.tokens(normal(public[:MOST_CHARACTERS]).text))
