"""The data keys, each in a file of its own, so that destroying one makes what it sealed unreadable everywhere.

A backup of the database holds what was sealed and, were the keys in it too, what opens it: whoever was forgotten last week
would be readable in the backup of last month. So the keys lie apart from the database and the photos, in KEY_ROOT, and a
backup holds only their names. Destroying a file here reaches into every backup that was ever taken. The folder is mirrored,
never kept as history: a copy that is older than a destroyed key would bring it back.

A key's file is itself sealed under the keyring, so neither the folder nor the database tells anything without the secret of
the other's place. What was destroyed leaves an empty mark, by which a restored backup is told what had been forgotten
since it was taken. Files need no lock between web processes, and work on whatever the machines share.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

NAME_BYTES = 16
_GONE = ".gone"


class Destroyed(Exception):
    """The key was destroyed, and what it sealed is forgotten."""


class Missing(Exception):
    """There is no such key, though nobody destroyed it: KEY_ROOT is the wrong folder, or was lost."""


class KeyStore:
    """Sealed keys under random names of NAME_BYTES bytes."""

    def __init__(self) -> None:
        self._root: Path | None = None

    def configure(self, root: str) -> None:
        folder = Path(root)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._root = folder.resolve()

    def _path(self, name: bytes) -> Path:
        assert self._root is not None, "the key store was not configured"
        return self._root / name.hex()[:2] / name.hex()[2:]

    def put(self, name: bytes, sealed: bytes) -> None:
        """Store a key durably: after this returns it outlives a crash, whole or not at all. Raises Destroyed."""
        path = self._path(name)
        _write(path, sealed)
        if path.with_name(path.name + _GONE).exists():
            # Somebody destroyed it while it was being sealed anew.
            path.unlink(missing_ok=True)
            raise Destroyed(name.hex())

    def get(self, name: bytes) -> bytes:
        """Raises Destroyed, Missing. Nothing is kept in memory, where another process's destroying would not reach."""
        path = self._path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            error = Destroyed if path.with_name(path.name + _GONE).exists() else Missing
            raise error(name.hex()) from None

    def destroy(self, name: bytes, why: str) -> None:
        """Forget a key for good; `why` is the rule, and stays as its mark. Destroying twice changes nothing."""
        path = self._path(name)
        mark = path.with_name(path.name + _GONE)
        if not mark.exists():
            _write(mark, why.encode())
        with contextlib.suppress(FileNotFoundError):
            # Overwritten first: on a plain disk the bytes go too, and not only their entry in the folder.
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        _sync(path.parent)

    def destroyed(self) -> Iterator[tuple[bytes, str]]:
        """Name and rule of each key that was destroyed."""
        assert self._root is not None, "the key store was not configured"
        for mark in self._root.glob(f"*/*{_GONE}"):
            yield bytes.fromhex(mark.parent.name + mark.name.removesuffix(_GONE)), mark.read_text()

    def names(self) -> Iterator[bytes]:
        """The keys that are there."""
        assert self._root is not None, "the key store was not configured"
        for path in self._root.glob("*/*"):
            if not path.name.startswith(".") and not path.name.endswith(_GONE):
                yield bytes.fromhex(path.parent.name + path.name)


def _write(path: Path, data: bytes) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(exist_ok=True, mode=0o700)
        _sync(path.parent.parent)
    draft = path.with_name(f".{secrets.token_hex(6)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


keys = KeyStore()
