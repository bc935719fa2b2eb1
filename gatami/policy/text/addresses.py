"""Home addresses: a street and a number that the text ties to a person. The place of a fault stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from .identifiers import Hit
from .normal import HOLE

_ENDING = (
    "vegen|veien|veg|vei|vegn|veien|vei'n|veg'n|gata|gaten|gate|gt|stien|sti|stigen|bakken|bakkan|bakkane|bakkene|bakke|lia|lien|svingen|tunet|tun|plassen|plass|allé|alleen|alléen|alle|grenda|grend|haugen|haugan|hauga|haug|åsen|åsan|ås|marka|jordet|kroken|"
    "ringen|løkka|vollen|volla|vollan|myra|myran|myrane|sletta|slettan|slettå|hagen|hagan|brinken|kleiva|stranda|strand|toppen|moen|moan|løypa|tråkket|vika|viken|vik|neset|nesset|nes|dalen|lunden|lund|skogen|feltet|enga|engen|enget|kaia|brygga|torget|torg|terrasse|terrassen|berget|berga|"
    "holtet|rabben|lykkja|flata|aunet|heimen|stubben|skaret|ekra|ekran|teigen|reina|rønningen|fjellet|åkeren|vangen|vang|parken|bua|lykkja|bygda|bekken|elva|høgda|høyda|hammeren|hamran|lida|street|road|lane|avenue|square|drive"
)
_UNITS = r"km|meter|m|kr|stk|år|ganger|gonger|dager|dagar|uker|veker|min|timer|timar|cm|mm|prosent|%|mars|april|mai|juni|juli|august|september|oktober|november|desember|januar|februar|stykk|tonn|kg|liter|grader|barn|biler|hus|nye|dekar|mål"
_NUMBERED = re.compile(
    rf"(?<![\w])([^\W\d_][\w.'’-]{{1,34}}) ?(?:nr\.? ?|nummer )?(?<!\d)(\d{{1,4}}(?: ?[A-Za-z](?![\w]))?)(?![\w/]|[.,:]\d| ?(?:{_UNITS})\b)"
)
_STREET_END = re.compile(rf"(?:{_ENDING})\.?$", re.IGNORECASE)
_BEFORE = re.compile(r"(?:(?<![\w])[A-ZÆØÅ][\w.'’-]{0,25} ){1,3}$")


@lru_cache(maxsize=8192)
def _street(last: str) -> bool:
    return _STREET_END.search(last) is not None and len(last) > 3


_FLAT = re.compile(
    r",? ?(?:(?:leil(?:ighet|igheten|egheit)?|leilighetsnr|apartment|apt|flat|unit|bolignr|bruksenhet|oppgang|inngang)\.? ?(?:nr\.? ?)?[A-Z]?-?\d{0,5}\b|[HLUK] ?0\d{3}\b|\(?\d\. ?(?:etg|etasje|høgda|floor)\.?|\d(?:st|nd|rd|th) floor|(?:ground|top|first|second|third) floor|i \d\. ?(?:etg|etasje)\.?|(?:kjelleren|sokkelen|underetasjen|hybelen))",
    re.IGNORECASE,
)
_POST = re.compile(
    r",? {0,2}\n?(?:NO?-)?\d{4} {1,2}[A-ZÆØÅ][\wæøåÆØÅ]{1,20}(?: (?:[A-ZÆØÅ][\wæøå]{2,20}|i [A-ZÆØÅ]\w+))?|, {0,2}(?:NO?-)?\d{4} {1,2}[a-zæøå]{3,20}(?=[\s.,!?)]|$)|, (?:[A-ZÆØÅ][a-zæøå]{2,20})(?=[\s.,!?)]|$)"
)
_POSTCODE = re.compile(r"\d{4}")
_HOME = re.compile(
    r"\b(?:bor|bur|bodde|budde|bodd|budd|buende|buande|bosatt|busett|bosett|flytt\w*|adress\w*|adr|address\w*|hjem|hjemme|hjemmet|heim|heime|heimen|heima|home|live|lives|living|lived|reside\w*|huset (?:mitt|vårt|hans|hennes|hennar|til)|mitt hus|vårt hus|my (?:flat|house|place|home|door|driveway|garden)|our (?:house|home|place|hill|flat|driveway|door|garden|gate)|(?:my|our) \w+ (?:at|in|on)|"
    r"oss i|oss på|meg i|meg på|mæ i|mæ på|vi i|eg i|jeg i|æ i|leiligheten (?:min|hans|hennes|til)|leilighet\w* (?:min|vår)|leilegheit\w* mi|hos (?:meg|mæ|oss|han|ham|henne|ho|hu|naboen|mor|far|foreldrene)|eier av|eig|eigar av|eier|owner of|i eie|postadresse|besøk\w* (?:meg|oss)|innkjørs\w* (?:min|vår)|uppkjørs\w*|oppkjørs\w* (?:min|vår)|hagen (?:min|vår)|tomta (?:mi|vår)|eiendommen (?:min|vår)|send\w* (?:\w+ ){0,3}til|post til|hente hos|hentes hos)\b",
    re.IGNORECASE,
)
_AFTER_HOME = re.compile(
    r"(?:,? (?:der|hvor|kor|kvar|where|som)\b[^.!?\n]{0,40}|[^.!?\n]{0,14})\b(?:bor|bur|lives|live|der jeg bor|hvor jeg bor|der eg bur|der æ bor|where i live|hjemme|heime|er min adresse|er adressa|is my|i live)\b",
    re.IGNORECASE,
)
_KIN = re.compile(
    r"\b(?:vedkommende|vedkomande|beboeren?|eier|leietakeren?|kvinnen|kvinna|mannen|dem|de som bor|naboen?|nabofamilien|familien|mor mi|mora mi|mora|mor|far|faren|foreldrene|bestemor|besta|bestefar|sønnen|sonen|dattera|datteren|dottera|søster\w*|bror\w*|kona|mannen|mannj|han|hainn|hun|ho|hu|fru|herr|gubben|kjerringa|enka|svigermor|svigerfar|tante|onkel|neighbou?r|mother|father|he|she|sjåføren|eieren|eigaren|fyren|karen|dama)\s(?:\w+\s){0,2}(?:i|på|in|at|fra|frå|borti|oppi|nedi|te|from|ned i|oppe i|bort i)$",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"\b(?:utenfor|utanfor|utfor|utaførr|utafor|ved|foran|framfor|mellom|bak|nær|nærheten|nedenfor|ovenfor|ovafor|nedafor|mot|forbi|tvers|overfor|overfor|mitt imot|vis a vis|krysset|ved siden av|outside|near|opposite|between|by|next to|in front of|beside|past|across from|fra nr|langs|along|ve|mæll|framførr|midt i|rundt|hjørnet|hullet i|svingen ved|i bunnen av|øverst i|nederst i|innkjørsla til|inngangen til|lyset i|lyktestolpe\w*|lampa ved|stolpen ved)(?: (?:huset|hus|nr|nummer|eiendommen|adressen|the|house|number|oppkjørselen til|innkjørselen til|innkjørsla til|blokka|garasjen|postkassa))?$",
    re.IGNORECASE,
)
_STREETLESS = frozenset(
    [
        "uke",
        "uka",
        "veke",
        "veka",
        "kapittel",
        "rute",
        "linje",
        "etasje",
        "buss",
        "stolpe",
        "mast",
        "lampe",
        "sak",
        "nr",
        "punkt",
        "trinn",
        "kl",
        "kategori",
        "type",
        "del",
        "modell",
        "sone",
        "gruppe",
        "klasse",
        "avdeling",
        "versjon",
        "iphone",
        "windows",
        "rema",
        "side",
        "figur",
        "tabell",
        "bilde",
        "nummer",
        "skilt",
        "hull",
        "km",
        "kilometer",
        "stasjon",
        "spor",
        "kum",
        "bane",
        "hall",
        "hole",
        "post",
        "felt",
        "dekk",
        "sommer",
        "vinter",
        "pole",
        "week",
        "route",
        "line",
        "bus",
        "gate",
        "lyspunkt",
        "runde",
        "juni",
        "juli",
        "mai",
        "april",
        "mars",
        "august",
        "september",
        "oktober",
        "november",
        "desember",
        "januar",
        "februar",
        "ca",
        "fra",
        "til",
        "på",
        "og",
        "i",
        "om",
        "ved",
        "hele",
        "over",
        "under",
        "kun",
        "bare",
        "cirka",
        "minst",
        "omtrent",
        "de",
        "ei",
        "en",
        "et",
        "dei",
        "disse",
        "alle",
        "siste",
        "kapasitet",
        "fartsgrense",
        "fartsgrensa",
        "fart",
        "grense",
        "pris",
        "år",
        "aar",
        "highway",
        "fylkesvei",
        "fylkesveg",
        "riksvei",
        "riksveg",
        "europavei",
        "europaveg",
    ]
)


_GENERIC_STREET = frozenset(
    ["veg", "vei", "gate", "gt", "plass", "allé", "alle", "tun", "street", "road", "lane"]
)


def addresses(
    text: str, people: Iterable[Hit], contacts: Iterable[Hit], allowed: frozenset[str]
) -> Iterator[Hit]:
    """Homes in a text in which people, phone numbers and mail addresses were already found."""
    person_ends = [hit[1] for hit in people]
    person_starts = [hit[0] for hit in people]
    contact_ends = [hit[1] for hit in contacts]
    contact_starts = [hit[0] for hit in contacts]
    taken: list[tuple[int, int]] = []
    for match in _NUMBERED.finditer(text):
        last = match[1]
        start = match.start()
        leading = _BEFORE.search(text, max(0, start - 80), start)
        capital = last[0].isupper()
        # 0 a street by its ending or 'Olav Duuns veg', 1 the same in lower case, 2 any other name before a number.
        if _street(last) or (leading and last.rstrip(".").lower() in _GENERIC_STREET):
            order = 0 if capital or leading else 1
        elif capital and len(last) > 3 and last.isalpha():
            order = 2
        else:
            continue
        if leading and (order == 0 or leading[0].count(" ") == 1):
            start = leading.start()
        if any(a < match.end() and start < b for a, b in taken):
            continue
        street = text[start : match.end(1)]
        # Capitalised words before the street that belong to a person's name are no part of the address.
        for end in person_ends:
            if start < end < match.end(1):
                start = end
        while start < match.end() and text[start] in " ,.\n":
            start += 1
        if not text[start : match.end(1)].strip() or (
            last.lower().rstrip(".") in _STREETLESS and not (capital and leading)
        ):
            continue
        end = match.end()
        for _ in range(2):
            flat = _FLAT.match(text, end)
            if flat is None:
                break
            end = flat.end()
        post = _POST.match(text, end)
        coded = False
        if post is not None and (_POSTCODE.search(post[0]) or order < 2):
            coded = _POSTCODE.search(post[0]) is not None
            end = post.end()
        begin = max(text.rfind(mark, 0, start) for mark in ".!?\n") + 1
        if (
            begin
            and text[begin - 1] == "."
            and begin > 3
            and re.search(
                r"\b(?:nr|kl|ca|leil|gt|adr|tlf|f|dr|st)\.$", text[max(0, begin - 6) : begin], re.IGNORECASE
            )
        ):
            begin = max(text.rfind(mark, 0, begin - 1) for mark in ".!?\n") + 1
        before = text[max(begin, start - 90) : start]
        near = before.rstrip(" ,:(-–\n").lower()[-44:]
        fault = _FAULT.search(near) is not None
        home = _HOME.search(before) is not None
        named_near = any(
            0 <= start - e <= 45 and "." not in text[e:start].strip(" ,") and "\n\n" not in text[e:start]
            for e in person_ends
        )
        adjacent = any(
            0 <= start - e <= 4 and not text[e:start].strip(" ,.:;-–|/(\n")
            for e in [*person_ends, *contact_ends]
        ) or any(
            0 <= s - end <= 3 and not text[end:s].strip(" ,.:;-–|/)\n(")
            for s in [*contact_starts, *person_starts]
        )
        adjacent = adjacent or text[start - 2 : start - 1] == HOLE or text[start - 1 : start] == HOLE
        tied = _KIN.search(before.rstrip()[-44:]) is not None or (
            named_near
            and re.search(
                r"(?:\bi|\bpå|\bin|\bat|\bfra|\bfrå|,|\(|:|\bof|\bbor|\bbur|te|borti|oppi|nedi)$",
                near + ("," if before.rstrip().endswith(",") else ""),
            )
            is not None
        )
        if text[start:end].casefold() in allowed or street.casefold() in allowed:
            continue
        if order == 2 and not (coded or home or adjacent or tied):
            continue
        if order == 2 and not (
            coded or re.search(r"(?:\bi|\bpå|\bin|\bat|:|adresse\w*|bor|bur|,)$", near) or adjacent
        ):
            continue
        after = _AFTER_HOME.match(text, end) is not None
        if (
            fault
            and not re.search(r"\b(?:bor|bur|live|lives|adresse\w*|address)\b", before[-30:], re.IGNORECASE)
            and not after
        ):
            # 'Utenfor Parkvegen 8' is where the fault is, even with a postcode behind it.
            continue
        alone = (
            not text[begin:start].strip(" -–")
            and re.match(r"(?: (?:på|i|in) [A-ZÆØÅ]\w+)?\s{0,2}[.,]?\s", text[end : end + 40]) is not None
            and any(0 <= s - end <= 26 for s in [*contact_starts, *person_starts])
        )
        if alone or adjacent or coded or home or tied or after:
            taken.append((start, end))
            yield (
                start,
                end,
                "ADDRESS",
                0.9 if home or coded else 0.8,
                "address.home" if home or tied or after else "address.signature",
            )
