"""What is forgotten, when, and that no backup remembers it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import LargeBinary, func, make_url, select, text, type_coerce, update

from gatami import accounts, cases, create_app, jobs, media, publication, reports
from gatami.db import DataKey, Unsealable, db, keyring
from gatami.keys import Destroyed, keys
from gatami.notifications import Delivery
from gatami.policy.retention import months_before
from gatami.reports import Act, AreaFollow, Discard, Event, Flag, Follow, Report

from . import factories, services
from .test_canary import QUERIES, Tokens, crawl, leaks, planted, public_addresses, tokens  # noqa: F401

AT = datetime(2026, 6, 15, 0, 30, tzinfo=UTC)
SECRETS = {
    "text": "Ring 400 00 123 om hullet",
    "name": "Kari Hemmelsen",
    "email": "kari.hemmelsen@prove.example",
    "phone": "400 00 999",
    "note": "Snakket med Kari i går",
    "objection": "Dette er feil om meg",
}


def close(report, staff, at):
    cases.change_state(report, staff, "resolved", report.version, "Det er tettet.", at=at)


def full(staff, at=None, photo=True, closed=None, **typed):
    """A report with something of every kind that can be forgotten."""
    fields = {name: SECRETS[name] for name in ("text", "name", "email", "phone")}
    made = factories.report(
        at=at, photos=[factories.picture()] if photo else [], answers={"size": "large"}, **(fields | typed)
    )
    factories.review(made)
    if photo:
        reports.publish_photo(made.photos[0], staff, "Et hull i vegen")
    cases.note(made, staff, SECRETS["note"])
    for decision in reports.decisions(made):
        if decision.can_be_objected_to:
            reports.object_to(decision, SECRETS["objection"])
            break
    reports.confirm_follow(reports.follow(made, "nabo@prove.example", "nb"))
    if closed:
        close(made, staff, closed)
    db.session.commit()
    # The outbox counts from the real clock, and these reports are of the past.
    db.session.execute(update(Delivery).values(created_at=Delivery.due_at, state="sent"))
    db.session.commit()
    return made


def files(root):
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def everything_stored(tmp_path):
    """Every row of every table as it lies in the database, and every file of photos and keys."""
    rows = {
        table.name: sorted(
            repr(tuple(row))
            for row in db.session.execute(
                select(*(type_coerce(c, LargeBinary()) if isinstance(c.type, LargeBinary) or hasattr(c.type, "has_data_key")
                         else c for c in table.columns if c.name not in ("place", "border")))
            )
        )
        for table in db.metadatas[None].sorted_tables
    }  # fmt: skip
    db.session.rollback()
    return rows, files(tmp_path / "media"), files(tmp_path / "keys")


# The nightly run ----------------------------------------------------------------------------------------------


def test_a_year_and_more_is_forgotten_by_the_rules_and_a_second_run_changes_nothing(app, tmp_path):
    staff = factories.user()
    ages = [5, 60, 89, 90, 200, 364, 366, 500, 729, 731]
    made = {
        age: full(
            staff,
            photo=age in (5, 366, 731),
            at=AT - timedelta(days=age + 20),
            closed=AT - timedelta(days=age),
        ).id
        for age in ages
    }
    still_open = full(staff, photo=False, at=AT - timedelta(days=900)).id
    done = jobs.forget(AT)
    assert done["contact"] == sum(age >= 90 for age in ages)
    year, two_years = ((AT - months_before(AT, months)).days for months in (12, 24))
    assert done["original"] == sum(age >= year for age in ages)
    assert done["public_photos"] == 1
    for age, number in made.items():
        report = db.session.get(Report, number)
        contents = report.original.contents
        assert bool(contents.email) == (age < 90), age
        assert bool(contents.text) == (age < year), age
        assert contents.answers == ({"size": "large"} if age < year else {})
        assert report.public_text == "Ring [telefonnummer] om hullet", "the public fact stays"
        assert report.follower_count == (2 if age < 90 else 0)
        notes = select(Event.private).where(Event.report_id == number, Event.kind == "note")
        assert bool(db.session.scalar(notes)) == (age < year)
        assert all((d.objection is None) for d in reports.decisions(report)) == (age >= year)
        assert bool(reports.versions(report)) == (age < year)
        assert publication.report(report.ref).text == report.public_text
        for photo in report.photos:
            assert photo.publication == ("published" if age < two_years else "removed")
            assert media.private.path(photo.original).exists() == (age < year)
            assert (photo.public_key is not None) == (age < two_years)
        assert bool(report.photos) == (age in (5, 366, 731))
        rules = {(d.what, d.rule) for d in reports.discards(report)}
        wanted = {("contact", "contact_days")} if age >= 90 else set()
        wanted |= {("original", "original_months")} if age >= year else set()
        wanted |= {("public_photos", "public_photos_months")} if age == 731 else set()
        assert rules == wanted
    assert db.session.get(Report, still_open).original.contents.name == SECRETS["name"]
    assert not db.session.scalar(select(func.count()).where(Discard.key_name.is_not(None)))

    before = everything_stored(tmp_path)
    assert jobs.forget(AT) == {}
    assert everything_stored(tmp_path) == before


def test_the_municipality_decides_for_itself(app):
    staff, grong = factories.user(), factories.user("Ola Prøvesen", number="5045")
    factories.municipality("5047").retention = {
        "contact_days": 10,
        "original_months": 1,
        "public_text_months": 2,
    }
    closed = AT - timedelta(days=70)
    here = full(staff, photo=False, at=closed - timedelta(days=5), closed=closed)
    place = dict(zip(("lat", "lon"), factories.GRONG, strict=True))
    there = full(grong, photo=False, at=closed - timedelta(days=5), closed=closed, **place)
    jobs.forget(AT)
    here, there = (db.session.get(Report, number) for number in (here.id, there.id))
    assert (here.original.contents.text, here.original.contents.email) == ("", "")
    assert (here.public_text, here.text_publication) == (None, "removed")
    assert publication.report(here.ref).text is None
    assert there.original.contents.text == SECRETS["text"]


def test_a_choice_is_an_act_on_record_and_a_wrong_one_is_none(app):
    leader, municipality = factories.user("Eva Prøvesen", role="leader"), factories.municipality()
    reports.set_retention(municipality, leader, {"contact_days": 30})
    db.session.commit()
    (act,) = db.session.scalars(select(Act)).all()
    assert (act.what, act.before, act.after) == ("retention", {}, {"contact_days": 30})
    with pytest.raises(ValueError, match="contact_days"):
        reports.set_retention(municipality, leader, {"contact_days": "snart"})
    assert municipality.retention == {"contact_days": 30}


def test_a_municipality_whose_choice_cannot_be_read_keeps_everything(app, caplog):
    made = full(factories.user(), photo=False, closed=AT - timedelta(days=800))
    factories.municipality().retention = {"contact_days": "snart"}
    db.session.commit()
    assert "contact" not in jobs.forget(AT)
    assert made.original.contents.name == SECRETS["name"]
    assert "5047" in caplog.text


def test_what_is_archived_goes_at_once_and_what_must_be_archived_waits(app):
    staff = factories.user()
    ages = {"waits": 800, "archived": 100}
    made = {name: full(staff, photo=False, closed=AT - timedelta(days=age)).id for name, age in ages.items()}
    reports.archive(db.session.get(Report, made["waits"]), None, staff)
    reports.archive(db.session.get(Report, made["archived"]), AT - timedelta(days=1), staff)
    db.session.commit()
    jobs.forget(AT)
    assert db.session.get(Report, made["waits"]).original.contents.name == SECRETS["name"]
    archived = db.session.get(Report, made["archived"])
    assert archived.original.forgotten
    assert ("original", "archived") in {(d.what, d.rule) for d in reports.discards(archived)}
    reports.archive(db.session.get(Report, made["waits"]), AT, staff)
    db.session.commit()
    jobs.forget(AT)
    assert db.session.get(Report, made["waits"]).original.forgotten


def test_a_hold_makes_it_wait_until_it_ends_or_is_lifted(app):
    staff = factories.user()
    made = [full(staff, photo=False, closed=AT - timedelta(days=800)).id for _ in range(2)]
    for number in made:
        reports.keep(db.session.get(Report, number), AT + timedelta(days=30), "Erstatningskrav", staff)
    db.session.commit()
    jobs.forget(AT)
    assert not any(db.session.get(Report, number).original.forgotten for number in made)
    reports.let_go(db.session.get(Report, made[0]), staff)
    db.session.commit()
    jobs.forget(AT)
    assert [db.session.get(Report, number).original.forgotten for number in made] == [True, False]
    jobs.forget(AT + timedelta(days=31))
    assert db.session.get(Report, made[1]).original.forgotten


def test_traces_of_addresses_go_after_two_weeks(app):
    made = factories.report(email=SECRETS["email"])
    reports.flag(made, "personal", "192.0.2.7")
    reports.follow(made, "ubekreftet@prove.example", "nb")
    reports.follow_area(
        AreaFollow(municipality=factories.municipality(), email="o@prove.example", language="nb")
    )
    accounts.bound("submit", "192.0.2.7", 5)
    db.session.commit()
    db.session.execute(update(Delivery).values(state="sent"))
    db.session.commit()
    at = made.created_at
    jobs.forget(at + timedelta(days=13))
    assert len(db.session.scalars(select(Follow)).all()) == 2
    done = jobs.forget(at + timedelta(days=15))
    assert (done["flags"], done["unconfirmed"], done["mails"]) == (1, 2, 3)
    assert db.session.scalars(select(Flag.who)).all() == [""]
    assert [f.is_reporter for f in db.session.scalars(select(Follow))] == [True]
    assert not db.session.scalars(select(AreaFollow)).all()
    assert {(d.recipient, d.payload) for d in db.session.scalars(select(Delivery))} == {(None, None)}


def test_a_case_that_is_changed_at_the_same_moment_is_forgotten_all_the_same(app, monkeypatch):
    staff = factories.user()
    number = full(staff, photo=False, closed=AT - timedelta(days=800)).id
    retain, calls = reports.retain, []

    def disturbed(at):
        calls.append(at)
        if len(calls) == 1:
            # Between our look at the case and our writing somebody else has changed it.
            report = db.session.get(Report, number)
            table = Report.__table__
            db.session.execute(update(table).where(table.c.id == number).values(version=table.c.version + 1))
            report.place_name = "Ranemsvegen"
            db.session.flush()
        return retain(at)

    monkeypatch.setattr(reports, "retain", disturbed)
    jobs.forget(AT)
    assert len(calls) > 1
    assert db.session.get(Report, number).original.forgotten


def test_the_command_prints_how_much(app, runner):
    staff = factories.user()
    ref = full(staff, photo=False, closed=AT - timedelta(days=800)).ref
    held = ["retention", "keep", ref, "--until", "2026-07-01", "--why", "Klage", "--by", "Liv"]
    assert runner.invoke(args=held).exit_code == 0
    first = runner.invoke(args=["retention", "run", "--at", "2026-06-15"])
    assert first.exit_code == 0, first.output
    assert "original" not in first.output
    assert runner.invoke(args=["retention", "let-go", ref]).exit_code == 0
    second = runner.invoke(args=["retention", "run", "--at", "2026-06-15"])
    assert {"contact: 1", "original: 1"} <= set(second.output.splitlines())
    third = runner.invoke(args=["retention", "run", "--at", "2026-06-15"])
    assert third.output.strip() == "Nothing was to be forgotten."
    assert "no report" in runner.invoke(args=["retention", "archive", "INGENTING"]).output


# Erasing ------------------------------------------------------------------------------------------------------


def erase(report, at=None):
    number = report.id
    why = reports.erase(report, at)
    db.session.commit()
    reports.shred()
    db.session.commit()
    return why, db.session.get(Report, number)


def test_erasing_leaves_public_facts_alone(app, client, tmp_path):
    staff = factories.user()
    made = full(staff)
    cases.reply(made, staff, "Takk for at du sa fra.", made.version)
    db.session.commit()
    token, key, contact_key = reports.private_token(made), made.original.key, made.original.contact_key
    photo = made.photos[0].public_key
    assert media.released.path(f"{photo}/small.webp").exists()
    reports.record(made, "reply", text="Ny", public=True)
    db.session.commit()
    waiting = select(Delivery).where(Delivery.state == "waiting", Delivery.key_name == contact_key)
    assert db.session.scalars(waiting).all(), "a mail with a private link is on its way"

    why, made = erase(made)
    assert why is None
    assert made.original.forgotten
    assert (
        made.original.key,
        made.original.sealed,
        made.original.contact,
        made.original.email_fingerprint,
    ) == (None,) * 4
    for name in (key, contact_key):
        with pytest.raises(Destroyed):
            DataKey.named(name)
    for folder in ("private", "public"):
        assert not [p for p in (tmp_path / "media" / folder).rglob("*") if p.is_file()]
    assert [f.is_reporter for f in db.session.scalars(select(Follow))] == [False], "the neighbour follows on"
    mine = [d for d in db.session.scalars(select(Delivery)) if d.recipient != "nabo@prove.example"]
    assert {(d.recipient, d.payload, d.key_name) for d in mine} == {(None, None, None)}
    assert {d.state for d in mine} <= {"sent", "given_up"}
    for page in (f"/reports/{made.ref}", "/", "/feeds/reports.atom", f"/mine/{token}"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert not [secret for secret in SECRETS.values() if secret in answer.text], page
    page = client.get(f"/reports/{made.ref}")
    assert "Takk for at du sa fra." in page.text
    assert client.get(f"/photos/{photo}/small.webp").status_code == 404
    assert {d.what for d in reports.discards(made)} == {"contact", "original", "public_text", "public_photos"}
    assert {(d.rule, d.key_name) for d in reports.discards(made)} == {("asked", None)}


def test_erasing_reaches_the_report_that_a_duplicate_was_merged_into(app):
    staff = factories.user()
    first = factories.report()
    second = full(staff, photo=False)
    cases.change_state(second, staff, "duplicate", second.version, "Meldt før.", duplicate_of=first.ref)
    db.session.commit()
    moved = {f.email for f in db.session.scalars(select(Follow).where(Follow.report_id == first.id))}
    assert moved == {SECRETS["email"], "nabo@prove.example"}
    erase(second)
    left = [f.email for f in db.session.scalars(select(Follow).where(Follow.report_id == first.id))]
    assert left == ["nabo@prove.example"]
    db.session.refresh(first)
    assert first.follower_count == 1


def test_a_hold_makes_erasing_wait_and_the_night_carries_it_out(app):
    staff = factories.user()
    made = full(staff, photo=False)
    reports.keep(made, AT + timedelta(days=9), "Klage", staff)
    db.session.commit()
    why, made = erase(made, AT)
    assert (why, made.erased_at, made.original.contents.name) == ("hold", None, SECRETS["name"])
    assert jobs.forget(AT + timedelta(days=8)).get("asked") is None
    assert jobs.forget(AT + timedelta(days=9))["asked"] == 1
    made = db.session.get(Report, made.id)
    assert made.erased_at == AT + timedelta(days=9)
    assert made.original.forgotten


def test_what_is_rolled_back_has_destroyed_nothing(app):
    made = full(factories.user(), photo=False)
    reports.erase(made)
    db.session.rollback()
    assert reports.shred() == 0
    assert made.original.contents.text == SECRETS["text"]


def test_a_crash_after_the_commit_is_made_good_by_the_sweep(app):
    made = full(factories.user())
    key, photo = made.original.key, made.photos[0].original
    reports.erase(made)
    db.session.commit()
    assert DataKey.named(key), "the process died here"
    jobs.shred()
    with pytest.raises(Destroyed):
        DataKey.named(key)
    assert not media.private.path(photo).exists()


def test_staff_cannot_show_again_what_is_forgotten(app):
    staff = factories.user()
    made = full(staff)
    _, made = erase(made)
    for act in (
        lambda: reports.publish_text(made, "Hullet", staff),
        lambda: reports.publish_photo(made.photos[0], staff),
        lambda: reports.lift(made, "Kari", staff),
    ):
        with pytest.raises(reports.NothingToShow):
            act()
    with pytest.raises(media.NoSuchMedia):
        reports.photo_bytes(made.photos[0], "original")
    cases.note(made, staff, "Et notat etterpå")
    db.session.commit()
    assert "Et notat etterpå" in [e.private for e in cases.events(made)]


# Backups ------------------------------------------------------------------------------------------------------


@pytest.fixture
def backup(app, backend, database, settings, tmp_path):
    """Take a real backup of database and photos; calling it again restores it and yields the app on what was restored."""
    made = []

    def take():
        db.session.commit()
        shutil.copytree(tmp_path / "media", tmp_path / "media.backup")
        if backend.server is None:
            with db.engine.connect() as connection:
                connection.exec_driver_sql(f"VACUUM INTO '{tmp_path / 'backup.db'}'")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            # As somebody without SQLite at hand would do it.
            shutil.copy(make_url(database.private).database, tmp_path / "copy.db")
        else:
            _postgresql("pg_dump", database.private, "-Fc", "-f", tmp_path / "backup.dump")

    def restore():
        if backend.server is None:
            url = {"DATABASE_URL": f"sqlite:///{tmp_path / 'backup.db'}"}
        else:
            fresh = backend.new()
            made.append(fresh)
            _postgresql(
                "pg_restore", fresh.private, "--clean", "--if-exists", "--no-owner", tmp_path / "backup.dump"
            )
            url = {"DATABASE_URL": fresh.private, "PUBLIC_DATABASE_URL": fresh.public}
        restored = create_app(**(settings | url | {"MEDIA_ROOT": str(tmp_path / "media.backup")}))
        restored.config["WTF_CSRF_ENABLED"] = False
        return restored

    yield take, restore
    for fresh in made:
        backend.drop(fresh)


def _postgresql(program, url, *arguments):
    parsed = make_url(url)
    command = [
        services._postgis_programs() / program,
        "-h",
        parsed.host,
        "-p",
        parsed.port,
        "-U",
        parsed.username,
    ]
    command += ["-d", parsed.database, *arguments]
    environment = {"PATH": os.environ["PATH"], "PGPASSWORD": parsed.password}
    done = subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def read_with_every_secret_of_the_site():
    """Everything in the database that whoever holds the keyring, and what is left of KEY_ROOT, can read of it."""
    found = []
    for (table,) in db.session.execute(text(_TABLES[db.engine.dialect.name])).all():
        for row in db.session.execute(text(f'SELECT * FROM "{table}"')).mappings():
            for value in row.values():
                found.append(str(value))
                if isinstance(value, (bytes, memoryview)):
                    found += _opened(bytes(value))
    db.session.rollback()
    return "\n".join(found)


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%spatial%' AND name NOT LIKE 'idx%'"
    " AND name NOT LIKE '%geometry%' AND name NOT LIKE 'sql%' AND name NOT LIKE 'v%_%' AND name <> 'KNN2'"
    " AND sql NOT LIKE '%VIRTUAL%' UNION SELECT 'versions'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'spatial%'",
}


def _opened(value):
    read = []
    with contextlib.suppress(Unsealable):
        read.append(keyring.open(value).decode(errors="replace"))
    # Under whichever data key is left.
    for name in keys.names():
        for sealed in (value, value[17:]):
            try:
                read.append(DataKey.named(name).open(sealed).decode(errors="replace"))
            except (InvalidTag, ValueError):
                continue
    return [
        piece.encode().decode("unicode_escape") if piece.startswith(("{", '"', "[")) else piece
        for piece in read
    ]


def test_a_backup_taken_before_an_erasure_and_restored_after_it_shows_nothing(app, backup, tmp_path):
    take, restore = backup
    staff = factories.user()
    made = full(staff)
    other = factories.report(text="Ei lykt er mørk", name="Nils Nabosen", email="nils@prove.example")
    ref, other_ref, picture = made.ref, other.ref, factories.picture()
    key = made.original.key
    take()
    readable = read_with_every_secret_of_the_site()
    assert [name for name, secret in SECRETS.items() if secret not in readable] == [], (
        "it would have found them"
    )
    erase(made)
    db.session.remove()

    restored = restore()
    with restored.app_context():
        readable = read_with_every_secret_of_the_site()
        assert [name for name, secret in SECRETS.items() if secret in readable] == []
        assert "Nils Nabosen" in readable, "the backup is of use for everything else"
        report = reports.by_ref(ref)
        with pytest.raises(Destroyed):
            _ = report.original.data_key
        assert report.original.sealed is not None
        assert (report.original.contents.text, report.original.contents.name) == ("", "")
        assert [
            f.email
            for f in db.session.scalars(
                select(Follow).where(Follow.is_reporter, Follow.report_id == report.id)
            )
        ] == [None]
        (photo,) = report.photos
        assert media.private.path(photo.original).exists(), "the old photo is in the backup"
        with pytest.raises(media.NoSuchMedia):
            reports.photo_bytes(photo, "original")
        for path in (tmp_path / "media.backup" / "private").rglob("original"):
            assert picture[:40] not in path.read_bytes()
        with pytest.raises(Destroyed):
            DataKey.named(key)
        client = restored.test_client()
        page = client.get(f"/mine/{reports.private_token(report)}")
        assert page.status_code == 200
        assert "slettet" in page.text
        assert client.get(f"/reports/{ref}").status_code == 200
        db.session.remove()

        result = restored.test_cli_runner().invoke(args=["retention", "replay"])
        assert result.output.splitlines() == ["asked: 1"], result.output
        report = reports.by_ref(ref)
        assert (report.public_text, report.cover_key, report.original.sealed) == (None, None, None)
        assert not list((tmp_path / "media.backup" / "public").rglob("*.webp"))
        assert not list((tmp_path / "media.backup" / "private").rglob("original"))
        assert client.get(f"/reports/{ref}").status_code == 200
        assert reports.by_ref(other_ref).original.contents.name == "Nils Nabosen"
        assert restored.test_cli_runner().invoke(args=["retention", "replay"]).output.startswith("Nothing")
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
    if (tmp_path / "copy.db").exists():
        raw = (tmp_path / "copy.db").read_bytes()
        assert not [name for name, secret in SECRETS.items() if secret.encode() in raw]


def test_a_backup_does_not_bring_back_what_the_night_forgot(app, backup):
    take, restore = backup
    ref = full(
        factories.user(), photo=False, at=AT - timedelta(days=150), closed=AT - timedelta(days=100)
    ).ref
    take()
    jobs.forget(AT)
    db.session.remove()
    restored = restore()
    with restored.app_context():
        contents = reports.by_ref(ref).original.contents
        assert (contents.text, contents.name, contents.email) == (SECRETS["text"], "", ""), (
            "contact alone was due"
        )
        readable = read_with_every_secret_of_the_site()
        assert [n for n in ("name", "email", "phone") if SECRETS[n] in readable] == []
        db.session.remove()
        assert jobs.forget(AT - timedelta(days=99))["contact"] == 1, (
            "known from the key store, whatever the clock says"
        )
        assert reports.by_ref(ref).follower_count == 0
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


# The canary ---------------------------------------------------------------------------------------------------


def test_no_token_is_found_in_public_after_the_night_and_after_erasing(app, client, planted, tokens):  # noqa: F811
    reports.erase(planted[0])
    reports.let_go(planted[0])
    reports.erase(planted[1])
    db.session.commit()
    jobs.shred()
    jobs.forget(datetime.now(UTC) + timedelta(days=400))
    found = list(db.session.scalars(select(Report)).unique())
    seen = crawl(client, [*public_addresses(app, found), *QUERIES])
    assert len(seen) > 60
    assert leaks(seen, tokens) == {}
    assert all(report.original.forgotten for report in found if report.closed_at or report.erased_at)
