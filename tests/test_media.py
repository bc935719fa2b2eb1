import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatami import media


@pytest.fixture
def store(tmp_path):
    made = media.Store()
    made.configure(tmp_path / "store")
    return made


def test_bytes_come_back_and_go(store):
    store.put("photos/a_1/small", b"bilde")
    assert store.get("photos/a_1/small") == b"bilde"
    store.put("photos/a_1/small", b"nytt")
    assert store.get("photos/a_1/small") == b"nytt"
    store.delete("photos/a_1/small")
    store.delete("photos/a_1/small")
    with pytest.raises(media.NoSuchMedia):
        store.get("photos/a_1/small")


@pytest.mark.parametrize(
    "key", ["../x", "/etc/passwd", "a/../../b", "", ".", "a//b", "a/b/c/d/e", "a\x00b", "x.py", "a.webp/b"]
)
def test_a_key_never_leaves_its_folder(store, key):
    with pytest.raises(media.NoSuchMedia):
        store.put(key, b"x")


def test_nothing_half_written_stays(store, monkeypatch):
    def full(*_args):
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        store.put("photos/a/small", b"bilde")
    with pytest.raises(media.NoSuchMedia):
        store.get("photos/a/small")


def test_old_drafts_go(store):
    store.put("drafts/old", b"x")
    store.put("drafts/new", b"x")
    hours = time.time() - 25 * 3600
    os.utime(store.path("drafts/old"), (hours, hours))
    assert store.delete_older("drafts", datetime.now(UTC) - timedelta(hours=24)) == 1
    assert store.get("drafts/new") == b"x"


def test_keys_are_different_and_plain():
    keys = {media.new_key() for _ in range(200)}
    assert len(keys) == 200
    assert all(key.replace("_", "").isalnum() for key in keys)
