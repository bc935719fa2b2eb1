"""Accepted means durable: whatever is killed, no report is lost and no mail is sent twice.

Web and worker are real processes, started by the lines of deploy/Procfile on a real database and a real queue, and the
mail server is one that takes mail over SMTP. They are killed with SIGKILL, which no program can answer.

One moment is kept free of kills, because no sender can survive it: the mail server has taken a message, and the worker
has not yet written that down. SMTP cannot be asked afterwards what it took, so a worker that dies there sends the
message again, with the same Message-ID (test_notifications.py shows it). `Mailbox.quiet` shuts that window exactly and
leaves every other moment open; without it this test would fail about once in some hundred runs, and be right each time.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import func, select

from gatami import create_app, reports
from gatami.db import db, keyring
from gatami.notifications import Delivery
from gatami.reports import Event, Follow, Photo, Report

from . import factories, services
from .conftest import BACKEND, Database, test_settings

ROOT = Path(__file__).resolve().parent.parent
SUBMITTERS = 8
LEASE_S = 5
"""Short, so that a message that died in a worker's hands soon has another try; much longer than sending one takes."""
BOUND_S = 60
"""The longest that any wait may last. A good run waits for a few seconds in all."""


def wait_until(happened: Callable[[], object], what: str, step_s: float = 0.05) -> None:
    end = time.monotonic() + BOUND_S
    while not happened():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {BOUND_S} seconds")
        time.sleep(step_s)


# The mail server ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    message_id: str
    recipient: str
    subject: str


class Mailbox:
    """Handler of the mail server: takes every message and remembers it."""

    def __init__(self, delay_s: float = 0) -> None:
        self.letters: list[Letter] = []
        self._taking = threading.Lock()
        self._life = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        session.life = self._life
        return responses

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        while not self._taking.acquire(blocking=False):
            await _nap()
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
        """Take nothing, let `noted` become true of all that was taken, and forget the senders who die meanwhile."""
        with self._taking:
            taken = {letter.message_id for letter in self.letters}
            wait_until(lambda: noted(taken), "a message that was taken is written down", step_s=0.0005)
            yield
            self._life += 1


async def _nap() -> None:
    import asyncio

    await asyncio.sleep(0.001)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_url(mailbox: Mailbox) -> Iterator[str]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=services.free_port())
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
        tied = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
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


@dataclass
class Site:
    """GataMi as it is served, with an app in this process to look into its database."""

    app: Flask
    url: str
    web: Process
    worker: Process
    mailbox: Mailbox
    journal: Path
    troubles: Counter[str] = field(default_factory=Counter)

    def start_web(self) -> None:
        self.web.start()
        wait_until(self._answers, "the web server answers")

    def _answers(self) -> bool:
        assert self.web.alive(), self.web.log.read_text()
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill_web(self) -> None:
        self.web.kill()
        self.start_web()

    def kill_worker(self) -> None:
        assert self.worker.alive(), self.worker.log.read_text()
        with self.mailbox.quiet(self._written_down):
            self.worker.kill()
        self.worker.start()

    def _written_down(self, message_ids: set[str]) -> bool:
        """Whether journal or database know of all these messages. A line is seen before its row, so it is asked first."""
        noted = self.journal.read_text().split() if self.journal.exists() else []
        left = message_ids - {message_id(key) for key in noted}
        if left:
            db.session.rollback()
            left -= {message_id(key) for key in db.session.scalars(select(Delivery.key).where(Delivery.state == "sent"))}
        return not left

    def mailed(self) -> int:
        return len(self.mailbox.letters)

    def drain(self) -> None:
        """Wait until the worker has done all that it ever will."""
        last_wake = time.monotonic()

        def done() -> bool:
            nonlocal last_wake
            assert self.worker.alive(), self.worker.log.read_text()
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

    def assert_never_locked(self) -> None:
        logs = {process.log: process.log.read_text() for process in (self.web, self.worker)}
        for log in logs.values():
            assert "database is locked" not in log
            assert "Traceback" not in log, log


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
def site(database: Database, tmp_path: Path, queue_url: str, smtp_url: str, mailbox: Mailbox) -> Iterator[Site]:
    port = services.free_port()
    settings = test_settings(tmp_path, database) | {
        "MODE": "production",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "QUEUE_URL": queue_url,
        "SMTP_URL": smtp_url,
        "LEASE_S": LEASE_S,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GATAMI_", "PG"))}
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
            journal=Path(str(settings["SENT_JOURNAL"])),
        )
        try:
            made.start_web()
            made.worker.start()
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
    photos = [("photos", ("hull.jpg", factories.picture(size=(64, 48)), "image/jpeg"))] if number % 15 == 0 else []
    end = time.monotonic() + BOUND_S
    while time.monotonic() < end:
        try:
            form = client.get("/reports/new")
            hidden = dict(re.findall(r'<input type="hidden" name="(csrf_token|submission)" value="([^"]+)"', form.text))
            if form.status_code == 200:
                typed["csrf_token"] = hidden["csrf_token"]
                typed["submission"] = typed["submission"] or hidden["submission"]
                answer = client.post("/reports", data=typed, files=photos or None)
                if answer.status_code == 303:
                    token = urlsplit(answer.headers["location"]).path.rpartition("/")[2]
                    return Sent(keyring.signed("receipt", token), typed["email"], typed["text"], len(photos))
                assert answer.status_code >= 500, answer.text
                site.troubles[f"{answer.status_code} {answer.text}"] += 1
            else:
                assert form.status_code >= 500, form.text
                site.troubles[f"{form.status_code} {form.text}"] += 1
        except httpx.TransportError as error:
            site.troubles[type(error).__name__] += 1
        time.sleep(0.05)
    raise AssertionError(f"report {number} was not accepted within {BOUND_S} seconds: {site.troubles}")


def submit_share(site: Site, numbers: range, go_on: Callable[[], bool]) -> list[Sent]:
    """What one of the parallel submitters does."""
    with httpx.Client(base_url=site.url, timeout=BOUND_S) as client:
        sent = []
        for number in numbers:
            while not go_on():
                time.sleep(0.02)
            sent.append(submit(site, client, number))
        return sent


def test_kills_in_the_middle_of_200_submits_lose_nothing_and_repeat_nothing(site):
    number, dice = 200, random.Random(5047)
    accepted = []
    killing = True

    def go_on() -> bool:
        # The submitters stay close before the worker, so that each kill comes in the middle of submits and mails.
        return not killing or len(accepted) < site.mailed() + 40

    def share(numbers: range) -> None:
        with httpx.Client(base_url=site.url, timeout=BOUND_S) as client:
            for each in numbers:
                wait_until(go_on, "the worker keeps up")
                accepted.append(submit(site, client, each))

    kills = [site.kill_worker, site.kill_worker, site.kill_web] * 2 + [site.kill_worker]
    with ThreadPoolExecutor(SUBMITTERS) as pool:
        shares = [pool.submit(share, range(first, number, SUBMITTERS)) for first in range(SUBMITTERS)]
        try:
            for done, kill in enumerate(kills, start=1):
                goal = number * done // (len(kills) + 2)
                wait_until(lambda goal=goal: site.mailed() >= goal, f"{goal} mails are sent", step_s=0.002)
                time.sleep(dice.uniform(0, 0.1))
                kill()
        finally:
            killing = False
        for one in shares:
            one.result()
    site.drain()

    assert len(accepted) == number
    refs = Counter(db.session.scalars(select(Report.ref)))
    assert refs == Counter(sent.ref for sent in accepted)
    assert set(refs.values()) == {1}

    letters = Counter(letter.recipient for letter in site.mailbox.letters)
    assert letters == Counter(sent.email for sent in accepted)
    assert max(Counter(letter.message_id for letter in site.mailbox.letters).values()) == 1
    assert set(db.session.scalars(select(Delivery.state))) == {"sent"}

    photos = db.session.scalars(select(Photo)).all()
    assert len(photos) == sum(sent.photos for sent in accepted)
    for photo in photos:
        assert (photo.publication, photo.failure) == ("held", None)
        assert all(reports.photo_bytes(photo, size) for size in ("original", "small", "large"))

    with httpx.Client(base_url=site.url, timeout=BOUND_S) as client:
        for sent in accepted:
            page = client.get(f"/reports/{sent.ref}")
            assert page.status_code == 200
            assert sent.text in page.text

    assert not [trouble for trouble in site.troubles if trouble[0].isdigit()]
    site.assert_never_locked()
