"""The webhook as strangers see it: the connector itself, over real sockets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actors.genesys.signature import make_signature
from tests.connector.connected import Connected, open_connected
from tests.genesys.webhook_desk import make_body

BODY = json.dumps(make_body(type="Event", events=[{"eventType": "Typing"}])).encode()


async def post(connected: Connected, *headers: tuple[bytes, bytes], body: bytes = BODY) -> int:
    """What a webhook with these headers is answered."""
    answer = await connected.http.post(
        f"{connected.url}/webhook", content=body, headers=list(headers)
    )
    return answer.status_code


def sign(connected: Connected, body: bytes = BODY) -> tuple[bytes, bytes]:
    """The right header."""
    secret = connected.world.genesys.webhook_secret
    return b"X-Hub-Signature-256", make_signature(body, secret).encode()


async def test_of_two_signatures_neither_counts(tmp_path: Path) -> None:
    """Whichever stands first; one right one alone does."""
    wrong = (b"X-Hub-Signature-256", b"sha256=x")
    async with open_connected(tmp_path) as connected:
        right = sign(connected)
        assert await post(connected, right) == 200
        assert await post(connected, right, wrong) == 401
        assert await post(connected, wrong, right) == 401
        receiver = await connected.actor("WebhookReceiver")
    assert receiver["skipped"] == {"typing": 1, "wrong_signature": 2}


@pytest.mark.parametrize(
    "content_type", [b"application/json", b"text/plain", b"multipart/form-data", b"\xff", b""]
)
async def test_the_signature_decides_and_no_other_header(
    content_type: bytes, tmp_path: Path
) -> None:
    """What is authentic is not lost for its type, and what is not is not let in for it."""
    async with open_connected(tmp_path) as connected:
        header = (b"Content-Type", content_type)
        assert await post(connected, header, sign(connected)) == 200
        assert await post(connected, header) == 401


async def test_both_secrets_are_good_while_one_replaces_the_other(tmp_path: Path) -> None:
    """And the two of them with their comma are not a third one."""
    variables = {"GC_WEBHOOK_SECRET": "old-secret-1,new-secret-2"}
    async with open_connected(tmp_path, variables) as connected:
        for secret, status in (
            ("old-secret-1", 200),
            ("new-secret-2", 200),
            ("old-secret-1,new-secret-2", 401),
            ("", 401),
        ):
            signature = make_signature(BODY, secret).encode()
            assert await post(connected, (b"X-Hub-Signature-256", signature)) == status
