"""Each right of the one who reported, through the door."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from gatami import cases, publication, reports
from gatami.db import DataKey, db, now
from gatami.keys import Destroyed
from gatami.policy import text as policy
from gatami.reports import Event, Report

from .. import factories
from ..test_canary import QUERIES, crawl, leaks, planted, public_addresses, tokens  # noqa: F401


@pytest.fixture
def mine():
    """A report with something of everything, and the address of its author's page."""
    made = factories.report(
        text="Ring 400 00 123",
        name="Kari Prøve",
        email="kari@prove.example",
        phone="400 00 124",
        answers={"size": "large"},
        photos=[factories.picture()],
    )
    factories.review(made)
    db.session.commit()
    return made, f"/mine/{reports.private_token(made)}"


def test_report(client, mine):
    made, url = mine
    reports.looked(made, factories.user(), "text")
    db.session.commit()
    page = client.get(url)
    for stored in (
        "Ring 400 00 123",
        "kari@prove.example",
        "Kari Prøve",
        "400 00 124",
        "Stort",
        "Liv Prøvesen",
    ):
        assert stored in page.text, stored
    assert "[telefonnummer]" in page.text, "and what others see"
    assert "Telefonnummer" in page.text, "and why"
    assert "90 dager" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert 'content="noindex"' in page.text


def test_photo(client, mine):
    made, url = mine
    photo = client.get(f"{url}/photos/{made.photos[0].id}")
    assert photo.mimetype == "image/webp"
    assert "no-store" in photo.headers["Cache-Control"]
    assert client.get(f"{url}/photos/999").status_code == 404


def test_original_photo(client, mine):
    made, url = mine
    photo = client.get(f"{url}/photos/{made.photos[0].id}/original")
    assert photo.data == factories.picture()
    assert photo.headers["Content-Disposition"] == f'attachment; filename="gatami-{made.photos[0].id}.jpg"'
    assert photo.mimetype == "application/octet-stream"
    assert client.get(f"{url}/photos/999/original").status_code == 404


def test_download(client, mine):
    made, url = mine
    staff = factories.user()
    reports.looked(made, staff, "text")
    cases.note(made, staff, "Bare for kolleger")
    reports.correct(made, "Ring 400 00 125", made.version)
    db.session.commit()
    answer = client.get(f"{url}/data")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="gatami-{made.ref}.json"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.mimetype == "application/json"
    data = json.loads(answer.text)
    assert (data["text"], data["text_shown"]) == ("Ring 400 00 125", "Ring [telefonnummer]")
    assert data["earlier_texts"][0]["text"] == "Ring 400 00 123"
    assert (data["name"], data["email"], data["phone"]) == ("Kari Prøve", "kari@prove.example", "400 00 124")
    assert data["answers"] == {"size": "large"}
    assert data["looked_at_by_staff"][0]["name"] == "Liv Prøvesen"
    assert {"PHONE"} == {kind for decision in data["decisions"] for kind in decision["kinds"]}
    assert [mail["kind"] for mail in data["messages"]] == ["receipt"]
    assert client.get(data["photos"][0]["file"]).data == factories.picture()


def corrected(client, url, made, text, **more):
    answer = client.post(f"{url}/text", data={"text": text, "version": made.version} | more)
    db.session.expire_all()
    return answer


def test_correct(client, mine):
    made, url = mine
    assert corrected(client, url, made, "Skriv til kari@prove.example, ring 400 00 125").status_code == 303
    assert made.original.contents.text == "Skriv til kari@prove.example, ring 400 00 125"
    assert made.public_text == "Skriv til [e-postadresse], ring [telefonnummer]"
    event = db.session.scalars(select(Event).where(Event.kind == "text_corrected")).one()
    assert (event.private, event.text, event.is_public) == ("Ring 400 00 123", None, True)
    assert [version.text for version in reports.versions(made)] == ["Ring [telefonnummer]", made.public_text]
    assert "kari@prove" not in client.get(f"/reports/{made.ref}").text
    with pytest.raises(reports.OutOfDate):
        reports.correct(made, "Noe annet", made.version - 1)


def test_correct_what_is_held_stays_held(client, mine):
    made, url = mine
    reports.hold_text(made, factories.user())
    db.session.commit()
    assert corrected(client, url, made, "Hull i vegen").status_code == 303
    assert (made.public_text, made.text_publication) == (None, "held")
    assert made.original.contents.masked == "Hull i vegen"
    assert publication.report(made.ref).text is None


def test_correct_is_held_where_the_policy_fails(client, mine, monkeypatch):
    made, url = mine

    def broken(*_args, **_options):
        raise RuntimeError

    monkeypatch.setattr(policy, "find", broken)
    assert corrected(client, url, made, "Ring Kari på 400 00 123").status_code == 303
    assert (made.public_text, made.text_publication) == (None, "held")


def test_correct_says_what_is_wrong_and_keeps_what_was_typed(client, mine):
    made, url = mine
    for text in ("   ", "x" * 4001):
        page = corrected(client, url, made, text)
        assert page.status_code == 422
        assert '<details class="more" id="correct" open>' in page.text
        assert 'aria-invalid="true"' in page.text
    assert "x" * 4001 in page.text
    page = corrected(client, url, made, "Noe annet", version=made.version - 1)
    assert page.status_code == 409
    assert "Noe annet" in page.text
    assert made.original.contents.text == "Ring 400 00 123"


def test_correct_a_closed_case(client, mine):
    made, url = mine
    cases.change_state(made, factories.user(), "resolved", made.version, "Tettet.")
    db.session.commit()
    assert corrected(client, url, made, "Noe annet").status_code == 409
    assert "Rett teksten" not in client.get(url).text


def test_withdraw(client, mine):
    made, url = mine
    assert client.post(f"{url}/withdrawal").status_code == 303
    db.session.refresh(made)
    assert made.state == "withdrawn"
    assert client.post(f"{url}/withdrawal").status_code == 409
    assert client.get(url).status_code == 200


def test_erase(client, mine):
    made, url = mine
    number, key = made.id, made.original.key
    refused = client.post(f"{url}/erasure")
    assert refused.status_code == 422
    assert 'href="#sure"' in refused.text
    assert DataKey.named(key)

    answer = client.post(f"{url}/erasure", data={"sure": "yes"})
    assert (answer.status_code, answer.location) == (303, url)
    db.session.expire_all()
    made = db.session.get(Report, number)
    assert made.erased_at is not None
    with pytest.raises(Destroyed):
        DataKey.named(key)
    page = client.get(url)
    assert page.status_code == 200
    assert "Denne meldingen er slettet" in page.text
    for secret in ("Kari", "400 00", "kari@prove.example"):
        assert secret not in page.text
    assert client.get(f"{url}/photos/{made.photos[0].id}/original").status_code == 404
    data = json.loads(client.get(f"{url}/data").text)
    assert (data["text"], data["email"], data["messages"]) == ("", "", [])
    assert {done["rule"] for done in data["forgotten"]} == {"asked"}
    assert client.post(f"{url}/erasure", data={"sure": "yes"}).status_code == 303, "twice is once"
    assert client.post(f"{url}/text", data={"text": "Nytt", "version": made.version}).status_code == 409
    assert client.get(f"/reports/{made.ref}").status_code == 200


def test_erase_where_the_case_must_be_kept(client, mine):
    made, url = mine
    reports.keep(made, now() + timedelta(days=9), "Klage", factories.user())
    db.session.commit()
    assert client.post(f"{url}/erasure", data={"sure": "yes"}).status_code == 303
    page = client.get(url)
    assert "Du ba oss" in page.text
    assert "må ta vare på den inntil videre" in page.text
    assert "Klage" not in page.text, "why is between the municipality and whom it is about"
    assert 'action="' + url + '/erasure"' not in page.text
    assert made.original.contents.name == "Kari Prøve"


@pytest.mark.parametrize(("path", "form"), [("withdrawal", {}), ("erasure", {"sure": "yes"})])
def test_staff_at_the_same_moment_stop_nobody(client, mine, monkeypatch, path, form):
    _made, url = mine
    verb, calls = ("withdraw" if path == "withdrawal" else "erase"), []
    act = getattr(reports, verb)

    def disturbed(report):
        calls.append(report)
        if len(calls) == 1:
            raise StaleDataError
        return act(report)

    monkeypatch.setattr(reports, verb, disturbed)
    assert client.post(f"{url}/{path}", data=form).status_code == 303
    assert len(calls) == 2


def test_a_desk_opens_on_what_is_erased(client, mine, sign_in):
    made, url = mine
    ref, photo = made.ref, made.photos[0].id
    client.post(f"{url}/erasure", data={"sure": "yes"})
    sign_in(factories.user())
    page = client.get(f"/desk/{ref}")
    assert page.status_code == 200
    assert "Teksten slik den ble sendt, er slettet." in page.text
    assert client.get(f"/desk/{ref}/photos/{photo}/small").status_code == 404
    answer = client.post(f"/desk/{ref}/text", data={"version": 99, "act": "release", "public_text": "Hull"})
    assert answer.status_code in (409, 422)


def test_no_token_is_found_in_public_after_each_right(app, client, planted, tokens):  # noqa: F811
    for report in planted[1:3]:
        report.closed_at = None
    db.session.commit()
    first, second, third = (f"/mine/{reports.private_token(report)}" for report in planted[:3])
    assert (
        corrected(client, first, planted[0], f"Ring {tokens('corrected text')}@prove.example").status_code
        == 303
    )
    assert client.post(f"{second}/withdrawal").status_code == 303
    assert client.post(f"{third}/erasure", data={"sure": "yes"}).status_code == 303
    for url in (first, second, third):
        assert client.get(f"{url}/data").status_code == 200
    db.session.expire_all()
    seen = crawl(client, [*public_addresses(app, planted), *QUERIES])
    assert len(seen) > 60
    assert leaks(seen, tokens) == {}
