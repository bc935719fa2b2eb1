"""Decisions, versions, objections, flags, incidents and looks, as verbs."""

from datetime import timedelta

import pytest

from gatami import cases, jobs, notifications, reports
from gatami.db import db, now
from gatami.notifications import Delivery
from gatami.reports import Decision

from . import factories

HELD = "Naboen min Per har demens. Hullet ved porten er stort."


def acts(report):
    return [decision.act for decision in reports.decisions(report)]


def mails(kind):
    return db.session.query(Delivery).filter_by(kind=kind).all()


def test_every_decision_is_a_row_without_the_words(app):
    made = factories.report(text=HELD, email="ane@prove.example")
    decision = reports.decisions(made)[0]
    assert (decision.act, decision.actor_id) == ("held", None)
    assert decision.kinds == ["HEALTH", "PERSON"]
    assert "somebody" in decision.why
    assert "gdpr_9" in decision.grounds
    stored = db.session.execute(db.text("SELECT * FROM decisions")).mappings().one()
    assert "demens" not in str(dict(stored))
    assert mails("reasons") == [], "the receipt tells it"


def test_place_category_and_state_are_shown_while_a_text_is_held(app, client):
    made = factories.report(text=HELD)
    page = client.get(f"/reports/{made.ref}")
    assert page.status_code == 200
    assert "Hull i vegen" in page.text
    assert "demens" not in page.text


def test_a_text_that_needs_no_decision_leaves_none(app):
    assert acts(factories.report()) == []


def test_the_author_is_told_once_per_decision(app):
    made = factories.report(text=HELD, email="ane@prove.example")
    liv = factories.user()
    reports.publish_text(made, "Hullet er stort.", liv)
    db.session.commit()
    reports.publish_text(made, "Hullet er svært stort.", liv)
    db.session.commit()
    assert acts(made) == ["held", "released", "released"]
    assert len(mails("reasons")) == 1, "an edit of what is shown already is no news"


def test_who_gave_no_address_is_not_written_to(app):
    made = factories.report(text=HELD)
    reports.publish_text(made, "Hullet er stort.", factories.user())
    db.session.commit()
    assert mails("reasons") == []


def test_masks_by_hand_count_as_hidden(app):
    made = factories.report(text="Hullet ved porten er stort.")
    reports.publish_text(made, "Hullet ved [hjemmeadresse] er stort.", factories.user())
    db.session.commit()
    decision = reports.decisions(made)[-1]
    assert decision.kinds == ["ADDRESS"]
    assert decision.why == []
    assert decision.can_be_objected_to


def test_a_release_that_hides_nothing_is_no_matter_for_an_objection(app):
    made = factories.report()
    reports.publish_text(made, "Stort hull.", factories.user())
    db.session.commit()
    decision = reports.decisions(made)[-1]
    with pytest.raises(reports.NothingToObjectTo):
        reports.object_to(decision, "Nei.")


def test_versions_are_kept_sealed_and_one_is_shown(app):
    made, liv = factories.report(), factories.user()
    for text in ("Hullet er stort.", "Hullet er lite.", "Hullet er lite."):
        reports.publish_text(made, text, liv)
        db.session.commit()
    texts = [version.text for version in reports.versions(made)]
    assert texts == ["Stort hull midt i vegen.", "Hullet er stort.", "Hullet er lite."]
    stored = db.session.execute(db.text("SELECT * FROM versions")).mappings().all()
    assert b"lite" not in b"".join(bytes(row["sealed"]) for row in stored)
    reports.restore_text(made, 2, liv)
    db.session.commit()
    assert made.public_text == "Hullet er stort."
    assert acts(made)[-1] == "restored"
    with pytest.raises(reports.NoSuchVersion):
        reports.restore_text(made, 17, liv)


def test_of_two_who_decide_at_the_same_version_the_second_is_told(app):
    liv = factories.user()
    made = factories.report(text=HELD, email="ane@prove.example")
    reports.publish_text(made, "[navn] Hullet.", liv)
    db.session.commit()
    decision = reports.decisions(made)[-1]
    seen = made.version
    reports.object_to(decision, "Ikke privat.")
    db.session.commit()
    with pytest.raises(cases.ChangedMeanwhile):
        cases.hold_text(made, liv, seen)
    seen, geir = made.version, factories.user("Geir Prøvland")
    cases.answer_objection(decision, geir, "upheld", "Den blir stående.", seen)
    db.session.commit()
    for late in (
        lambda: cases.lift(made, liv, "Per", seen),
        lambda: cases.restore_text(made, liv, 1, seen),
        lambda: cases.answer_objection(decision, geir, "upheld", "x", seen),
        lambda: cases.unpublish(made, liv, "x", seen),
        lambda: cases.publish_again(made, liv, seen),
    ):
        with pytest.raises(cases.ChangedMeanwhile):
            late()


def test_a_name_is_lifted_in_a_text_that_waits(app):
    liv = factories.user()
    made = factories.report(text=f"I går kjørte Heggland for fort. {HELD}")
    before = made.version
    cases.lift(made, liv, "Heggland", before)
    db.session.commit()
    assert made.version > before
    assert made.public_text is None, "lifting a name releases nothing"
    assert made.original.contents.masked.startswith("I går kjørte Heggland for fort.")
    assert acts(made) == ["held", "lifted"]
    for words in ("Per", "Heggland", "hullet"):
        with pytest.raises(reports.NotLiftable):
            reports.lift(made, words, liv)


def test_a_text_that_was_edited_stays_as_it_was_edited(app):
    liv = factories.user()
    made = factories.report(text="I går kjørte Heggland for fort.")
    reports.publish_text(made, "Hullet.", liv)
    db.session.commit()
    reports.lift(made, "Heggland", liv)
    db.session.commit()
    assert made.public_text == "Hullet."
    reports.publish_text(made, "Hullet. I går kjørte Heggland for fort.", liv)
    assert made.public_text == "Hullet. I går kjørte Heggland for fort."


def test_flags(app):
    made, liv = factories.report(), factories.user()
    assert reports.flag(made, "other", "192.0.2.1")[1] is False
    first, hides = reports.flag(made, "personal", "192.0.2.2")
    assert hides
    db.session.commit()
    again, hides = reports.flag(made, "personal", "192.0.2.2")
    assert (again.id, hides) == (first.id, False), "one person counts once"
    reports.hold_text(made, None, act="flagged")
    db.session.commit()
    assert len(reports.open_flags(made)) == 2, "what only hides settles nothing"
    reports.publish_text(made, "Et hull i vegen.", liv)
    db.session.commit()
    assert {flag.state for flag in db.session.query(reports.Flag)} == {"right"}
    assert reports.flag(made, "personal", "192.0.2.3")[1], "it was right the last time"


def test_an_incident_leaves_nothing_and_forgets_nothing(app):
    made, ada = factories.report(photos=[factories.picture()]), factories.user("Ada Prøve", role="leader")
    factories.review(made)
    db.session.commit()
    reports.publish_photo(made.photos[0], ada)
    db.session.commit()
    shown = made.published_at
    incident = reports.unpublish(made, ada, "Noe privat.")
    db.session.commit()
    assert (made.public_text, made.text_publication, made.cover_key) == (None, "unpublished", None)
    assert made.photos[0].publication == "held"
    assert incident.shown_from == shown
    assert incident.due_at - incident.at == timedelta(hours=72)
    for act in (
        lambda: reports.unpublish(made, ada, "En gang til."),
        lambda: reports.publish_text(made, "Hull.", ada),
        lambda: reports.publish_photo(made.photos[0], ada),
        lambda: reports.hold_text(made, ada),
    ):
        with pytest.raises(reports.NothingToShow):
            act()
    reports.log_incident(incident, ada, "Ringte.", close=True)
    reports.publish_again(made, ada)
    db.session.commit()
    assert made.text_publication == "held"
    assert [entry["text"] for entry in incident.entries] == ["Noe privat.", "Ringte."]
    stored = db.session.execute(db.text("SELECT entries FROM incidents")).scalar_one()
    assert b"privat" not in bytes(stored)


def test_what_was_withdrawn_does_not_come_back_after_an_incident(app):
    made, ada = factories.report(), factories.user("Ada Prøve", role="leader")
    reports.withdraw(made)
    db.session.commit()
    reports.unpublish(made, ada, "Noe privat.")
    reports.publish_again(made, ada)
    db.session.commit()
    assert made.text_publication == "removed"


def test_who_got_mails_about_a_report(app):
    area = reports.AreaFollow(
        municipality=factories.municipality(), email="odd@prove.example", language="nb", frequency="daily"
    )
    reports.follow_area(area)
    reports.confirm_follow(area)
    near = reports.AreaFollow(
        municipality=factories.municipality(), email="siri@prove.example", language="nb"
    )
    reports.follow_area(near)
    reports.confirm_follow(near)
    made, other = factories.report(email="ane@prove.example"), factories.report()
    for report in (made, other):
        factories.review(report)
        follow = reports.follow(report, f"ola{report.id}@prove.example", "nb")
        reports.confirm_follow(follow)
        db.session.commit()
    cases.change_state(made, factories.user(), "planned", made.version)
    db.session.commit()
    reports.send_digests(now() + timedelta(hours=1))
    db.session.commit()
    jobs.deliver(app)
    found = {mail.recipient for mail in reports.reached_by_mail(made)}
    assert found == {
        f"ola{made.id}@prove.example",
        "ane@prove.example",
        "siri@prove.example",
        "odd@prove.example",
    }
    assert f"ola{made.id}@prove.example" not in {m.recipient for m in reports.reached_by_mail(other)}


def test_a_threat_is_told_to_each_leader_once(app):
    factories.user("Ada Prøve", role="leader")
    factories.user("Liv Prøvesen")
    made = factories.report(text="Jeg skal drepe deg hvis hullet ikke blir fylt.")
    reports.alarm(made)
    db.session.commit()
    (mail,) = mails("threat")
    assert mail.recipient == "ada@prove.example"
    assert notifications.known([f"threat:{made.id}:1"])


def test_rules_are_an_act_on_record_only_where_they_change(app):
    home, ada = factories.municipality(), factories.user("Ada Prøve", role="leader")
    reports.set_rules(home, ada, {"open": ["Heggland"]})
    reports.set_rules(home, ada, {"open": ["Heggland"]})
    db.session.commit()
    (act,) = db.session.scalars(reports.acts(home))
    assert (act.before, act.after, act.actor_id) == ({}, {"open": ["Heggland"]}, ada.id)
    assert factories.report(text="Møtte Heggland.").public_text == "Møtte Heggland."


def test_what_waits_is_counted_for_its_municipality_alone(app):
    factories.report(text=HELD)
    here, there = factories.municipality().id, factories.municipality("5045").id
    assert len(db.session.execute(reports.waiting([here])).all()) == 1
    assert db.session.execute(reports.waiting([there])).all() == []
    assert db.session.execute(reports.waiting([])).all() == []


def test_what_was_held_anew_after_a_threat_is_no_threat(app):
    liv = factories.user()
    made = factories.report(text="Jeg skal drepe deg hvis hullet ikke blir fylt.")
    (row,) = db.session.execute(reports.waiting([made.municipality_id])).all()
    assert reports.WAITING[row.rank] == "threat"
    reports.publish_text(made, "Hullet.", liv)
    db.session.commit()
    assert db.session.execute(reports.waiting([made.municipality_id])).all() == []
    assert db.session.query(Decision).filter_by(act="released").count() == 1
