"""Staff and photos: what is covered is seen, changed by finger and keyboard, and shown; the crew adds one of its own."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw, ImageStat
from playwright.sync_api import Page, expect
from sqlalchemy import select

from gatami import reports
from gatami.db import db
from gatami.reports import Look, Photo

from .. import factories
from .conftest import SCREENS, Site, wait_until
from .steps import PHOTO, sign_in, tab_to
from .test_pages import expect_accessible

pytestmark = pytest.mark.served

FACE = {
    "kind": "face",
    "left": 0.2,
    "top": 0.3,
    "width": 0.06,
    "height": 0.12,
    "confidence": 0.9,
    "rule": "a detector",
}
CAR = (0.55, 0.5, 0.85, 0.75)
"""Left, top, right and bottom of the part of the picture that is striped."""


def street() -> bytes:
    drawn = Image.new("RGB", (1200, 900), "#a9c3d6")
    pencil = ImageDraw.Draw(drawn)
    pencil.rectangle((0, 540, 1200, 900), fill="#6b6f73")
    for left in range(660, 1020, 24):
        pencil.rectangle((left, 450, left + 11, 675), fill="#000000")
        pencil.rectangle((left + 12, 450, left + 23, 675), fill="#ffffff")
    pencil.ellipse((240, 270, 312, 378), fill="#e2b48f")
    out = BytesIO()
    drawn.save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.fixture
def held(site: Site) -> tuple[str, int]:
    """Reference and photo of a case: the machine found one face and was not sure that this is all."""
    with site.app.app_context():
        made = factories.report(lat=64.56, lon=11.98, photos=[street()])
        factories.review(made)
        photo = made.photos[0]
        reports.hold_photo(photo, None)
        photo.boxes = photo.found = [FACE]
        photo.doubts = ["left"]
        db.session.commit()
        return made.ref, photo.id


def photo_of(site: Site, number: int) -> Any:
    with site.app.app_context():
        found = db.session.get(Photo, number)
        db.session.refresh(found)
        return found.publication, found.public_key, found.boxes, found.drawing


def looks(site: Site, number: int) -> int:
    return site.count(Look.id > 0, Look.what == f"photo {number}")


def boxes_page(visit: Any, held: tuple[str, int], screen: str, **options: Any) -> Page:
    page: Page = visit(screen, **options)
    page.goto(f"/desk/{held[0]}/photos/{held[1]}/boxes")
    sign_in(page, "liv")
    expect(page.get_by_role("heading", name="Hva som er dekket i bildet")).to_be_visible()
    expect(page.locator("#box-list > li")).to_have_count(1)
    return page


def touch(page: Page, path: list[tuple[float, float]]) -> None:
    """One finger along a path in the window."""
    session = page.context.new_cdp_session(page)
    for at, (x, y) in enumerate(path):
        kind = "touchStart" if at == 0 else "touchMove"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y, "id": 1}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def place(page: Page, number: int) -> list[float]:
    """Left, top, width and height of a box, as its form says it."""
    row = page.locator("#box-list > li").nth(number - 1)
    fields = (row.locator(f"[name={side}]").input_value() for side in ("left", "top", "width", "height"))
    return [float(value.replace(",", ".")) for value in fields]


def on_picture(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place of the picture, in shares of its sides, in the window."""
    found = page.locator("#box-stage").bounding_box()
    assert found
    return found["x"] + x * found["width"], found["y"] + y * found["height"]


def contrast(data: bytes, left: float, top: float, right: float, bottom: float) -> float:
    """The standard deviation of the grey levels in a part of a picture, given in shares of its sides."""
    image = Image.open(BytesIO(data)).convert("L")
    inside = (left * image.width, top * image.height, right * image.width, bottom * image.height)
    return ImageStat.Stat(image.crop(tuple(round(side) for side in inside))).stddev[0]


def test_a_box_by_finger_and_by_keyboard_and_the_public_sees_the_new_file(site, visit, held):
    ref, number = held
    page = boxes_page(visit, held, "phone")
    assert looks(site, number) == 0
    page.get_by_role("link", name="Se bildet udekket").tap()
    expect(page.get_by_role("heading", name="Bildet udekket")).to_be_visible()
    wait_until(lambda: looks(site, number) == 1, "the look is noted")

    page.get_by_role("button", name="Tegn med fingeren").tap()
    page.locator("#box-stage").scroll_into_view_if_needed()
    start, end = on_picture(page, CAR[0], CAR[1]), on_picture(page, CAR[2], CAR[3])
    touch(page, [start, (start[0] + 20, start[1] + 10), ((start[0] + end[0]) / 2, end[1]), end])
    expect(page.locator("#box-list > li")).to_have_count(2)
    assert place(page, 2) == pytest.approx([55, 50, 30, 25], abs=1)
    # A second finger means to look closer, and leaves the boxes as they are.
    session = page.context.new_cdp_session(page)
    first, second = on_picture(page, 0.3, 0.8), on_picture(page, 0.5, 0.8)
    points = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate((first, second))]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    points[0]["x"] -= 30
    session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("#box-list > li")).to_have_count(2)

    box = page.get_by_role("button", name=re.compile("^Rute 2, noe annet"))
    expect(box).to_be_focused()
    left, top, width, height = place(page, 2)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert place(page, 2) == pytest.approx([left + 2, top, width, height + 0.5], abs=0.01)
    page.keyboard.press("Delete")
    expect(page.locator("#box-list > li")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(page.locator("#box-list > li")).to_have_count(2)
    for _ in range(2):
        page.keyboard.press("Control+z")
    assert place(page, 2) == pytest.approx([left, top, width, height], abs=0.01)
    page.keyboard.press("Control+Shift+z")
    assert place(page, 2) == pytest.approx([left + 2, top, width, height], abs=0.01)
    page.keyboard.press("Control+z")

    page.locator("#box-list > li").nth(1).get_by_label("Hva dekkes?").select_option(
        label="Et skilt på en bil"
    )
    page.get_by_label("Hva viser bildet?").fill("Et hull foran en bil")
    page.get_by_role("button", name="Lagre og vis").tap()
    expect(page).to_have_url(re.compile(rf"/desk/{ref}#photo-{number}$"))
    wait_until(lambda: photo_of(site, number)[0] == "published", "the photo is drawn and shown")
    _, key, boxes, _ = photo_of(site, number)
    assert [box["kind"] for box in boxes] == ["face", "plate"]
    assert boxes[0] == pytest.approx(FACE)
    inside = (CAR[0] + 0.02, CAR[1] + 0.02, CAR[2] - 0.02, CAR[3] - 0.02)
    assert contrast(street(), *inside) > 80
    for size in ("small", "medium", "large"):
        for ending in ("webp", "jpg"):
            data = httpx.get(f"{site.url}/photos/{key}/{size}.{ending}").content
            assert contrast(data, *inside) < 45, (size, ending)
            # Elsewhere the picture is as it was: sky above, road below.
            assert contrast(data, 0.3, 0.5, 0.5, 0.7) > 30, (size, ending)

    phone = visit("phone")
    phone.goto(f"/reports/{ref}")
    expect(phone.get_by_alt_text("Et hull foran en bil")).to_be_visible()
    page.reload()
    page.get_by_role("link", name=re.compile("Se og endre hva som er dekket")).tap()
    page.get_by_role("button", name="Lagre og hold tilbake").tap()
    wait_until(lambda: photo_of(site, number)[0] == "held", "the photo is held")
    assert httpx.get(f"{site.url}/photos/{key}/large.jpg").status_code == 404


def test_the_mouse_draws_moves_and_resizes(site, visit, held):
    page = boxes_page(visit, held, "desktop")
    page.locator("#box-stage").scroll_into_view_if_needed()

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move((start[0] + end[0]) / 2, end[1], steps=3)
        page.mouse.move(*end, steps=3)
        page.mouse.up()

    drag(on_picture(page, 0.5, 0.5), on_picture(page, 0.7, 0.6))
    assert place(page, 2) == pytest.approx([50, 50, 20, 10], abs=0.6)
    drag(on_picture(page, 0.6, 0.55), on_picture(page, 0.5, 0.65))
    assert place(page, 2) == pytest.approx([40, 60, 20, 10], abs=0.6)
    handle = page.locator(".box[data-chosen] [data-corner=se]").bounding_box()
    assert handle
    assert min(handle["width"], handle["height"]) >= 44
    corner = (handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    stage = page.locator("#box-stage").bounding_box()
    drag(corner, (corner[0] + 0.1 * stage["width"], corner[1] + 0.1 * stage["height"]))
    assert place(page, 2) == pytest.approx([40, 60, 30, 20], abs=0.6)
    # Out of the picture there is nothing to cover.
    drag(on_picture(page, 0.55, 0.7), on_picture(page, 0.99, 0.99))
    assert place(page, 2) == pytest.approx([70, 80, 30, 20], abs=0.6)
    for _ in range(4):
        page.get_by_role("button", name="Angre").click()
    expect(page.locator("#box-list > li")).to_have_count(1)
    page.get_by_role("button", name="Gjør om igjen").click()
    assert place(page, 2) == pytest.approx([50, 50, 20, 10], abs=0.6)
    page.get_by_role("button", name="Større").click()
    assert page.locator("#box-stage").bounding_box()["width"] == pytest.approx(1.5 * stage["width"], abs=2)
    page.get_by_role("button", name="Begynn på nytt").click()
    expect(page.locator("#box-list > li")).to_have_count(1)
    assert place(page, 1) == [20, 30, 6, 12]
    assert looks(site, held[1]) == 0
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(f"/desk/{held[0]}")


def test_boxes_with_the_keyboard_alone(site, visit, held):
    page = boxes_page(visit, held, "desktop")
    tab_to(page, page.get_by_role("button", name="Legg til en rute"))
    page.keyboard.press("Enter")
    box = page.get_by_role("button", name=re.compile("^Rute 2"))
    expect(box).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#box-list > li").nth(1).get_by_label("Hva dekkes?")).to_be_focused()
    for value in ("10", "20", "120", "5"):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.box-remove')"):
            page.keyboard.press("Tab")
        page.keyboard.press("Control+a")
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    wide = page.locator("#box-list > li").nth(1).get_by_label("Bredde")
    expect(wide).to_have_attribute("aria-invalid", "true")
    wide.fill("30,5")
    wide.blur()
    assert place(page, 2)[:2] == [10, 20]
    expect(
        page.get_by_role("button", name="Rute 2, noe annet: 10 % fra venstre, 20 % fra toppen")
    ).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Lagre og hold tilbake"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bilder", exact=True)).to_be_visible()
    wait_until(
        lambda: photo_of(site, held[1])[3] == 1 and photo_of(site, held[1])[0] == "held", "it is drawn"
    )
    drawn = {"left": 0.1, "top": 0.2, "width": 0.305, "height": 0.05, "confidence": 1.0}
    assert photo_of(site, held[1])[2][1] == pytest.approx(drawn | {"kind": "drawn", "rule": "person"})


def test_boxes_without_scripts(site, visit, held):
    page = boxes_page(visit, held, "phone", java_script_enabled=False)
    page.get_by_role("button", name="Legg til en rute").tap()
    expect(page.locator("#box-list > li")).to_have_count(2)
    page.get_by_label("Fra venstre").nth(1).fill("90")
    page.get_by_label("Bredde").nth(1).fill("5")
    page.get_by_role("link", name="Se bildet udekket").tap()
    wait_until(lambda: looks(site, held[1]) == 1, "the look is noted")
    page.get_by_role("button", name="Fjern rute 1").tap()
    expect(page.get_by_text("Ingenting er dekket.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Dekk alt maskinen fant").tap()
    page.get_by_role("button", name="Lagre og vis").tap()
    wait_until(lambda: photo_of(site, held[1])[0] == "published", "the photo is drawn and shown")
    assert photo_of(site, held[1])[2] == [pytest.approx(FACE)]


def test_the_crew_adds_a_photo_of_the_work(site, visit):
    ref = site.report("desk", text="Hullet ved brua.")
    page = visit("phone", refusals=(422,))
    page.goto(f"/desk/{ref}")
    sign_in(page, "per")
    page.get_by_text("Legg til et bilde av arbeidet som er gjort").tap()
    page.get_by_role("button", name="Legg til bildet").tap()
    expect(page.locator("#photo-error")).to_contain_text("Velg et bilde først")
    camera = page.get_by_label("Ta et bilde", exact=True)
    expect(camera).to_have_attribute("capture", "environment")
    camera.set_input_files(PHOTO)
    page.locator("#photo-alt").fill("Ny asfalt")
    page.get_by_role("button", name="Legg til bildet").tap()
    expect(page.locator(".desk-photos > li")).to_have_count(1)
    with site.app.app_context():
        number = db.session.scalar(select(Photo.id).where(Photo.report_id == reports.by_ref(ref).id))
    # Nothing in it gives rise to doubt, so that nobody has to release it.
    wait_until(lambda: photo_of(site, number)[0] == "published", "the photo is shown")
    page.goto(f"/reports/{ref}")
    expect(page.get_by_alt_text("Ny asfalt")).to_be_visible()
    expect(page.get_by_text("Etter arbeidet")).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_of_boxes_is_accessible_and_fits_the_screen(visit, held, screen):
    page = boxes_page(visit, held, screen)
    page.get_by_role("link", name="Se bildet udekket").click()
    page.get_by_role("button", name="Legg til en rute").click()
    expect_accessible(page, screen)
    small = page.evaluate(
        """() => [...document.querySelectorAll("main :is(button, a, select, input:not([type=hidden])")]
            .filter((e) => e.checkVisibility() && !e.closest(".ds-sr-only") && e.getBoundingClientRect().height < 43.5)
            .map((e) => e.outerHTML.slice(0, 80))""".replace("[type=hidden])", "[type=hidden]))")
    )
    assert small == []
