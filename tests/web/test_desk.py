import re
from datetime import timedelta
from io import BytesIO

import pytest

from gatami import cases, reports
from gatami.db import db, now
from gatami.reports import Event

from .. import factories


@pytest.fixture
def staff(sign_in):
    user = factories.user()
    sign_in(user)
    return user


@pytest.fixture
def report(app):
    return factories.report(text="Ring 400 00 123 om hullet", name="Kari Prøve", email="kari@prove.example")


def act(client, report, resource, **form):
    return client.post(f"/desk/{report.ref}/{resource}", data={"version": report.version} | form)


def test_queue(client, staff, report):
    late = factories.report(at=now() - timedelta(days=40))
    page = client.get("/desk")
    assert page.status_code == 200
    assert report.ref in page.text
    overdue = client.get("/desk?view=overdue")
    assert late.ref in overdue.text
    assert report.ref not in overdue.text
    part = client.get("/desk?view=overdue", headers={"HX-Request": "true"})
    assert "<html" not in part.text


def test_queue_asks_a_constant_number_of_questions(client, staff):
    from sqlalchemy import event

    numbers = []
    for _ in range(2):
        for _ in range(5):
            factories.report(photos=[factories.picture()], commit=False)
        db.session.commit()
        asked = []

        def listener(*args, asked=asked):
            asked.append(args[2])

        event.listen(db.engine, "before_cursor_execute", listener)
        client.get("/desk")
        event.remove(db.engine, "before_cursor_execute", listener)
        numbers.append(len(asked))
    assert numbers[0] == numbers[1]


def test_case_shows_the_original_beside_the_public_text(client, staff, report):
    page = client.get(f"/desk/{report.ref}")
    assert re.search(r'Ring <mark [^>]*data-kind="PHONE"[^>]*>400 00 123</mark> om hullet', page.text)
    assert "Ring [telefonnummer] om hullet" in page.text
    assert "Kari Prøve" in page.text
    assert "kari@prove.example" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_the_desk_is_for_staff_of_the_municipality(client, sign_in, report):
    urls = ["/desk", f"/desk/{report.ref}"]
    assert [client.get(url).status_code for url in urls] == [302, 302]
    sign_in(factories.user("Kari Prøve", role="resident"))
    assert [client.get(url).status_code for url in urls] == [403, 403]
    client.post("/sign-out")
    sign_in(factories.user("Geir Prøvland", number="5045"))
    assert [client.get(url).status_code for url in urls] == [200, 404]
    assert report.ref not in client.get("/desk").text
    for resource in ("assignment", "state", "replies", "notes", "text"):
        assert act(client, report, resource, text="x", state="planned").status_code == 404


def test_assign(client, staff, report):
    assert act(client, report, "assignment", assignee=staff.id).status_code == 303
    db.session.refresh(report)
    assert report.assignee_id == staff.id
    assert act(client, report, "assignment", assignee="").status_code == 303
    db.session.refresh(report)
    assert report.assignee_id is None


def test_change_state(client, staff, report):
    assert act(client, report, "state", state="in_progress", text="Vi er i gang.").status_code == 303
    page = client.get(f"/reports/{report.ref}")
    assert "Vi er i gang." in page.text
    assert "Liv Prøvesen" in page.text


@pytest.mark.parametrize(
    ("resource", "form"),
    [
        ("state", {"state": "declined", "text": ""}),
        ("state", {"state": "received"}),
        ("state", {"state": "rubbish"}),
        ("state", {"state": "duplicate", "text": "Samme.", "duplicate_of": "XXXXXXXX"}),
        ("state", {"state": "planned", "text": "Ring 400 00 123"}),
        ("replies", {"text": ""}),
        ("replies", {"text": "Ring Kari på 400 00 123"}),
        ("notes", {"text": ""}),
        ("text", {"act": "release", "public_text": ""}),
    ],
)
def test_what_cannot_be_done_says_so_and_changes_nothing(client, staff, report, resource, form):
    events = db.session.query(Event).count()
    page = act(client, report, resource, **form)
    assert page.status_code == 422
    if form.get("text"):
        assert form["text"] in page.text
    assert 'role="alert"' in page.text or "ds-error-summary" in page.text or "-error" in page.text
    assert db.session.query(Event).count() == events


def test_the_second_of_two_is_told_and_loses_nothing(client, staff, report):
    seen = report.version
    colleague = factories.user("Geir Prøvland")
    cases.change_state(report, colleague, "planned", seen)
    db.session.commit()
    page = client.post(f"/desk/{report.ref}/replies", data={"version": seen, "text": "Mitt lange svar."})
    assert page.status_code == 409
    assert "Mitt lange svar." in page.text
    assert "Geir Prøvland" in page.text
    assert "Mitt lange svar." not in client.get(f"/reports/{report.ref}").text


def test_reply_and_note(client, staff, report):
    assert act(client, report, "replies", text="Takk! Vi kommer på torsdag.").status_code == 303
    db.session.refresh(report)
    assert act(client, report, "notes", text="Husk asfalt").status_code == 303
    public = client.get(f"/reports/{report.ref}").text
    assert "Vi kommer på torsdag." in public
    assert "Husk asfalt" not in public
    assert "Husk asfalt" in client.get(f"/desk/{report.ref}").text


def test_review_text(client, staff, report):
    assert act(client, report, "text", act="hold").status_code == 303
    assert "om hullet" not in client.get(f"/reports/{report.ref}").text
    db.session.refresh(report)
    assert (
        act(client, report, "text", act="release", public_text="Hullet ved brua. 400 00 123").status_code
        == 303
    )
    page = client.get(f"/reports/{report.ref}").text
    assert "Hullet ved brua." in page
    assert "400 00 123" not in page


def test_review_photo(client, staff):
    made = factories.report(photos=[factories.picture()])
    factories.review(made)
    db.session.commit()
    photo = made.photos[0]
    inside = f"/desk/{made.ref}/photos/{photo.id}"
    shown = client.get(f"{inside}/large")
    assert shown.mimetype == "image/webp"
    assert "no-store" in shown.headers["Cache-Control"]
    assert client.get(f"{inside}/original").status_code == 404
    assert client.get(f"/desk/{made.ref}/photos/999/large").status_code == 404
    before = f"/photos/{photo.public_key}/small.webp"
    assert client.get(before).status_code == 200
    act(client, made, f"photos/{photo.id}", act="release", alt="Et hull")
    db.session.refresh(photo)
    public = f"/photos/{photo.public_key}/small.webp"
    assert client.get(before).status_code == 404
    assert client.get(public).status_code == 200
    assert 'alt="Et hull"' in client.get(f"/reports/{made.ref}").text
    db.session.refresh(made)
    act(client, made, f"photos/{photo.id}", act="hold")
    assert client.get(public).status_code == 404


# Photos ---------------------------------------------------------------------------------------------------------

FACE = {
    "kind": "face",
    "left": 0.1,
    "top": 0.1,
    "width": 0.04,
    "height": 0.06,
    "confidence": 0.9,
    "rule": "a detector",
}
ROW = {"kind": "plate", "left": "50", "top": "25,5", "width": "25", "height": "50"}


@pytest.fixture
def photo(app):
    """Drawn with one face covered, and held."""
    made = factories.report(photos=[factories.picture()])
    factories.review(made)
    photo = made.photos[0]
    reports.hold_photo(photo, None)
    photo.boxes = photo.found = [FACE]
    photo.doubts = ["many_faces"]
    db.session.commit()
    return photo


def boxes(client, photo, act, *rows, **form):
    columns = {name: [row[name] for row in rows] for name in ROW}
    address = f"/desk/{photo.report.ref}/photos/{photo.id}/boxes"
    return client.post(address, data={"version": photo.report.version, "act": act} | columns | form)


def typed(page):
    """The rows of boxes on a page."""
    shown = re.sub(r"(?s)<template.*?</template>", "", page.text)
    sides = {
        name: re.findall(rf'name="{name}" value="([^"]*)"', shown)
        for name in ("left", "top", "width", "height")
    }
    return list(zip(*sides.values(), strict=True))


def test_boxes(client, staff, photo):
    page = client.get(f"/desk/{photo.report.ref}/photos/{photo.id}/boxes")
    assert page.status_code == 200
    assert "Det er mange ansikter i bildet." in page.text or "mange ansikt" in page.text
    assert "90 %" in page.text
    assert typed(page) == [("10", "10", "4", "6")]
    inside = f"/desk/{photo.report.ref}/photos/{photo.id}"
    assert f'src="{inside}/large"' in page.text
    assert f'src="{inside}/plain"' not in page.text
    assert [look.what for look in reports.looks(photo.report)] == []
    page = client.get(f"{inside}/boxes?uncovered=yes")
    assert f'src="{inside}/plain"' in page.text
    assert client.get(f"{inside}/plain").status_code == 200
    assert [look.what for look in reports.looks(photo.report)] == [f"photo {photo.id}"]


def test_a_photo_that_covers_nothing_yet_is_not_shown_unasked(client, staff, photo):
    photo.boxes, photo.doubts = [], ["failed"]
    db.session.commit()
    inside = f"/desk/{photo.report.ref}/photos/{photo.id}"
    for address in (f"/desk/{photo.report.ref}", f"{inside}/boxes"):
        assert 'src="/desk' not in client.get(address).text
    before = len(reports.looks(photo.report))
    client.get(f"{inside}/large")
    assert len(reports.looks(photo.report)) == before + 1


def test_cover(client, staff, photo):
    answer = boxes(client, photo, "publish", ROW, alt="Et hull", reason="Et skilt")
    assert answer.status_code == 303
    assert answer.location == f"/desk/{photo.report.ref}#photo-{photo.id}"
    db.session.refresh(photo)
    assert photo.publication == "published"
    (box,) = photo.boxes
    assert {name: box[name] for name in ROW} == {
        "kind": "plate", "left": 0.5, "top": 0.255, "width": 0.25, "height": 0.5
    }  # fmt: skip
    assert (box["rule"], photo.alt) == ("person", "Et hull")
    public = client.get(f"/reports/{photo.report.ref}").text
    assert 'alt="Et hull"' in public
    assert "Et skilt" not in public
    assert "Et skilt" in client.get(f"/desk/{photo.report.ref}").text
    old = photo.public_key
    assert boxes(client, photo, "hold", ROW).status_code == 303
    db.session.refresh(photo)
    assert (photo.publication, client.get(f"/photos/{old}/large.jpg").status_code) == ("held", 404)


def test_what_was_left_as_it_was_keeps_its_exact_place_and_who_found_it(client, staff, photo):
    photo.boxes = [FACE | {"left": 0.12345678}]
    db.session.commit()
    boxes(
        client,
        photo,
        "hold",
        {"kind": "face", "left": "12.35", "top": "10", "width": "4", "height": "6"},
        ROW,
    )
    db.session.refresh(photo)
    assert photo.boxes[0] == pytest.approx(FACE | {"left": 0.12345678})
    assert photo.boxes[1]["rule"] == "person"


def test_the_policy_looks_again(client, staff, photo):
    assert boxes(client, photo, "look", ROW).status_code == 303
    db.session.refresh(photo)
    assert (photo.publication, photo.wish) == ("held", None)
    assert photo.boxes == photo.found != [FACE]
    assert "Maskinen har sett på nytt" in client.get(f"/desk/{photo.report.ref}").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"left": "80", "width": "30"},
        {"left": "-1"},
        {"width": "0"},
        {"height": "abc"},
        {"top": ""},
        {"left": "nan"},
        {"left": "1e400"},
        {"kind": "rubbish"},
    ],
)
def test_a_box_that_is_none_says_so_and_keeps_the_others(client, staff, photo, wrong):
    page = boxes(client, photo, "publish", ROW, ROW | wrong, alt="Et hull")
    assert page.status_code == 422
    assert 'href="#box-2"' in page.text
    assert typed(page)[0] == ("50", "25,5", "25", "50")
    assert 'value="Et hull"' in page.text
    db.session.refresh(photo)
    assert photo.boxes == [FACE]


def test_there_are_not_more_boxes_than_a_person_draws(client, staff, photo):
    few = [ROW | {"left": str(number % 50)} for number in range(200)]
    assert boxes(client, photo, "hold", *few).status_code == 303
    db.session.refresh(photo.report)
    page = boxes(client, photo, "hold", *few, ROW)
    assert page.status_code == 422
    assert "200" in page.text


def test_the_second_of_two_who_draw_keeps_the_boxes(client, staff, photo):
    seen = photo.report.version
    cases.hold_photo(photo, factories.user("Geir Prøvland"), seen)
    db.session.commit()
    page = boxes(client, photo, "publish", ROW, version=seen, reason="Et skilt")
    assert page.status_code == 409
    assert typed(page) == [("50", "25,5", "25", "50")]
    assert "Geir Prøvland" in page.text
    assert 'value="Et skilt"' in page.text
    assert f'name="version" value="{photo.report.version}"' in page.text


def test_the_steps_work_without_scripts_and_save_nothing(client, staff, photo):
    found = ("10", "10", "4", "6")
    drawn = ("50", "25,5", "25", "50")
    assert typed(boxes(client, photo, "add", ROW)) == [drawn, ("40", "40", "20", "20")]
    assert typed(boxes(client, photo, "all", ROW)) == [drawn, found]
    assert typed(boxes(client, photo, "again", ROW)) == [found]
    assert typed(boxes(client, photo, "remove-0", ROW, ROW | {"left": "1"})) == [("1", "25,5", "25", "50")]
    for act in ("remove-7", "remove-", "remove-x", "stay", "", "rubbish"):
        assert typed(boxes(client, photo, act, ROW)) == [drawn]
    blank = dict.fromkeys(ROW, "") | {"kind": "drawn"}
    assert typed(boxes(client, photo, "stay", blank, ROW)) == [drawn]
    db.session.refresh(photo)
    assert photo.boxes == [FACE]


def test_a_photo_that_waits_says_so(client, staff, photo):
    photo.publication, photo.width = "waiting", None
    db.session.commit()
    page = client.get(f"/desk/{photo.report.ref}/photos/{photo.id}/boxes")
    assert "boxes-form" not in page.text
    assert "Bildet blir gjort klart" in page.text
    assert f"/photos/{photo.id}/boxes" not in client.get(f"/desk/{photo.report.ref}").text


def test_nothing_is_drawn_of_a_case_that_is_gone(client, staff, photo):
    photo.report.text_publication, photo.report.public_text = "unpublished", None
    db.session.commit()
    page = client.get(f"/desk/{photo.report.ref}/photos/{photo.id}/boxes")
    assert page.status_code == 200
    assert 'value="publish"' not in page.text
    answer = boxes(client, photo, "publish", ROW)
    assert answer.location == f"/desk/{photo.report.ref}"
    assert "Ingenting ble lagret" in client.get(answer.location).text
    photo.publication = "removed"
    db.session.commit()
    assert client.get(f"/desk/{photo.report.ref}/photos/{photo.id}/boxes").status_code == 404


def test_the_photos_of_others_are_not_there(client, sign_in, photo):
    sign_in(factories.user("Geir Prøvland", number="5045"))
    assert client.get(f"/desk/{photo.report.ref}/photos/{photo.id}/boxes").status_code == 404
    assert boxes(client, photo, "publish", ROW).status_code == 404
    sent = {"photo": (BytesIO(factories.picture()), "ny.jpg"), "version": photo.report.version}
    assert client.post(f"/desk/{photo.report.ref}/photos", data=sent).status_code == 404


def test_add_photo(app, client, staff, report):
    app.config["PHOTO_BYTES"] = 10_000

    def send(data, name="ny.jpg", **form):
        sent = {
            "photo": [(BytesIO(b""), ""), (BytesIO(data), name)],
            "version": report.version,
            "alt": "Ny asfalt",
        }
        return client.post(f"/desk/{report.ref}/photos", data=sent | form)

    assert send(factories.picture()).status_code == 303
    db.session.refresh(report)
    (photo,) = report.photos
    assert (photo.sent_by_id, photo.is_after, photo.alt) == (staff.id, True, "Ny asfalt")
    assert act(client, report, f"photos/{photo.id}", act="release").status_code == 303
    db.session.refresh(report)
    public = client.get(f"/reports/{report.ref}").text
    assert "Etter arbeidet" in public
    assert 'alt="Ny asfalt"' in public
    for data, name, words in (
        (b"GIF89a", "tull.gif", "tull.gif"),
        (b"", "", "Velg et bilde"),
        (b"x" * 10_001, "stor.jpg", "for stort"),
    ):
        page = send(data, name)
        assert page.status_code == 422, name
        assert words in page.text
        assert 'value="Ny asfalt"' in page.text
    assert send(factories.picture(), version=report.version - 1).status_code == 409
    assert len(report.photos) == 1


def test_the_queue_leads_to_the_photo(client, staff, photo):
    page = client.get("/desk/moderation").text
    assert f'href="/desk/{photo.report.ref}/photos/{photo.id}/boxes"' in page
    two = factories.report(photos=[factories.picture(), factories.picture()])
    factories.review(two)
    for one in two.photos:
        reports.hold_photo(one, None)
    db.session.commit()
    page = client.get("/desk/moderation").text
    assert f'href="/desk/{two.ref}#photo-{two.photos[0].id}"' in page
