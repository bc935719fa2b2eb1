import re
from datetime import timedelta

import pytest

from gatami import cases
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
