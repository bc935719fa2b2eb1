"""What waits for a person to look at it: texts and photos that are held, flags, objections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, Text, case, cast, func, literal, null, select, union_all
from sqlalchemy.orm import aliased

from .moderating import Decision, Flag
from .rows import Photo, Report

WAITING = ("threat", "flag", "text", "objection", "photo")
"""What may wait, the riskiest first: a row of `waiting` names one by its place in here."""


def waiting(municipality_ids: Sequence[int]) -> Select[Any]:
    """Rows of `rank` (a place in WAITING), `at`, `report_id`, `number` and, where photos wait, `photo_id` of the first of
    them; the riskiest first and of those the oldest."""
    found = union_all(
        _texts(municipality_ids),
        _flags(municipality_ids),
        _objections(municipality_ids),
        _photos(municipality_ids),
    ).subquery()
    return select(found).order_by(found.c.rank, found.c.at, found.c.report_id)


_NO_PHOTO = cast(null(), Integer)


def _rank(name: str) -> Any:
    return literal(WAITING.index(name))


def _texts(municipality_ids: Sequence[int]) -> Select[Any]:
    """Texts that are held, since when; what was flagged waits as a flag."""
    mine = (Decision.report_id == Report.id, Decision.photo_id.is_(None))
    last = aliased(Decision)
    since = (
        select(func.max(Decision.at)).where(*mine, Decision.act.in_(("held", "flagged"))).scalar_subquery()
    )
    newest = (
        select(func.max(last.id))
        .where(last.report_id == Report.id, last.photo_id.is_(None), last.act == "held")
        .correlate(Report)
        .scalar_subquery()
    )
    # Why is a list, which both databases hold as text or give as one.
    threat = (
        select(Decision.id).where(Decision.id == newest, cast(Decision.why, Text).like('%"threat"%')).exists()
    )
    flagged = select(Flag.id).where(
        Flag.report_id == Report.id, Flag.photo_id.is_(None), Flag.state == "open"
    )
    return select(
        case((threat, _rank("threat")), else_=_rank("text")).label("rank"),
        func.coalesce(since, Report.created_at).label("at"),
        Report.id.label("report_id"),
        literal(1).label("number"),
        _NO_PHOTO.label("photo_id"),
    ).where(
        Report.municipality_id.in_(municipality_ids),
        Report.text_publication == "held",
        Report.state != "withdrawn",
        ~flagged.exists(),
    )


def _flags(municipality_ids: Sequence[int]) -> Select[Any]:
    return (
        select(_rank("flag"), func.min(Flag.at), Flag.report_id, func.count(), _NO_PHOTO)
        .join(Report, Report.id == Flag.report_id)
        .where(
            Report.municipality_id.in_(municipality_ids),
            Flag.state == "open",
            Report.state != "withdrawn",
            Report.erased_at.is_(None),
        )
        .group_by(Flag.report_id)
    )


def _objections(municipality_ids: Sequence[int]) -> Select[Any]:
    return (
        select(
            _rank("objection"), func.min(Decision.objected_at), Decision.report_id, func.count(), _NO_PHOTO
        )
        .join(Report, Report.id == Decision.report_id)
        .where(
            Report.municipality_id.in_(municipality_ids),
            Decision.objected_at.is_not(None),
            Decision.answered_at.is_(None),
            Report.erased_at.is_(None),
        )
        .group_by(Decision.report_id)
    )


def _photos(municipality_ids: Sequence[int]) -> Select[Any]:
    flagged = select(Flag.id).where(Flag.photo_id == Photo.id, Flag.state == "open")
    return (
        select(_rank("photo"), func.min(Photo.created_at), Photo.report_id, func.count(), func.min(Photo.id))
        .join(Report, Report.id == Photo.report_id)
        .where(
            Report.municipality_id.in_(municipality_ids),
            Photo.publication == "held",
            Report.state != "withdrawn",
            # After an incident nothing can be shown before the case itself is.
            Report.text_publication != "unpublished",
            ~flagged.exists(),
        )
        .group_by(Photo.report_id)
    )
