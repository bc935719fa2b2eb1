"""The process in which pictures are decoded, looked at and made anew, and the client that asks it.

A fork server: a program of its own loads libraries and models once and forks for each picture, so that a picture that
crashes, blocks or swells costs that one picture. One picture at a time, so that its memory counts once. The program is
exec'd with an environment that holds no secret, and ends with the worker that started it, however that ends: its end of
the socket closes, and it looks for its parent besides. What runs where: `ForkServer` and `make` in the worker, `serve`
in the program, `_in_child` in the fork.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import heads
from .boxes import Box
from .pixels import FORMATS, SIZES, Rendition, Unreadable, is_bare

PROGRAM = (sys.executable, "-E", "-s", "-m", "gatami.policy.photos")
START_S = 60
"""Seconds in which libraries and models must be loaded."""
QUEUE = 8
"""Pictures that may be in front of one before it is not waited for any longer."""

_ROOT = Path(__file__).resolve().parents[3]
_ENVIRONMENT = {
    # One core for each picture, and no threads before a fork; more arenas would only keep more memory.
    "VIPS_CONCURRENCY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    # Large pictures stay in memory, where they are bounded; a picture may write no file.
    "VIPS_DISC_THRESHOLD": "8g",
    "LC_ALL": "C.UTF-8",
    # Later versions of onnxruntime report to their maker unless told not to; nothing here speaks to anybody.
    "ORT_DISABLE_TELEMETRY": "1",
}
_FRAME = struct.Struct(">II")
_HEAD_MOST, _BODY_MOST = 4 * 1024**2, 64 * 1024**2
_TICK_S = 1.0
_WATCH_S = 0.05
"""Seconds between two looks at how much memory a picture has taken."""


class Unavailable(Unreadable):
    """The process could not be started, or others were waiting too long: no fault of the picture, which may be tried again."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a picture.

    `plain` is the picture with nothing covered, for those who may see it: a bare JPEG in the large size. `boxes` were covered; `lines` of text were read, which fill `text_share` (0..1) of it; `left` is what a second detector
    still finds. `width` and `height` in pixels are those of the large size. `renditions` holds each of SIZES in each of FORMATS.
    """

    boxes: tuple[Box, ...]
    lines: int
    text_share: float
    left: tuple[Box, ...]
    width: int
    height: int
    plain: bytes
    renditions: tuple[Rendition, ...]


def make(
    data: bytes,
    *,
    seconds: int,
    memory: int,
    boxes: Sequence[Box] | None = None,
    rules: Mapping[str, Any] | None = None,
) -> Made:
    """The public files of a picture, with what is nobody's business covered.

    `boxes` None: faces, plates and private texts are looked for. Given: exactly these are covered, and nothing is looked for.
    `rules`: what `moderation.Rules.of` takes, for the words in the picture. `seconds` of processor time and `memory` in bytes,
    resident beside what the loaded models take, bound the work; in all it takes at most three times as long. Raises Unreadable.
    """
    return _server.make(data, seconds=seconds, memory=memory, boxes=boxes, rules=rules)


def wall_s(seconds: int) -> float:
    """Seconds on the clock in which a picture must be done: another process may want the processor too."""
    return 3.0 * seconds + 5


# The client ------------------------------------------------------------------------------------------------------


class ForkServer:
    """The program and the way to it. For many threads; starts when first asked, and again when the program has ended."""

    def __init__(self, program: Sequence[str] = PROGRAM) -> None:
        self.program = tuple(program)
        self._forget()
        # A fork of the worker must not hold the socket open, nor speak into its parent's.
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.stop)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        channel: socket.socket | None = getattr(self, "_channel", None)
        if channel is not None:
            channel.close()
        # The parent's process is not ours to wait for; kept, it does not complain of that either.
        self._parents: Any = getattr(self, "_process", None)
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The program's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def make(
        self,
        data: bytes,
        *,
        seconds: int,
        memory: int,
        boxes: Sequence[Box] | None = None,
        rules: Mapping[str, Any] | None = None,
    ) -> Made:
        """See `make` of this module."""
        if len(data) > _BODY_MOST:
            raise Unreadable("it is larger than a picture may be")
        request = {
            "seconds": seconds,
            "memory": memory,
            "boxes": None if boxes is None else [box.asdict() for box in boxes],
            "rules": dict(rules or {}),
        }
        lock = self._lock
        if not lock.acquire(timeout=QUEUE * wall_s(seconds)):
            raise Unavailable("too many others are waiting")
        try:
            answer, body = self._ask(request, data, wall_s(seconds))
        finally:
            lock.release()
        if "error" in answer:
            raise Unreadable(str(answer["error"])[:200])
        try:
            return _made(answer, body)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise Unreadable("the answer makes no sense") from error

    def _ask(self, request: dict[str, Any], data: bytes, wall: float) -> tuple[dict[str, Any], bytes]:
        channel = self._send(request, data, time.monotonic() + wall)
        try:
            answer = _receive(channel, time.monotonic() + wall + 10)
        except (OSError, ValueError) as error:
            self.stop()
            raise Unreadable(f"the process broke off: {type(error).__name__}") from error
        if answer is None:
            self.stop()
            raise Unreadable("the process ended")
        return answer

    def _send(self, request: dict[str, Any], data: bytes, deadline: float) -> socket.socket:
        if self.pid and self._channel:
            try:
                _send(self._channel, request, data, deadline)
                return self._channel
            except OSError:
                pass  # It ended while nobody looked; once more, then, to a new one.
        channel = self._start()
        try:
            _send(channel, request, data, deadline + START_S)
        except OSError as error:
            self.stop()
            raise Unavailable("the process takes no pictures") from error
        return channel

    def _start(self) -> socket.socket:
        self.stop()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [*self.program, str(os.getpid())],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_ENVIRONMENT,
                    cwd=_ROOT,
                    # Ctrl-C is meant for the worker, which then ends this one.
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise Unavailable("the process cannot be started") from error
        self._channel = ours
        try:
            ready = _receive(ours, time.monotonic() + START_S)
        except (OSError, ValueError) as error:
            self.stop()
            raise Unavailable("the process was not ready in time") from error
        if ready is None or "ready" not in ready[0]:
            self.stop()
            raise Unavailable(f"the process did not start: {ready[0].get('error') if ready else 'it ended'}")
        return ours

    def stop(self) -> None:
        """End the program, if it runs; the next picture starts it again."""
        channel, process = self._channel, self._process
        self._channel = self._process = None
        if channel is not None:
            channel.close()
        if process is not None:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _made(answer: Mapping[str, Any], body: bytes) -> Made:
    """Believe nothing that a child says which a picture may have taken over. Raises KeyError, TypeError, ValueError, IndexError."""
    renditions, at = [], 0
    for size, name, width, height, length in answer["renditions"]:
        data = body[at : at + length]
        if (
            size not in SIZES
            or heads.kind(data) != {"webp": "WEBP", "jpg": "JPEG"}[name]
            or not is_bare(data)
        ):
            raise ValueError("no bare picture")
        renditions.append(Rendition(size, name, int(width), int(height), data))
        at += length
    plain = body[at : at + answer["plain"]]
    if heads.kind(plain) != "JPEG" or not is_bare(plain):
        raise ValueError("no bare picture")
    if at + len(plain) != len(body) or [(r.size, r.format) for r in renditions] != [
        (s, f) for s in SIZES for f in FORMATS
    ]:
        raise ValueError("not every size in every format")
    large = renditions[-1]
    return Made(
        boxes=tuple(Box.of(box) for box in answer["boxes"]),
        lines=int(answer["lines"]),
        text_share=min(max(float(answer["text_share"]), 0.0), 1.0),
        left=tuple(Box.of(box) for box in answer["left"]),
        width=large.width,
        height=large.height,
        plain=plain,
        renditions=tuple(renditions),
    )


# What both ends speak: two lengths, JSON, bytes ------------------------------------------------------------------------


def _send(
    channel: socket.socket, head: Mapping[str, Any], body: bytes, deadline: float | None = None
) -> None:
    told = json.dumps(head).encode()
    rest = memoryview(_FRAME.pack(len(told), len(body)) + told + body)
    while rest:
        channel.settimeout(None if deadline is None else max(0.01, deadline - time.monotonic()))
        rest = rest[channel.send(rest[: 1024 * 1024]) :]


def _receive(
    channel: socket.socket, deadline: float | None = None, alive: Callable[[], bool] = lambda: True
) -> tuple[dict[str, Any], bytes] | None:
    """One message; None when the other end is closed, or `alive` says so. Raises TimeoutError, ValueError."""

    def exactly(length: int) -> bytes | None:
        got = bytearray()
        while len(got) < length:
            channel.settimeout(_TICK_S)
            try:
                part = channel.recv(min(length - len(got), 1024 * 1024))
            except TimeoutError:
                if not alive():
                    return None
                if deadline is not None and time.monotonic() > deadline:
                    raise
                continue
            if not part:
                return None
            got += part
        return bytes(got)

    lengths = exactly(_FRAME.size)
    if lengths is None:
        return None
    told, carried = _FRAME.unpack(lengths)
    if told > _HEAD_MOST or carried > _BODY_MOST:
        raise ValueError("no message is that long")
    head, body = exactly(told), exactly(carried)
    if head is None or body is None:
        return None
    value = json.loads(head)
    if not isinstance(value, dict):
        raise ValueError("a message is an object")
    return value, body


# The server ------------------------------------------------------------------------------------------------------


def serve() -> None:
    """The program: load, say so, and fork for each picture until the worker is gone."""
    parent = int(sys.argv[1])
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _load()
    except Exception as error:  # noqa: BLE001 - Whatever is missing, the worker is told.
        _send(channel, {"error": _place(error)}, b"")
        return
    # Decoders print what they see, and that may be what the picture holds.
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    _send(channel, {"ready": True}, b"")
    while os.getppid() == parent:
        request = _receive(channel, alive=lambda: os.getppid() == parent)
        if request is None or not _answer(channel, parent, *request):
            return


def _load() -> None:
    import gc

    from .. import moderation
    from . import look, pixels

    pixels.load()
    look.load()
    # Word lists and weights are read when first needed; here that is before the fork.
    moderation.judge("Ring Kari på 00000000", moderation.Rules())
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("a library has started threads, which a fork would lose")
    gc.collect()
    gc.freeze()


def _answer(channel: socket.socket, parent: int, request: dict[str, Any], data: bytes) -> bool:
    """One picture, in a fork of its own; False when the worker is gone meanwhile."""
    receiving, sending = os.pipe()
    server = os.getpid()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            channel.close()
            os.close(receiving)
            _in_child(server, sending, request, data)
        os._exit(0)
    os.close(sending)
    status = 0
    try:
        most = _resident(server) + request["memory"]
        answer = _collect(
            receiving,
            lambda: os.getppid() != parent or _readable(channel),
            lambda: _resident(child) > most,
            time.monotonic() + wall_s(request["seconds"]),
        )
    finally:
        os.close(receiving)
        # Not reaped yet, so the number is still the child's own.
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if answer is None:
        return False
    if not _is_whole(answer):
        killer = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        if answer in (_TOO_LATE, _TOO_MUCH):
            told = answer.decode()
        elif killer == signal.SIGXCPU:
            told = "it took too much processor time"
        elif killer in set(signal.Signals):
            told = f"the decoder broke down ({signal.Signals(killer).name})"
        else:
            told = "it broke off"
        _send(channel, {"error": told}, b"", time.monotonic() + 10)
        return True
    channel.settimeout(10)
    channel.sendall(answer)
    return True


_TOO_LATE, _TOO_MUCH = b"it took too long", b"it took too much memory"


def _collect(
    receiving: int, gone: Callable[[], bool], too_much: Callable[[], bool], deadline: float
) -> bytes | None:
    """All that the child writes until it closes; _TOO_LATE, _TOO_MUCH; None when the worker is gone."""
    got = bytearray()
    waiting = select.poll()
    waiting.register(receiving, select.POLLIN)
    while len(got) <= _FRAME.size + _HEAD_MOST + _BODY_MOST:
        ready = waiting.poll(_WATCH_S * 1000)
        if gone():
            return None
        if time.monotonic() > deadline:
            return _TOO_LATE
        if too_much():
            return _TOO_MUCH
        if ready:
            part = os.read(receiving, 1024 * 1024)
            if not part:
                break
            got += part
    return bytes(got)


def _readable(channel: socket.socket) -> bool:
    """The worker says nothing while it waits: what can be read is the end."""
    return bool(select.select([channel], [], [], 0)[0])


def _resident(pid: int) -> int:
    """Bytes of memory that a process has; a fork counts what it shares too."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def _is_whole(answer: bytes) -> bool:
    if len(answer) < _FRAME.size:
        return False
    told, carried = map(int, _FRAME.unpack_from(answer))
    return told <= _HEAD_MOST and carried <= _BODY_MOST and len(answer) == _FRAME.size + told + carried


# The child -------------------------------------------------------------------------------------------------------


def _in_child(server: int, sending: int, request: dict[str, Any], data: bytes) -> None:
    _bound(server, request["seconds"], request["memory"])
    try:
        head, body = _work(request, data)
    except Exception as error:  # noqa: BLE001 - A decoder raises anything.
        head, body = {"error": _place(error)}, b""
    told = json.dumps(head).encode()
    rest = memoryview(_FRAME.pack(len(told), len(body)) + told + body)
    while rest:
        rest = rest[os.write(sending, rest) :]


def _bound(server: int, seconds: int, memory: int) -> None:
    """Limits that the kernel keeps. RLIMIT_NPROC is none of them: it counts every thread of the user, in all programs."""
    import ctypes
    import resource

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != server:
        os._exit(1)
    # Libraries reserve more than they touch; what is touched is watched from outside, where the kernel has no limit.
    space = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE + 2 * memory
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_AS, space),
    ):
        resource.setrlimit(limit, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _work(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    from . import cover, look, pixels

    rgb = pixels.decode(data, max(SIZES.values()))
    if request["boxes"] is None:
        seen = look.look(rgb, _finder(request["rules"]))
        boxes, lines, text_share, left = seen.boxes, seen.lines, seen.text_share, seen.left
    else:
        boxes, lines, text_share, left = tuple(Box.of(box) for box in request["boxes"]), 0, 0.0, ()
    renditions = pixels.encode(cover.cover(rgb, boxes) if boxes else rgb)
    plain = pixels.plain(rgb)
    head = {
        "boxes": [box.asdict() for box in boxes],
        "lines": lines,
        "text_share": text_share,
        "left": [box.asdict() for box in left],
        "renditions": [(r.size, r.format, r.width, r.height, len(r.data)) for r in renditions],
        "plain": len(plain),
    }
    return head, b"".join(r.data for r in renditions) + plain


def _finder(stored: Mapping[str, Any]) -> Callable[[str], list[tuple[int, int, str]]]:
    from .. import moderation

    rules = moderation.Rules.of(stored)
    return lambda text: [(f.start, f.end, f.kind) for f in moderation.judge(text, rules).findings]


def _place(error: BaseException) -> str:
    """What happened and where; the error's own words may quote the picture, unless they are ours."""
    if isinstance(error, Unreadable | ImportError):
        return str(error)
    trace, at = error.__traceback__, ""
    while trace is not None:
        at = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return type(error).__name__ + at


_server = ForkServer()
