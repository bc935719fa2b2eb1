"""Home addresses: a street and a number that the text ties to a person. The place of a fault stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from .identifiers import Hit
from .name_cues import GENERIC_STREET, STREETLESS, TITLE, cues
from .normal import HOLE
from .topics import role

_ENDING = (
    "vegen|veien|veg|vei|vegn|veien|vei'n|veg'n|gata|gaten|gate|gt|stien|sti|stigen|bakken|bakkan|bakkane|bakkene|bakke|lia|lien|svingen|tunet|tun|plassen|plass|allé|alleen|alléen|alle|grenda|grend|haugen|haugan|hauga|haug|åsen|åsan|ås|marka|jordet|kroken|"
    "ringen|løkka|vollen|volla|vollan|myra|myran|myrane|sletta|slettan|slettå|hagen|hagan|brinken|kleiva|stranda|strand|toppen|moen|moan|løypa|tråkket|vika|viken|vik|neset|nesset|nes|dalen|lunden|lund|skogen|feltet|enga|engen|enget|kaia|brygga|torget|torg|terrasse|terrassen|berget|berga|"
    "holtet|rabben|lykkja|flata|aunet|heimen|stubben|skaret|ekra|ekran|teigen|reina|rønningen|fjellet|åkeren|vangen|vang|parken|bua|lykkja|bygda|bekken|elva|høgda|høyda|hammeren|hamran|lida|street|road|lane|avenue|square|drive"
)
_UNITS = r"km|meter|m|kr|stk|år|ganger|gonger|dager|dagar|uker|veker|min|timer|timar|cm|mm|prosent|%|mars|april|mai|juni|juli|august|september|oktober|november|desember|januar|februar|stykk|tonn|kg|liter|grader|barn|biler|hus|nye|dekar|mål"
_NUMBERED = re.compile(
    rf"(?<![\w])([^\W\d_][\w.'’-]{{1,34}}) ?(?:nr\.? ?|nummer )?(?<!\d)(\d{{1,4}}(?: ?[A-Za-z](?![\w]))?)(?![\w/]|[.,:]\d| ?(?:{_UNITS})\b)"
)
_DIGITS = re.compile(r"\d+")
# How far before a number a name that it belongs to begins, and how far behind it a longer match can still end.
_LONGEST_NAME, _LONGEST = 44, 64
_STREET_END = re.compile(rf"(?:{_ENDING})\.?$", re.IGNORECASE)
_BEFORE = re.compile(r"(?:(?<![\w])[A-ZÆØÅ][\w.'’-]{0,25} ){1,3}$")


@lru_cache(maxsize=8192)
def _street(last: str) -> bool:
    return _STREET_END.search(last) is not None and len(last) > 3


_FLAT = re.compile(
    r",? ?(?:(?:leil(?:ighet|igheten|egheit)?|leilighetsnr|apartment|apt|flat|room|rom|unit|bolignr|bruksenhet|oppgang|inngang|inng|entrance|bolig)\.? ?(?:nr\.? ?)?[A-Z]?-?\d{0,5}\b|[HLUK] ?0\d{3}\b|\(?\d\. ?(?:etg|etasje|høgda|floor)\.?|\d(?:st|nd|rd|th) floor|(?:ground|top|first|second|third) floor|i \d\. ?(?:etg|etasje)\.?|\d\. ?(?:inngang|oppgang)|(?:kjelleren|sokkelen|underetasjen|hybelen))",
    re.IGNORECASE,
)
_POST = re.compile(
    r", ?\d{4}(?=[,.!)]|\s*$|\n)|,? {0,2}\n?(?:NO?-)?\d{4} {1,2}[A-ZÆØÅ][\wæøåÆØÅ]{1,20}(?:\.[a-zæøå]{3,12})?(?: (?:[A-ZÆØÅ][\wæøå]{2,20}|i [A-ZÆØÅ]\w+))?|, {0,2}(?:NO?-)?\d{4} {1,2}[a-zæøå]{3,20}(?=[\s.,!?)]|$)|, (?:[A-ZÆØÅ][a-zæøå]{2,20})(?=[\s.,!?)]|$)"
)
_POSTCODE = re.compile(r"\d{4}")
_HOME = re.compile(
    r"\b(?:bor|bur|hold(?:er|t) til|held til|bodde|budde|bodd|budd|buende|buande|bosatt|busett|bosett|flytt\w*|adress\w*|adr|address\w*|hjem|hjemme|hjemmet|heim|heime|heimen|heima|home|live|lives|living|lived|reside\w*|huset (?:mitt|vårt|hans|hennes|hennar|til)|mitt hus|vårt hus|my (?:flat|house|place|home|door|driveway|garden)|our (?:house|home|place|hill|flat|driveway|door|garden|gate)|(?:my|our) \w+ (?:at|in|on)|"
    r"oss i|oss på|meg i|meg på|mæ i|mæ på|vi i|eg i|jeg i|æ i|leiligheten (?:min|hans|hennes|til)|leilighet\w* (?:min|vår)|leilegheit\w* mi|hos (?:meg|mæ|oss|han|ham|henne|ho|hu|naboen|mor|far|foreldrene)|eier\w* av|eig|eigar\w* av|nyinnfly\w*|innflytt\w*|ambulans\w*|legebil\w*|taxi\w*|drosj\w*|heimesjukeplei\w*|hjemmesykeplei\w*|home nurse|rekning\w*|regning\w*|faktura\w*|eier|owner of|i eie|postadresse|besøk\w* (?:meg|oss)|innkjørs\w* (?:min|vår)|uppkjørs\w*|oppkjørs\w* (?:min|vår)|hagen (?:min|vår)|tomta (?:mi|vår)|eiendommen (?:min|vår)|send\w* (?:\w+ ){0,3}til|post til|hente hos|hentes hos)\b",
    re.IGNORECASE,
)
_AFTER_HOME = re.compile(
    r"(?:,? (?:der|hvor|kor|kvar|where|som)\b[^.!?\n]{0,40}|[^.!?\n]{0,14})\b(?:bor|bur|bodd|budd|leier|leiger|lives|live|der jeg bor|hvor jeg bor|der eg bur|der æ bor|where i live|hjemme|heime|er min adresse|er adressa|is my|i live)\b"
    r"|[^.!?\n]{0,40}\b(?:(?:der|hvor|kor|kvar|where) (?:\w+ )?(?:bor|bur|live|lives|budd|bodd)|lives there|live there)\b"
    r"|[^.!?\n]{0,24}[.:,] der (?:bor|bur)\b",
    re.IGNORECASE,
)
# What belongs to a home and stands with its owner, or what is inside of one.
_PART = re.compile(
    r"\b(?:(?:trapp|kjeller|kjellar|vindu|vindauge|vegg|tomt|port|garasje|rom|innkjør|innkøyr|oppkjør|hage|dør|bod|tak|dunk|postkass|hus|leilighet|leilegheit|gang|bad|stue|stove|loft|plen|hekk|gjerde|blokk|oppgang|veranda|terrasse|balkong|bolig|eiendom|eigedom)\w*"
    r" (?:mi|min|mitt|mine|vår|vårt|våre|hans|hannes|hennes|hennar|deres|deira|demmes)"
    r"|(?:mi|min|mitt|mine|vår|vårt|våre|my|our|his|her|their)(?: \w+){0,2}? (?:trapp|kjeller|vindu|vegg|tomt|port|garasje|dør|hage|basement|cellar|window|wall|steps|stairs|porch|garage|gate|room|roof|bins?|letterbox|mailbox|kitchen|bathroom|doorstep|entrance)\w*"
    r"|\w*(?:vinduet|veggen|døra|rommet|trappa|porten|garasjen|huset) (?:mi|min|mitt|vår|vårt|hans|hennes|hennar|deira)"
    r"|(?:kjeller|kjellar|soverom|kjøkken|baderom|vaskerom)\w*|(?:dunk|søppeldunk|matavfallsdunk|avfallsdunk)\w*(?: \w+){0,3} (?:i|til|på))\b",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(
    r"\b(?:oppgang|kjeller|kjellar|leilighet|leilegheit|soverom|hjem|heim|flat|basement)\w*", re.IGNORECASE
)
# A text about one's own home: a street and a number by themselves then are where that is.
_OWN_HOME = re.compile(
    r"\b(?:hos (?:meg|mæ|oss|åss)|bor|bur|mi dør|døra mi|huset mitt|mor mi|mora mi|min mor|mannen min|kona mi|jeg er \d\d|eg er \d\d|æ e \d\d|i live|my (?:house|home|door|flat|mother|husband|wife))\b",
    re.IGNORECASE,
)
_KIN = re.compile(
    r"\b(?:vedkommende|vedkomande|beboeren?|eier|leietakeren?|kvinnen|kvinna|mannen|dem|de som bor|naboen?|nabofamilien|familien|mor mi|mora mi|mora|mor|far|faren|foreldrene|bestemor|besta|bestefar|sønnen|sonen|dattera|datteren|dottera|søster\w*|bror\w*|kona|mannen|mannj|han|hainn|hun|ho|hu|fru|herr|gubben|kjerringa|enka|svigermor|svigerfar|tante|onkel|neighbou?r|mother|father|he|she|sjåføren|eieren|eigaren|fyren|karen|dama|dame|mødre|fedre|klient\w*|pasient\w*|client|patient|old man|old woman|woman|man|lady|hag|guy|couple|paret|par|tenants?|dei|gamle|eldre|familie|people)\s(?:(?!er |var |is |was )[\w-]+\s){0,3}(?:i|på|in|at|of|on|fra|frå|borti|oppi|nedi|te|from|ned i|oppe i|bort i)$",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"\b(?:utenfor|utanfor|utfor|utaførr|utafor|ved|foran|framfor|mellom|bak|nær|nærheten|nedenfor|ovenfor|ovafor|nedafor|mot|forbi|tvers|overfor|overfor|mitt imot|vis a vis|krysset|ved siden av|outside|near|opposite|between|by|next to|in front of|beside|past|across from|fra nr|langs|along|ve|mæll|framførr|midt i|rundt|hjørnet|hullet i|svingen ved|i bunnen av|øverst i|nederst i|innkjørsla til|inngangen til|lyset i|lyktestolpe\w*|lampa ved|stolpen ved)(?: (?:huset|hus|nr|nummer|eiendommen|adressen|the|house|number|oppkjørselen til|innkjørselen til|innkjørsla til|blokka|garasjen|postkassa))?$",
    re.IGNORECASE,
)
_NEAR = re.compile(
    r"(?:\bi|\bpå|\bin|\bat|\bfra|\bfrå|\bfrom|,|\(|:|\bof|\bbor|\bbur|te|borti|oppi|nedi)$", re.IGNORECASE
)
_NEAR_UNKNOWN = re.compile(r"(?:\bi|\bpå|\bin|\bat|\btil|:|adresse\w*|bor|bur|,)$")
_SAID = re.compile(r"\b(?:bor|bur|live|lives|adresse\w*|address)\b", re.IGNORECASE)
_SHORTENED = re.compile(r"\b(?:nr|kl|ca|leil|gt|adr|tlf|f|dr|st)\.$", re.IGNORECASE)
_BORN = re.compile(r"\b(?:f|født|fødd)\.? ?\d{2,4}")
_THEN_PLACE = re.compile(r"(?: (?:på|i|in) [A-ZÆØÅ]\w+)?\s{0,2}[.,]?\s")
_THEN_END = re.compile(r"\s*(?:[.!\n]|$)")

_DIRECTED = re.compile(
    r"(?:Øvre|Nedre|Austre|Østre|Vestre|Nordre|Søndre|Søre|Store|Lille|Vesle|Gamle|Nye|Indre|Ytre|Midtre|Upper|Lower|Old) $"
)
# Somebody in the sentence: 'i Storgata 12' then is where they are at home, unless it is where they drove or fell.
_SOMEBODY = re.compile(
    r"\b(?:jeg|eg|æ|vi|han|hun|ho|hu|hainn|hannj|hånn|she|he|(?-i:I)|we|oss|meg|mæ|henne|hennar|ham|them|him|her|mor|mora|far|faren|mamma|pappa|bestemor|bestefar"
    r"|sønnen|sonen|dattera|datteren|kona|mannen|naboen|nabofruen|nabokona|enka|enken|ungene|barna|tante|onkel|svigermor|svigerfar|samboeren|eksen"
    r"|mother|father|son|daughter|wife|husband|neighbou?rs?|grandmother|grandma|grandfather|min|mi|mitt|mine|vår|vårt|my|our|hans|hennes|deres|deira|his)\b",
    re.IGNORECASE,
)
# What is out of order stands in the street, not at somebody's home: 'lykta i Storgata 12'.
_OUTSIDE = re.compile(
    r"\b(?:\w*bygget|hekken|treet|trærne|hull|hullet|hola|kum|kummen|kumlokket|lampa|lampen|lyset|lykta|gatelys\w*|stolpen|skiltet|fortauet|fortau|asfalten|grøfta|benken|lekeplassen|krysset"
    r"|sluket|sluk|rista|butikken|skolen|barnehagen|pothole|hole|lamp|lamppost|streetlight|sign|\w*hydrant\w*|manhole|tree|hedge|bench) (?:i|på|in|at|til|on)$",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"\b(?:i|på|in|at)$")

# 'Leieboeren i sokkelen, Granveien 4'.
_TENANT = re.compile(
    r"\b(?:leie|hybel|be|hus|inne)?(?:boer|boar|buar|taker|takar)(?:en)?\b[^.!?,]{0,25}, $", re.IGNORECASE
)
_WORDS = re.compile(r"[^\W\d_]+")
_PEOPLE_ENDS = (
    "bruker",
    "brukeren",
    "brukar",
    "brukaren",
    "eier",
    "eieren",
    "eigar",
    "eigaren",
    "boer",
    "boeren",
    "boar",
    "buar",
    "buaren",
    "leier",
    "leieren",
    "taker",
    "takeren",
    "mann",
    "mannen",
    "kvinne",
    "kvinna",
    "kvinnen",
    "kone",
    "kona",
    "par",
    "paret",
    "parets",
    "folk",
    "folka",
    "folket",
    "familie",
    "familien",
    "arbeider",
    "arbeideren",
    "lærer",
    "læreren",
    "lærar",
    "læraren",
    "mekaniker",
    "mekanikeren",
    "pensjonist",
    "pensjonisten",
    "student",
    "studenten",
    "granne",
    "grannen",
    "nabo",
    "naboen",
    "gutt",
    "gutten",
    "gutta",
    "guten",
    "jente",
    "jenta",
    "jentene",
    "gjengen",
    "enke",
    "enka",
    "enken",
    "fru",
    "dame",
    "dama",
    "damen",
    "svensken",
    "dansken",
    "polakken",
    "tyskeren",
    "mor",
    "mora",
    "moren",
    "far",
    "faren",
    "søsken",
    "søsknene",
    "beboerne",
    "bebuarane",
    "leietakerne",
    "ektepar",
    "lads",
    "guys",
    "people",
    "kids",
    "tenants",
    "tenant",
    "owner",
    "neighbour",
    "neighbours",
    "family",
    "gamlingen",
    "gamlingene",
    "gamle",
    "eldre",
    "unge",
    "ungdommene",
    "hytteeier",
)
_STREET_ENDS, _STREET_ENDS_SMALL, _ANY_NAME = 0, 1, 2


@dataclass(frozen=True, slots=True)
class _Place:
    """A name before a number that may be an address, and how sure its form is."""

    start: int
    street_end: int
    end: int
    order: int
    coded: bool  # With a postcode.


@dataclass(frozen=True, slots=True)
class _Around:
    """Where people and their numbers and mail addresses stand in the text."""

    person_starts: list[int]
    person_ends: list[int]
    starts: list[int]
    ends: list[int]
    own_home: bool  # Whether the text tells of the writer's own home.


def addresses(
    text: str, people: Iterable[Hit], contacts: Iterable[Hit], allowed: frozenset[str]
) -> Iterator[Hit]:
    """Homes in a text in which people, phone numbers and mail addresses were already found."""
    people, contacts = list(people), list(contacts)
    around = _Around(
        [hit[0] for hit in people],
        [hit[1] for hit in people],
        [hit[0] for hit in [*contacts, *people]],
        [hit[1] for hit in [*people, *contacts]],
        _OWN_HOME.search(text) is not None,
    )
    taken = 0
    for match in _numbered(text):
        place = _place(text, match, around.person_ends)
        if place is None or place.start < taken:
            continue
        if {
            text[place.start : place.end].casefold(),
            text[place.start : place.street_end].casefold(),
        } & allowed:
            continue
        rule = _tie(text, place, around)
        if rule:
            taken = place.end
            yield place.start, place.end, "ADDRESS", 0.9 if rule == "address.home" else 0.8, rule


def _numbered(text: str) -> Iterator[re.Match[str]]:
    """The same as `_NUMBERED.finditer`, looked for right before each number rather than from every letter of the text."""
    done = 0
    for digits in _DIGITS.finditer(text):
        at = digits.start()
        # Between a name and its number stands one word at most.
        between = text.rfind(" ", 0, max(0, at - 1))
        if done < at and any(map(str.isalpha, text[max(between + 1, at - _LONGEST_NAME) : at])):
            begin = max(done, at - _LONGEST_NAME, text.rfind(" ", 0, max(0, between)) + 1)
            while match := _NUMBERED.search(text, begin, at + _LONGEST):
                if match.start() >= at:
                    break
                yield match
                begin = done = match.end()
        done = max(done, at)


def _place(text: str, match: re.Match[str], person_ends: list[int]) -> _Place | None:
    """The address around a name and a number, if it has the form of one."""
    last, start = match[1], match.start()
    if last.endswith(".") and len(last) > 6:
        # 'i Storvegen. 61 stykker': the number begins a sentence.
        return None
    leading = _BEFORE.search(text, max(0, start - 80), start)
    capital = last[0].isupper()
    cue = cues(last.lower().rstrip("."))
    if _street(last) or (leading and cue & GENERIC_STREET):
        order = _STREET_ENDS if capital or leading else _STREET_ENDS_SMALL
    elif leading and capital and _DIRECTED.match(leading[0]):
        order = _STREET_ENDS
    elif capital and len(last) > 3 and last.isalpha():
        order = _ANY_NAME
    else:
        return None
    if cue & STREETLESS and not leading:
        return None
    if leading and (order == _STREET_ENDS or leading[0].count(" ") == 1):
        start = leading.start()
    # Capitalised words before the street that belong to a person's name are no part of the address.
    for end in person_ends:
        if start < end < match.end(1):
            start = end
    while start < match.end() and text[start] in " ,.\n":
        start += 1
    if not text[start : match.end(1)].strip():
        return None
    end = match.end()
    for _ in range(2):
        flat = _FLAT.match(text, end)
        if flat is None:
            break
        end = flat.end()
    post = _POST.match(text, end)
    coded = post is not None and _POSTCODE.search(post[0]) is not None
    if post is not None and (coded or order != _ANY_NAME):
        end = post.end()
    return _Place(start, match.end(1), end, order, coded)


def _tie(text: str, place: _Place, around: _Around) -> str:
    """The rule that ties the address to a person, or nothing."""
    start, end = place.start, place.end
    begin = _sentence(text, start)
    before = text[max(begin, start - 90) : start]
    near = before.rstrip(" ,:(-–\n").lower()[-44:]
    home = _HOME.search(before) is not None or _PART.search(before) is not None
    adjacent = _adjacent(text, place, around)
    somebody = _INSIDE.search(near) is not None and (
        _SOMEBODY.search(before) is not None
        or _named_near(text, start, around.person_ends)
        or _one_in(before)
    )
    tied = (
        somebody
        or _KIN.search(before.rstrip()[-44:]) is not None
        or (
            _named_near(text, start, around.person_ends)
            and _NEAR.search(near + ("," if before.rstrip().endswith(",") else "")) is not None
        )
    )
    tied = tied or (before.endswith(", ") and _TENANT.search(before) is not None)
    if place.order == _ANY_NAME:
        if not (place.coded or home or adjacent or tied):
            return ""
        if not (place.coded or adjacent or _NEAR_UNKNOWN.search(near)):
            return ""
    after = _AFTER_HOME.match(text, end) is not None
    if (_FAULT.search(near) or _OUTSIDE.search(near)) and not after and not _SAID.search(before[-30:]):
        # 'Utenfor Parkvegen 8' is where the fault is, even with a postcode behind it.
        return ""
    if home or tied or after:
        return "address.home"
    if adjacent or place.coded or _alone(text, begin, place, around):
        return "address.signature"
    return ""


def _one_in(before: str) -> bool:
    """'Utleieren i', 'et ektepar i', 'den gamle i': somebody by trade, kin or age, before the preposition."""
    words = _WORDS.findall(before.lower())[-4:-1]
    return any(
        cues(word) & TITLE
        or word.endswith(_PEOPLE_ENDS)
        or (word == words[-1] and "kin" in role(word).split())
        for word in words[-2:]
    )


def _sentence(text: str, start: int) -> int:
    """Where the sentence begins that an address stands in; 'nr.' and the like end none."""
    begin = max(text.rfind(mark, 0, start) for mark in ".!?\n") + 1
    if begin > 3 and text[begin - 1] == "." and _SHORTENED.search(text[max(0, begin - 6) : begin]):
        begin = max(text.rfind(mark, 0, begin - 1) for mark in ".!?\n") + 1
    return begin


def _adjacent(text: str, place: _Place, around: _Around) -> bool:
    """A name, a number, a mail address or a mask right before or right after the address."""
    start, end = place.start, place.end
    if HOLE in text[max(0, start - 2) : start]:
        return True
    return any(0 <= start - e <= 4 and not text[e:start].strip(" ,.:;-–|/(\n") for e in around.ends) or any(
        0 <= s - end <= 3 and not text[end:s].strip(" ,.:;-–|/)\n(") for s in around.starts
    )


def _named_near(text: str, start: int, person_ends: list[int]) -> bool:
    """A name shortly before, in the same sentence."""
    for end in person_ends:
        if 0 <= start - end <= 45:
            between = _BORN.sub("", text[end:start])
            if "." not in between.strip(" ,") and "\n\n" not in between:
                return True
    return False


def _alone(text: str, begin: int, place: _Place, around: _Around) -> bool:
    """An address that is a sentence by itself, with a person close by or in a text about a home."""
    if text[begin : place.start].strip(" -–"):
        return False
    if place.order == _STREET_ENDS and _THEN_END.match(text, place.end) and _ANYWHERE.search(text):
        return True
    if place.order == _STREET_ENDS and _THEN_END.match(text, place.end) and around.own_home:
        return True
    near = any(0 <= s - place.end <= 26 for s in around.starts)
    return near and _THEN_PLACE.match(text, place.end) is not None
