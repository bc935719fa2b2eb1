from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet
from sqlalchemy import select, text

from gatami import reports
from gatami.accounts import User
from gatami.db import BadLink, DataKey, Keyring, Unsealable, UtcDateTime, around, db, distance_m, keyring
from gatami.reports import Report

from . import factories


def test_times_come_back_in_utc(app):
    made = factories.report(at=datetime(2026, 1, 2, 13, 0, tzinfo=timezone(timedelta(hours=1))))
    db.session.expire_all()
    assert db.session.get(Report, made.id).created_at == datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused(app):
    with pytest.raises(ValueError, match="zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), db.engine.dialect)  # noqa: DTZ001


def test_distance_is_in_metres_along_the_ground(app):
    made = factories.report()
    # A hundredth of a degree at 64.49° N is about 480 m east and 1115 m north.
    for lat, lon, expected in ((0, 0.01, 481), (0.01, 0, 1114)):
        metres = db.session.scalar(
            select(distance_m(Report.place, made.lon + lon, made.lat + lat)).where(Report.id == made.id)
        )
        assert metres == pytest.approx(expected, rel=0.01)


def test_a_box_around_a_place_holds_the_circle(app):
    west, south, east, north = around(64.49, 11.97, 250)
    made = factories.report()
    for lat, lon in ((64.49, west), (64.49, east), (south, 11.97), (north, 11.97)):
        made.place = f"SRID=4326;POINT({lon} {lat})"
        db.session.flush()
        metres = db.session.scalar(select(distance_m(Report.place, 11.97, 64.49)).where(Report.id == made.id))
        assert 250 <= metres < 256


def test_a_stolen_database_shows_nothing_private(app):
    user = factories.user("Hemmelig Prøvesen", email="hemmelig@prove.example")
    made = factories.report(
        text="Ring 400 00 123", name="Kari Hemmelig", email="kari@prove.example", phone="40000123"
    )
    reports.record(made, "note", actor=user, private="hemmelig notat")
    db.session.commit()
    dump = []
    for table in db.metadatas[None].sorted_tables:
        for row in db.session.execute(text(f'SELECT * FROM "{table.name}"')):
            dump += [
                bytes(v).decode("latin-1") if isinstance(v, (bytes, memoryview)) else str(v) for v in row
            ]
    everything = "\n".join(dump)
    for private in (
        "40000123",
        "400 00 123",
        "kari@prove",
        "Kari Hemmelig",
        "hemmelig@prove",
        "hemmelig notat",
    ):
        assert private not in everything
    assert "Liv" not in everything


def test_a_new_key_opens_what_the_old_one_sealed():
    old, new, ring = Fernet.generate_key().decode(), Fernet.generate_key().decode(), Keyring()
    ring.configure(old, "secret")
    sealed = ring.seal(b"privat")
    ring.configure(f"{new},{old}", "secret")
    assert ring.open(sealed) == b"privat"
    ring.configure(new, "secret")
    with pytest.raises(Unsealable):
        ring.open(sealed)


def test_keys_rotate(app, runner):
    from .conftest import KEY

    factories.user("Rotert Prøvesen", email="rotert@prove.example")
    made = factories.report(text="Hull ved brua", email="melder@prove.example")
    ref, new = made.ref, Fernet.generate_key().decode()
    secret = app.config["SECRET_KEY"]
    try:
        keyring.configure(f"{new},{KEY}", secret)
        result = runner.invoke(args=["keys", "rotate"])
        assert result.exit_code == 0, result.output
        keyring.configure(new, secret)
        db.session.expire_all()
        assert reports.by_ref(ref).original.contents.text == "Hull ved brua"
        assert db.session.scalars(select(User)).one().email == "rotert@prove.example"
        assert db.session.scalars(select(reports.Follow)).one().email == "melder@prove.example"
    finally:
        keyring.configure(KEY, secret)


def test_a_data_key_seals_for_itself_alone():
    sealed = DataKey().seal(b"bilde")
    with pytest.raises(InvalidTag):
        DataKey().open(sealed)


def test_a_link_is_worth_something_for_its_purpose_alone(app):
    token = keyring.sign("mine", ["A", 1])
    assert keyring.signed("mine", token) == ["A", 1]
    with pytest.raises(BadLink):
        keyring.signed("unsubscribe", token)
    with pytest.raises(BadLink):
        keyring.signed("mine", token[:-2] + "xx")
