"""Find what is nobody's business in a text."""

from __future__ import annotations

import re

from stdnum import iban
from stdnum.no import fodselsnummer, kontonr

from .findings import Finding

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_IBAN = re.compile(r"\bNO\d{2}(?:[ .]?\d){11}\b", re.I)
_ELEVEN = re.compile(r"(?<![\d,/-])\d(?:[ .-]?\d){10}(?![\d/-]|[.,]\d)")
_PHONE = re.compile(r"(?<![\d/.,-])(?:(?:\+|00)47[ .-]?)?[2-79](?:[ .-]?\d){7}(?![\d/-]|[.,]\d)")
_PUBLIC_BOX = re.compile(r"^(?:postmottak|post|firmapost|servicetorg|info|kontakt|teknisk|vakt|vakttelefon)@", re.I)


def find(text: str, *, allowed: frozenset[str] = frozenset(), language: str | None = None) -> list[Finding]:
    """Findings in the order of the text, never overlapping.

    `allowed` holds what the municipality itself made public: phone numbers, addresses, people by office, places.
    """
    open_digits = {re.sub(r"\D", "", value)[-8:] for value in allowed}
    open_words = {value.casefold() for value in allowed}
    taken: list[Finding] = []

    def add(start: int, end: int, kind: str, confidence: float, rule: str) -> None:
        if all(end <= other.start or start >= other.end for other in taken):
            taken.append(Finding(start, end, kind, confidence, rule))

    for match in _EMAIL.finditer(text):
        if not _PUBLIC_BOX.match(match[0]) and match[0].casefold() not in open_words:
            add(match.start(), match.end(), "EMAIL", 1.0, "email.shape")
    for match in _IBAN.finditer(text):
        if iban.is_valid(re.sub(r"\W", "", match[0])):
            add(match.start(), match.end(), "ACCOUNT", 1.0, "account.iban")
    for match in _ELEVEN.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        day, month = int(digits[:2]) % 40, int(digits[2:4]) % 40
        if fodselsnummer.is_valid(digits):
            add(match.start(), match.end(), "NATIONAL_ID", 1.0, "id.control")
        elif kontonr.is_valid(digits):
            add(match.start(), match.end(), "ACCOUNT", 0.9, "account.control")
        elif 1 <= day <= 31 and 1 <= month <= 12:
            add(match.start(), match.end(), "NATIONAL_ID", 0.7, "id.date")
    for match in _PHONE.finditer(text):
        if re.sub(r"\D", "", match[0])[-8:] not in open_digits:
            add(match.start(), match.end(), "PHONE", 0.9, "phone.shape")
    return sorted(taken, key=lambda f: f.start)
