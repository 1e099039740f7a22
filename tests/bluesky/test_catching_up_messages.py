"""After days offline DMPoller works through the log, and it can be watched."""

from __future__ import annotations

import pytest
import trio
from trio.abc import Clock

from actors.bluesky.dm_intake import Arrival
from runtime.errors import RateLimited
from runtime.rate import Rate
from tests.bluesky.backlog import DAY_S, HOUR_S, MINUTE_S, World, count_alive, falls
from tests.bluesky.chat import CONVO, PAGE

WAITING = 25_000
CUSTOMERS = 500


async def test_after_three_days_all_messages_are_taken_oldest_first(autojump_clock: Clock) -> None:
    """25,000 in the log: each once, at the actor's rate, a page held at a time, the lag falling."""
    world = World()
    convos = [world.chat.convo(f"customer{number}") for number in range(CUSTOMERS)]
    ids = [world.chat.write(convos[0], -1)]
    await world.take_messages(10 * MINUTE_S)
    await trio.sleep(3 * DAY_S)
    for number in range(WAITING):
        convo_id = convos[number * 7 % CUSTOMERS]
        ids.append(world.chat.write(convo_id, 10 + 10 * number))
        if number % 5000 > 4700:
            # Three hundred in a row that are not for Genesys: they bring the log on, too.
            world.chat.write(convo_id, 10 + 10 * number, sender="brand")
            world.chat.event("ReadMessage", convo_id)
    told = len(world.dm_context.lags)
    held: list[int] = []

    def look(number: int) -> None:
        if number % 50 == 0:
            held.append(count_alive(Arrival))
        if number == 300:
            ids.append(world.chat.write(convos[1], trio.current_time()))

    world.watched_chat.before = look
    await world.take_messages(30 * MINUTE_S)
    assert world.message_ids == ids
    assert world.watched_chat.keeps_to(Rate(120, 60.0))
    assert 0 < max(held) <= PAGE
    lags = world.dm_context.lags[told:]
    assert lags[0] == pytest.approx(3 * DAY_S, abs=11 * MINUTE_S)
    assert falls(lags)
    assert len(set(lags)) >= WAITING / PAGE


async def test_what_is_not_for_genesys_does_not_hide_the_lag(autojump_clock: Clock) -> None:
    """A page of our own messages, in the middle of a backlog, is no sign that all is well."""
    world = World()
    alice = world.chat.convo("alice")
    await world.take_messages(1)
    await trio.sleep(DAY_S)
    for number in range(PAGE):
        world.chat.write(alice, 10 + number, sender="brand")
    for _ in range(PAGE):
        world.chat.event("ReadMessage", alice)
    world.chat.write(alice, 500)
    told = len(world.dm_context.lags)
    await world.take_messages(MINUTE_S)
    lags = world.dm_context.lags[told:]
    assert falls(lags)
    assert len(lags) == 4
    assert lags[2] == pytest.approx(DAY_S - 500, abs=MINUTE_S)


async def test_the_look_back_is_taken_from_whoever_waits_longest(autojump_clock: Clock) -> None:
    """The log forgot its cursor: the conversations are read, and the lag falls with each."""
    world = World()
    convos = [world.chat.convo(f"customer{number}") for number in range(30)]
    await world.take_messages(1)
    await trio.sleep(DAY_S)
    for number, convo_id in enumerate(reversed(convos)):
        for part in range(3):
            world.chat.write(convo_id, HOUR_S + 600 * number + part)
    world.chat.oldest_cursor = len(world.chat.log)
    told = len(world.dm_context.lags)
    read = world.chat.count(f"{CONVO}getMessages")
    await world.take_messages(MINUTE_S)
    assert world.message_ids == [
        message["id"] for convo_id in reversed(convos) for message in world.chat.messages[convo_id]
    ]
    lags = world.dm_context.lags[told:]
    assert falls(lags)
    assert len(lags) > len(convos)
    assert world.chat.count(f"{CONVO}getMessages") == read + len(convos)


async def test_a_look_back_survives_the_servers_limit(autojump_clock: Clock) -> None:
    """It takes more requests than the server allows at a time: what is read stays read."""
    world = World()
    ids = [world.chat.write(world.chat.convo(f"customer{n}"), -1000 + n) for n in range(150)]

    def limit(number: int) -> None:
        if number % 40 == 0 and not world.message_ids:
            raise RateLimited("429", after_s=120.0)

    world.watched_chat.before = limit
    await world.take_messages(HOUR_S)
    assert world.message_ids == ids


async def test_a_log_that_forgets_after_a_month_of_silence_repeats_nothing(
    autojump_clock: Clock,
) -> None:
    """The store has forgotten by then what it took in last."""
    world = World()
    alice = world.chat.convo("alice")
    ids = [world.chat.write(alice, -1)]
    await world.take_messages(MINUTE_S)
    await trio.sleep(40 * DAY_S)
    ids.append(world.chat.write(alice, 2 * DAY_S))
    world.chat.oldest_cursor = len(world.chat.log)
    await world.take_messages(MINUTE_S)
    assert world.message_ids == ids


async def test_a_conversation_that_moves_while_it_is_listed_is_not_passed_by(
    autojump_clock: Clock,
) -> None:
    """A new message takes it to the page that was read already; the older ones are there, too."""
    world = World()
    chat = world.chat
    ids = {chat.write(chat.convo(f"customer{number}"), -number) for number in range(150)}
    lists: list[str] = []

    def move() -> None:
        lists.append("listed")
        if len(lists) == 2:
            ids.add(chat.write("convo-customer120", 0))
            last = chat.convos.pop("convo-customer120")
            chat.convos = {"convo-customer120": last, **chat.convos}

    chat.on_list = [move]
    await world.take_messages(10 * MINUTE_S)
    assert sorted(world.message_ids) == sorted(ids)
