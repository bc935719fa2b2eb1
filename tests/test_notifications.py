"""The outbox: who sends a message, when it is tried again, what keeps it from being sent twice, and what it says."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from config import Config
from gatami import cases, jobs, notifications, reports
from gatami.db import db
from gatami.notifications import Delivery, Journal, MailFolder, MailServer, Refused
from gatami.policy import text as policy
from gatami.publication import STATES
from gatami.reports import AreaFollow, Follow

from . import factories, services
from .conftest import BACKEND

START = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
LEASE_S = Config.LEASE_S


class Clock:
    """The time of the outbox, which goes on only when a test says so."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def wait(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(notifications, "now", made)
    return made


@dataclass
class Server:
    """Handler of a mail server that takes everything, but answers as it is told to some senders and recipients."""

    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    at_recipient: dict[str, str] = field(default_factory=dict)
    at_message: dict[str, str] = field(default_factory=dict)
    at_sender: str = ""
    connections: int = 0
    url: str = ""

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if self.at_sender:
            return self.at_sender
        envelope.mail_from = address
        return "250 2.1.0 Sender taken"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if answer := self.at_recipient.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient taken"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if answer := self.at_message.get(envelope.rcpt_tos[0]):
            return answer
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 2.0.0 Taken"

    @property
    def addressees(self) -> list[str]:
        return [address for taken in self.recipients for address in taken]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    # Without SMTPUTF8, as many servers still are.
    controller = Controller(
        made, hostname="127.0.0.1", port=services.free_port(), ready_timeout=60, enable_SMTPUTF8=False
    )
    controller.start()
    made.url = f"smtp://127.0.0.1:{controller.port}"
    yield made
    controller.stop()


@pytest.fixture
def mailing(app, server, clock):
    """The app with the mail server and the clock of the test."""
    app.config.update(SMTP_URL=server.url, LEASE_S=LEASE_S)
    return app


def queue(number: int = 1, recipient: str | None = None) -> Delivery:
    """One message about a password, which needs no report."""
    made = notifications.queue(
        "password_link",
        recipient or f"folk{number}@prove.example",
        "nb",
        f"prove:{number}",
        {"token": "merke"},
    )
    db.session.commit()
    return made


def delivery(number: int = 1) -> Delivery:
    db.session.rollback()
    return db.session.scalars(select(Delivery).where(Delivery.key == f"prove:{number}")).one()


# Claiming -------------------------------------------------------------------------------------------------------


def test_each_message_is_claimed_by_one_worker_alone(app):
    for number in range(40):
        queue(number)
    taken: list[str] = []

    def work() -> None:
        with app.app_context():
            while (claimed := notifications.claim(LEASE_S)) is not None:
                taken.append(claimed.key)
                db.session.commit()
            db.session.rollback()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(taken) == sorted(f"prove:{number}" for number in range(40))


def test_a_claim_that_is_not_committed_yet_is_left_alone(app):
    queue(1)
    queue(2)
    assert notifications.claim(LEASE_S).key == "prove:1"
    taken: list[str] = []

    def work() -> None:
        with app.app_context():
            taken.append(notifications.claim(LEASE_S).key)
            db.session.commit()

    worker = threading.Thread(target=work)
    worker.start()
    if BACKEND == "spatialite":
        # SQLite has one writer at a time, so the other one waits until this one commits.
        worker.join(0.2)
        db.session.commit()
    worker.join(60)
    assert taken == ["prove:2"]
    db.session.commit()


def test_the_oldest_message_is_first_and_one_that_is_not_due_waits(app, clock):
    for number, minutes in ((1, 1), (2, -1), (3, -2)):
        notifications.queue(
            "password_link",
            "folk@prove.example",
            "nb",
            f"prove:{number}",
            {},
            at=START + timedelta(minutes=minutes),
        )
    db.session.commit()
    assert [notifications.claim(LEASE_S).key for _ in range(2)] == ["prove:3", "prove:2"]
    assert notifications.claim(LEASE_S) is None
    clock.wait(minutes=1)
    assert notifications.claim(LEASE_S).key == "prove:1"


def test_a_message_is_free_again_when_its_lease_has_run_out(app, clock):
    queue()
    assert notifications.claim(LEASE_S).attempts == 1
    db.session.commit()
    clock.wait(seconds=LEASE_S - 1)
    assert notifications.claim(LEASE_S) is None
    clock.wait(seconds=2)
    again = notifications.claim(LEASE_S)
    assert (again.attempts, again.lease_until) == (2, clock.at + timedelta(seconds=LEASE_S))


def test_a_lease_is_counted_from_when_the_message_was_had(app, monkeypatch):
    # The UPDATE may wait for its lock for a while; a lease from before that would be worth little.
    queue()
    times = iter(START + timedelta(days=3650, seconds=seconds) for seconds in (0, 45))
    monkeypatch.setattr(notifications, "now", lambda: next(times))
    assert notifications.claim(LEASE_S).lease_until == START + timedelta(days=3650, seconds=45 + LEASE_S)


def test_the_same_reason_makes_no_second_message(app):
    queue(1)
    assert notifications.known(["prove:1", "prove:2"]) == {"prove:1"}
    with pytest.raises(IntegrityError):
        queue(1)
    db.session.rollback()


# Sending once ---------------------------------------------------------------------------------------------------


def test_what_was_sent_is_not_sent_again(mailing, server):
    for number in range(3):
        queue(number)
    assert jobs.deliver(mailing) == 3
    assert jobs.deliver(mailing) == 0
    assert server.addressees == [f"folk{number}@prove.example" for number in range(3)]
    assert server.connections == 1
    sent = delivery(0)
    assert (sent.state, sent.sent_at, sent.lease_until) == ("sent", START, None)
    assert list(Path(mailing.config["SENT_JOURNAL"]).iterdir()) == []


def test_a_journal_tells_what_a_dead_worker_sent(mailing, server, clock):
    queue(1)
    queue(2)
    assert notifications.claim(LEASE_S).key == "prove:1"
    db.session.commit()
    journal = Journal(mailing.config["SENT_JOURNAL"])
    journal.note("prove:1")

    # While its worker lives, the journal is nobody else's business.
    assert Journal.abandoned(mailing.config["SENT_JOURNAL"]) == []
    jobs.settle(mailing)
    assert delivery(1).state == "waiting"

    journal.close(settled=False)
    assert jobs.deliver(mailing) == 1
    assert delivery(1).state == "sent"
    assert server.addressees == ["folk2@prove.example"]
    clock.wait(seconds=2 * LEASE_S)
    assert jobs.deliver(mailing) == 0
    assert list(Path(mailing.config["SENT_JOURNAL"]).iterdir()) == []


def test_a_worker_that_dies_while_another_one_sends_is_noticed(mailing, server, clock, monkeypatch):
    queue(1)
    queue(2)
    journal = Journal(mailing.config["SENT_JOURNAL"])
    assert notifications.claim(LEASE_S).key == "prove:1"
    db.session.commit()
    journal.note("prove:1")
    send = MailServer.send

    def send_meanwhile(self, message):
        send(self, message)
        journal.close(settled=False)
        clock.wait(seconds=2 * LEASE_S)

    monkeypatch.setattr(MailServer, "send", send_meanwhile)
    assert jobs.deliver(mailing) == 1
    assert server.addressees == ["folk2@prove.example"]
    assert delivery(1).state == "sent"


def test_a_journal_that_two_workers_find_is_settled_once(app, tmp_path):
    journal = Journal(str(tmp_path / "journals"))
    journal.note("prove:1")
    journal.close(settled=False)
    (found,) = Journal.abandoned(str(tmp_path / "journals"))
    found.unlink()
    assert Journal.settle(found) == 0


def test_a_journal_stays_when_the_database_does_not_take_the_mark(mailing, server, clock, monkeypatch):
    queue()
    commit = db.session.commit
    database_is_back: list[bool] = []

    def fail_after_sending() -> None:
        if server.letters and not database_is_back:
            raise OSError("the database is gone")
        commit()

    monkeypatch.setattr(db.session, "commit", fail_after_sending)
    with pytest.raises(OSError, match="is gone"):
        jobs.deliver(mailing)
    database_is_back.append(True)
    assert delivery().state == "waiting"
    clock.wait(seconds=2 * LEASE_S)
    assert jobs.deliver(mailing) == 0
    assert delivery().state == "sent"
    assert len(server.letters) == 1


def test_a_journal_that_cannot_be_written_makes_nothing_unsent(mailing, server, clock, monkeypatch):
    def full(self, key):
        raise OSError("no space left on device")

    monkeypatch.setattr(Journal, "note", full)
    queue()
    assert jobs.deliver(mailing) == 1
    clock.wait(days=1)
    assert jobs.deliver(mailing) == 0
    assert (delivery().state, len(server.letters)) == ("sent", 1)


def test_a_death_before_the_journal_is_written_repeats_the_message_under_its_old_id(
    mailing, server, clock, monkeypatch
):
    # The one case that SMTP leaves no way around. The same Message-ID lets the receiving side drop the second one.
    class Death(BaseException):
        pass

    def die(self, key):
        raise Death

    queue()
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "note", die)
        with pytest.raises(Death):
            jobs.deliver(mailing)
    assert jobs.deliver(mailing) == 0
    clock.wait(seconds=LEASE_S + 1)
    assert jobs.deliver(mailing) == 1
    first, second = (letter["Message-ID"] for letter in server.letters)
    assert first == second


# Failing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["at_recipient", "at_message"])
def test_a_refusal_is_final(mailing, server, clock, where):
    queue(1)
    queue(2)
    getattr(server, where)["folk1@prove.example"] = "550 5.1.1 Nobody of that name"
    assert jobs.deliver(mailing) == 1
    clock.wait(days=30)
    assert jobs.deliver(mailing) == 0
    refused = delivery(1)
    assert (refused.state, refused.attempts, refused.lease_until, refused.error) == (
        "failed",
        1,
        None,
        "Refused",
    )
    assert server.addressees == ["folk2@prove.example"]


@pytest.mark.parametrize(
    ("where", "answer"),
    [
        ("at_recipient", "451 4.7.1 Come back later"),
        ("at_message", "451 4.3.0 Come back later"),
        # Our own sender address is refused: a setting that somebody mends, not a fault of this message.
        ("at_sender", "550 5.7.1 Not from you"),
    ],
)
def test_what_may_pass_is_tried_again(mailing, server, clock, where, answer):
    queue()
    setattr(server, where, answer if where == "at_sender" else {"folk1@prove.example": answer})
    assert jobs.deliver(mailing) == 0
    failed = delivery()
    assert (failed.state, failed.attempts, failed.lease_until) == ("waiting", 1, None)
    assert failed.due_at == START + timedelta(minutes=1)
    assert failed.error.startswith("SMTP")
    assert "@" not in failed.error
    setattr(server, where, type(getattr(server, where))())
    clock.wait(minutes=1)
    assert jobs.deliver(mailing) == 1
    sent = delivery()
    assert (sent.state, sent.attempts, sent.error) == ("sent", 2, None)


def test_pauses_double_until_a_message_is_given_up(mailing, clock):
    mailing.config.update(SMTP_URL=f"smtp://127.0.0.1:{services.free_port()}", DELIVERY_TRIES=5)
    queue()
    pauses = []
    while delivery().state == "waiting":
        assert jobs.deliver(mailing) == 0
        failed = delivery()
        assert failed.error == "ConnectionRefusedError"
        if failed.state == "waiting":
            pauses.append(failed.due_at - clock.at)
            clock.at = failed.due_at - timedelta(seconds=1)
            jobs.deliver(mailing)
            assert delivery().attempts == len(pauses)
            clock.at = failed.due_at
    assert pauses == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert (failed.state, failed.attempts, failed.lease_until) == ("given_up", 5, None)
    clock.wait(days=30)
    assert notifications.claim(LEASE_S) is None


def test_a_message_that_cannot_be_made_does_not_hold_up_the_others(mailing, server, caplog):
    notifications.queue("no_such_kind", "folk1@prove.example", "nb", "prove:1", {})
    db.session.commit()
    queue(2)
    assert jobs.deliver(mailing) == 1
    assert server.addressees == ["folk2@prove.example"]
    assert (delivery(1).state, delivery(1).error) == ("waiting", "TemplateNotFound")
    assert "folk1@" not in caplog.text


# The message ----------------------------------------------------------------------------------------------------


def compose(**parts: str | None) -> EmailMessage:
    fields = {
        "delivery_key": "event:1:follow:1",
        "sender": "GataMi <gatami@overhalla.example>",
        "recipient": "folk@prove.example",
        "subject": "Hol i vegen på Ranem",
        "body": "God dag – æøå.\n",
        "unsubscribe_url": "https://gatami.example/unsubscribe/merke",
    }
    return notifications.compose(**(fields | parts))


def test_the_headers_of_a_message(app):
    message = message_from_bytes(compose().as_bytes(), policy=default)
    assert message["From"] == "GataMi <gatami@overhalla.example>"
    assert message["To"] == "folk@prove.example"
    assert message["Subject"] == "Hol i vegen på Ranem"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.tzinfo is not None
    assert re.fullmatch(r"<[0-9a-f]{40}@overhalla\.example>", message["Message-ID"])
    # RFC 8058: both headers, the address over HTTPS, one click.
    assert message["List-Unsubscribe"] == "<https://gatami.example/unsubscribe/merke>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.get_content() == "God dag – æøå.\r\n"


def test_the_message_id_belongs_to_the_key(app):
    ids = {key: compose(delivery_key=key)["Message-ID"] for key in ("event:1:follow:1", "event:1:follow:2")}
    assert (
        compose(delivery_key="event:1:follow:1", body="Annen tekst")["Message-ID"] == ids["event:1:follow:1"]
    )
    assert len(set(ids.values())) == 2
    assert not any("event" in message_id for message_id in ids.values())


def test_a_message_that_nobody_subscribes_to_offers_no_unsubscribing(app):
    message = compose(unsubscribe_url=None)
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize("part", ["subject", "recipient", "sender", "unsubscribe_url"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\r\n\r\n", "\x0b", "\x85", "\u2028"])
def test_no_header_can_be_smuggled_in(app, part, end):
    legal = {
        "subject": "Hull",
        "recipient": "folk@prove.example",
        "sender": "gatami@prove.example",
        "unsubscribe_url": "https://gatami.example/",
    }
    try:
        message = compose(**{part: f"{legal[part]}{end}Bcc: annen@prove.example"})
    except ValueError:
        return
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert read["Bcc"] is None
    assert len(read.keys()) == len(compose().keys())


def test_what_a_register_says_of_a_place_changes_no_header(mailing, server):
    made = factories.report(
        email="ola@prove.example", place_name="Ranemsvegen 1\r\nBcc: annen@prove.example\r\n\r\nHei"
    )
    cases.reply(made, factories.user(), "Vi ser på det.", made.version)
    db.session.commit()
    jobs.deliver(mailing)
    assert server.addressees == ["ola@prove.example"] * len(server.letters)
    assert all(letter["Bcc"] is None for letter in server.letters)


def test_a_norwegian_domain_travels_in_ascii(mailing, server):
    queue(recipient="post@blåbær.example")
    assert jobs.deliver(mailing) == 1
    assert server.addressees == ["post@xn--blbr-roah.example"]


def test_a_mail_folder_holds_each_message_once(app, tmp_path):
    folder = MailFolder(str(tmp_path / "mail"))
    folder.send(compose())
    folder.send(compose())
    folder.send(compose(delivery_key="event:1:follow:2"))
    folder.close()
    files = sorted((tmp_path / "mail").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    for file in files:
        assert message_from_bytes(file.read_bytes(), policy=default)["To"] == "folk@prove.example"


def test_without_a_mail_server_mails_land_in_the_folder(app):
    queue()
    assert jobs.deliver(app) == 1
    (file,) = Path(app.config["MAIL_FOLDER"]).iterdir()
    assert message_from_bytes(file.read_bytes(), policy=default)["To"] == "folk1@prove.example"
    assert delivery().state == "sent"


def test_a_transport_says_what_is_refused_for_good(app, server):
    transport = notifications.transport(server.url, "")
    server.at_recipient["folk@prove.example"] = "550 5.1.1 Nobody of that name"
    with pytest.raises(Refused):
        transport.send(compose())
    transport.send(compose(recipient="annen@prove.example"))
    transport.close()
    assert server.addressees == ["annen@prove.example"]


# What is said ---------------------------------------------------------------------------------------------------

PRIVATE = {
    "text": "Ring Ola Prøvesen på 400 00 123 eller ola@prove.example. Hullet er firkanta.",
    "name": "Ola Prøvesen",
    "phone": "400 00 123",
    "email": "ola@prove.example",
}
TRACES = (
    "Ola",
    "Prøvesen",
    "400 00 123",
    "40000123",
    "ola@",
    "folger",
    "omrade",
    "daglig",
    "firkanta",
    "ord om saken",
    "Ord om grunnen",
    "Ord til svar",
)
"""Words of the reports, of a colleague's reply, and of everybody's address, which no mail may hold."""


@pytest.fixture
def every_mail(app, client, monkeypatch) -> list[Delivery]:
    """Each kind of message as the app itself queues it, in its variants."""
    monkeypatch.setattr(jobs, "deliver", lambda app: 0)
    municipality = factories.municipality()
    for frequency in ("now", "daily"):
        area = AreaFollow(
            municipality=municipality,
            email=f"{frequency}omrade@prove.example",
            language="nb",
            frequency=frequency,
        )
        reports.confirm_follow(reports.follow_area(area))
        area.confirmed_at -= timedelta(days=1)
    db.session.commit()
    shown = factories.report(**PRIVATE, place_name="Ranemsvegen 1", photos=[factories.picture(size=(64, 48))])
    with monkeypatch.context() as broken:
        broken.setattr(policy, "find", lambda *_args, **_options: 1 / 0)
        held = factories.report(**PRIVATE)
    assert held.text_publication == "held"
    factories.report(text="Hullet er firkanta.", category="vann-og-avlop")
    colleague = factories.user("Liv Saksbehandlar")
    for made in db.session.scalars(select(reports.Report)).all():
        assert factories.review(made)
        reports.confirm_follow(reports.follow(made, "folger@prove.example", "nb"))
        cases.reply(made, colleague, "Et ord om saken.", made.version)
        db.session.flush()
        cases.change_state(made, colleague, "assessing", made.version, "Enda et ord om saken.")
        db.session.flush()
    leader = factories.user("Siv Leiar", "leader")
    factories.report(
        text="Jeg vet hvor dere bor, og jeg skal knuse dere alle sammen. Dere kommer til å angre.",
        email="ola@prove.example",
    )
    for act in ("held", "removed"):
        reports.hold_text(held if act == "removed" else shown, leader, "Ord om grunnen.", act)
    decision = reports.decisions(shown)[-1]
    reports.object_to(decision, "Det er ikkje firkanta.")
    reports.answer_objection(decision, colleague, "upheld", "Ord til svar.")
    reports.withdraw(shown)
    reports.send_digests(datetime.now(UTC) + timedelta(minutes=1))
    db.session.commit()
    assert client.post("/password", data={"email": "ola@prove.example"}).status_code == 200
    mails = list(db.session.scalars(select(Delivery)))
    # Each state has its own words, and no case goes through all of them.
    change = next(mail for mail in mails if mail.kind == "change" and mail.payload["change"] == "state")
    others = [("state", state) for state in STATES] + [("reopened", "assessing")]
    mails += [
        Delivery(
            kind="change", key="", recipient="", payload=change.payload | {"change": kind, "to_state": state}
        )
        for kind, state in others
    ]
    return mails


def test_every_kind_of_mail_is_looked_at(every_mail):
    templates = {
        file.stem
        for file in (Path(__file__).resolve().parent.parent / "templates" / "mail").glob("[!_]*.txt")
    }
    assert {mail.kind for mail in every_mail} == templates


def test_each_mail_is_whole_in_each_language(every_mail):
    for mail in every_mail:
        texts = set()
        for mail.language in ("nb", "nn", "en"):
            subject, body, unsubscribe_url = jobs.render(mail)
            text = f"{subject}\n{body}"
            texts.add(text)
            assert subject
            assert "\n" not in subject
            assert not re.search(r"%\(|[{}<>]|None|undefined|_\(", text), text
            assert not re.search(r"\n{4,}|[^\S\n]\n", body), body
            assert "http://localhost/" in body
            expected = mail.kind in ("change", "area_new", "area_digest")
            assert (unsubscribe_url is not None) == expected
            assert not expected or unsubscribe_url in body
        # Bokmål, nynorsk and English differ somewhere in every mail.
        assert len(texts) == 3, texts
    db.session.rollback()


def test_no_mail_holds_anything_private(every_mail):
    for mail in every_mail:
        for mail.language in ("nb", "nn", "en"):
            subject, body, unsubscribe_url = jobs.render(mail)
            travelling = notifications.compose(
                "k", "gatami@localhost", "x@prove.example", subject, body, unsubscribe_url
            )
            for said in (subject, body, travelling.as_string()):
                assert not [trace for trace in TRACES if trace in said], said
    db.session.rollback()


def test_one_click_in_the_mail_program_ends_a_follow(every_mail, client):
    (mail,) = [m for m in every_mail if m.id and m.kind == "change" and "folger@" in m.recipient][:1]
    number = db.session.scalar(select(func.count()).select_from(Follow))
    _, _, unsubscribe_url = jobs.render(mail)
    # RFC 8058: a POST without cookies, and whoever opens the address to look ends nothing.
    path = urlsplit(unsubscribe_url).path
    assert client.get(path).status_code == 200
    assert db.session.scalar(select(func.count()).select_from(Follow)) == number
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert db.session.scalar(select(func.count()).select_from(Follow)) == number - 1
