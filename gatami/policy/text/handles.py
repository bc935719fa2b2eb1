"""User names, links to profiles and addresses of computers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from . import nearby
from .lexicon import grammar, word
from .nearby import Hit

_PROFILE = re.compile(
    r"(?<![\w@.-])(?:https?://)?(?:[a-z]{1,3}\.|www\.|mobile\.|open\.)?(?:facebook|fb|instagram|instagr|tiktok|snapchat|twitter|x|linkedin|youtube|youtu|threads|discord|discordapp|reddit|vk|bsky|pinterest|twitch|soundcloud|flickr|strava|github|"
    r"messenger|telegram|tg|whatsapp|signal|wa|m|t|onlyfans|vero|steamcommunity|fetlife|kick|jodel|ask|imgur|spotify|vipps|venmo|paypal|mastodon|yoga)\.(?:com|me|no|app|net|tv|gg|be|social|ly|ru|fm|bio)/[^\s<>\"'»)\],;]{1,200}",
    re.IGNORECASE,
)
# 'facebook punktum com skråstrek ...', 'instagram.com / ...'.
_SPOKEN_LINK = re.compile(
    r"(?<![\w@.-])(?:facebook|fb|instagram|tiktok|snapchat|twitter|linkedin|youtube|telegram|twitch|reddit|threads)"
    r"(?: ?\. ?| ?[(\[]?(?:dot|punktum|punktom|prikk)[)\]]? ?)(?:com|me|no|tv)(?: ?/ ?| ?(?:slash|skråstrek|skråstrekk) ?)@?\w[\w.-]{2,60}",
    re.IGNORECASE,
)
_SPOKEN_LINK_GATE = re.compile(r"(?:punktum|punktom|dot|prikk|slash|skråstrek| / )", re.IGNORECASE)
_MEMBER = re.compile(
    r"(?<![\w@.-])(?:https?://)?(?:[\w-]{1,30}\.){1,3}[a-z]{2,6}/(?:[\w.-]{1,30}/){0,2}(?:profile?|user|users|u|bruker|brukar|medlem|member|people|channel|c|profil/ads|@)(?:[/?=][\w.=&?/%-]{1,120}|(?<=@)(?=[\w.-]{0,30}[A-Za-z])[\w.-]{2,60})",
    re.IGNORECASE,
)
_AT_NAME = re.compile(r"@(?<![\w@./+-]@) ?(?=[\w.]{0,40}[^\W\d_])\w[\w.\-]{1,40}")
_FEDI = re.compile(r"@(?<![\w@]@)[\w.-]{1,40}@[\w-]{1,40}(?:\.[\w-]{2,20}){1,3}")
_DISCORD = re.compile(r"(?<![\w#])[\w.]{2,32}#\d{4}(?!\d)")
_REDDIT = re.compile(r"(?<![\w/.])/?u/[\w-]{3,24}(?![\w/])")
_CODED = re.compile(r"[A-Za-zÀ-ɏ](?<!\w.)[A-Za-zÀ-ɏ]{0,29}(?:-[A-Za-zÀ-ɏ]{1,20}){0,2}[0-9_.-]\w[\w.\-]{0,40}")
_SCORED = re.compile(r"(?<![\w@./#=&?+-])(?=[a-zæøå.]{2,30}_)\w{3,40}(?:\.\w{1,20}){0,2}(?![\w@/])")
_FILE = re.compile(
    r"\.(?:jpe?g|png|heic|pdf|mp4|mov|docx?|gif|webp|txt|xlsx?|zip|html?|php|py|csv)$", re.IGNORECASE
)
_I = r"(?:jeg|eg|æ|han|hun|hu|ho|hainn|de|dei|dæm|i|he|she|they)"
_IS = (
    rf"(?:er {_I}|e {_I}|heter {_I}|heiter {_I}|hete {_I}|heite {_I}|kaller {_I} (?:meg|seg)|kallar {_I} (?:meg|seg)|går {_I} under|(?:i am|i'm|he is|he's|she is|she's)"
    r"|er|e|is|heter|hete|heite|heiter|som heter|under navnet|under namnet|name|navnet|namnet|=>|->)"
)
_NAME = r"(?:[\"'«“]([\w][\w.\- ]{1,30}\w)[\"'»”]|(@?[\w][\w.\-]{2,40}))"
_OWN = r"(?: (?:min|mi|mitt|hans|hennes|hennar|hannes|deres|til ho|til han|te hainn|is))?"
_IS_NAMED = re.compile(
    rf"(?:['’]?e?n(?!\w))?(?:[- ]?(?:konto\w*|bruker\w*|profil\w*|navn\w*|account|name|brukar\w*))?{_OWN}(?:\s?[:=]|\s{_IS}(?!\w))\s{{0,2}}{_NAME}",
    re.IGNORECASE,
)
_NEXT = re.compile(
    rf"(?:['’]e?n(?!\w))?{_OWN}(?: (?:som|av|fra|under|as|me as))?[ (]{{1,2}}{_NAME}", re.IGNORECASE
)
_CALLED_ON = re.compile(
    rf"(?:heter|heiter|heite|hete|kaller seg|kallar seg|kalla seg|kalle sæ|går under navnet|går under|goes by|under navnet|is called|calls himself|calls herself|legg meg til|add meg|add me|addes?|finn meg|follow|følg|legges ut av|lagt ut av|posta av|postet av|posted by|hos)\s{{0,2}}{_NAME},? (?:på|on|at|i|as) ([^\W\d_]+)",
    re.IGNORECASE,
)
# The words that the two patterns above begin with.
_CALLERS = frozenset(
    [
        "heter",
        "heiter",
        "heite",
        "hete",
        "kaller",
        "kallar",
        "kalla",
        "kalle",
        "går",
        "goes",
        "under",
        "is",
        "calls",
        "legg",
        "add",
        "addes",
        "adde",
        "finn",
        "follow",
        "følg",
        "legges",
        "lagt",
        "posta",
        "postet",
        "posted",
        "hos",
    ]
)
_TAKE_ANY = frozenset({"kaller", "kallar", "kalla", "kalle", "går", "goes", "calls"})
_USERS = ("bruker", "brukar", "user", "profil", "konto", "kanal")
_WRITERS = frozenset({"skriver", "poster", "legger", "posts", "signerer", "signert", "kommenterer"})
_LETTERS = re.compile(r"[A-Za-zÀ-ɏ]+")
# Words that are verbs as well: 'han bruker rullator'.
_VERBS = frozenset(
    {"bruker", "user", "nick", "finn", "face", "login", "steam", "threads", "konto", "posts", "logs"}
)
_WRITES_AS = re.compile(
    rf"(?:skriver (?:under )?som|poster som|legger ut som|posts as|posts clips as|signerer som|signert|kommenterer som)\s{_NAME}",
    re.IGNORECASE,
)
_IPV4 = re.compile(
    r"(?<![\d.])(?:\d{1,3}(?:\.|\[\.\]|\(\.\)| (?:dot|punktum|prikk) | \. )){3}\d{1,3}(?::\d{2,5}|/\d{1,2})?(?![\d]|\.\d)"
)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%\w{1,8})?(?![\w:])", re.IGNORECASE)
_VERSION = re.compile(
    r"(?:versjon|version|v|ver|firmware|utgave|build|dato|punkt|kapittel|avsnitt|pkt|seksjon|del|§)\.? ?$",
    re.IGNORECASE,
)
_COMPUTER = re.compile(r"\bip\b|\bip-?a|nett|ruter|router|logg|server|address", re.IGNORECASE)
_OFFICIAL = re.compile(
    r"kommun(?:e|en|a|ane)?(?![a-zæøå])|politi(?:et)?(?![a-zæøå])|vegvesen|nrk|fylke|statens|brannvesen|trafikk|namdalsavisa|avisa|municipal|renovasjon|\bmna\b|gatami|brann(?:vakt|stasjon)|nav\b|marketplace|groups?/|events?/|/watch|hashtag|rådmann|ordfører|ordførar|kommunedirekt|alle\b|everyone|here\b|admin\b|teknisk|bydrift|share\.php|sharer|/r/|results\?",
    re.IGNORECASE,
)
_ROADLIKE = re.compile(
    r"(?:[efr]v?|fv|rv|kv|pv|ev|h|co|nr|kl|km|g|bk|l|s|p|f|m|c|d|t|ca|uke|hp|sd)[ .-]?\d{1,5}[a-z]?$|\d|(?:covid|nox|led|mp|pm|pst|ca|kl|nr|juli|mai|uke|tlf|mob|jan|feb|mars|apr|aug|sept?|okt|nov|des)[-.]?\d",
    re.IGNORECASE,
)
_SITE = re.compile(r"\.(?:no|com|net|org|io|se|dk|eu|uk)$", re.IGNORECASE)
_TWO_LETTERS = re.compile(r"[^\W\d_]{2}")
_ABBREVIATED = re.compile(r"(?:[^\W\d_]{1,2}\.){1,4}[^\W\d_]{0,3}$")
_CAMEL = re.compile(r"[a-zæøå][A-ZÆØÅ]")
_NAMED_SO = re.compile(
    r"\b(?:som|as|bruker(?:en|navn)?|brukar(?:en|namn)?|user|profil(?:en)?|kaller seg|heter|heiter)[ :]{1,2}$",
    re.IGNORECASE,
)
_SCORE_OR_DIGIT = re.compile(r"[\d_]")
_JOINED_BEFORE = frozenset("@/#=&?+.-")
_NORWEGIAN_PLATE = re.compile(r"[A-Z]{2}\d{4,5}$")
_LINK = re.compile(r"\w\.[A-Za-z]{2,6}/")
_MARKS = re.compile(r"[\d_.@]")
_NEAR_AFTER = 34


def handles(text: str, *, social: bool) -> Iterator[Hit]:
    if "/" in text:
        yield from _links(text)
    if social and _SPOKEN_LINK_GATE.search(text):
        for match in _SPOKEN_LINK.finditer(text):
            if not _OFFICIAL.search(match[0]):
                yield match.start(), match.end(), "HANDLE", 0.9, "handle.profile"
    if "@" in text:
        yield from _at_names(text)
    if "#" in text:
        for match in _DISCORD.finditer(text):
            yield match.start(), match.end(), "HANDLE", 0.85, "handle.shape"
    if "_" in text:
        for match in _SCORED.finditer(text):
            found = match[0].rstrip("_")
            if "_" in found and not _FILE.search(found) and not _OFFICIAL.search(found):
                yield match.start(), match.start() + len(found), "HANDLE", 0.8, "handle.shape"
    if social:
        yield from _called(text)
        yield from _coded(text)


def _links(text: str) -> Iterator[Hit]:
    for pattern in (_PROFILE, _MEMBER) if _LINK.search(text) else ():
        for match in pattern.finditer(text):
            end = match.end() - len(match[0]) + len(match[0].rstrip(".!?:"))
            if not _OFFICIAL.search(match[0]):
                yield match.start(), end, "HANDLE", 0.97, "handle.profile"
    for match in _REDDIT.finditer(text) if "u/" in text else ():
        name = match[0].rpartition("/")[2]
        # 'u/' is short for 'uten' as well: 'u/belysning'.
        lower = name.lower()
        if (
            _SCORE_OR_DIGIT.search(name)
            or _NAMED_SO.search(text, max(0, match.start() - 24), match.start())
            or "reddit" in text.lower()
            or not (word(lower).plain or grammar(lower).sorts)
        ):
            yield match.start(), match.end(), "HANDLE", 0.9, "handle.profile"


def _at_names(text: str) -> Iterator[Hit]:
    for match in _FEDI.finditer(text):
        yield match.start(), match.end(), "HANDLE", 0.97, "handle.at"
    for match in _AT_NAME.finditer(text):
        found = match[0].rstrip(".-")
        if found[1] == " " and not _SCORE_OR_DIGIT.search(found):
            continue
        if len(found) > 2 and not _OFFICIAL.search(found):
            yield match.start(), match.start() + len(found), "HANDLE", 0.95, "handle.at"


def computers(text: str) -> Iterator[Hit]:
    """IP addresses, which lead to a person where a provider knows the line (CJEU C-582/14, Breyer)."""
    for match in _IPV4.finditer(text):
        parts = [int(part) for part in re.findall(r"\d+", re.sub(r"[:/]\d+$", "", match[0]))]
        left = text[max(0, match.start() - 40) : match.start()]
        if max(parts) > 255 or _VERSION.search(left):
            continue
        # Numbers of chapters and dates are small; addresses seldom are, unless they are called so.
        if max(parts) > 31 or parts[0] == 10 or _COMPUTER.search(left):
            yield match.start(), match.end(), "HANDLE", 0.9, "handle.ip"
    if text.count(":") < 2:
        return
    for match in _IPV6.finditer(text):
        found = match[0].partition("%")[0]
        groups = [group for group in found.split(":") if group]
        many = (
            len(groups) >= 3 and found.count(":") >= 3 and any(len(g) > 2 or not g.isdigit() for g in groups)
        )
        if many or ("::" in found and groups and len("".join(groups)) > 3):
            yield match.start(), match.end(), "HANDLE", 0.9, "handle.ip"


@lru_cache(maxsize=20_000)
def _role(form: str) -> int:
    """What a word begins: 1 'skriver som', 2 'heter ... på insta', 4 the name of a service."""
    lower = form.lower()
    begins = 1 if lower in _WRITERS else 2 if lower in _CALLERS else 0
    return begins | (4 if nearby.cue(lower) & nearby.SERVICE else 0)


def _called(text: str) -> Iterator[Hit]:
    """Names behind 'snap:', 'heter ... på insta', 'brukeren ...' and their like."""
    for found in _LETTERS.finditer(text):
        role = _role(found[0])
        if not role:
            continue
        lower = found[0].lower()
        if role & 1:
            yield from _name(_WRITES_AS.match(text, found.start()), sure=True)
        elif role & 2:
            called = _CALLED_ON.match(text, found.start())
            if called is not None and nearby.cue(called[3].lower()) & nearby.SERVICE:
                yield from _name(
                    called,
                    sure=True,
                    named=lower in _TAKE_ANY and "går under " not in called[0].replace("under na", ""),
                )
        if role & 4:
            match = _IS_NAMED.match(text, found.end())
            if match is not None:
                yield from _name(match, sure=True)
            elif lower not in _VERBS:
                match = _NEXT.match(text, found.end())
                quoted = match is not None and match[1] is not None and lower.startswith(_USERS)
                yield from _name(match, sure=quoted)


def _name(match: re.Match[str] | None, *, sure: bool, named: bool = False) -> Iterator[Hit]:
    """The name in a match, where it can be one; `sure` where the text says that a name follows."""
    if match is None:
        return
    group = 1 if match[1] else 2
    found = match[group].rstrip(".-")
    if len(found) < 3 or _OFFICIAL.search(found) or _ROADLIKE.match(found) or _SITE.search(found):
        return
    if named or (group == 1 and sure) or _username(found, loose=not sure):
        yield match.start(group), match.start(group) + len(found), "HANDLE", 0.85, "handle.cue"


def _username(found: str, *, loose: bool) -> bool:
    """Not a word of the language: a user name, or a name."""
    if _MARKS.search(found):
        return _TWO_LETTERS.search(found) is not None and not _ABBREVIATED.match(found)
    entry = word(found.lower())
    if loose:
        # Beside the word for a service alone, only what no list knows.
        return (
            not (entry.plain or entry.given or entry.surname or entry.place or entry.organisation)
            and len(found) > 4
            and (found.islower() or _CAMEL.search(found) is not None)
        )
    return not entry.plain or entry.given > 1


def _coded(text: str) -> Iterator[Hit]:
    """What is shaped like a user name, near a word about social media."""
    for match in _CODED.finditer(text):
        if match.start() and text[match.start() - 1] in _JOINED_BEFORE:
            continue
        found = match[0].rstrip(".-_")
        if text[match.end() : match.end() + 1] in ("@", "/") or not _shaped(found):
            continue
        told = nearby.before(text, match.start(), 60)
        after = _LETTERS.findall(text[match.end() : match.end() + _NEAR_AFTER].lower())
        if nearby.near(told, nearby.SERVICE, 8) or any(nearby.cue(w) & nearby.SERVICE for w in after[:5]):
            yield match.start(), match.start() + len(found), "HANDLE", 0.85, "handle.shape"


def _shaped(found: str) -> bool:
    """Letters with digits, underscores or dots among them, and neither a road, a file, a site nor a slip between two words."""
    if (
        len(found) < 4
        or not _TWO_LETTERS.search(found)
        or _ROADLIKE.match(found)
        or _NORWEGIAN_PLATE.match(found)
    ):
        return False
    if _OFFICIAL.search(found) or _SITE.search(found) or _FILE.search(found) or _ABBREVIATED.match(found):
        return False
    if _SCORE_OR_DIGIT.search(found):
        return True
    first, last = found.lower().partition(".")[0], found.lower().rpartition(".")[2]
    return "." in found and not found[0].isupper() and not (word(last).plain and not word(first).given)
