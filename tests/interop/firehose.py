"""From the real firehose to Jetstream's JSON: a bridge, since Jetstream itself does not run here.

The PDS tells of commits in CBOR, with the records in a CAR (``com.atproto.sync.subscribeRepos``).
They are served as Jetstream would, so that what is matched are real commits of a real server.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import libipld
import trio
import trio_websocket
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from sandbox.bluesky.commits import CommitStream
from sandbox.bluesky.server.jetstream import stream_commits
from sandbox.serving import serve


@asynccontextmanager
async def bridged(pds_url: str) -> AsyncIterator[tuple[str, CommitStream]]:
    """The address of a Jetstream that tells of the PDS's commits, and its stream."""
    commits = CommitStream(lambda: datetime.now(UTC))

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        # The server takes a refusal of its life cycle's events for what it is.
        assert scope["type"] == "websocket"
        await stream_commits(commits, scope, receive, send)

    async with serve(app) as url, trio.open_nursery() as nursery:
        await nursery.start(_follow, pds_url, commits)
        yield f"{url.replace('http', 'ws', 1)}/subscribe", commits
        nursery.cancel_scope.cancel()


async def _follow(
    pds_url: str, commits: CommitStream, *, task_status: trio.TaskStatus[None]
) -> None:
    address = f"{pds_url.replace('http', 'ws', 1)}/xrpc/com.atproto.sync.subscribeRepos"
    async with trio_websocket.open_websocket_url(address) as firehose:
        task_status.started()
        while True:
            frame = await firehose.get_message()
            assert isinstance(frame, bytes)
            header, body = libipld.decode_dag_cbor_multi(frame)
            if header.get("t") == "#commit":
                _tell(body, commits)


def _tell(body: dict[str, Any], commits: CommitStream) -> None:
    """``com.atproto.sync.subscribeRepos#commit``, an event for each of its operations."""
    _, blocks = libipld.decode_car(body["blocks"])
    records = {_name(cid): record for cid, record in blocks.items()}
    for operation in body["ops"]:
        collection, _, key = operation["path"].partition("/")
        commit = {
            "rev": body["rev"],
            "operation": operation["action"],
            "collection": collection,
            "rkey": key,
        }
        if operation["cid"] is not None:
            cid = _name(operation["cid"])
            # What JSON has no word for (bytes) is of no interest here.
            commit["record"] = json.loads(json.dumps(records[cid], default=str))
            commit["cid"] = cid
        commits.tell(body["repo"], collection, {"kind": "commit", "commit": commit})


def _name(cid: bytes | str) -> str:
    return cid if isinstance(cid, str) else libipld.encode_cid(cid)
