"""The journey: what residents and caseworkers do, in a real browser, on the servers that deploy/Procfile starts.

Nothing leaves the machine: map tiles are drawn here, the address register is a recorded one, and mails go to a mail
server of the test. Every page that any test opens is watched: an error in its console, a refusal that the test did not
expect, or a request to another host than our own and the tile server fails the test. Where a test fails, a screenshot
of each of its pages lies in its `tmp_path`.

All tests share one site, and each has a place of its own in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    Route,
    expect,
    sync_playwright,
)
from sqlalchemy import func, select

from config import Config
from gatami import create_app, jobs
from gatami.db import db
from gatami.notifications import Delivery
from gatami.reports import Report

from .. import factories, services
from ..conftest import BACKEND, Backend, test_settings

ROOT = Path(__file__).resolve().parent.parent.parent
TILE_HOST = urlsplit(Config.TILE_URL).netloc
TILE = factories.picture("PNG", (256, 256))
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "desktop": {"viewport": {"width": 1280, "height": 900}},
}
WAIT_S = 30
"""How long anything may take before the test fails. Nothing waits for it where things go well."""
STOP_S = 15

PLACES = {
    "desk": (64.50, 11.98),
    "pages": (64.51, 11.98),
    "other": (64.52, 11.98),
    "moderation": (64.54, 11.98),
    "incident": (64.55, 11.98),
    "rights": (64.53, 11.98),
}
"""Places a kilometre from each other, and from the middle of the map, so that tests find only their own reports near."""


def wait_until(happened: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not happened():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {WAIT_S} seconds")
        time.sleep(0.05)


# The site -------------------------------------------------------------------------------------------------------


class Mailbox:
    """Handler of the mail server: takes every message and remembers it."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.url = ""

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 2.0.0 Taken"

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in list(self.letters) if letter["To"] == address]

    def wait_for(self, address: str, number: int) -> list[EmailMessage]:
        """The letters to an address, once there are `number` of them."""
        wait_until(lambda: len(self.to(address)) >= number, f"letter {number} to {address}")
        return self.to(address)


@dataclass
class Site:
    """GataMi as it is served, with an app in this process to look into its database."""

    app: Flask
    url: str

    def report(self, place: str, photo: bool = False, **typed: Any) -> str:
        """Reference of a report that the worker has reviewed."""
        lat, lon = PLACES[place]
        with self.app.app_context():
            made = factories.report(lat=lat, lon=lon, photos=[factories.picture()] if photo else [], **typed)
            ref, number = made.ref, made.id
            jobs.review(self.app, number)
        return ref

    def count(self, *conditions: Any) -> int:
        with self.app.app_context():
            return db.session.scalar(select(func.count()).where(*conditions)) or 0

    def wait_until_reviewed(self, ref: str) -> None:
        reviewed = (Report.ref == ref, Report.reviewed_at.is_not(None))
        wait_until(lambda: self.count(*reviewed), f"report {ref} is reviewed")

    def wait_until_all_is_sent(self) -> None:
        wait_until(lambda: not self.count(Delivery.state == "waiting"), "every message is sent")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="package")
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    controller = Controller(made, hostname="127.0.0.1", port=services.free_port())
    controller.start()
    made.url = f"smtp://127.0.0.1:{controller.port}"
    yield made
    controller.stop()


@pytest.fixture(scope="package")
def register_url() -> Iterator[str]:
    """Kartverket's address API as recorded: whatever is asked, it knows one address."""
    hit = {
        "adressetekst": "Ranemsvegen 1",
        "adressenavn": "Ranemsvegen",
        "poststed": "OVERHALLA",
        "kommunenavn": "OVERHALLA",
        "representasjonspunkt": {"epsg": "EPSG:4258", "lat": PLACES["other"][0], "lon": PLACES["other"][1]},
    }
    answer = json.dumps({"metadata": {}, "adresser": [hit]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="package")
def queue_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if BACKEND == "spatialite":
        yield f"sqlite:///{tmp_path_factory.mktemp('queue')}/queue.db"
        return
    # A Redis of its own: the queue's name is always the same, and other tests may run beside these.
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv(services.REDIS_URL, raising=False)
        with services.redis() as url:
            yield url


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """Run a line of the Procfile in a session of its own, and end it with all its children."""
    setpriv = shutil.which("setpriv")
    # The kernel ends the process when the test itself is killed.
    tied = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*tied, *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def procfile(port: int) -> dict[str, list[str]]:
    """Name and command of each line of deploy/Procfile."""
    commands = {}
    for line in (ROOT / "deploy" / "Procfile").read_text().splitlines():
        name, command = line.split(":", 1)
        words = shlex.split(command.replace("$PORT", str(port)))
        commands[name] = [sys.executable if word == "python" else word for word in words]
    return commands


@pytest.fixture(scope="package")
def site(
    backend: Backend,
    tmp_path_factory: pytest.TempPathFactory,
    queue_url: str,
    mailbox: Mailbox,
    register_url: str,
) -> Iterator[Site]:
    root, database, port = tmp_path_factory.mktemp("site"), backend.new(), services.free_port()
    settings = test_settings(root, database) | {
        "MODE": "production",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "QUEUE_URL": queue_url,
        "SMTP_URL": mailbox.url,
        "ADDRESS_URL": register_url,
        "DEFAULT_MUNICIPALITY": "5047",
    }
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("GATAMI_", "PG"))}
    environment |= {f"GATAMI_{name}": str(value) for name, value in settings.items()}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    app = create_app(**settings)
    with app.app_context():
        factories.user("Liv Prøvesen")
        factories.user("Per Prøvesen")
    logs = {name: root / f"{name}.log" for name in procfile(port)}
    try:
        with contextlib.ExitStack() as processes:
            for name, command in procfile(port).items():
                processes.enter_context(running(command, environment, logs[name]))
            wait_until(lambda: answers(f"{settings['BASE_URL']}/health"), "the web server answers")
            yield Site(app, str(settings["BASE_URL"]))
    finally:
        app.extensions["huey"].storage.close()
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()
        backend.drop(database)
    for log in logs.values():
        assert "Traceback" not in log.read_text(), log.read_text()


# The browser ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = services.chromium()
    expect.set_options(timeout=WAIT_S * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        yield browser
        browser.close()


@dataclass
class Visitors:
    """Opens pages, each for a visitor of its own, and notes what no page may do."""

    browser: Browser
    url: str
    contexts: list[BrowserContext] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def __call__(self, screen: str = "phone", refusals: tuple[int, ...] = (), **options: Any) -> Page:
        """An empty page on a screen of SCREENS. `refusals` are the HTTP errors that the test provokes."""
        context = self.browser.new_context(base_url=self.url, locale="nb-NO", **SCREENS[screen], **options)
        context.set_default_timeout(WAIT_S * 1000)
        context.route(re.compile(f"^(?!{re.escape(self.url)}/)"), self._outside)
        context.on("weberror", lambda error: self.troubles.append(str(error.error)))

        def answered(response: Response) -> None:
            if response.status >= 400 and response.status not in refusals:
                self.troubles.append(f"{response.status} {response.url}")

        def said(message: ConsoleMessage) -> None:
            # Chromium complains of each refused answer, and those are counted above.
            if message.type == "error" and not message.text.startswith("Failed to load resource"):
                self.troubles.append(f"{message.text} ({message.location['url']})")

        context.on("response", answered)
        context.on("console", said)
        self.contexts.append(context)
        return context.new_page()

    def _outside(self, route: Route) -> None:
        """Draw a map tile, and let nothing else leave the machine."""
        if urlsplit(route.request.url).netloc == TILE_HOST:
            route.fulfill(body=TILE, content_type="image/png")
        else:
            self.troubles.append(f"asked another host: {route.request.url}")
            route.abort()

    def close(self, screenshots: Path | None) -> None:
        for number, context in enumerate(self.contexts):
            for page in context.pages if screenshots else ():
                page.screenshot(path=screenshots / f"page-{number}.png", full_page=True)
            context.unroute_all(behavior="ignoreErrors")
            context.close()


@pytest.fixture
def visit(
    site: Site, chromium: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Visitors]:
    failed_before = request.session.testsfailed
    made = Visitors(chromium, site.url)
    yield made
    # Taking a screenshot puts a style into the page, of which its own policy complains.
    troubles = list(made.troubles)
    failed = request.session.testsfailed > failed_before or troubles
    made.close(tmp_path if failed else None)
    assert not troubles
