"""Long numbers: identity numbers, bank accounts, cards and phones.

A text is asked once for its runs of digits, and each place in a run is asked for the longest number first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn

from . import nearby
from .nearby import Hit
from .phones import phone
from .runs import Run, runs

_NOT_ALNUM = re.compile(r"[\W_]")
# Letters that are typed for digits, where at least one true digit stands beside them or a digit on both sides.
_TYPED = re.compile(
    r"(?<!\w)(?=[OoIlS]{0,3}\d)[\dOoIlS]{1,12}(?!\w)|(?<=\d )[Oo]{1,3}(?= \d)|(?<=\d)[iB](?=\d)"
)
_TYPED_GATE = re.compile(r"[0-9] ?(?:[OoIlSiB](?:[0-9]|(?![^\W0-9_]))|[Oo]{1,3} [0-9])|[OoIl][0-9]")
_AS_DIGITS = str.maketrans("OoIlSiB", "0011518")
# Groups of digits with one and the same odd mark between them: '91,23,45,67', '010190_12345'.
_ODD_GATE = re.compile(r"[0-9] ?[,_:=;…+]+ ?[0-9]")
_ODDLY = re.compile(
    r"(?<![\w,.:;=…/+-])[0-9]{1,6}( ?[_:=;…+] ?|, ?|\.{2,3} ?|_{2,3})[0-9]{1,5}(?:\1[0-9]{1,5}){0,7}(?![\w]|[,.:][0-9])"
)
_NOT_DIGIT = re.compile(r"[^0-9]")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2} ?\d{2}(?:[ .-]?[A-Z0-9]{1,4}){3,9}(?!\w)", re.IGNORECASE)
_NO_IBAN = re.compile(r"(?<!\w)N ?[O0][ :-]{0,2}\d ?\d(?:[ .\n-]?\d){11}(?!\d)", re.IGNORECASE)
# What stands before the first long row of digits in an international account number.
_LEAD = re.compile(r"(?<!\w)(?:[A-Z] ?[A-Z](?:[ :-]{0,2}| ?\d\d ?[A-Z]{4} ?)|N ?)$", re.IGNORECASE)


def typed_as_digits(text: str) -> str:
    """The text with letters that were typed for digits as digits; of the same length."""
    if _TYPED_GATE.search(text):
        return _TYPED.sub(lambda found: found[0].translate(_AS_DIGITS), text)
    return text


def long_numbers(text: str, open_digits: frozenset[str], *, identity: bool) -> Iterator[Hit]:
    """`identity` says whether the text has a word for identity numbers."""
    if _ODD_GATE.search(text):
        yield from _oddly_parted(text)
    for run in runs(text, short=identity):
        held = run.held[-1]
        if held < 7:
            yield from _short_id(run)
            continue
        if held > 8:
            yield from _iban(run)
        i = 0
        while i < len(run.groups):
            found = (held > 8 and (_card(run, i) or _eleven(run, i))) or phone(run, i, open_digits)
            if not found:
                i += 1
                continue
            hit, i = found
            if hit[2]:
                yield hit


def _oddly_parted(text: str) -> Iterator[Hit]:
    """What is called a phone number, an account or an identity number, whatever stands between its digits."""
    for match in _ODDLY.finditer(text):
        digits = _NOT_DIGIT.sub("", match[0])
        if len(digits) not in (8, 11):
            continue
        told = nearby.before(text, match.start())[:2]
        called = nearby.nearest(told, nearby.PHONE | nearby.IDENTITY | nearby.ACCOUNT | nearby.OTHER)
        numbered = digits[0] in "49" and nearby.near(told, nearby.NUMBER, 1) and not called
        if len(digits) == 8 and (numbered or (called & nearby.PHONE and digits[0] in "2345679")):
            yield match.start(), match.end(), "PHONE", 0.8, "phone.cue"
        elif len(digits) == 11 and called & nearby.IDENTITY:
            yield match.start(), match.end(), "NATIONAL_ID", 0.8, "id.cue"
        elif len(digits) == 11 and called & nearby.ACCOUNT:
            yield match.start(), match.end(), "ACCOUNT", 0.8, "account.cue"


def _short_id(run: Run) -> Iterator[Hit]:
    """The last five digits, or the six of the birth date, where they are called so."""
    if len(run.groups) == 1 and nearby.near(run.told(0), nearby.IDENTITY, 1):
        yield run.starts[0], run.ends[0], "NATIONAL_ID", 0.8, "id.cue"


def _card(run: Run, i: int) -> tuple[Hit, int] | None:
    """Bank cards: ISO/IEC 7812 with its control digit, or the four groups of four of a card, or what is called one."""
    for length in (16, 15):
        after = run.upto(i, length)
        if not after:
            continue
        shape, digits = run.shape(i, after), run.digits(i, after)
        if shape not in ("4 4 4 4", "16", "4 6 5", "15") or (after < len(run.groups) and "16" not in shape):
            continue
        if length == 15 and not digits.startswith(("34", "37")):
            continue
        told = run.told(i)
        named = nearby.near(told, nearby.CARD, 4)
        if not named and nearby.other_number(told):
            continue
        years = {group[:2] for group in run.groups[i:after]} <= {"19", "20"}
        looks = shape == "4 4 4 4" and digits[0] in "23456" and not years
        if named or looks or luhn.is_valid(digits):
            return (run.starts[i], run.ends[after - 1], "ACCOUNT", 0.95, "account.card"), after
    return None


def _date_shaped(digits: str) -> bool:
    """Whether six digits can begin an identity number.

    The day is raised by 40 in a D-number, the month by 80 (Skatteetaten's Tenor), 65 or 40 in synthetic numbers
    (Skatteetaten, 'Om syntetiske fødselsnumre'; folkeregisterforskriften § 2-2-1).
    """
    day, month = int(digits[:2]), int(digits[2:4])
    return (1 <= day <= 31 or 41 <= day <= 71) and (
        1 <= month <= 12 or 41 <= month <= 52 or 66 <= month <= 77 or 81 <= month <= 92
    )


def _remainder(digits: str, weights: tuple[int, ...]) -> int:
    return sum([int(digit) * weight for digit, weight in zip(digits, weights, strict=True)]) % 11


def _control(digits: str) -> float:
    """How sure the two control digits make a national identity number, whatever the day and the month were raised by.

    From 2032 the first of them may leave a remainder of 0 to 3 (Skatteetaten, 'Nytt fødselsnummer fra 2032').
    """
    first = _remainder(digits[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1))
    if first > 3 or _remainder(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)):
        return 0
    return 0.95 if first else 1.0


def _is_account(digits: str) -> bool:
    """The control digit of a Norwegian bank account (Bits, 'Kontonummer')."""
    return _remainder(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) == 0


def _eleven(run: Run, i: int) -> tuple[Hit, int] | None:
    """Identity numbers and Norwegian bank accounts: eleven digits both."""
    after = run.upto(i, 11)
    if not after:
        return _miscounted(run, i)
    if run.text[run.starts[i] - 1 : run.starts[i]] == "+" or "\n" in run.text[
        run.starts[i] : run.ends[after - 1]
    ][1:-1].replace("\n", "", 1):
        return None
    shape, digits = run.shape(i, after), run.digits(i, after)
    alone = i == 0 and after == len(run.groups)
    if not alone and shape not in ("11", "6 5", "4 2 5", "2 2 2 5"):
        return None
    told = run.told(i)
    start, end = run.starts[i], run.ends[after - 1]
    called = nearby.nearest(told[:6], nearby.IDENTITY | nearby.ACCOUNT | nearby.PHONE)
    dated, account = _date_shaped(digits), _is_account(digits)
    control = _control(digits) if dated else 0
    formed = shape == "4 2 5" and run.gap(i + 1) == run.gap(i + 2)
    if not called & nearby.IDENTITY and formed and (account or not control):
        rule = "account.control" if account else "account.cue"
        return (start, end, "ACCOUNT", 0.95 if account else 0.8, rule), after
    if control and not called & nearby.ACCOUNT:
        return (start, end, "NATIONAL_ID", control, "id.control"), after
    if called & nearby.IDENTITY:
        return (start, end, "NATIONAL_ID", 0.9, "id.cue"), after
    if called & nearby.ACCOUNT:
        rule = "account.control" if account else "account.cue"
        return (start, end, "ACCOUNT", 0.95 if account else 0.8, rule), after
    if (
        called & nearby.PHONE
        or shape.startswith("5 ")
        or nearby.other_number(told)
        or digits.startswith("0047")
    ):
        return None
    if account and not dated:
        return (start, end, "ACCOUNT", 0.85, "account.control"), after
    if dated and shape not in ("3 2 3 3", "2 2 2 2 3", "3 3 2 3", "8 3"):
        return (start, end, "NATIONAL_ID", 0.7, "id.date"), after
    return None


def _miscounted(run: Run, i: int) -> tuple[Hit, int] | None:
    """A number that is called an identity number or an account, with a digit too few or too many, or a whole year in its date."""
    if i or run.ends[-1] - run.starts[0] > 24:
        return None
    digits = run.digits(0, len(run.groups))
    if not 9 <= len(digits) <= 13:
        return None
    told = run.told(0)[:2]
    called = nearby.nearest(told, nearby.IDENTITY | nearby.ACCOUNT | nearby.PHONE | nearby.OTHER)
    span = run.starts[0], run.ends[-1]
    if called & nearby.IDENTITY and len(digits) > 9:
        return (*span, "NATIONAL_ID", 0.8, "id.cue"), len(run.groups)
    if called & nearby.ACCOUNT and 10 <= len(digits) <= 12 and not called & nearby.OTHER:
        return (*span, "ACCOUNT", 0.7, "account.cue"), len(run.groups)
    return None


def _iban(run: Run) -> Iterator[Hit]:
    """International account numbers: ISO 13616 with its control digits, or the Norwegian form of it as it stands."""
    text = run.text
    left = max(0, run.starts[0] - 10)
    lead = _LEAD.search(text[left : run.starts[0]])
    if lead is None:
        return
    match = _NO_IBAN.match(text, left + lead.start())
    if match is not None:
        yield match.start(), match.end(), "ACCOUNT", 1.0, "account.iban"
        return
    match = _IBAN.match(text, left + lead.start())
    if match is None:
        return
    named = "iban" in text[max(0, match.start() - 12) : match.start()].lower()
    end = match.end()
    for _ in range(4):
        squeezed = _NOT_ALNUM.sub("", text[match.start() : end])
        if not 15 <= len(squeezed) <= 34:
            break
        if iban.is_valid(squeezed) or (named and end == match.end()):
            yield match.start(), end, "ACCOUNT", 1.0, "account.iban"
            break
        end = text.rfind(" ", match.start(), end)
        if end < 0:
            break
