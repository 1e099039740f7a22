"""What is remembered of what was done lately stays small."""

from __future__ import annotations

import tracemalloc

import pytest

from actors.recent import Recent

CAPACITY = 1000


def name(number: int) -> str:
    """As long as the id of a post."""
    return f"post:at://did:plc:{number:024d}/app.bsky.feed.post/{number:013d}"


@pytest.mark.parametrize("count", [7, CAPACITY - 1, CAPACITY, CAPACITY + 1, 2 * CAPACITY, 4321])
def test_the_last_texts_are_remembered(count: int) -> None:
    """All but a few of as many as the capacity; of what was never added nothing."""
    recent = Recent(CAPACITY)
    recent.add(name(number) for number in range(count))
    last = range(max(0, count - CAPACITY), count)
    assert sum(name(number) in recent for number in last) >= 0.98 * len(last)
    assert name(count - 1) in recent
    assert not any(name(number) in recent for number in range(count, count + 10_000))


def test_old_texts_are_forgotten() -> None:
    """All but a few of those after which came ten times as many."""
    recent = Recent(CAPACITY)
    recent.add(name(number) for number in range(11 * CAPACITY))
    assert sum(name(number) in recent for number in range(CAPACITY)) < 0.05 * CAPACITY


def test_what_is_asked_for_again_and_again_is_not_forgotten() -> None:
    """A listing shows the same posts at each look, however much else is added meanwhile."""
    recent = Recent(CAPACITY)
    recent.add(["pinned"])
    for number in range(10 * CAPACITY):
        recent.add([name(number)])
        if number % (CAPACITY // 2) == 0:
            assert "pinned" in recent


def test_what_is_added_again_takes_no_room() -> None:
    """However often: the others are remembered."""
    recent = Recent(1)
    recent.add([name(1), name(2)])
    recent.add([name(3)] * 100)
    assert all(name(number) in recent for number in (1, 2, 3))


def test_what_is_discarded_is_forgotten() -> None:
    """It alone; and what was never there is no matter."""
    recent = Recent(1)
    recent.add(name(number) for number in range(8))
    recent.discard(name(3))
    recent.discard("never there")
    assert [number for number in range(8) if name(number) not in recent] == [3]


def test_it_takes_its_memory_once_whatever_passes_through() -> None:
    """Some 26 bytes a text, where the text of an id alone has 130."""
    tracemalloc.start()
    try:
        recent = Recent()
        taken, _ = tracemalloc.get_traced_memory()
        for number in range(100_000):
            recent.add([name(number)])
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 135_000
    assert held <= peak < taken + 5000
