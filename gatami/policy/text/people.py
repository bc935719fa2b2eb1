"""Names of people: rules over the word lists, and trained weights that judge what the rules say.

The rules look at capitals, lists, cues of title, kin and signature, and the articles that the dialect puts before a name.
The weights decide; then names that were found lend themselves to the words beside them and to the rest of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, reduce
from itertools import compress
from operator import or_

from . import name_weights
from .identifiers import Hit
from .lexicon import lexicon, word
from .name_cues import AND, AT_PLACE, FAINT_PARTICLE, GOODBYE, JOINING_PARTICLE, PARTICLE, STREET, TITLE, cues
from .name_draft import CERTAIN, PLACE_ENDING, Draft, beside_place, in_english
from .name_rules import draft, short_end
from .tokens import ARTICLES_WRITTEN_ON, BLANK, Tokens, tokens

__all__ = ["Tokens", "people", "tokens"]

# From here on a word is a name; sooner where a rule says so, and sooner still where a strong one does.
_ENOUGH = 0.85
_ENOUGH_OF_STRANGER = 0.97  # At the start of a sentence any word has a capital.
_ENOUGH_WITH_RULE = 0.5
_ENOUGH_WITH_STRONG_RULE = 0.1
_STRONG = 0.85

_INITIALS = re.compile(
    r"[A-ZÆØÅ](?<![\w.].)\.\s?(?:[A-ZÆØÅ]\.\s?){0,2}[A-ZÆØÅÁŠ][a-zæøåáéèöäüšóç]{1,20}(?:-[A-ZÆØÅ][a-zæøå]+)?(?!\w)"
)
_SMALL_INITIALS = re.compile(
    r"(?<![\w.])(?:([a-zæøå]{2,14}) )?[a-zæøå]\. ?(?:[a-zæøå]\. ?)?([A-ZÆØÅa-zæøå][a-zæøå]{2,20})(?!\w|\.\w)"
)
_SMALL_INITIALS_GATE = re.compile(r"\.(?<=[a-zæøå]\.)(?<![\w.][a-zæøå]\.) ?[A-ZÆØÅa-zæøå]")
_SIGNED_INITIALS = re.compile(
    r"(?i:\b(?:mvh|hilsen|helsing|hils|regards|vh))[\s,.:/-]{1,3}((?:[A-ZÆØÅ]\.?[ -]?){2,4})(?!\w)"
)
_LAST_INITIALS = re.compile(r"[.!?\n]\s{0,2}[-–/]{0,2}\s?((?:[A-ZÆØÅ]\.){2,4})\s*$")
_LAST = 24  # The characters at the end of a text that may be initials.
_NEXT_WORD = re.compile(r"s?\s(\w+)")


def people(found: Tokens, allowed: frozenset[str]) -> list[Hit]:
    """Spans of names, titles and genitive endings left outside."""
    hits: list[Hit] = []
    if found.maybe:
        d = draft(found)
        _judge(d)
        if any(d.score):
            _joined(d)
            _repeated(d)
            hits += _spans(d, allowed)
    if "." in found.text:
        hits += _initials(found.text)
        hits += _small_initials(found.text)
    hits += _signed_initials(found)
    return hits


def _judge(d: Draft) -> None:
    """The weights keep, drop or add what the rules said of each word by itself."""
    judged = [(i, name_weights.sure(d, i)) for i in name_weights.asked(d) if d.score[i] < CERTAIN]
    for i, sure in judged:
        said = d.score[i]
        if not said and _in_place(d, i):
            continue
        entry = d.entry[i]
        if not said and not d.capital[i] and entry.given < 2:
            # Surnames in small letters are farms and words as often as people.
            continue
        stranger = d.first[i] and not (entry.given or entry.surname)
        enough = (
            (_ENOUGH_OF_STRANGER if stranger else _ENOUGH)
            if not said
            else _ENOUGH_WITH_RULE
            if said < _STRONG
            else _ENOUGH_WITH_STRONG_RULE
        )
        if sure >= enough:
            d.score[i] = round(min(max(sure, d.score[i]), 0.95), 2)
            d.rule[i] = d.rule[i] or "person.weights"
        else:
            d.score[i] = 0.0


def _in_place(d: Draft, i: int) -> bool:
    """'ved Evenstad', 'til Gjerdrumsmarka': behind a preposition of place, what no rule took for a person is a place."""
    if d.first[i] or d.entry[i].given > 1 or d.score[i - 1]:
        return False
    at = d.cue[i - 1] & AT_PLACE and (d.lower[i - 1] != "at" or in_english(d, i))
    return bool(at) or PLACE_ENDING.search(d.lower[i]) is not None or beside_place(d, i)


def _initials(text: str) -> Iterator[Hit]:
    """'O. Nordby': initials before a surname."""
    for match in _INITIALS.finditer(text):
        entry = word(match[0].split(".")[-1].strip().lower())
        if not (entry.surname or not entry.plain) or (match[0][:2] in ("E.", "St") and entry.given > 1):
            continue
        following = _NEXT_WORD.match(text, match.end())
        if not (following and cues(following[1].lower()) & STREET):
            yield match.start(), match.end(), "PERSON", 0.85, "person.initials"


def _small_initials(text: str) -> Iterator[Hit]:
    """'tone h. sørbø', 'h. dahle'."""
    if _SMALL_INITIALS_GATE.search(text) is None:
        return
    for match in _SMALL_INITIALS.finditer(text):
        entry = word(match[2].lower())
        signed = cues(match[1] or "") & GOODBYE or text[: match.start()].rstrip(" \n")[-1:] in (
            ".",
            "!",
            "?",
            "",
        )
        if entry.surname > 1 and (not entry.plain or (signed and entry.surname > 1)):
            given = match[1] and word(match[1]).given > 1
            yield (
                match.start() if given or not match[1] else match.end(1) + 1,
                match.end(),
                "PERSON",
                0.8,
                "person.initials",
            )


def _signed_initials(found: Tokens) -> Iterator[Hit]:
    """'Hilsen O.N.', or initials that end the text."""
    text = found.text
    matches = list(_SIGNED_INITIALS.finditer(text)) if reduce(or_, found.cues, 0) & GOODBYE else []
    last = _LAST_INITIALS.search(text, max(0, len(text) - _LAST)) if text.rstrip().endswith(".") else None
    for match in [*matches, last] if last else matches:
        end = match.start(1) + len(match[1].rstrip())
        if "." not in match[1] and end - match.start(1) > 2 and text[end : end + 2].strip(" ,.\n"):
            # 'Mvh FAU ved skolen'.
            continue
        yield match.start(1), end, "PERSON", 0.7, "person.initials"


def _joined(d: Draft) -> None:
    """Surnames and middle names that follow a found name, and given names before one."""
    for i in _named(d):
        j = i
        while not d.score[j + 1] and not d.veto[j + 1] and _continues(d, j):
            d.mark(j + 1, d.score[j], d.rule[j])
            j += 1
    left = _named(d)
    while left:
        i = left.pop()
        joined = d.cue[i - 1] & AND or d.entry[i - 1] is BLANK
        if _lends(d, i, i - 2 if joined else i - 1):
            left.append(i - 2 if joined else i - 1)
        if d.cue[i + 1] & AND and _lends(d, i, i + 2):
            left.append(i + 2)
    if "," in d.found.text:
        _listed_together(d)
    for i in _named(d):
        if d.capital[i] and not d.score[i + 1] and i + 1 < len(d.found.words):
            _particles(d, i)
        elif (
            not d.capital[i]
            and d.cue[i + 1] & JOINING_PARTICLE
            and not (d.first[i + 2] or d.entry[i + 2].plain)
        ):
            # 'fatima el amrani'.
            d.mark(i + 1, d.score[i], d.rule[i])
            d.mark(i + 2, d.score[i], d.rule[i])
        elif not d.score[i + 1] and _small_letter_last(d, i):
            d.mark(i + 1, d.score[i], d.rule[i])


def _lends(d: Draft, i: int, j: int) -> bool:
    """Whether word j is a name because word i is one; if so it is marked."""
    if j < 0 or j >= len(d.found.words) or d.score[j] or d.veto[j]:
        return False
    if (j == i - 1 and _before(d, i)) or (j == i - 2 and _surname_first(d, i)):
        d.mark(j, d.score[i], d.rule[i])
    elif (
        j != i - 1
        and d.cue[(i + j) // 2] & AND
        and d.capital[j]
        and d.entry[j].given > 1
        and not d.entry[j].place
    ):
        # 'Sol og Storm sin mamma': what 'og' joins to a name is a name as well.
        d.mark(j, max(d.score[i] - 0.05, 0.1), d.rule[i])
    return d.score[j] > 0


def _named(d: Draft) -> list[int]:
    """The words that were found so far."""
    return list(compress(range(len(d.found.words)), d.score))


def _continues(d: Draft, i: int) -> bool:
    """Whether the word after a name is a part of it."""
    entry = d.entry[i + 1]
    if d.first[i + 1] or entry is BLANK or not d.close(i):
        return False
    form = d.found.words[i + 1]
    listed = bool(entry.surname or entry.given)
    if d.capital[i + 1]:
        if form.isupper() and len(form) < 4 and not d.found.words[i].isupper():
            return False
        before = d.entry[i]
        # 'Bjørn Are': a word that is a given name as well, after a given name.
        again = d.lower[i + 1] in lexicon().given and before.given > 1
        return (
            listed
            or again
            or not entry.plain
            or (before.given > 1 and not before.plain and not form.isupper())
        )
    if d.capital[i]:
        return False
    if not entry.plain:
        return listed or (len(form) > 3 and not entry.organisation)
    return entry.surname >= 2 and d.rule[i] in ("person.signature", "person.called")


def _before(d: Draft, i: int) -> bool:
    """A given name before a found name."""
    if d.first[i] or d.found.starts[i] - d.found.end(i - 1) != 1 or len(d.lower[i - 1]) < 2:
        return False
    entry = d.entry[i - 1]
    if d.capital[i - 1]:
        # 'Hans Petter': a pronoun by itself, a name before a name.
        again = (
            d.lower[i - 1] in lexicon().given
            and not d.first[i - 1]
            and (d.entry[i].given > 1 or d.entry[i].surname > 1)
        )
        # 'Gwendolyn Achterberg': neither is in a list.
        stranger = (
            not (d.first[i - 1] or entry.plain or entry.organisation or d.cue[i - 1])
            and len(d.lower[i - 1]) > 3
        )
        listed = entry.given or again or stranger or (entry.surname and not d.first[i - 1])
        return bool(listed) and not entry.place and not d.cue[i - 1] & TITLE
    return not d.capital[i] and entry.given >= 2 and not entry.plain


def _surname_first(d: Draft, i: int) -> bool:
    """'Nowicka, Katarzyna' at the end: an unknown surname before a given name."""
    entry = d.entry[i - 2]
    return (
        d.lower[i - 1] == ","
        and d.capital[i - 2]
        and d.first[i - 2]
        and not (entry.plain or entry.place)
        and d.entry[i].given > 0
        and short_end(d, i)
    )


def _listed_together(d: Draft) -> None:
    """'Marta, Kostas, Lwam og Ida': among names that commas and 'og' join, a word that no list knows is a name as well."""
    done = -1
    for i in d.found.maybe:
        if i > done and d.capital[i] and not d.score[i] and not d.veto[i] and _likely(d, i):
            first = last = i
            while first > 1 and _joins(d, first - 1) and d.capital[first - 2]:
                first -= 2
            while _joins(d, last + 1) and d.capital[last + 2]:
                last += 2
            run = range(first, last + 1, 2)
            done = last
            named = any(d.score[j] and d.entry[j].given > 1 for j in run)
            if named and len(run) > 2 and not d.cue[first - 1] & AT_PLACE:
                for j in run:
                    if not d.score[j] and not d.veto[j] and _likely(d, j):
                        d.mark(j, 0.7, "person.weights")


def _likely(d: Draft, i: int) -> bool:
    entry = d.entry[i]
    return entry.given > 1 or not (entry.plain or entry.place or entry.organisation)


def _joins(d: Draft, i: int) -> bool:
    return d.lower[i] == "," or bool(d.cue[i] & AND)


def _small_letter_last(d: Draft, i: int) -> bool:
    """'hilsen lise b': a letter that ends the text or the line."""
    if len(d.lower[i + 1]) != 1 or not d.lower[i + 1].isalpha() or not d.close(i):
        return False
    return i + 2 >= len(d.found.words) or d.first[i + 2] or d.lower[i + 2] == "."


def _particles(d: Draft, i: int) -> None:
    """'Kari M', 'Maria dos Santos', 'Ali al-Hassan': small parts after a name and what they lead to."""
    j = i + 1
    if d.capital[j] and len(d.lower[j]) == 1 and d.close(i):
        d.mark(j, d.score[i], d.rule[i])
    elif d.cue[j] & PARTICLE and d.cue[j + 1] & PARTICLE and d.capital[j + 2] and not d.first[j + 2]:
        for k in (j, j + 1, j + 2):
            d.mark(k, d.score[i], d.rule[i])
    elif (
        d.cue[j] & PARTICLE
        and d.capital[j + 1]
        and d.entry[j + 1] is not BLANK
        and d.close(j)
        and (
            not d.cue[j] & FAINT_PARTICLE
            or d.capital[j]
            or d.lower[j + 1] in ("la", "cruz", "vries", "silva", "souza", "jong")
        )
    ):
        d.mark(j, d.score[i], d.rule[i])
        d.mark(j + 1, d.score[i], d.rule[i])
    elif d.lower[j].startswith(("al-", "el-", "ben-", "o'", "d'")):
        d.mark(j, d.score[i], d.rule[i])


def _repeated(d: Draft) -> None:
    """A name found once is a name wherever it stands in the same text."""
    known = {
        _base(d.lower[i])
        for i in _named(d)
        if d.score[i] >= 0.75
        and len(d.lower[i]) > 2
        and (not d.entry[i].plain or d.entry[i].given > 1 or d.entry[i].surname > 1)
    }
    if not known:
        return
    for i in d.found.maybe:
        if d.score[i] or d.veto[i] or _base(d.lower[i]) not in known:
            continue
        entry = d.entry[i]
        if d.capital[i]:
            again = not (d.first[i] and entry.plain) and not (d.cue[i - 1] & AT_PLACE and entry.place)
        else:
            again = not entry.plain and not entry.place
        if again:
            d.mark(i, 0.75, "person.repeated")


def _base(lower: str) -> str:
    return lower[:-1].rstrip("'’") if lower.endswith("s") and len(lower) > 4 else lower


def _spans(d: Draft, allowed: frozenset[str]) -> Iterable[Hit]:
    """Runs of found words, as stretches of the text."""
    found, score = d.found, d.score
    count = len(found.words)
    done = -1
    for i in _named(d):
        if i <= done:
            continue
        j = i
        while j + 1 < count and score[j + 1]:
            if found.text[found.end(j) : found.starts[j + 1]] not in (" ", "-", ". ", "  "):
                break
            j += 1
        # 'Hansen, Ola' is one name where a surname comes first.
        if (
            j == i
            and j + 2 < count
            and found.words[j + 1] == ","
            and score[j + 2]
            and found.entries[j].surname
            and not found.entries[j].given
            and found.entries[j + 2].given
        ):
            j += 2
        start, end = found.starts[i], found.end(j)
        if found.lower[i].startswith(ARTICLES_WRITTEN_ON):
            start += 2
        end -= _genitive(found.lower[j], found.words[j])
        if found.text[start:end].casefold() not in allowed:
            best = max(range(i, j + 1), key=score.__getitem__)
            yield start, end, "PERSON", score[best], d.rule[best] or "person.weights"
        done = j


@lru_cache(maxsize=20_000)
def _genitive(lower: str, form: str) -> int:
    """How many characters at the end are the genitive and no part of the name."""
    if form.endswith(("'s", "’s")):
        return 2
    if not lower.endswith("s") or len(lower) < 4:
        return 0
    lists = lexicon()
    if max(lists.given.get(lower, 0), lists.surnames.get(lower, 0)) >= 60:
        return 0
    base = lower[:-1]
    return 1 if base in lists.given or base in lists.surnames else 0
