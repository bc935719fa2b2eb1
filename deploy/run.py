"""What `make run` starts when everything is installed: prepares the demo's data, then serves web and worker.

Whatever GATAMI_* variable is set outside wins over the demo's own. Both processes of deploy/Procfile end together: when
one of them ends, when Ctrl-C or SIGTERM comes, and when make or this program dies.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
STOP_S = 12
START_S = 60


def main() -> None:
    port = os.environ.setdefault("PORT", "5000")
    if not port.isdigit() or not 0 < int(port) < 65536:
        sys.exit(f"PORT={port} is no port number.")
    if not port_is_free(int(port)):
        sys.exit(
            f"Port {port} is taken by another program. Choose another one: make run PORT={int(port) + 1}"
        )
    os.chdir(ROOT)
    set_demo_environment(port)
    # A process of its own, so that no database connection of the preparation is carried into the servers.
    stop = StopSignals()
    prepared = Process("prepare", [sys.executable, __file__, "prepare"])
    while prepared.alive() and not stop.wanted():
        time.sleep(0.05)
    prepared.end()
    if stop.wanted():
        return
    if prepared.returncode:
        sys.exit("The demo could not be prepared; the reason stands above. Nothing was started.")
    sys.exit(serve(stop, port))


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # A port that rests after a stop is free.
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


# -- settings ----------------------------------------------------------------------------------------------------------


def set_demo_environment(port: str) -> None:
    """Fill in every setting that the demo needs and that the environment does not name."""
    VAR.mkdir(exist_ok=True)
    defaults = demo_secrets() | {
        "GATAMI_MODE": "demo",
        "GATAMI_DEFAULT_MUNICIPALITY": "5047",
        "GATAMI_DATABASE_URL": f"sqlite:///{VAR / 'gatami.db'}",
        "GATAMI_QUEUE_URL": f"sqlite:///{VAR / 'queue.db'}",
        "GATAMI_MEDIA_ROOT": str(VAR / "media"),
        "GATAMI_KEY_ROOT": str(VAR / "keys"),
        "GATAMI_MAIL_FOLDER": str(VAR / "mail"),
        "GATAMI_SENT_JOURNAL": str(VAR / "sent"),
        "GATAMI_BASE_URL": f"http://127.0.0.1:{port}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def demo_secrets() -> dict[str, str]:
    """The secrets in var/demo.env, made at the first start and kept: without them the data could not be read again."""
    path = VAR / "demo.env"
    if not path.exists():
        made = {
            "GATAMI_SECRET_KEY": secrets.token_urlsafe(48),
            "GATAMI_ENCRYPTION_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in made.items())
            file.flush()
            os.fsync(file.fileno())
        # A link fails where another start was quicker, and then its secrets are the ones.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def prepare() -> None:
    """Bring the schema and the public database's rights up to date, and load the demo once; `flask`, three times."""
    from flask.cli import FlaskGroup

    from wsgi import app

    commands = [["db", "upgrade"], ["gate", "apply"]]
    if os.environ["GATAMI_MODE"] == "demo":
        commands.append(["demo", "load"])
    for command in commands:
        flask = FlaskGroup(create_app=lambda: app, load_dotenv=False)
        if code := flask.main(args=command, prog_name="flask", standalone_mode=False):
            sys.exit(f"flask {shlex.join(command)} ended with {code}.")


# -- processes ---------------------------------------------------------------------------------------------------------


class StopSignals:
    """Remembers that somebody wants an end: Ctrl-C, SIGTERM, a closed terminal, or the death of make."""

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.parent = os.getppid()
        self.received = False
        for number in self.numbers:
            signal.signal(number, self.receive)
        self.blocked_at_first = self.blocked_in_parent()

    def receive(self, *_: object) -> None:
        self.received = True

    def wanted(self) -> bool:
        return (
            self.received
            or os.getppid() != self.parent
            or bool(self.blocked_in_parent() - self.blocked_at_first)
        )

    def blocked_in_parent(self) -> set[signal.Signals]:
        """Those of our signals that make blocks: while its handler of one of them runs, that one is blocked.

        The handler waits for us. It passes SIGTERM on, but counts on the terminal to have sent SIGINT and SIGHUP to
        all of us; `kill -INT` sends it to make alone, and without this look both would wait for ever.
        """
        with contextlib.suppress(OSError, ValueError):
            for line in Path("/proc", str(self.parent), "status").read_text().splitlines():
                if line.startswith("SigBlk:"):
                    mask = int(line.split()[1], 16)
                    return {number for number in self.numbers if mask & 1 << number - 1}
        return set()


class Process:
    """A command in a session of its own, so that Ctrl-C reaches only us, and its whole group can be ended."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        # The kernel ends the command when we die, even where we have no chance to do it ourselves.
        setpriv = shutil.which("setpriv")
        tied = [setpriv, "--pdeathsig", "TERM", "--", *command] if setpriv else command
        self.process = subprocess.Popen(tied, cwd=ROOT, start_new_session=True)

    @property
    def returncode(self) -> int | None:
        return self.process.returncode

    def alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def end(self, deadline: float | None = None) -> None:
        """End the whole group: kindly until the deadline, then at once."""
        deadline = deadline or time.monotonic() + STOP_S
        if self.alive():
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.1, deadline - time.monotonic()))
        self.signal(signal.SIGKILL)
        self.process.wait()


def procfile() -> dict[str, list[str]]:
    """Name and command of each line of deploy/Procfile, with this environment and this Python filled in."""
    commands = {}
    for line in (ROOT / "deploy" / "Procfile").read_text().splitlines():
        name, command = line.split(":", 1)
        words = shlex.split(os.path.expandvars(command))
        commands[name] = [sys.executable if word == "python" else word for word in words]
    return commands


def serve(stop: StopSignals, port: str) -> int:
    """Run web and worker until one of them ends or an end is wanted; the exit code."""
    processes: list[Process] = []
    try:
        for name, command in procfile().items():
            processes.append(Process(name, command))
            # The worker waits until pages can be had: both at once would take longer to start on few cores.
            if name == "web" and not wait_for_pages(stop, processes[0], port):
                break
        else:
            print(f"\n  \033[1mGataMi is ready: http://127.0.0.1:{port}\033[0m")
            print("  Mails are written to var/mail/. Ctrl-C stops everything.\n", flush=True)
        while not stop.wanted():
            for process in processes:
                if not process.alive():
                    print(
                        f"{process.name} ended ({process.returncode}): stopping everything.", file=sys.stderr
                    )
                    return 1
            time.sleep(0.1)
        print("\nStopping …")
        return 0
    finally:
        for process in processes:
            if process.alive():
                process.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for process in processes:
            process.end(deadline)


def wait_for_pages(stop: StopSignals, web: Process, port: str) -> bool:
    """Wait until the web server answers; False where an end came first."""
    deadline = time.monotonic() + START_S
    while web.alive() and not stop.wanted():
        if time.monotonic() > deadline:
            sys.exit(f"The web server did not answer on port {port} within {START_S} seconds.")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return True
        except urllib.error.HTTPError as answer:
            sys.exit(f"The web server answers with an error ({answer.code}); its reason stands above.")
        except OSError:
            time.sleep(0.05)
    return False


if __name__ == "__main__":
    if sys.argv[1:] == ["prepare"]:
        prepare()
    else:
        main()
