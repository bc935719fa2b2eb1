"""Rules that say of a word, by itself and its neighbours, that it is somebody's name, and how surely."""

from __future__ import annotations

import re

from .lexicon import grammar, lexicon, word
from .name_cues import (
    ABBREVIATION,
    AND,
    ARTICLE,
    AT_PLACE,
    CALLED,
    CAPITAL_ONLY,
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
    VERB,
)
from .name_draft import CERTAIN, PATRONYM, Draft, beside_place, in_english
from .name_said import HONORIFIC, said_of
from .name_vetoes import vetoes
from .tokens import ARTICLES_WRITTEN_ON, BLANK, Tokens

_LOCAL = re.compile(r"[\w.+-]+(?=@)")
_PARTS = re.compile(r"[^\W\d_]{3,}")
_NAME_IS = frozenset(["name", "navn", "navnet", "namn", "namnet"])
_MYSELF = frozenset(["jeg", "eg", "æ", "je", "navnet", "namnet", "navn", "namn", "name", "i"])


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
        if made.score[i] < CERTAIN:
            said_of(made, i)
        near = cue[i - 1] | cue[i + 1] & FAMILY
        if made.score[i] < CERTAIN and i and (near or (entries[i - 1] is BLANK and cue[i - 2] | cue[i - 3])):
            _cued(made, i)
    _signature(made)
    _signed_within(made)
    _introduced(made)
    if "@" in found.text:
        _in_address(made)
    return made


def _introduced(d: Draft) -> None:
    """'Jeg heter mohamud': a word that no list has, in small letters behind 'heter'."""
    for i in [i for i, cue in enumerate(d.found.cues[:-3]) if cue & CALLED]:
        if d.lower[i - 1] in _MYSELF or d.lower[i - 1] == "som" or d.lower[i] in _NAME_IS:
            k = i + 1
            while d.cue[k] & (PERHAPS | IS):
                k += 1
            unknown = d.lower[k][:1].isalpha() and not (d.entry[k].plain or grammar(d.lower[k]).sorts)
            listed = d.entry[k].given > 1
            if (
                listed
                and not d.capital[k]
                and not d.first[k]
                and d.lower[i - 1] == "som"
                and d.cue[i - 2] & TITLE
            ):
                # 'En fyr som heter brage'.
                d.mark(k, CERTAIN, "person.called")
            if d.lower[i] in _NAME_IS and not (listed and _unknown_small(d, k + 1)):
                unknown = unknown and d.lower[i - 1] in _MYSELF
            else:
                unknown = unknown or (listed and d.lower[i] in _NAME_IS)
            placed = d.entry[k].place and not (d.lower[i] in _NAME_IS and _unknown_small(d, k + 1))
            if unknown and not (d.first[k] or d.veto[k] or placed):
                d.mark(k, CERTAIN, "person.called")
                if d.lower[i] in _NAME_IS and _unknown_small(d, k + 1):
                    d.mark(k + 1, CERTAIN, "person.called")


def _unknown_small(d: Draft, k: int) -> bool:
    """A word in small letters that follows in the sentence and that no dictionary has."""
    return not (d.first[k] or d.capital[k] or d.veto[k]) and d.lower[k][:1].isalpha() and not d.entry[k].plain


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
        # 'Lillegutt Hansen': whatever it is, before a surname in -sen.
        other.surname == 3
        and d.lower[i + 1].endswith(PATRONYM)
        and not (d.first[i] or entry.place or entry.organisation or d.cue[i] & TITLE)
        and d.found.text[d.found.end(i) : d.found.starts[i + 1]] == " "
    ):
        d.mark(i, CERTAIN, "person.full")
        d.mark(i + 1, CERTAIN, "person.full")
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
        and d.lower[i].endswith(PATRONYM)
        and not (entry.place or entry.organisation or after & (STREET | FIRM))
        and not (placed and (d.lower[i - 1] != "at" or in_english(d, i)))
        and _upright(d, i)
    ):
        d.mark(i, CERTAIN, "person.surname")
        return
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
    if d.cue[i] & CAPITAL_ONLY or len(d.lower[i]) < 3:
        return
    entry, other = d.entry[i], d.entry[i + 1]
    if (
        d.adjoins(i)
        and not d.capital[i + 1]
        and len(d.lower[i + 1]) > 2
        and (
            other.surname >= 2
            or (other.given >= 2 and not other.plain)
            or (d.lower[i + 1].endswith("sen") and len(d.lower[i + 1]) > 6 and not other.plain)
        )
        and (
            not entry.plain
            or (
                entry.given == 3
                and (other.surname >= 2 or not other.plain)
                and not other.place
                and not d.cue[i] & MONTH
            )
        )
        and not (entry.plain and other.plain and d.cue[i + 1] & (VERB | AT_PLACE | AND))
    ):
        d.mark(i, 0.8, "person.lower")
        d.mark(i + 1, 0.8, "person.lower")
    if entry.surname > 1 and not entry.plain and entry.given < 2:
        _small_surname(d, i)
    if entry.given < 2 or entry.plain or entry.place or entry.organisation or len(d.lower[i]) < 4:
        return
    before, after = d.cue[i - 1], d.cue[i + 1]
    cued = before & (ARTICLE | TITLE | GOODBYE | HELLO | CALLED) or after & POSSESSIVE
    if cued or entry.given == 3 or after & VERB or d.lower[i - 1] in ("og", "med", "hos", "av"):
        common = entry.given == 3
        d.mark(i, CERTAIN if cued and common else 0.85 if cued or common else 0.65, "person.lower")


def _small_surname(d: Draft, i: int) -> None:
    """'eieren er sandberg', 'naboen johansen', 'olsen brøyter': surnames in small letters, by a cue or by their ending."""
    k = i - 1
    titled = d.cue[k] & TITLE or (d.cue[k] & IS and d.cue[k - 1] & TITLE)
    if titled and not d.first[i]:
        d.mark(i, 0.9, "person.title")
    elif d.lower[i].endswith(PATRONYM) and not (d.entry[i].place or d.entry[i].organisation):
        d.mark(i, 0.85, "person.lower")
    elif not d.entry[i].place and (d.cue[k] & (ARTICLE | CALLED) or d.cue[i + 1] & (VERB | POSSESSIVE)):
        d.mark(i, 0.65, "person.lower")


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
    elif (cap and not gap and d.lower[k] in HONORIFIC) or (cap and unknown and _of_family(d, i)):
        d.mark(i, CERTAIN, "person.title")
    elif near & TITLE and (known or free) and (cap or unknown):
        # 'Hans', 'Mor' and 'Far' begin sentences as well as names.
        if d.first[k] and d.lower[k] in ("hans", "mor", "far") and entry.place:
            return
        if not gap or d.lower[i - 1] == "." or (cap and known and d.lower[i - 1] == ","):
            certain = (
                cap and free and (d.cue[k] & ABBREVIATION or (not gap and not d.first[i] and not d.first[k]))
            )
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
        full = (
            free and d.capital[i + 1] and d.adjoins(i) and not (d.entry[i + 1].plain or d.entry[i + 1].place)
        )
        then = (
            d.lower[i + 1] in ("and", ",", "from", "og", "å", "frå", "fra")
            and d.lower[i - 1] == "am"
            and free
        )
        d.mark(i, CERTAIN if full or then else 0.85, "person.called")
        if full:
            d.mark(i + 1, CERTAIN, "person.called")


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
    if verb in ("am", "e") and subject in ("i", "æ", "eg", "e"):
        named = free and not d.lower[i].endswith(("ian", "ish", "ese", "ean", "er", "sk"))
        return (known and not d.entry[i].plain) or named
    return False


def _signed(d: Draft, i: int, k: int, gap: bool) -> None:
    """A name below 'hilsen'."""
    if d.found.words[i].isupper() and 1 < len(d.lower[i]) < 5 and d.entry[i].given < 2:
        # 'Mvh FAU'.
        return
    entry, cap = d.entry[i], d.capital[i]
    listed, unknown = bool(entry.given or entry.surname), not entry.plain
    known = listed and (cap or unknown)
    faint = bool(d.cue[k] & FAINT_GOODBYE)
    if faint and not (gap or d.first[i]):
        known = listed and unknown
    last = short_end(d, i)
    if (
        cap
        and d.lower[i] in lexicon().given
        and d.capital[i + 1]
        and d.adjoins(i)
        and d.entry[i + 1].surname > 1
    ):
        # 'Mvh Vår Haugen'.
        d.mark(i, CERTAIN, "person.signature")
        d.mark(i + 1, CERTAIN, "person.signature")
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
    if i > 2 and d.lower[i - 1] in ("forhånd", "forhand", "advance") and d.entry[i].given > 1:
        # 'Takk på forhånd mette'.
        d.mark(i, CERTAIN, "person.signature")
    for _ in range(40):
        if i <= 0 or (d.entry[i] is not BLANK and (d.first[i] or d.lower[i - 1] == ",")):
            break
        i -= 1
    ends = [j for j in range(max(i, 0), count) if d.entry[j] is not BLANK]
    if i <= 0 or not ends or len(ends) > 4 or d.veto[i] or d.cue[i] & (MONTH | HELLO):
        return
    head, cap = d.entry[i], d.capital[i]
    later = [d.entry[j] for j in ends[1:]]
    begun = d.first[i] or d.lower[i - 1] == ","
    if later and len(later) < 3 and i > 5 and begun and all(_stranger(d, j) for j in ends):
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
        all_listed = cap and len(ends) < 4 and all(d.capital[j] and _listed_only(d, j) for j in ends)
        good = all_listed or (
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


def _signed_within(d: Draft) -> None:
    """'... siden september. - Odd. Gangveien ...': a given name by itself between a dash and the end of a sentence."""
    for i in d.found.maybe:
        if (
            d.capital[i]
            and d.entry[i].given > 1
            and i > 1
            and d.lower[i - 1] in ("-", "–", "—", "/")
            and d.found.starts[i] - d.found.end(i - 1) < 2
            and d.found.words[i - 2] in ".!?…"
            and (d.lower[i + 1] in (".", "!", "") or d.first[i + 1])
            and not d.veto[i]
        ):
            d.mark(i, CERTAIN, "person.signature")


def _listed_only(d: Draft, j: int) -> bool:
    """A name by the lists, and no place: 'Li Wei' at the end of a report."""
    entry = d.entry[j]
    return bool(entry.surname or entry.given) and not (entry.place or entry.organisation)


def _digits_behind(d: Draft, i: int) -> bool:
    return sum(map(str.isdigit, d.found.text[d.found.end(i) : d.found.end(i) + 20])) >= 8


def _stranger(d: Draft, j: int) -> bool:
    """A capitalised word that no list knows but as a name."""
    entry, form = d.entry[j], d.found.words[j]
    return d.capital[j] and not (entry.plain or entry.place or entry.organisation) and not form[1:].isupper()
