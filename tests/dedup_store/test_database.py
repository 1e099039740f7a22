"""What the server's errors mean, and whose its answers are."""

from __future__ import annotations

import pytest

from actors.dedup_store.commands import Command
from actors.dedup_store.database import Database
from actors.store import StoreUnavailable
from runtime.errors import Rejected


async def get_error(database: Database, text: str) -> Exception:
    """What becomes of an error that the server answers with."""
    refusing = Command(("EVAL", "return redis.error_reply(ARGV[1])", "0", text))
    asking = Command(("ECHO", "fine"), reads=True)
    refused, fine = await database.execute([refusing, asking])
    assert fine == "fine"
    assert isinstance(refused, Exception)
    return refused


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "maxmemory"),
        ("READONLY You can't write against a read only replica.", "primary"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "disk"),
        ("NOPERM User x has no permissions to run the 'evalsha' command", "Allow"),
        ("MOVED 866 10.0.0.1:6379", "no cluster"),
        ("CLUSTERDOWN The cluster is down", "no cluster"),
        ("BUSY Redis is busy running a script.", None),
        ("NOREPLICAS Not enough good replicas to write.", None),
        ("DENIED Redis is running in protected mode because no password is set.", "password"),
        ("ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.", None),
        (
            "ERR Error running script (call to f_6b1b): @user_script:1: -OOM command not allowed",
            "maxmemory",
        ),
    ],
)
async def test_what_says_that_the_store_is_away_may_be_tried_again(
    database: Database, text: str, action: str | None
) -> None:
    """Whatever was asked would have got it; where a person can help, it says how."""
    error = await get_error(database, text)
    assert isinstance(error, StoreUnavailable)
    assert text.removeprefix("ERR ") in str(error)
    assert (action or "") in (error.action or "")
    assert (action is None) == (error.action is None)


@pytest.mark.parametrize(
    "text",
    [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "ERR unknown command 'EVALSHA'",
        "ERR max request size exceeded. Limit: 1048576 bytes, Actual: 2000000 bytes.",
    ],
)
async def test_what_says_that_the_request_is_wrong_is_final(database: Database, text: str) -> None:
    """Asking again would not help."""
    error = await get_error(database, text)
    assert isinstance(error, Rejected)
    assert text.removeprefix("ERR ") in str(error)
