"""Measure the scrubber of `gatami.policy.text`, and Presidio beside it; prints JSON.

    python -m bench.policy FOLDER [--norne FOLDER]

FOLDER holds `*.jsonl` files whose `text` carries marks such as `[[PERSON:Kari Halvorsen]]`. Presidio is optional: without the
packages of `requirements-bench.in` its part says so. Its set-up is a blank Norwegian pipeline with every recogniser of the
package that does not depend on another country.
"""

from __future__ import annotations

import argparse
import json
import logging
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


def speed(find: Callable[[str], Spans], reports: list[tuple[str, Spans]], seconds: float = 4.0) -> float:
    """Texts of 400 characters per second of one core, the best of several rounds."""
    joined = " ".join(text for text, _ in reports)
    texts = [joined[at : at + SIZE] for at in range(0, len(joined) - SIZE, SIZE)] or [joined]
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


def presidio() -> Callable[[str], Spans]:
    """Presidio with what packages offer for Norwegian."""
    logging.disable(logging.CRITICAL)
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        DateRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        PhoneRecognizer,
        SpacyRecognizer,
        UrlRecognizer,
    )

    class Blank(SpacyNlpEngine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(
                models=[{"lang_code": "nb", "model_name": "blank"}],
                ner_model_configuration=NerModelConfiguration(),
            )
            self.nlp = {"nb": spacy.blank("nb")}

        def load(self) -> None:
            pass

    registry = RecognizerRegistry(supported_languages=["nb"])
    for recognizer in (
        CreditCardRecognizer,
        DateRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        SpacyRecognizer,
        UrlRecognizer,
    ):
        registry.add_recognizer(recognizer(supported_language="nb"))
    registry.add_recognizer(
        PhoneRecognizer(supported_language="nb", supported_regions=("NO", "SE", "GB", "PL"))
    )
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["nb"])
    return lambda text: [
        (hit.start, hit.end, hit.entity_type)
        for hit in engine.analyze(text, language="nb")
        if hit.entity_type != "DATE_TIME"
    ]


def start_up() -> dict[str, float]:
    """Seconds and megabytes of an import with a first text, in a process of its own."""
    code = (
        "import sys, time, resource, types; begin = time.perf_counter();"
        "package = types.ModuleType('gatami'); package.__path__ = ['gatami']; sys.modules['gatami'] = package;"
        "from gatami.policy import text; text.find('Hei, Kari Halvorsen');"
        "print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with marked *.jsonl files")
    parser.add_argument("--norne", type=Path, help="folder with nob-dev.tsv and nno-dev.tsv")
    arguments = parser.parse_args()
    batches = {
        path.stem: [
            parse_marks(json.loads(line)["text"])
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
        for path in sorted(arguments.folder.glob("*.jsonl"))
    }
    everything = [report for batch in batches.values() for report in batch]
    result: dict[str, Any] = {
        "start": start_up(),
        "figures": {name: figures(ours, batch) for name, batch in batches.items()},
    }
    result["texts_per_second"] = speed(ours, everything)
    result["megabytes_after"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    if arguments.norne:
        result["norne"] = norne(arguments.norne)
    try:
        begin = time.perf_counter()
        beside = presidio()
        beside("Hei")
        took = round(time.perf_counter() - begin, 2)
        result["presidio"] = {
            "start_seconds": took,
            "figures": {name: figures(beside, batch) for name, batch in batches.items()},
            "texts_per_second": speed(beside, everything),
        }
        result["speed_ratio"] = round(result["texts_per_second"] / result["presidio"]["texts_per_second"], 2)
    except ImportError as error:
        result["presidio"] = f"not installed: {error.name}"
    print(json.dumps(result, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
