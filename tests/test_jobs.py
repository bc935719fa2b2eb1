from datetime import timedelta

import pytest
from sqlalchemy import select

from gatami import jobs, media, reports
from gatami.accounts import Attempt
from gatami.db import db, now
from gatami.notifications import Delivery
from gatami.reports import Photo, Report

from . import factories


@pytest.fixture
def tasks(app):
    """The worker's tasks by their names, periodic ones among them."""
    return {
        task.__name__.removeprefix("queuetask_"): task
        for task in app.extensions["huey"]._registry._registry.values()
    }


def test_the_worker_knows_its_tasks(app, tasks):
    assert set(tasks) == {"review", "draw", "deliver", "sweep", "morning", "night"}
    assert {t.name for t in app.extensions["huey"]._registry.periodic_tasks} == {
        f"queuetask_{name}" for name in ("sweep", "morning", "night")
    } or len(app.extensions["huey"]._registry.periodic_tasks) == 3


def run(app, name):
    """What the consumer does when the clock says so."""
    registry = app.extensions["huey"]._registry
    task = next(t for t in registry._registry.values() if t.__name__.endswith(name))
    return task().execute()


def test_the_sweep_does_what_was_forgotten(app):
    made = factories.report(
        at=now() - timedelta(minutes=5), email="kari@prove.example", photos=[factories.picture()]
    )
    fresh = factories.report()
    assert made.reviewed_at is None
    run(app, "sweep")
    db.session.expire_all()
    assert db.session.get(Report, made.id).reviewed_at is not None
    assert db.session.get(Report, fresh.id).reviewed_at is None, "the queue still has it"
    assert db.session.scalars(select(Photo.publication)).all() == ["published"]
    assert db.session.scalars(select(Delivery.state)).all() == ["sent"]


def test_the_night_forgets(app):
    db.session.add(Attempt(purpose="x", who="x", at=now() - timedelta(days=2)))
    db.session.add(Attempt(purpose="x", who="y"))
    db.session.commit()
    media.private.put("drafts/new", b"x")
    run(app, "night")
    assert db.session.scalars(select(Attempt.who)).all() == ["y"]
    assert media.private.get("drafts/new") == b"x"


def test_the_morning_sends_digests(app):
    follow = reports.AreaFollow(
        municipality=factories.municipality(), email="ola@prove.example", language="nb", frequency="daily"
    )
    reports.follow_area(follow)
    reports.confirm_follow(follow)
    follow.confirmed_at = now() - timedelta(hours=1)
    made = factories.report()
    jobs.review(app, made.id)
    run(app, "morning")
    db.session.expire_all()
    assert ("area_digest", "sent") in db.session.execute(select(Delivery.kind, Delivery.state)).all()


def test_a_report_that_is_gone_is_no_error(app):
    jobs.review(app, 12345)
