import json

import pytest

from gatami import cases
from gatami.db import db

from .. import factories

BOX = "11.9,64.4,12.1,64.6"


def features(client, **query):
    answer = client.get("/map.geojson", query_string={"bbox": BOX, "zoom": 16} | query)
    assert answer.status_code == 200
    assert answer.mimetype == "application/geo+json"
    return json.loads(answer.data)["features"]


def test_window(client):
    made = factories.report(text='Hull «her» "nå" ' + "x" * 100)
    (found,) = features(client)
    assert found["geometry"] == {"type": "Point", "coordinates": [made.lon, made.lat]}
    assert found["properties"]["ref"] == made.ref
    assert found["properties"]["category"] == "hull-i-vegen"
    assert found["properties"]["state"] == "received"
    assert len(found["properties"]["text"]) == 80


def test_window_shows_no_text_that_is_held(client):
    actor, made = factories.user(), factories.report(text="Noe om naboen")
    cases.hold_text(made, actor, made.version)
    db.session.commit()
    assert features(client)[0]["properties"]["text"] is None


def test_window_takes_the_lists_filters(client):
    factories.report()
    assert features(client, category="gatelys") == []
    assert len(features(client, state="open", q="hull")) == 1
    assert features(client, bbox="10,60,10.1,60.1") == []


@pytest.mark.parametrize("zoom", [3, 10, 14])
def test_window_counts_what_lies_close(client, zoom):
    for step in range(5):
        factories.report(lat=factories.RANEM[0] + step * 1e-5, commit=False)
    far = factories.report(lat=64.55, lon=12.0)
    found = features(client, zoom=zoom, bbox="11.5,64,12.5,65")
    counted = sum(f["properties"].get("count", 1) for f in found)
    assert counted == 6
    if zoom >= 10:
        assert {f["properties"].get("count") for f in found} == {5, None}
        alone = next(f for f in found if "count" not in f["properties"])
        assert alone["properties"]["ref"] == far.ref


def test_window_counts_where_there_are_too_many(client, monkeypatch):
    from gatami import publication

    monkeypatch.setattr(publication, "MOST_FEATURES", 3)
    for step in range(5):
        factories.report(lat=factories.RANEM[0] + step * 1e-6, commit=False)
    db.session.commit()
    assert [f["properties"] for f in features(client)] == [{"count": 5}]


@pytest.mark.parametrize(
    "query",
    [
        {"bbox": ""},
        {"bbox": "1,2,3"},
        {"bbox": "a,b,c,d"},
        {"zoom": 99},
        {"bbox": "5,5,1,1"},
        {"bbox": "-180,-90,180,90"},
    ],
)
def test_window_that_is_none(client, query):
    assert client.get("/map.geojson", query_string={"bbox": BOX, "zoom": 16} | query).status_code == 400


def test_border(client):
    answer = client.get("/municipalities/5047/border.geojson")
    assert json.loads(answer.data)["geometry"]["type"] == "MultiPolygon"
    assert client.get("/municipalities/5007/border.geojson").status_code == 404
    assert client.get("/municipalities/0000/border.geojson").status_code == 404


def test_the_shell_is_foliums_and_asks_no_other_host(client):
    page = client.get("/").text
    assert 'L.map("map_browse"' in page
    assert "L.tileLayer(" in page
    assert "cdn" not in page
    assert "unpkg" not in page
