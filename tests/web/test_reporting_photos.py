"""Photos of the form that travel before it, and every file that is none."""

import html
import re
from io import BytesIO

import pytest
from sqlalchemy import select

from gatami import media, reports
from gatami.db import db
from gatami.policy import photos as pictures
from gatami.reports import Report
from gatami.web import fields
from gatami.web import page as page_module

from .. import factories
from ..policy.hostile import HOW_MANY, TAKEN, hostile_files
from .test_reporting import count, error_beside, kept_in, send


def put_aside(client, data=None, name="hull.jpg"):
    data = factories.picture() if data is None else data
    return client.post("/reports/photos", data={"photos": (BytesIO(data), name)})


def originals():
    report = db.session.scalars(select(Report)).one()
    return [reports.photo_bytes(photo, "original") for photo in report.photos]


def test_add_photo(client):
    answer = put_aside(client)
    assert answer.status_code == 201
    (draft,) = media.private.path("drafts").iterdir()
    assert factories.picture() not in draft.read_bytes(), "it lies sealed"
    answer = send(client, kept_photo=answer.json["token"], caption="  Hullet sett fra sør ")
    assert answer.status_code == 303
    assert originals() == [factories.picture()]
    report = db.session.scalars(select(Report)).one()
    assert report.original.contents.captions == ["Hullet sett fra sør"]
    assert report.photos[0].alt == "Hullet sett fra sør"
    assert list(media.private.path("drafts").iterdir()) == []


def test_add_photo_takes_one_a_request(client):
    assert client.post("/reports/photos").status_code == 422
    two = {"photos": [(BytesIO(factories.picture()), "en.jpg"), (BytesIO(factories.picture()), "to.jpg")]}
    assert client.post("/reports/photos", data=two).status_code == 201
    assert len(list(media.private.path("drafts").iterdir())) == 1


def test_add_photo_is_bounded(app, client):
    app.config["SUBMITS_PER_HOUR"] = 1
    assert [put_aside(client, b"x").status_code for _ in range(7)] == [422] * 6 + [429]


@pytest.mark.parametrize("method", ["post", "delete"])
def test_a_photo_needs_the_token_of_the_form(app, client, method):
    token = put_aside(client).json["token"]
    app.config["WTF_CSRF_ENABLED"] = True
    answer = getattr(client, method)("/reports/photos", data={"kept_photo": token})
    assert answer.status_code == 400
    assert len(list(media.private.path("drafts").iterdir())) == 1


def test_remove_photo(client):
    token = put_aside(client).json["token"]
    for names in (token, token, "rubbish", ""):
        assert client.delete("/reports/photos", data={"kept_photo": names}).status_code == 204
        assert list(media.private.path("drafts").iterdir()) == []


def test_photos_keep_their_order_and_their_words_whichever_way_they_come(client):
    """A row without a token has its file in this request, as where a photo did not get through by itself."""
    first, third = (put_aside(client, factories.picture(size=(n, 9))).json["token"] for n in (101, 103))
    files = [(BytesIO(factories.picture(size=(n, 9))), f"{n}.jpg") for n in (102, 104)]
    sent = {"kept_photo": [first, "", third], "caption": ["en", "to", "tre"], "photos": files}
    page = send(client, text="", **sent)
    kept = kept_in(page)
    assert re.findall(r'class="photo-name">(\w+)', page.text)[:4] == ["hull", "102", "hull", "104"]
    said = re.findall(r'name="caption" value="(\w*)"', page.text)[:4]
    assert said == ["en", "to", "tre", ""]
    assert send(client, kept_photo=kept, caption=said).status_code == 303
    assert originals() == [factories.picture(size=(n, 9)) for n in (101, 102, 103, 104)]
    assert db.session.scalars(select(Report)).one().original.contents.captions == ["en", "to", "tre", ""]


def test_what_a_photo_shows_is_short(client):
    token = put_aside(client).json["token"]
    page = send(client, kept_photo=token, caption="x" * (reports.CAPTION_MOST + 1))
    assert page.status_code == 422
    assert "200" in error_beside(page, "photos")
    assert "x" * (reports.CAPTION_MOST + 1) in page.text
    assert kept_in(page) == [token]


def test_a_photo_that_is_gone_is_missed(client):
    token = put_aside(client).json["token"]
    client.delete("/reports/photos", data={"kept_photo": token})
    page = send(client, kept_photo=token)
    assert page.status_code == 422
    assert "«hull.jpg» ble valgt for mer enn ett døgn siden" in error_beside(page, "photos")


def test_the_same_form_twice_with_its_photo_is_one_report(client):
    token = put_aside(client).json["token"]
    sent = [send(client, submission="et-skjema", kept_photo=token) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [303, 303]
    assert count() == 1
    assert len(originals()) == 1


MESSAGES = {
    "NotAPicture": r"er \w+.*Send et bilde som JPEG, PNG, WebP eller HEIC\.|som et bilde\.|er tom\.",
    "TooManyPixels": "har for mange bildepunkter",
    "Moving": "er et levende bilde",
    "CutOff": "er skadet: En del av filen mangler",
    "Mixed": "er et bilde og .* i ett",
}
"""What is read where `policy.photos.check` raises that."""


def test_two_hundred_hostile_files_give_no_error_and_the_right_message(app, client, monkeypatch):
    """Each as a file of the form, and on its own; both ways say the same. What the worker makes of them is not asked here."""
    monkeypatch.setattr(page_module, "enqueue", lambda *_: None)
    taken = 0
    for name, data, wanted in hostile_files():
        answer = send(client, photos=[(BytesIO(data), "fil.jpg")])
        alone = put_aside(client, data, "fil.jpg")
        assert {answer.status_code, alone.status_code} in ({303, 201}, {422}), name
        if answer.status_code == 303:
            assert set(wanted) & set(TAKEN), name
            taken += 1
            continue
        said = html.unescape(error_beside(answer, "photos"))
        assert alone.json["error"] == said, name
        assert "«fil.jpg»" in said, name
        assert any(re.search(MESSAGES[error], said) for error in wanted if error in MESSAGES), (name, said)
    assert 20 < taken < HOW_MANY, "both answers were seen"
    assert count() == taken


@pytest.mark.parametrize("code", ["nb", "nn", "en"])
def test_every_kind_of_file_has_its_words(app, code):
    """The words of policy.photos.NotAPicture's docstring, in each language."""
    kinds = re.search(r"`(empty [a-z0-9 ]+)`", pictures.NotAPicture.__doc__)[1].split()
    with app.test_request_context(headers={"Cookie": f"language={code}"}):
        sentences = {kind: fields.refused(pictures.NotAPicture(kind), "fil.jpg") for kind in kinds}
        unknown = fields.refused(pictures.NotAPicture(), "fil.jpg")
        assert len({*sentences.values(), unknown}) == len(kinds) + 1
        mixed = {
            fields.refused(pictures.Mixed(kind), "fil.jpg")
            for kind in ("pdf", "zip", "html", "svg", "program")
        }
        assert len(mixed) == 5
