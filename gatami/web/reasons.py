"""How a decision on what is shown is put into words, for its author and for staff."""

from __future__ import annotations

from typing import Any

from ..policy import text as policy
from ..policy.moderation import SENSITIVE
from ..policy.text.reasons import REASONS
from ..reports import Decision
from . import page


def decision(made: Decision) -> dict[str, Any]:
    """A decision in the words of the visitor's language; never the words that were hidden."""
    kinds = [policy.KINDS[kind] for kind in made.kinds if kind in policy.KINDS]
    reasons = [page.named(dict(REASONS[rule])) for rule in made.rules if rule in REASONS]
    return {
        "row": made,
        "kinds": [(page.named(dict(k.label)), page.named(dict(k.explanation))) for k in kinds],
        "reasons": list(dict.fromkeys(reasons)),
        "by_automation": made.actor_id is None and made.act != "flagged",
        "is_sensitive": any(kind in SENSITIVE for kind in made.kinds),
    }
