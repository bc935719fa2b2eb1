"""What happened to a report, and who is told."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, update

from .. import notifications
from ..accounts import User, department_of
from ..db import db, distance_m, keyring, now, point
from ..municipalities import Category
from .rows import AreaFollow, Event, Follow, Report, is_email

RADIUS_M = (100, 20_000)
"""The smallest and the largest circle that can be followed."""


def record(
    report: Report,
    kind: str,
    *,
    actor: User | None = None,
    from_state: str | None = None,
    to_state: str | None = None,
    text: str | None = None,
    private: str | None = None,
    public: bool = False,
    tell: bool = True,
    at: datetime | None = None,
) -> Event:
    """One change of a report, and a message about it to each follower where `public` and `tell`."""
    at = at or now()
    department = department_of(actor, report.municipality_id) if actor else None
    event = Event(
        report=report,
        kind=kind,
        at=at,
        is_public=public,
        actor_id=actor.id if actor else None,
        actor_name=actor.name if actor else None,
        department_names=department.names if department else None,
        from_state=from_state,
        to_state=to_state,
        text=text if public else None,
        private=report.private(private),
    )
    db.session.add(event)
    if public:
        report.changed_at = at
    if public and tell:
        db.session.flush()
        _tell_followers(report, event)
    return event


def told(report: Report) -> dict[str, Any]:
    """What a message says of a report: nothing that its author wrote, so nothing personal travels by mail."""
    return {
        "ref": report.ref,
        "category_names": report.category.names,
        "place_name": report.place_name,
        "municipality_names": report.municipality.names,
    }


def _tell_followers(report: Report, event: Event) -> None:
    facts = told(report) | {
        "change": event.kind,
        "to_state": event.to_state,
        "actor_name": event.actor_name,
    }
    followers = select(Follow).where(Follow.report_id == report.id, Follow.confirmed_at.is_not(None))
    rows = [
        {
            "kind": "change",
            "recipient": follow.email,
            "language": follow.language,
            "key": f"event:{event.id}:follow:{follow.id}",
            "payload": facts | {"unsubscribe_token": keyring.sign("unsubscribe", ["report", follow.id])},
            "due_at": event.at,
        }
        for follow in db.session.scalars(followers)
        # A backup that was restored may hold an address whose key is gone.
        if follow.email
    ]
    if rows:
        db.session.execute(insert(notifications.Delivery), rows)


def follow(report: Report, email: str, language: str) -> Follow:
    """Ask for mails about a report: a first mail asks the mailbox's owner to confirm. Raises ValueError."""
    if not is_email(email):
        raise ValueError("email_invalid")
    print_ = keyring.fingerprint(email)
    found = db.session.scalar(
        select(Follow).where(Follow.report_id == report.id, Follow.email_fingerprint == print_)
    )
    if found is None:
        found = Follow(report=report, email=email.strip(), email_fingerprint=print_, language=language)
        db.session.add(found)
        db.session.flush()
    if found.confirmed_at is None:
        _ask_to_confirm("report", found, told(report))
    return found


def follow_area(follow: AreaFollow) -> AreaFollow:
    """The same for an area. Raises ValueError with the reason: `email_invalid`, `radius_invalid`."""
    if not is_email(follow.email):
        raise ValueError("email_invalid")
    if follow.radius_m is not None and not RADIUS_M[0] <= follow.radius_m <= RADIUS_M[1]:
        raise ValueError("radius_invalid")
    follow.email_fingerprint = keyring.fingerprint(follow.email)
    if follow.lat is not None and follow.lon is not None:
        follow.place = point(follow.lat, follow.lon)
    db.session.add(follow)
    db.session.flush()
    _ask_to_confirm("area", follow, {"municipality_names": follow.municipality.names})
    return follow


def _ask_to_confirm(kind: str, found: Follow | AreaFollow, facts: dict[str, Any]) -> None:
    notifications.queue(
        "follow_confirm",
        found.email,
        found.language,
        f"confirm:{kind}:{found.id}:{secrets.token_hex(4)}",
        facts | {"follows": kind, "confirm_token": keyring.sign("confirm", [kind, found.id])},
    )


def follow_of(purpose: str, token: str) -> Follow | AreaFollow | None:
    """The follow that a link of `confirm` or `unsubscribe` is about; None once it is gone. Raises BadLink."""
    kind, number = keyring.signed(purpose, token)
    if kind == "area":
        return db.session.get(AreaFollow, number)
    return db.session.get(Follow, number)


def confirm_follow(found: Follow | AreaFollow) -> None:
    if found.confirmed_at is None:
        found.confirmed_at = now()
        if isinstance(found, Follow):
            count_followers(found.report_id)


def unfollow(found: Follow | AreaFollow) -> None:
    report_id = found.report_id if isinstance(found, Follow) else None
    db.session.delete(found)
    db.session.flush()
    if report_id:
        count_followers(report_id)


def count_followers(report_id: int) -> None:
    # An UPDATE past the mapper: a follower more is no change of the case, so its version must not count up.
    number = select(func.count()).where(Follow.report_id == report_id, Follow.confirmed_at.is_not(None))
    db.session.flush()
    db.session.execute(
        update(Report)
        .where(Report.id == report_id)
        .values(follower_count=number.scalar_subquery())
        .execution_options(synchronize_session=False)
    )


def area_followers(report: Report) -> Iterable[AreaFollow]:
    """The confirmed followers of the area and category that the report lies in."""
    found = db.session.scalars(
        select(AreaFollow).where(
            AreaFollow.municipality_id == report.municipality_id,
            AreaFollow.confirmed_at.is_not(None),
            or_(
                AreaFollow.radius_m.is_(None),
                distance_m(AreaFollow.place, report.lon, report.lat) <= AreaFollow.radius_m,
            ),
        )
    )
    return (f for f in found if not f.categories or report.category.slug in f.categories)


def announce(report: Report) -> None:
    """Tell those who follow the area at once. Telling twice is not possible: the message's key is the same."""
    if report.text_publication != "published":
        return
    report.published_at = report.published_at or now()
    # One mail for who follows both a circle and the municipality around it.
    people = {f.email_fingerprint: f for f in area_followers(report) if f.frequency == "now"}
    followers = {f"new:{report.id}:area:{f.id}": f for f in people.values()}
    for key in notifications.known(list(followers)):
        del followers[key]
    for key, f in followers.items():
        token = keyring.sign("unsubscribe", ["area", f.id])
        notifications.queue("area_new", f.email, f.language, key, told(report) | {"unsubscribe_token": token})


DIGEST_MOST = 100
"""Reports in one daily mail; the rest comes with the next one."""


def send_digests(at: datetime) -> int:
    """One mail to each daily follower with something new since the last one; how many. The door commits."""
    sent = 0
    daily = select(AreaFollow).where(AreaFollow.frequency == "daily", AreaFollow.confirmed_at.is_not(None))
    for f in db.session.scalars(daily):
        found = list(db.session.scalars(_new_in_area(f, at).limit(DIGEST_MOST)))
        f.digest_at = at
        if not found:
            continue
        if len(found) == DIGEST_MOST:
            f.digest_at = found[-1].published_at
        notifications.queue(
            "area_digest",
            f.email,
            f.language,
            f"digest:{f.id}:{at:%Y%m%d%H}",
            {
                "items": [told(report) for report in found],
                "count": len(found),
                "unsubscribe_token": keyring.sign("unsubscribe", ["area", f.id]),
            },
        )
        sent += 1
    return sent


def _new_in_area(f: AreaFollow, at: datetime) -> Select[Report]:
    new = select(Report).where(
        Report.municipality_id == f.municipality_id,
        Report.text_publication == "published",
        Report.published_at > (f.digest_at or f.confirmed_at),
        Report.published_at <= at,
    )
    if f.radius_m is not None:
        new = new.where(distance_m(Report.place, f.lon, f.lat) <= f.radius_m)
    if f.categories:
        wanted = select(Category.id).where(Category.slug.in_(f.categories))
        new = new.where(Report.category_id.in_(wanted))
    return new.order_by(Report.published_at)
