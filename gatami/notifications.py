"""The outbox: messages that wait in the database until they are sent. What a message says is not its business.

A worker claims a Delivery by a conditional UPDATE that takes a lease, sends it, and marks it. If the worker dies in
between, the lease runs out and another tries again; so a message is sent at least once. What keeps it from being sent
twice is the journal: the moment the mail server has taken a message, its key is appended to a file, and the keys in
that file are marked as sent before anything is claimed. Each message also carries the key as its Message-ID.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import smtplib
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from sqlalchemy import Index, LargeBinary, Select, func, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from .db import Model, Private, Sealed, UtcDateTime, changed, db, keyring, now

_HOLDS_AN_ADDRESS: dict[str, Any] = {
    "sqlite_where": text("recipient IS NOT NULL"),
    "postgresql_where": text("recipient IS NOT NULL"),
}


def _key_of(context: Any) -> bytes | None:
    recipient = context.get_current_parameters()["recipient"]
    return recipient.key_name if isinstance(recipient, Private) else None


class Delivery(Model):
    """One message to one person: `waiting → sent | failed | given_up`.

    The row stays, so that nothing is sent twice; to whom it went, and with what, is forgotten after a while.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_state_due_at", "state", "due_at"),
        Index("ix_deliveries_kept", "created_at", **_HOLDS_AN_ADDRESS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """Why and to whom, such as `event:12:follow:7`. The same reason never makes a second row."""
    channel: Mapped[str] = mapped_column(default="mail")
    kind: Mapped[str]
    """Name of the template."""
    language: Mapped[str]
    recipient: Mapped[str | None] = mapped_column(Sealed)
    payload: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    key_name: Mapped[bytes | None] = mapped_column(LargeBinary, index=True, default=_key_of)
    """Of the data key that the recipient is sealed under, where the message goes to somebody who sent a report."""
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None]
    """What the last try failed on, without the address."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Refused(Exception):
    """The receiving side will never take this message; another try is in vain."""


class Transport(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Hand the message over. Raises Refused for good, OSError or SMTPException for now."""

    def close(self) -> None: ...


def queue(
    kind: str, recipient: str, language: str, key: str, payload: Mapping[str, Any], at: datetime | None = None
) -> Delivery:
    """Put a message into the outbox, in the caller's transaction."""
    delivery = Delivery(
        kind=kind, recipient=recipient, language=language, key=key, payload=dict(payload), due_at=at or now()
    )
    db.session.add(delivery)
    return delivery


def known(keys: list[str]) -> set[str]:
    """Which of the keys have a message already."""
    return set(db.session.scalars(select(Delivery.key).where(Delivery.key.in_(keys))))


def due(at: datetime) -> Select[Delivery]:
    return (
        select(Delivery)
        .where(
            Delivery.state == "waiting",
            Delivery.due_at <= at,
            or_(Delivery.lease_until.is_(None), Delivery.lease_until < at),
        )
        .order_by(Delivery.due_at, Delivery.id)
    )


def claim(lease_s: int) -> Delivery | None:
    """Take one due message for `lease_s` seconds, or None where nothing is due. The door commits at once."""
    at = now()
    while (found := db.session.scalar(due(at).limit(1).with_for_update(skip_locked=True))) is not None:
        taken = changed(
            update(Delivery)
            .where(
                Delivery.id == found.id,
                Delivery.state == "waiting",
                or_(Delivery.lease_until.is_(None), Delivery.lease_until < at),
            )
            .values(lease_until=at + timedelta(seconds=lease_s), attempts=Delivery.attempts + 1)
        )
        if taken == 1:
            db.session.refresh(found)
            # Counted anew, because the UPDATE may have waited for its lock as long as a lease lasts.
            found.lease_until = now() + timedelta(seconds=lease_s)
            return found
        db.session.expire(found)
    return None


def mark_sent(delivery: Delivery) -> None:
    delivery.state, delivery.sent_at, delivery.lease_until, delivery.error = "sent", now(), None, None


def mark_refused(delivery: Delivery, error: Exception) -> None:
    delivery.state, delivery.lease_until, delivery.error = "failed", None, type(error).__name__


def mark_failed(delivery: Delivery, error: Exception, tries: int) -> None:
    """Try again after a pause that doubles from a minute, or give up after `tries`."""
    delivery.lease_until, delivery.error = None, type(error).__name__
    if delivery.attempts >= tries:
        delivery.state = "given_up"
    else:
        delivery.due_at = now() + timedelta(minutes=2 ** (delivery.attempts - 1))


def to(key_name: bytes) -> Select[Delivery]:
    """The messages to the person whose data key it is, the oldest first."""
    return select(Delivery).where(Delivery.key_name == key_name).order_by(Delivery.created_at, Delivery.id)


def forget(key_name: bytes) -> int:
    """Empty every message to the person whose data key it is; what was not sent yet is not sent. How many."""
    mine = Delivery.key_name == key_name
    waiting = update(Delivery).where(mine, Delivery.state == "waiting")
    changed(waiting.values(state="given_up", lease_until=None, error="Forgotten"))
    return changed(update(Delivery).where(mine).values(recipient=None, payload=None, key_name=None))


def forget_sent(before: datetime, most: int) -> int:
    """Empty up to `most` messages that came to an end, and were queued before a time; how many."""
    old = (
        select(Delivery.id)
        .where(
            Delivery.recipient.is_not(None),
            Delivery.created_at < before,
            Delivery.state.in_(("sent", "failed", "given_up")),
        )
        .limit(most)
    )
    ids = db.session.scalars(old).all()
    if not ids:
        return 0
    emptied = update(Delivery).where(Delivery.id.in_(ids)).values(recipient=None, payload=None, key_name=None)
    return changed(emptied)


def unfinished() -> Select[int]:
    return select(func.count()).select_from(Delivery).where(Delivery.state == "waiting")


class Journal:
    """Keys of messages that the mail server took, in a file of one run of one worker. See the top of this file.

    The run holds a lock on its file, which the kernel lets go when the worker dies, however it dies. A journal that
    nobody holds was left by such a run: `abandoned` finds them, `settle` marks what they tell.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = self._folder / f"{secrets.token_hex(8)}.keys"
        draft = self.path.with_suffix(".new")
        self._file = os.open(draft, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        # It takes its name only when it is locked, so that nobody finds it without an owner.
        draft.rename(self.path)

    def note(self, delivery_key: str) -> None:
        os.write(self._file, f"{delivery_key}\n".encode())

    def close(self, *, settled: bool) -> None:
        """Let go of the file; `settled` deletes it, because everything that it tells was committed."""
        if settled:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    @staticmethod
    def abandoned(folder: str) -> list[Path]:
        """Journals of runs that ended before they were done."""
        found = []
        for path in Path(folder).glob("*.keys"):
            with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.append(path)
        return found

    @staticmethod
    def settle(path: Path) -> int:
        """Mark as sent what an abandoned journal holds; how many. The door commits, then removes the file."""
        try:
            keys = path.read_text().split()
        except FileNotFoundError:
            # Since it was found, another run has settled it, or the run that it belongs to has come to its end.
            return 0
        return sum(
            changed(
                update(Delivery)
                .where(Delivery.key.in_(keys[start : start + 500]), Delivery.state == "waiting")
                .values(state="sent", sent_at=now(), lease_until=None)
            )
            for start in range(0, len(keys), 500)
        )


def compose(
    delivery_key: str, sender: str, recipient: str, subject: str, body: str, unsubscribe_url: str | None
) -> EmailMessage:
    """The message as it travels. One-click unsubscribing follows RFC 8058."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    # A domain such as blåbær.no travels as its ASCII form, which every mail server understands.
    local, _, domain = recipient.rpartition("@")
    message["To"] = Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")
    message["Subject"] = subject
    message["Date"] = format_datetime(now())
    host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{keyring.fingerprint(delivery_key)[:40]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe_url:
        message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(body)
    return message


class MailFolder:
    """Writes each message as an `.eml` file, where no mail server is set up. The same message twice is one file."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def send(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        draft = self._folder / f".{name}"
        draft.write_bytes(message.as_bytes())
        draft.replace(self._folder / f"{name}.eml")

    def close(self) -> None:
        pass


class MailServer:
    """Hands messages to an SMTP server, over one connection for as long as there are messages."""

    def __init__(self, url: str, timeout_s: float = 20) -> None:
        self._url, self._timeout_s = urlsplit(url), timeout_s
        self._connection: smtplib.SMTP | None = None

    def _connect(self) -> smtplib.SMTP:
        url, host = self._url, self._url.hostname or "localhost"
        if url.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, url.port or 465, timeout=self._timeout_s, context=ssl.create_default_context()
            )
        else:
            connection = smtplib.SMTP(host, url.port or 25, timeout=self._timeout_s)
            if url.scheme == "smtp+starttls":
                connection.starttls(context=ssl.create_default_context())
        if url.username:
            connection.login(unquote(url.username), unquote(url.password or ""))
        return connection

    def send(self, message: EmailMessage) -> None:
        try:
            self._connection = self._connection or self._connect()
            self._connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            self.close()
            if all(code >= 500 for code in codes):
                raise Refused from error
            raise
        except smtplib.SMTPDataError as error:
            self.close()
            if error.smtp_code >= 500:
                raise Refused from error
            raise
        except (OSError, smtplib.SMTPException):
            # A refused sender is among these: a setting of ours, which somebody puts right while the message waits.
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except (OSError, smtplib.SMTPException):
                connection.close()


def transport(smtp_url: str, mail_folder: str) -> Transport:
    return MailServer(smtp_url) if smtp_url else MailFolder(mail_folder)
