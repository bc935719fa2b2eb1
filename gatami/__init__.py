"""GataMi: residents report what is wrong outside, the municipality answers, everyone can follow.

See ARCHITECTURE.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def create_app(**overrides: Any) -> Flask:
    """The app, from `config.Config`, the environment `GATAMI_*` over it, and `overrides` over both.

    Raises `app.NotConfigured` where a secret is missing.
    """
    # Not at the head: whoever wants `gatami.policy` alone loads no web framework with it.
    from . import app

    return app.create_app(**overrides)
