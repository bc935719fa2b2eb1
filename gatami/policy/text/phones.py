"""Phone numbers: Norwegian ones have eight digits and begin with 2 to 9 (Nkom's plan for E.164 numbers)."""

from __future__ import annotations

import re

from . import nearby
from .nearby import Hit
from .runs import Run

_DATE = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])[ ./-]{1,2}(?:0?[1-9]|1[0-2])[ ./-]{1,2}(?:19|20)\d\d$|(?:19|20)\d\d[ ./-]?(?:0[1-9]|1[0-2])[ ./-]?(?:0[1-9]|[12]\d|3[01])$"
)
_UNIT_AFTER = re.compile(
    r" ?(?:kr\b|kroner|,-|nok\b|mill|m2|m3|m²|m³|kvm|km\b|kubikk|meter|liter|kwh|kw\b|kg\b|tonn|stk|euro|eur\b|°|[NØE]\b|[,.]\d)",
    re.IGNORECASE,
)
_SUM_BEFORE = re.compile(r"(?:kr|kroner|nok|eur)\.? ?$", re.IGNORECASE)
# Behind 'case 24/1873, ' a mobile number is not another case.
_NUMBER_AND_COMMA = re.compile(r"\d, ?$")
# Free numbers, shared-cost numbers and the like belong to firms and public bodies.
_SERVICE = ("80", "81", "82", "0", "1")
# How people space eight digits; the first of them may stand beside other numbers.
_LONE = frozenset({"8", "3 2 3"})
_PAIRS = "2 2 2 2"
_GROUPINGS = frozenset(
    [
        "8",
        "3 2 3",
        "2 2 2 2",
        "4 4",
        "3 5",
        "2 3 3",
        "5 3",
        "2 6",
        "1 1 1 1 1 1 1 1",
        "3 3 2",
        "2 2 4",
        "4 2 2",
        "1 3 2 2",
        "2 4 2",
        "1 2 2 3",
        "3 1 2 2",
        "2 2 3 1",
        "1 7",
        "6 2",
        "3 2 2 1",
        "3 4 1",
    ]
)
_DOTTED = frozenset({"3 2 3", "2 2 2 2", "4 4", "1 1 1 1 1 1 1 1", "3 3 2", "3 5"})
_Found = tuple[Hit, int]


def phone(run: Run, i: int, open_digits: frozenset[str]) -> _Found | None:
    """The phone number that begins with a group of a run, and the group after it; a kind of '' is a number to pass over."""
    found = _prefixed(run, i)
    if found is None:
        found = _plain(run, i)
    if found is not None and found[0][2] and run.digits(i, found[1])[-8:] in open_digits:
        return (found[0][0], found[0][1], "", 0.0, ""), found[1]
    return found


def _plus(run: Run, i: int) -> int:
    """Where the prefix of an international number begins, -1 without one."""
    start = run.starts[i]
    lead = run.text[max(0, start - 2) : start]
    plus = lead.find("+")
    if plus >= 0:
        at = max(0, start - 2) + plus
        return at - (run.text[at - 1 : at] == "(")
    if run.text[max(0, start - 6) : start].lower() in ("pluss ", " plus ", "plus "):
        return start - 5 - (run.text[max(0, start - 6) : start].lower() == "pluss ")
    if run.groups[i].startswith("00") and len(run.digits(i, i + 6)) >= 10:
        return start - (lead[-1:] == "(")
    return -1


def _prefixed(run: Run, i: int) -> _Found | None:
    """Numbers with a country code in front: '+47', '0047', '(+47)', or a bare 47 before eight digits."""
    at = _plus(run, i)
    if at < 0:
        return _bare_prefix(run, i)
    zeros = 2 * (run.groups[i].startswith("00") and run.text[at : at + 2] != "+")
    told = run.told(i)
    if zeros and nearby.other_number(told):
        return None
    norwegian = run.digits(i, i + 4)[zeros:].startswith("47")
    after = run.upto(i, zeros + 10) if norwegian else 0
    if not after:
        after, held = i, 0
        while after < len(run.groups) and held + len(run.groups[after]) <= 15 + zeros:
            if after > i and "\n" in run.gap(after) and held > 8:
                break
            held += len(run.groups[after])
            after += 1
        if held < (10 if zeros else 7):
            return None
    rule = "phone.shape" if norwegian else "phone.abroad"
    if nearby.of_an_office(told, mobile=False) and run.digits(i, after).endswith("0000"):
        return None
    return (at, run.ends[after - 1], "PHONE", 1.0 if norwegian else 0.95, rule), after


def _bare_prefix(run: Run, i: int) -> _Found | None:
    if not run.groups[i].startswith("47") or len(run.groups[i]) not in (2, 10):
        return None
    after = run.upto(i, 10)
    if not after or run.digits(i, after)[2] not in "2345679":
        return None
    rest = run.shape(i + 1, after)
    told = run.told(i)
    if (
        (after < len(run.groups) and rest == "2 2 2 2")
        or rest not in (*_GROUPINGS, "")
        or nearby.other_number(told)
    ):
        return None
    return (run.starts[i], run.ends[after - 1], "PHONE", 0.97, "phone.shape"), after


def _plain(run: Run, i: int) -> _Found | None:
    after = run.upto(i, 8)
    if not after and (i or run.held[-1] > 24):
        return None
    if i and _other_series(run, i, after, run.shape(i, after), called=True):
        return None
    told = run.told(i)
    called = nearby.near(told, nearby.PHONE, 5) or nearby.near(told, nearby.NUMBER, 3)
    counted = nearby.other_number(told) and not (
        run.groups[i][0] in "49"
        and _NUMBER_AND_COMMA.search(run.text, max(0, run.starts[i] - 3), run.starts[i])
    )
    if counted or nearby.of_an_office(told, mobile=run.groups[i][0] in "49"):
        called = False
        if i == 0 or not after:
            return None
    if not after:
        return _called(run, told)
    unsaid = None if i else _abroad_unsaid(run, told)
    if unsaid is not None and after < len(run.groups):
        return unsaid
    start, end = run.starts[i], run.ends[after - 1]
    digits, shape, own = run.digits(i, after), run.shape(i, after), run.text[start:end]
    if digits.startswith(_SERVICE) and not (called and digits[:2] not in ("80", "81", "82", "00")):
        return None
    if digits.endswith("0000") and digits[0] in "23567":
        # Numbers such as 74 28 00 00 are the switchboards of public bodies and firms.
        return (start, end, "", 0.0, ""), after
    if _DATE.match(own) or _other_series(run, i, after, shape, called):
        return None
    if not called and not _looks(run, i, after, own):
        return None
    return (start, end, "PHONE", 0.97 if called else 0.9, "phone.cue" if called else "phone.shape"), after


def _called(run: Run, told: list[int]) -> _Found | None:
    """What is called a phone number and has not eight digits: mistyped, or from abroad."""
    if not nearby.near(told, nearby.PHONE, 2) or nearby.near(told[:1], nearby.BREAK, 1):
        return _abroad_unsaid(run, told)
    after = 1
    while after < len(run.groups) and not set("\n/") & set(run.gap(after)):
        after += 1
    digits = run.digits(0, after)
    if not 7 <= len(digits) <= 12 or digits.startswith(("80", "81", "82")) or _DATE.match(digits):
        return None
    return (run.starts[0], run.ends[after - 1], "PHONE", 0.8, "phone.cue"), after


def _abroad_unsaid(run: Run, told: list[int]) -> _Found | None:
    """Numbers without a country code that are spaced like phones: British and Swedish mobiles, and pairs with a digit too many."""
    if nearby.other_number(told):
        return None
    after = len(run.groups)
    digits, shape = run.digits(0, after), run.shape(0, after)
    own = run.text[run.starts[0] : run.ends[-1]]
    british = digits.startswith("07") and shape in ("5 6", "5 3 3", "11", "4 3 4")
    swedish = digits.startswith("07") and shape in ("3 3 2 2", "10", "3 7", "4 2 2 2")
    long_pairs = shape in ("2 2 2 3", "3 2 4", "3 3 2 1", "2 2 2 2 1") and digits[0] in "2345679"
    if not (british or swedish or long_pairs) or (long_pairs and set(own) & set("./-\n")):
        return None
    if _UNIT_AFTER.match(run.text, run.ends[-1]):
        return None
    return (
        run.starts[0],
        run.ends[-1],
        "PHONE",
        0.75,
        "phone.abroad" if not long_pairs else "phone.shape",
    ), after


def _other_series(run: Run, i: int, after: int, shape: str, called: bool) -> bool:
    """Whether these groups belong to a longer row of numbers that is no phone."""
    mobile = run.groups[i][0] in "49"
    if i == 0 and after == len(run.groups):
        return False
    joined = "\n" in run.text[run.starts[i] : run.ends[after - 1]]
    if shape in _LONE and not joined and (mobile or called):
        return False
    if shape == _PAIRS and not joined:
        left = i and run.gap(i) == " " and len(run.groups[i - 1]) < 4
        right = after < len(run.groups) and run.gap(after) == " " and len(run.groups[after]) < 3
        return bool(left) or bool(right and not called)
    if i and set(run.gap(i)) <= {" "}:
        return True
    return after < len(run.groups) and not called and run.gap(after) in (" ", ".", "-")


def _looks(run: Run, i: int, after: int, own: str) -> bool:
    """Whether eight digits that nothing calls a phone number are spaced like one and measure nothing."""
    shape, digits = run.shape(i, after), run.digits(i, after)
    if _UNIT_AFTER.match(run.text, run.ends[after - 1]):
        return False
    if shape not in _GROUPINGS:
        # However a mobile number is spaced, few other numbers have eight digits in three groups or more.
        alone = i == 0 and after == len(run.groups) and after > 2
        return alone and digits[0] in "49" and set(own) <= set("0123456789 ")
    if set(own) & set("./-–—*·•|~_") and shape not in _DOTTED:
        return digits[0] in "49" and shape in ("2 2 4", "4 2 2", "2 3 3", "5 3")
    if "(" in own and shape not in _LONE:
        return False
    if shape == "2 3 3" and digits.endswith("000"):
        return False
    if shape == "4 4" and digits[:2] in ("19", "20") and ("-" in own or digits[4:6] in ("19", "20")):
        return False
    lead = run.text[max(0, run.starts[i] - 9) : run.starts[i]]
    return not (
        _SUM_BEFORE.search(lead)
        or lead.endswith((",", ".", "#", "§", "-", "/"))
        or (lead[-1:].isalpha() and shape == "8" and digits[0] not in "49")
    )
