"""What everyone may see: the map with its list, a case, its photos, and the pages about the site itself."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from flask_babel import gettext as _

from .. import media, publication
from ..db import db
from ..policy.photos import FORMATS, SIZES
from . import page

bp = Blueprint("public", __name__)
bp.before_request(page.anyone)

MOST_COUNTED = 1000
"""Beyond this a list says 'more than', because nobody reads on and counting costs."""


def municipality_shown(municipalities: list[Any], number: str) -> Any:
    """The municipality that was asked for, or the one that the map opens on."""
    number = number or current_app.config["DEFAULT_MUNICIPALITY"]
    return next(
        (m for m in municipalities if m.number == number), municipalities[0] if municipalities else None
    )


@bp.get("/")
def index() -> Response:
    wanted = page.filters()
    number = page.page_number()
    rows, more = page.paginate(lambda limit, offset: publication.reports(wanted, limit, offset), number)
    municipalities = list(db.session.scalars(publication.municipalities()))
    shown = municipality_shown(municipalities, wanted.municipality)
    categories = list(db.session.scalars(publication.categories(shown.number if shown else "")))
    west, south, east, north = wanted.box or (0.0, 0.0, 0.0, 0.0)
    centre = {"lat": (south + north) / 2, "lon": (west + east) / 2, "zoom": 14} if wanted.box else None
    return page.page(
        "public/index.html",
        part="public/_list.html",
        reports=rows,
        total=publication.count(wanted, MOST_COUNTED + 1),
        most_counted=MOST_COUNTED,
        page=number,
        next_page=number + 1 if more else None,
        prev_page=number - 1 if number > 1 else None,
        filters={
            name: request.args.get(name, "")
            for name in ("municipality", "category", "state", "q", "place", "bbox")
        },
        categories=categories,
        municipalities=municipalities,
        municipality=shown,
        map=centre or ({"lat": shown.lat, "lon": shown.lon, "zoom": shown.zoom} if shown else None),
        feed_url=url_for(
            "open_data.feed", category=wanted.category or None, municipality=wanted.municipality or None
        ),
    )


@bp.get("/reports/<ref>")
def report(ref: str) -> Response:
    found = publication.report(ref.upper())
    if found is None:
        return _no_such_case()

    def render() -> Response:
        return page.page(
            "public/report.html",
            report=found,
            events=publication.events(found.id),
            photos=publication.photos(found.id),
            map={"lat": found.lat, "lon": found.lon, "zoom": 16},
        )

    # Every public change of a report touches its row, so the row names everything that its page shows.
    key = (
        found.ref,
        found.changed_at,
        found.state,
        found.text_publication,
        found.follower_count,
        found.photo_key,
        found.place_name,
        page.since(found.created_at),
    )
    return page.kept(key, render)


def _no_such_case() -> Response:
    """The same words for a case that never was and for one that was taken down, so that they tell nothing of it."""
    message = _(
        "There is no case here that everyone can see. If there was one, it has been taken down because it may have shown "
        "something private. The municipality handles it all the same."
    )
    return page.page("error.html", status=404, code=404, csrf=False, message=message)


@bp.get("/photos/<key>/<size>.<format_>")
def photo(key: str, size: str, format_: str) -> Response:
    """A released photo. The row decides as well as the file: one of the two alone shows nothing."""
    if size not in SIZES or format_ not in FORMATS or not publication.photo_is_public(key):
        abort(404)
    try:
        data = media.released.get(f"{key}/{size}.{format_}")
    except media.NoSuchMedia:
        abort(404)
    response = Response(data, mimetype=FORMATS[format_])
    response.headers["Cache-Control"] = "public, max-age=5"
    return response


@bp.get("/about")
def about() -> Response:
    return page.page(
        "public/about.html", municipalities=db.session.scalars(publication.municipalities()).all()
    )


@bp.get("/privacy")
def privacy() -> Response:
    return page.page(
        "public/privacy.html", municipalities=db.session.scalars(publication.municipalities()).all()
    )


@bp.get("/accessibility")
def accessibility() -> Response:
    return page.page("public/accessibility.html")


@bp.get("/language/<code>")
def language(code: str) -> Any:
    """Remember a language and go back to the page that was read."""
    if code not in dict(page.LANGUAGES):
        abort(404)
    response = redirect(page.local_path(request.args.get("next"), url_for("public.index")), 303)
    response.set_cookie(
        "language",
        code,
        max_age=365 * 24 * 3600,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


@bp.get("/health")
def health() -> Response:
    """Whether this process reads its database."""
    db.session.execute(publication.municipalities().limit(1)).all()
    return Response("ok\n", mimetype="text/plain")
