"""What was found, why, and the public text that follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .kinds import KINDS
from .reasons import REASONS


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of the text that is nobody's business, with the rule that found it."""

    start: int
    end: int
    kind: str
    confidence: float
    rule: str

    @property
    def reason(self) -> Mapping[str, str]:
        """Why it was found, in bokmål ('nb'), nynorsk ('nn') and English ('en')."""
        return REASONS[self.rule]


def scrub(text: str, findings: Iterable[Finding], language: str = "nb") -> str:
    """The public text: every finding replaced by the mask of its kind in the language.

    Overlapping findings become one mask, that of the finding which starts first (the longest of those).
    """
    code = language if language in ("nb", "nn", "en") else "nb"
    parts: list[str] = []
    at = 0
    for finding in sorted(findings, key=lambda f: (f.start, -f.end, f.kind)):
        if finding.end <= at:
            continue
        if finding.start >= at:
            parts.append(text[at : finding.start])
            parts.append(KINDS[finding.kind].mask[code])
        at = finding.end
    parts.append(text[at:])
    return "".join(parts)
