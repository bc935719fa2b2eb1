"""What one who reported may do with it afterwards, on a phone: see, download, correct, withdraw, erase."""

from __future__ import annotations

import json
import os

import pytest
from playwright.sync_api import Page, expect

from gatami import reports
from gatami.db import db

from .conftest import Site
from .test_pages import AXE, RUN_AXE

pytestmark = pytest.mark.served


def accessible(page: Page, name: str) -> None:
    """No breach that axe finds, and no scrolling sideways."""
    page.evaluate(AXE)
    assert page.evaluate(RUN_AXE) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
    if folder := os.environ.get("GATAMI_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/mine-{name}-{page.viewport_size['width']}.png", full_page=True)


def reported(site: Site, page: Page, email: str, text: str) -> str:
    """Something reported, and its private page opened on the phone; the reference."""
    ref = site.report("rights", photo=True, text=text, name="Siri Prøve", phone="400 00 124", email=email)
    with site.app.app_context():
        token = reports.private_token(reports.by_ref(ref))
        db.session.rollback()
    page.goto(f"/mine/{token}")
    return ref


def test_one_sees_downloads_corrects_and_erases(site, visit):
    email = "siri.rett@prove.example"
    page = visit("phone", refusals=(404, 422))
    ref = reported(site, page, email, "Hull ved kaia. Ring 400 00 125.")
    expect(page.locator(".case-text")).to_have_text("Hull ved kaia. Ring 400 00 125.")
    expect(page.locator(".shown-text")).to_contain_text("Hull ved kaia. Ring [telefonnummer]")
    expect(page.get_by_role("img", name="Bildet ditt")).to_be_visible()
    expect(page.get_by_role("region", name="Hva som er bestemt")).to_contain_text("Telefonnummer")
    expect(page.get_by_role("region", name="Hvem som har lest")).to_contain_text("Ingen i kommunen")
    accessible(page, "report")

    with page.expect_download() as began:
        page.get_by_role("link", name="Last ned opplysningene mine").tap()
    data = json.loads(began.value.path().read_text())
    assert began.value.suggested_filename == f"gatami-{ref}.json"
    assert (data["email"], data["text"]) == (email, "Hull ved kaia. Ring 400 00 125.")

    page.get_by_text("Rett teksten").tap()
    page.get_by_label("Teksten din").fill(" ")
    page.get_by_role("button", name="Lagre teksten").tap()
    expect(page.get_by_role("group", name="Én ting må rettes")).to_be_focused()
    accessible(page, "correcting")
    page.get_by_label("Teksten din").fill("Hullet er ved broen, ikke ved kaia.")
    page.get_by_role("button", name="Lagre teksten").tap()
    expect(page.locator(".case-text")).to_have_text("Hullet er ved broen, ikke ved kaia.")
    expect(page.locator(".timeline")).to_contain_text("har rettet teksten")
    private = page.url
    page.get_by_role("link", name="Se saken slik andre ser den").tap()
    expect(page.locator(".case-text")).to_have_text("Hullet er ved broen, ikke ved kaia.")

    page.goto(private)
    page.get_by_role("button", name="Slett alt").tap()
    expect(page.get_by_role("group", name="Én ting må rettes")).to_be_focused()
    accessible(page, "erasing")
    page.get_by_label("Ja, jeg er sikker").check()
    page.get_by_role("button", name="Slett alt").tap()
    expect(page.get_by_role("heading", name="Denne meldingen er slettet")).to_be_visible()
    accessible(page, "erased")
    page.get_by_role("link", name="Se saken").tap()
    expect(page.get_by_role("heading", name="Hull i vegen")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("har fått tekst og bilder slettet")
    for gone in ("broen", "kaia", "Siri", "400 00", email):
        assert gone not in page.locator("main").inner_text()
    with site.app.app_context():
        assert reports.by_ref(ref).original.forgotten
        db.session.rollback()


@pytest.mark.parametrize("javascript", [True, False])
def test_one_withdraws(site, visit, javascript):
    page = visit("phone", java_script_enabled=javascript)
    reported(site, page, f"siri.trekk{javascript:d}@prove.example", "Hull som er borte igjen.")
    page.get_by_role("button", name="Trekk meldingen").tap()
    expect(page.locator(".case-meta")).to_contain_text("Trukket")
    expect(page.get_by_text("Rett teksten")).to_have_count(0)


def test_the_page_on_a_large_screen(site, visit):
    page = visit("desktop")
    reported(site, page, "siri.stor@prove.example", "Hull ved lyktestolpen. Skriv til siri@prove.example.")
    expect(page.locator(".case-text")).to_contain_text("Hull ved lyktestolpen.")
    accessible(page, "report")
