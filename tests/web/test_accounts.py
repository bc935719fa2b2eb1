import re

import pytest
from sqlalchemy import select

from gatami import accounts
from gatami.db import db
from gatami.jobs import render
from gatami.notifications import Delivery

from .. import factories


def test_sign_in_and_out(client, sign_in):
    assert client.get("/sign-in").status_code == 200
    sign_in(factories.user())
    assert client.get("/desk").status_code == 200
    assert client.post("/sign-out").status_code == 303
    assert client.get("/desk").status_code == 302


@pytest.mark.parametrize(
    ("target", "location"),
    [("/desk?view=mine", "/desk?view=mine"), ("https://evil.example/", "/desk"), ("", "/desk")],
)
def test_sign_in_goes_on_to_this_site_alone(client, target, location):
    user = factories.user()
    data = {"email": user.email, "password": factories.PASSWORD, "next": target}
    assert client.post("/sign-in", data=data).location == location


def test_a_wrong_password_keeps_the_address_and_counts(app, client):
    app.config["SIGN_IN_FAILURES"] = 2
    user = factories.user()
    data = {"email": user.email, "password": "feil"}
    page = client.post("/sign-in", data=data)
    assert page.status_code == 422
    assert user.email in page.text
    assert "feil" not in re.findall(r'value="([^"]*)"', page.text)
    client.post("/sign-in", data=data)
    assert client.post("/sign-in", data=data | {"password": factories.PASSWORD}).status_code == 429


def test_a_copied_cookie_is_worth_nothing_after_signing_out(app, client, sign_in):
    sign_in(factories.user())
    thief = app.test_client()
    thief.set_cookie("gatami", client.get_cookie("gatami").value)
    assert thief.get("/desk").status_code == 200
    client.post("/sign-out")
    assert thief.get("/desk").status_code == 302


def test_the_session_is_a_new_one_after_signing_in(client, sign_in):
    client.get("/reports/new")
    before = client.get_cookie("gatami").value
    sign_in(factories.user())
    cookie = client.get_cookie("gatami")
    assert cookie.value != before
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def password_link():
    delivery = db.session.scalars(select(Delivery).where(Delivery.kind == "password_link")).first()
    return re.search(r"http://localhost(/password/\S+)", render(delivery)[1])[1]


def test_a_resident_makes_an_account_from_the_mailbox(client):
    assert client.get("/password").status_code == 200
    assert client.post("/password", data={"email": "kari@prove.example"}).status_code == 200
    url = password_link()
    assert client.get(url).status_code == 200
    short = client.post(url, data={"name": "Kari", "password": "kort"})
    assert short.status_code == 422
    assert accounts.by_email("kari@prove.example") is None
    assert client.post(url, data={"name": "Kari", "password": "et ganske langt passord"}).status_code == 303
    page = client.get("/me")
    assert page.status_code == 200
    assert "Kari" in page.text
    assert client.get("/desk").status_code == 403


def test_a_password_link_is_used_once(client):
    user = factories.user()
    client.post("/password", data={"email": user.email})
    url = password_link()
    assert client.post(url, data={"password": "et ganske langt passord"}).status_code == 303
    assert client.get(url).status_code == 410
    assert client.post(url, data={"password": "enda et langt passord"}).status_code == 410


def test_asking_for_a_link_tells_nothing_about_accounts(client):
    user = factories.user()
    known = client.post("/password", data={"email": user.email})
    unknown = client.post("/password", data={"email": "ingen@prove.example"})
    strip = re.compile(r'nonce="[^"]+"|value="[^"]+"')
    assert strip.sub("", known.text) == strip.sub("", unknown.text)
    assert client.post("/password", data={"email": "x"}).status_code == 422


def test_me_shows_ones_own_reports_and_follows(client, sign_in):
    user = factories.user("Kari Prøve", role=None, email="kari@prove.example")
    mine = factories.report(email="kari@prove.example")
    other = factories.report(email="ola@prove.example")
    sign_in(user)
    page = client.get("/me")
    assert mine.ref in page.text
    assert other.ref not in page.text


def test_me_is_for_who_is_signed_in(client):
    assert client.get("/me").status_code == 302
