"""The scrubber: one example for every kind and every trap, and what holds for any text whatever."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatami.policy import build
from gatami.policy import text as scrubber
from gatami.policy.lines import scrub_lines
from gatami.policy.text.marks import parse_marks

HERE = Path(__file__).parent
BATCHES = sorted(HERE.glob("reports_*.jsonl"))
DIRECT = ("PHONE", "EMAIL", "NATIONAL_ID", "ACCOUNT", "PLATE", "HANDLE")
# What must not be lost again, over the batches together. Where these are below the goals, `docs/policy.md` says so.
FLOORS = {
    "direct": 0.99,
    "PERSON": 0.98,
    "ADDRESS": 0.96,
    "HEALTH": 0.87,
    "SPECIAL": 0.88,
    "FAMILY": 0.88,
    "ABUSE": 0.85,
}

FOUND = [
    # Numbers and addresses, plain and disguised.
    ("Ring [[PHONE:912 34 567]] i kveld", "nb"),
    ("Mobilen er [[PHONE:9 1 2 3 4 5 6 7]]", "nb"),
    ("Ring [[PHONE:+47 912 34 567]] eller [[PHONE:0047 41 23 45 67]]", "nb"),
    ("tlf [[PHONE:ni en to tre fire fem seks sju]]", "nb"),
    ("nummeret er [[PHONE:912\n34 567]]", "nb"),
    ("Call me: [[PHONE:+44 7700 900 456]]", "en"),
    ("Ring [[PHONE:9\u200b12 34\u200b 567]]", "nb"),
    ("Ring [[PHONE:９１２３４５６７]]", "nb"),
    ("Ring [[PHONE:912 З4 5О7]]", "nb"),
    ("Ring [[PHONE:nittito femten seksogseksti null to]]", "nb"),
    ("Ring [[PHONE:91 2 34 56 7]] etter fire", "nb"),
    ("Skriv til [[EMAIL:ola.eksempel@firma.no]]", "nb"),
    ("Skriv til [[EMAIL:ola (at) firma punkt no]]", "nb"),
    ("Skriv til [[EMAIL:ola krøllalfa firma punktum no]]", "nn"),
    ("my mail is [[EMAIL:jo_b at gmail dot com]]", "en"),
    ("Fødselsnummer [[NATIONAL_ID:010190 12345]]", "nb"),
    ("Syntetisk: [[NATIONAL_ID:01819012345]]", "nb"),
    ("D-nummeret er [[NATIONAL_ID:41019012345]]", "nn"),
    ("Konto [[ACCOUNT:8601.11.17947]]", "nb"),
    ("IBAN [[ACCOUNT:NO93 8601 1117 947]]", "nb"),
    ("Bilen hadde skilt [[PLATE:QA 12345]]", "nb"),
    ("Tilhengeren [[PLATE:QB 1234]] står der", "nb"),
    ("bil med skilt [[PLATE:qc12345]] kjørte på stolpen", "nb"),
    ("Han heter [[HANDLE:@sno.plogen_88]] på insta", "nb"),
    ("snap: [[HANDLE:vegvokteren99]]", "nb"),
    ("Se [[HANDLE:https://www.facebook.com/ola.eksempel.7]]", "nb"),
    ("IP-adressen er [[HANDLE:192.0.2.44]]", "nb"),
    ("fra [[HANDLE:2001:db8::7a1f]] i natt", "nb"),
    ("Mob [[PHONE:912 34 567]] (kona) eller [[PHONE:976 54 321]] (meg)", "nb"),
    ("Ring [[PHONE:91234567]]/[[PHONE:97654321]]", "nb"),
    ("Eg bur i Storgata 12, 7863 Overhalla, [[PHONE:912 34 567]]", "nn"),
    ("mob [[PHONE:nihundreogtolv trettifire femhundreogsekstisju]]", "nb"),
    ("ring [[PHONE:9I2 34 S67]]", "nb"),
    ("saksnr 24/1873, [[PHONE:91234567]]", "nb"),
    ("har ringt kommunen mange ganger, tlf [[PHONE:912 34 567]]", "nb"),
    ("UK number [[PHONE:07700 900123]]", "en"),
    ("Skriv til [[EMAIL:kari.eksempel@gmail,com]]", "nb"),
    ("e-post [[EMAIL:kari.n krøllalfa gmail]]", "nb"),
    ("[[EMAIL:k a r i @ g m a i l . c o m]]", "nb"),
    ("fødselsnummer [[NATIONAL_ID:010190 – 12345]]", "nb"),
    ("siste fem siffer er [[NATIONAL_ID:12345]]", "nb"),
    ("kortnummer [[ACCOUNT:4925 1234 5678 9012]]", "nb"),
    ("IBAN [[ACCOUNT:DE89 3704 0044 0532 0130 00]]", "en"),
    ("personlig skilt «[[PLATE:BØLLA]]»", "nb"),
    ("tysk bobil med skilt [[PLATE:B-AB 1234]]", "nb"),
    ("elbil [[PLATE:EV 12345]] sto der", "nb"),
    ("regnr [[PLATE:QA en to tre fire fem]]", "nb"),
    ("hun heter [[HANDLE:linemor92]] på snap", "nb"),
    ("Brukaren «[[HANDLE:Grustaket]]» skriv stygt", "nn"),
    ("signert [[HANDLE:@brøyte.wrld]]", "nb"),
    ("hilsen [[HANDLE:sint_pensjonist51]]", "nb"),
    ("[[HANDLE:finn.no/user/eksempel]] selger skiltet", "nb"),
    ("nummeret er [[PHONE:91,23,45,67]]", "nb"),
    ("Mobilen er [[PHONE:98 oo 43 76]]", "nb"),
    ("ring [[PHONE:nientotrefirefemsekssju]]", "nb"),
    ("ring mæ på [[PHONE:ni ein to tri fir fæm sæks sju]]", "nb"),
    ("Ring [[PHONE:40 tolv 99 tretti]]", "nb"),
    ("Nummer mitt: [[PHONE:fire7seks 02 9 en 3]]", "nb"),
    ("call [[PHONE:nine-one-two three-four five-six-seven]]", "en"),
    ("mail: [[EMAIL:kari.lund-krøllalfa-gmail.com]]", "nb"),
    ("mail: [[EMAIL:karilundkrøllalfagmail.com]]", "nb"),
    ("skriv til [[EMAIL:kari(at)lundgard]]", "nb"),
    ("send til [[EMAIL:post (krøllalfa) lundsgard.no]]", "nb"),
    ("fødselsnummer [[NATIONAL_ID:010190_12345]]", "nb"),
    ("IBAN [[ACCOUNT:N093 8601 1117 947]]", "nb"),
    ("en hvit Kia, [[PLATE:QB 1O 442]], på fortauet", "nb"),
    ("den senka Volvoen, [[PLATE:qa 90217]], står der", "nb"),
    ("Ulovlig parkering: [[PLATE:QA-66-318]] og [[PLATE:qb 90771]]", "nb"),
    ("His car [[PLATE:B 284 QRM]] is in the field", "en"),
    ("Bilnummer [[PLATE:qv førti to elleve]]", "nb"),
    ("på insta heter jeg [[HANDLE:karilund]]", "nb"),
    ("[[HANDLE:instagram dot com slash karilund]]", "nb"),
    ("Snap'en hennes: [[HANDLE:duemamma]]", "nb"),
    ("[[HANDLE:u/gropgraver]] sier det, på reddit", "nb"),
    # People.
    ("Han i kommunen, [[PERSON:Løvlidalsmo]] tror jeg han heter", "nb"),
    ("Det var [[PERSON:Stangelisund]] i driftsavdelinga som sa det", "nb"),
    ("Æ såg at det va'n [[PERSON:Pettersmo]] som kjørt", "nb"),
    ("Til brøyteansvarlig [[PERSON:Kolstadlibråten]]: strø!", "nb"),
    ("sønnen til [[PERSON:Fagerlimo]] kjører moped", "nb"),
    ("[[PERSON:olsen]] nedi gata", "nb"),
    ("eieren er [[PERSON:sandberg]] i treern", "nb"),
    ("Kvar gong får eg [[PERSON:Geirmund]] på tråden", "nb"),
    ("Spør etter [[PERSON:Bjørn Are]]", "nb"),
    ("Ring [[PERSON:Kari]] eller [[PERSON:Anne Lise Fossbakken]]", "nb"),
    ("Ved [[PERSON:Helga]] sitt hus er det glatt", "nb"),
    ("treet til fru [[PERSON:Dal]] er dødt", "nb"),
    ("[[PERSON:KÅRE]] MÅ SLUTTE Å TØMME ASKE I GRØFTA", "nb"),
    ("Takk på forhånd [[PERSON:mette]]", "nb"),
    ("hilsen [[PERSON:lise b]]", "nb"),
    ("snakket med saksbehandler [[PERSON:lien]] på teknisk", "nb"),
    ("ho [[PERSON:liv]] på Bruflot fann kalven", "nn"),
    ("en fyr som heter [[PERSON:brage]] tagger", "nb"),
    ("Jeg heter [[PERSON:Snorre Lunde Bakken]] og bor her", "nb"),
    ("account for the compensation: see above, [[PERSON:Gwendolyn Achterberg]]", "en"),
    ("Hi, I am [[PERSON:Chukwuemeka]] and I have a question", "en"),
    ("Det var [[PERSON:Kari Halvorsen]] som kjørte.", "nb"),
    ("det var [[PERSON:kari halvorsen]] som kjørte", "nb"),
    ("Naboen [[PERSON:Oddvar]] brøyter ut i vegen.", "nb"),
    ("hainn [[PERSON:Arvid]] sa det va greit", "dial"),
    ("Mvh\n[[PERSON:Bjørn Lie]]", "nb"),
    ("Hilsen [[PERSON:K. Halvorsen]]", "nb"),
    ("[[PERSON:Sigrid]] sin hage er full av snø", "nb"),
    ("My name is [[PERSON:Priya Sharma]]", "en"),
    ("[[PERSON:Каri Halvorsen]] kastet søppel", "nb"),
    # Homes.
    ("Han bor i [[ADDRESS:Fjellvegen 12 B, 7863 Overhalla]].", "nb"),
    ("[[PERSON:Kari Halvorsen]], [[ADDRESS:Storgata 4]]", "nb"),
    ("I live at [[ADDRESS:Havnegata 14]]", "en"),
    ("Leieboeren i sokkelen, [[ADDRESS:Granvegen 14 B]], heter noe", "nb"),
    ("Utleieren i [[ADDRESS:Elvegata 6, leilighet 302]] gjør ingenting", "nb"),
    # Matters of health, belief, crime and family.
    ("Kona mi [[HEALTH:har leddgikt]], strø trappa.", "nb"),
    ("Eg [[HEALTH:brukar rullator]], så kanten er for høg.", "nn"),
    ("Jeg falt på isen og [[HEALTH:brakk håndleddet]].", "nb"),
    ("Han [[SPECIAL:er dømt for ran]], og nå graver han uten lov.", "nb"),
    ("Nabofamilien [[SPECIAL:er Jehovas vitner]].", "nb"),
    ("Hun [[FAMILY:har mistet omsorgen for barna]], men søpla må bort.", "nb"),
    ("He [[FAMILY:beats his wife]], everybody knows.", "en"),
    ("[[ABUSE:Dere er noen jævla idioter]].", "nb"),
    ("[[ABUSE:Jeg vet hvor du bor]]!", "nb"),
    ('Noen har skrevet "[[ABUSE:jævla utlendinger]]" på skuret.', "nb"),
]

CLEAN = [
    "Hull i Olav Duuns veg ved krysset med Ranemsletta.",
    "Brøytekanten ved Skage er for høy, og på Ranemsletta ligger det is.",
    "En bjørn gikk over veien ved Grong, og en stein ligger i grøfta.",
    "I mai er det alltid odd og glatt her, sa ingen.",
    "Fv17 ved km 12 og E6 mot Namsos, riksveg 775.",
    "Stolpe 40218 er mørk, saksnummer 2024/11873 har ikke fått svar.",
    "Ring 110, 112 eller 113. Vegtrafikksentralen har 175.",
    "Kommunens vakttelefon er 74 28 00 00.",
    "Skriv til postmottak@overhalla.kommune.no",
    "Lyset utenfor Parkvegen 8 er mørkt.",
    "Rullestolbrukere kommer ikke fram når fortauet ikke er brøytet.",
    "Folk med rullator og barnevogn må ut i veien.",
    "Det er farlig for syklister, noen kan brekke beinet.",
    "Helvetes hull! Jævla dårlig vei.",
    "Skiltet ved sykehuset er borte, og ved legevakta også.",
    "Dunken ble tømt 12.05.2024 kl. 10.30 og kostet 25 000 000 kr.",
    "The light on Church Street is out, and May is far away.",
    "Bussen fra Rema 1000 stopper ikke ved kirka lenger.",
    "Målernummer 73500124680 står på lokket.",
    "Statsminister Støre og kong Harald besøkte kommunen.",
    "Ekstremværet Ingunn tok taket.",
    "Det har ligget der siden Ingunn. Ekstremværet, altså.",
    "Etter stormen Dagmar gikk det to dager, etter Nina fem.",
    "Gata er oppkalt etter Karoline Berg.",
    "Statuen av Ivar Aasen mangler nese.",
    "Båten heter «Lille Marie» og har ligget der siden i høst.",
    "Fotballklubben Gudrun, Bunnpris Arnesen og eselet Trine er her.",
    "Jeg har døpt hullet, og jeg har døpt det Knut. Berg- og dalbane er det.",
    "Mvh FAU ved Solbakken skole. Steinar i veien etter raset!",
    "Olav Thon-bygget har istapper, og Karl XII-steinen er veltet.",
    "Hunden vår Balder skar seg på glass. M/S Kari lekker.",
    "Den lille bekken som heter Gunhild går over.",
    "The water intake is at Evenstad. John Deere 6155R på plenen.",
    "Biblioteket i Storgata 1 mangler lys, og i Rugdeveien 15 ligger det søppel.",
    "Mercedes GLC 300 sperrer. Snøfreseren 12, 13, 14, 15, 16 og 17 mangler.",
    "Husnummer 12, 14, 16, 18 og 20 har ikke vann.",
    "Vannet er avstengt fra uke 12 til uke 14.",
    "Saksnr. 24/01873 og 24/01874, ref 24001873, vannmåler nr 16074432.",
    "UTM 33W 0612345 7152345, fakturanr. 12345678901, org.nr 912 345 678.",
    "Årene 2019 2020 2021 2022 og sesongen 2023/2024.",
    "Se https://www.nrk.no/trondelag/veien-er-stengt-1.16512345",
    "Skilt 204 STOP ligger i grøfta, og en bil kjørte på det.",
    "NS 3420, DN 1500, Fv 7024 og punkt 4.3.2.1 i planen.",
    "Bildet IMG_20240512_103015.jpg ligger ved.",
    "Skriv til post@overhalla.kommune.no, firmapost@firma.no eller info@firma.no",
    "",
]


def spans(text: str, **options: frozenset[str]) -> list[tuple[str, str]]:
    return [(text[f.start : f.end], f.kind) for f in scrubber.find(text, **options)]


@pytest.mark.parametrize(("marked", "language"), FOUND)
def test_find(marked: str, language: str) -> None:
    text, wanted = parse_marks(marked)
    covered = bytearray(len(text))
    for finding in scrubber.find(text):
        covered[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
    for start, end, _ in wanted:
        letters = [i for i in range(start, end) if text[i].isalnum()]
        assert sum(covered[i] for i in letters) >= 0.9 * len(letters), (text[start:end], spans(text))
    public = scrubber.scrub(text, scrubber.find(text), language)
    assert all(text[start:end] not in public for start, end, _ in wanted)


@pytest.mark.parametrize("text", CLEAN)
def test_find_nothing(text: str) -> None:
    assert spans(text) == []


def test_findings_explain_themselves() -> None:
    for marked, _ in FOUND:
        text, _ = parse_marks(marked)
        for finding in scrubber.find(text):
            assert finding.kind in scrubber.KINDS
            assert 0 < finding.confidence <= 1
            assert finding.rule
            assert set(finding.reason) == {"nb", "nn", "en"}


def test_masks_tell_the_language_and_never_the_length() -> None:
    short, long = "Ring Kari Moe på 91234567", "Ring Alexandra Kristoffersen på +47 912 34 567"
    assert (
        scrubber.scrub(short, scrubber.find(short))
        == scrubber.scrub(long, scrubber.find(long))
        == "Ring [navn] på [telefonnummer]"
    )
    assert scrubber.scrub(short, scrubber.find(short), "nn") == "Ring [namn] på [telefonnummer]"
    assert scrubber.scrub(short, scrubber.find(short), "en") == "Ring [name] på [phone number]"


def test_mask_parts() -> None:
    assert scrubber.mask_parts("Ring [navn] på [phone number]!") == [
        ("Ring ", None),
        ("[navn]", "PERSON"),
        (" på ", None),
        ("[phone number]", "PHONE"),
        ("!", None),
    ]
    for kind in scrubber.KINDS.values():
        for language in scrubber.LANGUAGES:
            assert scrubber.mask_parts(kind.mask[language]) == [
                (kind.mask[language], kind.name)
            ] or kind.name in ("PHONE", "EMAIL", "NATIONAL_ID", "ACCOUNT", "HEALTH", "SPECIAL", "PLATE")
            assert kind.label[language]
            assert kind.explanation[language]


def test_allowed_stays() -> None:
    text = "Ring 412 34 567, skriv til vann.jour@firma.no eller spør Kari Halvorsen."
    assert len(spans(text)) == 3
    allowed = frozenset({"412 34 567", "vann.jour@firma.no", "Kari Halvorsen"})
    assert spans(text, allowed=allowed) == []


def _figures(paths: list[Path]) -> tuple[dict[str, tuple[int, int]], float, float]:
    """Misses per kind and how many there were, share of clean reports with a false alarm, precision in characters."""
    hit: dict[str, list[int]] = {}
    clean = alarms = predicted = inside = 0
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        text, wanted = parse_marks(json.loads(line)["text"])
        covered, gold = bytearray(len(text)), bytearray(len(text))
        for finding in scrubber.find(text):
            covered[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
        for start, end, kind in wanted:
            gold[start:end] = b"\1" * (end - start)
            letters = [i for i in range(start, end) if text[i].isalnum()]
            hit.setdefault(kind, []).append(sum(covered[i] for i in letters) >= 0.9 * len(letters))
        shown = [i for i in range(len(text)) if covered[i] and text[i].isalnum()]
        predicted += len(shown)
        inside += sum(gold[i] for i in shown)
        if not wanted:
            clean += 1
            alarms += bool(shown)
    return (
        {kind: (len(found) - sum(found), len(found)) for kind, found in hit.items()},
        alarms / max(1, clean),
        inside / max(1, predicted),
    )


def test_reports_that_were_not_trained_on() -> None:
    recall, alarms, precision = _figures(BATCHES)
    missed = {kind: found for kind, found in recall.items() if kind not in DIRECT}
    missed["direct"] = (sum(recall[kind][0] for kind in DIRECT), sum(recall[kind][1] for kind in DIRECT))
    assert {
        kind: counts for kind, counts in missed.items() if counts[0] > (1 - FLOORS[kind]) * counts[1]
    } == {}
    assert alarms <= 0.025
    assert precision >= 0.9


def test_reports_to_measure_with_are_none_to_train_with() -> None:
    trained = {" ".join(text.split()) for text, _ in build.marked_reports()}
    for path in BATCHES:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert " ".join(parse_marks(json.loads(line)["text"])[0].split()) not in trained


def test_same_text_same_findings() -> None:
    for path in BATCHES:
        for line in path.read_text(encoding="utf-8").splitlines():
            text, _ = parse_marks(json.loads(line)["text"])
            assert scrubber.find(text) == scrubber.find(text)


@pytest.mark.parametrize("language", scrubber.LANGUAGES)
def test_scrubbing_again_changes_nothing(language: str) -> None:
    for path in BATCHES:
        for line in path.read_text(encoding="utf-8").splitlines():
            text, _ = parse_marks(json.loads(line)["text"])
            public = scrubber.scrub(text, scrubber.find(text), language)
            assert scrubber.scrub(public, scrubber.find(public), language) == public


PIECES = st.sampled_from(
    [
        "Kari Halvorsen",
        "91234567",
        "ola@firma.no",
        "jeg",
        "han",
        "har MS",
        "er dømt for ran",
        "barnevernet",
        "idiot",
        "du",
        "[navn]",
        "[[",
        "]]",
        "\u200b",
        "\n",
        ", ",
        ". ",
        "Storgata 4",
        "og",
        "QA 12345",
        "01019012345",
        "@kari",
        "😀",
        "«",
        "»",
        '"',
        "é",
        "ni to tre",
        "punktum",
        "(at)",
        "bor i",
        "naboen",
        "Olav Duuns veg",
        "hilsen",
        "æ",
        "а",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(PIECES, max_size=30).map(" ".join),
    st.lists(PIECES, max_size=30).map("".join),
)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_any_text(text: str) -> None:
    findings = scrubber.find(text)
    at = 0
    for finding in findings:
        assert at <= finding.start < finding.end <= len(text)
        at = finding.end
    public = scrubber.scrub(text, findings)
    assert scrubber.scrub(public, scrubber.find(public)) == public


HOSTILE = {
    "brackets": "[" * 50_000 + "]" * 50_000,
    "digits": "1 " * 50_000,
    "names": "Kari Halvorsen " * 7_000,
    "addresses": "Storgata 1 " * 9_000,
    "plates": "QA 12345 " * 11_000,
    "insults": '"idiot, ' * 12_500,
    "threats": "skal drepe " * 9_000,
    "mail": "a@a." * 25_000,
    "combining": "e" + "\u0301" * 100_000,
    "invisible": "\u200b" * 100_000,
    "masks": "[navn]" * 16_000,
    "wide": "\ufdfa" * 100_000,
    "letters": "a" * 100_000,
    "mixed": "Jeg heter Kari Halvorsen, bor i Storgata 5, har MS og tlf 91234567. Du er en idiot. " * 1_200,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long(name: str) -> None:
    text = HOSTILE[name]
    scrubber.find(text[:2_000])
    best = 9.0
    for _ in range(5):
        begin = time.process_time()
        findings = scrubber.find(text)
        best = min(best, time.process_time() - begin)
        if best < 0.05:
            break
    # The bound is 50 ms on a machine of its own; a shared one gets twice that.
    assert best < 0.1, best
    public = scrubber.scrub(text, findings)
    assert scrubber.scrub(public, scrubber.find(public)) == public


def test_the_end_of_a_long_text_is_not_forgotten() -> None:
    text = "Det er et hull i veien her. " * 4_000 + "Ring Kari Halvorsen på 91234567."
    public = scrubber.scrub(text, scrubber.find(text))
    assert "Halvorsen" not in public
    assert "91234567" not in public
    assert public.startswith("Det er et hull i veien her.")


def test_the_room_imports_nothing_from_outside() -> None:
    code = (
        "import sys, importlib.util, types;"
        "package = types.ModuleType('gatami'); package.__path__ = ['gatami']; sys.modules['gatami'] = package;"
        "from gatami.policy import text; text.find('Hei');"
        "print([name for name in sys.modules if name.split('.')[0] in ('flask', 'sqlalchemy', 'huey')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE.parents[1]
    )
    assert done.stdout.strip() == "[]"


def test_scrub_lines() -> None:
    rows = ['{"text": "Ring Kari Halvorsen"}', "", '{"text": "Hull i vegen", "language": "en"}']
    first, second = map(json.loads, scrub_lines(rows))
    assert first["public"] == "Ring [navn]"
    assert set(first["findings"][0]) == {"start", "end", "kind", "confidence", "rule", "reason"}
    assert second == {"public": "Hull i vegen", "findings": []}
