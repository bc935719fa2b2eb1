"""Insults and slurs: words of contempt aimed at a person or a group. Cursing at the road is not abuse."""

from __future__ import annotations

from .clauses import QUOTES, YOU, verbal, words_of
from .identifiers import Hit
from .people import Tokens
from .threats import merged
from .topics import Topic

_TARGET_NOUN = words_of(
    "sjåføren brøytesjåføren saksbehandler saksbehandleren saksbehandlere sakshandsamar ordfører ordføreren ordføraren rådmann rådmannen kommunedirektøren sjefen politikere politikerne politikarar politikarane politikeran byråkrater byråkratar byråkratene naboen folkene folka kommunefolk kommunefolka administrasjonen dama mannen fyren karen gubben kjerringa "
    "the_guy driver mayor boss council workers gjengen gjeng bunch"
)
_MYSELF = words_of("jeg eg æ æg je i vi we me")
_SOME = words_of("noen nokre nokon nån en ein ei gjeng bunch a jo så bare rett slett virkelig")
_CHARACTER = words_of(
    "feige late udugelige udugelege udugelig lazy korrupte løgnaktige patetiske inkompetente falske arrogante frekke stupid useless incompetent corrupt pathetic dumme sjofle usle spineless"
)
_COPULA = words_of("er e are is were var va blir being r")
_CALLS = words_of(
    "kaller kalla kalte kallar ropte ropa roper ropar skrek skreik skrev skreiv called calling calls shouted yelled kallt kalt stod sto står tagget tagga"
)
_PEOPLE_NOUN = words_of(
    "folk dame dama mann mannen gubbe gubber kjerring kjerringa kjerringer fyr unge unger sjåfør sjåføren sjåfører saksbehandler politiker politikere politikarar byråkrat byråkrater sjef ordfører nabo naboen naboer arbeider kommunefolk people guys driver woman man bunch gjeng kommunearbeidere brøytesjåfør lady drittunge snømåker svenske"
)


def abuse(
    found: Tokens,
    roles: dict[int, str],
    marks: list[Topic | None],
    begin: int,
    end: int,
    triggers: list[tuple[int, int, str]],
) -> list[Hit]:
    lower = found.lower
    at: dict[str, set[int]] = {}
    for first, last, flag in triggers:
        if flag.startswith("abuse"):
            at.setdefault(flag[6:], set()).update(range(first, last + 1))
    if not at:
        return []
    slur, beast, mild = (
        at.get("slur", set()),
        at.get("beast", set()),
        at.get("mild", set()) | at.get("milder", set()),
    )
    milder, curse, group = at.get("milder", set()), at.get("curse", set()), at.get("group", set())
    spots: list[tuple[int, str, float]] = []
    # 'Du' and 'dere' alone speak to somebody; 'late' in English and 'gal' in a phrase need them.
    spoken = {i for i in range(begin, end) if lower[i] in YOU}
    about = {
        i
        for i in range(begin, end)
        if (roles.get(i, "") in ("P", "K", "N", "D") and lower[i] not in _MYSELF) or lower[i] in _TARGET_NOUN
    }
    spots.extend((i, "abuse.slur", 0.9) for i in sorted(slur))
    for i in sorted(beast):
        near = lower[max(begin, i - 4) : i]
        straight = any(
            word
            in (
                "din",
                "ditt",
                "dine",
                "dere",
                "dokker",
                "you",
                "your",
                "jævla",
                "jævlige",
                "jevla",
                "fucking",
                "helvetes",
                "satans",
                "faens",
                "stupid",
                "lazy",
                "feite",
                "feit",
                "late",
                "gamle",
                "stygge",
                "forbanna",
                "dirty",
                "filthy",
            )
            for word in near
        )
        copula = any(word in _COPULA for word in near) and any(
            j in spoken or j in about for j in range(max(begin, i - 6), i)
        )
        alone = i == begin or (i - begin <= 2 and end - i <= 2)
        if straight or copula or (alone and any(j in spoken for j in range(begin, end))):
            spots.append((i, "abuse.insult", 0.8))
    # 'Den feite kjerringa', 'gamle gris': the noun makes it an insult.
    spots.extend(
        (i + 1, "abuse.insult", 0.8)
        for i in sorted(mild | curse)
        if i + 1 < end
        and (
            i + 1 in beast
            or i + 1 in slur
            or lower[i + 1].startswith(("kjerring", "kjærring", "gubb", "hurp", "mannfolk"))
        )
    )
    for i in sorted(curse):
        after = range(i + 1, min(end, i + 3))
        if any(j in group or lower[j] in _PEOPLE_NOUN for j in after):
            spots.append((i, "abuse.group" if any(j in group for j in after) else "abuse.insult", 0.85))
    for i in sorted(mild):
        close = range(max(begin, i - 5), i)
        if lower[i - 1] in ("din", "ditt", "your") if i > begin else False:
            spots.append((i, "abuse.insult", 0.75))
            continue
        second = any(j in mild | curse and j != i for j in range(max(begin, i - 4), min(end, i + 5)))
        if (
            lower[i - 1] in ("dere", "dokker", "dykk", "you", "du")
            and i > begin
            and i + 1 < end
            and (
                second
                or lower[i + 1] in _PEOPLE_NOUN
                or (
                    lower[i - 1] in ("you", "du")
                    and roles.get(i + 1, "") == ""
                    and found.words[i + 1][0].isalpha()
                )
            )
            and i not in milder
        ):
            spots.append((i, "abuse.insult", 0.75))
        elif (
            any(lower[j] in _COPULA for j in close)
            and any(j in spoken for j in range(max(begin, i - 6), i))
            and (second or (any(lower[j] in ("du", "you") for j in close) and i not in milder))
        ):
            spots.append((i, "abuse.insult", 0.7))
        elif (
            any(lower[j] in _COPULA for j in close)
            and second
            and any(j in about for j in range(max(begin, i - 6), i))
            and i not in milder
            and not any(roles.get(j) == "X" for j in close)
        ):
            spots.append((i, "abuse.insult", 0.65))
    for i in sorted(mild | curse):
        if any(mark[0] == i for mark in spots):
            continue
        low = lower[max(begin, i - 4) : i]
        # 'Dere er noen late …', 'for noen udugelige …': said straight to somebody, whatever noun follows.
        straight = (
            any(form in _COPULA for form in low)
            and any(form in _SOME for form in low)
            and any(j in spoken for j in range(max(begin, i - 7), i))
        )
        outcry = (
            i - begin <= 4
            and lower[begin] in ("for", "what", "slike", "sånne", "såne", "such")
            and any(form in _SOME for form in low)
        )
        if (
            (straight or outcry)
            and i not in milder
            and i + 1 < end
            and not any(roles.get(j) == "X" for j in range(max(begin, i - 6), i))
        ):
            spots.append((i, "abuse.insult", 0.7))
        elif (
            lower[i] in _CHARACTER
            and i == begin
            and end - begin <= 5
            and i + 1 < end
            and found.words[i + 1][0].isalpha()
        ):
            spots.append((i, "abuse.insult", 0.65))
    hits = []
    for i, rule, confidence in spots:
        a, b = _insult_span(found, roles, begin, end, i, mild | curse | slur | beast)
        hits.append((found.starts[a], found.end(b), "ABUSE", confidence, rule))
    return merged(hits, found.text)


def _insult_span(
    found: Tokens, roles: dict[int, str], begin: int, end: int, i: int, words_of_contempt: set[int]
) -> tuple[int, int]:
    lower, words = found.lower, found.words
    # Inside quotation marks the whole saying is the insult.
    low = i - 1
    while low >= max(begin, i - 25) and words[low] not in QUOTES:
        low -= 1
    high = i + 1
    while high < min(len(words), i + 25) and words[high] not in QUOTES:
        high += 1
    if (
        low >= max(begin, i - 25)
        and high < min(len(words), i + 25)
        and words[low] in QUOTES
        and words[high] in QUOTES
        and high - low > 1
    ):
        opens = words[low] in '«“"' and (
            low == 0 or found.starts[low] > found.end(low - 1) or words[low - 1] in ":(,"
        )
        if opens:
            return low + 1, high - 1
    start = i
    while start > begin:
        role = roles.get(start - 1, "")
        if role == "B":
            break
        if role == ",":
            if start in words_of_contempt and start - 2 in words_of_contempt:
                start -= 1
                continue
            break
        if role == "C" and lower[start - 1] not in ("for", "så", "om"):
            break
        if role == "A" and roles.get(start, "") in ("P", "K", "V", "N", "X", "D"):
            break
        if role == "N":
            break
        if lower[start - 1] in _CALLS:
            break
        start -= 1
    while start < i and (
        lower[start] in _CALLS
        or lower[start] in ("og", "and", "så")
        or (roles.get(start) == "O" and start + 1 < i and lower[start - 1] in _CALLS)
        if start
        else False
    ):
        start += 1
    if start > begin and lower[start - 1] in _CALLS:
        while start < i and (
            roles.get(start, "") in ("O", "K", "P", "M", "N", "D")
            or lower[start]
            in ("en", "ei", "ein", "for", "etter", "sønnen", "me", "a", "an", "at", "til", "dattera")
        ):
            start += 1
    stop = i
    acts = any(roles.get(j) == "V" for j in range(start, i))
    while stop + 1 < end:
        role = roles.get(stop + 1, "")
        if (
            not acts
            and stop > i
            and (
                role == "V"
                or lower[stop + 1] in ("la", "ga", "gadd", "gidder", "hang", "svarte", "sa", "tok")
            )
        ):
            # 'Den late kua på kontoret la på': what she did is no insult.
            break
        if role == "B" or (role == "C" and lower[stop + 1] not in ("for", "om", "når", "der")):
            break
        if role == "C" and lower[stop + 1] in ("når", "der", "om"):
            break
        if role == ",":
            if stop + 2 < end and (
                stop + 2 in words_of_contempt
                or (
                    end - stop <= 5
                    and any(lower[j] in YOU for j in range(start, stop))
                    and roles.get(stop + 2, "") not in ("P", "V", "X", "C", "A")
                )
            ):
                stop += 1
                continue
            break
        if role == "A" and (roles.get(stop + 2, "") in ("P", "K", "V", "X", "D") or verbal(found, stop + 2)):
            break
        if roles.get(stop + 1) == "P" and stop + 2 < end and roles.get(stop + 2) == "V":
            break
        stop += 1
    while stop > i and not words[stop][0].isalnum():
        stop -= 1
    return start, stop
