"""What other programs read: Atom feeds with places (GeoRSS)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask_babel import gettext as _

from .. import publication
from ..publication import Filters
from . import page

bp = Blueprint("open_data", __name__)
bp.before_request(page.anyone)

MOST_ENTRIES = 50


def _atom(**context: Any) -> Response:
    body = render_template("feeds/atom.xml", self_url=request.url, **context)
    response = Response(body, mimetype="application/atom+xml")
    response.headers["Cache-Control"] = "public, max-age=5"
    return response


@bp.get("/feeds/reports.atom")
def feed() -> Response:
    """The newest reports, of one category or municipality where asked."""
    wanted = Filters(
        municipality=request.args.get("municipality", "")[:4], category=request.args.get("category", "")[:60]
    )
    rows = publication.reports(wanted, MOST_ENTRIES)
    entries = [
        {
            "id": url_for("public.report", ref=row.ref, _external=True),
            "url": url_for("public.report", ref=row.ref, _external=True),
            "title": ", ".join(filter(None, (page.named(row.category_names), row.place_name))),
            "updated": row.changed_at,
            "published": row.created_at,
            "summary": row.text,
            "lat": row.lat,
            "lon": row.lon,
            "category": row.category_slug,
            "state": row.state,
        }
        for row in rows
    ]
    return _atom(
        title=_("Reports in GataMi"),
        html_url=url_for("public.index", _external=True, category=wanted.category or None),
        updated=max((row.changed_at for row in rows), default=None),
        entries=entries,
    )


@bp.get("/feeds/reports/<ref>.atom")
def report_feed(ref: str) -> Response:
    """What has happened to one report."""
    report = publication.report(ref.upper())
    if report is None:
        abort(404)
    url = url_for("public.report", ref=report.ref, _external=True)
    entries = [
        {
            "id": f"{url}#event-{event.id}",
            "url": f"{url}#event-{event.id}",
            "title": None,
            "kind": event.kind,
            "updated": event.at,
            "published": event.at,
            "summary": event.text,
            "actor_name": event.actor_name,
            "lat": report.lat,
            "lon": report.lon,
            "category": report.category_slug,
            "state": event.to_state,
        }
        for event in reversed(publication.events(report.id))
    ]
    return _atom(
        title=", ".join(filter(None, (page.named(report.category_names), report.place_name, report.ref))),
        html_url=url,
        updated=report.changed_at,
        entries=entries[:MOST_ENTRIES],
    )
