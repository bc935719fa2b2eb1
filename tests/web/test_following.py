import re

import pytest
from sqlalchemy import func, select

from gatami import reports
from gatami.db import db
from gatami.notifications import Delivery
from gatami.reports import AreaFollow, Follow

from .. import factories
from .test_reporting import error_beside


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def link(kind):
    """The address in the newest mail of a kind, as its reader finds it."""
    from gatami.jobs import render

    delivery = db.session.scalars(
        select(Delivery).where(Delivery.kind == kind).order_by(Delivery.id.desc())
    ).first()
    _subject, body, unsubscribe_url = render(delivery)
    return re.findall(r"http://localhost(\S+)", body), unsubscribe_url


def test_follow(client):
    made = factories.report()
    assert client.get(f"/reports/{made.ref}/follow").status_code == 200
    answer = client.post(f"/reports/{made.ref}/follow", data={"email": "ola@prove.example"})
    assert client.get(answer.location).status_code == 200
    follow = db.session.scalars(select(Follow)).one()
    assert follow.confirmed_at is None
    confirm = next(path for path in link("follow_confirm")[0] if path.startswith("/follows/"))
    # Looking at the page confirms nothing: programs open links too.
    assert client.get(confirm).status_code == 200
    db.session.refresh(follow)
    assert follow.confirmed_at is None
    assert client.post(confirm).status_code == 303
    db.session.refresh(follow)
    assert follow.confirmed_at is not None
    reports.record(made, "reply", text="Ferdig", public=True)
    db.session.commit()
    _, unsubscribe_url = link("change")
    assert client.post(unsubscribe_url, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert count(Follow) == 0
    assert client.get(unsubscribe_url).status_code == 200


def test_unsubscribing_needs_no_token_of_a_form(app, client):
    made = factories.report()
    follow = reports.follow(made, "ola@prove.example", "nb")
    reports.confirm_follow(follow)
    reports.record(made, "reply", text="Ferdig", public=True)
    db.session.commit()
    app.config["WTF_CSRF_ENABLED"] = True
    assert client.post(link("change")[1], data={"List-Unsubscribe": "One-Click"}).status_code == 200


def test_follow_with_an_address_that_is_none(client):
    made = factories.report()
    page = client.post(f"/reports/{made.ref}/follow", data={"email": "ola"})
    assert page.status_code == 422
    assert error_beside(page, "email")
    assert client.get("/reports/XXXXXXXX/follow").status_code == 404
    assert client.post("/reports/XXXXXXXX/follow", data={"email": "a@b.no"}).status_code == 404


def test_a_mailbox_cannot_be_filled(app, client):
    made = factories.report()
    app.config["MAILS_PER_HOUR"] = 2
    codes = [
        client.post(f"/reports/{made.ref}/follow", data={"email": "ola@prove.example"}).status_code
        for _ in range(3)
    ]
    assert codes == [303, 303, 429]


def test_follow_area(client):
    assert client.get("/follow").status_code == 200
    typed = {"email": "ola@prove.example", "municipality": "5047", "extent": "circle", "radius_m": "2000"}
    typed |= {"lat": "64.49", "lon": "11.97", "category": ["hull-i-vegen", "rubbish"], "frequency": "daily"}
    assert client.post("/follow", data=typed).status_code == 303
    follow = db.session.scalars(select(AreaFollow)).one()
    assert (follow.radius_m, follow.categories, follow.frequency) == (2000, ["hull-i-vegen"], "daily")
    confirm = next(path for path in link("follow_confirm")[0] if path.startswith("/follows/"))
    client.post(confirm)
    db.session.refresh(follow)
    assert follow.confirmed_at is not None


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "x"}, "email"),
        ({"extent": "circle"}, "place"),
        ({"extent": "circle", "lat": "64.6", "lon": "10.6"}, "place"),
        ({"extent": "circle", "lat": "64.49", "lon": "11.97", "radius_m": "5"}, "radius_m"),
        ({"extent": "circle", "lat": "64.49", "lon": "11.97", "radius_m": "mye"}, "radius_m"),
        ({"extent": "circle", "lat": "64.49", "lon": "11.97", "radius_m": "9" * 5000}, "radius_m"),
        ({"category": "romfart"}, "category"),
    ],
)
def test_follow_area_says_what_is_wrong(client, typed, field):
    page = client.post("/follow", data={"email": "ola@prove.example", "municipality": "5047"} | typed)
    assert page.status_code == 422
    assert error_beside(page, field)
    assert count(AreaFollow) == 0


@pytest.mark.parametrize("url", ["/follows/x", "/unsubscribe/x"])
def test_links_that_nobody_made(client, url):
    assert client.get(url).status_code == 404
