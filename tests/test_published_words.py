"""Every place where words become public goes through the policy layer: tokens inside private matter, then the crawl.

Unlike the canary crawl's, these tokens stand in words that the policy must hide: an address of a mailbox holds each of them.
"""

from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import quote

import pytest

from gatami import cases, jobs, reports
from gatami.db import db

from . import factories
from .test_canary import CANARY, Tokens, crawl, public_addresses

PICTURE = factories.picture()


@pytest.fixture
def tokens():
    return Tokens()


def hidden(tokens, where):
    """A private address that holds a token."""
    return f"{tokens(where)}@privat.example"


@pytest.fixture
def words(app, tokens):
    """A report with words of a resident and of staff in every place that the public can read."""
    staff = factories.user()
    area = reports.AreaFollow(
        municipality=factories.municipality(), email="omraade@prove.example", language="nb"
    )
    reports.follow_area(area)
    reports.confirm_follow(area)
    report = factories.report(
        category="gatelys",
        text=f"Lyset er mørkt. Skriv til {hidden(tokens, 'report text')} når det er mendet.",
        answers={"pole": f"40218, spør {hidden(tokens, 'answer')}"},
        photos=[PICTURE],
        email="melder@prove.example",
    )
    factories.review(report, place_name="Skogmovegen")
    db.session.commit()
    reports.publish_photo(report.photos[0], staff, f"Stolpen til {hidden(tokens, 'caption')}")
    reports.confirm_follow(reports.follow(report, "nabo@prove.example", "nb"))
    db.session.commit()
    for act in (
        lambda: cases.reply(report, staff, f"Svar til {hidden(tokens, 'reply')}.", report.version),
        lambda: cases.change_state(
            report,
            staff,
            "declined",
            report.version,
            f"Nei, {hidden(tokens, 'reason of a state')} har ansvaret.",
        ),
    ):
        with pytest.raises(cases.PersonalData):
            act()
        db.session.rollback()
    cases.reply(report, staff, "Vi ser på det.", report.version)
    db.session.commit()
    reports.publish_text(report, f"Lyset er mørkt hos {hidden(tokens, 'text that staff released')}.", staff)
    db.session.commit()
    return report


def mails(app):
    jobs.deliver(app)
    for path in sorted(Path(app.config["MAIL_FOLDER"]).iterdir()):
        message = message_from_bytes(path.read_bytes(), policy=default)
        yield message["To"], str(message["Subject"]) + message.get_content()


def test_no_private_word_is_read_anywhere(app, client, words, tokens):
    searches = [f"/?q={quote(CANARY)}", f"/map.geojson?bbox=11.9,64.4,12.1,64.6&zoom=16&q={quote(CANARY)}"]
    seen = crawl(client, [*public_addresses(app, [words]), *searches])
    page = seen[f"/reports/{words.ref}"].decode()
    assert "og:description" in page
    assert page.count("e-postadresse") > 1, "the mask stands in the text and in the caption"
    feed = seen["/feeds/reports.atom"].decode()
    assert "[e-postadresse]" in feed
    found = {
        url
        for url, body in seen.items()
        if any(token.encode() in body for token in tokens.planted) and CANARY not in url
    }
    assert found == set()
    assert len(tokens.planted) == 6


def test_no_private_word_travels_by_mail(app, words, tokens):
    sent = list(mails(app))
    assert {to for to, _ in sent} >= {"melder@prove.example", "nabo@prove.example", "omraade@prove.example"}
    for _, body in sent:
        assert not any(token in body for token in tokens.planted)


def test_a_search_finds_what_is_shown_and_nothing_that_is_hidden(client, words, tokens):
    assert words.ref in client.get("/?q=mørkt").text
    for token in tokens.planted:
        assert words.ref not in client.get(f"/?q={token}").text
