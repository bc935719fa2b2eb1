"""What is private: held, masked further and released; objected to; flagged; and taken away within five seconds."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from gatami import accounts, reports
from gatami.db import db

from .. import factories
from .conftest import PLACES, SCREENS, Site, wait_until
from .steps import link_in, sign_in, tab_to
from .test_pages import expect_accessible

pytestmark = pytest.mark.served

HELD = "Hull ved porten til Heggland. Naboen min Per har demens og faller der."


@pytest.fixture(scope="module")
def leader(site: Site) -> str:
    with site.app.app_context():
        if accounts.by_email("ada@prove.example") is None:
            factories.user("Ada Prøvesen", role="leader")
    return "ada"


def open_case(visit: Any, ref: str, name: str, **options: Any) -> Page:
    page: Page = visit("phone", **options)
    page.goto(f"/desk/{ref}")
    sign_in(page, name)
    expect(page.locator(".original")).to_be_visible()
    return page


def mark(page: Page, words: str) -> None:
    """Choose words in the text as it was sent, as a finger or a mouse does."""
    page.locator("#original").evaluate(
        """(original, words) => {
            const walk = document.createTreeWalker(original, NodeFilter.SHOW_TEXT);
            while (walk.nextNode()) {
                const at = walk.currentNode.data.indexOf(words);
                if (at < 0) continue;
                document.getSelection().setBaseAndExtent(walk.currentNode, at, walk.currentNode, at + words.length);
                return;
            }
            throw new Error(words);
        }""",
        words,
    )


def test_a_text_is_held_masked_further_and_released_and_its_author_objects(site, visit, mailbox):
    author = "turid@prove.example"
    phone = visit("phone")
    phone.goto("/language/nn?next=/reports/new")
    phone.get_by_text("Skriv koordinatar i staden").click()
    phone.get_by_label("Breiddegrad").fill(str(PLACES["moderation"][0]))
    phone.get_by_label("Lengdegrad").fill(str(PLACES["moderation"][1]))
    phone.get_by_role("radio", name="Hol i vegen").check()
    phone.locator("#text").fill(HELD)
    phone.locator("[name=email]").fill(author)
    phone.locator("[name=email]").blur()
    shown = phone.locator(".preview")
    expect(shown).to_contain_text("[helseopplysning]")
    shown.locator(".preview-text").scroll_into_view_if_needed()
    expect(shown.locator("[name=seen]")).to_be_enabled()
    phone.locator("form.report-form button[type=submit]").last.click()
    ref = phone.locator(".receipt-ref strong").inner_text()
    site.wait_until_reviewed(ref)
    (receipt,) = mailbox.wait_for(author, 1)
    assert "bestemt automatisk" in receipt.get_content()
    assert "Ring servicekontoret." in receipt.get_content()
    phone.goto(f"/reports/{ref}")
    expect(phone.locator(".quiet-box").first).to_be_visible()
    assert "demens" not in phone.content()

    page = visit("phone")
    page.goto("/desk/moderation")
    sign_in(page, "liv")
    page.locator(".waiting li").filter(has_text=ref).get_by_role("link").tap()
    expect(page.locator("#original mark[data-kind=HEALTH]")).to_be_visible()
    expect(page.locator(".why-held").first).to_contain_text("man kan se hvem det gjelder")
    public = page.get_by_label("Slik alle ser den")
    mark(page, "porten til")
    page.get_by_label("Merk ord ovenfor, og skjul dem som").select_option(label="Adresse til en person")
    page.get_by_role("button", name="Skjul det jeg merket").tap()
    expect(page.locator("#mask-said")).to_contain_text("Skjult i den åpne teksten: [heimeadresse]")
    expect(public).to_have_value(re.compile(r"^Hull ved \[heimeadresse\] "))
    page.get_by_role("button", name="Vis teksten").tap()
    expect(page.locator(".panel-head").first).to_contain_text("Synlig for alle")
    phone.goto(f"/reports/{ref}")
    expect(phone.locator(".case-text")).to_contain_text("[heimeadresse]")
    for word in ("demens", "porten"):
        assert word not in phone.content()

    letter = mailbox.wait_for(author, 2)[1]
    text = letter.get_content()
    assert "Eit menneske i kommunen har sett på det du sende" in text
    for word in ("demens", "porten", "helse", "Per "):
        assert word not in text
    phone.goto(link_in(letter, "/mine/[^/]+/objections/"))
    expect(phone.get_by_text("Opplysning om helse.")).to_be_visible()
    phone.get_by_label("Kvifor er du usamd?").fill("Porten er ikkje privat.")
    phone.get_by_role("button", name="Send innvendinga").tap()
    expect(phone.get_by_role("heading", name="Vi har fått innvendinga di")).to_be_visible()

    page.reload()
    expect(page.get_by_text("Du har selv tatt denne avgjørelsen")).to_be_visible()
    expect(page.get_by_role("button", name="Svar på innsigelsen")).to_have_count(0)
    second = open_case(visit, ref, "per")
    second.get_by_label("Innsigelsen er riktig").check()
    second.get_by_label("Svaret til den som meldte fra").fill("Porten er et sted. Den vises igjen.")
    second.get_by_role("button", name="Svar på innsigelsen").tap()
    expect(second.get_by_role("heading", name="Innsigelse fra den som meldte fra")).to_have_count(0)
    answer = mailbox.wait_for(author, 3)[2]
    assert "Per Prøvesen" in answer.get_content()
    phone.goto(link_in(answer, "/mine/"))
    expect(phone.locator(".objection").first).to_contain_text("Porten er et sted. Den vises igjen.")

    second.get_by_label("Slik alle ser den").fill("Hull ved porten.")
    second.get_by_role("button", name="Lagre og vis").tap()
    second.get_by_text("2 versjoner av den åpne teksten").tap()
    expect(second.locator(".versions del").first).to_contain_text("[heimeadresse]")
    second.get_by_role("button", name="Vis denne versjonen igjen").last.tap()
    expect(second.get_by_label("Slik alle ser den")).to_have_value(re.compile("heimeadresse"))
    phone.goto(f"/reports/{ref}")
    expect(phone.locator(".case-text")).to_contain_text("[heimeadresse]")
    expect(phone.locator(".case-text")).not_to_contain_text("ved porten")


def test_words_are_marked_with_the_keyboard_alone(site, visit):
    ref = site.report("moderation", text="Hullet ligger ved huset mitt.")
    page = visit("desktop")
    page.goto(f"/desk/{ref}")
    sign_in(page, "liv")
    original = page.get_by_role("textbox", name="Slik den ble sendt (bare ansatte)")
    tab_to(page, original)
    page.keyboard.press("Control+Home")
    for _ in range(len("Hullet ")):
        page.keyboard.press("ArrowRight")
    for _ in range(len("ligger")):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.type("x")
    page.keyboard.press("Delete")
    expect(original).to_have_text("Hullet ligger ved huset mitt.")
    tab_to(page, page.get_by_role("button", name="Skjul det jeg merket"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Slik alle ser den")).to_have_value("Hullet [navn] ved huset mitt.")


def test_an_uncertain_name_is_let_through(site, visit):
    ref = site.report("moderation", text="I går kjørte Heggland for fort.")
    page = open_case(visit, ref, "liv")
    page.get_by_role("button", name="Dette er ikke navnet på noen").tap()
    expect(page.get_by_label("Slik alle ser den")).to_have_value("I går kjørte Heggland for fort.")
    page.goto(f"/reports/{ref}")
    expect(page.locator(".case-text")).to_have_text("I går kjørte Heggland for fort.")


def test_the_second_of_two_moderators_is_told(site, visit):
    ref = site.report("moderation", text="Naboen min Per har demens. Hullet er dypt.")
    first, second = open_case(visit, ref, "liv"), open_case(visit, ref, "per", refusals=(409,))
    for page, text in ((first, "Hullet er dypt."), (second, "Hull i vegen.")):
        page.get_by_label("Slik alle ser den").fill(text)
        page.get_by_role("button", name="Vis teksten").tap()
    warning = second.get_by_role("alert").filter(has_text="Noen andre har endret saken i mellomtiden")
    expect(warning).to_contain_text("Liv Prøvesen")
    expect(second.get_by_label("Slik alle ser den")).to_have_value("Hull i vegen.")
    first.goto(f"/reports/{ref}")
    expect(first.locator(".case-text")).to_have_text("Hullet er dypt.")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_flag_hides_at_once(site, visit, scripts):
    ref = site.report("moderation", text=f"Bilen til naboen stod i hullet, {'med' if scripts else 'uten'}.")
    page = visit("phone", refusals=(422,), java_script_enabled=scripts)
    page.goto(f"/reports/{ref}")
    page.get_by_role("link", name="Dette viser noe privat").tap()
    page.get_by_role("button", name="Si fra til kommunen").tap()
    expect(page.get_by_role("group", name="Én ting må rettes")).to_contain_text("Velg hva som er galt")
    page.get_by_label("Det røper noe privat om noen").check()
    page.get_by_role("button", name="Si fra til kommunen").tap()
    expect(page.get_by_role("heading", name="Takk for at du sa fra")).to_be_visible()
    expect(page.get_by_text("Det er skjult inntil videre.")).to_be_visible()
    page.get_by_role("link", name="Tilbake til saken").tap()
    expect(page.get_by_text("Teksten er skjult inntil videre")).to_be_visible()
    assert "Bilen til naboen" not in page.content()

    staff = visit("phone")
    staff.goto("/desk/moderation?what=flag")
    sign_in(staff, "liv")
    staff.locator(".waiting li").filter(has_text=ref).get_by_role("link").tap()
    expect(staff.get_by_text("En besøkende sier at teksten viser noe privat.")).to_be_visible()


def test_an_incident_takes_a_report_away_within_five_seconds(site, visit, leader):
    word = "ferskenfarget"
    ref = site.report("incident", photo=True, text=f"En {word} sykkel ligger i hullet.")
    lat, lon = PLACES["incident"]
    with site.app.app_context():
        report = reports.by_ref(ref)
        reports.publish_photo(report.photos[0], accounts.by_email("liv@prove.example"), f"En {word} sykkel")
        db.session.commit()
        key = report.photos[0].public_key
    box = f"{lon - 0.01},{lat - 0.01},{lon + 0.01},{lat + 0.01}"
    shows = {
        f"/reports/{ref}": word, f"/?q={word}": ref, f"/?bbox={box}": ref, "/feeds/reports.atom": ref,
        f"/feeds/reports/{ref}.atom": ref, f"/map.geojson?bbox={box}&zoom=16": ref,
        f"/reports/new/about?category=hull-i-vegen&lat={lat}&lon={lon}": ref, f"/reports/{ref}/follow": "Hull i vegen",
        f"/photos/{key}/small.webp": "RIFF", f"/photos/{key}/large.webp": "RIFF",
    }  # fmt: skip

    def seen(stranger: httpx.Client) -> list[str]:
        found = []
        for path, sign in shows.items():
            answer = stranger.get(path)
            if answer.status_code == 200 and sign.encode() in answer.content:
                found.append(path)
        return found

    page = open_case(visit, ref, leader)
    with httpx.Client(base_url=site.url) as stranger:
        for _ in range(3):
            assert seen(stranger) == list(shows), "every page is kept by now"
        for path in shows:
            control = stranger.get(path).headers["Cache-Control"]
            age = re.search(r"max-age=(\d+)", control)
            assert "no-cache" in control or "no-store" in control or (age and int(age[1]) <= 5), (
                path,
                control,
            )
        page.get_by_role("link", name="Avvik: ta ned alt").tap()
        page.get_by_label("Hva har skjedd?").fill("Sykkelen har navnelapp. En nabo ringte.")
        page.get_by_role("button", name="Ta ned alt nå").tap()
        pressed = time.monotonic()
        wait_until(lambda: not seen(stranger), "the report is gone everywhere")
        took = time.monotonic() - pressed
    assert took < 5, f"{took:.1f} s"

    expect(page.get_by_text("Datatilsynet må få vite det innen")).to_be_visible()
    page.get_by_label("Nytt i loggen").fill("Meldt til personvernombudet.")
    page.get_by_role("button", name="Legg til i loggen").tap()
    expect(page.locator(".log")).to_contain_text("Meldt til personvernombudet.")
    stranger_page = visit("phone", refusals=(404,))
    stranger_page.goto(f"/reports/{ref}")
    expect(stranger_page.get_by_text("Her er det ingen sak som alle kan se.")).to_be_visible()
    page.get_by_role("button", name="Vis meldingen igjen (holdt tilbake)").tap()
    expect(page.locator(".original")).to_be_visible()
    stranger_page.goto(f"/reports/{ref}")
    expect(stranger_page.get_by_role("heading", name="Hull i vegen")).to_be_visible()
    assert word not in stranger_page.content()


def test_rules_of_the_municipality(site, visit, leader):
    page = visit("phone", refusals=(422,))
    page.goto("/desk/rules")
    sign_in(page, leader)
    page.locator("#hold-HEALTH").fill("mye")
    page.get_by_role("button", name="Lagre reglene").tap()
    expect(page.get_by_role("group", name="Én ting må rettes")).to_be_focused()
    page.locator("#hold-HEALTH").fill("")
    page.locator("#hidden-PERSON").fill("Storekaren")
    page.get_by_role("button", name="Lagre reglene").tap()
    expect(page.get_by_text("Reglene er lagret.")).to_be_visible()
    expect(page.locator(".log").first).to_contain_text("Storekaren")
    ref = site.report("moderation", text="Storekaren gravde hullet.")
    page.goto(f"/reports/{ref}")
    expect(page.locator(".case-text")).to_contain_text("[navn]")


# Every page -----------------------------------------------------------------------------------------------------

PAGES = {
    "queue": "/desk/moderation",
    "queue-empty": "/desk/moderation?what=threat",
    "case-held": "/desk/{held}",
    "case-objection": "/desk/{objected}",
    "case-flagged": "/desk/{flagged}",
    "case-incident": "/desk/{down}",
    "incident-new": "/desk/{held}/incidents/new",
    "incident": "/desk/{down}/incidents/{incident}",
    "rules": "/desk/rules",
    "flag": "/reports/{objected}/flags/new",
    "flag-gone": "/reports/{flagged}/flags/new",
    "flag-sent": "/reports/{flagged}/flags/sent?hidden=yes",
    "public-flagged": "/reports/{flagged}",
    "public-gone": "/reports/{down}",
    "mine-decisions": "/mine/{mine}",
    "objection": "/mine/{mine}/objections/{first}",
    "objection-sent": "/mine/{mine}/objections/{decision}",
}


@pytest.fixture(scope="module")
def names(site: Site, leader: str) -> dict[str, Any]:
    """What the addresses of PAGES are filled in with."""
    refs = {
        name: site.report("moderation", text=text, email=email)
        for name, text, email in (
            ("held", f"{HELD} Ring 400 00 123. De som kjører her er noen jævla idioter.", ""),
            ("objected", "Naboen min Per har demens. Hullet er dypt. Møtte Heggland.", "berit@prove.example"),
            ("flagged", "En bil står i hullet.", ""),
            ("down", "Kumlokk som skrangler.", ""),
        )
    }
    with site.app.app_context():
        liv, ada = (accounts.by_email(f"{name}@prove.example") for name in ("liv", leader))
        found = {name: reports.by_ref(ref) for name, ref in refs.items()}
        objected = found["objected"]
        reports.publish_text(objected, "Hullet er dypt.", liv)
        db.session.commit()
        reports.publish_text(objected, "Hullet er [navn] dypt.", liv)
        db.session.commit()
        first, *_, decision = reports.decisions(objected)
        reports.object_to(decision, "Hullet er ikke privat.")
        reports.flag(found["flagged"], "personal", "192.0.2.1")
        reports.hold_text(found["flagged"], None, act="flagged")
        incident = reports.unpublish(found["down"], ada, "Noe privat ble vist.")
        db.session.commit()
        return {
            **refs,
            "incident": incident.id,
            "mine": reports.private_token(objected),
            "first": first.id,
            "decision": decision.id,
        }


@pytest.fixture(scope="module")
def signed_in(site: Site, chromium: Browser, leader: str) -> Any:
    page = chromium.new_page(base_url=site.url)
    page.goto("/sign-in")
    sign_in(page, leader)
    expect(page.get_by_role("heading", name="Saker til behandling")).to_be_visible()
    cookies = page.context.storage_state()
    page.context.close()
    return cookies


def unfold(page: Page) -> None:
    for details in page.locator("main details").all():
        details.evaluate("e => { e.open = true }")


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_and_fits_the_screen(visit, names, signed_in, name, screen):
    path = PAGES[name]
    page = visit(screen, refusals=(404,), storage_state=signed_in if path.startswith("/desk") else None)
    page.goto(path.format(**names))
    unfold(page)
    if page.locator(".folium-map").locator("visible=true").count():
        expect(page.locator(".leaflet-tile-loaded").first).to_be_attached()
    expect_accessible(page, screen)
