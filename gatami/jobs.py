"""The worker: which task runs when. Tasks are handed ids alone; what is to be done stands in the rows.

A sweep every minute does again what a crash or a lost queue forgot.
"""

from __future__ import annotations

import logging
import smtplib
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, render_template, url_for
from flask_babel import force_locale
from huey import MemoryHuey, RedisHuey, SqliteHuey, crontab
from huey.api import Huey
from sqlalchemy import make_url
from sqlalchemy.orm.exc import StaleDataError

from . import accounts, addresses, notifications, reports
from .db import db, now
from .notifications import Delivery, Journal, Refused

log = logging.getLogger(__name__)

FORGOTTEN = timedelta(seconds=60)
"""A report this old that no worker has taken was forgotten."""
STRAY = timedelta(hours=1)
"""Public files this old that no photo names are not on their way to be named."""
FORGET_TRIES = 10
"""Collisions with people at work before the nightly run leaves the rest to the next night."""


def _queue(app: Flask) -> Huey:
    if app.config["MODE"] == "testing" and not app.config.get("REAL_QUEUE"):
        return MemoryHuey("gatami", immediate=True)
    url = app.config["QUEUE_URL"]
    if url.startswith(("redis://", "rediss://")):
        return RedisHuey("gatami", url=url, results=False)
    path = Path(str(make_url(url).database)).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("gatami", filename=str(path), results=False, fsync=False)


def render(delivery: Delivery) -> tuple[str, str, str | None]:
    """Subject, body and unsubscribe address of a message, in its reader's language."""
    facts = dict(delivery.payload or {})
    unsubscribe_url = None
    if token := facts.pop("unsubscribe_token", None):
        unsubscribe_url = url_for("following.unsubscribe", token=token, _external=True)
    if "ref" in facts:
        facts["report_url"] = url_for("public.report", ref=facts["ref"], _external=True)
    if token := facts.pop("private_token", None):
        facts["private_url"] = url_for("mine.report", token=token, _external=True)
    if token := facts.pop("objection_token", None):
        facts["objection_url"] = url_for(
            "mine.objection", token=token, number=facts["decision"], _external=True
        )
    if "desk_ref" in facts:
        facts["desk_url"] = url_for("desk.case", ref=facts["desk_ref"], _external=True)
    if token := facts.pop("confirm_token", None):
        facts["confirm_url"] = url_for("following.confirm_follow", token=token, _external=True)
    if delivery.kind == "password_link":
        facts["url"] = url_for("accounts.password", token=facts.pop("token"), _external=True)
    for item in facts.get("items", ()):
        item["report_url"] = url_for("public.report", ref=item["ref"], _external=True)
    with force_locale(delivery.language):
        text = render_template(f"mail/{delivery.kind}.txt", unsubscribe_url=unsubscribe_url, **facts)
    head, _, body = text.strip().partition("\n")
    return head.removeprefix("Subject:").strip(), body.strip() + "\n", unsubscribe_url


def deliver(app: Flask) -> int:
    """Send what is due, one message after the other, each claimed and marked in commits of its own; how many."""
    config, sent, settled = app.config, 0, False
    settle(app)
    journal = Journal(config["SENT_JOURNAL"])
    transport = notifications.transport(config["SMTP_URL"], config["MAIL_FOLDER"])
    try:
        while (delivery := notifications.claim(config["LEASE_S"])) is not None:
            db.session.commit()
            if delivery.attempts > 1:
                # Somebody had it before, and if that one died after sending it, its journal tells only now.
                settle(app)
                if delivery.state == "sent":
                    continue
            try:
                if delivery.recipient is None:
                    # A backup that was restored holds a message to somebody who is forgotten.
                    raise Refused
                subject, body, unsubscribe_url = render(delivery)
                transport.send(
                    notifications.compose(
                        delivery.key, config["MAIL_FROM"], delivery.recipient, subject, body, unsubscribe_url
                    )
                )
            except Refused as error:
                notifications.mark_refused(delivery, error)
            except (OSError, smtplib.SMTPException) as error:
                log.warning("A message could not be sent: %s", type(error).__name__)
                notifications.mark_failed(delivery, error, config["DELIVERY_TRIES"])
            except Exception as error:
                log.exception("A message could not be made.")
                notifications.mark_failed(delivery, error, config["DELIVERY_TRIES"])
            else:
                _note(journal, delivery.key)
                notifications.mark_sent(delivery)
                sent += 1
            db.session.commit()
        settled = True
    finally:
        transport.close()
        db.session.rollback()
        journal.close(settled=settled)
    return sent


def _note(journal: Journal, key: str) -> None:
    """A journal that cannot be written, on a full disk, must not make a message that was sent look unsent."""
    try:
        journal.note(key)
    except OSError:
        log.exception("The journal of sent messages cannot be written.")


def settle(app: Flask) -> None:
    """Mark what was sent before a crash, so that it is not sent again."""
    for path in Journal.abandoned(app.config["SENT_JOURNAL"]):
        Journal.settle(path)
        db.session.commit()
        path.unlink(missing_ok=True)


def review(app: Flask, report_id: int) -> None:
    """The worker's part of a new report. The address look-up is a courtesy, so its failure changes nothing."""
    config, place_name = app.config, None
    report = db.session.get(reports.Report, report_id)
    if report is None or report.reviewed_at is not None:
        return
    if config["ADDRESS_URL"] and not report.place_name:
        lat, lon = report.lat, report.lon
        db.session.rollback()
        try:
            found = addresses.nearest(config["ADDRESS_URL"], lat, lon, config["ADDRESS_TIMEOUT_S"])
            place_name = found.street if found else None
        except addresses.AddressServiceDown:
            pass
    db.session.rollback()
    draw(app, report_id)
    if reports.review(report_id, place_name):
        db.session.commit()
        deliver(app)
    else:
        db.session.rollback()


def draw(app: Flask, report_id: int) -> None:
    """Make the files of a report's photos that wait, each in a commit of its own."""
    config = app.config
    waiting = db.session.scalars(reports.undrawn(report_id)).all()
    for photo_id in waiting:
        # The picture takes a second or two, and a connection is not kept waiting for it.
        if reports.draw(photo_id, config["PHOTO_SECONDS"], config["PHOTO_MEMORY"]):
            db.session.commit()
        else:
            db.session.rollback()


def shred() -> None:
    """Destroy the keys of everything that was forgotten and committed."""
    while reports.shred():
        db.session.commit()
    db.session.rollback()


def forget(at: datetime) -> Counter[str]:
    """Forget what was kept long enough, and what a restored backup brought back, in small commits; how much of what."""
    done: Counter[str] = Counter()
    shred()
    for step in (reports.replay, reports.retain):
        collisions = 0
        while collisions < FORGET_TRIES:
            try:
                some = step(at)
                db.session.commit()
            except StaleDataError:
                # Somebody changed one of these cases at the same moment. The next look sees what is right now.
                db.session.rollback()
                collisions += 1
                continue
            shred()
            if not some:
                break
            done += some
    return done


def init_app(app: Flask) -> None:
    huey = _queue(app)
    app.extensions["huey"] = huey
    started = now()

    def inside(task: Callable[..., Any]) -> Callable[..., None]:
        """Run a task in the app's context, whatever thread it is on."""

        def run(*ids: int) -> None:
            with app.app_context():
                task(app, *ids)

        run.__name__ = task.__name__
        return run

    def sweep(app: Flask) -> None:
        # Keys of what was erased a moment before a web process died.
        shred()
        # What came before this worker started may have been in the hands of one that died: it waits no longer.
        forgotten = max(now() - FORGOTTEN, started)
        for report_id in db.session.scalars(reports.unreviewed(forgotten).limit(200)).all():
            try:
                review(app, report_id)
            except Exception:
                # One report that cannot be reviewed must not keep the others, and the mails, from their turn.
                log.exception("Report %d could not be reviewed.", report_id)
                db.session.rollback()
        for report_id in db.session.scalars(reports.with_undrawn().limit(200)).all():
            try:
                draw(app, report_id)
            except Exception:
                log.exception("Photos of report %d could not be drawn.", report_id)
                db.session.rollback()
        deliver(app)

    def morning(app: Flask) -> None:
        reports.send_digests(now())
        db.session.commit()
        deliver(app)

    def night(_app: Flask) -> None:
        accounts.forget_attempts()
        db.session.commit()
        reports.forget_drafts()
        reports.forget_strays(now() - STRAY)
        forget(now())

    app.extensions["tasks"] = {
        "review": huey.task(retries=0, name="review")(inside(review)),
        "draw": huey.task(retries=0, name="draw")(inside(draw)),
        "deliver": huey.task(retries=0, name="deliver")(inside(deliver)),
    }
    huey.periodic_task(crontab(minute="*"), name="sweep")(inside(sweep))
    huey.periodic_task(crontab(hour="6", minute="0"), name="morning")(inside(morning))
    huey.periodic_task(crontab(hour="2", minute="30"), name="night")(inside(night))
