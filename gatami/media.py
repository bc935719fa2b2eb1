"""Photos as bytes under keys. Two stores, and no rows: what lies in `private` is sealed by whoever puts it there
and never served; what lies in `released` is public by lying there."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

_KEY = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+){0,3}(\.(webp|jpg))?")


class NoSuchMedia(Exception):
    """No bytes under the key."""


class Store:
    """A folder on disk. A key is one to four names of letters, digits, `_` and `-`, parted by `/`."""

    def __init__(self) -> None:
        self._root: Path | None = None

    def configure(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._root = root.resolve()

    def path(self, key: str) -> Path:
        """Where the key's bytes lie. Raises NoSuchMedia for a key that is none, such as `../secret`."""
        assert self._root is not None, "the store was not configured"
        if not _KEY.fullmatch(key):
            raise NoSuchMedia(key)
        return self._root / key

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes durably: after this returns they outlive a crash, whole or not at all."""
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{secrets.token_hex(6)}")
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def get(self, key: str) -> bytes:
        """The bytes under the key. Raises NoSuchMedia."""
        try:
            return self.path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NoSuchMedia(key) from error

    def delete(self, key: str) -> None:
        """Forget the key's bytes; nothing happens where there are none."""
        with contextlib.suppress(FileNotFoundError):
            self.path(key).unlink()

    def delete_all(self, folder: str) -> None:
        """Forget everything in a folder; nothing happens where there is none."""
        shutil.rmtree(self.path(folder), ignore_errors=True)

    def folders(self, before: datetime) -> Iterator[str]:
        """Names of the folders that were last written to before a time."""
        assert self._root is not None, "the store was not configured"
        for entry in os.scandir(self._root):
            with contextlib.suppress(FileNotFoundError):
                if entry.is_dir() and entry.stat().st_mtime < before.timestamp():
                    yield entry.name

    def delete_older(self, folder: str, before: datetime) -> int:
        """Delete the files right under a folder that were stored before a time; how many."""
        gone = 0
        for path in self.path(folder).glob("*"):
            if path.is_file() and path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def weight(self, folder: str, beginning: str = "") -> int:
        """Bytes of the files right under a folder, of those whose names begin like that."""
        total = 0
        for path in self.path(folder).glob(f"{beginning}*"):
            # Another request may send its form, and take a file with it, at this moment.
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
        return total


private = Store()
released = Store()

DRAFTS = "drafts"
DRAFT_LIFE = timedelta(hours=24)
"""How long photos of a form that was not accepted yet are kept."""


def configure(root: str) -> None:
    private.configure(Path(root) / "private")
    released.configure(Path(root) / "public")


def new_key() -> str:
    """A name that nobody guesses: 128 random bits."""
    return secrets.token_urlsafe(16).replace("-", "_")
