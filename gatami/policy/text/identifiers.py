"""Numbers, addresses and names of accounts: whatever has a shape of its own.

Every pattern is linear: repetitions are bounded and no two neighbours can read the same character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn
from stdnum.no import fodselsnummer, kontonr

Hit = tuple[int, int, str, float, str]

_NOT_DIGITS = re.compile(r"\D")

# --- e-mail -----------------------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+'-]{1,64} ?@ ?[\w-]{1,63}(?: ?[.,] ?[\w-]{2,63}|\.[\w-]{1,63}){1,5}")
_DOT_WORD = r"(?:dot|punktum|punkt|prikk|pkt|dott)"
_AT = re.compile(
    r"[(\[{<] ?(?:at|a|@|krøllalfa|krøll-alfa|alfakrøll|snabel-?a|ætt|krullalfa) ?[)\]}>]|\b(?:krøllalfa|krøll-?alfa|krøll alfa|alfakrøll|alfa krøll|alfa-krøll|snabel-?a|krullalfa|krøllalpha)\b|(?<=\s)(?:at|ætt)(?=\s)",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[(\[{<] ?(?:at|a|@|ætt)\b|[(\[{<] ?@", re.IGNORECASE)
_DOT = rf"(?:\s?[(\[{{<]\s?(?:{_DOT_WORD}|\.)\s?[)\]}}>]\s?|\s{_DOT_WORD}\s|\s?[.,]\s?)"
_LOCAL = re.compile(
    rf"(?<![\w.+-])[\w+-]{{1,40}}(?:(?:\.|_|\s?[(\[{{]\s?{_DOT_WORD}\s?[)\]}}]\s?|\s{_DOT_WORD}\s)[\w+-]{{1,40}}){{0,4}}\s{{0,2}}$",
    re.IGNORECASE,
)
_DOMAIN = re.compile(rf"\s{{0,2}}[\w-]{{1,40}}(?:{_DOT}[\w-]{{2,40}}){{1,3}}", re.IGNORECASE)
_DOMAIN_PLAIN = re.compile(r"\s{0,2}[\w-]{1,40}(?:\.[\w-]{2,40}){1,3}", re.IGNORECASE)
_TOP = re.compile(
    r"(?:com|no|net|org|se|dk|fi|pl|lt|lv|ee|de|uk|co|eu|io|me|info|name|online|as|cc|tv|us|es|fr|it|nl|ua|is|email|live|kommune)$",
    re.IGNORECASE,
)
_MAIL_CUE = re.compile(
    r"(?:e-?post|mail|epost|skriv til|kontakt|contact|svar til|reach|adr)\b", re.IGNORECASE
)
_OFFICE_BOX = re.compile(
    r"^(?:post|postmottak|firmapost|servicetorg\w*|servicekontor\w*|info|kontakt|contact|teknisk|drift|vakt\w*|support|kundeservice|kundesenter|resepsjon|"
    r"noreply|no-reply|ikke-svar|redaksjon\w*|tips|help|hjelp|office|mail|admin|webmaster|byggesak|vann|vei|veg|renovasjon|personvernombud\w*|personvern|arkiv|faktura|booking)@",
    re.IGNORECASE,
)
_PROVIDER = re.compile(r"gmail|hotmail|outlook|yahoo|online|icloud|live|proton", re.IGNORECASE)


def emails(text: str, *, disguised: bool) -> Iterator[Hit]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            found = match[0]
            if _OFFICE_BOX.match(found.replace(" ", "")):
                continue
            end = match.end()
            if " " in found or "," in found:
                # Blanks and commas are slips of the keyboard only where a known ending follows.
                parts = re.split(r"( ?[.,] ?)", found)
                while len(parts) > 3 and (" " in parts[-2] or "," in parts[-2]) and not _TOP.match(parts[-1]):
                    end -= len(parts.pop()) + len(parts.pop())
                tail = parts[-1]
                if (" " in parts[-2] or "," in parts[-2]) and not _TOP.match(tail):
                    continue
            yield match.start(), end, "EMAIL", 1.0, "email.shape"
    if not disguised and _BRACKETED.search(text) is None:
        return
    for anchor in _AT.finditer(text):
        bare = anchor[0].lower() in ("at", "ætt")
        window = text[max(0, anchor.start() - 90) : anchor.start()]
        local = _LOCAL.search(window)
        domain = _DOMAIN.match(text, anchor.end())
        if local is None or domain is None:
            continue
        parts = re.split(_DOT, domain[0].strip(), flags=re.IGNORECASE)
        end = domain.end()
        while len(parts) > 2 and not _TOP.match(parts[-1]):
            cut = domain[0].rstrip().rfind(parts[-1])
            shorter = re.sub(rf"{_DOT}$", "", domain[0][:cut], flags=re.IGNORECASE)
            end = domain.start() + len(shorter)
            parts.pop()
        if not _TOP.match(parts[-1]):
            continue
        start = max(0, anchor.start() - 90) + local.start()
        if bare:
            words = re.search(rf"\b{_DOT_WORD}\b|[(\[]", text[start:end], re.IGNORECASE)
            if not (words or _PROVIDER.match(parts[0]) or _MAIL_CUE.search(text[max(0, start - 25) : start])):
                continue
        if _OFFICE_BOX.match(local[0].strip() + "@"):
            continue
        yield start, end, "EMAIL", 0.95, "email.disguised"


# --- long numbers -----------------------------------------------------------------------------------------------------

_SEP = r"[ .\-\n/]"
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ .-]?[A-Z0-9]{1,4}){2,9}\b", re.IGNORECASE)
_NO_IBAN = re.compile(r"\bNO ?\d{2}(?:[ .-]?\d){11}(?!\d)", re.IGNORECASE)
_CARD = re.compile(r"(?<![\d.,])\d{4}(?:[ -]?\d{4}){3}(?![ -]?\d)")
_ELEVEN = re.compile(rf"(?<![\d,+])\d(?:{_SEP}{{0,2}}\d){{10}}(?!\d|[.,/-]\d)")
_ACCOUNT_SHAPE = re.compile(r"\d{4}([ .])\d{2}\1\d{5}$")
_ACCOUNT_CUE = re.compile(
    r"kont(?:o|onr|onummer\w*|oen|oa)\b|\bacc(?:oun)?t\b|\biban\b|utbetal|overfør|innbetal|\bbank",
    re.IGNORECASE,
)
_ID_CUE = re.compile(
    r"f[øo]dsels?(?:s?n\w*|s?nummer\w*)|person ?n(?:umme)?r\w*|personnummer\w*|f\.? ?nr|\bfnr|d-?(?:nr|nummer\w*|number)\b|national i|\bid[- ]?n|\bssn\b|\bpnr\b",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    r"\b(?:\w*mast|nettstasjon\w*|måla?r\w*|merk(?:et|a|t)|vassmåla?r\w*|stolpe\w*|stolp\w*|mast\w*|lykt\w*|lyspunkt\w*|kum\w*|hydrant\w*|trafo\w*|skap\w*|sak\w*|saks\w*|journal\w*|ref\w*|referanse\w*|ordre\w*|order|case|pole|meter|lamp\w*|"
    r"faktura\w*|invoice|kid|orgn?\w*|org\.?|organisasjons\w*|serien\w*|serie\w*|serial|varenr|artikkel\w*|gsrn|ean|imei|sporing\w*|pakke\w*|tracking|sensor\w*|lnr|løpenr|dunk\w*|container\w*|konteiner\w*|"
    r"gnr|bnr|versjon|version|modell|vegkart|objekt\w*|nvdb\w*|id|skilt(?:nr|nummer)|anlegg\w*|brønn\w*|vassmålar\w*|brunn\w*|rute|linje|kode|kr|kroner|pris\w*|kvitt\w*|billett\w*|kart\w*|utm\w*|koord\w*|isbn|kl)"
    r"[\s.:#()]{0,3}(?:n(?:r|ummer|ummeret|o)\b)?[\s.:#()]{0,3}(?:er|e|is|på|står|var|heter|:)?[\s.:#]{0,2}(?:[\d ]{4,12}(?:, ?| og | å | and | eller )){0,3}$",
    re.IGNORECASE,
)


def _digits(found: str) -> str:
    return _NOT_DIGITS.sub("", found)


def _date_shaped(digits: str) -> bool:
    day, month = int(digits[:2]), int(digits[2:4])
    return (1 <= day <= 31 or 41 <= day <= 71) and (
        1 <= month <= 12 or 41 <= month <= 52 or 66 <= month <= 77 or 81 <= month <= 92
    )


def _classic_control(digits: str) -> bool:
    """Both control digits of a national identity number, whatever the day and the month were raised by."""
    first = sum(int(a) * b for a, b in zip(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), strict=False)) % 11
    second = sum(int(a) * b for a, b in zip(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), strict=True)) % 11
    return first in (0, 1, 2, 3) and second == 0


def long_numbers(text: str) -> Iterator[Hit]:
    for match in _NO_IBAN.finditer(text):
        if iban.is_valid(re.sub(r"[\W_]", "", match[0])) or _ACCOUNT_CUE.search(
            text[max(0, match.start() - 30) : match.start()]
        ):
            yield match.start(), match.end(), "ACCOUNT", 1.0, "account.iban"
    for match in _IBAN.finditer(text):
        end = match.end()
        for _ in range(4):
            squeezed = re.sub(r"[\W_]", "", text[match.start() : end])
            if len(squeezed) < 15:
                break
            if iban.is_valid(squeezed):
                yield match.start(), end, "ACCOUNT", 1.0, "account.iban"
                break
            cut = text.rfind(" ", match.start(), end)
            if cut < 0:
                break
            end = cut
    for match in _CARD.finditer(text):
        if luhn.is_valid(_digits(match[0])):
            yield match.start(), match.end(), "ACCOUNT", 0.95, "account.card"
    for match in _ELEVEN.finditer(text):
        if match[0].count("\n") > 2:
            continue
        digits = _digits(match[0])
        before = text[max(0, match.start() - 40) : match.start()]
        id_cue, account_cue = _last(_ID_CUE, before), _last(_ACCOUNT_CUE, before)
        other = _OTHER_NUMBER.search(before) is not None
        dated = _date_shaped(digits)
        control = dated and _classic_control(digits)
        account = kontonr.is_valid(digits)
        if account and _ACCOUNT_SHAPE.match(match[0]) and not id_cue:
            yield match.start(), match.end(), "ACCOUNT", 0.95, "account.control"
        elif (control and account_cue <= id_cue) or (control and not account_cue):
            yield (
                match.start(),
                match.end(),
                "NATIONAL_ID",
                1.0 if fodselsnummer.is_valid(digits) else 0.95,
                "id.control",
            )
        elif id_cue > account_cue:
            yield match.start(), match.end(), "NATIONAL_ID", 0.9, "id.cue"
        elif account_cue or _ACCOUNT_SHAPE.match(match[0]):
            yield (
                match.start(),
                match.end(),
                "ACCOUNT",
                0.95 if account else 0.8,
                "account.control" if account else "account.cue",
            )
        elif other:
            continue
        elif account and not dated:
            yield match.start(), match.end(), "ACCOUNT", 0.85, "account.control"
        elif dated:
            yield match.start(), match.end(), "NATIONAL_ID", 0.7, "id.date"


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Where the last match ends, 0 without one: the nearer cue wins."""
    end = 0
    for match in pattern.finditer(text):
        end = match.end()
    return end


_SHORT_ID = re.compile(
    r"(?:personn(?:umme)?r|personnummer(?:et)?|fødselsn(?:umme)?r|fnr)(?: mitt| hans| hennes| er| e|:|\.){0,3} {0,2}(\d{5}|\d{6})(?![\d.,])",
    re.IGNORECASE,
)


def short_ids(text: str) -> Iterator[Hit]:
    for match in _SHORT_ID.finditer(text):
        yield match.start(1), match.end(1), "NATIONAL_ID", 0.8, "id.cue"


# --- phone numbers ----------------------------------------------------------------------------------------------------

_PSEP = r"[ .\-\n\t/]{0,2}"
_PHONE = re.compile(
    rf"(?<![\d,+])(?<!\d[./-])(?:[(]?(?:\+|00) ?47[)]?{_PSEP}|47 ?(?=[2-9]))?([2-79])(?:{_PSEP}\d){{7}}(?!\d|[.,:/-]\d)"
)
_PHONE_47 = re.compile(rf"(?<![\d,])[(]?(?:\+|00) ?47[)]?{_PSEP}\d(?:{_PSEP}\d){{7}}(?!\d)")
_PHONE_ABROAD = re.compile(r"(?<![\d,\w])[(]?(?:\+|00)[1-9]\d{0,2}[)]?(?:[ .\-()/]{0,2}\d){6,12}(?!\d)")
_DATE = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])[ ./-]{1,2}(?:0?[1-9]|1[0-2])[ ./-]{1,2}(?:19|20)\d\d$|(?:19|20)\d\d[ ./-]?(?:0[1-9]|1[0-2])[ ./-]?(?:0[1-9]|[12]\d|3[01])$"
)
_PHONE_CUE = re.compile(
    r"\b(?:tlf|telefon\w*|tel|mob|mobil\w*|ring\w*|nummer\w*|num+ere?t?|sms|vipps\w*|call|phone|ph|cell|text|nås|nå meg|treffes|kontakt\w*|contact|whatsapp|signal|nr mitt|nr hans|tlfnr|t:|m:|melding)\b|[☎📞📱]",
    re.IGNORECASE,
)
_OFFICE_PHONE = re.compile(
    r"\b(?:kommunen?s?|kommunehus\w*|kommuna|vakttelefon\w*|vakta|vaktnummer\w*|døgnvakt\w*|sentralbord\w*|servicetorg\w*|servicekontor\w*|legevakt\w*|vegvesen\w*|vegtrafikksentral\w*|trafikksentral\w*|kundeservice\w*|kundesenter\w*|politi\w*|brannvesen\w*|"
    r"giftinformasjon\w*|viltnemnd\w*|avfallsselskap\w*|teknisk vakt|municipality|switchboard|emergency|nav|tensio|nte|mesta|firma\w*|helseforetak\w*|sykehus\w*|sjukehus\w*)\b",
    re.IGNORECASE,
)
_MONEY_AFTER = re.compile(
    r" ?(?:kr\b|kroner|,-|nok\b|mill|m2|m²|kvm|km\b|meter|liter|kwh|kg\b|tonn|stk)", re.IGNORECASE
)
_MORE_DIGITS = re.compile(r"(?: \d{1,5}){0,4}(?![\d])|")
_GROUPINGS = frozenset(
    {
        "8",
        "3 2 3",
        "2 2 2 2",
        "4 4",
        "3 5",
        "2 3 3",
        "5 3",
        "2 6",
        "1 1 1 1 1 1 1 1",
        "3 3 2",
        "2 2 4",
        "4 2 2",
        "1 3 2 2",
        "2 4 2",
    }
)


def phones(text: str, open_digits: frozenset[str]) -> Iterator[Hit]:
    if "+" in text or "00" in text:
        for match in _PHONE_47.finditer(text):
            if _digits(match[0])[-8:] not in open_digits:
                yield match.start(), match.end(), "PHONE", 1.0, "phone.shape"
        for match in _PHONE_ABROAD.finditer(text):
            double_zero = match[0].startswith("00")
            if double_zero and (
                len(_digits(match[0])) < 10
                or _OTHER_NUMBER.search(text[max(0, match.start() - 40) : match.start()])
            ):
                continue
            if _digits(match[0])[-8:] not in open_digits:
                yield match.start(), match.end(), "PHONE", 0.95, "phone.abroad"
    for match in _PHONE.finditer(text):
        found = match[0]
        digits = _digits(found)
        if digits[-8:] in open_digits or _DATE.match(found.strip()):
            continue
        before = text[max(0, match.start() - 40) : match.start()]
        if digits.endswith("0000") and digits[0] in "23567" and len(digits) == 8:
            # Numbers such as 74 28 00 00 are the switchboards of public bodies and firms.
            continue
        prefixed = found.lstrip("(")[0] in "+0" or (len(digits) == 10)
        own = found[match.start(1) - match.start() :]
        groups = [str(len(group)) for group in re.split(r"\D+", own)]
        cue = _PHONE_CUE.search(before[-28:]) is not None
        if _OTHER_NUMBER.search(before) and not (prefixed and "+" in found):
            continue
        tail_digits = sum(map(str.isdigit, _MORE_DIGITS.match(text, match.end())[0]))  # type: ignore[index]
        if 0 < tail_digits < 8 and not cue:
            continue
        if not cue and not prefixed:
            if " ".join(groups) not in _GROUPINGS or _MONEY_AFTER.match(text, match.end()):
                continue
            if ("." in own or "-" in own or "/" in own) and groups not in (
                ["3", "2", "3"],
                ["2", "2", "2", "2"],
                ["4", "4"],
            ):
                continue
            if groups == ["2", "3", "3"] and digits.endswith("000"):
                continue
            if groups == ["4", "4"] and "-" in own and digits[:2] in ("19", "20"):
                continue
        if _OFFICE_PHONE.search(before[-34:]) and "min" not in before[-12:]:
            tail = before[_last(_OFFICE_PHONE, before) :]
            if not re.search(r"[.!?;]\s|\b(?:meg|me|mæ|mitt|naboen|hans|hennes|privat)\b", tail):
                continue
        yield (
            match.start(),
            match.end(),
            "PHONE",
            0.97 if cue or prefixed else 0.9,
            "phone.cue" if cue else "phone.shape",
        )


_ONES = "null|nill|en|én|ein|ett|et|eitt|to|tre|tri|fire|fir|fem|seks|sju|syv|sjau|sju|åtte|otte|åtta|ni|zero|oh|one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ti|elleve|tolv|tretten|fjorten|femten|seksten|sytten|atten|nitten"
_TENS = "tjue|tyve|tretti|tredve|førti|femti|seksti|sytti|åtti|nitti|førr"
_SPELLED = re.compile(
    rf"(?<![\w])(?:(?:(?:{_TENS})(?:og)?(?:{_ONES})?|{_TEENS}|{_ONES}|\d{{1,3}})(?![\w])[ ,.\-–\n]{{0,3}}){{4,24}}",
    re.IGNORECASE,
)
_TEN_WORD = re.compile(rf"(?:{_TENS})(?:og)?(?:{_ONES})?$|(?:{_TEENS})$", re.IGNORECASE)


def spelled_numbers(text: str) -> Iterator[Hit]:
    """Numbers written in words, or in words and digits."""
    for match in _SPELLED.finditer(text):
        found = match[0].rstrip(" ,.-–\n")
        count = words = 0
        parts = re.findall(r"\w+", found)
        after_ten = False
        for part in parts:
            if part.isdigit():
                count += len(part)
                after_ten = False
            elif _TEN_WORD.match(part):
                count += 2
                words += 1
                after_ten = part.lower() in _TENS.split("|")
            else:
                # 'nitti to' is one number of two digits.
                count += 0 if after_ten else 1
                after_ten = False
                words += 1
        if words < 2:
            continue
        end = match.start() + len(found)
        cue = _PHONE_CUE.search(text[max(0, match.start() - 30) : match.start()])
        if count == 11:
            yield match.start(), end, "NATIONAL_ID", 0.85, "id.words"
        elif count in (8, 10, 12) or (7 <= count <= 13 and cue):
            yield match.start(), end, "PHONE", 0.9, "phone.words"


# --- number plates ----------------------------------------------------------------------------------------------------

_PLATE = re.compile(
    r"(?<![\w-])([A-HJ-NP-Za-hj-np-z]{2})([ .\-–]{0,2})(\d(?: {0,2}\d){3,4})(?![\w]|[.,:/-]\d| \d)"
)
_PLATE_SPREAD = re.compile(
    r"(?<![\w-])([A-HJ-NP-Z]) ([A-HJ-NP-Z]) {0,2}(\d(?: {0,2}\d){3,4})(?![\w]|[.,:/-]\d)"
)
_PLATE_FOREIGN = re.compile(
    r"(?<![\w-])(?:[A-Z]{3} ?\d{2}[A-Z0-9]|[A-Z]{1,3}[ -]?\d{3,5}[A-Z]{0,2}|[A-Z]{1,3}-[A-Z]{1,2} ?\d{1,4}|[A-Z]{2}\d{2} ?[A-Z]{3}|\d{3} ?[A-Z]{3}|[A-Z]{2} ?\d{4} ?[A-Z]{2}|[A-Z]{3} ?\d[A-Z0-9]{3,4})(?![\w-])"
)
_PLATE_CUE = re.compile(
    r"\b(?:skilt\w*|skjilt\w*|skelt\w*|reg\w{0,3}\b|regnr\w*|registrering\w*|bil\w*|plate\w*|car|cars|van|truck|lorry|plates|tilhenger\w*|tilhengar\w*|henger\w*|hengar\w*|moped\w*|traktor\w*|scooter\w*|snøscooter\w*|atv|mc|motorsykkel\w*|motorsyk\w*|kjørte|køyrde|"
    r"volvo|toyota|bmw|audi|vw|volkswagen|ford|tesla|opel|mazda|skoda|nissan|peugeot|mercedes|hilux|lastebil\w*|varebil\w*|buss\w*|parkert\w*|registration|number)\b",
    re.IGNORECASE,
)
_PLATE_DIRECT = re.compile(
    r"(?:skilt|regnr|reg\.? ?nr|plate|registration|skjilt|skelt|kjennemerke)\w*[\s.:(]{0,3}(?:er|e|is|med|var|nr|nummer|number|:)?[\s.:(]{0,2}$",
    re.IGNORECASE,
)
_NOT_PLATE = frozenset(
    {
        "FV",
        "RV",
        "EV",
        "KV",
        "PV",
        "SV",
        "NR",
        "KL",
        "KR",
        "CA",
        "OG",
        "ER",
        "PÅ",
        "NO",
        "KM",
        "HA",
        "VI",
        "DE",
        "EN",
        "ET",
        "TE",
        "HR",
        "ID",
        "GB",
        "MB",
        "KG",
        "ML",
        "AT",
        "BY",
        "TV",
        "PC",
        "EU",
        "FN",
        "TIL",
    }
)
_WORDY = frozenset(
    {
        "nr",
        "kl",
        "kr",
        "ca",
        "og",
        "er",
        "på",
        "fv",
        "rv",
        "ev",
        "av",
        "de",
        "en",
        "et",
        "ei",
        "at",
        "by",
        "to",
        "so",
        "så",
        "me",
        "te",
        "ve",
        "fra",
        "km",
        "ha",
        "se",
        "da",
        "no",
        "nå",
        "an",
        "as",
        "ny",
        "ut",
        "e",
        "es",
        "hu",
        "mm",
        "cm",
        "fe",
        "år",
    }
)


def plates(text: str) -> Iterator[Hit]:
    for match in _PLATE.finditer(text):
        letters, gap, number = match[1], match[2], match[3]
        upper = letters.upper()
        digits = number.replace(" ", "")
        before = text[max(0, match.start() - 40) : match.start()]
        direct: re.Match[str] | None = None
        if not letters.isupper() or upper in _NOT_PLATE:
            direct = _PLATE_DIRECT.search(before[-30:])
        if upper == "NO" or (upper in ("FV", "RV", "EV", "KV", "PV") and not (len(digits) == 5 and direct)):
            continue
        if letters.lower() in _WORDY and not letters.isupper() and not direct:
            continue
        if upper in _NOT_PLATE and upper != "SV" and not direct:
            continue
        if _OTHER_NUMBER.search(before) and not (direct or _PLATE_DIRECT.search(before[-30:])):
            continue
        cue = False
        if not letters.isupper() or len(digits) == 4:
            cue = bool(_PLATE_CUE.search(before) or _PLATE_CUE.search(text[match.end() : match.end() + 30]))
        if letters.isupper():
            if (
                len(digits) == 4
                and not cue
                and " " in gap + number
                and re.search(r"\b\d{4}$", number)
                and not gap
            ):
                continue
            yield match.start(), match.end(), "PLATE", 0.95 if len(digits) == 5 else 0.9, "plate.shape"
        elif cue or (len(digits) == 5 and not gap):
            yield match.start(), match.end(), "PLATE", 0.85, "plate.cue"
    for match in _PLATE_SPREAD.finditer(text):
        if _PLATE_CUE.search(text[max(0, match.start() - 40) : match.start()]):
            yield match.start(), match.end(), "PLATE", 0.85, "plate.cue"
    for match in _PLATE_FOREIGN.finditer(text):
        before = text[max(0, match.start() - 36) : match.start()]
        near = re.search(
            r"(?:skilt|skjilt|skelt|regnr|reg\b|registr|plate|nummer)[^.!?\n]{0,24}$", before, re.IGNORECASE
        )
        if (
            near
            and not _OTHER_NUMBER.search(before)
            and not re.match(r"(?:E|FV|RV|EV|KV)[ -]?\d", match[0])
            and not re.search(r"\d{3,} ?skilt", before)
        ):
            if "stopp" in near[0].lower() or "skiltplan" in near[0].lower():
                continue
            yield match.start(), match.end(), "PLATE", 0.75, "plate.abroad"


# --- user names, profiles, network addresses --------------------------------------------------------------------------

_PROFILE = re.compile(
    r"(?<![\w@.-])(?:https?://)?(?:[a-z]{1,3}\.|www\.|mobile\.|open\.)?(?:facebook|fb|instagram|instagr|tiktok|snapchat|twitter|x|linkedin|youtube|youtu|threads|discord|discordapp|reddit|vk|bsky|pinterest|twitch|soundcloud|flickr|strava|github|"
    r"messenger|telegram|whatsapp|signal|wa|m|t|onlyfans|vero|steamcommunity|fetlife|kick|jodel|ask)\.(?:com|me|no|app|net|tv|gg|be|social|ly|ru|fm)/[^\s<>\"'»)\],;]{1,200}",
    re.IGNORECASE,
)
_AT_NAME = re.compile(r"(?<![\w@./+-])@[\w][\w.\-]{1,40}", re.IGNORECASE)
_FEDI = re.compile(r"(?<![\w@])@[\w.-]{1,40}@[\w-]{1,40}(?:\.[\w-]{2,20}){1,3}")
_DISCORD = re.compile(r"(?<![\w#])[\w.]{2,32}#\d{4}(?!\d)")
_CODED = re.compile(
    r"(?<![\w@./#-])(?=[\w.\-]{0,30}[\d_])[A-Za-zÆØÅæøå][\w]{0,30}(?:[.\-_]{1,3}\w{1,30}){0,4}(?![\w@/])"
)
_SOCIAL = (
    r"(?:snap|snapen|snappen|snapchat|insta|instaen|instagram|ig|tiktok|tik tok|facebook|fb|face|fjesbok|messenger|telegram|discord|twitter|youtube|jodel|reddit|twitch|steam|psn|xbox|roblox|whatsapp|threads|finn|strava|linkedin|"
    r"brukernavn\w*|brukarnamn\w*|brukarn\w*|username|user ?name|user|bruker|brukeren|brukaren|bruker-id|nick|nicket|kallenavn|profil|profilen|profile|handle|gamertag|konto på nett|login|innlogging|alias|tråden)"
)
_SOCIAL_NEAR = re.compile(rf"\b{_SOCIAL}\b", re.IGNORECASE)
_SOCIAL_IS = re.compile(
    rf"\b{_SOCIAL}(?:[- ]?(?:konto\w*|bruker\w*|profil\w*|navn\w*|account|name|brukar\w*))?(?: (?:min|mi|mitt|hans|hennes|hennar|hannes|deres|is|til ho|til han|te hainn))?\s?(?:[:=]|\b(?:er|e|is|heter|heite|heiter|som heter|under navnet|under namnet|name|navnet|namnet)\b)\s{{0,2}}[\"'«]?(@?[\w][\w.\-]{{2,40}})",
    re.IGNORECASE,
)
_CALLED_ON = re.compile(
    rf"\b(?:heter|heiter|heite|kaller seg|kallar seg|kalla seg|kalle sæ|går under navnet|går under|goes by|under navnet|is called|calls himself|calls herself|legg meg til|add meg|add me|addes?|finn meg|follow|følg)\s{{0,2}}[\"'«]?(@?[\w][\w.\-]{{2,40}})[\"'»]?,? (?:på|on|at|i|as) {_SOCIAL}\b",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?![\d]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_VERSION = re.compile(
    r"(?:versjon|version|v|ver|firmware|utgave|build|dato|punkt|kapittel|avsnitt|pkt)\.? ?$", re.IGNORECASE
)
_OFFICIAL = re.compile(
    r"kommun|politi|vegvesen|nrk|fylke|statens|brannvesen|trafikk|namdalsavisa|avisa|municipal|renovasjon|mna|gatami|brann|nav\b|marketplace|groups?/|events?/|watch|hashtag",
    re.IGNORECASE,
)
_ROADLIKE = re.compile(
    r"(?:[efr]v?|fv|rv|kv|pv|ev|h|co|nr|kl|km|g|bk|l|s|p|f|m|c|d)[ .-]?\d{1,5}[a-z]?$|\d|(?:covid|nox|led|mp|pm|pst)[-.]?\d",
    re.IGNORECASE,
)


def handles(text: str, *, social: bool) -> Iterator[Hit]:
    if "/" in text:
        for match in _PROFILE.finditer(text):
            end = match.end() - len(match[0]) + len(match[0].rstrip(".!?:"))
            if not _OFFICIAL.search(match[0]):
                yield match.start(), end, "HANDLE", 0.97, "handle.profile"
    if "@" in text:
        for match in _FEDI.finditer(text):
            yield match.start(), match.end(), "HANDLE", 0.97, "handle.at"
        for match in _AT_NAME.finditer(text):
            found = match[0].rstrip(".-")
            if len(found) > 2 and not _OFFICIAL.search(found):
                yield match.start(), match.start() + len(found), "HANDLE", 0.95, "handle.at"
    if "#" in text:
        for match in _DISCORD.finditer(text):
            yield match.start(), match.end(), "HANDLE", 0.85, "handle.shape"
    if "." in text:
        for match in _IPV4.finditer(text):
            if all(int(part) < 256 for part in match[0].split("/")[0].split(".")) and not _VERSION.search(
                text[max(0, match.start() - 12) : match.start()]
            ):
                yield match.start(), match.end(), "HANDLE", 0.9, "handle.ip"
    if text.count(":") > 1:
        for match in _IPV6.finditer(text):
            found = match[0]
            groups = [group for group in found.split(":") if group]
            if (
                len(groups) >= 3
                and found.count(":") >= 3
                and any(len(group) > 2 or not group.isdigit() for group in groups)
            ) or ("::" in found and groups and len("".join(groups)) > 3):
                yield match.start(), match.end(), "HANDLE", 0.9, "handle.ip"
    if not social:
        return
    for pattern in (_SOCIAL_IS, _CALLED_ON):
        for match in pattern.finditer(text):
            found = match[1].rstrip(".-")
            if len(found) > 2 and not _OFFICIAL.search(found) and _username(found):
                yield match.start(1), match.start(1) + len(found), "HANDLE", 0.85, "handle.cue"
    for match in _CODED.finditer(text):
        found = match[0].rstrip(".-_")
        if (
            len(found) < 4
            or _ROADLIKE.match(found)
            or _OFFICIAL.search(found)
            or not re.search(r"[a-zæøå]{2}", found, re.IGNORECASE)
        ):
            continue
        if re.match(r"\d|(?:ca|kl|nr|juli|mai|uke)\d", found, re.IGNORECASE) or (
            "." in found and not re.search(r"[\d_]", found)
        ):
            continue
        around = (
            text[max(0, match.start() - 60) : match.start()] + " | " + text[match.end() : match.end() + 30]
        )
        if _SOCIAL_NEAR.search(around):
            yield match.start(), match.start() + len(found), "HANDLE", 0.85, "handle.shape"


def _username(found: str) -> bool:
    """Not a word of the language: a user name, or a name."""
    from .lexicon import word

    if re.search(r"[\d_.@]", found):
        return True
    entry = word(found.lower())
    return not entry.plain or bool(entry.given > 1)


_SEVEN_DIGITS = re.compile(r"\d(?:\D{0,3}\d){6}")
_SOCIAL_STEMS = re.compile(
    rf"{_SOCIAL}(?:-[\w-]*|konto\w*|profil\w*|navn\w*|namn\w*|bruker\w*|en|n)?$", re.IGNORECASE
)
_MAIL_WORD = re.compile(
    rf"(?:krøll.*|alfakrøll|alfa|snabel.*|krullalfa|{_DOT_WORD}|gmail|hotmail|outlook|yahoo|icloud|live|online|protonmail)$",
    re.IGNORECASE,
)
# Words that are numbers and articles or particles as well; they count once other numbers stand there.
_ARTICLES = frozenset(["en", "én", "ein", "ett", "et", "to", "oh", "one", "ti"])
_NUMBER_WORD = re.compile(rf"(?:(?:{_TENS})(?:og)?(?:{_ONES})?|{_TEENS}|{_ONES})$", re.IGNORECASE)


def speaks_of(lower: str) -> int:
    """1 a number in words, 2 a word about social media, 4 a word that disguises an e-mail address, 0 none of these."""
    if _MAIL_WORD.match(lower):
        return 4
    if lower not in _ARTICLES and _NUMBER_WORD.match(lower):
        return 1
    return 2 if _SOCIAL_STEMS.match(lower) else 0


def identifiers(text: str, spoken: list[int], open_digits: frozenset[str]) -> Iterator[Hit]:
    """All of them, each asked only where the text holds what it cannot do without."""
    yield from emails(text, disguised=4 in spoken)
    if _SEVEN_DIGITS.search(text):
        yield from long_numbers(text)
        yield from phones(text, open_digits)
    if re.search(r"\d", text):
        yield from short_ids(text)
        yield from plates(text)
    if spoken.count(1) > 2:
        yield from spelled_numbers(text)
    yield from handles(text, social=2 in spoken)
