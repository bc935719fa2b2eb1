"""Users, their roles in municipalities, signing in, and how often anybody may try."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ForeignKey, Index, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .db import Model, Sealed, UtcDateTime, db, keyring, now
from .municipalities import Department, Municipality

log = logging.getLogger(__name__)

ROLES = ("resident", "caseworker", "leader", "administrator")

ACTS: dict[str, frozenset[str]] = {
    "handle": frozenset({"caseworker", "leader", "administrator"}),
    "lead": frozenset({"leader", "administrator"}),
    "administer": frozenset({"administrator"}),
}
"""Act → the roles that may do it, each in its own municipality. `handle` is the desk: the queue, the originals,
answering and releasing."""

PASSWORD_MINIMUM = 12
"""Characters, ASVS 2.1.1."""

_hasher = PasswordHasher()


@cache
def _nobody() -> str:
    """Hash of a password that nobody has: an address without an account takes as long as a wrong password."""
    return _hasher.hash(secrets.token_hex())


class TooManyAttempts(Exception):
    """Somebody tried too often; after a while it goes again."""


class WrongEmailOrPassword(Exception):
    """Which of the two is wrong is not told."""


class PasswordTooShort(Exception):
    """Fewer characters than PASSWORD_MINIMUM."""


class PasswordTooEasy(Exception):
    """A password that is among the first to be guessed."""


class User(Model):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Sealed)
    """A caseworker's name is public beside an answer, where the event holds it: the municipality is not anonymous."""
    email: Mapped[str] = mapped_column(Sealed)
    email_fingerprint: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="nb")
    active: Mapped[bool] = mapped_column(default=True)
    session_key: Mapped[int] = mapped_column(default=1)
    """Part of every session of the user; counting it up ends them all."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    memberships: Mapped[list[Membership]] = relationship(back_populates="user", lazy="selectin")

    # Flask-Login asks for these four.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        return f"{self.id}.{self.session_key}"


class Membership(Model):
    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("user_id", "municipality_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipalities.id"), index=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    role: Mapped[str]

    user: Mapped[User] = relationship(back_populates="memberships")
    municipality: Mapped[Municipality] = relationship(lazy="joined")
    department: Mapped[Department | None] = relationship(lazy="joined")


class Attempt(Model):
    """One try of something that is bounded. Who tried is a fingerprint; the rows go after a day."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_purpose_who_at", "purpose", "who", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


def may(user: User, act: str, municipality_id: int) -> bool:
    """Whether the user's role in the municipality allows the act. Raises KeyError for an act that is none."""
    roles = ACTS[act]
    return any(m.municipality_id == municipality_id and m.role in roles for m in user.memberships)


def municipalities_of(user: User, act: str) -> list[int]:
    """Ids of the municipalities in which the user may do the act."""
    return [m.municipality_id for m in user.memberships if m.role in ACTS[act]]


def department_of(user: User, municipality_id: int) -> Department | None:
    return next((m.department for m in user.memberships if m.municipality_id == municipality_id), None)


def staff_of(municipality_id: int) -> list[User]:
    """Who handles the municipality's cases, by name."""
    found = db.session.scalars(
        select(User)
        .join(Membership)
        .where(
            Membership.municipality_id == municipality_id, Membership.role.in_(ACTS["handle"]), User.active
        )
    )
    return sorted(found.unique(), key=lambda user: user.name.casefold())


def leaders_of(municipality_id: int) -> list[User]:
    """Who answers for what the municipality does here, by name."""
    return [user for user in staff_of(municipality_id) if may(user, "lead", municipality_id)]


def by_email(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email_fingerprint == keyring.fingerprint(email)))


def by_session(session_id: str) -> User | None:
    """The user of a session id of `User.get_id`, while the account is active and the session was not ended."""
    number, _, key = session_id.partition(".")
    if not (number.isdecimal() and key.isdecimal()):
        return None
    user = db.session.get(User, int(number))
    return user if user and user.active and user.session_key == int(key) else None


def add(email: str, name: str, password: str | None = None, language: str = "nb") -> User:
    """A new account, without a role. Raises PasswordTooShort."""
    user = User(
        email=email.strip(),
        email_fingerprint=keyring.fingerprint(email),
        name=name.strip(),
        language=language,
    )
    if password is not None:
        set_password(user, password)
    db.session.add(user)
    return user


def end_sessions(user: User) -> None:
    """Make every session of the user worthless, on whatever machine it is."""
    user.session_key = (user.session_key or 0) + 1


def set_password(user: User, password: str) -> None:
    """Store the password's argon2 hash and end the user's sessions. Raises PasswordTooShort, PasswordTooEasy."""
    if len(password) < PASSWORD_MINIMUM:
        raise PasswordTooShort
    from zxcvbn import zxcvbn

    # ASVS 2.1.7: what stands in every list of passwords is none; so is one's own name or address.
    if zxcvbn(password[:72], user_inputs=[user.name, user.email])["score"] < 2:
        raise PasswordTooEasy
    user.password_hash = _hasher.hash(password)
    end_sessions(user)


def grant(
    user: User, municipality: Municipality, role: str, department: Department | None = None
) -> Membership:
    """Give the user a role in the municipality, in place of the one held before."""
    if role not in ROLES:
        raise ValueError(role)
    held = next((m for m in user.memberships if m.municipality_id == municipality.id), None)
    if held is None:
        held = Membership(municipality=municipality, municipality_id=municipality.id)
        user.memberships.append(held)
    held.role, held.department = role, department
    return held


def authenticate(email: str, password: str, address: str, failures: int) -> User:
    """The user whose password it is.

    `address` is the caller's IP address, `failures` how many may fail in a quarter of an hour, per account and
    per address. Raises TooManyAttempts, WrongEmailOrPassword; the door commits after either, so that the failure
    counts.
    """
    # A town hall shares one address, so an address may fail more often than an account.
    most = {
        keyring.fingerprint("account " + email.strip()): failures,
        keyring.fingerprint("address " + address): 10 * failures,
    }
    if any(_tries("sign-in", key, timedelta(minutes=15)) >= bound for key, bound in most.items()):
        log.warning("A sign-in was refused: too many failures. Account %s.", next(iter(most))[:12])
        raise TooManyAttempts
    user = by_email(email)
    known = user.password_hash if user and user.active and user.password_hash else None
    try:
        _hasher.verify(known or _nobody(), password)
    except (VerificationError, InvalidHashError):
        known = None
    if user is None or known is None:
        db.session.add_all(Attempt(purpose="sign-in", who=key) for key in most)
        log.warning("A sign-in failed. Account %s.", next(iter(most))[:12])
        raise WrongEmailOrPassword
    if _hasher.check_needs_rehash(known):
        user.password_hash = _hasher.hash(password)
    log.info("User %d signed in.", user.id)
    return user


def bound(purpose: str, who: str, most: int, within: timedelta = timedelta(hours=1)) -> None:
    """Count one try of `purpose` by `who` (an address or an IP address); `most` 0 sets no bound.

    Raises TooManyAttempts where `most` were made already.
    """
    if most <= 0:
        return
    key = keyring.fingerprint(who)
    if _tries(purpose, key, within) >= most:
        raise TooManyAttempts
    db.session.add(Attempt(purpose=purpose, who=key))


def _tries(purpose: str, key: str, within: timedelta) -> int:
    count = select(func.count()).where(
        Attempt.purpose == purpose, Attempt.who == key, Attempt.at > now() - within
    )
    return db.session.scalar(count) or 0


def forget_attempts() -> None:
    """Delete the tries that no bound asks for any more."""
    db.session.execute(delete(Attempt).where(Attempt.at < now() - timedelta(days=1)))
