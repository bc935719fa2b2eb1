"""What residents do with photos: several at once, on slow and broken lines, from the keyboard, without JavaScript."""

from __future__ import annotations

import random
import re
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import select

from gatami import media, reports
from gatami.db import db
from gatami.policy.photos import FORMATS, SIZES, faces
from gatami.policy.photos.networks import weights
from gatami.reports import Photo, Report

from .. import factories
from .conftest import PLACES, wait_until
from .steps import PHOTO, exif, fill_in, send, sent_ref, sign_in, tab_to

pytestmark = pytest.mark.served

DOOR = "**/reports/photos"
THERE = "Har kommet fram"


def taken(name: str, kind: str = "JPEG", size: tuple[int, int] = (320, 200), **how: Any) -> dict[str, Any]:
    """A photo for a file field, dark at its left edge before it is turned."""
    mime = {"JPEG": "image/jpeg", "PNG": "image/png", "HEIF": "image/heic"}[kind]
    if kind == "HEIF":
        pillow_heif.register_heif_opener()
    return {"name": name, "mimeType": mime, "buffer": factories.picture(kind, size, **how)}


def noise(name: str, size: tuple[int, int] = (900, 700)) -> dict[str, Any]:
    """A photo that no compression makes small."""
    out = BytesIO()
    Image.frombytes("RGB", size, random.Random(5).randbytes(size[0] * size[1] * 3)).save(
        out, "JPEG", quality=90
    )
    return {"name": name, "mimeType": "image/jpeg", "buffer": out.getvalue()}


def choose(page: Page, *photos: dict[str, Any]) -> Locator:
    """The rows of the photos that are chosen now."""
    page.locator("#photos").set_input_files(list(photos))
    return rows(page)


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Valgte bilder").get_by_role("listitem")


def captions(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Hva viser bildet?")


def photos_of(site: Any, ref: str) -> list[tuple[str, tuple[int, int], str]]:
    """Kind and size of each photo as it was stored, and what the reporter said of it."""
    with site.app.app_context():
        report = reports.by_ref(ref)
        said = report.original.contents.captions
        found = []
        for photo in db.session.scalars(
            select(Photo).join(Report).where(Report.ref == ref).order_by(Photo.position)
        ):
            with Image.open(BytesIO(reports.photo_bytes(photo, "original"))) as picture:
                found.append((picture.format, picture.size, said[photo.position]))
        return found


def drafts(site: Any) -> set[str]:
    with site.app.app_context():
        return {path.name for path in media.private.path(media.DRAFTS).glob("*")}


@pytest.fixture
def form(visit) -> Page:
    page = visit("phone", refusals=(422,))
    page.goto("/reports/new")
    return page


def test_photos_are_made_smaller_travel_by_themselves_and_keep_their_order(site, form):
    bodies = []
    form.on("request", lambda r: bodies.append(r.post_data_buffer) if r.url.endswith("/reports") else None)
    turned = taken("dreid.jpg", size=(3000, 2000), exif=exif(orientation=6))
    small = taken("liten.png", "PNG")
    chosen = choose(form, turned, taken("fra-iphone.heic", "HEIF"), small)
    expect(chosen).to_have_count(3)
    expect(chosen.locator("[data-state]")).to_have_text([THERE] * 3)
    expect(chosen.locator(".photo-name")).to_have_text(["dreid.jpg", "fra-iphone.heic", "liten.png"])
    expect(chosen.locator(".photo-thumb img")).to_have_count(2), "this browser shows no HEIC"
    expect(form.get_by_label("Ta et bilde")).to_be_visible()
    expect(form.locator("#photos-live")).to_have_text("Alle bildene har kommet fram.")
    for number, words in ((0, "Hullet sett fra sør"), (2, "Kartet over stedet")):
        captions(form).nth(number).fill(words)

    # The form comes back with what is wrong, and the photos and their words stay.
    fill_in(form, PLACES["other"], "")
    send(form)
    expect(form.get_by_role("group", name="Én ting må rettes")).to_be_focused()
    expect(captions(form).nth(2)).to_have_value("Kartet over stedet")
    form.get_by_label("Hva er galt?").fill("Hull i vegen, med bilder.")
    send(form)
    ref = sent_ref(form)
    assert [len(body) < 20_000 for body in bodies] == [True, True], "no photo travels twice"
    # Upright, and no longer than 2,048 pixels; what is small stays as it is.
    assert photos_of(site, ref) == [
        ("JPEG", (1365, 2048), "Hullet sett fra sør"),
        ("HEIF", (320, 200), ""),
        ("PNG", (320, 200), "Kartet over stedet"),
    ]
    expect(form.get_by_role("list", name="Bildene dine").get_by_role("listitem")).to_have_count(3)


def test_a_picture_is_turned_before_it_loses_its_metadata(site, form):
    choose(form, taken("dreid.jpg", size=(3000, 2000), exif=exif(PLACES["other"], orientation=6)))
    expect(rows(form)).to_contain_text(THERE)
    fill_in(form, PLACES["other"], "Hull, med et bilde på høykant.")
    send(form)
    ref = sent_ref(form)
    with site.app.app_context():
        (photo,) = reports.by_ref(ref).photos
        with Image.open(BytesIO(reports.photo_bytes(photo, "original"))) as picture:
            assert not picture.getexif()
            top, bottom = picture.getpixel((600, 20)), picture.getpixel((600, 2000))
    assert sum(top) < sum(bottom), "the dark left edge is at the top now"


def test_where_the_picture_was_taken_becomes_the_place(form):
    (lat, lon), heic = PLACES["other"], taken("ute.heic", "HEIF", exif=exif((59.33, 18.07)).tobytes())
    chosen = choose(form, taken("hull.jpg", exif=exif((lat, lon))), heic, PHOTO)
    use = form.get_by_role("button", name="Bruk stedet der bildet ble tatt")
    expect(use).to_have_count(2)
    use.first.tap()
    expect(chosen.first).to_contain_text("Stedet i meldingen er nå der bildet ble tatt.")
    expect(form.locator("#place-status")).to_contain_text(f"{lat:.5f}, {lon:.5f}")
    expect(form.locator(".picked")).to_have_count(1)
    assert abs(float(form.get_by_label("Breddegrad").input_value()) - lat) < 1e-5
    assert abs(float(form.get_by_label("Lengdegrad").input_value()) - lon) < 1e-5

    use.last.tap()
    expect(chosen.first).not_to_contain_text("der bildet ble tatt.")
    form.get_by_text("Hull i vegen", exact=True).tap()
    form.get_by_label("Hva er galt?").fill("Hull i Stockholm.")
    send(form)
    expect(form.locator("#place-error")).to_contain_text("Stedet ligger utenfor Norge.")


def test_a_broken_line_is_tried_again(site, form):
    tries = []

    def broken(route: Route) -> None:
        tries.append(route.request.method)
        if len(tries) > 2:
            route.continue_()
        else:
            route.abort("connectionreset")

    form.route(DOOR, broken)
    choose(form, PHOTO)
    expect(rows(form)).to_contain_text("Forbindelsen ble brutt. Vi prøver igjen om litt.")
    # Who does not want to wait presses the button.
    form.get_by_role("button", name="Prøv igjen hull.jpg").tap()
    expect(form.get_by_role("button", name="Fjern hull.jpg")).to_be_focused()
    expect(rows(form)).to_contain_text(THERE)
    assert len(tries) == 3
    fill_in(form, PLACES["other"], "Hull, sendt over ei dårlig linje.")
    send(form)
    assert len(photos_of(site, sent_ref(form))) == 1


def test_a_phone_without_a_line_goes_on_when_it_is_back(form):
    form.context.set_offline(True)
    choose(form, PHOTO)
    expect(rows(form)).to_contain_text("Venter til du har nett igjen.")
    form.context.set_offline(False)
    expect(rows(form)).to_contain_text(THERE)


def test_what_does_not_get_through_by_itself_goes_along_with_the_form(site, form):
    first = []

    def only_the_first(route: Route) -> None:
        first.append(1)
        if len(first) == 1:
            route.continue_()
        else:
            route.abort("connectionreset")

    choose(form, taken("en.jpg", size=(321, 200)))
    expect(rows(form)).to_contain_text(THERE)
    form.route(DOOR, lambda route: route.abort("connectionreset"))
    choose(form, taken("to.jpg", size=(322, 200)))
    form.unroute(DOOR)
    form.route(DOOR, only_the_first)
    choose(form, taken("tre.jpg", size=(323, 200)))
    captions(form).nth(1).fill("Det andre")
    fill_in(form, PLACES["other"], "Hull med tre bilder.")
    send(form)
    sizes = photos_of(site, sent_ref(form))
    assert [(size[0], said) for _, size, said in sizes] == [(321, ""), (322, "Det andre"), (323, "")]


def slow(page: Page, bytes_a_second: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    conditions = {
        "offline": False,
        "latency": 100,
        "downloadThroughput": -1,
        "uploadThroughput": bytes_a_second,
    }
    session.send("Network.emulateNetworkConditions", conditions)


def test_the_form_waits_for_photos_that_are_on_their_way(site, form):
    slow(form, 250_000)
    fill_in(form, PLACES["other"], "Hull, sendt før bildene er framme.")
    choose(form, noise("stort.jpg"), PHOTO)
    expect(rows(form).first).to_contain_text(re.compile(r"På vei … [1-9]\d? %"))
    send(form)
    expect(form.locator("#send")).to_contain_text("Venter på bildene …")
    assert len(photos_of(site, sent_ref(form))) == 2


def test_a_photo_is_taken_out_while_it_travels_and_after(site, form):
    before = drafts(site)
    slow(form, 50_000)
    choose(form, noise("stort.jpg"))
    expect(rows(form)).to_contain_text("På vei …")
    form.get_by_role("button", name="Fjern stort.jpg").tap()
    expect(rows(form)).to_have_count(0)
    expect(form.locator("#photos")).to_be_focused()
    expect(form.locator("#photos-live")).to_have_text("stort.jpg er fjernet.")

    slow(form, -1)
    choose(form, PHOTO, taken("to.jpg", size=(300, 200)))
    expect(rows(form).locator("[data-state]")).to_have_text([THERE] * 2)
    assert len(drafts(site) - before) == 2
    form.get_by_role("button", name="Fjern hull.jpg").tap()
    expect(form.get_by_role("button", name="Fjern to.jpg")).to_be_focused()
    wait_until(lambda: len(drafts(site) - before) == 1, "the photo is gone from the server")
    # Taken out, the same one may be chosen again.
    choose(form, PHOTO)
    expect(rows(form).locator(".photo-name")).to_have_text(["to.jpg", "hull.jpg"])


def test_what_is_no_photo_is_said_at_once_and_once_more_when_it_is_sent(form):
    fill_in(form, PLACES["other"], "Hull i vegen.")
    choose(form, PHOTO, PHOTO | {"name": "notat.jpg", "buffer": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"})
    message = "«notat.jpg» er et PDF-dokument. Send et bilde som JPEG, PNG, WebP eller HEIC."
    expect(rows(form).last).to_contain_text(message)
    send(form)
    expect(form.get_by_role("group", name="Én ting må rettes")).to_contain_text(message)
    form.get_by_role("button", name="Fjern notat.jpg").tap()
    expect(form.locator("#errors")).to_be_empty()
    send(form)
    sent_ref(form)


PASSER_BY = (0.45, 0.4)
"""Where somebody's face is in the picture of a street: its left upper corner, in shares."""


def street_with_somebody() -> bytes:
    """A street, and a face of some sixty pixels: that of the portrait which scikit-image ships, by NASA."""
    drawn = Image.new("RGB", (1600, 1200), "#9db7c9")
    drawn.paste("#6b6f73", (0, 700, 1600, 1200))
    with Image.open(weights("skimage", "data/astronaut.png")) as portrait:
        head = portrait.convert("RGB").crop((130, 0, 330, 230)).resize((130, 150))
    drawn.paste(head, (int(PASSER_BY[0] * 1600), int(PASSER_BY[1] * 1200)))
    out = BytesIO()
    drawn.save(out, "JPEG", quality=92)
    return out.getvalue()


def faces_in(data: bytes) -> list[Any]:
    with Image.open(BytesIO(data)) as picture:
        return faces.find(np.asarray(picture.convert("RGB")))


def test_a_face_a_heic_and_a_bomb(site, visit, form):
    """What becomes of three pictures: for the one who reports, for everybody, and for staff."""
    somebody = {"name": "gata.jpg", "mimeType": "image/jpeg", "buffer": street_with_somebody()}
    assert len(faces_in(somebody["buffer"])) == 1
    bomb = BytesIO()
    Image.new("1", (12000, 9000)).save(bomb, "PNG")
    fill_in(form, PLACES["other"], "Hull i vegen, tre bilder.")
    choose(
        form,
        somebody,
        taken("fra-iphone.heic", "HEIF", size=(640, 400)),
        {"name": "bombe.png", "mimeType": "image/png", "buffer": bomb.getvalue()},
    )
    expect(rows(form).last).to_contain_text("«bombe.png» har for mange bildepunkter.")
    form.get_by_role("button", name="Fjern bombe.png").tap()
    expect(rows(form).locator("[data-state]")).to_have_text([THERE] * 2)
    send(form)
    ref = sent_ref(form)
    site.wait_until_reviewed(ref)

    with site.app.app_context():
        first, second = reports.by_ref(ref).photos
        private = reports.private_token(first.report)
        assert [photo.publication for photo in (first, second)] == ["published", "published"]
        assert [box["kind"] for box in first.boxes] == ["face"]
        assert second.boxes == []
        shown, number = first.public_key, first.id
    form.goto(f"/mine/{private}")
    expect(form.get_by_role("main")).to_contain_text("Alle kan se det. Noe i det er dekket til.")

    public = visit("phone")
    public.goto(f"/reports/{ref}")
    pictures = public.get_by_role("img", name=re.compile("til melding om hull i vegen"))
    expect(pictures).to_have_count(2)
    wait_until(lambda: pictures.first.evaluate("e => e.complete && e.naturalWidth > 0"), "the photo is there")
    for size in SIZES:
        for ending in FORMATS:
            data = httpx.get(f"{site.url}/photos/{shown}/{size}.{ending}").raise_for_status().content
            assert faces_in(data) == [], (size, ending)

    desk = visit("desktop")
    desk.goto(f"/desk/{ref}/photos/{number}/boxes")
    sign_in(desk, "liv")
    expect(desk.locator("#box-list > li")).to_have_count(1)
    expect(desk.get_by_role("main")).to_contain_text("Et ansikt")


def test_too_many_photos_and_too_many_pixels(form):
    choose(form, *(taken(f"{n}.jpg", size=(100 + n, 80)) for n in range(7)))
    expect(rows(form)).to_have_count(6)
    expect(form.locator("#photos-error")).to_have_text("Du kan sende høyst 6 bilder.")
    form.get_by_role("button", name="Fjern 0.jpg").tap()
    expect(form.locator("#photos-error")).to_be_empty()
    bomb = BytesIO()
    Image.new("1", (12000, 9000)).save(bomb, "PNG")
    choose(form, {"name": "bombe.png", "mimeType": "image/png", "buffer": bomb.getvalue()})
    expect(rows(form).last).to_contain_text("«bombe.png» har for mange bildepunkter.")
    fill_in(form, PLACES["other"], "Hull i vegen.")
    send(form)
    expect(form.locator("#send-problem")).to_contain_text("«bombe.png» har for mange bildepunkter.")
    expect(form.locator("#send-problem")).to_be_in_viewport()


def test_photos_outlive_a_reload(site, form):
    fill_in(form, PLACES["other"], "Hull som overlever.")
    choose(form, PHOTO)
    expect(rows(form)).to_contain_text(THERE)
    captions(form).fill("Hullet")
    form.reload()
    expect(rows(form)).to_contain_text("hull.jpg")
    expect(captions(form)).to_have_value("Hullet")
    send(form)
    assert [said for _, _, said in photos_of(site, sent_ref(form))] == ["Hullet"]


def test_photos_with_the_keyboard_alone(site, visit):
    page = visit("desktop")
    page.goto("/reports/new")
    fill_in(page, PLACES["other"], "Hull i vegen, uten mus.")
    expect(page.locator("#camera")).to_be_hidden()
    tab_to(page, page.locator("#photos"))
    # A browser opens one dialog at a time, whoever asked for it before; that it was asked is what counts here.
    asked = "e => { e.addEventListener('click', event => { event.preventDefault(); document.title = 'asked'; }, {once: true}); }"
    page.locator("#photos").evaluate(asked)
    page.keyboard.press("Enter")
    expect(page).to_have_title("asked")
    choose(page, PHOTO, taken("to.jpg", size=(300, 200), exif=exif(PLACES["desk"])))
    expect(rows(page).locator("[data-state]")).to_have_text([THERE] * 2)
    page.locator("#text").focus()
    tab_to(page, page.get_by_role("button", name="Fjern hull.jpg"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Fjern to.jpg")).to_be_focused()
    tab_to(page, captions(page))
    page.keyboard.type("Det som er igjen")
    tab_to(page, page.get_by_role("button", name="Bruk stedet der bildet ble tatt"))
    page.keyboard.press("Enter")
    expect(page.locator("#place-status")).to_contain_text(f"{PLACES['desk'][0]:.5f}")
    tab_to(page, page.get_by_role("button", name="Send meldingen"))
    page.keyboard.press("Enter")
    assert [said for _, _, said in photos_of(site, sent_ref(page))] == ["Det som er igjen"]


def test_photos_without_javascript_are_described_too(site, visit):
    page = visit("phone", refusals=(422,), java_script_enabled=False)
    page.goto("/reports/new")
    page.get_by_label("Breddegrad").fill(str(PLACES["other"][0]))
    page.get_by_label("Lengdegrad").fill(str(PLACES["other"][1]))
    expect(page.locator("#camera")).to_be_hidden()
    page.locator("#photos").set_input_files([taken("en.jpg", size=(301, 200)), taken("to.heic", "HEIF")])
    page.get_by_role("button", name="Legg til bildene, og fortell hva de viser").tap()
    kept = page.get_by_role("list", name="Bilder vi har tatt vare på").get_by_role("listitem")
    expect(kept.locator(".photo-name")).to_have_text(["en.jpg", "to.heic"])
    captions(page).nth(1).fill("Det andre")
    page.locator("#photos").set_input_files(taken("tre.jpg", size=(303, 200)))
    send(page)
    expect(kept).to_have_count(3)
    expect(captions(page).nth(1)).to_have_value("Det andre")
    page.get_by_role("button", name="Fjern en.jpg").tap()
    expect(captions(page).first).to_have_value("Det andre")
    page.get_by_role("radio", name="Hull i vegen").check()
    page.get_by_label("Hva er galt?").fill("Hull, uten skript.")
    send(page)
    assert photos_of(site, sent_ref(page)) == [("HEIF", (320, 200), "Det andre"), ("JPEG", (303, 200), "")]
