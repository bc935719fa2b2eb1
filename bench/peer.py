"""Presidio, the best-known finder of personal data, with what packages offer for Norwegian: the peer of `bench.policy`.

Runs in an environment of its own (requirements-bench.txt). Reads `{"texts": […], "speed": […]}` on standard input and prints
the spans found in each text, and how many texts a second one core reads.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

SECONDS = 4.0


def analyser() -> Callable[[str], list[tuple[int, int, str]]]:
    """A blank Norwegian pipeline, and every recogniser of the package that does not depend on another country."""
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
    general = (
        CreditCardRecognizer,
        DateRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        SpacyRecognizer,
        UrlRecognizer,
    )
    for recognizer in general:
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


def main() -> int:
    asked: dict[str, Any] = json.load(sys.stdin)
    begin = time.perf_counter()
    find = analyser()
    find("Hei")
    start = time.perf_counter() - begin
    found = [find(text) for text in asked["texts"]]
    best = 0.0
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        begin = time.process_time()
        for text in asked["speed"]:
            find(text)
        best = max(best, len(asked["speed"]) / (time.process_time() - begin))
    json.dump(
        {"start_seconds": round(start, 2), "found": found, "texts_per_second": round(best, 1)}, sys.stdout
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
