"""A photo's way to the public and back: what is drawn, by whom it is shown, and what a crash or a race leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image, ImageStat
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from gatami import cases, jobs, media, reports
from gatami.db import db, now
from gatami.policy import photos as pictures
from gatami.policy.photos import Box
from gatami.reports import Decision, Event, Photo, Report

from . import factories

BOX = Box("drawn", 0.5, 0.25, 0.25, 0.5)
FACE = Box("face", 0.1, 0.1, 0.1, 0.12, confidence=0.9, rule="a detector")
BOUNDS = (20, 2**31)


def stripes():
    """A picture with sharp edges in every part; nothing that is covered has any."""
    drawn = Image.new("RGB", (800, 600), "white")
    for left in range(0, 800, 12):
        drawn.paste((20, 30, 40), (left, 0, left + 6, 600))
    out = BytesIO()
    drawn.save(out, "JPEG", quality=90)
    return out.getvalue()


def finds(*boxes, **also):
    """What makes the files where the policy finds these boxes; chosen ones take their place, as in the real one."""

    def make(data, *, seconds, memory, boxes=None, rules=None):
        made = pictures.make(data, seconds=seconds, memory=memory, boxes=found if boxes is None else boxes)
        return replace(made, **also) if boxes is None else made

    found = boxes
    return make


def breaks(*_args, **_options):
    raise pictures.Unreadable("out of time")


def draw(photo, make=pictures.make):
    done = reports.draw(photo.id, *BOUNDS, make)
    if done:
        db.session.commit()
    else:
        db.session.rollback()
    return done


@pytest.fixture
def staff(app):
    return factories.user()


@pytest.fixture
def photo(app):
    """Drawn with one face covered, and shown."""
    made = factories.report(photos=[stripes()])
    draw(made.photos[0], finds(FACE))
    reports.review(made.id)
    db.session.commit()
    assert made.photos[0].publication == "published"
    return made.photos[0]


def public_files():
    return sorted(path.relative_to(media.released.path("x").parent) for path in _files(media.released))


def _files(store):
    return [path for path in store.path("x").parent.rglob("*") if path.is_file()]


def drawings(photo):
    """Folders of drawings in the private store."""
    return sorted(path.name for path in media.private.path(photo.folder).iterdir() if path.is_dir())


def contrast(data, box):
    """The standard deviation of the grey levels in a box of a picture, without its edges."""
    image = Image.open(BytesIO(data)).convert("L")
    left, top = box.left + box.width * 0.1, box.top + box.height * 0.1
    right, bottom = left + box.width * 0.8, top + box.height * 0.8
    inside = (left * image.width, top * image.height, right * image.width, bottom * image.height)
    return ImageStat.Stat(image.crop(tuple(round(side) for side in inside))).stddev[0]


def is_covered(photo, box):
    """Whether a box is covered: in all public files or in none."""
    levels = [
        contrast(media.released.get(str(name)), box)
        for name in public_files()
        if str(name).startswith(photo.public_key)
    ]
    assert len(levels) == 6
    assert max(levels) < 45 or min(levels) > 80, levels
    return max(levels) < 45


def redraw(photo, staff, boxes, wish="publish", **more):
    cases.redraw_photo(photo, staff, photo.report.version, boxes, wish, **more)
    db.session.commit()


# What a person draws --------------------------------------------------------------------------------------------


def test_what_a_person_draws_is_covered_in_every_public_file(photo, staff):
    old = photo.public_key
    assert is_covered(photo, FACE)
    assert not is_covered(photo, BOX)
    redraw(photo, staff, [BOX])
    assert (photo.publication, photo.public_key, public_files()) == ("waiting", None, [])
    assert photo.report.cover_key is None
    assert draw(photo)
    assert photo.publication == "published"
    assert photo.public_key not in (None, old)
    assert is_covered(photo, BOX)
    assert not is_covered(photo, FACE)
    assert photo.boxes == [BOX.asdict()]
    assert photo.found == [FACE.asdict()]
    assert len(drawings(photo)) == 1


def test_a_person_may_hold_it_back_and_the_author_is_told_why(photo, staff):
    redraw(photo, staff, [BOX], "hold", reason="Et barn i bakgrunnen.")
    made = reports.decisions(photo.report)[-1]
    assert (made.act, made.actor_id, made.reason) == ("held", staff.id, "Et barn i bakgrunnen.")
    assert draw(photo)
    assert (photo.publication, public_files()) == ("held", [])
    cases.release_photo(photo, staff, "Et hull", photo.report.version)
    db.session.commit()
    assert is_covered(photo, BOX)


def test_what_the_policy_finds_when_asked_waits_for_the_one_who_asked(photo, staff):
    redraw(photo, staff, [])
    draw(photo)
    redraw(photo, staff, None)
    assert draw(photo, finds(FACE, BOX))
    assert (photo.publication, public_files()) == ("held", [])
    assert photo.boxes == photo.found == [FACE.asdict(), BOX.asdict()]


def test_what_is_waiting_or_could_not_be_drawn_shows_no_older_drawing(photo, staff):
    redraw(photo, staff, [BOX])
    with pytest.raises(media.NoSuchMedia):
        reports.photo_bytes(photo, "large")
    assert draw(photo, breaks)
    assert (photo.publication, photo.doubts, public_files()) == ("held", ["failed"], [])
    for size in ("small", "large"):
        with pytest.raises(media.NoSuchMedia):
            reports.photo_bytes(photo, size)
    with pytest.raises(reports.NothingToShow):
        reports.publish_photo(photo, staff)
    assert photo.boxes == [BOX.asdict()]
    assert reports.photo_bytes(photo, "plain")
    redraw(photo, staff, [BOX])
    assert draw(photo)
    assert photo.publication == "published"


def test_a_picture_that_cannot_be_looked_at_is_held_and_known_as_bare(staff):
    calls = []

    def half(data, *, boxes=None, rules=None, **bounds):
        calls.append(boxes)
        return breaks() if boxes is None else pictures.make(data, boxes=boxes, **bounds)

    photo = factories.report(photos=[stripes()]).photos[0]
    assert draw(photo, half)
    assert calls == [None, ()]
    assert (photo.publication, photo.doubts, photo.is_bare) == ("held", ["failed"], True)
    redraw(photo, staff, [])
    draw(photo)
    assert (photo.publication, photo.is_bare) == ("published", False)


def test_a_file_that_is_no_picture_is_removed(app):
    photo = factories.report(photos=[stripes()]).photos[0]
    assert draw(photo, breaks)
    assert (photo.publication, photo.failure, drawings(photo)) == ("removed", "unreadable", [])


# Two at once ----------------------------------------------------------------------------------------------------


def meanwhile(photo, act):
    """A maker during whose work another session does something and commits it."""

    def make(data, **options):
        made = finds(FACE)(data, **options)
        db.session.rollback()
        with Session(db.engine) as other:
            act(other, other.get(Photo, photo.id))
            other.commit()
        return made

    return make


def waiting(app):
    made = factories.report(photos=[stripes()])
    return made.photos[0]


def test_boxes_that_were_changed_while_a_worker_drew_are_not_drawn_over(app, staff):
    photo = waiting(app)

    def change(_session, other):
        other.drawing, other.boxes, other.wish, other.wished_by_id = 1, [BOX.asdict()], "publish", staff.id

    assert not draw(photo, meanwhile(photo, change))
    db.session.refresh(photo)
    assert (photo.publication, public_files(), drawings(photo)) == ("waiting", [], [])
    assert draw(photo)
    assert photo.boxes == [BOX.asdict()]


def test_the_slower_of_two_workers_changes_nothing(app):
    """The slower one could not look, so its files cover nothing; they must not take the place of the other's."""
    photo = waiting(app)

    def slow(data, *, boxes=None, rules=None, **bounds):
        if boxes is None:
            assert draw(photo, finds(FACE))
            breaks()
        return pictures.make(data, boxes=boxes, **bounds)

    assert not draw(photo, slow)
    db.session.refresh(photo)
    assert (photo.publication, photo.boxes, photo.doubts) == ("published", [FACE.asdict()], [])
    files = [path.relative_to(media.private.path(photo.folder)) for path in _files(media.private)]
    assert {path.parts[0] for path in files if len(path.parts) == 2} == {photo.drawn_in}
    assert is_covered(photo, FACE)
    assert contrast(reports.photo_bytes(photo, "large"), FACE) < 45
    assert contrast(reports.photo_bytes(photo, "plain"), FACE) > 80


@pytest.mark.parametrize("what", ["unpublished", "withdrawn", "erased"])
def test_a_case_that_goes_while_a_worker_draws_takes_its_photo_along(app, what):
    photo = waiting(app)

    def go(session, other):
        report = other.report
        if what == "unpublished":
            report.text_publication, report.public_text = "unpublished", None
        elif what == "withdrawn":
            report.state = "withdrawn"
        else:
            report.original.key = None

    draw(photo, meanwhile(photo, go))
    db.session.refresh(photo)
    assert photo.publication != "published"
    assert (photo.public_key, photo.report.cover_key, public_files()) == (None, None, [])


def test_staff_who_hold_a_photo_that_a_worker_has_shown_meanwhile_are_told(app, staff):
    photo = waiting(app)
    with Session(db.engine) as other:
        seen = other.get(Photo, photo.id)
        version = seen.report.version
        assert draw(photo, finds(FACE))
        seen.publication = "held"
        seen.report.state = "assessing"
        with pytest.raises(StaleDataError):
            other.commit()
    assert photo.publication == "published"
    with pytest.raises(cases.ChangedMeanwhile):
        cases.hold_photo(photo, staff, version)


def test_a_redraw_of_what_a_worker_has_drawn_meanwhile_waits_again(app, staff):
    """Both are held and waiting by turns, and a column that seems not to change would not be written."""
    photo = waiting(app)
    assert photo.publication == "waiting"
    with Session(db.engine) as other:
        drawn = other.get(Photo, photo.id)
        drawn.publication, drawn.width, drawn.height, drawn.drawn_in = "held", 320, 200, "elsewhere"
        other.commit()
    reports.redraw(photo, staff, [BOX], "publish")
    db.session.commit()
    db.session.expire_all()
    assert (photo.publication, photo.width, photo.boxes) == ("waiting", None, [BOX.asdict()])


def test_holding_a_photo_that_waits_holds_what_comes_of_it(photo, staff):
    redraw(photo, staff, [BOX])
    cases.hold_photo(photo, staff, photo.report.version)
    db.session.commit()
    assert photo.publication == "waiting"
    assert draw(photo)
    assert (photo.publication, photo.boxes, public_files()) == ("held", [BOX.asdict()], [])


@pytest.mark.parametrize("boxes", [None, [BOX]])
def test_a_photo_that_waited_through_an_incident_is_held_after_it(photo, staff, boxes):
    redraw(photo, staff, boxes)
    cases.unpublish(photo.report, staff, "Et barn var å kjenne igjen.", photo.report.version)
    cases.publish_again(photo.report, staff, photo.report.version)
    db.session.commit()
    assert draw(photo, finds(FACE))
    assert (photo.publication, public_files()) == ("held", [])


@pytest.mark.parametrize("gone", ["withdrawn", "unpublished", "erased"])
def test_nothing_of_a_case_that_is_gone_is_drawn_or_added(photo, staff, gone):
    report = photo.report
    if gone == "withdrawn":
        reports.withdraw(report)
    elif gone == "unpublished":
        reports.unpublish(report, staff, "Et barn var å kjenne igjen.")
    else:
        reports.erase(report)
    db.session.commit()
    reports.shred()
    db.session.commit()
    for act in (
        lambda: reports.redraw(photo, staff, [BOX], "publish"),
        lambda: reports.publish_photo(photo, staff),
        lambda: reports.add_photo(report, staff, factories.picture()),
    ):
        with pytest.raises(reports.NothingToShow):
            act()


# Crashes --------------------------------------------------------------------------------------------------------


def test_a_rollback_leaves_what_was_public_as_it_was(photo, staff):
    key, files = photo.public_key, public_files()
    for act in (
        lambda: reports.publish_photo(photo, staff, "Nytt"),
        lambda: reports.redraw(photo, staff, [BOX], "publish"),
        lambda: reports.hold_photo(photo, staff),
        lambda: reports.unpublish(photo.report, staff, "Prøve."),
    ):
        act()
        db.session.flush()
        db.session.rollback()
        # What the next commit of the session does belongs to somebody else.
        reports.looked(photo.report, staff, "text")
        db.session.commit()
        assert (photo.public_key, public_files()) == (key, files)


def test_a_crash_between_files_and_commit_leaves_nothing_for_long(app, monkeypatch):
    photo = waiting(app)
    key = media.new_key()
    media.released.put(f"{key}/large.webp", b"from before the crash")
    assert draw(photo, finds(FACE))
    assert reports.forget_strays(now() - timedelta(hours=1)) == 0
    assert reports.forget_strays(now() + timedelta(seconds=1)) == 1
    assert {path.parts[0] for path in public_files()} == {photo.public_key}


def test_a_worker_that_dies_before_its_commit_has_shown_nothing(app, client):
    photo = waiting(app)
    assert reports.draw(photo.id, *BOUNDS, finds(FACE))
    db.session.flush()
    assert len(public_files()) == 6
    with Session(db.engine) as other:
        assert other.get(Photo, photo.id).public_key is None
    db.session.rollback()
    assert (public_files(), drawings(photo)) == ([], [])
    assert draw(photo, finds(FACE))
    assert photo.publication == "published"


# Flags and the crew's photos ------------------------------------------------------------------------------------


def test_the_policy_does_not_show_again_what_a_visitor_flagged(photo, staff):
    reports.flag(photo.report, "personal", "198.51.100.7", photo)
    reports.hold_photo(photo, None)
    photo.publication, photo.drawing = "waiting", 5
    db.session.commit()
    assert draw(photo, finds(FACE))
    assert photo.publication == "held"
    assert len(reports.open_flags(photo.report)) == 1


@pytest.mark.parametrize(
    ("boxes", "wish", "state"),
    [([FACE], "publish", "wrong"), ([FACE, BOX], "publish", "right"), ([FACE], "hold", "right")],
)
def test_what_a_person_makes_of_a_flagged_photo_answers_the_flag(photo, staff, boxes, wish, state):
    made, _ = reports.flag(photo.report, "personal", "198.51.100.7", photo)
    reports.hold_photo(photo, None)
    db.session.commit()
    redraw(photo, staff, boxes, wish)
    draw(photo)
    assert made.state == state


def test_a_photo_of_the_work_goes_the_same_way_and_its_decisions_are_told_to_nobody_else(staff):
    report = factories.report(email="kari@prove.example", photos=[stripes()])
    photo = cases.add_photo(report, staff, factories.picture(), "Ny asfalt", report.version)
    db.session.commit()
    assert (photo.is_after, photo.position, photo.publication) == (True, 1, "waiting")
    before = _letters()
    assert draw(photo, finds(FACE, lines=40))
    assert (photo.publication, photo.doubts) == ("held", ["page"])
    assert _letters() == before
    assert [made.photo_id for made in reports.decisions(report)][-1] == photo.id
    assert [p["number"] for p in reports.everything(report)["photos"]] == [report.photos[0].id]


def test_there_is_an_end_to_the_photos_that_staff_add(staff):
    report = factories.report()
    for _ in range(reports.STAFF_PHOTOS_MOST):
        reports.add_photo(report, staff, factories.picture(size=(8, 8)))
    with pytest.raises(reports.TooManyPhotos):
        reports.add_photo(report, staff, factories.picture(size=(8, 8)))


def _letters():
    from gatami.notifications import Delivery

    return db.session.scalar(select(func.count()).select_from(Delivery))


def test_the_log_says_who_covered_what_and_why(photo, staff):
    redraw(photo, staff, [BOX], reason="Et skilt.")
    event = db.session.scalars(select(Event).where(Event.kind == "photo_covered")).one()
    assert (event.actor_id, event.private, event.is_public, event.text) == (staff.id, "Et skilt.", True, None)


def test_the_worker_draws_what_a_lost_queue_forgot(app, photo, staff):
    redraw(photo, staff, [BOX])
    assert db.session.scalars(reports.with_undrawn()).all() == [photo.report_id]
    jobs.draw(app, photo.report_id)
    db.session.refresh(photo)
    assert photo.publication == "published"
    assert (
        db.session.scalars(select(Decision.act).where(Decision.photo_id == photo.id)).all()[-1] == "released"
    )
    assert db.session.scalar(select(Report.cover_key)) == photo.public_key
