"""Personal data and abuse in free text: `find` says where and why, `scrub` gives the public text.

Pure and deterministic: same text, same findings. Nothing is read but the word lists beside this package.
"""

from __future__ import annotations

from .find import find, left_topics
from .findings import Finding, scrub
from .kinds import KINDS, LANGUAGES, Kind, mask_parts

__all__ = ["KINDS", "LANGUAGES", "Finding", "Kind", "find", "left_topics", "mask_parts", "scrub"]
