import json
import os
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatami.policy import replies
from gatami.policy.moderation import Rules

NAME = "Liv Prøvesen"


def remarks(text, language="nb", **more):
    return [
        (found.rule, text[found.start : found.end]) for found in replies.check(text, language, NAME, **more)
    ]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nb", "Hei! Vi har bestilt ny gatelyspære, og entreprenøren kommer på torsdag. Hilsen Liv Prøvesen"),
        ("nb", "Takk for at du sier fra. Hullet på Skogmovegen blir lappet i morgen tidlig. Hilsen Liv"),
        ("nb", "Vi kjører brøyteroden på Skage før klokka sju. SMS om strømstans kommer fra NTE. Hilsen Liv"),
        ("nn", "Hei. Vi har fått meldinga di om holet i fylkesvegen og kjem tilbake med svar. Helsing Liv"),
        ("nn", "Lykta ved Ranemsletta er tinga, og ho blir skifta ut i neste veke. Helsing Liv Prøvesen"),
        ("en", "Thank you. The street light will be repaired this week. Kind regards, Liv"),
    ],
)
def test_a_good_reply_gets_no_remark(language, text):
    assert remarks(text, language) == []


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("nb", "Jeg tror den er lappet. Hilsen Liv", ("uncertain", "Jeg tror")),
        ("nn", "Ho er kanskje retta no. Helsing Liv", ("uncertain", "kanskje")),
        ("en", "I think it is repaired. Kind regards, Liv", ("uncertain", "I think")),
        ("nb", "Vi kommer ittj i dag. Hilsen Liv", ("dialect", "ittj")),
        ("nb", "Vi kommer ikkje i dag, men i morgen, og hullene blir lappet. Hilsen Liv", ("mixed", "ikkje")),
        ("nb", "Vi sender melidngen videre. Hilsen Liv", ("spelling", "melidngen")),
        ("nb", "Gratulerer med ny veg. Hilsen Liv", ("irony", "Gratulerer med")),
        ("nb", "Det ordner vi ;) Hilsen Liv", ("irony", ";)")),
        ("nb", "Nå må dere VENTE LITT. Hilsen Liv", ("shouting", "VENTE LITT")),
        ("nb", "Vi kommer i morgen!!! Hilsen Liv", ("shouting", "!!!")),
        ("nb", "Du får avslag på kravet. Hilsen Liv", ("archive", "avslag")),
        ("nn", "Du må søkje om skadebot hos oss. Helsing Liv", ("archive", "skadebot")),
        ("nb", "Vi har snakket med Kari Halvorsen. Hilsen Liv", ("personal", "Kari Halvorsen")),
        ("nb", "Ring 400 00 123. Hilsen Liv", ("personal", "400 00 123")),
        ("nb", "Hullet er lappet.", ("signature", "")),
    ],
)
def test_what_is_remarked_on(language, text, found):
    assert found in remarks(text, language)


def test_only_private_matter_stops_a_reply():
    for rule, explained in replies.RULES.items():
        assert explained.stops == (rule == "personal")
        assert set(explained.advice) == {"nb", "nn", "en"}


def test_what_the_municipality_lets_stand_stops_nothing():
    text = "Ring 74 28 00 00. Hilsen Liv"
    assert "personal" not in dict(remarks(text, rules=Rules(open=frozenset({"74 28 00 00"}))))


def test_dialect_comes_with_what_to_write_instead():
    (found,) = (
        r for r in replies.check("Æ kjem. Hilsen Liv", "nb", NAME) if r.rule == "dialect" and r.start == 0
    )
    assert found.instead == "jeg"


@pytest.mark.parametrize(
    ("language", "ending"), [("nb", "Hilsen Liv"), ("nn", "Helsing Liv"), ("en", "Kind regards Liv")]
)
def test_a_missing_signature_is_added_once(language, ending):
    once = replies.signed("Hullet er lappet.", language, NAME, "Teknisk avdeling")
    assert once == f"Hullet er lappet.\n\n{ending} Prøvesen, Teknisk avdeling"
    assert replies.signed(once, language, NAME, "Teknisk avdeling") == once


def test_what_stops_is_told_however_much_else_there_is():
    text = "melidngen " * 200 + "Ring 400 00 123."
    found = replies.check(text, "nb", NAME)
    assert len(found) == replies.REMARKS_MOST
    assert any(remark.stops for remark in found)


@settings(max_examples=100, deadline=None)
@given(
    st.text(alphabet=string.printable + "æøåÆØÅ\u200b’😉", max_size=300), st.sampled_from(["nb", "nn", "en"])
)
def test_every_remark_lies_inside_the_text(text, language):
    found = replies.check(text, language, NAME)
    assert all(0 <= remark.start <= remark.end <= len(text) for remark in found)
    assert [remark.start for remark in found] == sorted(remark.start for remark in found)


def test_the_command_reads_a_reply_without_secrets_or_database():
    program = [sys.executable, "-m", "flask", "--app", "wsgi", "policy", "reply", "--name", NAME]
    told = subprocess.run(
        program,
        input="Ring 400 00 123. Hilsen Liv",
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"]},
    )
    (remark,) = [json.loads(line) for line in told.stdout.splitlines()]
    assert (remark["rule"], remark["stops"], remark["heading"]) == ("personal", True, "Personvern")
