"""What is said about people: health, belief, crime, family, contempt.

A word alone decides nothing: 'rullestolbrukere kommer ikke fram' is about a road. The clause around the word is looked at:
whom it is about, where its predicate begins, where it ends.
"""

from __future__ import annotations

from .abuse import abuse
from .clauses import (
    OBJECT,
    OWNER,
    Clause,
    clause_around,
    context,
    roles_of,
    sentences,
    together,
    triggers_of,
    verbal,
    words_of,
)
from .identifiers import Hit
from .people import Tokens
from .threats import threats
from .topics import Topic

_NOT_YET = words_of(
    "nesten holdt heldt hadde_nær almost nearly kunne kunna redd redde frykter fryktar hvis dersom before afraid risikerer could might"
)
_THE_CHILDREN = words_of("ungene barna ungane borna ungan ongan onga bornan kidsa")
_CRIME_ACT = words_of(
    "stjålet stole stolet stjeler stjel stjæl stjæle stjålne stjal stjelt stjålle steals stealing stolen stole naska nasker"
)
_PARTY_NEAR = words_of(
    "sitt kommunestyret kommunestyre formannskapet listetoppen gruppeleder fylkestinget politiker politikar ungdomslaget stemmer røyster røystar stemt stemte voted votes vote medlem medlemmet member aktiv aktive active leder leiar leder leder listekandidat kandidat kandidat styret styre styremedlem listetopp representerer partiet lokallag lokallaget supporter tilhenger tilhengar sympatisør sitter sit satt meldt valgt vald verva folkevald"
)
_FROM_NEAR = words_of(
    "er e kommer kjem kjæm kom opprinnelig opphavleg opprinneleg from is comes are was fra frå født fødd utlending innvandret innvandra flykta flyktet"
)
_VIOLENCE = words_of(
    "slår slo banker bankar banke juler mishandler beats hits denger dengte abuses mishandla slå banka"
)


def matters(found: Tokens, named: list[Hit]) -> list[Hit]:
    """Clauses that say something private or abusive, in the order of the text."""
    count = len(found.words)
    marks = found.marks
    marked = [i for i in range(count) if marks[i] is not None]
    if not marked:
        return threats(found.text, found.threatening)
    name_at = [False] * count
    spans = sorted((hit[0], hit[1]) for hit in named)
    if spans:
        k = 0
        for i in range(count):
            while k < len(spans) and spans[k][1] <= found.starts[i]:
                k += 1
            if k < len(spans) and spans[k][0] <= found.starts[i]:
                name_at[i] = True
    hits: list[Hit] = []
    for sentence in sentences(found):
        begin, end = sentence
        while marked and marked[0] < begin:
            marked.pop(0)
        if not marked or marked[0] >= end:
            continue
        triggers = triggers_of(found, name_at, [i for i in marked if i < end], end)
        if not triggers:
            continue
        roles = roles_of(found, name_at, begin, end)
        before = context(found, name_at, begin)
        spans_here: list[tuple[int, int, str, float, str]] = []
        for first, last, flag in triggers:
            if flag.startswith("abuse"):
                continue
            spot = _judge(found, roles, begin, end, first, last, flag, before, marks)
            if spot is not None:
                spans_here.append(spot)
        for a, b, kind, confidence, rule in together(found, roles, spans_here):
            hits.append((found.starts[a], found.end(b), kind, confidence, rule))
        hits += abuse(found, roles, marks, begin, end, triggers)
    hits += threats(found.text, found.threatening)
    return hits


def _judge(
    found: Tokens,
    roles: dict[int, str],
    begin: int,
    end: int,
    first: int,
    last: int,
    flag: str,
    before: bool,
    marks: list[Topic | None],
) -> tuple[int, int, str, float, str] | None:
    topic_name, level = flag.split(".")
    if level in ("body", "more", "child"):
        return None
    lower = found.lower
    reach_low, reach_high = first, last
    if level == "harm":
        # An injury needs a part of the body in the same stretch.
        body = None
        for j in range(max(begin, first - 6), min(end, last + 8)):
            mark = marks[j]
            if j != first and mark is not None and "health.body" in mark.flags:
                low, high = min(first, j), max(first, j)
                if not any(roles.get(x) in ("B", "C") for x in range(low, high)):
                    body = j
                    break
        if body is None:
            return None
        reach_low, reach_high = min(first, body), max(last, body)
    if level == "loss":
        after = ((j, marks[j]) for j in range(last + 1, min(end, last + 6)))
        child = next((j for j, mark in after if mark is not None and "family.child" in mark.flags), -1)
        parted = lower[first].startswith(("mist", "mest", "frat", "frå", "lost")) or any(
            word in ("fra", "frå", "from", "away", "barnevernet") for word in lower[first + 1 : child + 3]
        )
        if (
            child < 0
            or not parted
            or any(
                word
                in ("syne", "sight", "tålmodigheten", "barnehagen", "skolen", "skulen", "school", "bussen")
                for word in lower[first : min(end, child + 4)]
            )
        ):
            return None
        reach_high = child
        if lower[first] in ("tok", "took", "fikk", "fekk") and not any(
            word in ("fra", "frå", "from") for word in lower[first : child + 2]
        ):
            return None
    clause = clause_around(
        found, roles, begin, end, reach_low, reach_high, marks, health=topic_name == "health"
    )
    tie = clause.tie
    if (
        tie < 0
        and topic_name == "family"
        and level == "sure"
        and clause.subject >= 0
        and lower[clause.subject] in _THE_CHILDREN
    ):
        tie = 1
    if (
        tie < 0
        and level == "sure"
        and topic_name == "special"
        and first == last
        and first > begin
        and lower[first - 1] in ("en", "ei", "ein", "et", "eit", "a", "an", "denne")
    ):
        # 'Det bor en muslim i blokka': the word itself says it.
        return first, last, "SPECIAL", 0.7, "special.word"
    if tie < 0:
        # 'Det er vondt for meg': a thing as the subject, a person as the object.
        return None
    if level == "harm":
        owner = any(
            lower[j] in OWNER
            or lower[j] in OBJECT
            or lower[j] in ("seg", "sæ", "myself", "himself", "herself")
            for j in range(max(begin, reach_low - 2), min(end, reach_high + 3))
        )
        opened = begin < len(lower) and (roles.get(begin) == "V" or verbal(found, begin))
        if tie < 2 and not (tie >= 1 and (owner or opened)):
            return None
        if any(lower[j] in _NOT_YET for j in range(max(begin, clause.left - 2), first)):
            return None
        return clause.start, clause.end, "HEALTH", 0.8, "health.injury"
    if level == "party":
        if tie < 1 or not any(
            lower[j] in _PARTY_NEAR for j in range(max(begin, first - 7), min(end, last + 5))
        ):
            return None
        if lower[first] in ("høyre", "venstre", "høgre") and not found.capital[first]:
            return None
        return clause.start, clause.end, "SPECIAL", 0.8, "special.politics"
    if level == "people":
        if tie < 2 or not any(lower[j] in _FROM_NEAR for j in range(max(clause.left, first - 4), first)):
            return None
        return clause.start, clause.end, "SPECIAL", 0.75, "special.origin"
    kind = {"health": "HEALTH", "special": "SPECIAL", "family": "FAMILY"}[topic_name]
    if level == "person":
        if tie < 2:
            return None
        if any(
            lower[j] in _NOT_YET and lower[j] not in ("nesten", "almost", "nearly", "hadde_nær")
            for j in range(max(begin, clause.left - 2), first)
        ):
            return None
        if not _plausible(found, roles, begin, end, first, last, clause, topic_name, marks):
            return None
    elif tie < 1 and not (before and kind != "HEALTH"):
        return None
    if lower[first].startswith(("hjemmehjelp", "heimehjelp", "hjemmesy", "heimesju", "hjemmesju")) and any(
        word in ("er", "jobber", "som", "jobbar", "e", "i") for word in lower[max(begin, first - 2) : first]
    ):
        # Somebody's work, not somebody's health.
        return None
    if level == "more":
        return None
    if level == "loss" and tie < 1:
        return None
    start = clause.start
    if (
        kind == "FAMILY"
        and clause.subject >= 0
        and roles.get(clause.subject) == "K"
        and (lower[first] in _VIOLENCE or any(lower[j] in _VIOLENCE for j in range(clause.subject, last + 1)))
    ):
        start = clause.subject
        while start > begin and lower[start - 1] in OWNER:
            start -= 1
    return (
        start,
        clause.end,
        kind,
        0.85 if level == "sure" else 0.7,
        f"{topic_name}.{'word' if level == 'sure' else 'clause'}",
    )


_LINK = words_of(
    "er e var va har hi ha hadde fikk fekk får fær ble blei vart blir bli bruker brukar bruke går gå sitter sit med på i lider sliter slit am is was has have had got uses use using been being like så veldig svært alvorlig ble_ under i'm he's she's tar tek trenger"
)


def _plausible(
    found: Tokens,
    roles: dict[int, str],
    begin: int,
    end: int,
    first: int,
    last: int,
    clause: Clause,
    topic_name: str,
    marks: list[Topic | None],
) -> bool:
    """Whether a weak word is really said of the subject: 'jeg er syk', not 'jeg så en rullestol'."""
    lower = found.lower
    form = lower[first]
    stretch = lower[max(begin, clause.start) : first]
    if topic_name == "health":
        if form in (
            "skada",
            "skadet",
            "skadd",
            "skadde",
            "skade",
            "skader",
            "skaden",
            "brudd",
            "bruddet",
            "brot",
            "hurt",
            "injured",
            "injury",
            "knekt",
            "brekt",
            "brukket",
            "brakk",
            "knakk",
            "hoven",
            "slått",
            "sting",
            "angrep",
            "behandling",
            "behandlinga",
            "operasjon",
            "brotet",
            "brota",
        ):
            me = any(
                word
                in (
                    "meg",
                    "mæ",
                    "seg",
                    "sæ",
                    "myself",
                    "himself",
                    "herself",
                    "ble",
                    "blei",
                    "vart",
                    "got",
                    "was",
                    "fikk",
                    "fekk",
                    "fått",
                    "til",
                    "under",
                    "sydde",
                    "sy",
                    "etter",
                )
                for word in lower[max(begin, first - 4) : min(end, last + 3)]
            )
            if not me:
                return False
            return not any(
                word
                in (
                    "bilen",
                    "bil",
                    "dekket",
                    "dekk",
                    "felgen",
                    "felg",
                    "postkassa",
                    "gjerdet",
                    "sykkelen",
                    "støtfangeren",
                    "hekken",
                    "car",
                    "tyre",
                    "tire",
                    "rim",
                    "wheel",
                    "fender",
                    "bumper",
                    "garasjen",
                    "porten",
                    "taket",
                    "skiltet",
                    "plenen",
                    "muren",
                    "lakken",
                    "speilet",
                    "ruta",
                    "understellet",
                )
                for word in lower[clause.left : clause.end + 1]
            )
        if form in ("legen", "fastlegen", "fastlege", "dokteren", "doktoren", "dokter'n", "behandling"):
            return any(
                word in ("til", "hos", "te", "fra", "frå", "sier", "seier", "har")
                for word in lower[max(begin, first - 3) : first + 3]
            )
        if form in (
            "stokk",
            "rullestol",
            "rullestolen",
            "rullator",
            "rullatoren",
            "krykker",
            "wheelchair",
            "walker",
            "crutches",
            "rollator",
            "krykkene",
            "krykkjer",
            "krykkje",
            "gåstol",
            "medisin",
            "medisiner",
            "pills",
            "imovane",
            "paralgin",
            "sobril",
            "valium",
            "vival",
            "antibiotika",
        ):
            if any(
                word in ("så", "såg", "saw", "see", "funnet", "fant", "found", "mistet", "glemte")
                for word in stretch
            ):
                return False
            return any(
                word
                in (
                    "i",
                    "med",
                    "på",
                    "bruker",
                    "brukar",
                    "bruke",
                    "har",
                    "hi",
                    "sitter",
                    "sit",
                    "using",
                    "use",
                    "uses",
                    "in",
                    "on",
                    "with",
                    "a",
                    "tar",
                    "trenger",
                    "av",
                    "går",
                    "me",
                    "avhengig",
                    "uten",
                    "uta",
                    "utan",
                    "without",
                )
                for word in lower[max(begin, first - 3) : first]
            )
        return any(word in _LINK for word in lower[max(begin, first - 6) : first])
    if topic_name == "special":
        if form in ("politiet", "lensmannen", "retten", "tingretten", "court"):
            return (
                any(
                    word
                    in (
                        "tatt",
                        "teken",
                        "kjent",
                        "hentet",
                        "henta",
                        "arrestert",
                        "dømt",
                        "dømd",
                        "pågrepet",
                        "avhørt",
                        "taken",
                        "etterlyst",
                        "ettersøkt",
                        "jaktet",
                        "jakta",
                        "møtt",
                        "i",
                    )
                    for word in lower[max(begin, first - 4) : first]
                )
                and form != "politiet"
            ) or any(
                word
                in (
                    "tatt",
                    "teken",
                    "tekken",
                    "hentet",
                    "henta",
                    "arrestert",
                    "etterlyst",
                    "ettersøkt",
                    "avhørt",
                )
                for word in lower[max(begin, first - 4) : first]
            )
        if form in ("anmeldt", "politianmeldt"):
            return (
                any(
                    word in ("ble", "blei", "er", "vart", "blitt", "vært", "e")
                    for word in lower[max(begin, first - 2) : first]
                )
                and roles.get(clause.subject, "") != "P"
            ) or lower[clause.subject] in ("han", "hun", "hainn", "hu", "ho")
        if form in _CRIME_ACT:
            # 'Naboen har stjålet' is an accusation; 'de har stjålet skiltet' is the report itself.
            return (
                roles.get(clause.subject, "") in ("P", "K", "N")
                and lower[clause.subject] not in ("vi", "jeg", "eg", "æ", "we", "i")
                and not any(word in ("ble", "blei", "vart", "blitt", "was") for word in stretch)
            )
        if form in ("stemmer", "stemmer på", "røyster", "røystar", "stemt"):
            return any(
                "special.party" in mark.flags
                for mark in marks[first : min(end, last + 4)]
                if mark is not None
            )
        if form in (
            "høyre",
            "venstre",
            "høgre",
            "ap",
            "sv",
            "sp",
            "lo",
            "partiet",
            "frp",
            "krf",
            "mdg",
            "inp",
            "rødt",
            "raudt",
            "auf",
            "fpu",
            "senterpartiet",
            "arbeiderpartiet",
            "arbeidarpartiet",
            "fremskrittspartiet",
        ):
            if form in ("lo", "sv", "ap", "sp", "høyre", "venstre", "rødt") and not found.capital[first]:
                return False
            return any(
                word in _PARTY_NEAR or word in ("i", "for") for word in lower[max(begin, first - 4) : first]
            ) and form not in ("høyre", "venstre")
        if form in (
            "innbrudd",
            "tyveri",
            "vold",
            "vald",
            "drap",
            "overgrep",
            "hærverk",
            "skadeverk",
            "innbrot",
            "tjuveri",
            "theft",
            "robbery",
            "svindel",
            "fraud",
            "narkotika",
            "dop",
            "stoff",
            "piller",
            "drugs",
            "weed",
            "narko",
            "våpen",
            "sprit",
            "ulovlig",
            "ulovleg",
            "illegal",
            "illegally",
            "vandalism",
        ):
            return (
                lower[clause.subject] not in ("vi", "jeg", "eg", "æ", "we", "i")
                if clause.subject >= 0
                else True
            )
        if form in ("same", "sama", "trans", "kven", "homo"):
            return (
                any(
                    word in ("er", "e", "am", "is", "are", "som")
                    for word in lower[max(begin, first - 2) : first]
                )
                and form != "same"
            ) or (
                form == "same"
                and lower[first - 1] in ("er", "e")
                and roles.get(first - 2, "") in ("P", "K", "N")
            )
        if form in (
            "moskeen",
            "moské",
            "moske",
            "mosque",
            "church",
            "synagogen",
            "menigheten",
            "menighet",
            "menigheta",
            "bedehuset",
            "sekta",
            "sekt",
        ):
            return any(
                word in ("i", "av", "med", "til", "to", "medlem", "går", "gå", "of", "goes")
                for word in lower[max(begin, first - 3) : first]
            )
        if form in ("soner", "sonar", "sikta", "heler", "sona", "sonet"):
            return roles.get(first - 1, "") in ("P", "K", "N", "V") or lower[first - 1] in ("nå", "no", "og")
        return any(
            word in _LINK
            or word
            in (
                "selger",
                "sel",
                "kjøper",
                "dømt",
                "for",
                "seg",
                "av",
                "dyrker",
                "røyker",
                "medlem",
                "tillitsvalgt",
                "aktiv",
                "leder",
            )
            for word in lower[max(begin, first - 6) : first]
        )
    if form in ("slår", "banker", "bankar", "banke", "juler", "dengte", "denger", "beats", "hits"):
        return any(
            roles.get(j, "") in ("K", "O", "M", "P", "N")
            or lower[j] in ("ungene", "barna", "ungane", "ungan", "kona", "unga", "her", "kids", "children")
            for j in range(last + 1, min(end, last + 5))
        ) and roles.get(clause.subject, "") in ("K", "N", "P")
    if form == "nav":
        return any(
            word in ("fra", "frå", "på", "av", "hos", "til", "i", "from", "by", "on")
            for word in lower[max(begin, first - 2) : first]
        ) and any(
            word
            in (
                "penger",
                "pengar",
                "støtte",
                "stønad",
                "hjelp",
                "saken",
                "sak",
                "klient",
                "lever",
                "lev",
                "møte",
                "går",
                "gå",
                "får",
                "søkt",
                "søkte",
                "vedtak",
                "tiltak",
                "oppfølging",
                "oppfølging",
                "money",
                "support",
            )
            for word in lower[max(begin, clause.left) : clause.end + 1]
        )
    if form in (
        "redd",
        "vold",
        "vald",
        "eksen",
        "eks",
        "eksmannen",
        "ekskona",
        "eks-mannen",
        "ekssamboeren",
        "ekskjæresten",
        "ex",
    ):
        return any(
            word
            in (
                "redd",
                "truer",
                "trua",
                "slo",
                "slår",
                "vold",
                "vald",
                "voldelig",
                "valdeleg",
                "banka",
                "banket",
                "trakasserer",
                "forfølger",
                "violent",
                "afraid",
                "flykta",
                "flyktet",
                "rømt",
                "gjemmer",
                "slått",
                "utsatt",
                "følger",
                "saksøk",
                "juling",
                "stalker",
            )
            for word in lower[clause.left : clause.end + 1]
        ) and any(
            word
            in (
                "eksen",
                "eks",
                "eksmannen",
                "ekskona",
                "mannen",
                "far",
                "faren",
                "kona",
                "samboeren",
                "stefar",
                "hjemme",
                "heime",
                "ex",
                "husband",
                "ekssamboeren",
                "ekskjæresten",
                "eks-mannen",
            )
            for word in lower[clause.left : clause.end + 1]
        )
    if form == "truer":
        return False
    return any(
        word in _LINK or word in ("av", "om", "ikke", "fra", "frå")
        for word in lower[max(begin, first - 6) : first]
    )
