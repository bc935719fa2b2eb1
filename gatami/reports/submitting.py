"""Taking a report."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from .. import media, municipalities, notifications
from ..db import DataKey, Private, db, keyring, now, point
from ..municipalities import Category, Municipality, Names, OutsideEveryMunicipality
from ..policy import deadlines
from ..policy.moderation import Verdict
from .following import record, told
from .moderating import Decision, alarm, decide, judge, keep_version, statement
from .photos import describe
from .rows import CONTACT_MOST, Follow, Original, Photo, Report, is_email, private_token

TEXT_MOST = 4000
"""Characters of a report's text (Open311's limit for `description`)."""
PHOTOS_MOST = 6
CAPTION_MOST = 200
"""Characters that say what a photo shows."""

_REF_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class InvalidReport(Exception):
    """What cannot be taken as it was typed: field → why, an id that the door has words for."""

    def __init__(self, errors: dict[str, str], outside: Names | None = None) -> None:
        super().__init__(errors)
        self.errors = errors
        self.outside = outside
        """With `not_here` on the place: the names of the municipality that it lies in."""


@dataclass(slots=True)
class Submission:
    """A report as it was typed, before anything is known to be right. Places in degrees WGS 84."""

    category: str
    lat: float | None
    lon: float | None
    text: str
    language: str = "nb"
    name: str = ""
    email: str = ""
    phone: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    photos: Sequence[bytes] = ()
    captions: Sequence[str] = ()
    """What each photo shows, in the reporter's words and the photos' order; fewer where nothing was said."""
    token: str = ""
    """Names this filling-in of the form; empty where there was none."""
    place_name: str | None = None


def submit(submission: Submission, at: datetime | None = None) -> Report:
    """Take a report: the original sealed, the public text derived, events and the receipt in one transaction.

    Raises InvalidReport with every error at once, before anything is stored. A failure of the policy layer holds
    the text. The door commits, then enqueues the report's id for `review`.
    """
    at = at or now()
    if submission.token and (known := by_submission(submission.token)):
        if _is_the_same(known, submission):
            return known
        # Somebody went back and wrote something else: that is another report.
        submission.token = ""
    municipality, category = check(submission)
    verdict = judge(submission.text, municipality, submission.language)
    masked = verdict.public if verdict else None
    shown = verdict is not None and not verdict.held
    data_key = DataKey().keep()
    report = Report(
        ref="".join(secrets.choice(_REF_LETTERS) for _ in range(8)),
        municipality=municipality,
        category=category,
        language=submission.language,
        lat=round(float(submission.lat or 0), 6),
        lon=round(float(submission.lon or 0), 6),
        place=point(float(submission.lat or 0), float(submission.lon or 0)),
        place_name=submission.place_name,
        public_text=masked if shown else None,
        text_publication="published" if shown else "held",
        response_due_at=deadlines.after_working_days(at, category.response_days),
        repair_due_at=deadlines.after_working_days(at, category.repair_days),
        submission=_submission(submission.token) if submission.token else None,
        created_at=at,
        changed_at=at,
    )
    contents = {
        "text": submission.text.strip(),
        "masked": masked,
        "answers": submission.answers,
        "captions": [caption.strip() for caption in submission.captions],
    }
    typed = {"name": submission.name, "email": submission.email, "phone": submission.phone}
    contact = {name: value.strip() for name, value in typed.items() if value.strip()}
    contact_key = DataKey().keep() if contact else None
    report.original = Original(
        key=data_key.name,
        sealed=data_key.seal(json.dumps(contents).encode()),
        contact_key=contact_key.name if contact_key else None,
        contact=contact_key.seal(json.dumps(contact).encode()) if contact_key else None,
        email_fingerprint=keyring.fingerprint(submission.email) if submission.email.strip() else None,
    )
    captions = iter(submission.captions)
    for position, data in enumerate(submission.photos):
        photo = Photo(key=media.new_key(), position=position, created_at=at)
        media.private.put(photo.original, data_key.seal(data))
        report.photos.append(photo)
        describe(photo, next(captions, ""))
    db.session.add(report)
    record(report, "received", to_state="received", at=at, public=True, tell=False)
    decision = _decide_at_first(report, verdict, at)
    if submission.email.strip():
        _follow_as_reporter(report, submission, decision, at)
    return report


def _decide_at_first(report: Report, verdict: Verdict | None, at: datetime) -> Decision | None:
    """Write down what automation decided; the receipt tells the author, so no further message goes out."""
    if verdict is None:
        return decide(report, "held", why=("failed",), tell=False, at=at)
    decision = None
    if verdict.held or verdict.findings:
        decision = decide(report, "held" if verdict.held else "masked", verdict, tell=False, at=at)
    if verdict.alarming:
        alarm(report, at)
    keep_version(report, "received", at=at)
    return decision


def _submission(token: str) -> str:
    return keyring.fingerprint("submission " + token)


def by_submission(token: str) -> Report | None:
    """The report that this filling-in of the form has become already."""
    return db.session.scalar(select(Report).where(Report.submission == _submission(token)))


def _is_the_same(report: Report, submission: Submission) -> bool:
    """Whether everything is as it was sent the first time, so that whoever sends it learns nothing from the answer."""
    sent = report.original.contents
    return (
        (sent.text, sent.name, sent.email, sent.phone)
        == tuple(
            typed.strip() for typed in (submission.text, submission.name, submission.email, submission.phone)
        )
        and report.category.slug == submission.category
        and (report.lat, report.lon) == (round(submission.lat or 0, 6), round(submission.lon or 0, 6))
        and len(report.photos) >= len(submission.photos)
    )


def _follow_as_reporter(
    report: Report, submission: Submission, decision: Decision | None, at: datetime
) -> None:
    key_name = report.original.contact_key
    assert key_name is not None, "an address is a contact detail"
    email = Private(submission.email.strip(), key_name)
    db.session.add(
        Follow(
            report=report,
            email=email,
            email_fingerprint=keyring.fingerprint(email),
            language=submission.language,
            is_reporter=True,
            confirmed_at=at,
        )
    )
    report.follower_count = 1
    db.session.flush()
    notifications.queue(
        "receipt",
        email,
        submission.language,
        f"receipt:{report.id}",
        {
            **told(report),
            **(statement(decision) if decision else {}),
            "private_token": private_token(report),
            "response_days": report.category.response_days,
            "masked": decision is not None and decision.act == "masked",
            "held": report.text_publication == "held",
            "has_photos": bool(report.photos),
        },
        at=at,
    )


def check(submission: Submission) -> tuple[Municipality, Category]:
    """The municipality and the category that a submission is for. Raises InvalidReport."""
    errors: dict[str, str] = {}
    outside: Names | None = None
    municipality: Municipality | None = None
    category: Category | None = None
    if submission.lat is None or submission.lon is None:
        errors["place"] = "place_missing"
    elif not (-90 <= submission.lat <= 90 and -180 <= submission.lon <= 180):
        errors["place"] = "place_not_on_earth"
    else:
        try:
            municipality = municipalities.municipality_at(submission.lat, submission.lon)
        except OutsideEveryMunicipality as error:
            errors["place"], outside = f"place_{error.reason}", error.names
    if not submission.category:
        errors["category"] = "category_missing"
    elif municipality and not (category := municipalities.category(municipality, submission.category)):
        errors["category"] = "category_unknown"
    if not submission.text.strip():
        errors["text"] = "text_missing"
    elif len(submission.text.strip()) > TEXT_MOST:
        errors["text"] = "text_too_long"
    if submission.email.strip() and not is_email(submission.email):
        errors["email"] = "email_invalid"
    if submission.phone.strip() and not re.fullmatch(r"\+?[\d ()-]{5,20}", submission.phone.strip()):
        errors["phone"] = "phone_invalid"
    if len(submission.name) > CONTACT_MOST:
        errors["name"] = "too_long"
    if category:
        errors.update(_check_answers(category, submission))
    if len(submission.photos) > PHOTOS_MOST:
        errors["photos"] = "photos_too_many"
    if any(len(caption.strip()) > CAPTION_MOST for caption in submission.captions):
        errors["photos"] = "caption_too_long"
    if errors or municipality is None or category is None:
        raise InvalidReport(errors, outside)
    return municipality, category


def _check_answers(category: Category, submission: Submission) -> dict[str, str]:
    """Errors of the category's own questions; answers to other questions are dropped."""
    errors = {}
    asked = {question["code"]: question for question in category.questions}
    submission.answers = {
        code: a.strip() for code, a in submission.answers.items() if code in asked and a.strip()
    }
    for code, question in asked.items():
        answer = submission.answers.get(code, "")
        if question.get("required") and not answer:
            errors[f"answer-{code}"] = "answer_missing"
        elif len(answer) > CONTACT_MOST:
            errors[f"answer-{code}"] = "too_long"
        elif (
            answer and question["kind"] == "choice" and answer not in {o["code"] for o in question["options"]}
        ):
            errors[f"answer-{code}"] = "answer_unknown"
    return errors
