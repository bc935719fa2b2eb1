"""Names of people: rules over the word lists, and trained weights for what the rules leave open.

The rules look at capitals, lists, cues of title, kin and signature, and the articles that the dialect puts before a name.
The weights (a conditional random field) were trained on NorNE and on our own texts; they decide on surnames and rare names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import pycrfsuite

from .identifiers import Hit, speaks_of
from .lexicon import TOKEN, WORDS, Word, word
from .threats import enables, possible
from .topics import Topic, topic

_BLANK = Word(0, 0, False, False, False, "-")


@dataclass(slots=True)
class Tokens:
    """The words of a text with what the lists say about each."""

    text: str
    words: list[str]
    starts: list[int]
    lower: list[str]
    entries: list[Word]
    capital: list[bool]
    first: list[bool]  # Starts a sentence or a line.
    marks: list[Topic | None]
    threatening: set[tuple[int, int]]
    spoken: list[int]

    def end(self, i: int) -> int:
        return self.starts[i] + len(self.words[i])


_STOPS = frozenset(".!?:;…")
_OPENERS = frozenset("-–—\"«»'(“”•*>")


_NOTHING: frozenset[tuple[int, int]] = frozenset()

__all__ = ["Tokens", "enables", "features", "people", "possible", "tokens"]

Known = tuple[str, Word, bool, Topic | None, int, frozenset[tuple[int, int]], int]


@lru_cache(maxsize=60_000)
def _known(form: str) -> Known:
    """All that is to be known of a word by itself.

    Its lower case, its entry in the lists, a capital, its topic, 1 where it ends a sentence or 2 where it may stand before
    the first word of one, the threats it may belong to, and whether it speaks of numbers (1) or of social media (2).
    """
    lower = form.lower()
    if form[0].isalpha():
        return lower, word(lower), form[0].isupper(), topic(lower), 0, enables(lower), speaks_of(lower)
    return lower, _BLANK, False, None, 1 if form in _STOPS else 2 if form in _OPENERS else 3, _NOTHING, 0


def tokens(text: str) -> Tokens:
    matches = list(TOKEN.finditer(text))
    words = [match[0] for match in matches]
    starts = [match.start() for match in matches]
    known = [_known(form) for form in words]
    firsts = []
    first = True
    for entry in known:
        firsts.append(first)
        first = entry[4] == 1 or (entry[4] == 2 and first)
    if "\n" in text:
        for i in range(1, len(words)):
            if (
                not firsts[i]
                and starts[i] > starts[i - 1] + len(words[i - 1])
                and "\n" in text[starts[i - 1] + len(words[i - 1]) : starts[i]]
            ):
                firsts[i] = True
    return Tokens(
        text,
        words,
        starts,
        [entry[0] for entry in known],
        [entry[1] for entry in known],
        [entry[2] for entry in known],
        firsts,
        [entry[3] for entry in known],
        {group for entry in known if entry[5] for group in entry[5]},
        [entry[6] for entry in known if entry[6]],
    )


# --- the trained weights ----------------------------------------------------------------------------------------------


def _shape(form: str) -> str:
    if form.isalpha() or (len(form) > 2 and form[0].isalpha()):
        if form[0].isupper():
            return "X" if len(form) == 1 else "XX" if form.isupper() else "Xx"
        return "x"
    return "9" if form.isdigit() else form[0]


@lru_cache(maxsize=60_000)
def _parts(form: str) -> tuple[str, str, str, str, str]:
    """What a word gives to its own row and to its neighbours' rows."""
    lower, shape = form.lower(), _shape(form)
    code = shape + word(lower).code if shape[0] in "Xx" else shape
    return "w" + lower, "c" + code, "e" + lower[-3:] + shape, lower, code


def features(words: list[str]) -> list[list[str]]:
    """What the weights see of each token."""
    parts = [_parts(form) for form in words]
    count = len(parts)
    rows = []
    before, code_before, before_that = "^", "^", "^"
    for i, (own, own_code, ending, lower, code) in enumerate(parts):
        after, code_after = parts[i + 1][3:] if i + 1 < count else ("$", "$")
        pair = code_before + "|" + code
        rows.append(
            [
                own,
                own_code,
                ending,
                "b" + before,
                "a" + after,
                "p" + pair,
                "n" + code + "|" + code_after,
                "B" + before_that,
                "t" + pair + "|" + code_after,
            ]
        )
        before_that, before, code_before = before, lower, code
    return rows


@lru_cache(maxsize=1)
def _tagger() -> pycrfsuite.Tagger:
    tagger = pycrfsuite.Tagger()
    tagger.open(str(WORDS / "people.crfsuite"))
    return tagger


# --- cues -------------------------------------------------------------------------------------------------------------


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What stands right before a name: titles, kin, neighbours, trades.
TITLES = _set(
    "herr hr fru frk frøken mr mrs ms miss sir doktor dr dokter legen lege fastlegen lærer lærar læreren læraren rektor prest presten professor advokat vaktmester vaktmesteren vaktmeister vaktmeisteren "
    "saksbehandler saksbehandleren sakshandsamar sakshandsamaren rådgiver rådgjevar ingeniør avdelingsleder avdelingsleiar etatsleder sjef sjefen formann formannen leder lederen leiar leiaren kommunedirektør "
    "sjåfør sjåføren brøytesjåføren brøytesjåfør brøyteren strøbilsjåføren bonde bonden gårdbruker gårdbrukeren eier eieren eigar eigaren huseier huseieren grunneier grunneieren utleier utleieren leietaker leietakeren beboer "
    "kollega kollegaen sykepleier sjukepleiar helsesykepleier trener treneren kjæreste onkel tante fetter kusine bestefar bestemor besten farfar farmor morfar mormor oldefar oldemor svigermor svigerfar svoger "
    "nabo naboen naboens naboan nabofrua nabomannen naboguten nabogutten nabojenta naboungen gubben kjerringa kjerringen enka enkemannen pensjonist pensjonisten ungen ungene guten gutten jenta tenåringen barnebarnet "
    "sønn sønnen son sonen sønn'n datter datteren dattera dotter dottera dotra bror broren broder brodern brorn søster søsteren søstera syster systera far faren mor mora moren pappa mamma mann mannen kone kona konen frua ektemannen samboer samboeren sambuar sambuaren kjæresten eksen eks-mannen ekskona "
    "kamerat kameraten kompis kompisen venn vennen ven venen venninne venninna veninna klassekamerat tvillingene søsken barna barnebarn nevø nevøen niese niesa foreldrene familien familie ekteparet paret neighbour neighbor neighbours landlord tenant teacher "
    "husband wife son daughter brother sister mother father uncle aunt grandmother grandfather friend boyfriend girlfriend partner officer guy lady kid boy girl caseworker driver family "
    "hainn hannj hann hånn hannå ola-n mannj kjerringa bestekompisen støttekontakten fotballtreneren eldstemann yngstemann ordfører ordføraren varaordfører kommunalsjef teknisksjef"
)
# 'Han Ola', 'ho Kari': articles of the dialect; plain pronouns elsewhere, so that the word after must look like a name.
ARTICLES = _set("han hun ho hu hainn hannj hann 'n n hån honn a'")
HELLO = _set("hei hallo heisann hi hello dear kjære kjære morn heihei hey")
GOODBYE = _set(
    "mvh mvh. hilsen hilsn helsing hels helsinga venleg vennlig vh hilsning hilsningar helsingar helsning beste regards cheers sincerely thanks thx takk respectfully kh klem vennligst ærbødigst underskrevet signert sign sendt"
)
_CALLED = _set(
    "heter heiter heite hette het heitte heite hette hetter named called navnet namnet navn namn name hete kalles kallast kalla"
)
_OFFICE = _set(
    "kong konge kongen dronning dronninga dronningen kronprins kronprinsesse prins prinsesse statsminister statsråd statsministeren president presidenten utenriksminister finansminister samferdselsminister samferdselsministeren helseminister "
    "justisminister klimaminister forsvarsminister kunnskapsminister olje- king queen prince minister ministeren biskop pave paven sankt st hellige keiser fylkesmann statsforvalter"
)
_THING = _set(
    "stormen orkanen ekstremværet ekstremvær uværet uvêret uvær storm hurricane hunden hund bikkja bikkja katten katt pusen hesten hest kua kyra oksen sauen geita marsvinet kaninen dog cat horse puppy valpen tispa båten skuta skipet ferja ferga hurtigbåten skøyta boat ship "
    "lofotferja bandet filmen boka romanen firma firmaet bedriften kafé kafe kafeen restaurant restauranten puben pub butikken barnehagen skolen hotell hotellet kiosken campingplassen hytta gården garden garn gårdn eiendommen gardsnamnet gårdsnavnet skogen fjellet vannet vatnet øya holmen bydelen bygda stedet staden plassen "
    "butikk modell merke merket typen bilmerke ringte robot roboten traktor traktoren krana"
)
_STREET = _set(
    "veg vegen vei veien gate gata gaten gt plass plassen allé alle allè sti stien bru brua bro stue stova vegn vei'n veg'n veien gate- minne minnepark park parken skole skule skolen kirke kirka kyrkje kapell hospital sykehus sjukehus stiftelse stipend fond bakke bakken smug smau torg torget brygge brygga kai kaia løype løypa løp haug "
    "hytte hytta hus huset heim museum statue statuen bauta bautaen monument kulturhus senter legat street road lane square avenue bridge school church allmenning allmenningen hage hagen minde grend plassn allé tunet tun lia voll vollen rundkjøringa rundkjøringen bane stadion arena museet"
)
_FIRM = _set(
    "videregående vidaregåande ungdomsskule barneskole barneskule vgs sjukeheim as asa ans da sa bygg maskin transport entreprenør entreprenører entreprenøren elektro graveservice anlegg rør rørservice bil auto mek verksted bakeri eiendom eigedom frisør sag handel handelslag trelast & gruppen gruppa consult consulting regnskap bilverksted blomster invest drift service møbler sport ur optik bilberging taxi gartneri "
    "1000 kommune fylkeskommune kommun idrettslag il bedehus barnehage ungdomsskole videregående bo- sykeheim legekontor legesenter stadion hotell camping kafe kro pizzeria"
)
_AT_PLACE = _set(
    "i på ved mot mellom langs over under rundt forbi nord sør øst vest aust in at near around towards between oppi nedi borti utpå innpå oppå uti nedi inni ne'i nerri oppme borte opp ned bort inn ut pa te'"
)
_OF_PERSON = _set("hos med av for til fra frå åt tå a te from by with to and og eller samt på")
_PARTICLES = _set("van von de der den del dela di da la le el al bin ibn abu af av ter ten dos das du o'")
_NOT_FIRST = _set(
    "the my our your his her this that these those there it we they you and but or if when where who what why how is are was were has have had please"
)
_MONTHLIKE = _set("jan mai april june may juni august mars")
_POSSESSIVE = _set("sin sitt sine si sit sinn sinj sittj sett'")
_VERBS_OF_PEOPLE = _set(
    "sier sa seier sei sæ sir har hadde heter er var bor bur ringte ringer ringde skal ville vil kjører kjørte køyrer køyrde kjøre så ser såg gjør gjorde gjer sendte sender skrev skriv kom kjem kommer gikk går gjekk fikk får fekk lovet lova sto står tok tar tek sitter driver driv parkerer parkerte dumpet dumpa kastet kasta "
    "hi hadd e va bi bodd sei ga gav gir gjev kaster kastar brøyter brøytte måker svarte svara påstår måtte burde kan kunne vet veit fikk falt falt fell falt datt snakket snakka klager klaga brenner bygget says said is was has had lives told did drives does keeps owns parked called saw works wants dumped threw drove"
)
_BRANDS = _set(
    "mercedes benz toyota skoda audi volvo tesla bmw opel mazda peugeot citroen nissan kia hyundai ford honda suzuki subaru volkswagen golf polo passat octavia yaris corolla hilux berlingo transit caddy sprinter leaf zoe scania man deere massey ferguson kubota valtra fendt stihl husqvarna siemens philips "
    "samsung apple iphone lidl ikea coop kiwi rema bunnpris meny spar joker europris clas ohlson biltema jula obs extra prix circle esso shell jesus gud allah kristus google apple android windows word excel teams zoom vipps sankthans jonsok olsok lucia romjul black friday halloween santa alexa siri "
    "nordmann karlsson karlsvogna mona-lisa yaris giulia model duster sandero megane clio fabia superb kodiaq enyaq rav auris avensis touran tiguan sharan"
)

_INITIALS = re.compile(
    r"(?<![\w.])(?:[A-ZÆØÅ]\.\s?){1,3}[A-ZÆØÅÁŠ][a-zæøåáéèöäüšóç]{1,20}(?:-[A-ZÆØÅ][a-zæøå]+)?(?!\w)"
)
_SIGNED_INITIALS = re.compile(
    r"(?:mvh|hilsen|helsing|hils\w*|regards|vh)[\s,.:/-]{0,3}((?:[A-ZÆØÅ]\.?[ -]?){2,4})(?![\w])|(?<=[.!?\n])\s{0,2}[-–/]{0,2}\s?((?:[A-ZÆØÅ]\.){2,4})\s*$",
    re.IGNORECASE,
)


def people(found: Tokens, allowed: frozenset[str]) -> list[Hit]:
    """Spans of names, titles and genitive endings left outside."""
    count = len(found.words)
    score = [0.0] * count
    rule = [""] * count
    veto = [False] * count
    _veto(found, veto)
    _rules(found, score, rule, veto)
    _weights(found, score, rule, veto)
    _joined(found, score, rule, veto)
    _repeated(found, score, rule, veto)
    hits = list(_spans(found, score, rule, allowed))
    text = found.text
    for match in _INITIALS.finditer(text):
        surname = match[0].split(".")[-1].strip().lower()
        entry = word(surname)
        if (entry.surname or not entry.plain) and not (match[0][:2] in ("E.", "St") and entry.given > 1):
            following = re.match(r"s?\s(\w+)", text[match.end() : match.end() + 20])
            if not (following and following[1].lower() in _STREET):
                hits.append((match.start(), match.end(), "PERSON", 0.85, "person.initials"))
    for match in _SIGNED_INITIALS.finditer(text):
        group = 1 if match[1] else 2
        if match[group].replace(".", "").replace(" ", "").isupper():
            end = match.start(group) + len(match[group].rstrip())
            hits.append((match.start(group), end, "PERSON", 0.7, "person.initials"))
    return hits


def _name_word(found: Tokens, i: int) -> bool:
    """A capitalised word that may be part of a name."""
    if not found.capital[i]:
        return False
    entry = found.entries[i]
    form = found.words[i]
    if len(form) == 1:
        return False
    return bool(entry.given or entry.surname) or not entry.plain


def _veto(found: Tokens, veto: list[bool]) -> None:
    """Names that belong to streets, offices, firms, storms and animals."""
    lower, count = found.lower, len(found.words)
    for i in range(count):
        if not found.capital[i]:
            continue
        form = lower[i]
        if form == "nordmann":
            # Ola and Kari Nordmann are everybody.
            for j in range(max(0, i - 3), i):
                veto[j] = found.capital[j]
        if form in _BRANDS:
            veto[i] = True
            continue
        following = lower[i + 1] if i + 1 < count else ""
        street = following in _STREET and (
            form.endswith(("s", "as", "es", "x", "z", "-")) or not found.first[i]
        )
        if (
            street
            and following in ("park", "hus", "bil", "bru", "skole", "kirke", "hytte", "hage")
            and not form.endswith("s")
        ):
            street = found.capital[i + 1]
        if (
            street
            and following
            in (
                "huset",
                "hytta",
                "bilen",
                "hagen",
                "bruva",
                "tunet",
                "tun",
                "heim",
                "hus",
                "hage",
                "lia",
                "plassen",
                "hytte",
            )
            and (found.entries[i].given > 1 or (i and lower[i - 1] in TITLES))
        ):
            street = False
        firm = following in _FIRM and (
            found.capital[i + 1]
            or following
            in (
                "&",
                "1000",
                "kommune",
                "videregående",
                "vidaregåande",
                "ungdomsskole",
                "ungdomsskule",
                "barneskole",
                "vgs",
                "sykehjem",
                "sjukeheim",
                "fylkeskommune",
                "barnehage",
                "idrettslag",
            )
        )
        hyphen = "-" in form and form.rsplit("-", 1)[1] in _STREET
        office = i > 0 and lower[i - 1] in _OFFICE
        thing = i > 0 and lower[i - 1] in _THING and not found.first[i]
        if (
            i > 2
            and lower[i - 1] in _CALLED
            and lower[i - 2] in ("min", "vår", "hans", "hennes", "vores", "deres")
            and lower[i - 3] in _THING
        ):
            thing = True
        if i > 1 and lower[i - 1] in _CALLED and lower[i - 2] in _THING:
            thing = True
        dotted = i > 1 and lower[i - 1] == "." and lower[i - 2] in ("st", "ms", "mf", "mt")
        if street or firm or hyphen or office or thing or dotted:
            veto[i] = True
            if street or firm or hyphen:
                j = i - 1
                while j >= 0 and found.capital[j] and not (found.first[j + 1]):
                    veto[j] = True
                    j -= 1
            if office or thing or dotted:
                j = i + 1
                while j < count and found.capital[j] and not found.first[j] and j < i + 3:
                    veto[j] = True
                    j += 1


def _mark(score: list[float], rule: list[str], i: int, value: float, name: str) -> None:
    if value > score[i]:
        score[i] = value
        rule[i] = name


def _rules(found: Tokens, score: list[float], rule: list[str], veto: list[bool]) -> None:
    lower, words, entries, capital, first = (
        found.lower,
        found.words,
        found.entries,
        found.capital,
        found.first,
    )
    starts_of = found.starts
    count = len(words)
    for i in range(count):
        entry = entries[i]
        if (
            entry is _BLANK
            or veto[i]
            or len(words[i]) < 2
            or not (capital[i] or entry.given or entry.surname)
        ):
            continue
        before = lower[i - 1] if i else ""
        after = lower[i + 1] if i + 1 < count else ""
        adjoining = i + 1 < count and not first[i + 1] and (entries[i + 1] is not _BLANK)
        cap = capital[i]
        unknown = not entry.plain
        listed = entry.given > 0 or entry.surname > 0
        shout = cap and words[i].isupper() and len(words[i]) > 3
        if cap and not (shout and entry.plain):
            # A given name and a further capital: the usual full name.
            if entry.given and adjoining and capital[i + 1] and not veto[i + 1] and _name_word(found, i + 1):
                other = entries[i + 1]
                sure = unknown or not first[i]
                if (
                    (
                        (
                            other.surname
                            or other.given
                            or (not other.plain and not other.place and not other.organisation)
                        )
                        and (sure or other.surname > 1 or other.given > 1)
                    )
                    and not (entry.place and not entry.given > 1)
                    and not (before in _AT_PLACE and entry.place and entry.given < 3)
                ):
                    _mark(score, rule, i, 0.95, "person.full")
                    _mark(score, rule, i + 1, 0.95, "person.full")
            # A given name that no list knows, before a surname that one knows; not at places and firms.
            if (
                unknown
                and not entry.given
                and not entry.place
                and not entry.organisation
                and adjoining
                and capital[i + 1]
                and not veto[i + 1]
                and len(words[i]) > 3
                and before not in _AT_PLACE
            ):
                other = entries[i + 1]
                if (
                    other.surname >= 2
                    and not other.plain
                    and not (other.place and other.surname < 3)
                    and found.text[found.end(i) : starts_of[i + 1]] == " "
                ):
                    _mark(score, rule, i, 0.75, "person.full")
                    _mark(score, rule, i + 1, 0.75, "person.full")
            if (
                cap
                and unknown
                and not entry.place
                and i + 2 < count
                and lower[i + 1] in ("van", "von", "de", "di", "da", "del", "al", "el", "bin", "dela")
                and (capital[i + 2] or (lower[i + 2] in _PARTICLES and i + 3 < count and capital[i + 3]))
            ) and (
                (
                    not first[i + 1]
                    and not (capital[i + 2] and entries[i + 2].place and not entry.given)
                    and lower[i + 1] not in ("de", "da")
                )
                or entry.given
            ):
                _mark(score, rule, i, 0.75, "person.full")
            if (
                entry.given >= 2
                and unknown
                and not (entry.place and (before in _AT_PLACE or entry.given < 3))
                and not (entry.organisation and entry.given < 3)
            ):
                _mark(score, rule, i, 0.9, "person.given")
            # A word that is also a name: only where its neighbours speak for a person.
            if (
                entry.given >= 2
                and entry.plain
                and not first[i]
                and before not in _AT_PLACE
                and lower[i] not in _MONTHLIKE
                and (
                    after in _VERBS_OF_PEOPLE
                    or after in _POSSESSIVE
                    or before in ("og", "and", "med", "hos", "av", "til", "som", "at", ",")
                    or after in ("og", ",", ".", "$", "")
                    or after == "på"
                )
            ):
                _mark(score, rule, i, 0.7, "person.given")
            if (
                entry.surname >= 2
                and unknown
                and not entry.place
                and not entry.organisation
                and not first[i]
                and before in ("hos", "av", "med", "for", "og", "by")
                and not _beside_place(found, i)
            ):
                _mark(score, rule, i, 0.75, "person.surname")
            if listed and unknown and after in _POSSESSIVE and before not in _AT_PLACE:
                _mark(score, rule, i, 0.8, "person.possessive")
        # Lower-case pairs: both in the lists, and at least one of them no plain word.
        if not cap and entry.given >= 2 and adjoining and not capital[i + 1]:
            other = entries[i + 1]
            if (
                (unknown or not other.plain)
                and (other.surname >= 2 or (other.given >= 2 and not other.plain))
                and len(lower[i + 1]) > 2
                and len(words[i]) > 2
            ) and (
                unknown
                or (
                    entry.given >= 3 and other.surname >= 2 and not other.place and lower[i] not in _MONTHLIKE
                )
            ):
                _mark(score, rule, i, 0.8, "person.lower")
                _mark(score, rule, i + 1, 0.8, "person.lower")
        if (
            not cap
            and entry.given >= 2
            and unknown
            and not entry.place
            and len(words[i]) > 3
            and not (entry.organisation)
        ):
            cued = (
                before in ARTICLES
                or after in _POSSESSIVE
                or before in TITLES
                or before in GOODBYE
                or before in HELLO
                or before in _CALLED
            )
            if cued or entry.given == 3 or after in _VERBS_OF_PEOPLE or before in ("og", "med", "hos", "av"):
                _mark(score, rule, i, 0.85 if cued else 0.65, "person.lower")
        if i == 0:
            continue
        k = i - 1
        if words[k] in ",:;.-–/" and k > 0:
            k -= 1
            if words[k] in ",:;.-–/" and k > 0:
                k -= 1
        if (
            lower[k] in ("visst", "vel", "nok", "trolig", "egentlig", "bare", "vist")
            and k > 0
            and lower[k - 1] in _CALLED
        ):
            k -= 1
            near = lower[k]
            gap = False
        else:
            near = lower[k]
            gap = k != i - 1
        if near in GOODBYE and i - k < 4:
            known = listed and (cap or unknown)
            last = _short_end(found, i)
            if near in ("takk", "thanks", "beste", "sendt", "venleg", "vennlig") and not (
                gap or words[i - 1] == "\n" or first[i]
            ):
                known = listed and unknown
            if (
                (cap and (listed or not entry.plain) and not entry.organisation and (last or known))
                or (known and last)
                or (entry.given and last and (unknown or entry.given > 1) and near not in ("takk", "thanks"))
            ):
                _mark(score, rule, i, 0.9, "person.signature")
        elif (
            near in HELLO
            and not gap
            and (cap or (entry.given >= 2 and unknown))
            and (entry.given or (cap and unknown and not entry.place and not entry.organisation and listed))
        ):
            _mark(score, rule, i, 0.85, "person.greeting")
        elif (
            near in _CALLED
            and (cap or (unknown and entry.given >= 1))
            and (listed or (not entry.plain and not entry.place and not entry.organisation))
            and (not gap or words[i - 1] == ":")
            and not _about_place(found, k)
        ):
            _mark(score, rule, i, 0.9, "person.called")
        elif (
            near in TITLES
            and not gap
            and (cap or (unknown and entry.given >= 2))
            and (listed or (unknown and not entry.place and not entry.organisation))
        ):
            if not (first[k] and near in ("hans", "mor", "far") and entry.place) and not (
                entry.place and not entry.given and before in _AT_PLACE
            ):
                _mark(score, rule, i, 0.9, "person.title")
        elif (
            near in ARTICLES
            and not gap
            and (cap or (unknown and entry.given >= 2))
            and (entry.given or (listed and cap) or (cap and unknown and not entry.place))
        ):
            _mark(score, rule, i, 0.85, "person.article")
        elif (
            cap
            and i > 1
            and near
            in (
                "min",
                "mi",
                "mitt",
                "mine",
                "vår",
                "hans",
                "hennes",
                "hennar",
                "sin",
                "si",
                "deres",
                "din",
                "di",
            )
            and lower[k - 1] in TITLES
            and (listed or unknown)
            and words[i - 1] in (near, ",")
        ):
            _mark(score, rule, i, 0.9, "person.title")
        elif cap and gap and words[i - 1] == "," and near in TITLES and listed:
            _mark(score, rule, i, 0.85, "person.title")
        elif (
            cap
            and not gap
            and before == "er"
            and i > 1
            and lower[i - 2] in ("jeg", "eg", "navnet", "namnet", "eieren", "eigaren")
            and (listed or unknown)
            and not entry.place
            and not entry.organisation
        ) or (
            cap
            and not gap
            and before in ("am", "e")
            and i > 1
            and lower[i - 2] in ("i", "æ", "eg", "e")
            and listed
            and not entry.plain
        ):
            _mark(score, rule, i, 0.85, "person.called")
    _signature(found, score, rule, veto)


def _about_place(found: Tokens, k: int) -> bool:
    """'Vegen heter Olav Duuns veg', 'stedet heter Skage': what is called so is no person."""
    lower = found.lower
    for j in range(max(0, k - 4), k):
        entry = lower[j]
        if (
            entry in _THING
            or entry in _STREET
            or entry
            in (
                "gata",
                "vegen",
                "veien",
                "plassen",
                "det",
                "programmet",
                "appen",
                "skjemaet",
                "fila",
                "gate",
                "feltet",
                "boligfeltet",
                "holdeplassen",
                "haldeplassen",
                "område",
                "området",
                "street",
                "road",
                "stop",
                "place",
                "linja",
            )
        ) and entry != "det":
            return True
    return False


def _short_end(found: Tokens, i: int) -> bool:
    """Only a few words follow to the end of the text, the line or the sentence."""
    for j in range(i + 1, min(len(found.words), i + 6)):
        if (
            found.first[j]
            or found.words[j] in ",.!|(-–"
            or found.words[j][0].isdigit()
            or found.words[j][0] in "+\ue000"
        ):
            return True
    return i + 6 > len(found.words)


def _signature(found: Tokens, score: list[float], rule: list[str], veto: list[bool]) -> None:
    """A last line or last sentence of one to four words that begins with a given name."""
    count = len(found.words)
    if not count:
        return
    i = count - 1
    steps = 0
    while (
        i > 0
        and steps < 40
        and not (found.entries[i] is not _BLANK and (found.first[i] or found.words[i - 1] == ","))
    ):
        i -= 1
        steps += 1
    ends = [j for j in range(i, count) if found.entries[j] is not _BLANK]
    if not ends or len(ends) > 4 or veto[i] or i == 0:
        return
    head = found.entries[i]
    later = [found.entries[j] for j in ends[1:]]
    if len(ends) == 1:
        good = (head.given >= 2 and not head.place) or (
            found.capital[i] and head.given >= 1 and not head.plain
        )
        if found.words[i - 1] == "," and not found.capital[i]:
            good = False
    else:
        good = (
            head.given >= 1
            and all(entry.surname or entry.given or not entry.plain for entry in later)
            and (found.capital[i] or not head.plain or not later[-1].plain)
        )
    if good and found.lower[i] not in _MONTHLIKE | HELLO:
        for j in ends:
            if (
                j == i or found.entries[j].surname or found.entries[j].given or not found.entries[j].plain
            ) and not (found.entries[j].place and j > i + 1):
                _mark(score, rule, j, 0.8, "person.signature")


def _open(found: Tokens, score: list[float], i: int) -> bool:
    """Whether the rules leave open if a word is a name, and the weights could tell."""
    entry = found.entries[i]
    if entry is _BLANK or len(found.words[i]) < 2:
        return False
    if not found.capital[i]:
        return not entry.plain and entry.given > 0
    if found.words[i].isupper() and (entry.plain or len(found.words[i]) < 5):
        return False
    if entry.given:
        return not (found.first[i] and entry.plain)
    if (
        (found.first[i] and not entry.surname)
        or (entry.place and not entry.surname)
        or (entry.plain and not entry.surname)
    ):
        return False
    neighbour = (i > 0 and score[i - 1] > 0) or (i + 1 < len(score) and score[i + 1] > 0)
    return (neighbour or not _beside_place(found, i)) and not (found.first[i] and entry.plain)


def _weights(found: Tokens, score: list[float], rule: list[str], veto: list[bool]) -> None:
    """The trained weights, asked only about sentences that hold an undecided word which may be a name."""
    count = len(found.words)
    begin = 0
    while begin < count:
        end = begin + 1
        while end < count and not found.first[end] and end - begin < 60:
            end += 1
        asked = [i for i in range(begin, end) if score[i] < 0.65 and not veto[i] and _open(found, score, i)]
        if asked:
            low, high = max(begin, asked[0] - 3), min(end, asked[-1] + 4)
            tagger = _tagger()
            tagger.set(features(found.words[low:high]))
            for i in asked:
                sure = tagger.marginal("P", i - low)
                entry = found.entries[i]
                need = 0.5 if entry.given or entry.surname else 0.7
                if entry.place or entry.organisation:
                    need = 0.75
                neighbour = (i > 0 and score[i - 1] > 0) or (i + 1 < count and score[i + 1] > 0)
                if not entry.given and not neighbour:
                    # Farms and surnames share their names; without a word that speaks of people it is the farm.
                    spoken = i > 0 and found.lower[i - 1] in ("hos", "av", "med", "familien", "by")
                    after = found.lower[i + 1] if i + 1 < count else ""
                    need = max(
                        need, 0.6 if spoken or after in _VERBS_OF_PEOPLE or after in _POSSESSIVE else 0.9
                    )
                    if _beside_place(found, i):
                        continue
                if entry.plain or not found.capital[i]:
                    need = 0.8 if found.capital[i] or entry.given > 1 else 0.95
                if found.first[i] and not (entry.given or entry.surname):
                    need = 0.97
                if found.lower[i - 1] in _AT_PLACE if i else False:
                    need = max(need, 0.8)
                if sure >= need:
                    _mark(score, rule, i, round(min(sure, 0.95), 2), "person.weights")
        begin = end


_PLACE_ENDING = re.compile(
    r"(?:dalen|åsen|foss|fossen|moen|vatnet|vannet|sjøen|fjellet|bygda|grenda|neset|vika|øya|elva|bekken|lia|haugen|marka|myra|sletta|sletten|bakken|bakkan|vollen|veien|vegen|gata|krysset|brua|senteret|hallen|huset|parken|plassen|feltet|kleiva|svingen|tunnelen|skogen|vangen|stranda|sundet|viken|botn|heia|ski|stadion)s?$"
)


def _beside_place(found: Tokens, i: int) -> bool:
    """A place by its ending, by the preposition before it, or beside another place."""
    lower = found.lower
    if _PLACE_ENDING.search(lower[i]):
        return True
    k = i - 1
    while k > 0 and (
        lower[k] in ("og", "å", "and", "eller", ",", "-", "–", "/")
        or (
            found.capital[k]
            and not found.entries[k].given
            and lower[k - 1] in ("og", "å", "and", ",", *_AT_PLACE, "til", "te", "fra", "frå", "for")
        )
    ):
        k -= 1
    before = lower[k] if k >= 0 else ""
    if before in _AT_PLACE or before in (
        "fra",
        "frå",
        "til",
        "te",
        "ve",
        "retning",
        "før",
        "etter",
        "from",
        "to",
        "gjennom",
        "via",
        "pa",
    ):
        return True
    return (
        before in ("for", "før", "av")
        and k > 0
        and lower[k - 1]
        in (
            "sør",
            "nord",
            "øst",
            "vest",
            "aust",
            "ovenfor",
            "nedenfor",
            "nord",
            "sør",
            "ovafor",
            "utenfor",
            "utafor",
            "side",
            "sida",
            "siden",
        )
    )


def _joined(found: Tokens, score: list[float], rule: list[str], veto: list[bool]) -> None:
    """Surnames and middle names that follow a found name, and given names before one."""
    if not any(score):
        return
    count = len(found.words)
    for i in range(count - 1):
        if score[i] and not score[i + 1] and not found.first[i + 1] and not veto[i + 1]:
            entry = found.entries[i + 1]
            if found.starts[i + 1] - found.end(i) > 1 or entry is _BLANK:
                continue
            form = found.words[i + 1]
            if (
                (
                    found.capital[i + 1]
                    and (
                        entry.surname
                        or entry.given
                        or not entry.plain
                        or (found.entries[i].given > 1 and not found.entries[i].plain and len(form) > 3)
                    )
                    and not (form.isupper() and len(form) < 4 and not found.words[i].isupper())
                )
                or (
                    not found.capital[i + 1]
                    and not found.capital[i]
                    and not entry.plain
                    and (entry.surname or entry.given or (len(form) > 3 and not entry.organisation))
                )
                or (
                    not found.capital[i + 1]
                    and not found.capital[i]
                    and entry.surname >= 2
                    and rule[i] in ("person.signature", "person.called")
                )
            ):
                _mark(score, rule, i + 1, score[i], rule[i])
    for i in range(count - 1, 0, -1):
        if (
            score[i]
            and not score[i - 1]
            and not veto[i - 1]
            and not found.first[i]
            and found.starts[i] - found.end(i - 1) == 1
        ):
            entry = found.entries[i - 1]
            if entry is _BLANK or len(found.words[i - 1]) < 2:
                continue
            if (
                found.capital[i - 1]
                and (entry.given or (entry.surname and not found.first[i - 1]))
                and not entry.place
                and found.lower[i - 1] not in TITLES
            ) or (not found.capital[i - 1] and not found.capital[i] and entry.given >= 2 and not entry.plain):
                _mark(score, rule, i - 1, score[i], rule[i])
        # 'Sol og Storm sin mamma': a word beside a name is a name as well.
        if (
            score[i]
            and i > 1
            and found.lower[i - 1] in ("og", "and", "å", "&")
            and not score[i - 2]
            and not veto[i - 2]
            and found.capital[i - 2]
            and found.entries[i - 2].given > 1
            and not found.entries[i - 2].place
        ):
            _mark(score, rule, i - 2, score[i] - 0.05, rule[i])
        if (
            score[i - 1]
            and found.lower[i] in ("og", "and", "å", "&")
            and i + 1 < count
            and not score[i + 1]
            and not veto[i + 1]
            and found.capital[i + 1]
            and found.entries[i + 1].given > 1
            and not found.entries[i + 1].place
        ):
            _mark(score, rule, i + 1, score[i - 1] - 0.05, rule[i - 1])
        # 'Nowicka, Katarzyna': an unknown surname before a given name at the end.
        if (
            score[i]
            and i > 1
            and found.words[i - 1] == ","
            and not score[i - 2]
            and found.capital[i - 2]
            and (found.first[i - 2])
            and not found.entries[i - 2].plain
            and not veto[i - 2]
            and found.entries[i].given
            and _short_end(found, i)
            and not found.entries[i - 2].place
        ):
            _mark(score, rule, i - 2, score[i], rule[i])
    # 'Ola N.', 'Kari M': a single initial after a given name; particles between two parts of a name.
    for i in range(1, count):
        if (
            score[i - 1]
            and not score[i]
            and found.capital[i]
            and len(found.words[i]) == 1
            and found.starts[i] - found.end(i - 1) == 1
        ):
            _mark(score, rule, i, score[i - 1], rule[i - 1])
        if (
            score[i - 1]
            and not score[i]
            and i + 1 < count
            and found.lower[i] in _PARTICLES
            and found.capital[i + 1]
            and found.starts[i + 1] - found.end(i) <= 1
            and found.entries[i + 1] is not _BLANK
            and found.capital[i - 1]
            and (
                found.lower[i] not in ("den", "de", "da", "du", "av", "la")
                or found.capital[i]
                or found.lower[i + 1] in ("la", "cruz", "vries", "silva", "souza", "jong")
            )
        ):
            _mark(score, rule, i, score[i - 1], rule[i - 1])
            _mark(score, rule, i + 1, score[i - 1], rule[i - 1])
        if (
            score[i - 1]
            and not score[i]
            and i + 2 < count
            and found.lower[i] in _PARTICLES
            and found.lower[i + 1] in _PARTICLES
            and found.capital[i + 2]
            and found.capital[i - 1]
            and not found.first[i + 2]
        ):
            for j in (i, i + 1, i + 2):
                _mark(score, rule, j, score[i - 1], rule[i - 1])
        if (
            score[i - 1]
            and not score[i]
            and found.lower[i].startswith(("al-", "el-", "ben-", "o'", "d'"))
            and found.capital[i - 1]
        ):
            _mark(score, rule, i, score[i - 1], rule[i - 1])


def _repeated(found: Tokens, score: list[float], rule: list[str], veto: list[bool]) -> None:
    """A name found once is a name wherever it stands in the same text."""
    known: set[str] = set()
    for i, value in enumerate(score):
        if (
            value >= 0.75
            and len(found.words[i]) > 2
            and (not found.entries[i].plain or found.entries[i].given > 1 or found.entries[i].surname > 1)
        ):
            known.add(_base(found.lower[i]))
    if not known:
        return
    for i in range(len(found.words)):
        if (
            not score[i]
            and not veto[i]
            and _base(found.lower[i]) in known
            and found.entries[i] is not _BLANK
            and (
                (
                    found.capital[i]
                    and (not found.first[i] or not found.entries[i].plain)
                    and not (i and found.lower[i - 1] in _AT_PLACE and found.entries[i].place)
                )
                or (not found.capital[i] and not found.entries[i].plain and not found.entries[i].place)
            )
        ):
            _mark(score, rule, i, 0.75, "person.repeated")


def _base(lower: str) -> str:
    return lower[:-1].rstrip("'’") if lower.endswith("s") and len(lower) > 4 else lower


_JOINERS = re.compile(r"[ \u00a0.]{0,2}$|, $|-$| - $")


def _spans(found: Tokens, score: list[float], rule: list[str], allowed: frozenset[str]) -> Iterable[Hit]:
    count = len(found.words)
    i = 0
    while i < count:
        if not score[i]:
            i += 1
            continue
        j = i
        while j + 1 < count and score[j + 1]:
            between = found.text[found.end(j) : found.starts[j + 1]]
            if between not in (" ", "-", ". ", "  "):
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
        end -= _genitive(found.lower[j], found.words[j])
        if found.text[start:end].casefold() not in allowed:
            best = max(range(i, j + 1), key=lambda k: score[k])
            yield start, end, "PERSON", score[best], rule[best]
        i = j + 1


@lru_cache(maxsize=20_000)
def _genitive(lower: str, form: str) -> int:
    """How many characters at the end are the genitive and no part of the name."""
    if form.endswith(("'s", "’s")):
        return 2
    if not lower.endswith("s") or len(lower) < 4:
        return 0
    from .lexicon import lexicon

    lists = lexicon()
    if max(lists.given.get(lower, 0), lists.surnames.get(lower, 0)) >= 60:
        return 0
    base = lower[:-1]
    return 1 if base in lists.given or base in lists.surnames else 0
