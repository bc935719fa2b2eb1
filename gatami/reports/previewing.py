"""What everyone would see of a text that is still being written. Nothing here is stored."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..db import BadLink, keyring
from ..municipalities import Municipality
from ..policy import moderation
from ..policy import text as policy
from ..policy.moderation import Rules
from .moderating import rules_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """The public text, what is hidden in it and why."""

    public: str
    kinds: tuple[str, ...]
    """In the order of the text."""
    hidden: tuple[tuple[str, str], ...]
    """For each kind its label and the reasons, in the reader's language."""
    held: bool
    """Whether a person reads the text before it is shown."""
    seen: str
    """Proves to the form that exactly this text was shown."""

    @property
    def is_abusive(self) -> bool:
        return "ABUSE" in self.kinds

    @property
    def is_sensitive(self) -> bool:
        """Whether it is about something that has a better way than a public report."""
        return not {*moderation.SENSITIVE}.difference(["ABUSE"]).isdisjoint(self.kinds)


def preview(text: str, language: str, municipality: Municipality | None) -> Preview | None:
    """What becomes of the text when it is sent; None where nothing is hidden and nobody reads it first.

    None too where the policy layer fails: nobody is stopped by that, and the submit itself holds the text.
    """
    text = text.strip()
    try:
        rules = rules_of(municipality) if municipality else Rules()
        verdict = moderation.judge(text, rules, language)
        reasons: dict[str, dict[str, None]] = {}
        for finding in verdict.findings:
            reasons.setdefault(finding.kind, {})[finding.reason[language]] = None
    except Exception as error:  # noqa: BLE001  (whatever broke, the report can be sent)
        # What went wrong may quote the text, so the log gets its name and nothing of its words.
        log.error("A preview of %d characters failed: %s.", len(text), type(error).__name__)
        return None
    if not reasons and not verdict.held:
        return None
    return Preview(
        public=verdict.public,
        kinds=tuple(reasons),
        hidden=tuple((policy.KINDS[kind].label[language], " ".join(why)) for kind, why in reasons.items()),
        held=verdict.held,
        seen=keyring.sign("seen", _stands_for(text, language, municipality)),
    )


def was_seen(token: str, text: str, language: str, municipality: Municipality) -> bool:
    """Whether exactly this text was shown as a preview, in this language and by the rules of this municipality."""
    try:
        shown = keyring.signed("seen", token)
    except BadLink:
        return False
    return bool(shown == _stands_for(text, language, municipality))


def _stands_for(text: str, language: str, municipality: Municipality | None) -> str:
    """A digest, since a page's hidden field is readable and outlives the page in a browser's history."""
    return keyring.digest("\0".join((municipality.number if municipality else "", language, text.strip())))
