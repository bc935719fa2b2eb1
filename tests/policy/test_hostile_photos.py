"""Whatever somebody sends: the right answer, in time, and nothing breaks."""

import time

import pytest

from gatami.policy import photos
from gatami.policy.photos import process
from tests.policy.hostile import HOW_MANY, hostile_files

SECONDS, MEMORY = 10, 512 * 1024**2


@pytest.fixture(scope="module")
def server():
    made = process.ForkServer()
    yield made
    made.stop()


def test_the_set_is_the_same_each_time():
    first = [(name, data) for name, data, _ in hostile_files()]
    assert len(first) == len({name for name, _ in first}) == HOW_MANY
    assert first == [(name, data) for name, data, _ in hostile_files()]


def test_hostile_files_get_the_right_answer_and_break_nothing(server):
    wrong, servers, made = [], set(), 0
    for name, data, expected in hostile_files():
        started = time.monotonic()
        try:
            photos.check(data)
            server.make(data, boxes=(), seconds=SECONDS, memory=MEMORY)
            answer = "Made"
            made += 1
        except (photos.Refused, photos.Unreadable) as error:
            answer = type(error).__name__
        if server.pid:
            servers.add(server.pid)
        if answer not in expected or time.monotonic() - started > process.wall_s(SECONDS):
            wrong.append((name, answer, expected))
    assert wrong == []
    assert len(servers) == 1, "the server itself never broke"
    assert made > 60
