from datetime import timedelta

import pytest
from sqlalchemy import select

from gatami import cases, reports
from gatami.cases import NEEDS_REASON, TRANSITIONS, Queue
from gatami.db import db, now
from gatami.notifications import Delivery
from gatami.publication import STATES
from gatami.reports import Event, Follow

from . import factories


@pytest.fixture
def staff(app):
    return factories.user()


def test_every_state_has_its_transitions_and_a_type():
    assert set(TRANSITIONS) == set(STATES)
    for state, targets in TRANSITIONS.items():
        assert set(targets) <= set(STATES) - {state}
        assert "withdrawn" not in targets, "only the reporter takes a report back"
        assert "received" not in targets
    assert all(STATES[state] == "closed" for state in NEEDS_REASON)


@pytest.mark.parametrize("source", sorted(STATES))
def test_a_case_goes_where_the_table_says_and_nowhere_else(staff, source):
    target = factories.report()
    for state in STATES:
        report = factories.report()
        report.state = source
        db.session.commit()
        act = {"text": "Begrunnelse.", "duplicate_of": target.ref}
        if state in TRANSITIONS[source]:
            cases.change_state(report, staff, state, report.version, **act)
            assert report.state == state
            assert (report.closed_at is None) == (STATES[state] == "open")
        else:
            with pytest.raises(cases.NoSuchTransition):
                cases.change_state(report, staff, state, report.version, **act)


def test_each_change_is_one_event_and_one_mail_per_follower(staff):
    report = factories.report(email="kari@prove.example")
    reports.confirm_follow(reports.follow(report, "ola@prove.example", "nb"))
    db.session.commit()
    event = cases.change_state(report, staff, "planned", report.version, "Vi retter det i uke 12.")
    db.session.commit()
    assert (event.from_state, event.to_state, event.actor_name) == ("received", "planned", "Liv Prøvesen")
    assert event.department_names["nb"] == "Teknisk avdeling"
    changes = db.session.scalars(select(Delivery).where(Delivery.kind == "change")).all()
    assert sorted(d.recipient for d in changes) == ["kari@prove.example", "ola@prove.example"]
    assert report.answered_at is not None


@pytest.mark.parametrize("state", sorted(NEEDS_REASON))
def test_a_refusal_needs_a_public_reason(staff, state):
    report = factories.report()
    with pytest.raises(cases.ReasonMissing):
        cases.change_state(report, staff, state, report.version, "  ")


def test_a_duplicate_needs_another_report_and_takes_its_followers_along(staff):
    target, report = factories.report(email="ola@prove.example"), factories.report(email="kari@prove.example")
    elsewhere = factories.report(lat=factories.GRONG[0], lon=factories.GRONG[1])
    for wrong in ("", "XXXXXXXX", report.ref, elsewhere.ref):
        with pytest.raises(cases.NoSuchTarget):
            cases.change_state(report, staff, "duplicate", report.version, "Samme hull.", duplicate_of=wrong)
        db.session.rollback()
    cases.change_state(
        report, staff, "duplicate", report.version, "Samme hull.", duplicate_of=target.ref.lower()
    )
    db.session.commit()
    assert report.duplicate_of_ref == target.ref
    followers = db.session.scalars(select(Follow).where(Follow.report_id == target.id))
    assert sorted(f.email for f in followers) == ["kari@prove.example", "ola@prove.example"]
    db.session.refresh(target)
    assert target.follower_count == 2
    with pytest.raises(cases.NoSuchTarget):
        cases.change_state(target, staff, "duplicate", target.version, "Motsatt.", duplicate_of=report.ref)
    cases.change_state(report, staff, "assessing", report.version)
    assert report.duplicate_of_ref is None


def test_the_second_of_two_is_told(staff):
    report = factories.report()
    seen = report.version
    cases.assign(report, staff, staff, seen)
    db.session.commit()
    for act in (
        lambda: cases.assign(report, staff, None, seen),
        lambda: cases.change_state(report, staff, "planned", seen),
        lambda: cases.reply(report, staff, "Hei", seen),
        lambda: cases.hold_text(report, staff, seen),
    ):
        with pytest.raises(cases.ChangedMeanwhile):
            act()
    assert report.assignee is staff


def test_a_case_is_given_to_colleagues_of_the_municipality_alone(staff):
    report = factories.report()
    stranger = factories.user("Geir Prøvland", number="5045")
    with pytest.raises(cases.NotStaffHere):
        cases.assign(report, staff, stranger, report.version)
    event = cases.assign(report, staff, staff, report.version)
    assert not event.is_public


def test_a_reply_with_personal_data_is_stopped(staff):
    report = factories.report()
    with pytest.raises(cases.PersonalData) as caught:
        cases.reply(report, staff, "Ring Kari på 400 00 123.", report.version)
    assert "PHONE" in {finding.kind for finding in caught.value.findings}
    cases.reply(report, staff, "Ring oss på 74 28 00 00.", report.version)
    with pytest.raises(cases.EmptyText):
        cases.reply(report, staff, " ", report.version)


def test_staff_sign_with_their_own_name_and_no_others(staff):
    report = factories.report()
    event = cases.reply(report, staff, "Hullet er tettet. Hilsen Liv Prøvesen", report.version)
    assert "Liv Prøvesen" in event.text
    with pytest.raises(cases.PersonalData):
        cases.reply(report, staff, "Takk til Kari Sandvik for tipset.", report.version)


def test_a_note_is_for_colleagues_alone(staff):
    report = factories.report(email="kari@prove.example")
    before = report.version
    event = cases.note(report, staff, "Ring Kari på 400 00 123")
    db.session.commit()
    assert (event.is_public, event.text, event.private) == (False, None, "Ring Kari på 400 00 123")
    assert report.version == before
    assert not db.session.scalars(select(Delivery).where(Delivery.kind == "change")).all()
    with pytest.raises(cases.EmptyText):
        cases.note(report, staff, "")


def shown(user, at=None, **wanted):
    return {
        report.ref for report in db.session.scalars(cases.queue(user, Queue(**wanted), at or now())).unique()
    }


def test_the_queue_and_its_views(staff):
    mine = factories.report(text="Hull ved brua")
    cases.assign(mine, staff, staff, mine.version)
    held = factories.report(text="Noe annet", category="vann-og-avlop")
    cases.hold_text(held, staff, held.version)
    done = factories.report()
    cases.change_state(done, staff, "resolved", done.version)
    late = factories.report(at=now() - timedelta(days=30))
    factories.report(lat=factories.GRONG[0], lon=factories.GRONG[1])
    db.session.commit()
    assert shown(staff) == {mine.ref, held.ref, late.ref}
    assert shown(staff, view="mine") == {mine.ref}
    assert shown(staff, view="unassigned") == {held.ref, late.ref}
    assert shown(staff, view="overdue") == {late.ref}
    assert shown(staff, view="held") == {held.ref}
    assert shown(staff, state="fixed") == {done.ref}
    assert shown(staff, category="vann-og-avlop") == {held.ref}
    assert shown(staff, q="BRUA") == {mine.ref}
    assert shown(staff, q="100%") == set()
    assert cases.counts(staff, now()) == {"all": 3, "mine": 1, "unassigned": 2, "overdue": 1, "held": 1}
    assert cases.is_overdue(late, now())
    assert not cases.is_overdue(done, now() + timedelta(days=300))


def test_events_come_in_order_with_notes(staff):
    report = factories.report()
    cases.note(report, staff, "En")
    cases.reply(report, staff, "To", report.version)
    db.session.commit()
    assert [event.kind for event in cases.events(report)] == ["received", "note", "reply"]
    assert cases.last_change(report).kind == "reply"
    assert db.session.scalars(select(Event.private).where(Event.kind == "note")).one() == "En"


def test_a_text_that_cannot_be_checked_is_not_sent(staff, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError

    report = factories.report()
    monkeypatch.setattr(cases.policy, "find", broken)
    with pytest.raises(cases.NotChecked):
        cases.reply(report, staff, "Vi kommer i morgen.", report.version)


def test_a_long_text_is_refused_whole(staff):
    report = factories.report()
    for act in (
        lambda: cases.reply(report, staff, "x" * 4001, report.version),
        lambda: cases.note(report, staff, "x" * 4001),
        lambda: cases.release_text(report, staff, "x" * 4001, report.version),
    ):
        with pytest.raises(cases.TextTooLong):
            act()


def test_a_reply_goes_by_the_municipality_s_own_rules(app):
    """People by office may be named, and what the municipality hides in reports stays out of its own words too."""
    staff = factories.user()
    report = factories.report()
    with pytest.raises(cases.PersonalData):
        cases.reply(report, staff, "Spør Kari Halvorsen om vegen.", report.version)
    report.municipality.moderation = {"open": ["Kari Halvorsen"], "hidden": {"PERSON": ["Snøkongen"]}}
    with pytest.raises(cases.PersonalData):
        cases.reply(report, staff, "Snøkongen kommer i morgen.", report.version)
    cases.reply(report, staff, "Spør Kari Halvorsen om vegen.", report.version)
