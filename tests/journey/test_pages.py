"""Every page, on both screens, light and dark: WCAG 2.1 A and AA by axe-core, and no scrolling sideways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from gatami import accounts, cases, reports
from gatami.db import db, keyring

from .. import factories
from .conftest import PLACES, ROOT, SCREENS, Site
from .steps import PHOTO, exif, fill_in, send, sign_in, what_everyone_will_see

pytestmark = pytest.mark.served

WITH_PLACE = factories.picture(exif=exif(PLACES["other"]))
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
RUN_AXE = """async () => {
    // What fades in has its colours only when it is there.
    await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
    const { violations } = await axe.run({
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], resultTypes: ["violations"],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => `${n.target} ${n.any[0]?.message ?? ""}`).join(" | ")}`);
}"""


def nothing(_page: Page) -> None:
    """The page as it opens."""


def open_menu(page: Page) -> None:
    page.locator("details.menu summary").click()


def open_search(page: Page) -> None:
    if not page.locator("#q").is_visible():
        page.locator("#filters-more summary").click()


def open_marker(page: Page) -> None:
    page.locator("#map-view .marker").first.click()
    expect(page.get_by_role("link", name="Åpne saken")).to_be_visible()


def send_empty(page: Page) -> None:
    send(page)
    expect(page.locator(".ds-error-summary")).to_be_focused()


def write_privately(page: Page) -> None:
    fill_in(page, PLACES["other"], "Hull. Ring 400 00 123. Naboen min har kreft. De er noen jævla idioter.")
    what_everyone_will_see(page)


def look_before_sending(page: Page) -> None:
    page.route("**/reports/new/preview", lambda route: route.fulfill(body="", content_type="text/html"))
    fill_in(page, PLACES["other"], "Hull. Ring 400 00 123. Naboen min har kreft. De er noen jævla idioter.")
    send(page)
    what_everyone_will_see(page)


def choose_photos(page: Page) -> None:
    """One that arrived, with a place in it, and one that is none."""
    page.locator("#photos").set_input_files(
        [PHOTO | {"buffer": WITH_PLACE}, PHOTO | {"name": "notat.pdf", "buffer": b"%PDF-1.7"}]
    )
    expect(page.locator(".photo-row[data-at=there] [data-use-place]")).to_be_visible()
    expect(page.locator(".photo-row[data-at=refused]")).to_be_visible()


def choose_circle(page: Page) -> None:
    page.get_by_label("En sirkel på kartet").check()
    page.get_by_role("group", name="Kart: Trykk der midten").click()
    expect(page.locator("#place-status")).to_contain_text("Stedet er valgt")


def reply_nothing(page: Page) -> None:
    page.get_by_role("button", name="Send svaret").click()
    expect(page.locator(".ds-error-summary")).to_be_focused()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "map": ("/", nothing),
    "menu": ("/", open_menu),
    "search": ("/", open_search),
    "marker": ("/?q={word}", open_marker),
    "list": ("/#list-view", nothing),
    "empty-list": ("/?q=finnesikke#list-view", nothing),
    "about": ("/about", nothing),
    "privacy": ("/privacy", nothing),
    "accessibility": ("/accessibility", nothing),
    "case": ("/reports/{ref}", nothing),
    "missing": ("/reports/INGENTING", nothing),
    "report": ("/reports/new", nothing),
    "report-nearby": ("/reports/new?category=hull-i-vegen&lat={lat}&lon={lon}", nothing),
    "report-stop": ("/reports/new?category=vann-og-avlop", nothing),
    "report-errors": ("/reports/new", send_empty),
    "report-preview": ("/reports/new", write_privately),
    "report-photos": ("/reports/new", choose_photos),
    "report-step": ("/reports/new", look_before_sending),
    "receipt": ("/receipts/{receipt}", nothing),
    "mine": ("/mine/{mine}", nothing),
    "follow": ("/reports/{ref}/follow", nothing),
    "follow-area": ("/follow", nothing),
    "follow-circle": ("/follow", choose_circle),
    "follow-sent": ("/follow/sent", nothing),
    "follow-confirm": ("/follows/{confirm}", nothing),
    "unsubscribe": ("/unsubscribe/{unsubscribe}", nothing),
    "sign-in": ("/sign-in", nothing),
    "password-request": ("/password", nothing),
    "password": ("/password/{password}", nothing),
    "password-old": ("/password/gammel", nothing),
    "me": ("/me", nothing),
    "queue": ("/desk", nothing),
    "desk-case": ("/desk/{ref}", nothing),
    "desk-errors": ("/desk/{ref}", reply_nothing),
}
SIGNED_IN = ("me", "queue", "desk-case", "desk-errors")


@pytest.fixture(scope="module")
def names(site: Site) -> dict[str, Any]:
    """What the addresses of PAGES are filled in with: a case with everything that a case can have."""
    ref = site.report(
        "pages", photo=True, text="Stygt hull ved broen. Ring 400 00 123.",
        name="Kari Prøve", phone="400 00 124", email="liv@prove.example", answers={"size": "large"},
    )  # fmt: skip
    site.report("pages", text="Hull i vegen ved broen, midt i kjørefeltet.")
    with site.app.app_context():
        report = reports.by_ref(ref)
        liv = accounts.by_email("liv@prove.example")
        cases.release_photo(report.photos[0], liv, "Et hull i vegen", report.version)
        cases.assign(report, liv, liv, report.version)
        cases.note(report, liv, "Ring entreprenøren.")
        cases.change_state(report, liv, "in_progress", report.version, "Vi er i gang.")
        db.session.commit()
        cases.reply(report, liv, "Takk for at du sa fra.", report.version)
        follows = [reports.follow(report, f"{name}@prove.example", "nb") for name in ("siri", "odd")]
        db.session.commit()
        return {
            "ref": ref,
            "word": "kjørefeltet",
            "lat": report.lat,
            "lon": report.lon,
            "receipt": keyring.sign("receipt", ref),
            "mine": reports.private_token(report),
            "confirm": keyring.sign("confirm", ["report", follows[0].id]),
            "unsubscribe": keyring.sign("unsubscribe", ["report", follows[1].id]),
            "password": keyring.sign("password", ["ny@prove.example", 0]),
        }


@pytest.fixture(scope="module")
def signed_in(site: Site, chromium: Browser) -> Any:
    """The cookies of a caseworker."""
    page = chromium.new_page(base_url=site.url)
    page.goto("/sign-in")
    sign_in(page, "liv")
    expect(page.get_by_role("heading", name="Saker til behandling")).to_be_visible()
    cookies = page.context.storage_state()
    page.context.close()
    return cookies


def expect_accessible(page: Page, screen: str) -> None:
    """Axe finds nothing, in light or dark, and nothing is wider than the screen."""
    page.evaluate(AXE)
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found[scheme] = page.evaluate(RUN_AXE)
    assert found == {"light": [], "dark": []}
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["viewport"]["width"]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_and_fits_the_screen(site, visit, names, signed_in, name, screen):
    path, act = PAGES[name]
    page = visit(screen, refusals=(404, 410, 422), storage_state=signed_in if name in SIGNED_IN else None)
    page.goto(path.format(**names))
    act(page)
    if page.locator(".folium-map").locator("visible=true").count():
        expect(page.locator(".leaflet-tile-loaded").first).to_be_attached()
    expect_accessible(page, screen)
