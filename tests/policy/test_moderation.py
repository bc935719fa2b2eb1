import pytest

from gatami.policy import moderation
from gatami.policy.differences import differences
from gatami.policy.moderation import Rules
from gatami.policy.photos import Box, Made


def judged(text, rules=None):
    return moderation.judge(text, rules or Rules())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Stort hull midt i vegen.", ()),
        ("Ring meg på 400 00 123 om hullet.", ()),
        ("Møtte Heggland ved hullet.", ()),
        ("Jeg skal drepe deg hvis hullet ikke blir fylt.", ("threat",)),
    ],
)
def test_what_is_shown_at_once_and_what_waits(text, why):
    assert judged(text).why == why


def test_a_sensitive_clause_beside_somebody_waits():
    verdict = judged("Naboen min Per har demens. Hullet er stort.")
    assert verdict.held
    assert "somebody" in verdict.why
    assert not verdict.alarming
    assert verdict.kinds == ("HEALTH", "PERSON")
    assert "demens" not in verdict.public
    assert "Per" not in verdict.public


def test_a_sensitive_clause_about_nobody_is_masked_and_shown():
    verdict = judged("Hullet ble gravd i fjor. Naboen har kreft.")
    assert not verdict.held
    assert "kreft" not in verdict.public


def test_a_threat_alarms():
    assert judged("Jeg skal drepe deg hvis hullet ikke blir fylt.").alarming


def test_thresholds_belong_to_the_municipality():
    text = "Naboen min Per har demens. Hullet er stort."
    relaxed = Rules.of({"hold_from": {"HEALTH": 1.0}})
    assert judged(text).held
    verdict = judged(text, relaxed)
    assert not verdict.held
    assert "demens" not in verdict.public, "it stays masked whatever the threshold"


def test_own_words_are_hidden_and_open_words_are_not():
    rules = Rules.of({"hidden": {"PERSON": ["Storekar"]}, "open": ["Heggland"]})
    verdict = judged("Storekar og Heggland graver. Storekarene ser på.", rules)
    assert verdict.public == "[navn] og Heggland graver. Storekarene ser på."
    assert [finding.rule for finding in verdict.findings] == [moderation.OWN_WORD]


def test_an_own_word_inside_a_finding_makes_one_mask():
    rules = Rules.of({"hidden": {"PERSON": ["Heggland nordre"]}})
    assert judged("Møtte Heggland nordre ved hullet.", rules).public == "Møtte [navn] ved hullet."


def test_stored_rules_that_do_not_fit_are_left_out():
    rules = Rules.of({"hold_from": {"HEALTH": 7, "PHONE": 0.5, "ABUSE": 0.3}, "hidden": {"TULL": ["x"]}})
    assert rules.hold_from == {"ABUSE": 0.3}
    assert rules.hidden == {}


def test_liftable_are_uncertain_names_alone():
    text = "I går kjørte Heggland for fort. Ring Solveig på 400 00 123."
    verdict = judged(text)
    assert [text[f.start : f.end] for f in moderation.liftable(verdict)] == ["Heggland"]


@pytest.mark.parametrize(
    ("kinds", "act", "named"),
    [
        (["PHONE"], "masked", {"guideline", "gdpr_6"}),
        (["HEALTH"], "held", {"guideline", "gdpr_9", "confidential"}),
        (["ABUSE"], "removed", {"guideline"}),
        (["NATIONAL_ID"], "masked", {"guideline", "national_id"}),
        ([], "flagged", {"guideline", "gdpr_6"}),
    ],
)
def test_grounds(kinds, act, named):
    assert set(moderation.grounds(kinds, act)) == named
    assert named <= set(moderation.GROUNDS)


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("", "", []),
        ("Hull her.", "Hull her.", [("same", "Hull her.")]),
        ("Ring Kari i dag.", "Ring [navn] i dag.", [("same", "Ring "), ("out", "Kari "), ("in", "[navn] "), ("same", "i dag.")]),
        ("Hull.", "", [("out", "Hull.")]),
        ("[sensitiv opplysning] her", "her", [("out", "[sensitiv opplysning] "), ("same", "her")]),
        ("a [ b", "a [ c", [("same", "a [ "), ("out", "b"), ("in", "c")]),
    ],
)  # fmt: skip
def test_differences(before, after, pieces):
    found = list(differences(before, after))
    assert found == pieces
    assert "".join(words for act, words in found if act != "in") == before
    assert "".join(words for act, words in found if act != "out") == after


def made(*boxes, width=1600, height=1200, **found):
    return Made(
        boxes=boxes,
        **({"lines": 0, "text_share": 0.0, "left": ()} | found),
        width=width,
        height=height,
        plain=b"",
        renditions=(),
    )


FACE = Box("face", 0.4, 0.4, 0.05, 0.08, 0.9, "prøve")


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (made(), ()),
        (made(FACE, Box("plate", 0.1, 0.1, 0.1, 0.03, 0.8, "prøve")), ()),
        (made(*[FACE] * 7), ("many_faces",)),
        (made(Box("face", 0.3, 0.3, 0.2, 0.3, 0.9, "prøve")), ("large_face",)),
        # The same shares of a high picture are fewer pixels of its shorter side.
        (made(Box("face", 0.3, 0.3, 0.12, 0.08, 0.9, "prøve"), width=900, height=1600), ()),
        (made(Box("plate", 0.1, 0.1, 0.1, 0.03, 0.3, "prøve")), ("unsure_plate",)),
        (made(lines=12), ("page",)),
        (made(lines=3, text_share=0.3), ("page",)),
        (made(FACE, left=(FACE,)), ("left",)),
    ],
)
def test_a_photo_waits_for_a_person_where_there_is_doubt(found, why):
    assert moderation.doubts(found) == why
