import pytest

from gatami import cases, create_app, reports
from gatami.db import db

from .. import factories


def hrefs(page):
    import re

    return re.findall(r'(?:href|src|action)="([^"]+)"', page.text)


def test_index(client):
    made = factories.report(text="Stort hull ved kirka")
    page = client.get("/")
    assert page.status_code == 200
    assert "Stort hull ved kirka" in page.text
    assert f"/reports/{made.ref}" in hrefs(page)
    assert 'lang="nb"' in page.text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", True),
        ("?category=hull-i-vegen", True),
        ("?category=gatelys", False),
        ("?state=open", True),
        ("?state=fixed", False),
        ("?state=received", True),
        ("?q=KIRKA", True),
        ("?q=%25", False),
        ("?q=_irka", False),
        ("?place=ranem", True),
        ("?place=skage", False),
        ("?municipality=5047", True),
        ("?municipality=5045", False),
        ("?bbox=11.9,64.4,12.0,64.5", True),
        ("?bbox=11.0,64.4,11.1,64.5", False),
        ("?bbox=rubbish", True),
        ("?page=2", False),
        ("?page=x", True),
        ("?page=-3", True),
    ],
)
def test_index_filters(client, query, shown):
    factories.report(text="Hull ved kirka", place_name="Ranemsletta, Overhalla")
    page = client.get("/" + query)
    assert page.status_code == 200
    assert ("Hull ved kirka" in page.text) == shown


def test_index_gives_htmx_the_list_alone(client):
    factories.report(text="Hull ved kirka")
    part = client.get("/", headers={"HX-Request": "true"})
    assert "Hull ved kirka" in part.text
    assert "<html" not in part.text
    assert "HX-Request" in part.headers["Vary"]


def test_index_turns_its_pages(client):
    for number in range(23):
        factories.report(text=f"Hull nummer {number}.", commit=False)
    db.session.commit()
    first, second = client.get("/").text, client.get("/?page=2").text
    assert first.count("Hull nummer") >= 20
    assert "Hull nummer 0." not in first
    assert "Hull nummer 0." in second


def test_report(client):
    actor = factories.user("Liv Prøvesen")
    made = factories.report(text="Ring 400 00 123 om hullet")
    cases.change_state(made, actor, "planned", made.version, "Vi tar det på torsdag.")
    db.session.commit()
    page = client.get(f"/reports/{made.ref.lower()}")
    assert page.status_code == 200
    assert "400 00 123" not in page.text
    assert "[telefonnummer]" in page.text
    assert "Vi tar det på torsdag." in page.text
    assert "Liv Prøvesen" in page.text
    assert "Teknisk avdeling" in page.text
    assert 'property="og:title"' in page.text
    assert f"/feeds/reports/{made.ref}.atom" in page.text


def test_report_without_a_text_yet(client):
    actor, made = factories.user(), factories.report(text="Noe om naboen")
    reports.hold_text(made, actor)
    db.session.commit()
    page = client.get(f"/reports/{made.ref}")
    assert page.status_code == 200
    assert "Noe om naboen" not in page.text


def test_report_that_is_none(client):
    assert client.get("/reports/XXXXXXXX").status_code == 404


def test_a_withdrawn_report_keeps_a_page_and_leaves_the_list(client):
    made = factories.report(text="Hull ved kirka")
    reports.withdraw(made)
    db.session.commit()
    assert made.ref not in client.get("/").text
    assert client.get(f"/reports/{made.ref}").status_code == 200
    assert made.ref in client.get("/?state=withdrawn").text


def test_photo(client):
    made = factories.report(photos=[factories.picture(), factories.picture()])
    factories.review(made)
    reports.hold_photo(made.photos[1], factories.user())
    db.session.commit()
    photo, held = made.photos
    for size, ending, kind in (("small", "webp", "image/webp"), ("medium", "jpg", "image/jpeg")):
        shown = client.get(f"/photos/{photo.public_key}/{size}.{ending}")
        assert (shown.status_code, shown.mimetype) == (200, kind)
    for nothing in (
        f"/photos/{photo.public_key}/original.webp",
        f"/photos/{photo.public_key}/small.png",
        f"/photos/{photo.key}/small.webp",
        f"/photos/{held.key}/small.webp",
    ):
        assert client.get(nothing).status_code == 404
    page = client.get(f"/reports/{made.ref}").text
    assert 'alt="Bilde til melding om hull i vegen"' in page
    assert f"/photos/{photo.public_key}/small.webp 320w" in page
    # The row decides too: a file that stayed behind is not shown.
    photo.publication = "held"
    db.session.commit()
    assert client.get(f"/photos/{photo.public_key}/small.webp").status_code == 404


def test_text_is_escaped(client):
    made = factories.report(text="<script>alert(1)</script> & <b>hull</b>")
    for url in ("/", f"/reports/{made.ref}", "/feeds/reports.atom"):
        text = client.get(url).text
        assert "<script>alert(1)" not in text
        assert "<b>hull" not in text


@pytest.mark.parametrize("url", ["/about", "/privacy", "/accessibility"])
def test_pages_about_the_site(client, url):
    assert client.get(url).status_code == 200


def test_health(client):
    assert client.get("/health").text == "ok\n"


@pytest.mark.parametrize(("code", "word"), [("nb", "Meld fra"), ("nn", "Meld frå"), ("en", "Report")])
def test_language_is_remembered(client, code, word):
    answer = client.get(f"/language/{code}?next=/about")
    assert (answer.status_code, answer.location) == (303, "/about")
    page = client.get("/")
    assert f'<html lang="{code}"' in page.text
    assert word in page.text


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", ""]
)
def test_language_goes_on_to_this_site_alone(client, target):
    assert client.get("/language/nn", query_string={"next": target}).location == "/"


def test_language_that_is_none(client):
    assert client.get("/language/xx").status_code == 404


def test_headers_keep_the_page_to_itself(client):
    headers = client.get("/").headers
    csp = headers["Content-Security-Policy"]
    assert "default-src 'none'" in csp
    assert "'unsafe-inline'" not in csp
    assert "'unsafe-eval'" not in csp
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_scripts_carry_the_nonce_and_pages_no_inline_style(client):
    import re

    made = factories.report()
    for url in ("/", f"/reports/{made.ref}", "/reports/new", "/follow"):
        page = client.get(url)
        nonce = re.search(r"script-src 'nonce-([^']+)'", page.headers["Content-Security-Policy"])[1]
        scripts = re.findall(r"<script[^>]*>", page.text)
        assert scripts
        assert all(f'nonce="{nonce}"' in script for script in scripts)
        assert not re.search(r"<[^>]+\sstyle=", page.text)
        assert not re.search(r"<[^>]+\son[a-z]+=", page.text)
        hosts = set(re.findall(r'(?:src|href)="(?:https?:)?//([^/"]+)', page.text))
        assert hosts <= {"localhost"}, "assets come from this host"


def test_an_unknown_host_is_refused_plainly(settings):
    app = create_app(**(settings | {"MODE": "production", "BASE_URL": "https://gatami.example"}))
    client = app.test_client()
    assert client.get("/health", base_url="https://gatami.example").status_code == 200
    answer = client.get("/health", base_url="https://evil.example")
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def test_language_links_lead_to_pages_after_a_form_was_refused(client):
    page = client.post("/reports", data={"text": ""})
    assert page.status_code == 422
    assert "/language/nn?next=/reports/new" in page.text.replace("%2F", "/")


def test_an_error_inside_shows_a_page_and_no_details(client, monkeypatch):
    from gatami import publication

    def broken(*_args):
        raise RuntimeError("hemmelig feil")

    monkeypatch.setattr(publication, "reports", broken)
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    page = client.get("/")
    assert page.status_code == 500
    assert "hemmelig" not in page.text
