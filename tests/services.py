"""The servers that the suite and the bench need, each private to one run: PostgreSQL with PostGIS, Redis, Chromium.

They listen on free ports of the loopback address, run as another user than root, keep their data in a folder of their
own under the system's temporary folder, and end with whoever started them: by the context manager, else by the kernel,
which signals them when their parent dies. Folders of a run that was killed are removed by the next one.

`python -m tests.services -- COMMAND…` runs a command with both started, named by GATAMI_TEST_POSTGIS_URL and
GATAMI_TEST_REDIS_URL; inside it, `postgis()` and `redis()` hand out these instead of starting more.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

START_S = 60
STOP_S = 15
POSTGIS_URL = "GATAMI_TEST_POSTGIS_URL"
REDIS_URL = "GATAMI_TEST_REDIS_URL"

#: What a throwaway cluster can do without: nothing of it outlives the run.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_FOLDER = re.compile(r"gatami-(?:postgis|redis)-(\d+)-")


class Unavailable(Exception):
    """A server that the tests cannot do without is not installed or does not start."""


@contextlib.contextmanager
def postgis(settings: Mapping[str, str] = QUICK) -> Iterator[str]:
    """Yield the URL (`postgresql+psycopg://…/postgres`) of a superuser of a fresh cluster.

    The extension is installed on the machine, and created in no database yet. `settings` go over PostgreSQL's own.
    Raises Unavailable.
    """
    if os.environ.get(POSTGIS_URL):
        yield os.environ[POSTGIS_URL]
        return
    programs = _postgis_programs()
    with _folder("postgis") as folder:
        password = secrets.token_urlsafe(24)
        _write_private(folder / "password", password)
        _run_as_server(
            folder,
            programs / "initdb",
            *(
                "-D",
                folder / "data",
                "-U",
                "postgres",
                "--auth=scram-sha-256",
                "--pwfile",
                folder / "password",
            ),
            *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
        )

        def command(port: int) -> list[str | Path]:
            listen = {
                "listen_addresses": "127.0.0.1",
                "port": str(port),
                "unix_socket_directories": str(folder),
            }
            pairs = {"max_connections": "100", "timezone": "UTC"} | dict(settings) | listen
            options = [part for name, value in pairs.items() for part in ("-c", f"{name}={value}")]
            return [programs / "postgres", "-D", folder / "data", *options]

        def url(port: int) -> str:
            return f"postgresql+psycopg://postgres:{password}@127.0.0.1:{port}/postgres"

        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
        with _server(command, lambda port: _postgres_answers(url(port)), folder, signal.SIGINT) as port:
            yield url(port)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Yield the URL (`redis://127.0.0.1:port/0`) of an empty Redis that writes nothing to disk. Raises Unavailable."""
    if os.environ.get(REDIS_URL):
        yield os.environ[REDIS_URL]
        return
    program = shutil.which("redis-server")
    if program is None:
        raise Unavailable("redis-server is not installed; `make test` installs it")
    with _folder("redis") as folder:

        def command(port: int) -> list[str | Path]:
            options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
            return [program, *options, "--daemonize", "no", "--dir", folder]

        with _server(command, _redis_answers, folder, signal.SIGTERM) as port:
            yield f"redis://127.0.0.1:{port}/0"


def chromium() -> str:
    """Path of a Chromium for Playwright's `executable_path`: the system's, else the one that Playwright fetched.

    Raises Unavailable.
    """
    for name in (
        os.environ.get("GATAMI_TEST_CHROMIUM", ""),
        "chromium",
        "google-chrome",
        "google-chrome-stable",
    ):
        if name and (found := shutil.which(name)):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not Path(path).exists():
        raise Unavailable("Chromium is not installed; `make test` installs it")
    return path


def free_port() -> int:
    """A port of the loopback address that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# -- how a server is run ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _server(
    command: Callable[[int], list[str | Path]],
    answers: Callable[[int], bool],
    folder: Path,
    stop_signal: signal.Signals,
) -> Iterator[int]:
    """Start `command(port)` on a free port, wait until it answers, yield the port, and end it by its own pid."""
    log = folder / "server.log"
    for _ in range(3):  # Another program may take the port between our look and the server's start.
        port = free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*_tied_to_us(stop_signal), *map(str, command(port))],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle, in order.
                env=_environment(folder),
                **_server_user(),
            )
        try:
            if _wait_until(partial(answers, port), process):
                yield port
                return
        finally:
            _stop(process, stop_signal)
    raise Unavailable(f"{command(0)[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        if answers():
            return True
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            # SIGQUIT makes PostgreSQL take its children with it, which SIGKILL would not; for others it is as final.
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _tied_to_us(stop_signal: signal.Signals) -> list[str]:
    """A prefix by which the kernel sends the server `stop_signal` when we die, however we die."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--"] if setpriv else []


def _run_as_server(folder: Path, *command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=_environment(folder),
        timeout=START_S,
        check=False,
        **_server_user(),
    )
    if done.returncode:
        raise Unavailable(f"{command[0]} failed:\n{done.stdout.decode(errors='replace')[-2000:]}")


def _environment(folder: Path) -> dict[str, str]:
    """No PG* variable of ours may reach the server, nor our language its messages."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def _server_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root, and nothing else of a test needs to: as root we use the account `postgres`."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise Unavailable("no account but root to run the servers as")


@contextlib.contextmanager
def _folder(kind: str) -> Iterator[Path]:
    """A temporary folder of the server's user, named after our pid, and removed at the end."""
    base = Path(tempfile.gettempdir())
    for left in base.glob("gatami-*"):
        owner = _FOLDER.match(left.name)
        if (
            owner
            and not Path("/proc", owner[1]).exists()
            and left.stat().st_uid in (os.geteuid(), _server_uid())
        ):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"gatami-{kind}-{os.getpid()}-", dir=base))
    try:
        os.chown(folder, _server_uid(), -1)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_uid() -> int:
    uid: int = _server_user().get("user", os.geteuid())
    return uid


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
    os.chown(path, _server_uid(), -1)


def _postgis_programs() -> Path:
    """The folder of `initdb` and `postgres` of the newest PostgreSQL that has PostGIS beside it."""
    found = []
    for control in Path("/usr/share/postgresql").glob("*/extension/postgis.control"):
        version = control.parent.parent.name
        programs = Path("/usr/lib/postgresql", version, "bin")
        if version.isdigit() and (programs / "initdb").exists():
            found.append((int(version), programs))
    if not found:
        raise Unavailable("PostgreSQL with PostGIS is not installed; `make test` installs it")
    return max(found)[1]


def _postgres_answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def main(arguments: list[str]) -> int:
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with postgis() as postgis_url, redis() as redis_url:
            environment = os.environ | {POSTGIS_URL: postgis_url, REDIS_URL: redis_url}
            return subprocess.run(command, env=environment, check=False).returncode
    except Unavailable as reason:
        print(f"tests.services: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
