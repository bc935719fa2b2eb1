"""Rules that say of a word, by itself and its neighbours, that it is somebody's name, and how surely."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .lexicon import Word, grammar, word
from .name_cues import (
    ABBREVIATION,
    AND,
    ARTICLE,
    AT_PLACE,
    CALLED,
    DIRECTION,
    FAINT_GOODBYE,
    FAINT_PARTICLE,
    FAMILY,
    FIRM,
    GOODBYE,
    HELLO,
    IS,
    JOINING_PARTICLE,
    KIND_OF_PLACE,
    MESSAGE,
    MONTH,
    OF_PERSON,
    PARTICLE,
    PERHAPS,
    POSSESSIVE,
    POSSESSOR,
    STREET,
    THING,
    TITLE,
    TO_PLACE,
    VERB,
)
from .name_vetoes import vetoes
from .tokens import ARTICLES_WRITTEN_ON, BLANK, Tokens

_LOCAL = re.compile(r"[\w.+-]+(?=@)")
_PARTS = re.compile(r"[^\W\d_]{3,}")
_MYSELF = frozenset(["jeg", "eg", "æ", "je", "navnet", "namnet", "navn", "namn", "name", "i"])

CERTAIN = 0.95  # What a rule says so surely is not judged again by the weights.


@dataclass(slots=True)
class Draft:
    """What is held of each word while names are looked for.

    The lists have three more places at the end, which also are what stands before the first word: so neighbours need no check.
    """

    found: Tokens
    lower: list[str]
    entry: list[Word]
    cue: list[int]
    capital: list[bool]
    first: list[bool]
    veto: list[bool]
    score: list[float]
    rule: list[str]

    def mark(self, i: int, value: float, name: str) -> None:
        if value > self.score[i]:
            self.score[i] = value
            self.rule[i] = name

    def adjoins(self, i: int) -> bool:
        """Whether the next word follows within the same sentence."""
        return not self.first[i + 1] and self.entry[i + 1] is not BLANK

    def close(self, i: int) -> bool:
        """Whether nothing but one space stands before the next word."""
        return self.found.starts[i + 1] - self.found.end(i) <= 1


def draft(found: Tokens) -> Draft:
    count = len(found.words)
    made = Draft(
        found,
        [*found.lower, "", "", ""],
        [*found.entries, BLANK, BLANK, BLANK],
        found.cues,
        [*found.capital, False, False, False],
        [*found.first, True, True, True],
        vetoes(found),
        [0.0] * (count + 3),
        [""] * (count + 3),
    )
    cue, entries = made.cue, made.entry
    for i in found.maybe:
        if made.veto[i]:
            continue
        entry = entries[i]
        if not made.capital[i]:
            _in_small_letters(made, i)
        elif not (entry.plain and len(found.words[i]) > 3 and found.words[i].isupper()):
            if made.capital[i + 1] or cue[i + 1] & JOINING_PARTICLE:
                _full(made, i)
            if entry.given or entry.surname or not entry.plain:
                _listed(made, i)
        near = cue[i - 1] | cue[i + 1] & FAMILY
        if made.score[i] < CERTAIN and i and (near or (entries[i - 1] is BLANK and cue[i - 2] | cue[i - 3])):
            _cued(made, i)
    _signature(made)
    _introduced(made)
    if "@" in found.text:
        _in_address(made)
    return made


def _introduced(d: Draft) -> None:
    """'Jeg heter mohamud': a word that no list has, in small letters behind 'heter'."""
    called = [i for i, cue in enumerate(d.found.cues) if cue & CALLED]
    for i in called:
        if d.lower[i - 1] in _MYSELF:
            k = i + 1
            while d.cue[k] & (PERHAPS | IS):
                k += 1
            unknown = d.lower[k][:1].isalpha() and not (d.entry[k].plain or grammar(d.lower[k]).sorts)
            if unknown and not (d.first[k] or d.veto[k] or d.entry[k].place):
                d.mark(k, CERTAIN, "person.called")


def _in_address(d: Draft) -> None:
    """'Dave, dave.eksempel@…': a word in capitals that an e-mail address repeats is its owner's name."""
    named = {part for local in _LOCAL.findall(d.found.text.lower()) for part in _PARTS.findall(local)}
    for i in d.found.maybe:
        if d.capital[i] and not d.veto[i] and d.lower[i] in named and not d.entry[i].organisation:
            d.mark(i, 0.9, "person.signature")


def _full(d: Draft, i: int) -> None:
    """Two capitalised words, of which the lists know one as a name."""
    entry, other = d.entry[i], d.entry[i + 1]
    placed = d.cue[i - 1] & AT_PLACE
    if (
        d.cue[i + 1] & JOINING_PARTICLE
        and not (entry.plain or entry.place)
        and (
            d.capital[i + 2] or (d.cue[i + 2] & PARTICLE and i + 3 < len(d.found.words) and d.capital[i + 3])
        )
        and (
            entry.given
            or not (
                d.first[i + 1] or d.cue[i + 1] & FAINT_PARTICLE or (d.capital[i + 2] and d.entry[i + 2].place)
            )
        )
    ):
        d.mark(i, 0.75, "person.full")
    if not (d.capital[i + 1] and d.adjoins(i)) or d.veto[i + 1] or len(d.lower[i + 1]) < 2:
        return
    if entry.given:
        likely = (
            other.surname or other.given or not (other.plain or other.place or other.organisation)
        ) and not (other.plain and d.found.words[i + 1].isupper() and not d.found.words[i].isupper())
        sure = not (entry.plain and d.first[i]) or other.surname > 1 or other.given > 1
        if likely and sure and not (entry.place and (entry.given < 2 or (placed and entry.given < 3))):
            both = (
                entry.given > 1
                and (other.surname > 1 or other.given > 1)
                and not (entry.plain or other.plain)
            )
            value = CERTAIN if both and not (placed or other.place) else 0.9
            d.mark(i, value, "person.full")
            d.mark(i + 1, value, "person.full")
    elif (
        # A given name that no list knows, before a surname that one knows; not at places and firms.
        not (entry.plain or entry.place or entry.organisation or placed)
        and other.surname >= 2
        and not (other.plain or (other.place and other.surname < 3))
        and len(d.lower[i]) > 3
        and d.found.text[d.found.end(i) : d.found.starts[i + 1]] == " "
    ):
        d.mark(i, 0.75, "person.full")
        d.mark(i + 1, 0.75, "person.full")


def _listed(d: Draft, i: int) -> None:
    """One capitalised word that the lists know as a name."""
    entry = d.entry[i]
    before, after = d.cue[i - 1], d.cue[i + 1]
    placed = before & AT_PLACE
    if "-" in d.lower[i] and not placed and nickname(d.found.words[i]):
        d.mark(i, CERTAIN, "person.given")
    if len(d.lower[i]) > 3 and d.lower[i].startswith(ARTICLES_WRITTEN_ON):
        d.mark(i, 0.9, "person.article")
    if entry.plain:
        if entry.given >= 2 and not placed and _spoken_of(d, i):
            d.mark(i, 0.7, "person.given")
        return
    common = entry.given == 3
    if (
        common
        and not (entry.place or entry.organisation or placed or after & (STREET | FIRM))
        and _upright(d, i)
    ):
        d.mark(i, CERTAIN, "person.given")
        return
    if (
        entry.given >= 2
        and not (entry.place and (placed or not common))
        and not (entry.organisation and not common)
    ):
        d.mark(i, 0.9, "person.given")
    if (
        entry.surname >= 2
        and before & OF_PERSON
        and not (entry.place or entry.organisation or d.first[i])
        and not beside_place(d, i)
    ):
        d.mark(i, 0.75, "person.surname")
    if (entry.given or entry.surname) and after & POSSESSIVE and not placed:
        d.mark(i, 0.8, "person.possessive")


def _spoken_of(d: Draft, i: int) -> bool:
    """A word that is also a name: whether its neighbours speak for a person."""
    if d.first[i] or d.cue[i] & MONTH:
        return False
    return bool(
        d.cue[i + 1] & (VERB | POSSESSIVE | AND)
        or d.cue[i - 1] & (OF_PERSON | AND)
        or d.lower[i - 1] in ("til", "som", "at", ",")
        or d.lower[i + 1] in (",", ".", "", "på")
    )


def _upright(d: Draft, i: int) -> bool:
    """Neither in the genitive nor in capitals as a whole."""
    return (
        not d.lower[i].endswith(("s", "'"))
        and d.lower[i + 1] not in ("'", "’")
        and not d.found.words[i].isupper()
    )


def nickname(form: str) -> bool:
    """'Stor-Arne', 'Gubbe-Kåre', 'Nils-Martin': something in capitals before a given name."""
    first, _, last = form.rpartition("-")
    return first[:1].isupper() and last[:1].isupper() and not last.isupper() and word(last.lower()).given > 1


def _in_small_letters(d: Draft, i: int) -> None:
    """Names in small letters: two that the lists know, or one beside a cue."""
    entry, other = d.entry[i], d.entry[i + 1]
    if (
        d.adjoins(i)
        and not d.capital[i + 1]
        and len(d.lower[i + 1]) > 2
        and (other.surname >= 2 or (other.given >= 2 and not other.plain))
        and (
            not entry.plain
            or (entry.given == 3 and other.surname >= 2 and not other.place and not d.cue[i] & MONTH)
        )
        and not (entry.plain and other.plain and d.cue[i + 1] & (VERB | AT_PLACE | AND))
    ):
        d.mark(i, 0.8, "person.lower")
        d.mark(i + 1, 0.8, "person.lower")
    if entry.plain or entry.place or entry.organisation or len(d.lower[i]) < 4:
        return
    before, after = d.cue[i - 1], d.cue[i + 1]
    cued = before & (ARTICLE | TITLE | GOODBYE | HELLO | CALLED) or after & POSSESSIVE
    if cued or entry.given == 3 or after & VERB or d.lower[i - 1] in ("og", "med", "hos", "av"):
        d.mark(i, 0.85 if cued else 0.65, "person.lower")


def _cued(d: Draft, i: int) -> None:
    """What a greeting, a signature, a title or 'heter' before the word says of it."""
    k = _cue_place(d, i)
    gap = k != i - 1 and not d.cue[i - 1] & (PERHAPS | IS)
    near = d.cue[k]
    cap, entry = d.capital[i], d.entry[i]
    known = bool(entry.given or entry.surname)
    unknown = not entry.plain
    free = unknown and not (entry.place or entry.organisation)
    if near & GOODBYE and i - k < 4:
        _signed(d, i, k, gap)
    elif near & HELLO and not gap and (cap or unknown) and (entry.given or (cap and free and known)):
        d.mark(i, 0.85, "person.greeting")
    elif near & CALLED:
        somebody = cap and (
            d.lower[k - 1] in ("jeg", "eg", "æ", "je", "mitt", "my")
            or (d.cue[k - 1] | d.cue[k - 2]) & (ARTICLE | TITLE)
        )
        fits = (known or free or somebody) and (cap or unknown) and (not gap or d.lower[i - 1] == ":")
        if fits and not _about_place(d, k):
            d.mark(i, CERTAIN if somebody else 0.9, "person.called")
    elif cap and unknown and _of_family(d, i):
        d.mark(i, CERTAIN, "person.title")
    elif near & TITLE and (known or free) and (cap or unknown):
        # 'Hans', 'Mor' and 'Far' begin sentences as well as names.
        if d.first[k] and d.lower[k] in ("hans", "mor", "far") and entry.place:
            return
        if not gap or d.lower[i - 1] == "." or (cap and known and d.lower[i - 1] == ","):
            certain = cap and free and d.cue[k] & ABBREVIATION
            d.mark(i, CERTAIN if certain else 0.85 if gap else 0.9, "person.title")
    elif near & ARTICLE and not gap:
        if (cap or unknown) and (entry.given or (cap and (known or (unknown and not entry.place)))):
            d.mark(i, 0.85, "person.article")
    elif cap and near & POSSESSOR and d.cue[k - 1] & TITLE and not d.first[i]:
        if k == i - 1 or d.lower[i - 1] == ",":
            d.mark(i, 0.9, "person.title")
    elif cap and free and d.cue[i - 1] & OF_PERSON and d.cue[i - 2] & TITLE:
        # 'Sønnen til Wiggen'.
        d.mark(i, CERTAIN, "person.title")
    elif cap and free and _of_message(d, i):
        d.mark(i, 0.85, "person.title")
    elif cap and not gap and (known or unknown) and _said_of_oneself(d, i, known=known, free=free):
        d.mark(i, 0.85, "person.called")


def _cue_place(d: Draft, i: int) -> int:
    """Where the word stands that may be a cue: before the word, or before one or two marks."""
    k = i - 1
    for _ in range(2):
        if k > 0 and d.found.words[k] in ",:;.-–/":
            k -= 1
    if k > 0 and d.cue[k] & PERHAPS and d.cue[k - 1] & CALLED:
        k -= 1
    elif k > 1 and d.cue[k] & IS:
        # 'Navnet er', 'navnet mitt er'.
        if d.cue[k - 1] & CALLED and d.cue[k - 1] & ~VERB:
            k -= 1
        elif d.cue[k - 1] & POSSESSOR and d.cue[k - 2] & CALLED:
            k -= 2
    return k


def _of_family(d: Draft, i: int) -> bool:
    """'Familien Moe', 'fam. Moe', 'the Moe family'."""
    if (d.cue[i - 1] | d.cue[i + 1]) & FAMILY:
        return True
    return d.lower[i - 1] == "." and bool(d.cue[i - 2] & FAMILY)


def _of_message(d: Draft, i: int) -> bool:
    """'Melding fra Moe:'."""
    return (
        i > 1
        and d.cue[i - 2] & MESSAGE != 0
        and d.lower[i - 1] in ("fra", "frå", "from", "til", "to")
        and d.lower[i + 1] in (":", ",", ".", "", "på", "i", "om", "at", "on", "in")
    )


def _said_of_oneself(d: Draft, i: int, *, known: bool, free: bool) -> bool:
    """'Jeg er Kari', 'I am Ivar', 'æ e Ola'."""
    if i < 2:
        return False
    verb, subject = d.lower[i - 1], d.lower[i - 2]
    if verb == "er":
        return free and subject in ("jeg", "eg", "navnet", "namnet", "eieren", "eigaren")
    return verb in ("am", "e") and subject in ("i", "æ", "eg", "e") and known and not d.entry[i].plain


def _signed(d: Draft, i: int, k: int, gap: bool) -> None:
    """A name below 'hilsen'."""
    entry, cap = d.entry[i], d.capital[i]
    listed, unknown = bool(entry.given or entry.surname), not entry.plain
    known = listed and (cap or unknown)
    faint = bool(d.cue[k] & FAINT_GOODBYE)
    if faint and not (gap or d.first[i]):
        known = listed and unknown
    last = short_end(d, i)
    if (
        (cap and (listed or unknown) and not entry.organisation and (last or known))
        or (known and last)
        or (entry.given and last and d.lower[k] not in ("takk", "thanks"))
    ):
        certain = cap and entry.given > 1 and last and not faint
        d.mark(i, CERTAIN if certain else 0.9, "person.signature")


def _about_place(d: Draft, k: int) -> bool:
    """'Vegen heter Olav Duuns veg', 'stedet heter Skage': what is called so is no person."""
    return any(d.cue[j] & (THING | STREET | KIND_OF_PLACE) for j in range(max(0, k - 4), k))


def short_end(d: Draft, i: int) -> bool:
    """Only a few words follow to the end of the text, the line or the sentence."""
    words = d.found.words
    for j in range(i + 1, min(len(words), i + 6)):
        if d.first[j] or words[j] in ",.!|(-–" or words[j][0].isdigit() or words[j][0] in "+\ue000":
            return True
    return i + 6 > len(words)


def _signature(d: Draft) -> None:
    """A last line or last sentence of one to four words that begins with a given name."""
    count = len(d.found.words)
    i = count - 1
    for _ in range(40):
        if i <= 0 or (d.entry[i] is not BLANK and (d.first[i] or d.lower[i - 1] == ",")):
            break
        i -= 1
    ends = [j for j in range(max(i, 0), count) if d.entry[j] is not BLANK]
    if i <= 0 or not ends or len(ends) > 4 or d.veto[i] or d.cue[i] & (MONTH | HELLO):
        return
    head, cap = d.entry[i], d.capital[i]
    later = [d.entry[j] for j in ends[1:]]
    if later and len(later) < 3 and i > 5 and d.first[i] and all(_stranger(d, j) for j in ends):
        # 'Duc Hoang' below a report: no list knows the one or the other.
        for j in ends:
            d.mark(j, 0.85, "person.signature")
        return
    if not later:
        good = (head.given >= 2 and not head.place) or (cap and head.given >= 1 and not head.plain)
        # 'Moen 412 …': a surname and a phone number.
        good = good or (cap and head.surname >= 2 and not head.plain and _digits_behind(d, i))
        good = good and (cap or d.lower[i - 1] != ",")
    else:
        good = (
            head.given >= 1
            and all(entry.surname or entry.given or not entry.plain for entry in later)
            and (cap or not head.plain or not later[-1].plain)
        )
    if good:
        for j in ends:
            entry = d.entry[j]
            named = j == i or entry.surname or entry.given or not entry.plain
            if named and not (entry.place and j > i + 1):
                d.mark(j, 0.8, "person.signature")


def _digits_behind(d: Draft, i: int) -> bool:
    return sum(map(str.isdigit, d.found.text[d.found.end(i) : d.found.end(i) + 20])) >= 8


def _stranger(d: Draft, j: int) -> bool:
    """A capitalised word that no list knows but as a name."""
    entry, form = d.entry[j], d.found.words[j]
    return d.capital[j] and not (entry.plain or entry.place or entry.organisation) and not form[1:].isupper()


_PLACE_ENDING = re.compile(
    r"(?:dalen|åsen|foss|fossen|moen|vatnet|vannet|sjøen|fjellet|bygda|grenda|neset|vika|øya|elva|bekken|lia|haugen|marka|myra"
    r"|sletta|sletten|bakken|bakkan|vollen|veien|vegen|gata|krysset|brua|senteret|hallen|huset|parken|plassen|feltet|kleiva"
    r"|svingen|tunnelen|skogen|vangen|stranda|sundet|viken|botn|heia|ski|stadion)s?$"
)


def beside_place(d: Draft, i: int) -> bool:
    """A place by its ending, by the preposition before it, or beside another place."""
    if _PLACE_ENDING.search(d.lower[i]):
        return True
    k, least = i - 1, max(0, i - 12)
    while k > least and (
        d.cue[k] & AND
        or d.lower[k] in (",", "-", "–", "/")
        or (
            d.capital[k]
            and not d.entry[k].given
            and (d.cue[k - 1] & (AT_PLACE | AND) or d.lower[k - 1] in (",", "til", "te", "fra", "frå", "for"))
        )
    ):
        k -= 1
    if k < 0:
        return False
    if d.cue[k] & (AT_PLACE | TO_PLACE):
        return True
    return d.lower[k] in ("for", "før", "av") and k > 0 and bool(d.cue[k - 1] & DIRECTION)
