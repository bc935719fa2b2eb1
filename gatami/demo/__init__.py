"""The demo: two municipalities, their staff, and reports in every state, made by the same verbs as real ones.

What is loaded stands as JSON in `gatami/data/`; the pictures are drawn here. `load` is safe to repeat: what exists
already stays as it is. `load_many` fills a database for measurements.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, select, update

from .. import accounts, cases, reports
from ..accounts import User
from ..db import db, keyring, now
from ..municipalities import Category, Department, Municipality
from ..notifications import Delivery
from ..policy import deadlines
from ..policy import photos as policy_photos
from ..policy import text as policy
from ..reports import AreaFollow, Report, Submission
from .many import load_many
from .pictures import picture

__all__ = ["PASSWORD", "SignIn", "load", "load_many", "sign_ins"]

DATA = Path(__file__).resolve().parent.parent / "data"

PASSWORD = "gatami-demo-passord"  # noqa: S105 - public on purpose.
"""Opens every demo account, and is printed for everyone to read: the door loads the demo nowhere but in the modes
`demo`, `development` and `testing`."""

RENDER_S, RENDER_BYTES = 20, 2 * 1024**3
"""Bounds of one drawn picture, as the settings PHOTO_SECONDS and PHOTO_MEMORY have them by default."""

OPENS, CLOSES = timedelta(hours=8), timedelta(hours=15, minutes=30)
"""Office hours in Oslo, after midnight."""


class SignIn(NamedTuple):
    municipality: str
    """Empty for a resident, whose role is tied to none."""
    role: str
    name: str
    email: str
    password: str


def sign_ins() -> list[SignIn]:
    """The demo accounts, for a door to print."""
    names = {m["number"]: m["names"]["nb"] for m in _json("municipalities.json")}
    return [
        SignIn(names.get(p["municipality"], ""), p["role"], p["name"], p["email"], PASSWORD)
        for p in _json("demo/people.json")
    ]


def load(at: datetime | None = None) -> int:
    """Load the demo as if its reports had come in the months before `at`; how many reports are new.

    The door commits. No mail is sent about what is loaded: the messages are stored as sent.
    """
    at = at or now()
    # A report whose submission is known was loaded before. With all of them there, a second start reads no border.
    wanted = {_fingerprint(item): item for item in _json("demo/reports.json")}
    known = set(db.session.scalars(select(Report.submission).where(Report.submission.in_(wanted))))
    new = [item for token, item in wanted.items() if token not in known]
    if not new:
        return 0
    before = db.session.scalar(select(func.max(Delivery.id))) or 0
    _load_municipalities()
    people = _load_people()
    _load_categories(people)
    _load_area_follow(people["kari"], at)
    renditions = _render(new)
    refs: dict[str, str] = {
        item["key"]: _loaded_ref(token) for token, item in wanted.items() if token in known
    }
    for item in sorted(new, key=lambda item: -float(item["days_ago"])):
        story = _Story(item, _awake(at - timedelta(days=item["days_ago"]), at), at, people, refs)
        story.submit(renditions)
        story.handle()
    db.session.flush()
    db.session.execute(
        update(Delivery)
        .where(Delivery.id > before, Delivery.state == "waiting")
        .values(state="sent", sent_at=Delivery.due_at, attempts=1)
        .execution_options(synchronize_session=False)
    )
    return len(new)


def _json(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def _token(item: dict[str, Any]) -> str:
    return f"demo {item['key']}"


def _fingerprint(item: dict[str, Any]) -> str:
    return keyring.fingerprint("submission " + _token(item))


def _loaded_ref(fingerprint: str) -> str:
    return db.session.scalars(select(Report.ref).where(Report.submission == fingerprint)).one()


# Municipalities and people ------------------------------------------------------------------------------------


def _load_municipalities() -> None:
    """All of Norway, by border, so that a place elsewhere gets the right answer; the demo's own are active."""
    known = set(db.session.scalars(select(Municipality.number)))
    settings = {m["number"]: m for m in _json("municipalities.json")}
    features = _json("norway.geojson")["features"] + _json("overhalla-and-neighbours.geojson")["features"]
    # The later file is the finer one, so its borders win.
    for number, feature in {f["properties"]["number"]: f for f in features}.items():
        if number in known:
            continue
        name, (lon, lat) = feature["properties"]["name"], feature["properties"]["centre"]
        own = settings.get(number, {})
        db.session.add(
            Municipality(
                number=number,
                names=own.get("names", dict.fromkeys(("nb", "nn", "en"), name)),
                border=_ewkt(feature["geometry"]["coordinates"]),
                lat=own.get("lat", lat),
                lon=own.get("lon", lon),
                zoom=own.get("zoom", 11),
                active=bool(own),
                phone=own.get("phone"),
                sensitive_contact=own.get("sensitive_contact"),
                public_contacts=own.get("public_contacts", []),
            )
        )
    db.session.flush()


def _ewkt(polygons: list[list[list[list[float]]]]) -> str:
    shapes = (
        "({})".format(",".join("({})".format(",".join(f"{x} {y}" for x, y in ring)) for ring in rings))
        for rings in polygons
    )
    return f"SRID=4326;MULTIPOLYGON({','.join(shapes)})"


def _municipality(number: str) -> Municipality:
    return db.session.scalars(select(Municipality).where(Municipality.number == number)).one()


def _load_people() -> dict[str, User]:
    departments = _load_departments()
    people = {}
    # One password, hashed once: the hash is slow on purpose, and there is nothing here to keep secret.
    hashed: str | None = None
    for person in _json("demo/people.json"):
        user = accounts.by_email(person["email"])
        if user is None:
            user = accounts.add(person["email"], person["name"], None, person["language"])
            if hashed is None:
                accounts.set_password(user, PASSWORD)
            else:
                user.password_hash = hashed
            hashed = user.password_hash
            if person["municipality"]:
                department = departments.get((person["municipality"], person["department"]))
                accounts.grant(user, _municipality(person["municipality"]), person["role"], department)
        people[person["key"]] = user
    db.session.flush()
    return people


def _load_departments() -> dict[tuple[str, str], Department]:
    """(Number of the municipality, key in the file) → its department."""
    found = {}
    for settings in _json("municipalities.json"):
        municipality = _municipality(settings["number"])
        stored = {
            d.email: d
            for d in db.session.scalars(
                select(Department).where(Department.municipality_id == municipality.id)
            )
        }
        for wanted in settings["departments"]:
            department = stored.get(wanted["email"])
            if department is None:
                department = Department(
                    municipality_id=municipality.id, names=wanted["names"], email=wanted["email"]
                )
                db.session.add(department)
            found[settings["number"], wanted["key"]] = department
    db.session.flush()
    return found


def _load_categories(people: dict[str, User]) -> None:
    departments = _load_departments()
    for settings in _json("municipalities.json"):
        municipality = _municipality(settings["number"])
        known = set(
            db.session.scalars(select(Category.slug).where(Category.municipality_id == municipality.id))
        )
        for position, wanted in enumerate(settings["categories"]):
            if wanted["slug"] in known:
                continue
            same = ("slug", "group", "names", "icon", "stop_message", "questions")
            numbers = ("response_days", "repair_days", "duplicate_radius_m")
            db.session.add(
                Category(
                    municipality_id=municipality.id,
                    department_id=departments[settings["number"], wanted["department"]].id,
                    owner_id=people[wanted["owner"]].id,
                    deputy_id=people[wanted["deputy"]].id,
                    position=position,
                    **{name: wanted[name] for name in (*same, *numbers)},
                )
            )
    db.session.flush()


def _load_area_follow(user: User, at: datetime) -> None:
    """One resident gets a daily mail about the roads of the municipality."""
    if db.session.scalar(select(AreaFollow.id).where(AreaFollow.email_fingerprint == user.email_fingerprint)):
        return
    follow = reports.follow_area(
        AreaFollow(
            municipality=_municipality("5047"),
            email=user.email,
            language=user.language,
            categories=["hull-i-vegen", "stroing", "broyting"],
            frequency="daily",
        )
    )
    follow.confirmed_at = follow.digest_at = at


# Pictures -----------------------------------------------------------------------------------------------------

_Drawn = dict[tuple[str, int], tuple[bytes, policy_photos.Made]]


def _render(items: list[dict[str, Any]]) -> _Drawn:
    """Draw the pictures and make their public sizes, several at a time: each takes a process of its own."""
    used: Counter[str] = Counter()
    for item in items:
        for photo in item.get("photos", ()):
            # Two of each kind are variety enough.
            photo["number"] = used[photo["draw"]] % 2
            used[photo["draw"]] += 1
    wanted = {(p["draw"], p["number"]) for item in items for p in item.get("photos", ())}

    def make(key: tuple[str, int]) -> tuple[bytes, policy_photos.Made]:
        data = picture(*key)
        # Nobody is in these pictures, so nobody is looked for.
        return data, policy_photos.make(data, boxes=(), seconds=RENDER_S, memory=RENDER_BYTES)

    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return dict(zip(wanted, pool.map(make, wanted), strict=True))


# One report from its submit to where its story ends -------------------------------------------------------------


@dataclass
class _Story:
    item: dict[str, Any]
    began: datetime
    now: datetime
    people: dict[str, User]
    refs: dict[str, str]
    last: datetime = field(init=False)
    report: Report = field(init=False)

    def submit(self, renditions: _Drawn) -> None:
        item, who = self.item, self.item.get("reporter", {})
        drawn = [renditions[p["draw"], p["number"]] for p in item.get("photos", ())]
        self.report = reports.submit(
            Submission(
                category=item["category"],
                lat=item["lat"],
                lon=item["lon"],
                text=item["text"],
                language=item["language"],
                name=who.get("name", ""),
                email=who.get("email", ""),
                phone=who.get("phone", ""),
                answers=dict(item.get("answers") or {}),
                photos=[data for data, _ in drawn],
                token=_token(item),
                place_name=item["place"],
            ),
            self.began,
        )
        db.session.flush()
        self.last = self.began
        self.refs[item["key"]] = self.report.ref
        if item.get("held"):
            # What a failing policy layer leaves behind, without making it fail.
            self.report.public_text, self.report.text_publication = None, "held"
        self._review([made for _, made in drawn])
        for email in item.get("followers", ()):
            self._follow(email)

    def _review(self, drawn: list[policy_photos.Made]) -> None:
        """What the worker and the one who handles the case do, with files that were made beforehand."""
        db.session.flush()
        owner = db.session.get(User, self.report.category.owner_id)
        for photo, made, wanted in zip(self.report.photos, drawn, self.item.get("photos", ()), strict=True):
            shown = owner is not None and not wanted.get("held")
            photo.wish, photo.wished_by_id = "publish" if shown else "hold", owner.id if owner else None
            reports.describe(photo, wanted["alt"])
            db.session.flush()
            reports.draw(photo.id, RENDER_S, RENDER_BYTES, lambda _data, made=made, **_bounds: made)
            if shown:
                looked_at = _office_hours(self.began + timedelta(minutes=25))
                self._dated(min(looked_at, self.now - timedelta(minutes=1)))
        self.report.reviewed_at = self.began + timedelta(seconds=20)
        db.session.flush()

    def _follow(self, email: str) -> None:
        at = min(self.began + timedelta(hours=2), self.now)
        follow = reports.follow(self.report, email, self.item["language"])
        reports.confirm_follow(follow)
        follow.created_at = follow.confirmed_at = at

    def handle(self) -> None:
        """Let staff, and the reporter, do what the story says, each at its time."""
        for step in self.item.get("steps", ()):
            self.last = self._time(step["after"])
            db.session.flush()
            self._take(step, self.people.get(step.get("by", "")))
            self._dated(self.last)

    def _time(self, after_days: float) -> datetime:
        """The next moment in office hours, or out of hours where the story would otherwise reach into the future."""
        at = self.began + timedelta(days=after_days)
        latest = self.now - timedelta(minutes=1)
        shifted = max(_office_hours(at), self.last + timedelta(minutes=4))
        if shifted > latest:
            shifted = max(at, self.last + timedelta(minutes=4))
        return min(shifted, latest)

    def _dated(self, at: datetime) -> None:
        """Move the last event to its time; some verbs know no clock but the real one."""
        db.session.flush()
        event = cases.last_change(self.report)
        assert event is not None
        event.at = at
        if event.is_public:
            self.report.changed_at = at
        db.session.flush()

    def _take(self, step: dict[str, Any], by: User | None) -> None:
        if by is None:
            # The reporter has one thing to do in these stories.
            assert step["do"] == "withdraw", step
            reports.withdraw(self.report)
            self.report.closed_at = self.last
            return
        version, text = self.report.version, self._sayable(step.get("text", ""))
        match step["do"]:
            case "assign":
                cases.assign(self.report, by, self.people[step["to"]], version)
            case "state":
                target = self.refs.get(step.get("duplicate_of", ""), "")
                cases.change_state(
                    self.report, by, step["state"], version, text=text, duplicate_of=target, at=self.last
                )
            case "reply":
                cases.reply(self.report, by, text, version, at=self.last)
            case "note":
                cases.note(self.report, by, text)
            case "hold_text":
                cases.hold_text(self.report, by, version)
            case other:
                raise ValueError(other)

    def _sayable(self, text: str) -> str:
        """What staff would send in the end, where the policy layer takes a word of the demo for somebody's."""
        if not text:
            return ""
        contacts = frozenset(self.report.municipality.public_contacts)
        return policy.scrub(text, policy.find(text, allowed=contacts), self.item["language"])


def _awake(at: datetime, latest: datetime) -> datetime:
    """The same, or eight hours later where it is night in Oslo, as long as that is not after `latest`."""
    later = at + timedelta(hours=8)
    return later if at.astimezone(deadlines.OSLO).hour < 6 and later < latest else at


def _office_hours(at: datetime) -> datetime:
    local = at.astimezone(deadlines.OSLO)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if deadlines.is_working_day(at) and local - midnight <= CLOSES:
        return max(local, midnight + OPENS).astimezone(at.tzinfo)
    midnight += timedelta(days=1)
    while not deadlines.is_working_day(midnight + OPENS):
        midnight += timedelta(days=1)
    # Not everything happens at eight sharp.
    return (midnight + OPENS + timedelta(minutes=local.minute)).astimezone(at.tzinfo)
