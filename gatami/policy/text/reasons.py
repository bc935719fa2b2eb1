"""The reason behind each rule, in three languages."""

from __future__ import annotations

from collections.abc import Mapping


def _in(nb: str, nn: str, en: str) -> Mapping[str, str]:
    return {"nb": nb, "nn": nn, "en": en}


REASONS: Mapping[str, Mapping[str, str]] = {
    "phone.shape": _in("Har formen til et telefonnummer.", "Har forma til eit telefonnummer.", "Has the shape of a phone number."),
    "email.shape": _in("Har formen til en e-postadresse.", "Har forma til ei e-postadresse.", "Has the shape of an e-mail address."),
    "id.control": _in(
        "Elleve sifre med dato og riktige kontrollsifre.",
        "Elleve siffer med dato og rette kontrollsiffer.",
        "Eleven digits with a date and valid control digits.",
    ),
    "id.date": _in("Elleve sifre som begynner med en dato.", "Elleve siffer som byrjar med ein dato.", "Eleven digits that start with a date."),
    "account.control": _in(
        "Elleve sifre med riktig kontrollsiffer for konto.",
        "Elleve siffer med rett kontrollsiffer for konto.",
        "Eleven digits with a valid control digit of an account.",
    ),
    "account.iban": _in("Et gyldig IBAN.", "Eit gyldig IBAN.", "A valid IBAN."),
}
