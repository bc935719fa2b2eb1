"""What becomes of a text: shown, shown with parts hidden, or held until a person has looked at it.

The municipality's guideline (Personvern, Sensur): what is sensitive is never shown, what bullies is removed at once, and the
author is told why. Personopplysningsloven and GDPR art. 9 and 10 forbid showing; offentleglova § 12 asks to show the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import text as scrubber
from .photos import Made
from .text import Finding

SENSITIVE = ("HEALTH", "SPECIAL", "FAMILY", "ABUSE")
POINTING = frozenset({"PERSON", "ADDRESS", "PLATE", "HANDLE", "PHONE", "EMAIL"})
"""Kinds that tell of whom something is said."""
THREAT = "abuse.threat"
OWN_WORD = "municipality.word"
HOLD_FROM = 0.6
NEAR = 80
"""Characters between a name and a clause that are most likely about the same person."""
LIFTABLE = 0.9
"""A name that is found with less confidence than this may be lifted by staff, one by one."""
GUESSED = "person.weights"
"""The rule of names that stand in no list and behind no cue: a farm or a shop often looks the same."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a municipality has decided for itself."""

    hold_from: Mapping[str, float] = field(default_factory=dict)
    """Kind → confidence from which a clause may hold a text; `HOLD_FROM` where nothing is said."""
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Kind → words of its own that are always hidden."""
    open: frozenset[str] = frozenset()
    """What is never hidden: its numbers and mailboxes, people by office, places."""

    @classmethod
    def of(cls, stored: Mapping[str, Any], open_: frozenset[str] = frozenset()) -> Rules:
        """From the municipality's row. What does not fit there is left out rather than trusted."""
        thresholds = stored.get("hold_from") or {}
        words = stored.get("hidden") or {}
        return cls(
            {
                kind: float(value)
                for kind, value in thresholds.items()
                if kind in SENSITIVE and 0 <= value <= 1
            },
            {kind: tuple(listed) for kind, listed in words.items() if kind in scrubber.KINDS},
            open_ | frozenset(stored.get("open") or ()),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The public text, and whether it may be shown at once."""

    public: str
    findings: tuple[Finding, ...]
    why: tuple[str, ...]
    """Why it is held: `threat`, `somebody` (a sensitive clause, and somebody is pointed out), `more` (words left that may
    tell the same), `unread`. Empty: it is shown."""

    @property
    def held(self) -> bool:
        return bool(self.why)

    @property
    def alarming(self) -> bool:
        """Whether the leader is to be told."""
        return "threat" in self.why

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted({finding.kind for finding in self.findings}))


def judge(text: str, rules: Rules, language: str = "nb") -> Verdict:
    """Find, mask and decide. Raises whatever breaks inside; the caller then holds the text."""
    findings = _with_own_words(text, scrubber.find(text, allowed=rules.open), rules)
    public = scrubber.scrub(text, findings, language)
    return Verdict(public, tuple(findings), tuple(_why(public, findings, rules)))


def _with_own_words(text: str, findings: list[Finding], rules: Rules) -> list[Finding]:
    out = list(findings)
    for kind, words in sorted(rules.hidden.items()):
        for word in words:
            for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE):
                start, end = match.span()
                inside = [old for old in out if old.start < end and start < old.end]
                if any(old.start <= start and end <= old.end for old in inside):
                    continue
                first, last = min([start, *(f.start for f in inside)]), max([end, *(f.end for f in inside)])
                out = [old for old in out if old not in inside]
                out.append(Finding(first, last, inside[0].kind if inside else kind, 1.0, OWN_WORD))
    return sorted(out, key=lambda finding: finding.start)


def _why(public: str, findings: list[Finding], rules: Rules) -> list[str]:
    why = []
    sensitive = [
        finding
        for finding in findings
        if finding.kind in SENSITIVE and finding.confidence >= rules.hold_from.get(finding.kind, HOLD_FROM)
    ]
    if any(finding.rule == THREAT for finding in findings):
        why.append("threat")
    if sensitive:
        if any(
            _near(finding, clause) for finding in findings if finding.kind in POINTING for clause in sensitive
        ):
            why.append("somebody")
        topics = {finding.kind.lower() for finding in sensitive}
        if topics & scrubber.left_topics(public):
            why.append("more")
    if any(finding.kind == "UNREAD" for finding in findings):
        why.append("unread")
    return why


def _near(one: Finding, other: Finding) -> bool:
    return max(one.start, other.start) - min(one.end, other.end) <= NEAR


def liftable(verdict: Verdict) -> list[Finding]:
    """Uncertain names: hidden now, and a person may say that they are none."""
    return [
        f for f in verdict.findings if f.kind == "PERSON" and (f.confidence < LIFTABLE or f.rule == GUESSED)
    ]


def stored(rules: Rules) -> dict[str, Any]:
    """The rules as `Rules.of` reads them, for a process that is handed JSON."""
    return {
        "hold_from": dict(rules.hold_from),
        "hidden": {kind: list(words) for kind, words in rules.hidden.items()},
        "open": sorted(rules.open),
    }


CROWD = 6
"""Faces that are covered without a person; where there are more, one is easily overlooked."""
PORTRAIT = 0.15
"""Share of the picture's shorter side: a face this large was what the picture is about."""
SURE_PLATE = 0.5
PAGE_LINES = 12
PAGE_SHARE = 0.12
"""Share of the picture's area that lines of text fill on a letter, a notice or a screen."""


def doubts(made: Made) -> tuple[str, ...]:
    """Why a person must look at a photo before it is shown; nothing where what was found is covered for sure.

    `many_faces`, `large_face` (a child close up is known by more than the face), `unsure_plate`, `page` (a letter or a
    screen full of text) and `left` (a second detector still finds somebody). The municipality's guideline: children are not
    to be recognised in pictures.
    """
    why = []
    faces = [box for box in made.boxes if box.kind == "face"]
    shorter = min(made.width, made.height)
    if len(faces) > CROWD:
        why.append("many_faces")
    if any(min(box.width * made.width, box.height * made.height) > PORTRAIT * shorter for box in faces):
        why.append("large_face")
    if any(box.kind == "plate" and box.confidence < SURE_PLATE for box in made.boxes):
        why.append("unsure_plate")
    if made.lines >= PAGE_LINES or made.text_share >= PAGE_SHARE:
        why.append("page")
    if made.left:
        why.append("left")
    return tuple(why)


GROUNDS = {
    "guideline": "The municipality's guideline for talking with the public: Sensur, Personvern.",
    "children": "The municipality's guideline: children are not to be recognised in pictures.",
    "gdpr_6": "GDPR art. 5 (1) c and art. 6: no more personal data is shown than is needed.",
    "gdpr_9": "GDPR art. 9: special categories of personal data.",
    "gdpr_10": "GDPR art. 10: criminal convictions and offences.",
    "national_id": "Personopplysningsloven § 12: national identity numbers.",
    "confidential": "Forvaltningsloven § 13 and offentleglova § 13: personal matters under a duty of secrecy.",
}


def grounds(kinds: Iterable[str], act: str) -> tuple[str, ...]:
    """The law and the guideline that a decision rests on, as keys of GROUNDS in their order."""
    found = {"guideline"}
    for kind in kinds:
        found |= _GROUNDS_OF.get(kind, {"gdpr_6"})
    if act in ("flagged", "unpublished"):
        found.add("gdpr_6")
    return tuple(key for key in GROUNDS if key in found)


_GROUNDS_OF: dict[str, set[str]] = {
    "HEALTH": {"gdpr_9", "confidential"},
    "SPECIAL": {"gdpr_9", "gdpr_10", "confidential"},
    "FAMILY": {"confidential", "gdpr_6"},
    "ABUSE": set(),
    "NATIONAL_ID": {"national_id"},
    "FACE": {"children", "gdpr_6"},
}
