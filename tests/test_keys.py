import stat

import pytest

from gatami.keys import NAME_BYTES, Destroyed, KeyStore, Missing

NAME = bytes(range(NAME_BYTES))


@pytest.fixture
def store(tmp_path):
    made = KeyStore()
    made.configure(str(tmp_path / "keys"))
    return made


def test_a_key_is_kept_where_only_its_owner_reads(store, tmp_path):
    store.put(NAME, b"sealed")
    assert store.get(NAME) == b"sealed"
    (path,) = (p for p in (tmp_path / "keys").rglob("*") if p.is_file())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(store.names()) == [NAME]


def test_a_destroyed_key_never_comes_back(store, tmp_path):
    store.put(NAME, b"sealed")
    for _ in range(2):
        store.destroy(NAME, "asked")
        with pytest.raises(Destroyed):
            store.get(NAME)
    assert list(store.names()) == []
    assert list(store.destroyed()) == [(NAME, "asked")]
    with pytest.raises(Destroyed):
        store.put(NAME, b"sealed anew")
    assert not any(b"sealed" in p.read_bytes() for p in (tmp_path / "keys").rglob("*") if p.is_file())


def test_another_process_sees_at_once_that_it_is_gone(store, tmp_path):
    other = KeyStore()
    other.configure(str(tmp_path / "keys"))
    store.put(NAME, b"sealed")
    assert other.get(NAME)
    store.destroy(NAME, "asked")
    with pytest.raises(Destroyed):
        other.get(NAME)


def test_a_lost_folder_is_not_taken_for_a_wish(store):
    """Where the wrong folder is mounted nothing may look as if its author had had it erased."""
    with pytest.raises(Missing):
        store.get(NAME)
