"""What residents do: on a phone, without JavaScript, with mistakes, in their language, with the keyboard alone."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from gatami import reports

from .. import factories
from .conftest import PLACES
from .steps import PHOTO, described, fill_in, link_in, send, sent_ref, tab_to, what_everyone_will_see

pytestmark = pytest.mark.served


def test_a_stranger_reports_a_pothole_on_a_phone(site, visit, mailbox):
    text = "Djupt hull ved busslommen. Ring 400 00 123, eller skriv til kari@prove.example."
    masked = "Djupt hull ved busslommen. Ring [telefonnummer], eller skriv til [e-postadresse]."
    with site.app.app_context():
        factories.report(text="Grop i asfalten ved krysset.")
    page = visit("phone")
    page.goto("/")
    page.get_by_role("link", name="Meld fra", exact=True).last.tap()

    page.get_by_role("group", name="Kart: Trykk der feilen er").tap()
    expect(page.locator("#place-status")).to_contain_text("Stedet er valgt")
    page.get_by_text("Hull i vegen", exact=True).tap()
    nearby = page.get_by_role("region", name="Er det denne?")
    expect(nearby).to_contain_text("Grop i asfalten ved krysset.")
    expect(nearby).to_contain_text(re.compile(r"\d+ m unna"))
    nearby.get_by_role("link", name="Ja, følg denne i stedet").tap()
    expect(page.get_by_role("heading", name="Følg saken")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("radio", name="Hull i vegen")).to_be_checked()

    page.get_by_label("Hva er galt?").fill(text)
    page.get_by_label("Velg bilder").set_input_files(PHOTO)
    expect(page.get_by_role("list", name="Valgte bilder")).to_contain_text("hull.jpg")
    page.get_by_label("E-post", exact=True).fill("kari@prove.example")
    expect(what_everyone_will_see(page)).to_contain_text("Ring [telefonnummer]")
    page.get_by_role("button", name="Send meldingen").tap()
    ref = sent_ref(page)
    site.wait_until_reviewed(ref)

    page.goto("/?q=busslommen")
    page.get_by_role("button", name=re.compile("Hull i vegen, Mottatt. Djupt hull ved busslommen")).tap()
    page.get_by_role("link", name="Åpne saken").tap()
    expect(page.locator(".case-text")).to_contain_text("Ring [telefonnummer]")
    expect(page.get_by_role("img", name="fra meldingen")).to_have_count(0)
    page.get_by_role("link", name="Alle saker").tap()
    page.get_by_role("link", name="Liste", exact=True).tap()
    expect(page.locator(f"article[data-ref='{ref}']")).to_contain_text(masked)
    for private in ("400 00 123", "kari@prove.example"):
        assert private not in page.content()

    (letter,) = mailbox.wait_for("kari@prove.example", 1)
    assert ref in letter["Subject"]
    # The address of the page itself, and not the one for an objection.
    page.goto(link_in(letter, r"/mine/(?!\S+/)"))
    expect(page.locator(".case-text")).to_have_text(text)
    expect(page.get_by_role("img", name="Bildet ditt")).to_be_visible()
    expect(page.locator(".photos")).to_contain_text("Synlig for alle")
    with site.app.app_context():
        (photo,) = reports.by_ref(ref).photos
        private, public = photo.key, photo.public_key
    assert page.request.get(f"/photos/{private}/large.webp").status == 404
    assert page.request.get(f"/photos/{public}/large.webp").status == 200


@pytest.mark.parametrize("place_by", ["coordinates", "address"])
def test_a_report_without_javascript(visit, place_by):
    page = visit("phone", refusals=(422,), java_script_enabled=False)
    page.goto("/")
    page.get_by_role("link", name="Meld fra", exact=True).last.tap()
    if place_by == "address":
        page.get_by_label("Adresse eller veg").fill("ranemsvegen 1")
        page.get_by_role("button", name="Søk").tap()
        page.get_by_role("button", name="Ranemsvegen 1, Overhalla").tap()
    else:
        page.get_by_label("Breddegrad").fill(str(PLACES["other"][0]))
        page.get_by_label("Lengdegrad").fill(str(PLACES["other"][1]))
    page.get_by_role("radio", name="Hull i vegen").check()
    page.get_by_role("button", name="Vis spørsmål og saker i nærheten").tap()
    expect(page.locator("#about")).to_contain_text(re.compile("Er det denne|Ingen åpne saker"))
    expect(page.get_by_label("Breddegrad")).to_have_value(str(PLACES["other"][0]))

    page.locator("#photos").set_input_files(PHOTO)
    send(page)
    expect(page.get_by_role("group", name="Én ting må rettes")).to_contain_text("Skriv hva som er galt.")
    expect(page.get_by_role("list", name="Bilder vi har tatt vare på")).to_contain_text("hull.jpg")
    page.get_by_label("Hva er galt?").fill(f"Hull i vegen, funnet med {place_by}.")
    page.get_by_role("radio", name="Lite").check()
    send(page)
    sent_ref(page)
    expect(page.locator(".next-steps")).to_contain_text("En maskin går gjennom bildene:")
    page.get_by_role("link", name="Se saken").tap()
    expect(page.locator(".case-text")).to_have_text(f"Hull i vegen, funnet med {place_by}.")


PRIVATE = "Hull ved porten. Ring meg på 400 00 123. Naboen min har kreft."


def test_what_everyone_will_see_is_shown_while_writing(visit):
    page = visit("phone")
    page.goto("/reports/new")
    fill_in(page, PLACES["other"], PRIVATE)
    shown = page.get_by_role("region", name="Dette får alle se")
    expect(shown).to_contain_text("Ring meg på [telefonnummer]")
    expect(shown).to_contain_text("[helseopplysning]")
    expect(shown.get_by_role("listitem").filter(has_text="Opplysning om helse.")).to_be_visible()
    expect(shown.get_by_role("link", name="Ring 74 28 00 00 i stedet")).to_have_attribute(
        "href", "tel:74280000"
    )
    expect(page.locator("#live")).to_contain_text("Skjult for andre: Telefonnummer, Opplysning om helse.")
    expect(page.get_by_label("Hva er galt?")).to_be_focused()
    mask = shown.locator(".mask").first
    mask.focus()
    expect(mask.locator(".ds-sr-only")).to_be_in_viewport()
    assert "Private nummer vises ikke åpent." in mask.inner_text()

    page.get_by_label("Hva er galt?").fill("Hull ved porten.")
    expect(shown).to_have_count(0)
    page.get_by_label("Hva er galt?").fill(PRIVATE)
    what_everyone_will_see(page)
    send(page)
    sent_ref(page)


def test_what_is_written_further_down_stays_where_it_is(visit):
    """The preview comes after somebody has gone on to the next field, which must not move away under the finger."""
    page = visit("phone")
    page.goto("/reports/new")
    fill_in(page, PLACES["other"], PRIVATE)
    email = page.get_by_label("E-post", exact=True)
    email.tap()
    top = email.bounding_box()["y"]
    expect(page.get_by_role("region", name="Dette får alle se")).to_be_attached()
    expect(email).to_be_focused()
    assert abs(email.bounding_box()["y"] - top) < 2


def test_a_text_that_was_not_looked_at_is_shown_before_it_is_sent(visit):
    page = visit("phone")
    page.route("**/reports/new/preview", lambda route: route.fulfill(body="", content_type="text/html"))
    page.goto("/reports/new")
    fill_in(page, PLACES["other"], PRIVATE)
    page.locator("#photos").set_input_files(PHOTO)
    send(page)
    shown = page.get_by_role("region", name="Dette får alle se")
    expect(shown.get_by_role("heading", name="Dette får alle se")).to_be_focused()
    expect(shown).to_be_in_viewport()
    page.get_by_role("link", name="Endre teksten").tap()
    text = page.get_by_label("Hva er galt?")
    expect(text).to_be_focused()
    text.fill(PRIVATE + " Det haster.")
    expect(shown).to_have_count(0)
    send(page)
    expect(shown).to_contain_text("Det haster.")
    page.get_by_role("button", name="Send den slik").tap()
    sent_ref(page)
    expect(page.locator(".next-steps")).to_contain_text("En maskin går gjennom bildene:")


def test_what_everyone_will_see_without_javascript(visit):
    page = visit("phone", java_script_enabled=False)
    page.goto("/reports/new")
    fill_in(page, PLACES["other"], PRIVATE, name="Kari Prøve")
    page.locator("#photos").set_input_files(PHOTO)
    send(page)
    shown = page.get_by_role("region", name="Dette får alle se")
    expect(shown.get_by_role("heading", name="Dette får alle se")).to_be_in_viewport()
    expect(shown).to_contain_text("Ring meg på [telefonnummer]")
    expect(page.get_by_text("Meldingen er ikke sendt ennå.")).to_be_attached()
    expect(page.get_by_label("Navn", exact=True)).to_have_value("Kari Prøve")
    page.get_by_role("link", name="Endre teksten").tap()
    expect(page.get_by_label("Hva er galt?")).to_be_in_viewport()
    expect(page.get_by_label("Hva er galt?")).to_have_value(PRIVATE)
    page.get_by_label("Hva er galt?").fill(PRIVATE + " Det haster.")
    page.get_by_role("button", name="Send den slik").tap()
    expect(shown).to_contain_text("Det haster.")
    page.get_by_role("button", name="Send den slik").tap()
    sent_ref(page)
    expect(page.locator(".next-steps")).to_contain_text("En maskin går gjennom bildene:")


TEXT_FILE = PHOTO | {"buffer": b"Dette er ikke noe bilde."}


@pytest.mark.parametrize(
    ("wrong", "field_id", "message"),
    [
        ({"place": factories.SEA}, "where", "Stedet ligger i sjøen."),
        ({"place": factories.SWEDEN}, "where", "Stedet ligger utenfor Norge."),
        ({"place": factories.NAMSOS}, "where", "Stedet ligger i Namsos, som ikke bruker GataMi."),
        ({"text": ""}, "text", "Skriv hva som er galt."),
        ({"text": "x" * 5000}, "text", "Teksten er for lang. Den kan ha høyst 4000 tegn."),
        ({"file": TEXT_FILE}, "photos", "Vi kan ikke lese «hull.jpg» som et bilde."),
    ],
    ids=["sea", "abroad", "neighbour", "no-text", "long-text", "no-picture"],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(visit, wrong, field_id, message):
    lat, lon = wrong.get("place", PLACES["other"])
    text = wrong.get("text", "Stort hull midt i vegen.")
    page = visit("phone", refusals=(422,))
    page.goto("/reports/new")
    fill_in(page, (lat, lon), text, name="Kari Prøve")
    page.locator("#photos").set_input_files(wrong.get("file", PHOTO))
    send(page)

    summary = page.get_by_role("group", name="Én ting må rettes")
    expect(summary).to_be_focused()
    expect(summary).to_be_in_viewport()
    assert message in described(page.locator(f"#{field_id}"))
    expect(page.get_by_label("Breddegrad")).to_have_value(str(lat))
    expect(page.get_by_label("Lengdegrad")).to_have_value(str(lon))
    expect(page.get_by_role("radio", name="Hull i vegen")).to_be_checked()
    expect(page.get_by_label("Hva er galt?")).to_have_value(text)
    expect(page.get_by_label("Navn", exact=True)).to_have_value("Kari Prøve")
    if "file" not in wrong:
        expect(page.locator(".photo-field")).to_contain_text("hull.jpg")
    summary.get_by_role("link", name=message).tap()
    expect(page.locator(f"#{field_id}")).to_be_focused()


def test_a_language_is_chosen_and_remembered(visit):
    page = visit("phone")
    page.goto("/about")
    expect(page.locator("html")).to_have_attribute("lang", "nb")
    for code, name, report in (("nn", "Nynorsk", "Meld frå"), ("en", "English", "Report a fault")):
        page.locator("summary", has_text=re.compile("Meny|Menu")).tap()
        page.get_by_role("navigation").get_by_role("link", name=name, exact=True).first.tap()
        expect(page.locator("html")).to_have_attribute("lang", code)
        assert urlsplit(page.url).path == "/about"
        later = page.context.new_page()
        later.goto("/")
        expect(later.locator("html")).to_have_attribute("lang", code)
        expect(later.get_by_role("link", name=report, exact=True).last).to_be_visible()
        later.close()
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "language"]
    assert cookie["expires"] > 0, "it outlives the browser"


def test_everything_is_done_with_the_keyboard_alone(site, visit):
    ref = site.report("other", text="Lykta på hjørnet henger løst.")
    page = visit("desktop")
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Gå til innholdet")).to_be_focused()
    tab_to(page, page.locator(f"article[data-ref='{ref}'] a").first)
    page.keyboard.press("Enter")
    expect(page.locator(".case-text")).to_have_text("Lykta på hjørnet henger løst.")

    page.goto("/")
    tab_to(page, page.locator(".top-report"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Adresse eller veg"))
    page.keyboard.type("ranemsvegen")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Ranemsvegen 1, Overhalla"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("radio", name="Hull i vegen"))
    page.keyboard.press("Space")
    expect(page.get_by_role("radio", name="Lite")).to_be_visible()
    tab_to(page, page.get_by_label("Hva er galt?"))
    page.keyboard.type("Hull som er meldt uten mus.")
    tab_to(page, page.get_by_role("button", name="Send meldingen"))
    page.keyboard.press("Enter")
    sent_ref(page)
