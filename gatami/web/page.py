"""What every door uses: who may enter, how a page is made, how times and texts are shown, what goes to the worker."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from cachetools import TTLCache
from flask import Flask, Response, abort, current_app, g, redirect, render_template, request, url_for
from flask_babel import Babel, get_locale, get_translations
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException, SecurityError

from .. import accounts
from ..db import db, now
from ..policy import text as policy
from ..policy.deadlines import OSLO
from ..policy.photos import SIZES
from ..publication import Box, Filters

log = logging.getLogger(__name__)

LANGUAGES = [("nb", "Bokmål"), ("nn", "Nynorsk"), ("en", "English")]
_CODES = [code for code, _ in LANGUAGES]
PER_PAGE = 20
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


# Access -------------------------------------------------------------------------------------------------------


def anyone() -> None:
    """The guard of a door that is open to all; said aloud, so that a door without a guard stands out."""


def requires(act: str) -> Callable[[], Any]:
    """A guard that lets in who may do `act` (`accounts.ACTS`) in some municipality; which one, the door checks."""

    def guard() -> Any:
        if not current_user.is_authenticated:
            return redirect(url_for("accounts.sign_in", next=here()))
        if not accounts.municipalities_of(current_user, act):
            abort(403)
        return None

    return guard


def address() -> str:
    """The caller's IP address, for bounds on how often something is done; it is never stored readably."""
    return request.remote_addr or "unknown"


# Languages ----------------------------------------------------------------------------------------------------


def language() -> str:
    """The visitor's choice, remembered in a cookie; bokmål where there is none."""
    chosen = request.cookies.get("language", "") if request else ""
    return chosen if chosen in _CODES else "nb"


def named(names: dict[str, str] | None, code: str | None = None) -> str:
    """The text in the visitor's language out of one text per language."""
    if not names:
        return ""
    return names.get(code or _locale()) or names.get("nb") or next(iter(names.values()))


def _locale() -> str:
    return str(get_locale() or "nb")


def _catalogue() -> Any:
    code = _locale()
    kept: dict[str, Any] = g.setdefault("catalogues", {})
    if code not in kept:
        kept[code] = get_translations()
    return kept[code]


# Showing ------------------------------------------------------------------------------------------------------


def page(template: str, part: str | None = None, status: int = 200, **context: Any) -> Response:
    """The whole page, or only `part` of it where htmx asks; the page includes the same part."""
    only_part = (
        part and request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    )
    response = current_app.make_response(
        (render_template(part if only_part and part else template, **context), status)
    )
    if part:
        response.vary.add("HX-Request")
    return response


_kept: TTLCache[tuple[Any, ...], tuple[str, str]] = TTLCache(maxsize=2000, ttl=900)
_kept_lock = Lock()


def kept(key: tuple[Any, ...], render: Callable[[], Response]) -> Response:
    """A rendered page that is shown again for a quarter of an hour at most, to visitors who are not signed in.

    `key` names everything of the page that can change, read through the gate at this very request: what was taken
    back is gone at once. The page keeps no nonce; each answer gets its own.
    """
    if current_user.is_authenticated:
        return render()
    key = (language(), request.full_path, *key)
    with _kept_lock:
        found = _kept.get(key)
    if found is None:
        response = render()
        with _kept_lock:
            _kept[key] = (response.get_data(as_text=True), csp_nonce())
        return response
    html, nonce = found
    return Response(html.replace(nonce, csp_nonce()), mimetype="text/html")


def paginate(
    fetch: Callable[[int, int], Sequence[Any]], number: int, per_page: int = PER_PAGE
) -> tuple[Sequence[Any], bool]:
    """The rows of one page, counted from 1, and whether there is another one behind it. `fetch(limit, offset)`."""
    rows = fetch(per_page + 1, (max(number, 1) - 1) * per_page)
    return rows[:per_page], len(rows) > per_page


def page_number() -> int:
    number = request.args.get("page", 1, type=int)
    return min(max(number, 1), 5000)


def _date(value: datetime) -> str:
    return format_date(value.astimezone(OSLO).date(), "long", locale=_locale())


def _datetime(value: datetime) -> str:
    local = value.astimezone(OSLO)
    if _locale() == "en":
        return format_datetime(local, "d MMMM y 'at' HH:mm", locale="en")
    return format_datetime(local, "d. MMMM y 'kl.' HH.mm", locale=_locale())


def since(value: datetime) -> str:
    return format_timedelta(value - now(), add_direction=True, locale=_locale())


def _isoformat(value: datetime) -> str:
    return value.astimezone(OSLO).isoformat(timespec="seconds")


def _distance(metres: float) -> str:
    if metres < 995:
        return f"{round(metres, -1 if metres >= 20 else 0):.0f} m"
    return f"{format_decimal(metres / 1000, '0.0', locale=_locale())} km"


def decimal(value: float) -> str:
    """A number with at most two decimals, as the visitor's language writes it."""
    return format_decimal(value, "0.##", locale=_locale())


@lru_cache(maxsize=4096)
def _address(_url_map: int, _root: str, endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
    return url_for(endpoint, **dict(values))


def address_of(endpoint: str, **values: Any) -> str:
    """`url_for` for templates, which ask for the same fifty addresses on every page."""
    if "_external" in values or endpoint.startswith("."):
        return url_for(endpoint, **values)
    try:
        return _address(id(current_app.url_map), request.script_root, endpoint, tuple(values.items()))
    except (TypeError, RuntimeError):
        # A list among the values, or no request, as in a mail.
        return url_for(endpoint, **values)


def masked(text: str | None) -> Markup:
    """A public text, where each mask is explained to the mouse and to a screen reader."""
    code = _locale()
    parts = []
    for piece, kind in policy.mask_parts(text or ""):
        if kind is None:
            parts.append(escape(piece))
        else:
            why = policy.KINDS[kind].explanation[code]
            parts.append(
                Markup(
                    '<span class="mask" tabindex="0" title="{}">{}<span class="ds-sr-only" lang="{}"> ({})</span></span>'
                ).format(why, piece, code, why)
            )
    return Markup("").join(parts)


def csp_nonce() -> str:
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _csp(app: Flask) -> str:
    tiles = urlsplit(app.config["TILE_URL"].replace("{s}", "a"))
    host = f"{tiles.scheme}://{tiles.netloc}" if tiles.netloc else ""
    return (
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' 'nonce-{nonce}'; "
        f"img-src 'self' data: blob: {host}; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def is_staff() -> bool:
    return bool(current_user.is_authenticated and accounts.municipalities_of(current_user, "handle"))


def here() -> str:
    """Path of the page that is read; of an answer to a form, the page that the form stands on."""
    if not request:
        return "/"
    if request.method in ("GET", "HEAD"):
        return request.full_path.rstrip("?")
    path = request.path.rstrip("/")
    while path:
        for page_path in (path, f"{path}/new"):
            if current_app.create_url_adapter(request).test(page_path, "GET"):  # type: ignore[union-attr]
                return page_path
        path = path.rpartition("/")[0]
    return "/"


def plain(value: str) -> str:
    """What was typed, with one kind of line break and without control characters, which no feed may hold (XML 1.0)."""
    return _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def local_path(target: str | None, default: str) -> str:
    """A path on this site to go on to, whatever a link's parameter says."""
    target = target or ""
    parts = urlsplit(target)
    safe = (
        target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and not parts.netloc
        and not parts.scheme
    )
    return target if safe and "\n" not in target and "\r" not in target else default


# What was asked for -------------------------------------------------------------------------------------------


def filters() -> Filters:
    """The filters that the address of the page asks for."""

    def asked(name: str, most: int) -> str:
        return plain(request.args.get(name, ""))[:most]

    return Filters(
        municipality=asked("municipality", 4),
        category=asked("category", 60),
        state=asked("state", 30),
        q=asked("q", 100),
        place=asked("place", 100),
        box=box(asked("bbox", 100)),
    )


def box(corners: str) -> Box | None:
    """`west,south,east,north` in degrees; None where it is no box."""
    try:
        west, south, east, north = (float(corner) for corner in corners.split(","))
    except ValueError:
        return None
    if -180 <= west < east <= 180 and -90 <= south < north <= 90:
        return west, south, east, north
    return None


# The worker ---------------------------------------------------------------------------------------------------


def enqueue(task: str, *ids: int) -> None:
    """Wake the worker, after the commit. The row is the truth: what is lost here is found by the next sweep."""
    try:
        current_app.extensions["tasks"][task](*ids)
    except Exception:
        log.warning("The queue did not take %s; the sweep will.", task, exc_info=True)


# The app ------------------------------------------------------------------------------------------------------


def widths(photo: Any) -> list[tuple[str, int]]:
    """Each public size of a photo and how wide it is in pixels; a small picture is not listed twice."""
    longest = max(photo.width, photo.height)
    found = {round(photo.width * min(1, side / longest)): size for size, side in reversed(SIZES.items())}
    return [(size, width) for width, size in sorted(found.items())]


def init_app(app: Flask) -> None:
    Babel(app, default_locale="nb", default_timezone="Europe/Oslo", locale_selector=language)
    # Flask-Babel looks its catalogue up anew for each of a page's hundred texts; it is the same one for all of them.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalogue().ugettext(text),
        lambda one, many, number: _catalogue().ungettext(one, many, number),
        newstyle=True,
    )
    csp = _csp(app)

    @app.context_processor
    def shared() -> dict[str, Any]:
        return {
            "languages": LANGUAGES,
            "language": _locale(),
            "csp_nonce": csp_nonce,
            "is_staff": is_staff,
            "here": here,
        }

    app.jinja_env.filters.update(
        named=named,
        date_=_date,
        datetime_=_datetime,
        since=since,
        isoformat=_isoformat,
        moment=datetime.fromisoformat,
        distance=_distance,
        masked=masked,
        widths=widths,
    )
    app.jinja_env.globals["url_for"] = address_of
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.after_request
    def secure(response: Response) -> Response:
        headers = response.headers
        if response.mimetype == "text/html":
            headers.setdefault("Content-Security-Policy", csp.format(nonce=csp_nonce()))
            response.vary.add("Cookie")
            headers.setdefault("Cache-Control", "no-cache" if request.blueprint == "public" else "no-store")
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "geolocation=(self), camera=(), microphone=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if app.config["SESSION_COOKIE_SECURE"]:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        return response

    @app.before_request
    def refuse_nul() -> None:
        """No person types a NUL, and PostgreSQL stores none."""
        if "\x00" in request.path:
            abort(404)
        if any("\x00" in value for values in (request.args, request.form) for value in values.values()):
            abort(400)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Any:
        if error.code is None or error.code < 400:
            return error
        if isinstance(error, SecurityError):
            # The Host is none of ours, so no address of a page can be made.
            return Response("Unknown host.\n", 400, mimetype="text/plain")
        db.session.rollback()
        code = 400 if isinstance(error, CSRFError) else error.code
        response = page("error.html", status=code, code=code, csrf=isinstance(error, CSRFError))
        for name, value in error.get_headers(None, request.environ if request else None):
            if name.lower() in ("allow", "retry-after"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Any:
        log.error("An error nobody expected.", exc_info=error)
        db.session.rollback()
        return page("error.html", status=500, code=500, csrf=False)


def too_many() -> Response:
    """The page for somebody who tries too often."""
    response = page("error.html", status=429, code=429, csrf=False)
    response.headers["Retry-After"] = "900"
    return response
