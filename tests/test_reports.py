from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from gatami import media, notifications, reports
from gatami.db import db, keyring, now
from gatami.notifications import Delivery
from gatami.policy import photos as pictures
from gatami.policy import text as policy
from gatami.reports import AreaFollow, Event, Follow, InvalidReport, Report

from . import factories

AT = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)  # A Tuesday; Thursday the 14th is Ascension Day.


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_submit_publishes_a_masked_text_and_seals_the_original(app):
    made = factories.report(
        text="Ring meg på 400 00 123, hilsen kari@prove.example", name="Kari", phone="400 00 123"
    )
    assert made.text_publication == "published"
    assert made.public_text == "Ring meg på [telefonnummer], hilsen [e-postadresse]"
    contents = made.original.contents
    assert contents.text == "Ring meg på 400 00 123, hilsen kari@prove.example"
    assert (contents.name, contents.phone) == ("Kari", "400 00 123")


def test_the_municipalitys_own_number_is_not_masked(app):
    assert factories.report(text="Ringte 74 28 00 00 i går").public_text == "Ringte 74 28 00 00 i går"


def test_an_error_in_the_policy_holds_the_text(app, monkeypatch, caplog):
    def broken(*_args, **_options):
        raise RuntimeError("broken on Kari 40000123")

    monkeypatch.setattr(policy, "find", broken)
    made = factories.report(text="Ring Kari på 400 00 123")
    assert (made.text_publication, made.public_text) == ("held", None)
    assert made.original.contents.text == "Ring Kari på 400 00 123"
    assert "400 00 123" not in caplog.text


def test_deadlines_are_in_working_days(app):
    made = factories.report(at=AT)
    # Three working days after the 12th, past Ascension Day on the 14th and the week-end.
    assert made.response_due_at == datetime(2026, 5, 18, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"lat": None}, {"place": "place_missing"}),
        ({"lat": 95.0}, {"place": "place_not_on_earth"}),
        (dict(zip(("lat", "lon"), factories.SEA, strict=True)), {"place": "place_sea"}),
        (dict(zip(("lat", "lon"), factories.SWEDEN, strict=True)), {"place": "place_abroad"}),
        (dict(zip(("lat", "lon"), factories.NAMSOS, strict=True)), {"place": "place_not_here"}),
        ({"category": ""}, {"category": "category_missing"}),
        ({"category": "romfart"}, {"category": "category_unknown"}),
        ({"text": " \n "}, {"text": "text_missing"}),
        ({"text": "x" * 4001}, {"text": "text_too_long"}),
        ({"email": "kari at prove"}, {"email": "email_invalid"}),
        ({"email": "kari@prove.example\nBcc: alle@prove.example"}, {"email": "email_invalid"}),
        ({"phone": "ring meg"}, {"phone": "phone_invalid"}),
        ({"photos": [b""] * 7}, {"photos": "photos_too_many"}),
        ({"category": "gatelys"}, {"answer-pole": "answer_missing"}),
        ({"answers": {"size": "enormous"}}, {"answer-size": "answer_unknown"}),
        ({"text": "", "category": "", "lat": None}, {
            "place": "place_missing", "category": "category_missing", "text": "text_missing",
        }),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_says_why_and_stores_nothing(app, typed, errors):
    with pytest.raises(InvalidReport) as caught:
        factories.report(**typed)
    assert caught.value.errors == errors
    db.session.rollback()
    assert count(Report) == 0


def test_four_thousand_characters_are_taken(app):
    assert factories.report(text="å" * 4000).text_publication == "published"


def test_the_same_form_sent_twice_is_one_report(app):
    first = factories.report(token="skjema 1")
    assert factories.report(token="skjema 1").id == first.id
    assert factories.report(token="skjema 2").id != first.id
    assert count(Report) == 2


def test_another_text_in_the_same_form_is_another_report(app):
    first = factories.report(token="skjema 1")
    assert factories.report(token="skjema 1", text="Noe helt annet.").id != first.id


def test_the_reporter_follows_and_gets_a_receipt(app):
    made = factories.report(email="Kari@prove.example")
    follow = db.session.scalars(select(Follow)).one()
    assert follow.is_reporter
    assert follow.confirmed_at is not None
    assert made.follower_count == 1
    receipt = db.session.scalars(select(Delivery)).one()
    assert (receipt.kind, receipt.recipient) == ("receipt", "Kari@prove.example")
    assert reports.by_private_token(receipt.payload["private_token"]).id == made.id


def test_a_private_link_ends_when_its_number_is_counted_up(app):
    made = factories.report()
    token = reports.private_token(made)
    made.original.link_number += 1
    assert reports.by_private_token(token) is None


def test_following_takes_a_confirmation(app):
    made = factories.report()
    follow = reports.follow(made, "ola@prove.example", "nn")
    reports.record(made, "reply", text="Vi ser på det.", public=True)
    db.session.commit()
    assert [d.kind for d in db.session.scalars(select(Delivery))] == ["follow_confirm"]
    reports.confirm_follow(follow)
    reports.record(made, "reply", text="Ferdig.", public=True)
    db.session.commit()
    change = db.session.scalars(select(Delivery).where(Delivery.kind == "change")).one()
    assert (change.recipient, change.language) == ("ola@prove.example", "nn")
    assert "Ferdig" not in str(change.payload)
    db.session.refresh(made)
    assert made.follower_count == 1
    reports.unfollow(follow)
    db.session.refresh(made)
    assert made.follower_count == 0


def test_a_follower_more_does_not_disturb_a_caseworker(app):
    made = factories.report()
    version = made.version
    reports.confirm_follow(reports.follow(made, "ola@prove.example", "nb"))
    db.session.commit()
    db.session.refresh(made)
    assert (made.version, made.follower_count) == (version, 1)


def test_asking_twice_to_follow_is_one_follow(app):
    made = factories.report()
    assert reports.follow(made, "ola@prove.example", "nb") is reports.follow(made, "OLA@prove.example ", "nb")


def area(**fields):
    municipality = factories.municipality(fields.pop("number", "5047"))
    follow = AreaFollow(municipality=municipality, email="omrade@prove.example", language="nb", **fields)
    reports.follow_area(follow)
    reports.confirm_follow(follow)
    return follow


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"number": "5045"}, False),
        ({"categories": ["hull-i-vegen"]}, True),
        ({"categories": ["gatelys"]}, False),
        ({"lat": factories.RANEM[0], "lon": factories.RANEM[1], "radius_m": 100}, True),
        ({"lat": factories.RANEM[0] + 0.01, "lon": factories.RANEM[1], "radius_m": 1000}, False),
        ({"lat": factories.RANEM[0] + 0.01, "lon": factories.RANEM[1], "radius_m": 1200}, True),
    ],
)
def test_an_area_follower_hears_of_new_reports_in_the_area(app, fields, told):
    area(**fields)
    made = factories.report()
    assert factories.review(made)
    db.session.commit()
    kinds = list(db.session.scalars(select(Delivery.kind).where(Delivery.kind == "area_new")))
    assert kinds == (["area_new"] if told else [])


def test_a_daily_follower_gets_one_mail_of_all(app):
    follow = area(frequency="daily")
    follow.confirmed_at = now() - timedelta(hours=5)
    for _ in range(3):
        made = factories.report()
        factories.review(made)
    db.session.commit()
    later = now() + timedelta(minutes=1)
    assert reports.send_digests(later) == 1
    db.session.commit()
    digest = db.session.scalars(select(Delivery).where(Delivery.kind == "area_digest")).one()
    assert digest.payload["count"] == 3
    assert reports.send_digests(later + timedelta(days=1)) == 0


def test_review_shows_what_the_policy_let_through_and_happens_once(app):
    made = factories.report(photos=[factories.picture(), b"\xff\xd8\xff broken"])
    assert [p.publication for p in made.photos] == ["waiting", "waiting"]
    assert factories.review(made, look=True)
    db.session.commit()
    assert [p.publication for p in made.photos] == ["published", "removed"]
    assert made.photos[1].failure == "unreadable"
    assert (made.photos[0].width, made.photos[0].height) == (320, 200)
    assert media.released.path(f"{made.photos[0].public_key}/small.jpg").exists()
    assert not factories.review(made)


def test_a_photo_lies_sealed_and_is_public_only_while_released(app):
    data, actor = factories.picture(), factories.user()
    made = factories.report(photos=[data])
    factories.review(made)
    photo = made.photos[0]
    stored = media.private.get(photo.original)
    assert data not in stored
    assert reports.photo_bytes(photo, "original") == data
    reports.publish_photo(photo, actor, "Et hull")
    db.session.commit()
    public = f"{photo.public_key}/large.webp"
    assert media.released.get(public).startswith(b"RIFF")
    assert (made.cover_key, made.cover_alt) == (photo.public_key, "Et hull")
    reports.hold_photo(photo, actor)
    db.session.commit()
    assert photo.public_key is None
    with pytest.raises(media.NoSuchMedia):
        media.released.get(public)
    assert made.cover_key is None


def test_withdrawing_takes_text_and_photos_from_the_public(app):
    actor = factories.user()
    made = factories.report(photos=[factories.picture()], email="kari@prove.example")
    factories.review(made)
    reports.publish_photo(made.photos[0], actor)
    public = media.released.path(f"{made.photos[0].public_key}/small.webp")
    assert public.exists()
    reports.withdraw(made)
    db.session.commit()
    assert (made.state, made.public_text, made.cover_key) == ("withdrawn", None, None)
    assert not public.exists()
    with pytest.raises(reports.NotWithdrawable):
        reports.withdraw(made)


def test_what_was_withdrawn_stays_withdrawn(app):
    actor = factories.user()
    made = factories.report(photos=[factories.picture()])
    (photo_id,) = db.session.scalars(reports.undrawn(made.id)).all()

    def withdrawn_meanwhile(data, **bounds):
        reports.withdraw(made)
        db.session.commit()
        return pictures.make(data, **bounds)

    area()
    assert not reports.draw(photo_id, 20, 2**31, withdrawn_meanwhile)
    db.session.rollback()
    assert factories.review(made)
    db.session.commit()
    assert made.photos[0].publication == "removed"
    assert not db.session.scalars(select(Delivery).where(Delivery.kind == "area_new")).all()
    for publish in (
        lambda: reports.publish_text(made, "Hullet", actor),
        lambda: reports.publish_photo(made.photos[0], actor),
        lambda: reports.hold_photo(made.photos[0], actor),
        lambda: reports.hold_text(made, actor),
    ):
        with pytest.raises(reports.NothingToShow):
            publish()


def test_a_photo_whose_file_is_gone_does_not_hold_up_the_rest(app):
    made = factories.report(photos=[factories.picture(), factories.picture()])
    media.private.delete(made.photos[0].original)
    assert factories.review(made)
    db.session.commit()
    assert [photo.publication for photo in made.photos] == ["removed", "published"]


def drawn(photo, *boxes, fails=0, **found):
    """Draw a photo with these findings of the policy, which fails so many times before."""
    left = [fails]

    def make(data, **asked):
        if left[0]:
            left[0] -= 1
            raise pictures.Unreadable("took too long")
        made = pictures.make(
            data, **(asked | {"boxes": boxes if asked.get("boxes") is None else asked["boxes"]})
        )
        return replace(made, **found)

    assert reports.draw(photo.id, 20, 2**31, make)
    db.session.commit()


FACE = pictures.Box("face", 0.1, 0.1, 0.05, 0.1, 0.9, "prøve")


def test_what_is_covered_for_sure_is_shown_and_its_author_can_read_why(app):
    made = factories.report(photos=[factories.picture()])
    drawn(made.photos[0], FACE)
    assert (made.photos[0].publication, made.photos[0].boxes[0]["kind"]) == ("published", "face")
    (decision,) = reports.decisions(made)
    assert (decision.act, decision.kinds) == ("masked", ["FACE"])
    assert "children" in decision.grounds


def test_a_doubt_holds_a_photo_and_its_author_is_told_once(app):
    made = factories.report(photos=[factories.picture(), factories.picture()], email="kari@prove.example")
    for photo in made.photos:
        drawn(photo, FACE, left=(FACE,))
    assert [photo.publication for photo in made.photos] == ["held", "held"]
    assert made.cover_key is None
    assert [decision.why for decision in reports.decisions(made)] == [["left"], ["left"]]
    assert len(db.session.scalars(select(Delivery).where(Delivery.kind == "reasons")).all()) == 1


@pytest.mark.parametrize(("fails", "publication"), [(1, "held"), (2, "removed")])
def test_a_policy_that_fails_holds_a_photo_that_can_be_read(app, fails, publication):
    made = factories.report(photos=[factories.picture()])
    drawn(made.photos[0], fails=fails)
    assert (made.photos[0].publication, made.photos[0].public_key) == (publication, None)
    assert made.photos[0].doubts == (["failed"] if fails == 1 else [])


def test_what_a_photo_shows_is_scrubbed_like_any_text(app):
    made = factories.report(
        photos=[factories.picture(), factories.picture()], captions=["Hullet. Ring 400 00 123"]
    )
    assert [photo.alt for photo in made.photos] == ["Hullet. Ring [telefonnummer]", None]
    assert made.original.contents.captions == ["Hullet. Ring 400 00 123"]


def test_words_that_are_emptied_are_gone(app):
    made, actor = factories.report(photos=[factories.picture()], captions=["Et hull"]), factories.user()
    factories.review(made)
    reports.publish_photo(made.photos[0], actor)
    assert (made.photos[0].alt, made.cover_alt) == ("Et hull", "Et hull")
    reports.publish_photo(made.photos[0], actor, "")
    assert (made.photos[0].alt, made.cover_alt) == (None, None)


def test_a_number_of_a_follow_is_never_used_again(app):
    """A link to confirm names the number; it must not confirm somebody else's follow later."""
    made = factories.report()
    first = reports.follow(made, "en@prove.example", "nb")
    number = first.id
    reports.unfollow(first)
    db.session.commit()
    assert reports.follow(made, "to@prove.example", "nb").id != number


def test_a_daily_follower_hears_of_what_was_held_at_first(app):
    actor, follow = factories.user(), area(frequency="daily")
    follow.confirmed_at = now() - timedelta(hours=5)
    made = factories.report()
    reports.hold_text(made, actor)
    factories.review(made)
    db.session.commit()
    assert reports.send_digests(now()) == 0
    reports.publish_text(made, "Hull i vegen", actor)
    db.session.commit()
    assert reports.send_digests(now()) == 1


def test_two_areas_of_one_person_are_one_mail(app):
    area()
    area(lat=factories.RANEM[0], lon=factories.RANEM[1], radius_m=500)
    made = factories.report()
    factories.review(made)
    db.session.commit()
    assert len(db.session.scalars(select(Delivery).where(Delivery.kind == "area_new")).all()) == 1


def test_what_the_public_read_before_stays_with_the_event(app):
    actor, made = factories.user(), factories.report(text="Hull ved brua")
    reports.publish_text(made, "Hull ved ei bru", actor)
    db.session.commit()
    event = db.session.scalars(select(Event).where(Event.kind == "text_published")).one()
    assert (event.private, event.text) == ("Hull ved brua", None)


@pytest.mark.parametrize(
    "address", ["kåre@prove.example", "a..b@prove.example", "a@x..no", "a@b", "@x.no", "a@-x.no", "a b@x.no"]
)
def test_an_address_that_no_mail_reaches_is_none(address):
    assert not reports.is_email(address)


@pytest.mark.parametrize(
    "address", ["kari.nordmann+vei@prove.example", "a@blåbær.no", "o'neil@prove.example"]
)
def test_an_address_that_mail_reaches(address):
    assert reports.is_email(address)


def test_a_text_that_staff_publish_passes_the_policy_again(app):
    actor, made = factories.user(), factories.report()
    reports.hold_text(made, actor)
    assert made.public_text is None
    reports.publish_text(made, "Ring 400 00 123", actor)
    assert made.public_text == "Ring [telefonnummer]"
    with pytest.raises(reports.NothingToShow):
        reports.publish_text(made, "  ", actor)
    kinds = list(db.session.scalars(select(Event.kind).order_by(Event.id)))
    assert kinds == ["received", "text_held", "text_published"]


def test_a_sweep_finds_what_was_forgotten(app):
    made = factories.report(at=now() - timedelta(minutes=5))
    assert list(db.session.scalars(reports.unreviewed(now() - timedelta(minutes=1)))) == [made.id]


def test_a_delivery_has_one_row_per_reason(app):
    notifications.queue("change", "a@prove.example", "nb", "event:1:follow:1", {})
    db.session.commit()
    notifications.queue("change", "a@prove.example", "nb", "event:1:follow:1", {})
    with pytest.raises(Exception, match=r"(?i)unique"):
        db.session.commit()
    db.session.rollback()


def test_the_fingerprint_finds_an_address_whatever_its_case(app):
    assert keyring.fingerprint(" Kari@Prove.example") == keyring.fingerprint("kari@prove.example")
