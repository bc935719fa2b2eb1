"""Measure the scrubber of `gatami.policy.text`, and Presidio beside it; prints JSON.

    python -m bench.policy FOLDER [--norne FOLDER]

FOLDER holds `*.jsonl` files whose `text` carries marks such as `[[PERSON:Kari Halvorsen]]`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatami.policy import text as scrubber
from gatami.policy.text.marks import parse_marks

Spans = list[tuple[int, int, str]]
NEED = 0.9  # A marked stretch counts as found from this share of its letters and digits.
ROOT = Path(__file__).resolve().parents[1]
SIZE = 400  # Characters of a text in the measure of speed.


def figures(find: Callable[[str], Spans], reports: list[tuple[str, Spans]]) -> dict[str, Any]:
    found: dict[str, list[bool]] = {}
    clean = alarms = predicted = inside = 0
    for text, wanted in reports:
        covered, gold = bytearray(len(text)), bytearray(len(text))
        for start, end, _ in find(text):
            covered[start:end] = b"\1" * (end - start)
        for start, end, kind in wanted:
            gold[start:end] = b"\1" * (end - start)
            letters = [i for i in range(start, end) if text[i].isalnum()]
            found.setdefault(kind, []).append(sum(covered[i] for i in letters) >= NEED * len(letters))
        shown = [i for i, char in enumerate(text) if covered[i] and char.isalnum()]
        predicted += len(shown)
        inside += sum(gold[i] for i in shown)
        if not wanted:
            clean += 1
            alarms += bool(shown)
    return {
        "reports": len(reports),
        "recall": {
            kind: {"found": sum(hits), "of": len(hits), "share": round(sum(hits) / len(hits), 4)}
            for kind, hits in sorted(found.items())
        },
        "precision_characters": round(inside / predicted, 4) if predicted else None,
        "clean_reports": clean,
        "clean_reports_with_false_alarm": alarms,
    }


def pieces(reports: list[tuple[str, Spans]]) -> list[str]:
    """The reports joined and cut anew, so that all texts are of one size."""
    joined = " ".join(text for text, _ in reports)
    return [joined[at : at + SIZE] for at in range(0, len(joined) - SIZE, SIZE)] or [joined]


def speed(find: Callable[[str], Spans], texts: list[str], seconds: float = 4.0) -> float:
    """Texts per second of one core, the best of several rounds."""
    for text in texts[:10]:
        find(text)
    best = 0.0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        begin = time.process_time()
        for text in texts:
            find(text)
        best = max(best, len(texts) / (time.process_time() - begin))
    return round(best, 1)


def ours(text: str) -> Spans:
    return [(finding.start, finding.end, finding.kind) for finding in scrubber.find(text)]


def peer(batches: dict[str, list[tuple[str, Spans]]], texts: list[str]) -> dict[str, Any]:
    """The same figures of Presidio, from its own environment; without that, what to do."""
    python = ROOT / ".venv.peer" / "bin" / "python"
    if not python.exists():
        return {"missing": "make bench installs the packages of requirements-bench.txt"}
    asked = {"texts": [text for batch in batches.values() for text, _ in batch], "speed": texts}
    done = subprocess.run(
        [python, "-m", "bench.peer"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    answer = json.loads(done.stdout)
    found = dict(zip(asked["texts"], answer["found"], strict=True))
    return {
        "start_seconds": answer["start_seconds"],
        "figures": {name: figures(found.__getitem__, batch) for name, batch in batches.items()},
        "texts_per_second": answer["texts_per_second"],
    }


def start_up() -> dict[str, float]:
    """Seconds and megabytes of an import with a first text, in a process of its own."""
    code = (
        "import time, resource; begin = time.perf_counter();"
        "from gatami.policy import text; text.find('Hei, Kari Halvorsen');"
        "print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    seconds, megabytes = map(float, done.stdout.split())
    return {"seconds": round(seconds, 3), "megabytes": round(megabytes, 1)}


def norne(folder: Path) -> dict[str, Any]:
    """Recall of person names, token by token, on NorNE's development part, and names found where there is none."""
    from gatami.policy.build import norne_sentences
    from gatami.policy.text.people import people, tokens

    out: dict[str, Any] = {}
    for code in ("nob", "nno"):
        wanted = got = wrong = 0
        for words, labels in norne_sentences(folder / f"{code}-dev.tsv"):
            text = " ".join(words)
            covered = bytearray(len(text))
            for start, end, *_ in people(tokens(text), frozenset()):
                covered[start:end] = b"\1" * (end - start)
            at = 0
            for word, label in zip(words, labels, strict=True):
                share = sum(covered[at : at + len(word)])
                wanted += label == "P"
                # The genitive stays outside of a name.
                got += label == "P" and share >= NEED * len(word) - 1
                wrong += label != "P" and share > len(word) / 2
                at += len(word) + 1
        out[code] = {"recall": round(got / wanted, 4), "precision": round(got / max(1, got + wrong), 4)}
    return out


def measure(folder: Path, norne_folder: Path | None) -> dict[str, Any]:
    batches = {
        path.stem: [
            parse_marks(json.loads(line)["text"])
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
        for path in sorted(folder.glob("*.jsonl"))
    }
    texts = pieces([report for batch in batches.values() for report in batch])
    result: dict[str, Any] = {"ratio_of_speeds": None}
    result["start"] = start_up()
    result["figures"] = {name: figures(ours, batch) for name, batch in batches.items()}
    result["texts_per_second"] = speed(ours, texts)
    result["megabytes_after"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    if norne_folder:
        result["norne"] = norne(norne_folder)
    result["presidio"] = peer(batches, texts)
    if theirs := result["presidio"].get("texts_per_second"):
        # Once more, right after the peer, so that what the machine does beside falls on both alike.
        ours_again = speed(ours, texts)
        result["ratio_of_speeds"] = round((result["texts_per_second"] + ours_again) / 2 / theirs, 2)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with marked *.jsonl files")
    parser.add_argument("--norne", type=Path, help="folder with nob-dev.tsv and nno-dev.tsv")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.folder, arguments.norne), ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
