"""What caseworkers do, and what those who follow a case hear of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from gatami import reports
from gatami.db import db

from .conftest import Mailbox
from .steps import link_in, sign_in

pytestmark = pytest.mark.served


def follow(page: Page, mailbox: Mailbox, email: str) -> None:
    """Follow the case that the page shows, from the form to the confirmation."""
    page.get_by_role("link", name="Følg saken").first.tap()
    page.get_by_label("E-postadressen din").fill(email)
    page.get_by_role("button", name="Følg saken").tap()
    expect(page.get_by_role("heading", name="Se i innboksen din")).to_be_visible()
    (letter,) = mailbox.wait_for(email, 1)
    page.goto(link_in(letter, "/follows/"))
    page.get_by_role("button", name="Ja, følg").tap()
    expect(page.get_by_role("heading", name="Du følger med")).to_be_visible()


def test_a_caseworker_answers_and_everybody_who_follows_is_told_once(site, visit, mailbox):
    reporter, follower = "ane@prove.example", "ola@prove.example"
    text = "Kumlokket ved skolen skrangler. Ring 400 00 123."
    ref = site.report("desk", photo=True, text=text, email=reporter)
    with site.app.app_context():
        # As a doubt of the policy leaves it.
        (photo,) = reports.by_ref(ref).photos
        photo.publication, photo.public_key, photo.doubts = "held", None, ["page"]
        db.session.commit()
    phone = visit("phone")
    phone.goto(f"/reports/{ref}")
    follow(phone, mailbox, follower)

    page = visit("desktop")
    page.goto("/desk")
    sign_in(page, "liv")
    page.get_by_label("Søk", exact=True).fill("kumlokket")
    page.get_by_role("button", name="Søk").click()
    row = page.get_by_role("row").filter(has_text=ref)
    expect(row).to_contain_text("1 bilde å se på")
    expect(page.get_by_role("table").get_by_role("link")).to_have_count(1)
    row.get_by_role("link").click()
    expect(page.locator(".original")).to_have_text(text)
    expect(page.get_by_label("Slik alle ser den")).to_have_value(
        "Kumlokket ved skolen skrangler. Ring [telefonnummer]."
    )
    expect(page.locator(".facts")).to_contain_text(reporter)

    page.locator(".desk-photos").get_by_label("Hva viser bildet?").fill("Et kumlokk som ligger skjevt")
    page.get_by_role("button", name="Vis bildet").click()
    expect(page.locator(".desk-photos")).to_contain_text("Synlig for alle")
    page.get_by_role("combobox", name="Saksbehandler").select_option(label="Liv Prøvesen (meg)")
    page.get_by_role("button", name="Lagre", exact=True).click()
    expect(page.locator(".timeline")).to_contain_text("Gitt til Liv Prøvesen")
    page.get_by_label("Ny status").select_option("in_progress")
    page.get_by_role("button", name="Endre status").click()
    expect(page.locator(".case-meta")).to_contain_text("Under arbeid")
    page.get_by_label("Svaret ditt").fill("Vi retter lokket i morgen.")
    page.get_by_role("button", name="Send svaret").click()
    expect(page.locator(".timeline")).to_contain_text("Vi retter lokket i morgen.")

    phone.goto(f"/reports/{ref}")
    reply = phone.get_by_role("listitem").filter(has_text="Vi retter lokket i morgen.")
    expect(reply).to_contain_text("Liv Prøvesen, Teknisk avdeling")
    photo = phone.get_by_role("img", name="Et kumlokk som ligger skjevt")
    photo.scroll_into_view_if_needed()
    phone.wait_for_function("e => e.complete && e.naturalWidth > 0", arg=photo.element_handle())
    changes = ["Nytt: Hull i vegen", "Svar: Hull i vegen"]
    for address in (reporter, follower):
        letters = mailbox.wait_for(address, 3)
        assert [letter["Subject"].partition(",")[0] for letter in letters[1:]] == changes
        assert "Liv Prøvesen" in letters[2].get_content()

    last = mailbox.to(follower)[-1]
    assert last["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert last["List-Unsubscribe"] == f"<{link_in(last, '/unsubscribe/')}>"
    phone.goto(link_in(last, "/unsubscribe/"))
    phone.get_by_role("button", name="Ja, stopp meldingene").tap()
    expect(phone.get_by_role("heading", name="Meldingene er stoppet")).to_be_visible()
    page.get_by_label("Svaret ditt").fill("Nå er lokket rettet.")
    page.get_by_role("button", name="Send svaret").click()
    mailbox.wait_for(reporter, 4)
    site.wait_until_all_is_sent()
    assert (len(mailbox.to(reporter)), len(mailbox.to(follower))) == (4, 3)


def test_the_second_of_two_caseworkers_is_told_and_loses_nothing(site, visit):
    ref = site.report("desk", text="Skiltet er veltet.")
    first, second = visit("desktop"), visit("desktop", refusals=(409,))
    for page, name in ((first, "liv"), (second, "per")):
        page.goto(f"/desk/{ref}")
        sign_in(page, name)
        expect(page.locator(".original")).to_have_text("Skiltet er veltet.")
    first.get_by_label("Svaret ditt").fill("Vi reiser det i dag.")
    first.get_by_role("button", name="Send svaret").click()
    expect(first.locator(".timeline")).to_contain_text("Vi reiser det i dag.")

    second.get_by_label("Svaret ditt").fill("Vi kommer neste uke.")
    second.get_by_role("button", name="Send svaret").click()
    warning = second.get_by_role("alert").filter(has_text="Noen andre har endret saken i mellomtiden")
    expect(warning).to_be_focused()
    expect(warning).to_contain_text("Liv Prøvesen")
    expect(second.get_by_label("Svaret ditt")).to_have_value("Vi kommer neste uke.")
    expect(second.locator(".timeline")).to_contain_text("Vi reiser det i dag.")
    expect(second.locator(".timeline")).not_to_contain_text("Vi kommer neste uke.")
    second.get_by_role("button", name="Send svaret").click()
    expect(second.locator(".timeline")).to_contain_text("Vi kommer neste uke.")
    expect(second.locator(".timeline")).to_contain_text("Vi reiser det i dag.")
