"""Connections to a real server: opened when needed, kept, and no answer is taken for another."""

from __future__ import annotations

import socket
import ssl
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import hiredis
import pytest
import redis
import trio
import trio.testing

from actors.dedup_store.address import RedisAddress
from actors.dedup_store.commands import Command
from actors.dedup_store.connection import NoAnswer, connect
from actors.dedup_store.opening import open_remote
from actors.dedup_store.pool import ConnectionPool, ask_once
from actors.dedup_store.scripts import load_scripts
from actors.store import StoreUnavailable
from tests.dedup_store.proxy import open_server, open_wire
from tests.media.server import make_contexts

pytestmark = pytest.mark.redis


@pytest.fixture
def pool(redis_address: RedisAddress) -> Iterator[ConnectionPool]:
    """Up to two connections to the server."""
    with closing(ConnectionPool(redis_address, timeout_s=5.0, most=2)) as pool:
        yield pool


async def test_answers_come_whole_and_in_order(pool: ConnectionPool) -> None:
    """However many, however large, whatever is in them; an error is the answer to one alone."""
    large = "ü" * 500_000
    commands = [("ECHO", str(number)) for number in range(2000)]
    answers = await pool.ask([*commands, ("ECHO", large), ("NONSENSE",), ("ECHO", "\ud83d")])
    assert answers[:2000] == [str(number) for number in range(2000)]
    assert answers[2000] == large
    assert isinstance(answers[2001], hiredis.ReplyError)
    assert answers[2002] == "?"


async def test_a_connection_is_kept(pool: ConnectionPool) -> None:
    """What comes one after the other goes through one, what comes together through two."""
    first, again = [await pool.ask([("CLIENT", "ID")]) for _ in range(2)]
    assert first == again
    names = set[str]()

    async def ask() -> None:
        (answer,) = await pool.ask([("CLIENT", "ID")])
        names.add(answer)

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(ask)
    assert len(names) == 2


async def test_one_that_the_server_closed_meanwhile_is_replaced(
    pool: ConnectionPool, redis_client: redis.Redis
) -> None:
    """As servers and networks do with idle ones; it is seen before anything is sent."""
    (name,) = await pool.ask([("CLIENT", "ID")])
    redis_client.client_kill_filter(_id=name)
    (other,) = await pool.ask([("CLIENT", "ID")])
    assert other != name


async def test_answers_that_were_too_late_are_nobodys(redis_address: RedisAddress) -> None:
    """The next round trip gets its own."""
    with closing(ConnectionPool(redis_address, timeout_s=0.1, most=1)) as pool:
        with pytest.raises(NoAnswer, match="Timeout"):
            await pool.ask([("ECHO", "first"), ("BLPOP", "none", "0.3")])
        assert await pool.ask([("ECHO", "third")]) == ["third"]


async def test_a_slow_answer_that_goes_on_is_waited_for(redis_address: RedisAddress) -> None:
    """The time-out is for silence: each answer that comes begins it anew."""
    with closing(ConnectionPool(redis_address, timeout_s=0.5, most=1)) as pool:
        waiting = [("BLPOP", "none", "0.1")] * 8
        assert await pool.ask(waiting) == [None] * 8


async def test_an_answer_too_many_is_nobodys() -> None:
    """A server, or what stands before it, that says more than it was asked is not trusted."""

    async def serve(stream: trio.abc.Stream) -> None:
        async with stream:
            while data := await stream.receive_some():
                surplus = b"+of nobody\r\n" if b"ECHO" in data else b""
                await stream.send_all(b"+its own\r\n" + surplus)

    async with open_server(serve) as address:
        with closing(ConnectionPool(address, timeout_s=5.0, most=1)) as pool:
            for _ in range(2):
                assert await pool.ask([("ECHO", "x")]) == ["its own"]


async def test_who_is_cancelled_waiting_for_a_connection_has_sent_nothing(
    redis_address: RedisAddress,
) -> None:
    """And takes nobody's place."""
    key = uuid.uuid4().hex
    with closing(ConnectionPool(redis_address, timeout_s=5.0, most=1)) as pool:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pool.ask, [("BLPOP", "none", "0.2")])
            await trio.testing.wait_all_tasks_blocked(0.01)
            with trio.move_on_after(0.02) as waiting:
                await pool.ask([("INCR", key)])
        assert waiting.cancelled_caught
        with trio.fail_after(5):
            assert await pool.ask([("GET", key)]) == [None]


@pytest.mark.parametrize("waits_s", [0.0, 0.05])
async def test_what_a_server_says_when_it_closes_is_told(waits_s: float) -> None:
    """Also if it reads nothing more; and it is never taken for an answer."""

    async def serve(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(b"+PONG\r\n")
        await trio.sleep(waits_s)
        await stream.send_all(b"-ERR out of service\r\n")
        await stream.aclose()

    async with open_server(serve) as address:
        with (
            closing(ConnectionPool(address, timeout_s=5.0, most=1)) as pool,
            pytest.raises(NoAnswer, match="out of service"),
        ):
            await pool.ask([("SET", "x", "y" * 20_000_000)])


async def test_a_server_that_still_reads_its_data_can_be_asked() -> None:
    """It is there, and takes some commands: SHUTDOWN is one of them."""

    async def serve(stream: trio.abc.Stream) -> None:
        async with stream:
            while data := await stream.receive_some():
                is_shutdown = b"SHUTDOWN" in data
                await stream.send_all(b"+OK\r\n" if is_shutdown else b"-LOADING its data\r\n")

    async with open_server(serve) as address:
        assert await ask_once(address, "SHUTDOWN", "NOSAVE", timeout_s=5.0) == "OK"
        assert str(await ask_once(address, "PING", timeout_s=5.0)) == "LOADING its data"


async def test_a_server_that_takes_nobody_more_says_so(
    redis_address: RedisAddress, redis_client: redis.Redis
) -> None:
    """It says it before it is asked, and closes: that is no answer to what was asked."""
    most: Any = redis_client.config_get("maxclients")
    redis_client.config_set("maxclients", 1)
    echo = Command(("ECHO", "x"), reads=True)
    try:
        for commands in ([echo], [echo, echo]) * 5:
            with (
                closing(open_remote(redis_address, timeout_s=5.0, connections=1)) as database,
                pytest.raises(StoreUnavailable, match="max number of clients") as caught,
            ):
                await database.execute(commands)
            assert "maxclients" in (caught.value.action or "")
    finally:
        redis_client.config_set("maxclients", most["maxclients"])


async def test_what_was_answered_is_not_lost_while_scripts_are_loaded(
    redis_address: RedisAddress, redis_client: redis.Redis
) -> None:
    """Who is cancelled meanwhile still gets all of it."""
    key = uuid.uuid4().hex
    redis_client.script_flush()
    script = next(iter(load_scripts().values()))
    commands = [
        Command(("INCR", key)),
        Command(("BLPOP", "none", "0.2")),
        Command(("EVALSHA", script.digest, "0")),
    ]
    answers: list[object] = []
    with closing(open_remote(redis_address, timeout_s=5.0, connections=1)) as database:

        async def ask() -> None:
            answers.extend(await database.execute(commands))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked(0.01)
            nursery.cancel_scope.cancel()
    assert answers[:2] == [1, None]


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="the system has no such options")
async def test_a_server_that_is_gone_without_a_word_is_noticed(
    redis_address: RedisAddress,
) -> None:
    """By who only listens as well: the system asks it after 30 s, and three times more."""
    async with open_wire(redis_address) as (_, address):
        connection = await connect(address, timeout_s=5.0, tls=None)
        raw = vars(connection)["_raw"]
        names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
        told = [raw.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names]
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert told == [30, 5, 3]
        connection.close()


@pytest.fixture
async def silent() -> AsyncIterator[RedisAddress]:
    """Where connections are taken, and nothing is said; one has to log in there."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        yield RedisAddress("127.0.0.1", listener.socket.getsockname()[1], database=1)


async def test_who_is_cancelled_opening_one_is_not_held_up(silent: RedisAddress) -> None:
    """Nothing was sent, and the place is free again."""
    with closing(ConnectionPool(silent, timeout_s=0.5, most=1)) as pool:
        with trio.move_on_after(0.02) as asking:
            await pool.ask([("PING",)])
        assert asking.cancelled_caught
        with trio.fail_after(10), pytest.raises(NoAnswer, match="Timeout"):
            await pool.ask([("PING",)])


async def test_a_server_that_does_not_greet_is_given_up(silent: RedisAddress) -> None:
    """Also amid logging in."""
    with trio.fail_after(10), pytest.raises(NoAnswer, match="Timeout"):
        await ask_once(silent, "PING", timeout_s=0.1)


@pytest.mark.parametrize("host", ["a..b", "a" * 64])
async def test_a_name_that_is_none_is_told(host: str) -> None:
    """It is a store that is away, and no crash."""
    with pytest.raises(NoAnswer, match="cannot be reached"):
        await ask_once(RedisAddress(host), "PING", timeout_s=5.0)


async def test_an_address_may_name_a_user_and_a_database(
    redis_address: RedisAddress, redis_client: redis.Redis
) -> None:
    """Each new connection logs in as this user, and looks there."""
    redis_client.acl_setuser(
        "guest", enabled=True, passwords=["+p w"], keys=["*"], categories=["+@all"]
    )
    address = replace(redis_address, username="guest", password="p w", database=3)
    try:
        assert await ask_once(address, "ACL", "WHOAMI", timeout_s=5.0) == "guest"
        told = await ask_once(address, "CLIENT", "INFO", timeout_s=5.0)
        assert " db=3 " in told
        with pytest.raises(NoAnswer, match=r"^DB index is out of range"):
            await ask_once(replace(address, database=999), "PING", timeout_s=5.0)
        redis_client.acl_setuser("guest", enabled=True, nopass=True)
        open_to_all = replace(redis_address, username="guest")
        assert await ask_once(open_to_all, "ACL", "WHOAMI", timeout_s=5.0) == "guest"
    finally:
        redis_client.acl_deluser("guest")


async def test_a_server_that_knows_no_password_does_not_show_it() -> None:
    """It repeats what it was given."""

    async def serve(stream: trio.abc.Stream) -> None:
        async with stream:
            await stream.receive_some()
            await stream.send_all(
                b"-ERR unknown command 'AUTH', with args beginning with: 'hunter2' \r\n"
            )

    async with open_server(serve) as address:
        address = replace(address, password="hunter2")
        with pytest.raises(NoAnswer, match=r"^unknown command 'AUTH'") as caught:
            await ask_once(address, "PING", timeout_s=5.0)
    assert "hunter2" not in str(caught.value)


async def test_what_is_published_is_heard(pool: ConnectionPool, redis_client: redis.Redis) -> None:
    """First nothing, to say that it listens; and nobody is listened to after a cancellation."""
    channel = uuid.uuid4().hex
    heard: list[str] = []
    begun = trio.Event()

    def hear(text: str) -> None:
        heard.append(text)
        begun.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pool.listen, channel, hear)
        await begun.wait()
        redis_client.publish(channel, "one")
        redis_client.publish(channel, "two")
        with trio.fail_after(5):
            while len(heard) < 3:
                await trio.testing.wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()
    assert heard == ["", "one", "two"]
    with trio.fail_after(5):
        while await pool.ask([("PUBSUB", "NUMSUB", channel)]) != [[channel, 0]]:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_what_is_no_message_is_not_heard() -> None:
    """And the server's last words are told."""

    async def serve(stream: trio.abc.Stream) -> None:
        async with stream:
            while b"SUBSCRIBE" not in (data := await stream.receive_some()):
                await stream.send_all(b"+PONG\r\n" if data else b"")
            await stream.send_all(b"*3\r\n+subscribe\r\n+bell\r\n:1\r\n*2\r\n+pong\r\n+x\r\n*0\r\n")
            await stream.send_all(b"*3\r\n+message\r\n+bell\r\n+one\r\n-ERR out of service\r\n")

    heard: list[str] = []
    async with open_server(serve) as address:
        with (
            closing(ConnectionPool(address, timeout_s=5.0, most=1)) as pool,
            pytest.raises(NoAnswer, match="out of service"),
        ):
            await pool.listen("bell", heard.append)
    assert heard == ["", "one"]


async def test_who_may_not_listen_is_told(
    redis_address: RedisAddress, redis_client: redis.Redis
) -> None:
    """By the server's own words."""
    redis_client.acl_setuser(
        "deaf", enabled=True, passwords=["+x"], keys=["*"], categories=["+@all"], channels=[]
    )
    address = replace(redis_address, username="deaf", password="x")
    try:
        with (
            closing(ConnectionPool(address, timeout_s=5.0, most=1)) as pool,
            pytest.raises(NoAnswer, match="NOPERM"),
        ):
            await pool.listen("bell", lambda _text: None)
    finally:
        redis_client.acl_deluser("deaf")


async def test_over_tls_only_whom_a_known_authority_vouches_for_is_asked(
    redis_address: RedisAddress, tmp_path: Path
) -> None:
    """A password goes only to whom it is for: a certificate is checked, and its name."""
    theirs, ours = make_contexts(tmp_path, "localhost")
    async with open_wire(redis_address, tls=theirs) as (_, address):

        async def ask(host: str, trusted: ssl.SSLContext) -> list[object]:
            there = replace(address, host=host)
            pool = ConnectionPool(there, timeout_s=5.0, most=1, make_tls=lambda: trusted)
            with closing(pool):
                return [await pool.ask([("CLIENT", "ID")]) for _ in range(3)]

        # It is kept, although a server of TLS says more than it is asked.
        assert len({str(answer) for answer in await ask("localhost", ours)}) == 1
        with pytest.raises(NoAnswer, match="certificate verify failed"):
            await ask("127.0.0.1", ours)
        with pytest.raises(NoAnswer, match="certificate verify failed"):
            await ask("localhost", ssl.create_default_context())


async def test_by_default_tls_checks_the_certificate(
    redis_address: RedisAddress, tmp_path: Path
) -> None:
    """As an address from the settings is used."""
    theirs, _ = make_contexts(tmp_path, "localhost")
    async with open_wire(redis_address, tls=theirs) as (_, address):
        with pytest.raises(NoAnswer, match="certificate verify failed"):
            await ask_once(replace(address, host="localhost"), "PING", timeout_s=5.0)
