"""What several tests of the journey do on a page."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from .. import factories

PHOTO = {"name": "hull.jpg", "mimeType": "image/jpeg", "buffer": factories.picture()}
"""A photo as it is handed to a file field."""

GPS_IFD, ORIENTATION = 0x8825, 0x0112


def exif(place: tuple[float, float] | None = None, orientation: int = 1) -> Image.Exif:
    """Metadata of a photo: where it was taken (degrees north and east), and how it must be turned."""
    made = Image.Exif()
    made[ORIENTATION] = orientation
    if place:
        degrees = [(int(c), int(c % 1 * 60), round(c * 60 % 1 * 60, 3)) for c in place]
        made.get_ifd(GPS_IFD).update({1: "N", 2: degrees[0], 3: "E", 4: degrees[1]})
    return made


def link_in(letter: EmailMessage, path: str) -> str:
    """The address in a letter that starts with a path of the site."""
    found = re.search(rf"https?://\S+{path}\S+", letter.get_content())
    assert found, letter.get_content()
    return found[0]


def sign_in(page: Page, name: str) -> None:
    """Through the door, which leads on to the page that was asked for."""
    page.get_by_label("E-post").fill(f"{name}@prove.example")
    page.get_by_label("Passord", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Logg inn").click()


def fill_in(page: Page, place: tuple[float, float], text: str, **typed: str) -> None:
    """The report form, with the place as coordinates. `typed` names further fields."""
    if not page.get_by_label("Breddegrad").is_visible():
        page.get_by_text("Skriv koordinater i stedet").click()
    page.get_by_label("Breddegrad").fill(str(place[0]))
    page.get_by_label("Lengdegrad").fill(str(place[1]))
    page.get_by_role("radio", name="Hull i vegen").check()
    page.get_by_label("Hva er galt?").fill(text)
    for name, value in typed.items():
        page.locator(f"[name={name}]").fill(value)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send meldingen").click()


def what_everyone_will_see(page: Page) -> Locator:
    """The preview of the text, looked at."""
    shown = page.get_by_role("region", name="Dette får alle se")
    shown.locator(".preview-text").scroll_into_view_if_needed()
    expect(shown.locator("[name=seen]")).to_be_enabled()
    return shown


def sent_ref(page: Page) -> str:
    """The reference on the receipt, when it has come."""
    expect(page.get_by_role("heading", name="Takk, vi har fått meldingen din")).to_be_visible()
    return page.locator(".receipt-ref strong").inner_text()


def described(element: Locator) -> str:
    """What a screen reader says with a field: the texts that aria-describedby names."""
    return element.evaluate(
        "e => e.getAttribute('aria-describedby').split(' ')"
        ".map(id => document.getElementById(id)?.textContent.trim() ?? '').join(' ')"
    )


def tab_to(page: Page, target: Locator, most: int = 80) -> None:
    """Press Tab until the target has the focus."""
    expect(target).to_be_visible()
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("e => e === document.activeElement"):
            return
    pytest.fail(f"{target} is not reached by {most} times Tab")
