import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from gatami import media, reports
from gatami.accounts import Attempt
from gatami.db import db, keyring
from gatami.notifications import Delivery
from gatami.policy import moderation
from gatami.policy import text as policy
from gatami.reports import Report
from gatami.web import reporting

from .. import factories


def form(**typed):
    fields = {
        "category": "hull-i-vegen",
        "lat": str(factories.RANEM[0]),
        "lon": str(factories.RANEM[1]),
        "text": "Stort hull midt i vegen.",
    }
    return fields | typed


def send(client, **typed):
    return client.post("/reports", data=form(**typed), content_type="multipart/form-data")


def count(model=Report):
    return db.session.scalar(select(func.count()).select_from(model))


def error_beside(page, field):
    """The message that the field itself points to, as a screen reader finds it."""
    found = re.search(rf'id="{field}-error"[^>]*>(.*?)</', page.text, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]).strip() if found else None


def kept_in(page):
    """The tokens of the photos that a page keeps, in their order."""
    return re.findall(r'name="kept_photo" value="([^"]+)"', page.text)


def test_new(client):
    page = client.get("/reports/new?category=gatelys&lat=64.4915&lon=11.9781")
    assert page.status_code == 200
    assert 'name="text"' in page.text
    assert 'name="answer-pole"' in page.text
    assert 'enctype="multipart/form-data"' in page.text


def test_new_shows_what_must_not_wait(client):
    assert "Ring 74 28 00 00 nå." in client.get("/reports/new?category=vann-og-avlop").text


def test_create(client):
    answer = send(client, email="kari@prove.example")
    assert answer.status_code == 303
    made = db.session.scalars(select(Report)).one()
    receipt = client.get(answer.location)
    assert receipt.status_code == 200
    assert made.ref in receipt.text
    assert "kari@prove.example" not in receipt.text
    assert made.reviewed_at is not None, "the worker was told"
    assert db.session.scalars(select(Delivery.state)).all() == ["sent"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"lat": "", "lon": ""}, "place"),
        ({"lat": "nord"}, "place"),
        (dict(zip(("lat", "lon"), map(str, factories.SEA), strict=True)), "place"),
        (dict(zip(("lat", "lon"), map(str, factories.SWEDEN), strict=True)), "place"),
        (dict(zip(("lat", "lon"), map(str, factories.NAMSOS), strict=True)), "place"),
        ({"category": ""}, "category"),
        ({"text": ""}, "text"),
        ({"text": "x" * 5000}, "text"),
        ({"email": "kari"}, "email"),
        ({"phone": "ring"}, "phone"),
        ({"category": "gatelys"}, "answer-pole"),
    ],
)
def test_create_says_what_is_wrong_beside_the_field_and_keeps_what_was_typed(client, typed, field):
    page = send(client, **({"name": "Kari Prøve", "phone": "400 00 123"} | typed))
    assert page.status_code == 422
    assert error_beside(page, field)
    assert "Kari Prøve" in page.text
    if "text" not in typed:
        assert "Stort hull midt i vegen." in page.text
    assert count() == 0


def test_a_comma_is_a_decimal_point_too(client):
    assert send(client, lat="64,4915", lon="11,9781").status_code == 303


def test_messages_are_different_for_each_place(client):
    messages = {
        error_beside(send(client, lat=str(lat), lon=str(lon)), "place")
        for lat, lon in (factories.SEA, factories.SWEDEN, factories.NAMSOS, (95, 11))
    }
    assert len(messages) == 4
    assert any("Namsos" in message for message in messages)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notat.txt", b"hei"),
        ("bilde.jpg", b"%PDF-1.7 not a picture"),
        ("bilde.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ("stort.jpg", factories.picture() + b"\0" * (30 * 1024 * 1024)),
    ],
)
def test_a_file_that_cannot_be_taken(client, name, data):
    page = send(client, photos=[(BytesIO(data), name)])
    # The test client keeps a large body in a temporary file, and leaves closing it to whoever asked.
    page.request.environ["wsgi.input"].close()
    assert page.status_code == 422
    assert name in error_beside(page, "photos")
    assert "Stort hull midt i vegen." in page.text
    assert count() == 0


def test_a_file_name_is_shown_as_text(client):
    page = send(client, photos=[(BytesIO(b"x"), '"><img src=x onerror=alert(1)>.jpg')])
    assert "<img src=x" not in page.text


def test_photos_are_kept_while_the_rest_is_mended(client):
    page = send(
        client,
        text="",
        photos=[(BytesIO(factories.picture()), "hull.jpg"), (BytesIO(factories.picture()), "to.jpg")],
    )
    kept = kept_in(page)
    assert len(kept) == 2
    assert "hull.jpg" in page.text
    assert len(list(media.private.path("drafts").iterdir())) == 2
    answer = send(client, kept_photo=kept, photos=[(BytesIO(factories.picture()), "tre.jpg")])
    assert answer.status_code == 303
    made = db.session.scalars(select(Report)).one()
    assert [photo.publication for photo in made.photos] == ["published"] * 3
    assert list(media.private.path("drafts").iterdir()) == []


def test_a_kept_photo_can_be_dropped(client):
    page = send(client, text="", photos=[(BytesIO(factories.picture()), "hull.jpg")])
    (token,) = kept_in(page)
    page = client.post("/reports/draft", data=form(action=f"remove-{token}", kept_photo=token))
    assert kept_in(page) == []
    assert list(media.private.path("drafts").iterdir()) == []
    assert "Stort hull midt i vegen." in page.text


def test_a_made_up_token_names_no_photo(client):
    assert send(client, kept_photo=["rubbish", "drafts/../../x"]).status_code == 303
    assert db.session.scalars(select(Report)).one().photos == []


def test_at_most_six_photos(client):
    page = send(client, photos=[(BytesIO(factories.picture()), f"{n}.jpg") for n in range(7)])
    assert page.status_code == 422
    assert error_beside(page, "photos")
    assert len(kept_in(page)) == 6


def test_a_stranger_cannot_name_the_form_of_another(client):
    """Whoever could choose the token of somebody's form would be shown that person's receipt."""
    page = client.get("/reports/new?submission=mitt-valg")
    assert 'value="mitt-valg"' not in page.text
    send(client, submission="et-skjema", name="Kari Prøve", email="kari@prove.example")
    stranger = send(client, submission="et-skjema")
    assert count() == 2
    mine = re.search(r'href="(/mine/[^"]+)"', client.get(stranger.location).text)[1]
    assert "kari@prove.example" not in client.get(mine).text


def test_additions_to_a_form_that_was_sent_are_not_lost(client):
    send(client, submission="et-skjema")
    send(client, submission="et-skjema", email="kari@prove.example")
    assert count() == 2


def test_control_characters_break_no_feed(client):
    from xml.etree import ElementTree as ET

    send(client, text="Hull \x0b\x1b i vegen\r\nher")
    ET.fromstring(client.get("/feeds/reports.atom").data)
    assert db.session.scalars(select(Report.public_text)).one() == "Hull  i vegen\nher"


@pytest.mark.parametrize(
    ("url", "code"), [("/?q=%00", 400), ("/reports/%00", 404), ("/map.geojson?bbox=%00", 400)]
)
def test_nul_is_refused(client, url, code):
    assert client.get(url).status_code == code


def test_nobody_fills_the_disk_with_forms_that_are_never_sent(app, client):
    app.config["SUBMITS_PER_HOUR"] = 1
    for _ in range(2):
        page = send(client, text="", photos=[(BytesIO(factories.picture()), f"{n}.jpg") for n in range(4)])
    assert len(list(media.private.path("drafts").iterdir())) == reports.PHOTOS_MOST
    assert "Vi kunne ikke ta vare på «2.jpg»" in error_beside(page, "photos")
    assert len(kept_in(page)) == 2


def test_drafts_are_bounded_in_bytes_of_one_address_and_of_all(app, client):
    one = len(keyring.seal(factories.picture()))

    def put(address):
        data = {"photos": (BytesIO(factories.picture()), "hull.jpg")}
        return client.post("/reports/photos", data=data, environ_base={"REMOTE_ADDR": address}).status_code

    app.config["DRAFT_BYTES_EACH"], app.config["DRAFT_BYTES"] = 2 * one, 3 * one
    assert [put("192.0.2.1") for _ in range(3)] == [201, 201, 429]
    assert [put("192.0.2.2") for _ in range(2)] == [201, 429]
    assert len(list(media.private.path("drafts").iterdir())) == 3
    # Who is sent away with a photo can send the whole form all the same.
    assert send(client, photos=[(BytesIO(factories.picture()), "hull.jpg")]).status_code == 303


def test_nobody_fills_a_mailbox_with_receipts(app, client, monkeypatch):
    app.config["SUBMITS_PER_HOUR"] = 300
    monkeypatch.setattr(reporting, "RECEIPTS_PER_HOUR", 2)
    codes = [send(client, email="offer@prove.example").status_code for _ in range(3)]
    assert codes == [303, 303, 429]


def test_the_same_form_twice_is_one_report(client):
    first, second = (send(client, submission="et-skjema") for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert count() == 1


def test_very_many_reports_must_wait(app, client):
    app.config["SUBMITS_PER_HOUR"] = 2
    assert [send(client).status_code for _ in range(3)] == [303, 303, 429]
    assert "Stort hull midt i vegen." in send(client).text


def test_a_post_without_a_token_is_refused(app, client):
    app.config["WTF_CSRF_ENABLED"] = True
    page = send(client)
    assert page.status_code == 400
    assert count() == 0


def test_about_shows_open_reports_close_by(client):
    near = factories.report(text="Hull ved kirka", lat=factories.RANEM[0] + 0.001)
    far = factories.report(lat=factories.RANEM[0] + 0.004)
    url = f"/reports/new/about?category=hull-i-vegen&lat={factories.RANEM[0]}&lon={factories.RANEM[1]}"
    part = client.get(url)
    assert near.ref in part.text
    assert far.ref not in part.text
    assert "110 m" in part.text
    assert "<html" not in part.text


def test_streetlights_are_the_same_within_thirty_metres(client):
    near = factories.report(category="gatelys", lat=factories.RANEM[0] + 0.0002, answers={"pole": "12"})
    next_pole = factories.report(category="gatelys", lat=factories.RANEM[0] + 0.0004, answers={"pole": "13"})
    part = client.get(
        f"/reports/new/about?category=gatelys&lat={factories.RANEM[0]}&lon={factories.RANEM[1]}"
    )
    assert near.ref in part.text
    assert next_pole.ref not in part.text


def test_draft_looks_for_the_same_fault_without_javascript(client):
    near = factories.report()
    page = client.post("/reports/draft", data=form(action="nearby"))
    assert near.ref in page.text
    assert "Stort hull midt i vegen." in page.text
    assert count() == 1


@pytest.fixture
def register(app):
    """Kartverket's address API, as recorded, on this machine; `answers` decides what it says."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlsplit(self.path)
            asked.append((url.path, parse_qs(url.query)))
            hit = {
                "adressetekst": "Ranemsvegen 1",
                "adressenavn": "Ranemsvegen",
                "poststed": "OVERHALLA",
                "kommunenavn": "OVERHALLA",
                "representasjonspunkt": {"epsg": "EPSG:4258", "lat": 64.4901, "lon": 11.9502},
            }
            body = json.dumps({"metadata": {}, "adresser": [hit]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    app.config["ADDRESS_URL"] = f"http://127.0.0.1:{server.server_port}"
    yield asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_addresses(client, register):
    part = client.get("/addresses?address_query=ranemsvegen 1")
    assert "Ranemsvegen 1, Overhalla" in part.text
    assert "64.4901" in part.text
    path, asked = register[0]
    assert path == "/sok"
    assert asked["sok"] == ["ranemsvegen 1"]
    assert set(asked) <= {"sok", "fuzzy", "treffPerSide", "utkoordsys", "filtrer"}, (
        "unknown parameters give 400"
    )


def test_addresses_without_javascript(client, register):
    page = client.post("/reports/draft", data=form(action="search", address_query="ranemsvegen 1"))
    assert "Ranemsvegen 1, Overhalla" in page.text
    assert "Stort hull midt i vegen." in page.text


def test_addresses_when_the_register_is_down(app, client):
    app.config["ADDRESS_URL"] = "http://127.0.0.1:9"
    part = client.get("/addresses?address_query=ranemsvegen")
    assert part.status_code == 200
    assert len(part.text) > 50


def test_the_place_gets_the_name_of_its_street_without_the_house(client, register):
    send(client)
    assert db.session.scalars(select(Report)).one().place_name == "Ranemsvegen, Overhalla"
    assert register[0][0] == "/punktsok"


@pytest.mark.parametrize("url", ["/mine/x", "/receipts/x", "/mine/x/photos/1"])
def test_links_that_nobody_made(client, url):
    assert client.get(url).status_code == 404


def test_the_same_form_at_the_same_moment_is_one_report(client, monkeypatch):
    """Both requests look before either has written; the database's own rule decides."""
    first = factories.report(token="et-skjema")
    looks = iter([None, first])
    monkeypatch.setattr(reports.submitting, "by_submission", lambda _token: next(looks))
    assert send(client, submission="et-skjema").status_code == 303
    assert count() == 1


# What everyone will see -----------------------------------------------------------------------------------------

PRIVATE = "Hull ved skolen. Ring meg på 400 00 123. Naboen min har kreft."


def ask(client, text=PRIVATE, **typed):
    return client.post("/reports/new/preview", data=form(text=text, **typed))


def words(html):
    """What is read of a part, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def seen_in(page):
    return re.search(r'name="seen" value="([^"]+)"', page.text)[1]


def test_preview(client):
    part = ask(client)
    assert part.status_code == 200
    assert part.headers["Cache-Control"] == "no-store"
    assert "<html" not in part.text
    assert "400 00 123" not in part.text
    assert "kreft" not in part.text
    assert 'class="mask" tabindex="0" title="Her sto et telefonnummer.' in part.text
    read = words(part.text)
    assert "Hull ved skolen. Ring meg på [telefonnummer]" in read
    assert re.search(r"Telefonnummer\. .*siff?re.*Opplysning om helse\. \w+", read), read


def test_preview_tells_whom_to_phone_instead_where_it_is_sensitive(client):
    assert "Ring servicekontoret." in ask(client).text
    assert 'href="tel:74280000"' in ask(client).text
    assert "Ring servicekontoret." not in ask(client, "Hull ved skolen. Ring meg på 400 00 123.").text


def test_preview_meets_anger_kindly(client):
    part = ask(client, "Hullet er der ennå. Vegvesenet er noen jævla idioter.")
    assert "Vi forstår at dette kan gjøre deg sint." in words(part.text)


def test_preview_says_whether_a_person_reads_first(client):
    sentence = "Et menneske leser teksten før den vises."
    assert sentence in words(ask(client).text)
    assert sentence not in words(ask(client, "Hull ved skolen. Ring meg på 400 00 123.").text)


@pytest.mark.parametrize("text", ["", "  ", "Stort hull midt i vegen.", "Ring kommunen på 74 28 00 00."])
def test_preview_is_empty_where_nothing_is_hidden(client, text):
    part = ask(client, text)
    assert part.status_code == 200
    assert part.text.strip() == ""


def test_preview_of_a_text_that_is_too_long(client):
    part = ask(client, PRIVATE + "x" * reports.TEXT_MOST)
    assert "Teksten er for lang. Den kan ha høyst 4000 tegn." in words(part.text)
    assert "xxxx" not in part.text


@pytest.mark.parametrize(
    ("code", "heading", "mask", "label"),
    [
        ("nb", "Dette får alle se", "[telefonnummer]", "Telefonnummer."),
        ("nn", "Dette får alle sjå", "[telefonnummer]", "Telefonnummer."),
        ("en", "This is what everyone will see", "[phone number]", "Phone number."),
    ],
)
def test_preview_speaks_the_language_of_the_reader(client, code, heading, mask, label):
    client.set_cookie("language", code)
    read = words(ask(client).text)
    assert all(part in read for part in (heading, mask, label)), read


def test_preview_keeps_nothing(client, caplog):
    def everything():
        rows = {table: count(table) for table in db.metadatas[None].sorted_tables if table.name != "attempts"}
        return rows, sorted(media.private.path("x").parent.rglob("*"))

    before = everything()
    with caplog.at_level("DEBUG"):
        ask(client, name="Kari Prøve", email="kari@prove.example")
    assert everything() == before
    attempt = db.session.scalars(select(Attempt)).all()
    assert {a.purpose for a in attempt} <= {"preview"}
    for private in ("400 00 123", "kreft", "Kari", "kari@"):
        assert private not in caplog.text


def test_preview_is_bounded(app, client, monkeypatch):
    monkeypatch.setattr(reporting, "PREVIEWS_PER_SUBMIT", 1)
    app.config["SUBMITS_PER_HOUR"] = 2
    assert [ask(client).status_code for _ in range(3)] == [200, 200, 429]
    # Who has used up the previews can send all the same.
    assert send(client, text=PRIVATE).status_code == 303


def test_preview_needs_the_token_of_the_form(app, client):
    app.config["WTF_CSRF_ENABLED"] = True
    assert ask(client).status_code == 400


@pytest.fixture
def broken_policy(monkeypatch):
    def broken(*_args, **_kwargs):
        raise KeyError(PRIVATE)

    monkeypatch.setattr(moderation, "judge", broken)
    monkeypatch.setattr(policy, "find", broken)


def test_a_failing_policy_previews_nothing_and_stops_nobody(client, broken_policy, caplog):
    part = ask(client)
    assert (part.status_code, part.text.strip()) == (200, "")
    assert "400 00 123" not in caplog.text
    assert send(client, text=PRIVATE).status_code == 303
    assert db.session.scalars(select(Report.text_publication)).one() == "held"


def test_what_is_hidden_is_shown_before_it_is_sent(client):
    page = send(client, text=PRIVATE, name="Kari Prøve", photos=[(BytesIO(factories.picture()), "hull.jpg")])
    assert page.status_code == 200
    assert count() == 0
    read = words(page.text)
    assert "Ring meg på [telefonnummer]" in read
    assert "Meldingen er ikke sendt ennå." in read
    assert "Send den slik" in read
    assert "Endre teksten" in read
    assert "Kari Prøve" in page.text
    assert PRIVATE in page.text, "the field keeps what was typed"
    kept = kept_in(page)
    assert len(kept) == 1
    answer = send(client, text=PRIVATE, name="Kari Prøve", kept_photo=kept, seen=seen_in(page))
    assert answer.status_code == 303
    made = db.session.scalars(select(Report)).one()
    assert len(made.photos) == 1
    assert made.original.contents.text == PRIVATE


def test_a_text_that_was_changed_is_shown_anew(client):
    seen = seen_in(send(client, text=PRIVATE))
    page = send(client, text=PRIVATE + " Per Prøve bor i nr. 3.", seen=seen)
    assert page.status_code == 200
    assert seen_in(page) != seen
    assert send(client, text=PRIVATE, seen="rubbish").status_code == 200
    assert count() == 0
    assert send(client, text="Stort hull midt i vegen.", seen=seen).status_code == 303


def test_what_was_seen_in_the_preview_takes_no_step(client):
    assert send(client, text=PRIVATE, seen=seen_in(ask(client))).status_code == 303


def test_mistakes_come_before_the_step(client):
    page = send(client, text=PRIVATE, category="")
    assert page.status_code == 422
    assert error_beside(page, "category")
