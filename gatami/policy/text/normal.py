"""Texts as the rules see them: one alphabet, no invisible characters, masks as one character.

Every character of the normal text remembers where it stood, so that a finding can be mapped back.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from .kinds import MASK

HOLE = "\ue000"  # Stands for a mask; no rule reads over it.

# Most texts hold nothing but these characters and need no work at all.
_ODD = re.compile(
    r"[^\t\n\r\x20-\x7e\xa1-\xa9\xab\xac\xae-\xb1\xb4-\xb8\xbb-\xff–—‘’“”…•€\U0001f300-\U0001faff]"
)
_LATIN = re.compile(r"[A-Za-zÀ-ÿ0-9@]")
_LETTERS = re.compile(r"[^\s!-/:-?\[-`{-~\u2000-\u206f]+")

# Letters of other alphabets that look like Latin ones; they are read as Latin only inside a word that also has Latin letters.
_LOOKALIKE = str.maketrans(
    "аеорсухіјѕԁһӏкмтвнАВЕКМНОРСТХУІЈЅοανερτικυχΑΒΕΗΙΚΜΝΟΡΤΥΧΖ",
    "aeopcyxijsdhlkmtbhABEKMHOPCTXYIJSoaveptikuxABEHIKMNOPTYXZ",
)


@dataclass(frozen=True, slots=True)
class Normal:
    """The normal text and, where it differs from the original, the places its characters came from."""

    text: str
    starts: list[int] | None
    ends: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """The character in its plain form, empty where it is invisible."""
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me") or (category == "Cc" and char not in "\t\n\r"):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Zs", "Zl", "Zp"):
        return "\n" if category in ("Zl", "Zp") else " "
    if char == HOLE or category == "Cs":
        return " "
    folded = unicodedata.normalize("NFKC", char)
    # A few characters unfold into whole phrases; no rule needs those.
    return folded if 0 < len(folded) <= 3 and folded.strip() else char


def normal(text: str) -> Normal:
    if _ODD.search(text) is None and ("[" not in text or MASK.search(text) is None):
        return Normal(text, None, None)
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def copy(start: int, end: int) -> None:
        piece = text[start:end]
        if _ODD.search(piece) is None:
            out.extend(piece)
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
            return
        if not piece.isascii():
            piece = _LETTERS.sub(_latin, piece)
        for offset, char in enumerate(piece, start):
            if "\x20" <= char <= "\x7e" or char in "\n\t\ræøåÆØÅ":
                plain = char
            else:
                if out and unicodedata.combining(char):
                    joined = unicodedata.normalize("NFC", out[-1] + char)
                    if len(joined) == 1:
                        out[-1] = joined
                    ends[-1] = offset + 1
                    continue
                plain = _plain(char)
                if not plain:
                    if out and out[-1] != HOLE and not out[-1].isspace():
                        ends[-1] = offset + 1
                    continue
            for single in plain:
                out.append(single)
                starts.append(offset)
                ends.append(offset + 1)

    at = 0
    for mask in MASK.finditer(text):
        copy(at, mask.start())
        out.append(HOLE)
        starts.append(mask.start())
        ends.append(mask.end())
        at = mask.end()
    copy(at, len(text))
    return Normal("".join(out), starts, ends)


# Two Cyrillic letters that look like digits, in words of nothing else: '62 48 ЗЗ 19'.
_DIGITLIKE = str.maketrans("ЗзОо", "3300")
_LIKE_DIGITS = re.compile(r"[0-9ЗзОо]+")


def _latin(word: re.Match[str]) -> str:
    if _LIKE_DIGITS.fullmatch(word[0]):
        return word[0].translate(_DIGITLIKE)
    return word[0].translate(_LOOKALIKE) if _LATIN.search(word[0]) else word[0]
