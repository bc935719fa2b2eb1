"""The spine under load: a map window, a report's page, a submit, and beside them the window's SQL without the app."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import secrets
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests import services

ROOT = Path(__file__).resolve().parent.parent

WINDOW = 200
"""Reports in a measured window."""
WINDOWS, PAGES, FORMS = 200, 200, 500
"""Different windows, pages and forms that the load chooses from."""
START_S, DRAIN_S = 60, 300
POSTGRESQL = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
"""Over PostgreSQL's defaults. It syncs to disk as in production: accepted means durable."""

Statement = tuple[str, Any]
Figures = dict[str, Any]


class CannotMeasure(Exception):
    """Something that the bench needs is missing or does not do its part."""


def say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr, flush=True)


# One database with its servers --------------------------------------------------------------------------------


@dataclass
class Subject:
    """A database of one size and the app that serves it."""

    size: int
    settings: dict[str, str]
    port: int
    folder: Path
    loading_s: float = 0.0
    statements: list[Statement] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("GATAMI_")}
        return ours | self.settings | {"PORT": str(self.port), "PYTHONPATH": str(ROOT)}

    def connect(self, name: str = "GATAMI_DATABASE_URL") -> psycopg.Connection[Any]:
        return psycopg.connect(self.settings[name].replace("+psycopg", ""), autocommit=True)

    def lines(self, name: str) -> Path:
        return self.folder / f"{self.size}-{name}.txt"


def _subject(size: int, cluster: str, queue: str, folder: Path) -> Subject:
    base, role = cluster.rpartition("/")[0], f"gatami_bench_{size}"
    public = re.sub(r"//[^@]+@", f"//{role}:{secrets.token_urlsafe(12)}@", base)
    port = services.free_port()
    settings = {
        "GATAMI_MODE": "production",
        "GATAMI_SECRET_KEY": secrets.token_urlsafe(48),
        "GATAMI_ENCRYPTION_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "GATAMI_DATABASE_URL": f"{base}/gatami_{size}",
        "GATAMI_PUBLIC_DATABASE_URL": f"{public}/gatami_{size}",
        "GATAMI_QUEUE_URL": queue,
        "GATAMI_KEY_ROOT": str(folder / f"{size}-keys"),
        "GATAMI_MEDIA_ROOT": str(folder / f"{size}-media"),
        "GATAMI_MAIL_FOLDER": str(folder / f"{size}-mail"),
        "GATAMI_SENT_JOURNAL": str(folder / f"{size}-sent.journal"),
        "GATAMI_BASE_URL": f"http://127.0.0.1:{port}",
        # All of the load comes from one address, and no other host may be asked for one.
        "GATAMI_SUBMITS_PER_HOUR": "0",
        "GATAMI_ADDRESS_URL": "",
    }
    return Subject(size, settings, port, folder)


def _flask(subject: Subject, *words: str) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    # The demo, which is what is measured on, is loaded in no other mode than its own.
    environment = subject.environment | {"GATAMI_MODE": "demo"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMeasure(f"flask {shlex.join(words)} failed:\n{done.stderr[-2000:]}")


def _load(subject: Subject, cluster: str) -> None:
    say(f"loading {subject.size:,} reports")
    with psycopg.connect(cluster.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE gatami_{subject.size}".encode())
    with subject.connect() as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    _flask(subject, "db", "upgrade")
    _flask(subject, "gate", "apply")
    _flask(subject, "demo", "load")
    began = time.monotonic()
    _flask(subject, "demo", "load", "--reports", str(subject.size))
    subject.loading_s = round(time.monotonic() - began, 1)
    say(f"loaded {subject.size:,} reports in {subject.loading_s} s")


def _choose(subject: Subject) -> None:
    """Write down the windows, pages and forms that the load chooses from, and catch the windows' statements."""
    with subject.connect() as connection:
        connection.execute("SELECT setseed(0.5)")
        centres = connection.execute(
            "SELECT ST_X(place), ST_Y(place) FROM reports ORDER BY random() LIMIT %s", [WINDOWS]
        ).fetchall()
        boxes = [_around(connection, lon, lat) for lon, lat in centres]
        refs = connection.execute("SELECT ref FROM reports ORDER BY random() LIMIT %s", [PAGES]).fetchall()
        forms = connection.execute(
            "SELECT c.slug, r.lat, r.lon, r.public_text FROM reports r JOIN categories c ON c.id = r.category_id"
            " WHERE r.public_text IS NOT NULL ORDER BY random() LIMIT %s",
            [FORMS],
        ).fetchall()
    paths = [f"/map.geojson?bbox={','.join(f'{corner:.6f}' for corner in box)}&zoom=16" for box in boxes]
    _write(subject.lines("windows"), paths)
    _write(subject.lines("pages"), [f"/reports/{ref}" for (ref,) in refs])
    _write(subject.lines("forms"), ["\t".join(map(str, form)) for form in forms])
    subject.statements = _statements(subject, boxes)


def _around(connection: psycopg.Connection[Any], lon: float, lat: float) -> tuple[float, float, float, float]:
    """A box about a place that holds WINDOW reports, or a few more where several share its edge."""
    found = connection.execute(
        "SELECT lon, lat FROM reports WHERE state <> 'withdrawn'"
        " ORDER BY place <-> ST_SetSRID(ST_MakePoint(%s, %s), 4326) LIMIT %s",
        [lon, lat, 2 * WINDOW],
    ).fetchall()
    # At 64 degrees north a degree of longitude is less than half as long as one of latitude.
    reach = sorted(max(abs(x - lon) / 2.3, abs(y - lat)) for x, y in found)[WINDOW - 1] + 1e-7
    return (lon - 2.3 * reach, lat - reach, lon + 2.3 * reach, lat + reach)


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _statements(subject: Subject, boxes: list[tuple[float, float, float, float]]) -> list[Statement]:
    """What the app asks the database for each window, as the driver gets it."""
    from sqlalchemy import event

    from gatami import create_app, publication
    from gatami.db import PUBLIC, db

    caught: list[Statement] = []
    app = create_app(**{name.removeprefix("GATAMI_"): value for name, value in subject.settings.items()})
    with app.app_context():
        engine = db.engines[PUBLIC]

        def catch(*call: Any) -> None:
            _connection, _cursor, statement, parameters, *_ = call
            caught.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", catch)
        for box in boxes:
            publication.window(publication.Filters(box=box), 16)
        for each in db.engines.values():
            each.dispose()
    if len(caught) != len(boxes):
        raise CannotMeasure(
            f"{len(boxes)} windows took {len(caught)} statements; the bench knows windows of one"
        )
    return caught


# Servers ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _served(subject: Subject) -> Iterator[None]:
    """Web server and worker as deploy/Procfile starts them, until the block ends."""
    with contextlib.ExitStack() as running:
        log = running.enter_context((subject.folder / f"{subject.size}-servers.log").open("wb"))
        for line in (ROOT / "deploy" / "Procfile").read_text().splitlines():
            words = shlex.split(line.split(":", 1)[1].replace("$PORT", str(subject.port)))
            command = [sys.executable if word == "python" else word for word in words]
            running.enter_context(_process(command, subject.environment, log))
        _wait_for(subject)
        yield


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str], log: Any) -> Iterator[None]:
    setpriv = shutil.which("setpriv")
    # The kernel ends it when we die without a chance to do so.
    tied = [setpriv, "--pdeathsig", "TERM", "--", *command] if setpriv else command
    process = subprocess.Popen(
        tied,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        # Whatever it started and left is in its own group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(subject: Subject) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{subject.url}/health", timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    log = (subject.folder / f"{subject.size}-servers.log").read_text(errors="replace")
    raise CannotMeasure(f"the server did not start:\n{log[-2000:]}")


# Measurements -------------------------------------------------------------------------------------------------


def _wrk(subject: Subject, name: str, seconds: int, connections: int, *form: str) -> Figures:
    program = shutil.which("wrk")
    if program is None:
        raise CannotMeasure("wrk is not installed (Debian and Ubuntu: apt-get install wrk)")
    load = [
        "-t2",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "-s",
        str(ROOT / "bench" / "wrk.lua"),
    ]
    command = [program, *load, subject.url, "--", str(subject.lines(name)), *form]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    if done.returncode:
        raise CannotMeasure(f"wrk failed: {done.stderr[-500:]}")
    found: Figures = json.loads(done.stdout.strip().rpartition("\n")[2])
    if found["refused"] or found["broken"]:
        raise CannotMeasure(
            f"{name}: {found['refused']} requests refused, {found['broken']} broken: {subject.url}"
        )
    return _figures(found["requests"], found["seconds"], found["p50_ms"], found["p99_ms"])


def _figures(number: int, seconds: float, p50_ms: float, p99_ms: float) -> Figures:
    return {"per_second": number / seconds, "p50_ms": p50_ms, "p99_ms": p99_ms}


def _submits(subject: Subject, seconds: int, connections: int) -> Figures:
    with httpx.Client(base_url=subject.url) as client:
        answer = client.get("/reports/new")
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
        if token is None:
            raise CannotMeasure("the form of a new report holds no csrf_token")
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    with subject.connect() as connection:
        before = _count(connection, "TRUE")
        found = _wrk(subject, "forms", seconds, connections, cookie, token[1], secrets.token_hex(6))
        stored = _count(connection, "TRUE") - before
        if stored < found["per_second"] * seconds * 0.95:
            raise CannotMeasure(
                f"{found['per_second'] * seconds:.0f} submits were answered and {stored} stored"
            )
        # The worker is part of what a submit costs; here it catches up, so that it costs nothing else.
        deadline = time.monotonic() + DRAIN_S
        while _count(connection, "reviewed_at IS NULL") and time.monotonic() < deadline:
            time.sleep(0.5)
    return found


def _count(connection: psycopg.Connection[Any], condition: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM reports WHERE {condition}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def _raw(subject: Subject, seconds: int, threads: int) -> Figures:
    """The same statements by the same driver as the same role, from so many threads with a connection each."""
    times: list[list[float]] = [[] for _ in range(threads)]
    began = time.perf_counter()
    until = began + seconds

    def ask(own: list[float], start: int) -> None:
        with subject.connect("GATAMI_PUBLIC_DATABASE_URL") as connection:
            connection.execute("SET jit = off")
            cursor, at = connection.cursor(), start
            while (now := time.perf_counter()) < until:
                statement, parameters = subject.statements[at % len(subject.statements)]
                cursor.execute(statement.encode(), parameters).fetchall()
                own.append(time.perf_counter() - now)
                at += 7

    asking = [
        threading.Thread(target=ask, args=(own, 31 * number), daemon=True) for number, own in enumerate(times)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    took = sorted(one for own in times for one in own)
    if not took:
        raise CannotMeasure("the database answered no window at all")
    spent = time.perf_counter() - began
    return _figures(
        len(took), spent, statistics.median(took) * 1e3, took[min(len(took) - 1, len(took) * 99 // 100)] * 1e3
    )


def _window_reports(subject: Subject) -> float:
    """How many reports the windows hold, in the middle."""
    paths = subject.lines("windows").read_text().split()[:40]
    answers = [httpx.get(subject.url + path, timeout=20).raise_for_status().json() for path in paths]
    return statistics.median(len(answer["features"]) for answer in answers)


# The whole ----------------------------------------------------------------------------------------------------


def run(sizes: list[int], seconds: int, rounds: int, connections: int) -> Figures:
    """Measure. Raises CannotMeasure."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as running:
        try:
            cluster = running.enter_context(services.postgis(POSTGRESQL))
            queue = running.enter_context(services.redis())
        except services.Unavailable as reason:
            raise CannotMeasure(str(reason)) from reason
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="gatami-bench-")))
        subjects = []
        for number, size in enumerate(sizes):
            # A queue of its own for each, so that no worker takes what belongs to another.
            subject = _subject(size, cluster, f"{queue.rpartition('/')[0]}/{number}", folder)
            _load(subject, cluster)
            _choose(subject)
            running.enter_context(_served(subject))
            subjects.append(subject)
        held = {subject.size: _window_reports(subject) for subject in subjects}
        found = _measure(subjects, seconds, rounds, connections)
    return _report(subjects, found, held, seconds, rounds, connections)


def _measure(
    subjects: list[Subject], seconds: int, rounds: int, connections: int
) -> dict[str, dict[int, list[Figures]]]:
    """Name of the measurement → size → one result a round. What is compared runs right after one another."""
    kinds: dict[str, Callable[[Subject], Figures]] = {
        "window": lambda subject: _wrk(subject, "windows", seconds, connections),
        "window_sql_threads": lambda subject: _raw(subject, seconds, connections),
        "window_sql_single": lambda subject: _raw(subject, max(1, seconds // 2), 1),
        "window_alone": lambda subject: _wrk(subject, "windows", max(1, seconds // 2), 2),
        "page": lambda subject: _wrk(subject, "pages", seconds, connections),
        "submit": lambda subject: _submits(subject, seconds, connections),
    }
    # Submits make a small database grow under the measurements, so they go to the largest alone.
    measured = {kind: subjects[-1:] if kind == "submit" else subjects for kind in kinds}
    found: dict[str, dict[int, list[Figures]]] = {
        kind: {subject.size: [] for subject in measured[kind]} for kind in kinds
    }
    for kind in ("window", "page", "submit"):  # The first requests fill caches that later ones find full.
        for subject in measured[kind]:
            kinds[kind](subject)
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for kind, measure in kinds.items():
            # Each round turns the order round, so that what the machine does beside falls on all alike.
            for subject in measured[kind] if number % 2 == 0 else reversed(measured[kind]):
                found[kind][subject.size].append(measure(subject))
    return found


def _report(
    subjects: list[Subject],
    found: dict[str, dict[int, list[Figures]]],
    held: dict[int, float],
    seconds: int,
    rounds: int,
    connections: int,
) -> Figures:
    sizes = [subject.size for subject in subjects]
    small, large = sizes[0], sizes[-1]
    middle = {
        kind: {size: _spread(results) for size, results in by_size.items()} for kind, by_size in found.items()
    }

    def of(kind: str, size: int, figure: str = "per_second") -> float:
        return float(middle[kind][size][figure]["median"])

    ratios: Figures = {
        "window_per_sql_threads": {n: round(of("window", n) / of("window_sql_threads", n), 3) for n in sizes},
        "window_per_sql_single": {n: round(of("window", n) / of("window_sql_single", n), 3) for n in sizes},
    }
    if small != large:
        ratios |= {
            f"window_time_at_{large}_to_{small}": round(of("window", small) / of("window", large), 3),
            f"window_sql_time_at_{large}_to_{small}": round(
                of("window_sql_single", large, "p50_ms") / of("window_sql_single", small, "p50_ms"), 3
            ),
        }
    return {
        "ratios": ratios,
        "marks": {
            "window_400_per_second": of("window", large) >= 400,
            "page_800_per_second": of("page", large) >= 800,
            "submit_60_per_second": of("submit", large) >= 60,
            "window_time_at_most_1.3": of("window", small) <= 1.3 * of("window", large),
        },
        **middle,
        "reports_in_window": held,
        "loading_seconds": {subject.size: subject.loading_s for subject in subjects},
        "load": {"seconds": seconds, "rounds": rounds, "connections": connections},
        "machine": _machine(),
    }


def _spread(results: list[Figures]) -> Figures:
    """Median, least and most of each figure over the rounds."""
    return {
        figure: {
            "median": round(statistics.median(values), 2),
            "min": round(min(values), 2),
            "max": round(max(values), 2),
        }
        for figure in results[0]
        for values in [[float(result[figure]) for result in results]]
    }


def printed(found: Figures) -> str:
    """Indented, and each spread on one line."""
    indented = json.dumps(found, indent=2, ensure_ascii=False)
    return re.sub(r"\{[^{}]*\}", lambda match: re.sub(r"\s+", " ", match[0]), indented)


def _machine() -> Figures:
    cpus = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "cpu": cpus[0] if cpus else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory[1]) / 1024**2, 1) if memory else None,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "postgresql": POSTGRESQL,
    }
