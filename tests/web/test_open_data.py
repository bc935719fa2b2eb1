from xml.etree import ElementTree as ET

import pytest

from gatami import cases
from gatami.db import db

from .. import factories

ATOM = "{http://www.w3.org/2005/Atom}"
GEORSS = "{http://www.georss.org/georss}"


def entries(answer):
    assert answer.status_code == 200
    assert answer.mimetype == "application/atom+xml"
    feed = ET.fromstring(answer.data)
    for name in ("id", "title", "updated"):
        assert feed.findtext(ATOM + name)
    return feed.findall(ATOM + "entry")


def test_feed(client):
    made = factories.report(text="Ring 400 00 123 & se < hullet")
    (entry,) = entries(client.get("/feeds/reports.atom"))
    assert entry.findtext(GEORSS + "point") == f"{made.lat} {made.lon}"
    assert entry.findtext(ATOM + "summary") == "Ring [telefonnummer] & se < hullet"
    assert made.ref in entry.find(ATOM + "link").get("href")


@pytest.mark.parametrize(
    ("query", "number"), [("?category=hull-i-vegen", 1), ("?category=gatelys", 0), ("?municipality=5045", 0)]
)
def test_feed_of_a_category_or_municipality(client, query, number):
    factories.report()
    assert len(entries(client.get("/feeds/reports.atom" + query))) == number


def test_report_feed(client):
    actor, made = factories.user(), factories.report()
    cases.reply(made, actor, "Vi kommer i morgen.", made.version)
    cases.note(made, actor, "bare for oss")
    db.session.commit()
    answer = client.get(f"/feeds/reports/{made.ref}.atom")
    found = entries(answer)
    assert len(found) == 2
    assert found[0].findtext(ATOM + "summary") == "Vi kommer i morgen."
    assert found[0].findtext(GEORSS + "point")
    assert "bare for oss" not in answer.text
    assert client.get("/feeds/reports/XXXXXXXX.atom").status_code == 404
