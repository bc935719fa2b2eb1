"""What staff should see before a public reply goes out: remarks, each with the rule of the guideline that it comes from.

The municipality's guideline for talking with the public asks for facts instead of guesses, bokmål or nynorsk instead of
dialect, a calm tone, a name under it, and that what may found a decision is archived. Only private matter stops a reply;
everything else is advice. Pure: the text, its writer and the municipality's rules are handed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import marisa_trie

from . import text as scrubber
from .moderation import Rules
from .text.lexicon import WORDS, lines, word

STOPPED = frozenset(scrubber.KINDS) - {"ABUSE"}
"""Kinds of private matter that no reply may hold; abuse in a reply is a matter of tone."""
REMARKS_MOST = 40
"""Of a text that is wrong from beginning to end, nobody reads more."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Why something is remarked on: the guideline's own heading, and what to do instead, per language."""

    heading: str
    advice: Mapping[str, str]
    stops: bool = False


RULES: dict[str, Rule] = {
    "personal": Rule(
        "Personvern",
        {
            "nb": "Dette er personopplysninger. Ta det bort; svaret kan leses av alle.",
            "nn": "Dette er personopplysningar. Ta det bort; svaret kan lesast av alle.",
            "en": "This is personal data. Take it out; everybody can read the reply.",
        },
        stops=True,
    ),
    "uncertain": Rule(
        "Hold deg til saken",
        {
            "nb": "Dette høres usikkert ut. Undersøk først, eller skriv at dere har fått meldingen og kommer tilbake.",
            "nn": "Dette høyrest usikkert ut. Undersøk først, eller skriv at de har fått meldinga og kjem tilbake.",
            "en": "This sounds uncertain. Find out first, or write that you have received the report and will come back.",
        },
    ),
    "dialect": Rule(
        "Språk",
        {
            "nb": "Dette er dialekt. Skriv bokmål eller nynorsk.",
            "nn": "Dette er dialekt. Skriv bokmål eller nynorsk.",
            "en": "This is dialect. Write bokmål or nynorsk.",
        },
    ),
    "mixed": Rule(
        "Språk",
        {
            "nb": "Dette ordet hører til den andre målformen. Hold svaret i én målform.",
            "nn": "Dette ordet høyrer til den andre målforma. Hald svaret i éi målform.",
            "en": "This word belongs to the other written form of Norwegian. Keep to one of the two.",
        },
    ),
    "spelling": Rule(
        "Språk",
        {
            "nb": "Ordlisten har ikke dette ordet. Les det en gang til.",
            "nn": "Ordlista har ikkje dette ordet. Les det ein gong til.",
            "en": "The dictionary does not have this word. Read it once more.",
        },
    ),
    "irony": Rule(
        "Tone",
        {
            "nb": "Dette kan leses som ironi, og det misforstås lett. Si det rett fram.",
            "nn": "Dette kan lesast som ironi, og det blir lett misforstått. Sei det rett fram.",
            "en": "This may read as irony, which is easily misunderstood. Say it plainly.",
        },
    ),
    "shouting": Rule(
        "Tone",
        {
            "nb": "Store bokstaver og mange utropstegn leses som roping.",
            "nn": "Store bokstavar og mange utropsteikn blir lese som roping.",
            "en": "Capital letters and many exclamation marks read as shouting.",
        },
    ),
    "abuse": Rule(
        "Negative tilbakemeldinger/kritikk",
        {
            "nb": "Dette kan støte noen. Svar på saken, eller gi den videre til lederen din.",
            "nn": "Dette kan støyte nokon. Svar på saka, eller gi ho vidare til leiaren din.",
            "en": "This may offend somebody. Answer the matter itself, or hand it on to your leader.",
        },
    ),
    "archive": Rule(
        "Arkivering",
        {
            "nb": "Det kan bli grunnlag for en avgjørelse. Merk saken for arkivet, og si det til den som meldte.",
            "nn": "Det kan bli grunnlag for ei avgjerd. Merk saka for arkivet, og sei det til den som melde.",
            "en": "A decision may come to rest on this. Mark the case for the archive, and tell the one who reported.",
        },
    ),
    "signature": Rule(
        "Vær åpen",
        {
            "nb": "Navnet ditt mangler under svaret. Det settes på av seg selv.",
            "nn": "Namnet ditt manglar under svaret. Det blir sett på av seg sjølv.",
            "en": "Your name is missing under the reply. It is added by itself.",
        },
    ),
}
"""Rule → what it says. The headings are those of the guideline, so that they can be found there."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One place in a reply, in characters from `start` to before `end`; equal where the whole reply is meant."""

    start: int
    end: int
    rule: str
    instead: str = ""
    """What could stand there, where that is known."""

    @property
    def stops(self) -> bool:
        return RULES[self.rule].stops


def check(text: str, language: str, name: str, rules: Rules | None = None) -> list[Remark]:
    """Remarks on a public reply in the order of the text; at most `REMARKS_MOST`, what stops it always among them.

    `name` is the writer's own, which may stand in the reply. An English reply is read for everything but spelling.
    """
    rules = rules or Rules()
    own = frozenset({name, *name.split()})
    stopped, others = [], []
    for found in scrubber.find(text, allowed=rules.open | own):
        if found.kind in STOPPED:
            stopped.append(Remark(found.start, found.end, "personal"))
        else:
            others.append(Remark(found.start, found.end, "abuse"))
    form = _form(text) if language != "en" else "en"
    for sort in ("uncertain", "irony", "archive"):
        others += [Remark(*match.span(), sort) for match in _phrases(f"{sort} {form}").finditer(text)]
    others += _shouted(text)
    others += [Remark(*match.span(), "irony") for match in _WINK.finditer(text)]
    if form != "en":
        others += _words(text, form)
    if text.strip() and not _is_signed(text, name):
        others.append(Remark(len(text), len(text), "signature"))
    taken: list[Remark] = []
    for remark in sorted(others, key=lambda remark: (remark.start, remark.end)):
        if not any(remark.start < one.end and one.start < remark.end for one in stopped + taken[-1:]):
            taken.append(remark)
    room = max(0, REMARKS_MOST - len(stopped))
    return sorted(stopped + taken[:room], key=lambda remark: (remark.start, remark.end))


GREETINGS = {"nb": "Hilsen", "nn": "Helsing", "en": "Kind regards"}


def signed(text: str, language: str, name: str, department: str = "") -> str:
    """The reply with its writer's name under it ("Vær åpen: Oppgi navnet ditt"); as it is where the name is there."""
    if _is_signed(text, name):
        return text
    who = f"{name}, {department}" if department else name
    return f"{text.rstrip()}\n\n{GREETINGS.get(language, GREETINGS['nb'])} {who}"


_TAIL = 120
"""Characters at the end of a reply where a signature stands."""


def _is_signed(text: str, name: str) -> bool:
    first = name.split(maxsplit=1)[0] if name.split() else ""
    return (
        bool(first)
        and re.search(rf"\b{re.escape(first)}\b", text.rstrip()[-_TAIL:], re.IGNORECASE) is not None
    )


_WINK = re.compile(r"(?<!\w)[;:]-?[)P](?!\w)|[😉😏🙄😂🤣😜🤦🤷]")
_MARKS = re.compile(r"[!?]{3,}|!!+")
_CAPITALS = re.compile(r"\b[A-ZÆØÅ]{4,}(?: [A-ZÆØÅ]{2,}){0,40}\b")


def _shouted(text: str) -> Iterator[Remark]:
    for match in _MARKS.finditer(text):
        yield Remark(*match.span(), "shouting")
    for match in _CAPITALS.finditer(text):
        # A word that is none in small letters is the short name of something.
        if any(word(one.lower()).plain for one in match[0].split() if len(one) > 3):
            yield Remark(*match.span(), "shouting")


@lru_cache(maxsize=16)
def _phrases(section: str) -> re.Pattern[str]:
    found, inside = [], False
    for line in lines("replies.txt"):
        if line.startswith("["):
            inside = line == f"[{section}]"
        elif line and inside:
            words = [re.escape(part).replace(r"\*", r"\w{0,20}") for part in line.split()]
            found.append(r"\s{1,3}".join(words))
    assert found, section
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(found, key=len, reverse=True))})(?!\w)", re.IGNORECASE)


# Written language ---------------------------------------------------------------------------------------------------

_WORD = re.compile(r"(?<![\w@./-])[^\W\d_]+(?:['’][^\W\d_]+)?(?![\w@/])")


@lru_cache(maxsize=2)
def _dictionary(form: str) -> marisa_trie.Trie:
    trie = marisa_trie.Trie()
    trie.mmap(str(WORDS / {"nb": "bokmaal.marisa", "nn": "nynorsk.marisa"}[form]))
    return trie


@lru_cache(maxsize=1)
def _dialect() -> dict[str, dict[str, str]]:
    """Form → what is written instead, in bokmål and in nynorsk."""
    found = {}
    for line in lines("dialect.txt"):
        if line:
            form, _, instead = line.partition(":")
            bokmaal, _, nynorsk = instead.partition("/")
            found[form] = {"nb": bokmaal.strip(), "nn": nynorsk.strip()}
    return found


def _form(text: str) -> str:
    """`nb` or `nn`, by the words that only one of the two has."""
    balance = 0
    for match in _WORD.finditer(text):
        lower = match[0].lower()
        balance += (lower in _dictionary("nb")) - (lower in _dictionary("nn"))
    return "nn" if balance < 0 else "nb"


def _words(text: str, form: str) -> Iterator[Remark]:
    other = "nn" if form == "nb" else "nb"
    begins = True
    for match in _WORD.finditer(text):
        written, lower = match[0], match[0].lower()
        named = written[0].isupper() and not begins
        begins = text[match.end() : match.end() + 1] in (".", "!", "?", ":", "\n")
        if lower in _dictionary(form):
            continue
        if instead := _dialect().get(lower):
            yield Remark(*match.span(), "dialect", instead[form])
        elif named or written.isupper() or len(lower) < 3:
            continue
        elif lower in _dictionary(other):
            yield Remark(*match.span(), "mixed")
        elif not written[0].isupper() and not _is_known(lower, form):
            yield Remark(*match.span(), "spelling")


@lru_cache(maxsize=20_000)
def _is_known(lower: str, form: str) -> bool:
    """Whether a word is in the lists, or is put together of two that are (with an s or a hyphen between them)."""
    known = word(lower)
    if known.plain or known.place or known.given or known.surname or known.organisation:
        return True
    dictionary = _dictionary(form)
    for cut in range(3, len(lower) - 2):
        if lower[cut:] in dictionary:
            head = lower[:cut]
            if head in dictionary or (head[-1] in "se" and len(head) > 3 and head[:-1] in dictionary):
                return True
    return False
