"""The clause around a word: whom it is about, where its predicate begins, where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .normal import HOLE
from .people import TITLES, Tokens
from .topics import Topic, phrase_end


def words_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


SUBJECT = words_of("jeg eg æ æg je han hun ho hu hainn hannj hann hånn vi he she we")
OTHERS = words_of("de dei dem dæm dom dere dokker dåkker dokk they")
YOU = words_of("du deg dæ dere dokker dåkker dokk dykk dykkar you u ya yourself deres dokkers")
OBJECT = words_of("meg mæ mig ham henne oss okk åss me him us")
OWNER = words_of(
    "min mi mitt mine minn hans hennes hennar hannes hannas sin sitt vår vårt våre din di ditt dine deres dokkers my his her our their"
)
GENERIC = words_of(
    "folk noen nokon nån nokken man alle ingen mange eldre gamle barn barna ungene unger ungane born borna ungan ungdom ungdommer ungdommene syklister fotgjengere fotgjengarar gående gåande brukere brukarar beboere bebuarar elever elevar elevene turister bilister "
    "passasjerer besøkende publikum rullestolbrukere rullestolbrukarar rullatorbrukere pasienter pasientar pensjonister innbyggere innbyggarar naboer naboar someone anyone somebody anybody everyone everybody people nobody kids children elderly pedestrians "
    "cyclists users residents patients dyr hund hunder sau sauer elg rådyr katten hunden hest hester fugler noen's mennesker menneske den"
)
THING = words_of(
    "det den dette disse desse it this that there these those lyset lyktene vegen veien hullet holet skiltet bilen bussen kommunen kommuna"
)
COORDINATORS = words_of("og and samt å")
BREAKS = words_of(
    "men fordi at som hvis når da mens dersom siden sidan ettersom but because so since when if while although though therefore derfor difor så slik der hvor kor which who that whose until inntil før førr etter after før om selv sjøl ikke_bare for than enn så_at sånn for_at av_di medan hvorfor kvifor eller or"
)
LOOSE = words_of(
    "because for etter om før førr så da der siden sidan enn after before until inntil like slik hvor or eller than"
)
RELATIVE = words_of("som who der whose that")
FINITE = words_of(
    "tror trur tru spør forstår veit vet vett synes syns means mener kaster står sover søv sov stikker klatrer begynn byrja byrjer byrjar begynner sitt ligg bruk sov søv sover leve lever hold holder held gikk klarer klare klar greier greie greide klarte driv drev oppfører høre føle kjenne ble_ fungerer rusa bur budd gått vurderes utredes venta vente skrev jobbe er e var va har hi ha hadde hadd heve fikk fekk får fær få blir bli ble blei vart bruker brukar bruke går gå gikk gjekk gjikk sitter sit sett satt sat ligger ligg lå låg kan kunne må måtte skal ska skulle vil ville ser såg så hører høyrer høre høres lider lid sliter slit slet tar tek tok tæk trenger treng trengt trengte venter ventar "
    "falt fall falt datt ramla ramlet skled sklei skle snublet snubla slo slog brakk brækt knakk knuste knuste forstuet forstua vrikket skadet skada mistet mista begynte begynner har've føler kjenner bor bur budde bodde lever lev jobber jobba kommer kjem kjæm kom stemmer røystar røyster selger sel sæl sælg solgte stjal stjæl stjeler kjører køyrer kjøre kjørte "
    "drikker drikk drakk driver driv dreiv røyker røyk ruser ruse rusar slår banker bankar banke truer truer trakasserer soner sonar sona rømte flyttet flytta pleier døde dør gjorde gjør dyrker dyrkar lurer snyter jukser tilhører støtter leder leier sjekket overlever har ber "
    "is are was were has have had am gets got get uses use needs need takes take took suffers suffer broke fell slipped hurt lives live works sells sell dealt drinks drink does did do goes go went can cannot can't must should would votes vote belongs stole steals beats hits 's 'm 've i'm i've he's she's hadde've overdoser"
)
_INFINITIVE = words_of(
    "bli blei få ha hatt ta gå se sjå si kunne leve leve komme kjøre drive bruke vente være vere lev sitt ligg begynn klare greie holde"
)
NONFINITE = words_of(
    "fått blitt vært vore vorti fådd hatt brukket brukke brekt falt slått skadd skadet operert mistet mista tatt teke vorte levd drukket been had got being gone diagnosed broken taken fallen få bli være vere ha ta gå bruke"
)
KIN = TITLES | words_of(
    "vedkommende vedkomande beboeren beboaren personen kvinnen kvinna damen mannfolket ungdommen pasienten klienten ungen guten gutten jenta dama mannen kona mora faren moren min_mor besta bestemor bestefar gamle mor gamlemor eleven klassekameraten barnebarnet kollegaen fyren karen typen dude guy man woman lady neighbour kid teenager tenåringen ungdommen leieboeren utleieren hybelboeren tvillingen babyen baby mum mom dad wife husband "
    "svigermor svigerfar naboen nabokona nabofamilien familien paret ekteparet folka søsknene tippoldemor far mor pappa mamma tante onkel stefar stemor steforeldre stesønnen stedatteren stesønn fosterfar barnefaren barnemora eksen eksmannen ekskona ordføreren ordførar rådmannen sjåføren brøytesjåføren saksbehandleren"
)
PERSONAL_PLURAL = words_of(
    "foreldrene søsknene ungene barna guttene jentene naboene folka guttungene brødrene søstrene besteforeldrene parents sons daughters sønnene døtrene"
)

_HARD = frozenset('.!?;:()[]–—"«»“”|•*…')
_ENDS = frozenset(".!?…")
QUOTES = '"«“”»'


@dataclass(slots=True)
class Clause:
    """The clause around a trigger: where its predicate starts and ends, and how surely it is about a person."""

    start: int
    end: int
    tie: int  # 0 nobody, 1 a person near, 2 a person as the subject, -1 people in general or a thing
    subject: int  # The index of the subject, -1 without one.
    left: int  # Where the whole clause starts.


def sentences(found: Tokens) -> list[tuple[int, int]]:
    out = []
    begin = 0
    words, starts, text = found.words, found.starts, found.text
    count = len(words)
    broken = "\n" in text
    for i in range(count):
        form = words[i]
        stop = form in _ENDS
        if stop and form == "." and i + 1 < count:
            # A full stop inside an abbreviation or a number does not end a sentence.
            glued = starts[i + 1] == starts[i] + 1
            short = i > 0 and len(words[i - 1]) < 4 and words[i + 1][0].islower()
            stop = not glued and not short
        if broken and not stop and i + 1 < count and "\n" in text[found.end(i) : starts[i + 1]]:
            stop = True
        if stop or i - begin > 90:
            out.append((begin, i + 1))
            begin = i + 1
    if begin < count:
        out.append((begin, count))
    return out


def triggers_of(
    found: Tokens, name_at: list[bool], marked: list[int], end: int
) -> list[tuple[int, int, str]]:
    lower = found.lower
    out: list[tuple[int, int, str]] = []
    for i in marked:
        mark = found.marks[i]
        if mark is None or name_at[i]:
            continue
        for tail, flag in (
            mark.phrases if mark.phrases and mark.may_start(lower[i + 1] if i + 1 < end else "") else ()
        ):
            last = phrase_end(lower, i, tail)
            if 0 <= last < end:
                out.append((i, last, flag))
        out.extend((i, i, flag) for flag in sorted(mark.flags))
    return out


_ENGLISH = words_of("the my and is was to of she he they")
_PREPOSITIONS = words_of(
    "i på av med til for fra frå om ved hos under etter over mot in on at of with from by te ve a me alt"
)
_KIN_ENDINGS = (
    "ongen",
    "gutten",
    "guten",
    "jenta",
    "jenten",
    "mannen",
    "sønnen",
    "dattera",
    "datteren",
    "dottera",
    "søstera",
    "søsteren",
    "broren",
    "mora",
    "moren",
    "faren",
    "kona",
    "naboen",
    "sjåføren",
    "kjæresten",
    "samboeren",
    "kollegaen",
    "vennen",
    "kameraten",
    "eieren",
    "eigaren",
    "læreren",
    "læraren",
    "læreren",
    "arbeideren",
    "kollega",
    "barnebarnet",
)


def roles_of(found: Tokens, name_at: list[bool], begin: int, end: int) -> dict[int, str]:
    """One letter per word: P person, K kin, N name, G people in general, X thing, O object, B break, C conjunction, A and, V finite verb."""
    roles: dict[int, str] = {}
    lower, words = found.lower, found.words
    # 'Me' is a pronoun in English and nynorsk, and a preposition in the dialect.
    english = any(form in _ENGLISH for form in lower[begin:end])
    for i in range(begin, end):
        form = lower[i]
        if name_at[i] or form == HOLE:
            roles[i] = "N"
        elif words[i] in _HARD and (words[i] != "." or i == end - 1):
            roles[i] = "B"
        elif form == ",":
            roles[i] = ","
        elif words[i] in ("-", "–") and i + 1 < end:
            roles[i] = "B"
        elif (
            form in SUBJECT
            or (form == "i" and words[i] == "I")
            or (form in ("me", "e") and i + 1 < end and lower[i + 1] in FINITE and form == "me")
        ):
            roles[i] = "P"
        elif form in FINITE:
            roles[i] = "V"
        elif form in COORDINATORS:
            following = lower[i + 1] if i + 1 < end else ""
            # In the dialect 'å' is 'and' as well as the mark of an infinitive.
            if (
                form != "å"
                or following in SUBJECT
                or (following in FINITE and following not in _INFINITIVE)
                or (i + 1 < end and name_at[i + 1])
            ):
                roles[i] = "A"
        elif form in OTHERS:
            roles[i] = "D"
        elif form == "me" and not english:
            continue
        elif form in OBJECT:
            roles[i] = "O"
        elif form in BREAKS:
            # 'For', 'etter', 'der' open a clause only where a subject or a verb follows.
            following = lower[i + 1] if i + 1 < end else ""
            if (
                form not in LOOSE
                or following in SUBJECT
                or following in OTHERS
                or following in FINITE
                or following in THING
                or (following in KIN and i + 2 < end and lower[i + 2] in FINITE)
                or following == "at"
                or (i + 1 < end and name_at[i + 1])
            ) and not (form in ("før", "førr") and i > begin and lower[i - 1] in ("fra", "frå", "som")):
                roles[i] = "C"
        elif i > begin and (form in THING or form == "den") and lower[i - 1] in _PREPOSITIONS:
            # 'I det lokale laget', 'på det ene øyet': an article, no subject.
            continue
        elif form in GENERIC:
            # 'Ungene mine', 'barna hans' are somebody's; 'ungene' alone are people in general.
            roles[i] = (
                "K"
                if (i + 1 < end and lower[i + 1] in OWNER) or (i > begin and lower[i - 1] in OWNER)
                else "G"
            )
        elif (
            form in KIN
            or form in PERSONAL_PLURAL
            or (form.endswith("s") and form[:-1] in KIN)
            or form.endswith(_KIN_ENDINGS)
        ):
            roles[i] = "K"
        elif form in THING:
            roles[i] = "X"
        elif form in OWNER:
            roles[i] = "M"
    return roles


def context(found: Tokens, name_at: list[bool], begin: int) -> bool:
    """Somebody in particular stands in the sentence before."""
    for i in range(max(0, begin - 25), begin):
        form = found.lower[i]
        if name_at[i] or form in SUBJECT or form in KIN or form == HOLE or form in OBJECT:
            return True
    return False


def clause_around(
    found: Tokens,
    roles: dict[int, str],
    begin: int,
    end: int,
    first: int,
    last: int,
    marks: list[Topic | None],
    *,
    health: bool = False,
) -> Clause:
    lower = found.lower
    k = first - 1
    subject = -1
    kind = ""
    broken = ""
    while k >= begin:
        role = roles.get(k, "")
        if role in ("B", "C"):
            broken = role
            break
        if role == ",":
            broken = ","
            break
        if role == "A":
            after = roles.get(k + 1, "")
            if after in ("V", "P", "K", "N", "X", "G", "D") or verbal(found, k + 1):
                broken = "A"
                break
        if role and role in "PKNGXDO":
            if (
                role == "O"
                and any(roles.get(j) in ("P", "K", "N", "D") for j in range(max(begin, k - 4), k))
                and roles.get(k + 1, "") != "C"
            ):
                k -= 1
                continue
            if (
                role in "KNGXD"
                and not any(roles.get(j) == "V" for j in range(k + 1, first))
                and _object(found, roles, begin, k)
            ):
                k -= 1
                continue
            subject, kind = k, role
            break
        k -= 1
    left = k + 1
    start = left
    tie = 0
    if subject >= 0:
        left = subject
        verbs = [j for j in range(subject + 1, first + 1) if roles.get(j) == "V"]
        start = verbs[0] if verbs else subject + 1
        if not verbs and subject > begin and roles.get(subject - 1) == "V" and kind in "PKNDX":
            start = left = subject - 1
        elif not verbs:
            while start < first and (lower[start] in OWNER or lower[start] == ","):
                start += 1
        tie = {"P": 2, "K": 2, "N": 2, "O": 2, "D": 1, "G": -1, "X": -1}[kind]
        if kind == "X" and any(
            roles.get(j) in ("O", "M") for j in range(subject, last + 4) if begin <= j < end
        ):
            tie = 1
    else:
        # No subject of its own: it is that of the clause before, or the writer's.
        j = k - 1
        steps = 0
        found_before = ""
        while j >= begin and steps < 25:
            role = roles.get(j, "")
            if (role and role in "PKNGDO") or (role == "X" and broken == "A"):
                found_before = role
                break
            if role == "B" and lower[j] not in '"«»“”(),':
                break
            j -= 1
            steps += 1
        opens = roles.get(start, "") == "V" or verbal(found, start)
        relative = broken == "C" and k >= begin and lower[k] in RELATIVE
        if found_before == "G" or (relative and k - 1 >= begin and roles.get(k - 1) in ("G", "D", "X")):
            tie = -1
        elif found_before and found_before in "PKNO" and (opens or relative or broken == ","):
            tie = 2
        elif (
            (found_before == "D" and (opens or relative))
            or (opens and start == begin)
            or (found_before and found_before in "PKNO")
        ):
            tie = 1
        if tie == 0 and (
            any(roles.get(j) in ("P", "O", "M", "K", "N") for j in range(last + 1, min(end, last + 12)))
            or any(roles.get(j) in ("P", "K", "N", "O") for j in range(begin, first))
        ):
            tie = 1
        opening = roles.get(begin) == "V" or verbal(found, begin)
        if (
            tie == 0
            and opens
            and opening
            and not any(roles.get(j, "") in ("G", "X") for j in range(begin, first))
        ):
            # 'Gikk på isen og brakk armen': the writer leaves himself out.
            tie = 1
    if first > begin and roles.get(start) != "V":
        owner = next((j for j in range(first - 1, max(begin, first - 3) - 1, -1) if lower[j] in OWNER), -1)
        if (
            owner >= 0
            and last + 1 < end
            and roles.get(last + 1) == "V"
            and not any(roles.get(j) == "V" for j in range(max(begin, owner - 3), owner))
        ):
            # 'Min kroniske migrene blir verre': what somebody has is the subject itself.
            return Clause(owner + 1, last, 2, owner, owner)
    stop = _right(found, roles, end, last, marks, health=health)
    return Clause(min(start, first), stop, tie, subject, left)


def _object(found: Tokens, roles: dict[int, str], begin: int, k: int) -> bool:
    """'Jeg har meldt familien til …': a noun behind verb and subject is no subject."""
    verb = next(
        (j for j in range(k - 1, max(begin, k - 4) - 1, -1) if roles.get(j) == "V" or verbal(found, j)), -1
    )
    if verb < 0:
        return False
    for j in range(verb - 1, max(begin, verb - 5) - 1, -1):
        role = roles.get(j, "")
        if role in ("B", "C", ",", "A"):
            return False
        if role in ("P", "K", "N", "D"):
            return True
    return False


@lru_cache(maxsize=8192)
def _verb_like(form: str) -> bool:
    return form in FINITE or form in NONFINITE or (len(form) > 4 and form.endswith(("te", "de", "dde")))


def verbal(found: Tokens, i: int) -> bool:
    return i < len(found.lower) and _verb_like(found.lower[i])


_TRAILING = words_of("så da for and og at so å som but men når hvis")
_NEGATIONS = words_of("ikke ikkje itj ittj ittje not never aldri can't cannot neppe knapt ei")
_ABILITIES = words_of(
    "kan kunne går gå klarer klare klarar greier greie greier tåler tåle toler orker orke makter sover sove søv ser hører høyrer puster puste jobbe arbeide reise løfte bære stå walk see hear breathe sleep work lift stand ute puste måke gange skal må"
)


def _unable(found: Tokens, start: int, end: int) -> bool:
    """What follows says what somebody cannot do."""
    near = found.lower[start : min(end, start + 5)]
    return (
        any(word in _NEGATIONS for word in near)
        and any(word in _ABILITIES for word in near)
        and not any(word in ("fram", "frem", "forbi", "inn", "ut", "betale", "vei", "veien") for word in near)
    )


def _right(
    found: Tokens, roles: dict[int, str], end: int, last: int, marks: list[Topic | None], *, health: bool
) -> int:
    """The last word of the clause."""
    i = last + 1
    while i < end:
        role = roles.get(i, "")
        if role == "B" or role == ",":
            break
        if role == "C":
            if found.lower[i] in ("så", "so", "at", "slik") and health and _unable(found, i + 1, end):
                # 'Slo meg i ryggen så jeg ikke kan gå': what it led to is part of it.
                i += 2
                continue
            break
        if role == "A":
            after = roles.get(i + 1, "")
            if after == "P":
                break
            if (
                after != "V"
                and any(roles.get(j) == "V" for j in range(i + 2, min(end, i + 6)))
                and not any(roles.get(j) in ("B", "C", ",", "A") for j in range(i + 2, min(end, i + 5)))
            ):
                # 'Og rampa er ødelagt': a new clause about something else.
                break
            second = found.lower[i + 1] if i + 1 < end else ""
            if (
                after == "V"
                or verbal(found, i + 1)
                or (len(second) > 4 and second.endswith(("er", "ar", "år", "or", "ør")))
                or (i + 2 < end and found.lower[i] == "and" and found.lower[i + 2] in OWNER)
            ):
                # A second predicate belongs to the clause only where it says more of the same.
                j = i + 1
                more = health and _unable(found, i + 1, end)
                while j < end and roles.get(j, "") not in ("B", ",", "C") and j < i + 12:
                    mark = marks[j]
                    if mark is not None and any(
                        flag.split(".")[0] in ("health", "family", "special")
                        and not flag.endswith((".body", ".loss", ".child"))
                        for flag in mark.flags
                    ):
                        more = True
                        break
                    j += 1
                if not more:
                    break
        if (
            role == "P"
            and found.lower[i - 1] not in ("alt", "det", "alle", "everything", "what", "mye", "mykje")
            and i + 1 < end
            and (roles.get(i + 1) == "V" or verbal(found, i + 1))
        ):
            break
        if role == "V" and roles.get(i + 1, "") == "P" and i > last + 1:
            # The next main clause in a text without full stops, in inverted order.
            break
        if (
            role in ("N", "K")
            and roles.get(i + 1) == "V"
            and found.starts[i] - found.end(i - 1) <= 1
            and role == "N"
            and i > last + 3
        ):
            break
        i += 1
    stop = i - 1
    while stop > last and (
        roles.get(stop) in ("A", "C") or found.lower[stop] in _TRAILING or not found.words[stop][0].isalnum()
    ):
        stop -= 1
    return stop


def together(
    found: Tokens, roles: dict[int, str], spots: list[tuple[int, int, str, float, str]]
) -> list[tuple[int, int, str, float, str]]:
    """Clauses of one kind that overlap or are parted by 'og' or a comma become one."""
    out: list[tuple[int, int, str, float, str]] = []
    for spot in sorted(spots, key=lambda s: (s[0], -s[1])):
        if out:
            a, b, kind, confidence, rule = out[-1]
            gap = list(range(b + 1, spot[0]))
            near = all(roles.get(i) in ("A", ",") for i in gap) and len(gap) <= 2
            if spot[0] <= b or (near and spot[2] == kind):
                out[-1] = (a, max(b, spot[1]), kind, max(confidence, spot[3]), rule)
                continue
        out.append(spot)
    return out
