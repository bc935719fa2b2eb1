"""What a sentence says of a word that no list needs to know: 'sønnen til Ås', 'ring Ås', 'Ås tror jeg han heter'."""

from __future__ import annotations

from .lexicon import grammar
from .name_cues import (
    AND,
    ARTICLE,
    AT_PLACE,
    CALLED,
    IS,
    MONTH,
    OWNED,
    POSSESSIVE,
    SPEAK,
    TITLE,
    TO_PLACE,
    VERB,
)
from .name_draft import CERTAIN, Draft
from .spelled import is_number_word

_CALLS = frozenset({"kaller", "kallar", "kalle", "kalla", "kalte", "call"})
_HIM = frozenset({"ham", "han", "henne", "ho", "hu", "hun", "hainn", "n", "him", "her"})
_TO = frozenset({"til", "te", "åt", "at", "tel", "ti"})
_TALK = frozenset(
    {
        "med",
        "til",
        "te",
        "etter",
        "ætter",
        "fra",
        "frå",
        "hos",
        "mæ",
        "me",
        "to",
        "with",
        "for",
        "of",
        "mot",
        "på",
    }
)
_THERE = frozenset(
    {"det", "de", "dæ", "d", "dette", "this", "it", "that", "han", "hun", "ho", "eieren", "eigaren", "naboen"}
)
_WHO = frozenset({"som", "who", "that", "sjøl", "selv", "sjølv", "himself", "herself"})
_BELIEVE = frozenset({"tror", "trur", "mener", "meiner", "mene", "think", "believe"})
_OFFICE_ENDS = (
    "avdelinga",
    "avdelingen",
    "avdeling",
    "kontoret",
    "etaten",
    "tjenesten",
    "tenesta",
    "seksjonen",
    "enheten",
    "eininga",
    "vesenet",
)
_AT_WORK = frozenset(
    {
        "teknisk",
        "drift",
        "banken",
        "kommunen",
        "kommuna",
        "byggesak",
        "nav",
        "veivesenet",
        "renovasjon",
        "plan",
        "servicetorget",
    }
)


HONORIFIC = frozenset({"fru", "herr", "hr", "frk", "frøken", "mr", "mrs", "ms", "miss"})
_DOES = frozenset(
    {
        "fikser",
        "ordner",
        "måker",
        "brøyter",
        "fiksa",
        "ordna",
        "måka",
        "hjalp",
        "hjelper",
        "sa",
        "sier",
        "seier",
        "sei",
        "skrev",
        "ringte",
        "ringer",
        "svarte",
        "lovet",
        "lovte",
        "lova",
    }
)
_DONE = frozenset(
    {
        "satt",
        "sett",
        "laget",
        "laga",
        "skrevet",
        "skrive",
        "sendt",
        "tatt",
        "teke",
        "dumpet",
        "dumpa",
        "bygd",
        "bygget",
        "kjørt",
        "køyrt",
        "meldt",
        "gjort",
        "ødelagt",
        "eid",
        "eigd",
        "hogd",
        "hugget",
        "malt",
        "revet",
        "lovet",
    }
)
_DID = frozenset(
    {
        "satte",
        "kastet",
        "kasta",
        "hentet",
        "henta",
        "sprang",
        "ropte",
        "gråt",
        "skrek",
        "banket",
        "møtte",
        "fant",
        "leter",
        "jobber",
        "bor",
        "bodde",
        "klager",
        "klagde",
        "spurte",
        "spør",
    }
)
_NEIGHBOURLY = frozenset(
    {
        "nummer",
        "nr",
        "treern",
        "treeren",
        "toern",
        "toeren",
        "femmern",
        "leiligheten",
        "leilegheita",
        "klassen",
        "klasse",
        "oppgang",
        "naboblokka",
    }
)
_GANG = frozenset(
    {
        "gjengen",
        "kameratene",
        "vennene",
        "vennen",
        "kompisene",
        "kompisen",
        "faren",
        "mora",
        "bikkja",
        "kona",
        "mannen",
        "ungene",
        "hunden",
        "ungane",
        "ongan",
        "sambo",
        "samboeren",
        "jeg",
        "eg",
        "æ",
        "broren",
        "søstera",
    }
)


def _begins_as_person(d: Draft, i: int) -> bool:
    """A word that is a name as well and begins the sentence: 'Bjørn i nummer 4', 'Are og gjengen', 'Sol på 6 år', 'Tor fikser'."""
    after, then = d.lower[i + 1], d.lower[i + 2]
    if after in _DOES or after in _DID:
        return True
    if after in ("i", "på") and (
        then in _NEIGHBOURLY
        or (d.lower[i + 3] in ("år", "etasje", "etg") and (then.isdigit() or is_number_word(then)))
    ):
        return True
    if after in ("i", "på") and d.capital[i + 2] and d.lower[i + 3][:1].isdigit():
        # 'Lene i Granvegen 6b'.
        return True
    if d.cue[i + 1] & AND and then in _GANG:
        return True
    if d.cue[i + 1] & POSSESSIVE:
        return True
    if after == "," and (
        d.cue[i + 2] & TITLE
        or (d.lower[i + 2] in ("den", "han", "ho", "hun", "hainn") and (d.cue[i + 3] | d.cue[i + 4]) & TITLE)
    ):
        return True
    return after in ("har", "hadde", "skal", "vil", "kan") and then in (
        "sagt",
        "lovet",
        "lova",
        "ringt",
        "skrevet",
        "glemt",
        "glømt",
        "fikset",
        "svart",
    )


_FIELDS = frozenset(
    {
        "til",
        "fra",
        "frå",
        "to",
        "from",
        "av",
        "by",
        "navn",
        "namn",
        "name",
        "avsender",
        "innmelder",
        "meldt",
        "kontakt",
        "att",
        "cc",
        "kopi",
        "v",
    }
)
_MADE = frozenset(
    {
        "har",
        "hadde",
        "eier",
        "eig",
        "eide",
        "kjører",
        "kjøre",
        "køyrer",
        "kjørte",
        "køyrde",
        "knuste",
        "sa",
        "sier",
        "seier",
        "tømmer",
        "tømte",
        "brøyter",
        "strør",
        "måker",
        "bygger",
        "bruker",
        "driver",
        "satte",
        "parkerer",
    }
)
_SAID = (
    _DOES
    | _MADE
    | {
        "told",
        "said",
        "says",
        "owns",
        "svarte",
        "ringer",
        "vil",
        "skal",
        "klager",
        "krangler",
        "burde",
        "bør",
        "fikk",
        "fekk",
        "må",
    }
)


def _word_as_name(d: Draft, i: int) -> None:
    """A word in small letters that is a name as well: 'saksbehandler lien', 'ho liv på', 'det er even som har', 'øygard sin hund'."""
    if i == 0 or d.veto[i] or len(d.lower[i]) < 2:
        return
    before, after = d.lower[i - 1], d.lower[i + 1]
    if not (d.cue[i - 1] | d.cue[i + 1]) and before not in _LITTLE:
        return
    sorts = grammar(d.lower[i]).sorts
    named = after in _SAID or after in (
        ",",
        ".",
        "",
        "og",
        "å",
        "på",
        "i",
        "som",
        "fra",
        "frå",
        "sin",
        "sitt",
        "sine",
        "sa",
    )
    if d.cue[i + 1] & POSSESSIVE and not d.first[i + 1] and (d.entry[i].given > 1 or d.entry[i].surname > 1):
        d.mark(i, 0.85, "person.possessive")
    elif d.first[i]:
        if (after == "på" and d.lower[i + 2].isdigit() and d.lower[i + 3] in ("år", "aar")) or (
            after in ("i", "på") and _at_work(d, i) and d.entry[i].surname > 1
        ):
            d.mark(i, 0.9, "person.spoken")
    elif d.cue[i - 1] & TITLE and before not in ("hans", "mor", "far", "barna", "folk") and named:
        d.mark(i, CERTAIN, "person.title")
    elif before in _HIM_SAID and named and not sorts & _SMALL_WORD:
        d.mark(i, CERTAIN if d.entry[i].given > 1 or sorts == _NOUN else 0.85, "person.article")
    elif before in _TO and d.cue[i - 2] & TITLE and d.entry[i].given > 1:
        d.mark(i, CERTAIN, "person.spoken")
    elif d.cue[i - 1] & IS and d.lower[i - 2] in _THERE and after in _WHO and d.lower[i + 2] in _MADE:
        d.mark(i, 0.9, "person.spoken")
    elif before in ("si", "sagt", "be", "bede", "spør", "ring", "hils") and (
        _at_work(d, i) or d.entry[i].given > 1
    ):
        d.mark(i, 0.85, "person.spoken")
    elif before == "," and after == "," and d.cue[i - 2] & TITLE:
        d.mark(i, CERTAIN, "person.title")


_LITTLE = frozenset({",", "si", "sagt", "be", "bede", "n", "hain"})
_HIM_SAID = frozenset({"han", "ho", "hainn", "hain", "hann", "n", "hu", "hånn", "hannj"})
_NOUN = 8
_SMALL_WORD = 1 | 32 | 64  # Finite verbs, adverbs and the small words.


def said_of(d: Draft, i: int) -> None:
    """What the words around say of a word that no list needs to know: 'sønnen til Ås', 'det var Ås som ...', 'ring Ås'."""
    entry, cap = d.entry[i], d.capital[i]
    before, after = d.lower[i - 1], d.lower[i + 1]
    if not cap and entry.plain:
        _word_as_name(d, i)
        return
    if cap and entry.given > 1 and before in _TO and d.cue[i - 2] & TITLE:
        d.mark(i, CERTAIN, "person.spoken")
    if cap and entry.given > 1 and before == ":" and d.lower[i - 2] in _FIELDS:
        d.mark(i, CERTAIN, "person.called")
    if cap and before == "the" and d.lower[i].endswith("sens") and entry.surname > 1:
        d.mark(i, CERTAIN, "person.surname")
    if cap and (i == 0 or d.first[i]) and (entry.given > 1 or entry.surname > 1) and not entry.organisation:
        months = d.cue[i] & MONTH
        if not months and _begins_as_person(d, i):
            d.mark(i, CERTAIN if not entry.plain else 0.9, "person.spoken")
    if i == 0 or d.first[i]:
        if cap and not entry.plain and not (entry.place and not entry.given) and _called_after(d, i):
            d.mark(i, CERTAIN, "person.called")
        return
    if cap and (entry.surname > 1 or entry.given > 1) and before == "hos" and not entry.organisation:
        d.mark(i, CERTAIN, "person.spoken")
    elif cap and before == "hos" and not (entry.plain or entry.place or entry.organisation):
        d.mark(i, 0.85, "person.spoken")
    if cap and entry.given > 1 and d.cue[i + 1] & POSSESSIVE and not d.cue[i] & MONTH:
        d.mark(i, CERTAIN, "person.possessive")
    if (cap and d.lower[i - 2] in _CALLS and before in _HIM) or (
        d.lower[i - 3] in _CALLS and d.lower[i - 2] in _HIM and before in ("bare", "berre", "for")
    ):
        d.mark(i, CERTAIN if cap and not entry.plain else 0.85, "person.called")
    if (
        cap
        and entry.surname > 1
        and before in _TO
        and d.cue[i - 2] & OWNED
        and not (entry.organisation or d.first[i - 1])
    ):
        d.mark(i, CERTAIN, "person.spoken")
    if entry.place or entry.organisation or (entry.plain and entry.given < 2) or len(d.lower[i]) < 3:
        return
    if cap and not entry.plain and before == "av" and not _DONE.isdisjoint(d.lower[max(0, i - 5) : i - 1]):
        d.mark(i, 0.85, "person.spoken")
    if cap and not entry.plain and d.lower[i].endswith("s") and d.cue[i + 1] & OWNED and not d.capital[i + 1]:
        d.mark(i, 0.85, "person.possessive")
    if cap and not entry.plain and _at_work(d, i) and not d.cue[i - 1] & AT_PLACE:
        d.mark(i, 0.85, "person.spoken")
    if not cap and (entry.surname < 2 and entry.given < 2):
        return
    sure = CERTAIN if cap and not entry.plain else 0.85
    if (
        (before in _TO and d.cue[i - 2] & OWNED and not d.first[i - 1])
        or (d.cue[i - 1] & IS and d.lower[i - 2] in _THERE and (after in _WHO or _at_work(d, i)))
        or _called_after(d, i)
    ):
        d.mark(i, sure, "person.spoken")
    elif before in _TALK and d.cue[i - 2] & SPEAK and not d.cue[i - 2] & OWNED:
        talk = (
            before not in ("til", "te", "fra", "frå", "på", "mot", "for")
            or entry.surname > 1
            or entry.given > 1
        )
        if talk:
            d.mark(i, 0.85, "person.spoken")
    elif d.cue[i - 1] & SPEAK and before not in ("sak", "mail", "sms", "telefon", "svar", "klage", "avtale"):
        d.mark(i, 0.85, "person.spoken")
    elif cap and before.endswith(("'n", "’n")) and len(before) > 3:
        d.mark(i, CERTAIN, "person.article")
    elif cap and after in (",", "(") and _apposition(d, i + 2) and not d.cue[i - 1] & (AT_PLACE | TO_PLACE):
        d.mark(i, 0.85, "person.spoken")


def _called_after(d: Draft, i: int) -> bool:
    """'Ås tror jeg han heter', 'Ås het han', 'Ås heter visst hun'."""
    lower = d.lower
    k = i + 1
    if lower[k] in _BELIEVE:
        k += 2
    if k + 1 >= len(lower) - 3:
        return False
    if (
        d.cue[k] & CALLED
        and d.cue[k] & ~VERB
        and (d.cue[k + 1] & ARTICLE or lower[k + 1] in ("jeg", "eg", "æ"))
    ):
        return True
    return bool(d.cue[k] & ARTICLE and d.cue[k + 1] & CALLED and lower[i + 1] in _BELIEVE)


def _at_work(d: Draft, i: int) -> bool:
    """'... i driftsavdelinga', '... på teknisk'."""
    if d.lower[i + 1] not in ("i", "på", "hos", "fra", "frå", "ved", "from", "in", "at"):
        return False
    return d.lower[i + 2].endswith(_OFFICE_ENDS) or d.lower[i + 2] in _AT_WORK


def _apposition(d: Draft, k: int) -> bool:
    """'..., naboen,', '..., han som': who somebody is, after a name."""
    if d.cue[k] & ARTICLE and d.lower[k + 1] in ("som", "med", "i", "på"):
        return True
    return bool(d.cue[k] & TITLE and d.lower[k + 1] in (",", ".", ")", "min", "vår", "mi", "hennes", "hans"))
