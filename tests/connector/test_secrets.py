"""What holds a secret does not show it, whoever prints it."""

from __future__ import annotations

import random
import time
from contextlib import closing

import httpx

from actors.bluesky.tokens import Credentials, Session
from actors.bluesky.xrpc import Call
from actors.dedup_store import Sealer
from actors.dedup_store.opening import open_memory
from actors.dedup_store.pool import ConnectionPool
from connector.clients import Outside
from connector.environment import load_settings
from connector.house import make_commands
from connector.parts import make_parts
from connector.settings import SECRET_FIELDS
from connector.storage import find_address
from tests.canaries import marks
from tests.connector.test_settings import REQUIRED
from tests.support.silence import Silence

URL = f"redis://user:{marks.REDIS_PASSWORD}@127.0.0.1:6379/0"
ENVIRON = {
    **REQUIRED,
    "BLUESKY_APP_PASSWORD": marks.APP_PASSWORD,
    "GC_CC_CLIENT_SECRET": marks.CLIENT_SECRET,
    "GC_WEBHOOK_SECRET": marks.WEBHOOK_SECRET,
    "REDIS_URL": URL,
    "STATE_KEY": marks.STATE_KEY,
    "ADMIN_TOKEN": marks.ADMIN_TOKEN,
    "OTEL_EXPORTER_OTLP_HEADERS": f"x-api-key={marks.COLLECTOR_KEY}",
}


def test_every_secret_is_one_that_the_settings_hide() -> None:
    """A variable whose name says so is held as a secret."""
    assert set(SECRET_FIELDS) == {
        "admin_token",
        "bluesky_app_password",
        "gc_cc_client_secret",
        "gc_webhook_secret",
        "otel_exporter_otlp_headers",
        "redis_token",
        "redis_url",
        "state_key",
    }


async def test_nothing_that_holds_a_secret_shows_it() -> None:
    """Settings, addresses, clients, sessions, requests and keys, with all that they are made of."""
    settings = load_settings(ENVIRON)
    address = find_address(URL, None)
    assert address is not None
    token = "zqsecret-token"
    async with httpx.AsyncClient() as http:
        with closing(open_memory()) as database:
            rng = random.SystemRandom()
            outside = Outside(database, http, http, http, time.time, rng, Silence())
            shown = [
                settings,
                address,
                ConnectionPool(address, timeout_s=1.0, most=1),
                make_parts(settings, outside),
                make_commands(settings),
                Sealer.parse("x", marks.STATE_KEY),
                Credentials("https://x", "acme.example", marks.APP_PASSWORD),
                Session("did", "handle", "https://x", token, token, 0.0),
                Call("POST", "com.atproto.server.createSession", body={"password": token}),
            ]
            told = "\n".join(f"{one!r}\n{one}" for one in shown)
    assert marks.find_secrets(told) == []
