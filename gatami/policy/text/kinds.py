"""The kinds of private matter, their masks and what is said about them to the reader.

A mask names the kind and nothing else: its length tells nothing about what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGES = ("nb", "nn", "en")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of private matter: its masks, its label and an explanation for the reader, per language."""

    name: str
    mask: Mapping[str, str]
    label: Mapping[str, str]
    explanation: Mapping[str, str]


def _kind(
    name: str, masks: tuple[str, str, str], labels: tuple[str, str, str], explanations: tuple[str, str, str]
) -> Kind:
    return Kind(
        name,
        {code: f"[{word}]" for code, word in zip(LANGUAGES, masks, strict=True)},
        dict(zip(LANGUAGES, labels, strict=True)),
        dict(zip(LANGUAGES, explanations, strict=True)),
    )


_ALL = (
    _kind(
        "PERSON",
        ("navn", "namn", "name"),
        ("Navn på en person", "Namn på ein person", "A person's name"),
        (
            "Her sto navnet på en person. Navn vises ikke åpent.",
            "Her stod namnet på ein person. Namn blir ikkje viste ope.",
            "A person's name stood here. Names are not shown in public.",
        ),
    ),
    _kind(
        "PHONE",
        ("telefonnummer", "telefonnummer", "phone number"),
        ("Telefonnummer", "Telefonnummer", "Phone number"),
        (
            "Her sto et telefonnummer. Private nummer vises ikke åpent.",
            "Her stod eit telefonnummer. Private nummer blir ikkje viste ope.",
            "A phone number stood here. Private numbers are not shown in public.",
        ),
    ),
    _kind(
        "EMAIL",
        ("e-postadresse", "e-postadresse", "e-mail address"),
        ("E-postadresse", "E-postadresse", "E-mail address"),
        (
            "Her sto en e-postadresse. Private adresser vises ikke åpent.",
            "Her stod ei e-postadresse. Private adresser blir ikkje viste ope.",
            "An e-mail address stood here. Private addresses are not shown in public.",
        ),
    ),
    _kind(
        "NATIONAL_ID",
        ("fødselsnummer", "fødselsnummer", "national identity number"),
        ("Fødselsnummer eller D-nummer", "Fødselsnummer eller D-nummer", "National identity number"),
        (
            "Her sto noe som ser ut som et fødselsnummer eller D-nummer. Slike vises aldri.",
            "Her stod noko som ser ut som eit fødselsnummer eller D-nummer. Slike blir aldri viste.",
            "Something that looks like a national identity number stood here. These are never shown.",
        ),
    ),
    _kind(
        "ACCOUNT",
        ("kontonummer", "kontonummer", "account number"),
        ("Kontonummer", "Kontonummer", "Bank account or card number"),
        (
            "Her sto et kontonummer eller kortnummer. Slike vises ikke åpent.",
            "Her stod eit kontonummer eller kortnummer. Slike blir ikkje viste ope.",
            "A bank account or card number stood here. These are not shown in public.",
        ),
    ),
    _kind(
        "PLATE",
        ("registreringsnummer", "registreringsnummer", "number plate"),
        ("Registreringsnummer på kjøretøy", "Registreringsnummer på køyretøy", "Vehicle number plate"),
        (
            "Her sto et registreringsnummer. Det kan knyttes til en eier og vises ikke åpent.",
            "Her stod eit registreringsnummer. Det kan knytast til ein eigar og blir ikkje vist ope.",
            "A number plate stood here. It can be traced to an owner and is not shown in public.",
        ),
    ),
    _kind(
        "ADDRESS",
        ("hjemmeadresse", "heimeadresse", "home address"),
        ("Adresse til en person", "Adressa til ein person", "Somebody's home address"),
        (
            "Her sto adressen til en person. Stedet for feilen vises på kartet, hjemmet til folk gjør det ikke.",
            "Her stod adressa til ein person. Staden for feilen blir vist på kartet, heimen til folk blir ikkje det.",
            "Somebody's home address stood here. The place of the fault is on the map, people's homes are not.",
        ),
    ),
    _kind(
        "HANDLE",
        ("brukernavn", "brukarnamn", "user name"),
        (
            "Brukernavn, profil eller IP-adresse",
            "Brukarnamn, profil eller IP-adresse",
            "User name, profile or IP address",
        ),
        (
            "Her sto et brukernavn, en profillenke eller en IP-adresse som kan knyttes til en person.",
            "Her stod eit brukarnamn, ei profillenkje eller ei IP-adresse som kan knytast til ein person.",
            "A user name, profile link or IP address that may lead to a person stood here.",
        ),
    ),
    _kind(
        "HEALTH",
        ("helseopplysning", "helseopplysning", "health information"),
        ("Opplysning om helse", "Opplysning om helse", "Information on somebody's health"),
        (
            "Her sto noe om helsen til en person. Slikt er ekstra beskyttet og vises ikke åpent.",
            "Her stod noko om helsa til ein person. Slikt er ekstra verna og blir ikkje vist ope.",
            "Something about a person's health stood here. This is specially protected and not shown in public.",
        ),
    ),
    _kind(
        "SPECIAL",
        ("sensitiv opplysning", "sensitiv opplysning", "sensitive information"),
        ("Sensitiv opplysning", "Sensitiv opplysning", "Sensitive information"),
        (
            "Her sto noe om tro, opphav, legning, politikk, fagforening eller lovbrudd. Slikt er ekstra beskyttet.",
            "Her stod noko om tru, opphav, legning, politikk, fagforeining eller lovbrot. Slikt er ekstra verna.",
            "Something about belief, origin, sexuality, politics, union membership or crime stood here. This is specially protected.",
        ),
    ),
    _kind(
        "FAMILY",
        ("familieopplysning", "familieopplysning", "family matter"),
        ("Opplysning om familieforhold", "Opplysning om familieforhold", "Family matter"),
        (
            "Her sto noe om barnevern, sosiale tjenester eller forhold i en familie. Slikt vises ikke åpent.",
            "Her stod noko om barnevern, sosiale tenester eller forhold i ein familie. Slikt blir ikkje vist ope.",
            "Something about child welfare, social services or family life stood here. This is not shown in public.",
        ),
    ),
    _kind(
        "ABUSE",
        ("krenkende ytring", "krenkjande ytring", "abusive words"),
        ("Krenkende ytring", "Krenkjande ytring", "Abusive words"),
        (
            "Her sto en fornærmelse, trussel eller nedsettende omtale av noen.",
            "Her stod ei fornærming, ein trussel eller nedsetjande omtale av nokon.",
            "An insult, a threat or a slur stood here.",
        ),
    ),
    _kind(
        "UNREAD",
        ("resten er ikke gjennomgått", "resten er ikkje gjennomgått", "the rest was not checked"),
        ("For lang tekst", "For lang tekst", "Text too long"),
        (
            "Teksten er for lang til å gås gjennom automatisk. Resten vises derfor ikke.",
            "Teksten er for lang til å bli gått gjennom automatisk. Resten blir difor ikkje vist.",
            "The text is too long to be checked automatically. The rest is therefore not shown.",
        ),
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}

_OF_MASK: dict[str, str] = {mask: kind.name for kind in _ALL for mask in kind.mask.values()}
MASK = re.compile("|".join(re.escape(mask) for mask in sorted(_OF_MASK, key=lambda m: (-len(m), m))))


def mask_parts(public_text: str) -> list[tuple[str, str | None]]:
    """Split a public text into plain parts (kind None) and masks (their kind), so that a page can explain each."""
    parts: list[tuple[str, str | None]] = []
    at = 0
    for match in MASK.finditer(public_text):
        if match.start() > at:
            parts.append((public_text[at : match.start()], None))
        parts.append((match[0], _OF_MASK[match[0]]))
        at = match.end()
    if at < len(public_text):
        parts.append((public_text[at:], None))
    return parts
