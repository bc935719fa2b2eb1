"""The canary crawl: a token in every private column and file, then every public address, and no token found.

A token is a made-up word that the policy layer has no reason to hide, so that only the gate keeps it in.
"""

import itertools
import json
import re
from collections import deque
from datetime import timedelta
from io import BytesIO
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from PIL import Image
from sqlalchemy import String, cast, literal, update

from gatami import cases, media, notifications, reports
from gatami.accounts import Attempt
from gatami.db import PUBLIC, DataKey, Sealed, db, now
from gatami.reports import AreaFollow

from . import factories

CANARY = "kvitrefugl"
PRIVATE_ROUTES = {"desk", "moderation", "accounts", "mine"}
"""Doors behind a sign-in, about one, or wholly behind a secret link; the others are public or opened by such a link."""
SECRET_LINKS = {
    "reporting.receipt", "following.confirm_follow", "following.confirm", "following.unsubscribe",
}  # fmt: skip


class Tokens:
    def __init__(self):
        self.number = itertools.count(1000)
        self.planted = {}

    def __call__(self, where):
        token = f"{CANARY}{next(self.number)}"
        self.planted[token] = where
        return token


@pytest.fixture
def tokens():
    return Tokens()


def picture(tokens):
    exif = Image.Exif()
    for tag in (0x010E, 0x013B, 0x8298, 0x9C9C):
        exif[tag] = tokens(f"photo metadata {tag:#x}")
    exif.get_ifd(0x8825)[2] = (64.0, 29.0, 29.0)
    out = BytesIO()
    Image.new("RGB", (600, 400), "#446688").save(
        out, "JPEG", exif=exif, comment=tokens("photo comment").encode(), quality=90
    )
    return out.getvalue()


@pytest.fixture
def planted(app, tokens):
    """Reports in several states, made by the real verbs with a token wherever something private can stand."""
    staff = factories.user(email=f"{tokens('staff e-mail')}@prove.example")
    made = []
    for number, state in enumerate(
        (
            "received",
            "planned",
            "resolved",
            "declined",
            "withdrawn",
            "held",
            "duplicate",
            "removed",
            "flagged",
            "unpublished",
        )
    ):
        report = factories.report(
            text=f"Hull nummer {number} i vegen",
            name=tokens("reporter's name"),
            email=f"{tokens('reporter e-mail')}@prove.example",
            phone="400 00 123",
            answers={"size": "large"},
            photos=[picture(tokens), picture(tokens)],
            token=tokens("form token"),
            lat=factories.RANEM[0] + number * 1e-3,
        )
        made.append(report)
        factories.review(report)
        db.session.commit()
        reports.publish_photo(report.photos[0], staff, f"Bilde {number}")
        reports.hold_photo(report.photos[1], staff)
        cases.note(report, staff, tokens("internal note"))
        follow = reports.follow(report, f"{tokens('follower e-mail')}@prove.example", "nb")
        reports.confirm_follow(follow)
        cases.assign(report, staff, staff, report.version)
        db.session.commit()
        if state == "withdrawn":
            reports.withdraw(report)
        elif state == "held":
            report.public_text = f"Hull {tokens('text that is held')}"
            cases.hold_text(report, staff, report.version)
        elif state in ("removed", "flagged", "unpublished"):
            _moderate(report, staff, state, tokens)
        elif state != "received":
            cases.change_state(
                report, staff, state, report.version, "Offentlig svar.", duplicate_of=made[0].ref
            )
        db.session.commit()
        original = report.original
        contents = {
            "text": tokens("original text"),
            "masked": tokens("kept masked text"),
            "name": tokens("name"),
        }
        contents |= {
            "email": tokens("email"),
            "phone": tokens("phone"),
            "answers": {"size": tokens("answer")},
        }
        original.sealed = original.data_key.seal(json.dumps(contents).encode())
        contact = {field: tokens(f"contact {field}") for field in ("name", "email", "phone")}
        original.contact = DataKey.named(original.contact_key).seal(json.dumps(contact).encode())
    reports.keep(made[0], now() + timedelta(days=9), tokens("why it is kept"), by=tokens("who keeps it"))
    area = AreaFollow(
        municipality=factories.municipality(), email=f"{tokens('area e-mail')}@prove.example", language="nb"
    )
    reports.follow_area(area)
    reports.confirm_follow(area)
    notifications.queue(
        "change",
        f"{tokens('recipient')}@prove.example",
        "nb",
        tokens("delivery key"),
        {"x": tokens("payload")},
    )
    db.session.add(Attempt(purpose="submit", who=tokens("attempt")))
    db.session.commit()
    _plant_the_rest(tokens)
    db.session.commit()
    media.private.put("photos/loose/original", tokens("file in the private store").encode())
    return made


def _moderate(report, staff, state, tokens):
    """Take a text away that was public, with a token in every word that is said about it."""
    reports.publish_text(report, f"Hull {tokens(f'text that was {state}')}", staff)
    if state == "flagged":
        reports.flag(report, "personal", tokens("who flagged"))
        reports.hold_text(report, None, act="flagged")
    elif state == "removed":
        reports.hold_text(report, staff, tokens("reason of staff"), act="removed")
    else:
        incident = reports.unpublish(report, staff, tokens("incident"))
        reports.log_incident(incident, staff, tokens("entry of an incident"))
    reports.looked(report, staff, "text")
    decision = reports.decisions(report)[-1]
    decision.actor_id = None
    reports.object_to(decision, tokens("objection"))
    reports.answer_objection(decision, staff, "upheld", tokens("answer to an objection"))


def _shown_columns():
    """Columns of tables that a public view shows, by the names that the views give them."""
    renamed = {
        ("reports", "text"): "public_text", ("reports", "duplicate_of"): "duplicate_of_ref",
        ("reports", "photo_key"): "cover_key", ("reports", "photo_alt"): "cover_alt",
        ("photos", "key"): "public_key",
    }  # fmt: skip
    shown = set()
    for mapper in db.Model.registry.mappers:
        if getattr(mapper.class_, "__bind_key__", None) == PUBLIC:
            table = mapper.class_.__tablename__.removeprefix("public_")
            shown |= {(table, renamed.get((table, c.name), c.name)) for c in mapper.columns}
    return shown


# Words that rules depend on; a token there would change what is shown instead of lying beside it.
RULES = {
    ("users", "language"), ("users", "name"), ("follows", "language"), ("area_follows", "language"), ("memberships", "role"),
    ("area_follows", "frequency"), ("deliveries", "language"), ("deliveries", "kind"), ("deliveries", "state"),
    ("photos", "publication"), ("deliveries", "channel"), ("reports", "submission"),
}  # fmt: skip
"""A caseworker's name stands in public beside an answer; the seed asks for that."""


def _plant_the_rest(tokens):
    """A token in every text column that no view shows and the verbs did not fill; new columns come along by themselves."""
    shown = _shown_columns()
    for table in db.metadatas[None].sorted_tables:
        for column in table.columns:
            name = (table.name, column.name)
            if name in shown or name in RULES or column.primary_key or column.foreign_keys:
                continue
            if isinstance(column.type, Sealed):
                if name in {("events", "private"), ("deliveries", "payload")}:
                    value = (
                        {"x": tokens(".".join(name))} if column.name == "payload" else tokens(".".join(name))
                    )
                    db.session.execute(update(table).values({column: value}))
            elif isinstance(column.type, String) and not column.unique:
                # With the row's key behind it, since some of these columns are unique together with others.
                key = next(iter(table.primary_key.columns))
                token = literal(tokens(".".join(name)) + "-")
                db.session.execute(update(table).values({column: token + cast(key, String)}))


def public_addresses(app, planted):
    """Every public GET route, filled in with what there is."""
    refs = [report.ref for report in planted]
    keys = [
        key for report in planted for photo in report.photos for key in (photo.key, photo.public_key) if key
    ]
    values = {
        "ref": refs,
        "key": keys,
        "size": ["small", "large", "original", "plain"],
        "format_": ["webp", "jpg"],
        "number": ["5047", "5045", "5007"],
        "code": ["nb", "nn", "en"],
        "filename": ["css/base.css"],
    }
    for rule in app.url_map.iter_rules():
        if (
            "GET" not in rule.methods
            or rule.endpoint in SECRET_LINKS
            or rule.endpoint.split(".")[0] in PRIVATE_ROUTES
        ):
            continue
        names = sorted(rule.arguments)
        for filling in itertools.product(*(values[name] for name in names)):
            with app.test_request_context():
                yield app.url_for(rule.endpoint, **dict(zip(names, filling, strict=True)), _external=False)


QUERIES = [
    *(f"/map.geojson?bbox=11,64,13,65&zoom={zoom}" for zoom in (1, 8, 12)),
    *(f"/map.geojson?bbox=11.9,64.4,12.1,64.6&zoom={zoom}" for zoom in (14, 15, 16)),
    "/map.geojson?bbox=11.9,64.4,12.1,64.6&zoom=16&state=closed",
    f"/map.geojson?bbox=11.9,64.4,12.1,64.6&zoom=16&q={CANARY}",
    f"/?q={CANARY}",
    *(f"/?state={state}" for state in ("open", "fixed", "closed", "withdrawn", "duplicate")),
    "/?page=2",
    "/?place=a",
    "/feeds/reports.atom?category=hull-i-vegen",
    "/feeds/reports.atom?municipality=5047",
    f"/reports/new/about?category=hull-i-vegen&lat={factories.RANEM[0]}&lon={factories.RANEM[1]}",
]


def crawl(client, start):
    """Every answer that can be reached from `start` by links of this site: address → bytes and headers."""
    seen, waiting = {}, deque(start)
    while waiting:
        url = urldefrag(waiting.popleft())[0]
        if (
            url in seen
            or urlsplit(url).netloc not in ("", "localhost")
            or url.startswith(("/static", "/language"))
        ):
            continue
        answer = client.get(url)
        seen[url] = answer.data + str(answer.headers).encode()
        assert answer.status_code < 500, url
        if answer.mimetype == "text/html":
            for found in re.findall(r'(?:href|src|hx-get|data-src)="([^"]+)"', answer.text):
                waiting.append(urljoin(url, found.replace("&amp;", "&")))
        answer.close()
        assert len(seen) < 2000
    return seen


def leaks(seen, tokens):
    found = {}
    for url, body in seen.items():
        for token in re.findall(rb"kvitrefugl\d+", body):
            if token.decode() not in url:
                found.setdefault(tokens.planted.get(token.decode(), "?"), set()).add(url)
    return found


def test_no_token_is_found_in_public(app, client, planted, tokens):
    seen = crawl(client, [*public_addresses(app, planted), *QUERIES])
    assert len(seen) > 60
    assert any(b"Offentlig svar." in body for body in seen.values()), "the crawl reads real pages"
    assert any(body.startswith(b"RIFF") for body in seen.values()), "and real photos"
    assert len(tokens.planted) > 100
    assert leaks(seen, tokens) == {}


def test_no_token_is_found_after_what_moderators_do(app, client, planted, tokens):
    """Flags, holds, removals, objections, lifted words and an incident leave nothing behind that can be read."""
    shown = [report for report in planted if report.text_publication == "published"]
    flagged, removed, released, taken = shown[:4]
    colleague, leader = factories.user("Ida Prøvesen"), factories.user("Siv Prøvesen", "leader")
    reports.flag(flagged, "personal", tokens("address of who flags"))
    reports.hold_text(flagged, None, act="flagged")
    reports.hold_photo(next(photo for photo in flagged.photos if photo.publication == "published"), None)
    reports.hold_text(removed, colleague, tokens("reason for the author"), "removed")
    decision = reports.decisions(removed)[-1]
    reports.object_to(decision, tokens("objection"))
    reports.answer_objection(decision, leader, "upheld", tokens("answer to an objection"))
    reports.publish_text(released, "Hull i vegen.", colleague)
    reports.looked(released, colleague, "text")
    incident = reports.unpublish(taken, leader, tokens("what happened"))
    reports.log_incident(incident, leader, tokens("log of an incident"))
    db.session.commit()
    seen = crawl(client, [*public_addresses(app, planted), *QUERIES])
    assert leaks(seen, tokens) == {}
    gone = {url for url, body in seen.items() if taken.ref.encode() in body and taken.ref not in url}
    assert gone == set(), "a report that was taken down is named nowhere"


def test_the_crawl_finds_a_leak_where_there_is_one(app, client, planted, tokens):
    """A crawl that finds nothing proves something only if it would have found it."""
    report = planted[0]
    report.public_text = tokens("public text")
    db.session.commit()
    seen = crawl(client, [*public_addresses(app, planted), *QUERIES])
    ((where, urls),) = leaks(seen, tokens).items()
    assert where == "public text"
    assert {"/", f"/reports/{report.ref}", "/feeds/reports.atom"} <= urls
    assert any(url.startswith("/map.geojson") for url in urls)


def test_released_files_carry_no_metadata(app, planted):
    files = list(media.released.path("x").parent.rglob("*.webp"))
    assert files
    for path in files:
        with Image.open(path) as shown:
            assert not shown.getexif()
            assert not ({"exif", "xmp", "icc_profile", "comment"} & set(shown.info))


def test_held_photos_lie_in_no_public_file(app, planted):
    assert any(photo.publication == "held" for report in planted for photo in report.photos)
    shown = {
        photo.public_key for report in planted for photo in report.photos if photo.publication == "published"
    }
    public = {path.name for path in media.released.path("x").parent.iterdir()}
    assert public == shown
