"""Scrub JSON lines: the body of the command `flask policy scrub < in.jsonl > out.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from . import text as scrubber


def scrub_lines(lines: Iterable[str], language: str = "nb") -> Iterator[str]:
    """For each line `{"text": …}` one line `{"public": …, "findings": […]}`; `"language"` in a line sets that of its masks."""
    for line in lines:
        if not line.strip():
            continue
        row = json.loads(line)
        text = row["text"]
        findings = scrubber.find(text)
        found = [
            {
                "start": f.start,
                "end": f.end,
                "kind": f.kind,
                "confidence": f.confidence,
                "rule": f.rule,
                "reason": dict(f.reason),
            }
            for f in findings
        ]
        public = scrubber.scrub(text, findings, row.get("language", language))
        yield json.dumps({"public": public, "findings": found}, ensure_ascii=False)
