"""Threats, and wishes that harm befalls somebody."""

from __future__ import annotations

import re
from functools import lru_cache

from .identifiers import Hit

_WHO = r"(?:meg|mæ|oss|me|us|deg|dæ|dere|dykk|dokker|dokk|dåkker|ham|han|hannj|hainn|henne|ho|hu|dem|dæm|dei|de|you|u|him|her|them|ordføreren|ordføraren|sjefen|naboen|sjåføren|saksbehandleren|familien din|ungene dine|every one of you)"
_KILL = r"(?:drep\w*|dræp\w*|skyt\w*|skjøt\w*|skutt|knivstikk\w*|stikk\w* ned|brenn\w* ned|kvel\w*|knekk\w*|knus\w*|bank\w*|denge?\w*|jul\w* opp|gi \w+ juling|slå\w* (?:\w+ )?(?:inn|ned|i hjel|ihjel|helseløs|fordervet|gul og blå|trynet|skallen)|lynsj\w*|rundjul\w*|most\w*|kill|shoot|stab|strangle|beat|smash|hurt|punch|break|burn|murder|end|kutt\w* (?:halsen|strupen|hodet)|skjær\w* (?:halsen|strupen))"
_THREATS = (
    r"\b(?:du|dere|dokker|dåkker|deg|dæ|han|hainn|ho|hun|hu|you|he|she|they|dem|dei)\b[^.!?\n]{0,25}\b(?:få|fått|får|fær|gi|gitt|ha|hatt|get|gets|have|give)\b[^.!?\n]{0,14}\b(?:kule i|kula i|på trynet|på tryne|på tygga|på kjeften|midt i trynet|juling|pryl|bank|bullet|beating|punch in)\b[^.!?\n,;\"»]{0,25}",
    rf"\b(?:skal|ska|kommer til å|kjem til å|kjæm te å|burde|bør|will|gonna|vil|lyst til å)\b[^.!?\n]{{0,50}}\bslå\w* {_WHO} (?:i hjel|ihjel|ned|helseløs\w*|gul og blå|fordervet)\b",
    r"\b(?:skal|ska|kommer til å|kjem til å|kjæm te å|burde|bør|vil|will|gonna|i'll|jeg|eg|æ)\b[^.!?\n]{0,30}\b(?:brenn\w* (?:ned|opp)|spreng\w*|tenn\w* på|tenn\w* fyr på|smadre\w*|rasere\w*|burn down|blow up|bomb|sett\w* fyr på)\b[^.!?\n]{0,25}\b(?:rådhuset|kommunehuset|kommunehuse|huset (?:ditt|deres|hans|hennes)|heile kommunen|hele kommunen|kontoret|bilen (?:din|deres|hans)|town hall|your house|heile rådhuset|hele rådhuset)\b",
    rf"\b(?:skal|ska|kommer til å|kjem til å|kjæm te å|burde|bør|burda|will|gonna|going to|i'll|lyst til å|lyst te å|klar til å|should|ought to|want to|skulle|ville|truet med å|trua med å|truer med å|threatened to|threatens to)\b[^.!?\n]{{0,40}}\b{_KILL}\b[^.!?\n]{{0,25}}\b(?:{_WHO}|trynet|nakken|skallen|beina|your|huset ditt|huset deres)\b",
    r"\b(?:vet|veit|vett|know) (?:godt |jo |akkurat |nøyaktig |exactly )?(?:hvor|kor|kvar|ka|where) (?:du|dere|dokker|han|hun|hu|ho|you|he|she|they|sjefen|familien|ungene|alle|barna|kidsa|hver|kona|dåkker|saksbehandleren)\b[^.!?\n]{0,20}\b(?:bor|bur|jobber|live|lives|work|works|går på skole|parkerer|park)\b",
    r"\bpass (?:deg|dæ|dere|dokker|dykk|dåkker)(?=[,!.]| din| ellers| for (?:jeg|eg|æ)| så| fremover| framover| nå| no|$)",
    r"\b(?:watch your (?:back|step|mouth)|better watch out|pass på ryggen|se deg over skuldra|sjå deg over skuldra)\b",
    r"\b(?:ellers|neste gang|neste gong|næste gang|next time|en dag|ein dag|or else|snart|otherwise)\b[^.!?\n]{0,35}\b(?:kommer (?:jeg|vi|eg) (?:hjem|heim|bort|ned|og tar)|kjem (?:eg|vi) |kjæm æ |tar (?:jeg|vi|æ) (?:deg|dere)|tek eg (?:deg|dykk)|tar æ (?:dæ|dokker)|tar vi (?:deg|dere)|smell\w* det|smæll\w* det|skyter|blir det (?:bank|juling|verre|blod)|ligger du|ligg du|er du (?:død|ferdig)|går det (?:ille|gale|deg ille)|i will|i'll|you're|blir du)",
    r"\b(?:håper|håpar|håpa|håpe|vona|vonar|ønsker|hope|hoping|wish|må)\b(?![^.!?\n]{0,50}\b(?:ingen|ikke|ikkje|itj|nobody|no one|don't|not|uten|utan)\b)[^.!?\n]{0,40}\b(?:du|dere|dokker|dåkker|dykk|deg|mora di|mor di|kona di|barna dine|ungene dine|noen av dere|nokon av dykk|sjefen|ordføreren|ordføraren|you|your|han|hun|hu|hainn|dem|dæm)\b[^.!?\n]{0,40}\b(?:dør|døyr|dau\w*|dø|døy|die|dies|kreft\w*|cancer|påkjørt|påkøyrd|brekker|brekk|krepere\w*|drukn\w*|råtn\w*|rot|burn|brenn\w*|lider|suffer\w*|helvete|hælvete|hell|knekker|knekk|ulykke\w*|kjørt over|run over|falle og slå|faller og slår|får svi|mister jobben)\b",
    r"\b(?:fortjener|fortener|fortjene|deserve\w*)\b[^.!?\n]{0,25}\b(?:dø|døy|dau\w*|juling|bank|pryl|ris|kreft|die|beating|å bli skutt|shot|kula|ei kule)\b",
    r"\b(?:dra|reis|far|stikk|gå|drit og dra|ryk og reis|kom deg|fær)\b[^.!?\n]{0,15}\b(?:til|te|åt|rett i) (?:helvete|hælvete|hælvet|helvet|hælvette|helvede|skogen|blokksberg)\b|\bgo to hell\b|\brot in hell\b|\bburn in hell\b|\bbrenn i (?:helvete|hælvete)\b|\bryk og reis\b",
    r"\b(?:hold|hald|hoill|lukk|steng|teti) (?:kjeft\w*|kjæft\w*|munn\w*|smella|tåta|fletta)\b|\bshut (?:the \w+ )?up\b|\bkyss mæ|kyss meg (?:bak|i ræva)|\bsug kuk\w*|\bsuck my\b|\bfuck (?:you|off|deg|dere|dokker)\b|\bf\*+k (?:you|off)\b|\bscrew you\b|\bpiss off\b|\bkill yourself\b|\bta livet (?:ditt|av deg)\b|\bheng (?:deg|dæ|dere)\b|\bgå og heng\b|\bræva di\b|\bgo die\b|\bdø da\b",
    r"\b(?:burde|bør|burda|should|skulle|ought to)\b[^.!?\n]{0,15}\b(?:vært|vore|vorre|vær|bli|blitt|verte|vårre|be|been)\b[^.!?\n]{0,12}\b(?:skutt|skoten|skøtt|hengt|hengd|brent|steina|steinet|lynsjet|lynsja|sterilisert|kastrert|shot|hanged|hung|burned|deported|gassa|gasset|avlivet|avliva|utryddet|spylt ut|banka|banket|bura inne|sperra inne|jult opp)\b|\b(?:burde|bør|burda|should|fortjener å)\b[^.!?\n]{0,12}\b(?:henges|skytes|hengast|skytast|lynsjes|gasses|steines|avlives|avlivast)\b",
    rf"\b(?:skyt|drep|heng|kill|shoot|hang|banka?|knus) (?:{_WHO}|faen|alle|jævla)\b(?! ned skiltet)",
    r"\b(?:skal|ska|kommer til å|kjem til å|kjæm te å|will|you'll|gonna)\b[^.!?\n]{0,35}\b(?:du|dere|dokker|dåkker|dykk|you|ham|han)\b[^.!?\n]{0,12}\b(?:angre\w*|angrar|svi|unngjelde|regret|pay for|be sorry)\b|\b(?:skal få|ska få|kommer til å|kjem til å|kjæm te å|will|you'll|gonna|du får|dere får) (?:svi|angre|unngjelde|betale for|smake|kjenne|regret|pay for|be sorry|se på faen|merke det)\b",
    r"\b(?:you're dead|you are dead|dead man|du er (?:dau|død|ferdig)|dere er (?:døde|ferdige)|du e dau\w*|dokker e dau\w*|say goodbye to|siste du gjør|siste dere gjør)\b",
    r"\b(?:send|kast|kjør|hiv|deporter|få)\b[^.!?\n]{0,30}\b(?:utlending\w*|muslim\w*|flyktning\w*|innvandrer\w*|innvandrar\w*|asylsøk\w*|polakk\w*|somalier\w*|dem|dei|dæm|ham|han|de|them|him|svensk\w*|litau\w*|jød\w*|romfolk\w*)\b[^.!?\n]{0,20}\b(?:hjem|heim|ut av landet|ut av bygda|dit (?:de|dei|han|hun|dæm|hainn) (?:kom|kjem|kommer|høre?r)|tilbake|back|home)\b",
    r"\b(?:dra|reis|pell|go|gå|far|komme? (?:deg|dere|dokker))\b[^.!?\n]{0,12}\b(?:hjem|heim|tilbake|back|home)\b[^.!?\n]{0,6}\b(?:dit (?:du|dere|dokker|de|dei) (?:kom|kjem|høre?r)|til (?:polen|litauen|somalia|syria|pakistan|afrika|asia|hjemlandet|sverige|russland|midtøsten|ditt eget land)|to (?:your|africa|poland|where|asia|mexico|india|pakistan)|der (?:du|dere) (?:kom|høre))\b",
    r"\b(?:utlending\w*|muslim\w*|flyktning\w*|innvandrer\w*|innvandrar\w*|asylsøk\w*|somalier\w*|polakk\w*|jøder?|jødar|samer|samar|svensk\w*|dansk\w*|russ\w*|litau\w*|romfolk|sigøyner\w*|pakkis\w*|negere?|somaliar\w*|homser|homofile|foreigners|immigrants|muslims|jews)\b[^.!?\n]{0,30}\b(?:hører ikke hjemme|høyrer ikkje heime|ut av (?:landet|bygda|norge|noreg|kommunen)|skal være glad|bør være glade?|burde være takknemlig\w*|får skylde|snylter|snyltar|kan ikke oppføre seg|er (?:ikke )?velkommen|stjeler alt|ødelegger|out|go home|don't belong|ikke velkomne?|dra hjem|dra heim|reis hjem|reis heim|ut(?=[\"»”!.]|$))",
    r"\b(?:stopp\w*|møt\w*|komm\w*|kjem|kjæm|hent\w*|tar|tek|venter|ventar|står|stå|get|come|meet|wait\w*)\b[^.!?\n]{0,25}\b(?:deg|dæ|dere|dokker|dykk|you|ham|han)\b[^.!?\n]{0,15}\b(?:med|me|with)\b[^.!?\n]{0,12}\b(?:hagl\w*|gevær\w*|rifl\w*|kniv\w*|øks\w*|balltre\w*|shotgun|gun|knife|axe|bat)\b",
)
_THREAT = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _THREATS)

# The words that a threat cannot do without, by their beginnings; a pattern is asked only where each of its groups is met.
_KILLING = "drep dræp skyt skjøt skutt knivst stikk brenn kvel knekk knus bank deng jul gi slå lynsj rundjul most kill shoot stab strangl beat smash hurt punch break burn murder end kutt skjær"
_NEEDS: tuple[tuple[str, ...], ...] = (
    ("kule kula trynet tryne tygga kjeften juling pryl bank bullet beating punch",),
    ("slå", "hjel ihjel ned helseløs gul fordervet"),
    (
        "brenn spreng tenn smadre rasere knus burn blow bomb sett",
        "skal ska kommer kjem kjæm burde bør vil will gonna jeg eg æ i'll",
    ),
    (
        _KILLING,
        "skal ska kommer kjem kjæm burde bør burda will gonna going i'll lyst klar should ought want skulle ville tru threat",
    ),
    ("vet veit vett know", "bor bur jobb live work skole parker park"),
    ("pass",),
    ("watch pass se sjå better", "back step mouth out ryggen skuldra"),
    (
        "ellers neste næste next dag else snart otherwise",
        "kommer kjem kjæm tar tek smell smæll skyter stopp bank juling verre blod ligger ligg død ferdig ille i'll will you're gale",
    ),
    (
        "håp vona vonar ønsk hope hoping wish må",
        "dør døy dau die kreft cancer påkjør påkøyr brekk kreper drukn råtn rot burn brenn lider suffer helv hælv hell knekk ulykk kjørt run falle svi mister dø",
    ),
    ("fortj forten deserv",),
    ("helv hælv hell skogen blokksberg ryk rot burn brenn",),
    (
        "hold hald hoill lukk steng teti shut kyss sug suck fuck f screw piss kill ta heng gå ræva go dø",
        "kjeft kjæft munn smella tåta fletta up mæ bak ræva kuk my you off deg dæ dere dokker livet yourself heng die da di",
    ),
    (
        "skutt skoten skøtt hengt hengd brent stein lynsj steril kastr shot hang hung burn deport gass avliv utrydd spylt banka banket bura sperra jult gasses avlives skytes skytast",
    ),
    ("skyt drep heng kill shoot hang bank knus",),
    (
        "svi angre unngjelde betale smake kjenne regret pay sorry faen merke",
        "skal ska kommer kjem kjæm will you'll gonna får",
    ),
    ("you're you du dere dokker say siste", "dead dau død ferdig døde goodbye siste"),
    (
        "send kast kjør hiv deporter få",
        "hjem heim ut dit tilbake back home",
        "utlending muslim flyktning innvandr asylsøk polakk somali dem dei dæm ham han de them him svensk litau jød romf",
    ),
    ("dra reis pell go gå far kom", "hjem heim tilbake back home"),
    (
        "utlending muslim flyktning innvandr asylsøk somalier polakk jød same samar homs homof svensk dansk russ litau romfolk sigøyn pakkis neger foreigners immigrants jews",
    ),
    ("hagl hagel gevær rifl kniv øks øksa balltre shotgun gun knife axe bat",),
)


_REQUIRED = tuple(
    frozenset((number, group) for group in range(len(groups))) for number, groups in enumerate(_NEEDS)
)


def _stems() -> tuple[dict[str, frozenset[tuple[int, int]]], dict[str, frozenset[tuple[int, int]]]]:
    """Short stems are whole words, longer ones beginnings."""
    whole: dict[str, set[tuple[int, int]]] = {}
    beginnings: dict[str, set[tuple[int, int]]] = {}
    for number, groups in enumerate(_NEEDS):
        for group, stems in enumerate(groups):
            for stem in stems.split():
                (beginnings if len(stem) > 2 else whole).setdefault(stem, set()).add((number, group))
    return {stem: frozenset(pairs) for stem, pairs in whole.items()}, {
        stem: frozenset(pairs) for stem, pairs in beginnings.items()
    }


_WHOLE, _BEGINNINGS = _stems()
_NOTHING: frozenset[tuple[int, int]] = frozenset()
_LONGEST = max(map(len, _BEGINNINGS))


@lru_cache(maxsize=60_000)
def enables(lower: str) -> frozenset[tuple[int, int]]:
    """The patterns, and the groups of their needs, that a word meets."""
    met = _WHOLE.get(lower, _NOTHING)
    for cut in range(3, min(len(lower), _LONGEST) + 1):
        more = _BEGINNINGS.get(lower[:cut])
        if more:
            met |= more
    return met


def possible(met: set[tuple[int, int]]) -> bool:
    """Some threat has all the words that it needs."""
    return any(required <= met for required in _REQUIRED)


def threats(text: str, met: set[tuple[int, int]]) -> list[Hit]:
    if not met:
        return []
    hits: list[Hit] = []
    for number, pattern in enumerate(_THREAT):
        if not _REQUIRED[number] <= met:
            continue
        hits.extend(
            (*_saying(text, match.start(), match.end()), "ABUSE", 0.85, "abuse.threat")
            for match in pattern.finditer(text)
        )
    return merged(hits, text)


_ADDRESSED = re.compile(r", (?:dere|du|din|ditt|dine|dokker|you|your)\b", re.IGNORECASE)


def _saying(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole saying around a threat: the quotation, or the sentence with its condition before it."""
    low = max((text.rfind(mark, max(0, start - 160), start) for mark in '"«“'), default=-1)
    if low >= 0:
        high = min(
            (place for place in (text.find(mark, end, end + 160) for mark in '"»”') if place >= 0), default=-1
        )
        between = text[low + 1 : start]
        if high >= 0 and not re.search(r"[\"»”\n]", between):
            return low + 1, high
    begin = max(text.rfind(mark, max(0, start - 120), start) for mark in ".!?\n:;(\ue000") + 1
    if begin == 0 and start > 120:
        begin = start
    stop = end
    limit = min(len(text), end + 80)
    while stop < limit and text[stop] not in '.!?\n;:)"»':
        # After a comma only an address to somebody still belongs to the threat.
        if text[stop] == "," and not _ADDRESSED.match(text, stop):
            break
        stop += 1
    if stop == limit and limit < len(text):
        stop = end
    for word in (" men ", " fordi ", " but "):
        cut = text.find(word, end, stop)
        if cut >= 0:
            stop = cut
    while begin < start and not text[begin].isalnum():
        begin += 1
    while stop > end and not text[stop - 1].isalnum():
        stop -= 1
    return begin, stop


def merged(hits: list[Hit], text: str) -> list[Hit]:
    out: list[Hit] = []
    for hit in sorted(hits):
        if out and (hit[0] <= out[-1][1] or not text[out[-1][1] : hit[0]].strip(" ,")):
            last = out[-1]
            out[-1] = (last[0], max(last[1], hit[1]), last[2], max(last[3], hit[3]), last[4])
        else:
            out.append(hit)
    return out
