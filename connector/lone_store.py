"""DedupStore by itself: what a command needs that asks the store and runs nothing."""

from __future__ import annotations

import io
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import trio

from actors.media.fetcher import make_http
from connector.clients import Outside, make_user_agent, open_http
from connector.house import make_dedup_store
from connector.logs import create_log
from connector.parts import Parts, make_parts
from connector.settings import Settings
from connector.storage import open_store
from runtime.supervisor import Supervisor


@asynccontextmanager
async def open_lone_store(settings: Settings) -> AsyncIterator[Parts]:
    """What the actors share, while DedupStore runs and no other actor does.

    It has no routes, so nothing is handed over: a connector that runs on the same store is not
    disturbed. Its troubles are told to those who ask, not to a log.
    """
    log = create_log("error", io.StringIO())
    certificates = httpx.create_ssl_context()
    async with (
        open_store(settings, log) as database,
        open_http(settings, verify=certificates) as bluesky_http,
        open_http(settings, verify=certificates) as genesys_http,
        make_http(make_user_agent(), verify=certificates) as files_http,
        trio.open_nursery() as nursery,
    ):
        rng = random.SystemRandom()
        parts = make_parts(
            settings,
            Outside(database, bluesky_http, genesys_http, files_http, time.time, rng, log),
        )
        supervisor = Supervisor(
            [make_dedup_store(parts, [])],
            policy=parts.policy,
            wall_clock=time.time,
            rng=rng,
            log=log,
        )
        await nursery.start(supervisor.run)
        yield parts
        await supervisor.stop(settings.grace_s)
