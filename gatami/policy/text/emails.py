"""E-mail addresses, as they are and in disguise; shared mailboxes of offices and firms stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from .nearby import Hit

_EMAIL = re.compile(
    r"(?<![\w.+@-])[\w.+'-]{1,64}[ \n]?@{1,2}[ \n]?[\w-]{1,63}(?: ?[.,]{1,2}[ \n]?[\w-]{2,63}|\.[\w-]{1,63}){1,5}"
)
_PROVIDERS = (
    r"(?:gmail|hotmail|outlook|yahoo|online|icloud|live|proton(?:mail)?|msn|lyse|broadpark|getmail|altibox)"
)
_SIGN = re.compile(r"[\w.+'-][ \n]?@{1,2}[ \n]?[\w-]{2}")
_UNENDED = re.compile(rf"(?<![\w.+-])[\w.+'-]{{1,64}} ?@ ?{_PROVIDERS}(?![\w@])", re.IGNORECASE)
_SPACED = re.compile(r"(?<!\w)(?:[\w.+-] ){2,40}@(?: [\w.-]){5,40}(?!\w)")
_DOT_WORD = r"(?:dot|punktum|punktom|pungtum|punkt|prikk|prekk|pkt|dott|dått)"
_AT_WORD = r"(?:krøll-?alfa|krøllalpha|krølla|krølle|kralfa|alfakrøll|snabel-?a|krullalfa|alfakrull)"
_IN_BRACKETS = re.compile(
    rf"[(\[{{<*_] ?(?i:at|a|@|ætt|alfa|krøll|{_AT_WORD}) ?[)\]}}>*_]"
    rf"|[/\"'«“|~+–-] ?(?i:at|{_AT_WORD}) ?[/\"'»”|~+–-]"
)
_SPOKEN = re.compile(
    r"[KkAaSs](?i:røll-?alfa|røll alfa|røll-a|rølla|rollalfa|rølalfa|ralfa|røllealfa|lfa[ -]?krøll|lfakroll|nabel[ -]?a|rullalfa|røllalpha|lfakrull"
    r"|t-?tegn|t-?teikn|t sign)(?!\w)|(?i:krøllalfa|alfakrøll)(?=[a-zæøå])"
)
_BARE_AT = re.compile(r"(?<=\s)(?:[AaÆæ][Tt][Tt]?|et|krøll|alfa)(?=\s)")
_AT_DOMAIN = re.compile(r"\s(?:at|AT|a|ætt|æt|et) [\w-]{2,40}\.(?:no|com|net|org)\b")
_CODED = re.compile(r"[\d._]")
_BRACKETED = re.compile(r"[(\[{<*_/\"'«“|~+–-] ?(?i:(?:at|a|ætt|alfa)\b|@)")
_FIRM_AT = re.compile(rf"[(\[{{] ?(?i:at|@|{_AT_WORD}) ?[)\]}}]|{_AT_WORD}", re.IGNORECASE)
_BARE_DOMAIN = re.compile(r"\s{0,2}[\w-]{3,40}")
_OFFICIAL = re.compile(r"kommun|fylke|politi|vegvesen|renovasjon|brannvesen", re.IGNORECASE)
_OF_ONESELF = re.compile(
    r"\b(?:meg|mæ|mæg|min|mi|mitt|vår|vårt|oss|hans|hennes|hennar|me|my|us|our|his|her|privat)\b",
    re.IGNORECASE,
)
_DOT = rf"(?:\s?[(\[{{<*_]\s?(?:{_DOT_WORD}|\.)\s?[)\]}}>*_]\s?|\s{_DOT_WORD}\s|\s(?:dot|dått|punktum|prikk)(?=(?:com|no|net|org)\b)|\s?[.,]\s?)"
_DOT_SPLIT = re.compile(_DOT, re.IGNORECASE)
_DOT_LAST = re.compile(rf"{_DOT}$", re.IGNORECASE)
_LOCAL = re.compile(
    rf"(?<![\w.+-])[\w+-]{{1,40}}(?:(?:\.|\s?[(\[{{*]\s?{_DOT_WORD}\s?[)\]}}*]\s?|\s{_DOT_WORD}\s|\s(?:strek|underscore|understrek|bindestrek)\s)[\w+-]{{1,40}}){{0,4}}\s{{0,2}}$",
    re.IGNORECASE,
)
_DOMAIN = re.compile(rf"\s{{0,2}}[\w-]{{1,40}}(?:{_DOT}[\w-]{{2,40}}){{1,3}}", re.IGNORECASE)
_BARE_PROVIDER = re.compile(rf"\s{{0,2}}{_PROVIDERS}(?!\w)", re.IGNORECASE)
_TOP = re.compile(
    r"(?:com|no|net|org|se|dk|fi|pl|lt|lv|ee|de|uk|co|eu|io|me|info|name|online|as|cc|tv|us|es|fr|it|nl|ua|is|ch|at|be|ro|bg|pt|email|live|kommune|dev|app|xyz|site|club|example|test|invalid)$",
    re.IGNORECASE,
)
_MAIL_CUE = re.compile(
    r"(?:e-?post|mail|epost|skriv til|kontakt|contact|svar til|reach|adr)\w*\b", re.IGNORECASE
)
_PROVIDER = re.compile(_PROVIDERS, re.IGNORECASE)
_MARKED = re.compile(rf"\b{_DOT_WORD}\b|[(\[]", re.IGNORECASE)
_SHARED_BOX = re.compile(
    r"(?:post|postmottak|postkasse|e?-?post\.?mottak|firmapost|servicetorg\w*|servicekontor\w*|info|kontakt|contact|support|kundeservice|"
    r"kundesenter|resepsjon|noreply|no-reply|ikke-svar|redaksjon\w*|tips|help|hjelp|office|mail|admin|webmaster|hello|hei|booking|faktura)@",
    re.IGNORECASE,
)
# Boxes of a department; at a provider of private boxes they are somebody's own.
_DEPARTMENT = re.compile(
    r"(?:teknisk\w*|drift|vakt\w*|byggesak|vann|vatn|vei|veg|renovasjon|personvernombud\w*|personvern|arkiv|park|miljo|brann\w*|skole\w*|sfo|kultur\w*|gatelys|bydrift|kommunalteknikk)@[\w.-]*(?:kommune|municipality|renovasjon|brannvesen|nte|tensio|vegvesen)",
    re.IGNORECASE,
)
_BLANK_BEFORE = re.compile(r"[\w.+'-]+[ \n]@\w")
_LONGEST_LOCAL, _LONGEST_DOMAIN = 66, 330
_SPLIT_LOOSE = re.compile(r"( ?[.,][ \n]?)")


def emails(text: str, *, disguised: bool) -> Iterator[Hit]:
    if "@" in text:
        yield from _plain(text)
    if disguised or _BRACKETED.search(text) is not None or _AT_DOMAIN.search(text) is not None:
        yield from _disguised(text)


def _shared(address: str) -> bool:
    squeezed = "".join(address.split())
    if _PROVIDER.match(squeezed.partition("@")[2]):
        return False
    return _SHARED_BOX.match(squeezed) is not None or _DEPARTMENT.match(squeezed) is not None


def _said_private(text: str, start: int, address: str) -> bool:
    """'Skriv til meg på post@...': what would be the box of a firm is somebody's own."""
    if _OFFICIAL.search(address):
        return False
    lead = text[max(0, start - 28) : start]
    return _MAIL_CUE.search(lead) is not None and _OF_ONESELF.search(lead) is not None


def _plain(text: str) -> Iterator[Hit]:
    done = 0
    at = text.find("@", 1)
    while at >= 0:
        # Looked for around each at sign rather than from every letter of the text.
        if not _SIGN.match(text, at - 1) and not _SIGN.match(text, at - 2):
            at = text.find("@", at + 1)
            continue
        match = _EMAIL.search(text, max(done, at - _LONGEST_LOCAL), at + _LONGEST_DOMAIN)
        bare = None
        if match is None or match.start() > at:
            bare = _UNENDED.search(text, max(done, at - _LONGEST_LOCAL), at + 40)
        for found, end in ((match, match and _true_end(match)), (bare, bare and bare.end())):
            if found is None or not end or found.start() > at or end <= found.start():
                continue
            address = text[found.start() : end]
            shared = _shared(address) and not _said_private(text, found.start(), address)
            if not shared and not _of_a_handle(text, found, address):
                yield found.start(), end, "EMAIL", 1.0, "email.shape"
            done = max(done, end)
        at = text.find("@", max(at + 1, done))
    if " @ " in text:
        for match in _SPACED.finditer(text):
            yield match.start(), match.end(), "EMAIL", 0.9, "email.disguised"


def _true_end(match: re.Match[str]) -> int:
    """The end of an address; blanks and commas in it are slips of the keyboard only where a known ending follows."""
    found, end = match[0], match.end()
    if not (" " in found or "," in found or "\n" in found):
        return end
    parts = _SPLIT_LOOSE.split(found)
    while len(parts) > 3 and parts[-2] != "." and not _TOP.match(parts[-1]):
        end -= len(parts.pop()) + len(parts.pop())
    return end if parts[-2] == "." or _TOP.match(parts[-1]) else match.start()


def _of_a_handle(text: str, match: re.Match[str], found: str) -> bool:
    """Whether a word and '@name.with.dots' stand side by side, rather than an address with a slip in it."""
    if not _BLANK_BEFORE.match(found):
        return False
    local, _, domain = found.partition("@")
    if _PROVIDER.match(domain):
        return False
    if not _TOP.match(domain.rpartition(".")[2]):
        return True
    return not (
        set(local) & set("._0123456789") or _MAIL_CUE.search(text[max(0, match.start() - 25) : match.start()])
    )


def _disguised(text: str) -> Iterator[Hit]:
    for anchor in chain.from_iterable(
        pattern.finditer(text) for pattern in (_IN_BRACKETS, _SPOKEN, _BARE_AT)
    ):
        left = max(0, anchor.start() - 90)
        local = _LOCAL.search(text[left : anchor.start()])
        if local is None:
            continue
        start = left + local.start()
        end, host = _domain(text, anchor.end())
        bare = _BARE_DOMAIN.match(text, anchor.end()) if end < 0 and _FIRM_AT.fullmatch(anchor[0]) else None
        if bare and not anchor[0].isalpha():
            end, host = bare.end(), bare[0].strip()
        if end < 0:
            continue
        if anchor.re is _BARE_AT:
            marked = _MARKED.search(text[start:end])
            cued = _MAIL_CUE.search(text[max(0, start - 25) : start])
            faint = anchor[0] in ("et", "alfa")
            coded = anchor[0] == "ætt" or _CODED.search(local[0].strip())
            if not (_PROVIDER.match(host) or coded or ((marked or cued) and not faint)):
                continue
        # Nobody disguises the open address of an office.
        if not (_OFFICIAL.search(host) and _shared(local[0].strip() + "@" + host)):
            yield start, end, "EMAIL", 0.95, "email.disguised"


def _domain(text: str, at: int) -> tuple[int, str]:
    """Where the domain behind an at sign ends, -1 without one, and its name."""
    match = _DOMAIN.match(text, at)
    if match is None:
        bare = _BARE_PROVIDER.match(text, at)
        return (bare.end(), bare[0].strip()) if bare else (-1, "")
    parts = _DOT_SPLIT.split(match[0].strip())
    end = match.end()
    while len(parts) > 2 and not _TOP.match(parts[-1]):
        cut = match[0].rstrip().rfind(parts[-1])
        end = match.start() + len(_DOT_LAST.sub("", match[0][:cut]))
        parts.pop()
    if not _TOP.match(parts[-1]):
        bare = _BARE_PROVIDER.match(text, at)
        return (bare.end(), bare[0].strip()) if bare else (-1, "")
    return end, ".".join(parts)
