"""Accepted means durable: whatever is killed, no report is lost and no mail is sent twice.

Web and worker are real processes, started by the lines of deploy/Procfile on a real database and a real queue, and the
mail server is one that takes mail over SMTP. They are killed with SIGKILL, which no program can answer.

One moment is kept free of kills, because no sender can survive it: the mail server has taken a message, and the worker
has not yet written that down. SMTP cannot be asked afterwards what it took, so a worker that dies there sends the
message again, under the same Message-ID (test_notifications.py shows it). It lasts for some tenths of a millisecond, and
on busy cores for a few; `Mailbox.quiet` shuts exactly this window and leaves every other moment open to the kills.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email import message_from_bytes
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import func, select

from gatami import create_app, reports
from gatami.db import db, keyring, now
from gatami.notifications import Delivery
from gatami.reports import Event, Follow, Photo, Report

from . import factories, services
from .conftest import BACKEND, Database, test_settings

pytestmark = pytest.mark.served

ROOT = Path(__file__).resolve().parent.parent
SUBMITTERS = 8
LEASE_S = 8
"""Short, so that a message that died in a worker's hands soon has another try; much longer than sending one takes."""
BOUND_S = 90
"""The longest that one wait may last, on a machine that is busy with other things. A good run waits for seconds."""


def wait_until(happened: Callable[[], object], what: str, step_s: float = 0.05) -> None:
    end = time.monotonic() + BOUND_S
    while not happened():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {BOUND_S} seconds")
        time.sleep(step_s)


def free_port() -> int:
    """A port that no outgoing connection gets by chance.

    While the web server is dead, somebody else's connection could take its port; a submitter who knocks at it could
    even be connected to itself. The kernel gives outgoing connections ports from 32768 on.
    """
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            port = random.randrange(20_000, 32_000)
            probe.bind(("127.0.0.1", port))
            return port


# The mail server ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    message_id: str
    recipient: str
    subject: str


class Mailbox:
    """Handler of the mail server: takes every message and remembers it."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self._taking = threading.Lock()
        self._life = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        session.life = self._life
        return responses

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        # The other holder of the lock is a thread, which no asyncio.Event knows of.
        while not self._taking.acquire(blocking=False):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        try:
            if session.life != self._life:
                # Whoever sent this was killed before it had our answer. A server that notices takes nothing.
                return "451 4.3.2 The sender is gone"
            message = message_from_bytes(envelope.content)
            letter = Letter(message["Message-ID"], envelope.rcpt_tos[0], str(message["Subject"]))
            self.letters.append(letter)
            return "250 2.0.0 Taken"
        finally:
            self._taking.release()

    @contextlib.contextmanager
    def quiet(self, noted: Callable[[set[str]], bool]) -> Iterator[None]:
        """Take nothing, and let `noted` become true of all that was taken."""
        with self._taking:
            taken = {letter.message_id for letter in self.letters}
            wait_until(lambda: noted(taken), "a message that was taken is written down", step_s=0.0002)
            yield

    def forget_senders(self) -> None:
        """While it is quiet: whoever waits for an answer is dead."""
        self._life += 1


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_url(mailbox: Mailbox) -> Iterator[str]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), ready_timeout=BOUND_S)
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


# The processes --------------------------------------------------------------------------------------------------


@dataclass
class Process:
    """One line of the Procfile, in a session of its own, so that it and all its children can be killed together."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    starts: int = 0
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # The kernel ends the process when the test itself is killed.
        setpriv = shutil.which("setpriv")
        tied = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        self.starts += 1
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [*tied, *self.command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL for the process and its children, and nothing goes on before they are dead."""
        if self.running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait()
        wait_until(lambda: not _group_lives(self.running.pid), f"{self.command} is dead", step_s=0.005)

    def signal(self, number: signal.Signals) -> None:
        assert self.running is not None
        os.kill(self.running.pid, number)

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-3000:]

    def alive(self) -> bool:
        return self.running is not None and self.running.poll() is None


def _group_lives(group: int) -> bool:
    """Whether a process of the group still runs; zombies that nobody has reaped yet hold neither locks nor sockets."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


@dataclass(repr=False)
class Site:
    """GataMi as it is served, with an app in this process to look into its database."""

    app: Flask
    url: str
    web: Process
    worker: Process
    mailbox: Mailbox
    journals: Path
    _known: set[str] = field(default_factory=set)
    troubles: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """Start what does not run, and wait for the web server; the worker is waited for by what it does."""
        for process in (self.web, self.worker):
            if not process.alive():
                process.start()
        wait_until(self._answers, "the web server answers")

    def _answers(self) -> bool:
        assert self.web.alive(), self.web.said()
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self, *processes: Process) -> None:
        """Kill web, worker or both, and start them again."""
        for process in processes:
            assert process.alive(), process.said()
            if process is self.worker:
                with self.mailbox.quiet(self._written_down):
                    self._kill_worker()
            else:
                process.kill()
        self.start()

    def kill_worker_before_it_marks(self) -> None:
        """The same for the moment in which the database still takes a message for unsent, and the journal knows better."""

        def caught() -> bool:
            assert self.worker.alive(), self.worker.said()
            before = self.mailed()
            wait_until(lambda: self.mailed() > before, "another mail is sent", step_s=0.0002)
            with self.mailbox.quiet(self._written_down):
                # Stopped, so that there is time to look.
                self.worker.signal(signal.SIGSTOP)
                if self._noted() & self._message_ids("waiting"):
                    self._kill_worker()
                    return True
                self.worker.signal(signal.SIGCONT)
                return False

        wait_until(caught, "the worker is caught before it marks a message", step_s=0)
        self.start()

    def _kill_worker(self) -> None:
        self.worker.kill()
        self.mailbox.forget_senders()

    def _written_down(self, message_ids: set[str]) -> bool:
        """Whether journal or database know of all these messages. A journal goes when the database knows, so it is first."""
        left = message_ids - self._known - self._noted()
        if left:
            left -= self._message_ids("sent")
        if not left:
            self._known |= message_ids
        return not left

    def _noted(self) -> set[str]:
        """What the journals tell."""
        found = set()
        for journal in self.journals.glob("*.keys"):
            with contextlib.suppress(FileNotFoundError):
                found |= {message_id(key) for key in journal.read_text().split()}
        return found

    def _message_ids(self, state: str) -> set[str]:
        """What the database tells."""
        db.session.rollback()
        return {
            message_id(key) for key in db.session.scalars(select(Delivery.key).where(Delivery.state == state))
        }

    def mailed(self) -> int:
        return len(self.mailbox.letters)

    def drain(self) -> None:
        """Wait until the worker has done all that it ever will."""
        last_wake = time.monotonic()

        def done() -> bool:
            nonlocal last_wake
            assert self.worker.alive(), self.worker.said()
            if time.monotonic() - last_wake > 1:
                # A message whose worker died is due again when the lease has run out. The next sweep would send it
                # within a minute; any visitor's submit does so at once, and this stands for one.
                self.app.extensions["tasks"]["deliver"]()
                last_wake = time.monotonic()
            db.session.rollback()
            unsent = select(func.count()).select_from(Delivery).where(Delivery.state == "waiting")
            unreviewed = select(func.count()).select_from(Report).where(Report.reviewed_at.is_(None))
            return db.session.scalar(unsent) == db.session.scalar(unreviewed) == 0

        wait_until(done, "the queue is empty", step_s=0.1)

    def assert_nothing_went_wrong(self) -> None:
        """Nobody was answered with an error, and no process has one in its log, least of all a locked database."""
        assert not [trouble for trouble in self.troubles if trouble.isdigit()], self.troubles
        for process in (self.web, self.worker):
            log = process.log.read_text()
            assert "database is locked" not in log
            assert "Traceback" not in log, process.said()


def message_id(key: str) -> str:
    return f"<{keyring.fingerprint(key)[:40]}@localhost>"


@pytest.fixture
def queue_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if BACKEND == "spatialite":
        yield f"sqlite:///{tmp_path}/queue.db"
        return
    # A Redis of its own: the queue's name is always the same, and other tests may run beside this one.
    monkeypatch.delenv(services.REDIS_URL, raising=False)
    with services.redis() as url:
        yield url


@pytest.fixture
def site(
    database: Database, tmp_path: Path, queue_url: str, smtp_url: str, mailbox: Mailbox
) -> Iterator[Site]:
    port = free_port()
    settings = test_settings(tmp_path, database) | {
        "MODE": "production",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "QUEUE_URL": queue_url,
        "SMTP_URL": smtp_url,
        "LEASE_S": LEASE_S,
    }
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("GATAMI_", "PG"))
    }
    environment |= {f"GATAMI_{name}": str(value) for name, value in settings.items()}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    commands = {}
    for line in (ROOT / "deploy" / "Procfile").read_text().splitlines():
        name, command = line.split(":", 1)
        words = shlex.split(command.replace("$PORT", str(port)))
        commands[name] = [sys.executable if word == "python" else word for word in words]
    processes = {
        name: Process(command, environment, tmp_path / f"{name}.log") for name, command in commands.items()
    }
    app = create_app(**settings)
    with app.app_context():
        made = Site(
            app=app,
            url=str(settings["BASE_URL"]),
            **processes,
            mailbox=mailbox,
            journals=Path(str(settings["SENT_JOURNAL"])),
        )
        try:
            made.start()
            yield made
        finally:
            for process in processes.values():
                process.kill()
            app.extensions["huey"].storage.close()
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()


# Those who use it -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """A report that was answered with 303."""

    ref: str
    email: str
    text: str
    photos: int


def hidden(page: httpx.Response) -> dict[str, str]:
    """Names and values of a page's hidden fields."""
    return dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', page.text))


def submit(site: Site, client: httpx.Client, number: int) -> Sent:
    """Send one report as a browser does, again and again until it is accepted, always by the same filled-in form."""
    typed = {
        "category": "hull-i-vegen",
        "lat": str(factories.RANEM[0]),
        "lon": str(factories.RANEM[1]),
        "text": f"Hull nummer {number} midt i vegen.",
        "email": f"melder{number}@prove.example",
        "submission": "",
    }
    photos = (
        [("photos", ("hull.jpg", factories.picture(size=(64, 48)), "image/jpeg"))] if number % 15 == 0 else []
    )
    end = time.monotonic() + BOUND_S
    while time.monotonic() < end:
        try:
            form = client.get("/reports/new")
            if form.status_code == 200:
                values = hidden(form)
                typed["csrf_token"] = values["csrf_token"]
                typed["submission"] = typed["submission"] or values["submission"]
                answer = client.post("/reports", data=typed, files=photos or None)
                if answer.status_code == 303:
                    token = urlsplit(answer.headers["location"]).path.rpartition("/")[2]
                    return Sent(keyring.signed("receipt", token), typed["email"], typed["text"], len(photos))
                assert answer.status_code >= 500, answer.text
                site.troubles[str(answer.status_code)] += 1
            else:
                assert form.status_code >= 500, form.text
                site.troubles[str(form.status_code)] += 1
        except httpx.TransportError as error:
            site.troubles[type(error).__name__] += 1
        time.sleep(0.25)
    pytest.fail(
        f"report {number} was not accepted within {BOUND_S} seconds: {site.troubles}\n{site.web.said()}"
    )


def test_kills_in_the_middle_of_200_submits_lose_nothing_and_repeat_nothing(site):
    number, dice = 200, random.Random(5047)
    accepted: list[Sent] = []
    killing = True

    def close_before_the_worker() -> bool:
        # So every kill comes in the middle of submits and of mails.
        return not killing or len(accepted) < site.mailed() + 30

    def share(numbers: range) -> None:
        with httpx.Client(base_url=site.url, timeout=BOUND_S) as client:
            for each in numbers:
                wait_until(close_before_the_worker, "the worker keeps up", step_s=0.02)
                accepted.append(submit(site, client, each))

    with ThreadPoolExecutor(SUBMITTERS) as pool:
        shares = [pool.submit(share, range(first, number, SUBMITTERS)) for first in range(SUBMITTERS)]
        try:
            for kill in (
                site.kill_worker_before_it_marks,
                partial(site.kill, site.worker),
                partial(site.kill, site.web),
                site.kill_worker_before_it_marks,
                partial(site.kill, site.web, site.worker),
                partial(site.kill, site.worker),
            ):
                goal = min(site.mailed() + dice.randint(3, 12), number)
                wait_until(lambda goal=goal: site.mailed() >= goal, f"{goal} mails are sent", step_s=0.002)
                # Most of the worker's time goes to other things than the moment after a mail.
                time.sleep(dice.uniform(0, 0.05))
                kill()
        finally:
            killing = False
        for one in shares:
            one.result()
    site.drain()

    assert len(accepted) == number
    assert Counter(db.session.scalars(select(Report.ref))) == Counter(sent.ref for sent in accepted)
    assert len({sent.ref for sent in accepted}) == number
    assert Counter(letter.recipient for letter in site.mailbox.letters) == Counter(
        sent.email for sent in accepted
    )
    assert len({letter.message_id for letter in site.mailbox.letters}) == number
    assert set(db.session.scalars(select(Delivery.state))) == {"sent"}

    photos = db.session.scalars(select(Photo)).all()
    assert len(photos) == sum(sent.photos for sent in accepted) > 0
    for photo in photos:
        assert (photo.publication, photo.failure) == ("published", None)
        assert all(reports.photo_bytes(photo, size) for size in ("original", "small", "large"))

    with httpx.Client(base_url=site.url, timeout=BOUND_S) as client:
        for sent in accepted:
            page = client.get(f"/reports/{sent.ref}")
            assert page.status_code == 200
            assert sent.text in page.text
    site.assert_nothing_went_wrong()


def test_each_reply_reaches_each_follower_once_though_the_worker_is_killed(site):
    with httpx.Client(base_url=site.url, timeout=BOUND_S) as resident:
        sent = submit(site, resident, 1)
    site.drain()
    report = db.session.scalars(select(Report).where(Report.ref == sent.ref)).one()
    for number in range(15):
        email = f"folger{number}@prove.example"
        db.session.add(
            Follow(
                report_id=report.id,
                email=email,
                email_fingerprint=keyring.fingerprint(email),
                language=("nb", "nn", "en")[number % 3],
                confirmed_at=now(),
            )
        )
    colleague = factories.user().email

    with httpx.Client(base_url=site.url, timeout=BOUND_S) as desk:
        token = hidden(desk.get("/sign-in"))["csrf_token"]
        typed = {"email": colleague, "password": factories.PASSWORD, "csrf_token": token}
        assert desk.post("/sign-in", data=typed).status_code == 303
        for number in range(3):
            form = hidden(desk.get(f"/desk/{sent.ref}"))
            typed = {"text": f"Vi ser på det, svar {number}."} | {
                name: form[name] for name in ("version", "csrf_token")
            }
            goal = site.mailed() + 1 + 4 * number
            assert desk.post(f"/desk/{sent.ref}/replies", data=typed).status_code == 303
            wait_until(lambda goal=goal: site.mailed() >= goal, f"{goal} mails are sent", step_s=0.001)
            site.kill_worker_before_it_marks()
    site.drain()

    events = db.session.scalars(select(Event.id).where(Event.kind == "reply")).all()
    follows = {follow.id: follow.email for follow in db.session.scalars(select(Follow))}
    assert (len(events), len(follows)) == (3, 16)
    wanted = Counter(
        (message_id(f"event:{event}:follow:{follow}"), email)
        for event in events
        for follow, email in follows.items()
    )
    wanted[message_id(f"receipt:{report.id}"), sent.email] = 1
    assert Counter((letter.message_id, letter.recipient) for letter in site.mailbox.letters) == wanted
    site.assert_nothing_went_wrong()


def test_parallel_submitters_never_find_the_database_locked(site):
    end = time.monotonic() + 4
    numbers = itertools.count()

    def share() -> list[Sent]:
        sent = []
        with httpx.Client(base_url=site.url, timeout=BOUND_S) as client:
            while time.monotonic() < end:
                sent.append(submit(site, client, next(numbers)))
                assert client.get(f"/reports/{sent[-1].ref}").status_code == 200
        return sent

    with ThreadPoolExecutor(SUBMITTERS) as pool:
        shares = [pool.submit(share) for _ in range(SUBMITTERS)]
        accepted = [sent for one in shares for sent in one.result()]
    site.drain()
    assert Counter(db.session.scalars(select(Report.ref))) == Counter(sent.ref for sent in accepted)
    assert Counter(letter.recipient for letter in site.mailbox.letters) == Counter(
        sent.email for sent in accepted
    )
    assert not site.troubles
    site.assert_nothing_went_wrong()
