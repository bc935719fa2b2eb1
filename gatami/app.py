"""The app: every room put together. `create_app` is the only place that knows them all. See ARCHITECTURE.md."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import Flask
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from sqlalchemy import make_url
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Config

from . import accounts, cli, db, jobs, media
from .web import accounts as accounts_door
from .web import desk, flagging, following, maps, mine, moderation, open_data, page, public, reporting

ROOT = Path(__file__).resolve().parent.parent

SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS")


class NotConfigured(SystemExit):
    """The start stops with one line that says which setting is missing or wrong."""


def create_app(**overrides: Any) -> Flask:
    """The app, from `config.Config`, the environment `GATAMI_*` over it, and `overrides` over both.

    Raises NotConfigured where a secret is missing.
    """
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.from_object(Config)
    app.config.update(_from_environment())
    app.config.update(overrides)
    if cli.asks_the_policy_alone():
        cli.init_app(app)
        return app
    _check(app)
    _derive(app)
    if proxies := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]

    db.init_app(app)
    media.configure(app.config["MEDIA_ROOT"])
    Migrate(app, db.db, directory=str(ROOT / "migrations"))
    csrf = CSRFProtect(app)
    csrf.exempt(following.unsubscribe)
    login = LoginManager(app)
    login.user_loader(accounts.by_session)
    login.login_view = "accounts.sign_in"
    # The page says itself why it asks, in the reader's language.
    login.login_message = None
    login.session_protection = "basic"

    page.init_app(app)
    for door in (
        public,
        maps,
        open_data,
        reporting,
        following,
        flagging,
        mine,
        accounts_door,
        moderation,
        desk,
    ):
        app.register_blueprint(door.bp)
    jobs.init_app(app)
    cli.init_app(app)
    return app


def _from_environment() -> dict[str, Any]:
    """Settings from `GATAMI_<NAME>`, of the type that the default has."""
    found: dict[str, Any] = {}
    for name, default in vars(Config).items():
        value = os.environ.get(f"GATAMI_{name}")
        if name.isupper() and value is not None:
            try:
                found[name] = type(default)(value)
            except ValueError as error:
                raise NotConfigured(
                    f"GATAMI_{name} must be a {type(default).__name__}, not {value!r}."
                ) from error
    return found


def _check(app: Flask) -> None:
    missing = [f"GATAMI_{name}" for name in SECRETS if not app.config[name]]
    if missing:
        raise NotConfigured(f"GataMi does not start without {' and '.join(missing)}. See config.py.")
    if len(app.config["SECRET_KEY"]) < 32:
        raise NotConfigured("GATAMI_SECRET_KEY needs at least 32 characters.")
    private, public_ = app.config["DATABASE_URL"], app.config["PUBLIC_DATABASE_URL"]
    if private.startswith("postgresql") and (
        not public_ or make_url(public_).username in (None, make_url(private).username)
    ):
        raise NotConfigured(
            "GATAMI_PUBLIC_DATABASE_URL must name a role of its own: public pages must not read as the owner of tables."
        )


def _derive(app: Flask) -> None:
    """What Flask and its extensions want to know, from our own settings."""
    scheme, _, host = app.config["BASE_URL"].rstrip("/").partition("://")
    https = scheme == "https"
    app.config.update(
        TESTING=app.config["MODE"] == "testing",
        # Links in mails and feeds are made outside a request.
        SERVER_NAME=host,
        PREFERRED_URL_SCHEME=scheme,
        # A page names its own address in feeds and previews; whoever sends another Host must not choose it.
        TRUSTED_HOSTS=[host.partition(":")[0]] if app.config["MODE"] == "production" else None,
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="__Host-gatami" if https else "gatami",
        PERMANENT_SESSION_LIFETIME=12 * 3600,
        # Twelve hours from the sign-in, and not from the last click.
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_FORM_MEMORY_SIZE=1_000_000,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        SQLALCHEMY_ENGINE_OPTIONS={},
    )
