"""Signing in and out, choosing a password, and one's own page."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, current_app, redirect, request, session, url_for
from flask_login import current_user, login_required, login_user, logout_user

from .. import accounts, notifications, reports
from ..db import BadLink, db, keyring
from . import page

bp = Blueprint("accounts", __name__)
bp.before_request(page.anyone)

PASSWORD_LINK_S = 3600


@bp.get("/sign-in")
def sign_in() -> Response:
    return page.page("accounts/sign_in.html", errors={}, email="", next=request.args.get("next", ""))


@bp.post("/sign-in")
def start_session() -> Any:
    email, error, status = page.plain(request.form.get("email", ""))[:254].strip(), "", 422
    try:
        user = accounts.authenticate(
            email,
            request.form.get("password", "")[:1000],
            page.address(),
            current_app.config["SIGN_IN_FAILURES"],
        )
    except accounts.WrongEmailOrPassword:
        error = "wrong"
    except accounts.TooManyAttempts:
        error, status = "too_many", 429
    db.session.commit()
    if error:
        return page.page(
            "accounts/sign_in.html",
            status=status,
            errors={"password": error},
            email=email,
            next=request.form.get("next", ""),
        )
    # A new session, so that one that was planted before the sign-in is worth nothing after it.
    session.clear()
    login_user(user)
    session.permanent = True
    default = url_for("desk.queue" if accounts.municipalities_of(user, "handle") else "accounts.me")
    return redirect(page.local_path(request.form.get("next"), default), 303)


@bp.post("/sign-out")
def sign_out() -> Any:
    if current_user.is_authenticated:
        # The cookie is signed, not stored: a copy of it would outlive the sign-out.
        accounts.end_sessions(current_user)
        db.session.commit()
    logout_user()
    session.clear()
    return redirect(url_for("public.index"), 303)


@bp.get("/password")
def password_request() -> Response:
    return page.page("accounts/password_request.html", sent=False, errors={}, email="")


@bp.post("/password")
def send_password_link() -> Any:
    """Mail a link to choose a password. The page is the same whether there is an account or not."""
    email = page.plain(request.form.get("email", ""))[:254].strip()
    if not reports.is_email(email):
        return page.page(
            "accounts/password_request.html",
            status=422,
            sent=False,
            errors={"email": "email_invalid"},
            email=email,
        )
    try:
        accounts.bound("mail", email, current_app.config["MAILS_PER_HOUR"])
        accounts.bound("mail-from", page.address(), 10 * current_app.config["MAILS_PER_HOUR"])
    except accounts.TooManyAttempts:
        return page.too_many()
    user = accounts.by_email(email)
    token = keyring.sign("password", [email.strip(), user.session_key if user else 0])
    notifications.queue(
        "password_link", email.strip(), page.language(), f"password:{secrets.token_hex(8)}", {"token": token}
    )
    db.session.commit()
    page.enqueue("deliver")
    return page.page("accounts/password_request.html", sent=True, errors={}, email="")


def _link(token: str) -> tuple[str, accounts.User | None] | None:
    """The address that a password link proves, and its account. None where the link ran out or was used."""
    try:
        email, key = keyring.signed("password", token, PASSWORD_LINK_S)
    except BadLink:
        return None
    user = accounts.by_email(email)
    return (email, user) if (user.session_key if user else 0) == key else None


@bp.get("/password/<token>")
def password(token: str) -> Response:
    link = _link(token)
    return page.page(
        "accounts/password.html", status=200 if link else 410, link=link, token=token, errors={}, name="",
        minimum=accounts.PASSWORD_MINIMUM,
    )  # fmt: skip


@bp.post("/password/<token>")
def set_password(token: str) -> Any:
    link = _link(token)
    if link is None:
        return page.page("accounts/password.html", status=410, link=None, token=token, errors={}, name="")
    email, user = link
    name, errors = page.plain(request.form.get("name", "")).strip()[:254], {}
    if user is None and not name:
        errors["name"] = "name_missing"
    try:
        if not errors:
            user = user or accounts.add(email, name, language=page.language())
            accounts.set_password(user, request.form.get("password", "")[:1000])
    except accounts.PasswordTooShort:
        db.session.rollback()
        errors["password"] = "password_too_short"  # noqa: S105  (names the message, not a password)
    except accounts.PasswordTooEasy:
        db.session.rollback()
        errors["password"] = "password_too_easy"  # noqa: S105  (names the message, not a password)
    if errors or user is None:
        return page.page(
            "accounts/password.html", status=422, link=link, token=token, errors=errors, name=name,
            minimum=accounts.PASSWORD_MINIMUM,
        )  # fmt: skip
    db.session.commit()
    session.clear()
    login_user(user)
    return redirect(url_for("accounts.me"), 303)


@bp.get("/me")
@login_required
def me() -> Response:
    return page.page(
        "accounts/me.html",
        user=current_user,
        memberships=current_user.memberships,
        my_reports=db.session.scalars(reports.sent_by(current_user).limit(100)).unique().all(),
        my_follows=db.session.scalars(reports.followed_by(current_user).limit(100)).unique().all(),
        my_areas=db.session.scalars(reports.areas_followed_by(current_user).limit(100)).all(),
        private_token=reports.private_token,
        unsubscribe_url=lambda kind, number: url_for(
            "following.unsubscribe", token=keyring.sign("unsubscribe", [kind, number])
        ),
    )
