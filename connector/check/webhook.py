"""The webhook: whether it can be reached from outside, and whether both sides sign alike.

What is sent through the public address is signed like what Genesys Cloud sends, and is of a kind
that the connector counts and leaves alone (``skipped`` of WebhookReceiver, reason ``check``).
"""

from __future__ import annotations

import hmac
import json
import uuid
from dataclasses import dataclass

import httpx
import trio

from actors.genesys.signature import SIGNATURE_HEADER, make_signature
from actors.translation.webhook import CHECK_EVENT
from connector.check.items import Finding, Item, NotAsItShouldBe
from connector.organization import read_integration
from connector.parts import Parts
from connector.settings import Settings

GENESYS_WAITS_S = 10.0
SLOW_S = 3.0

_INTEGRATION = "integration"
_START = "Start the connector there, or set the integration's webhook URL to where it is."
_REMEDIES = {
    403: "Let POST /webhook through: a proxy, firewall or allow-list refuses it.",
    404: "Let the address end in /webhook, and let the proxy pass that path on unchanged.",
    405: "Let the address end in /webhook, and let the proxy pass POST on.",
    413: "Let the proxy pass on bodies of up to 1 MiB.",
    429: "Try again in a while; a proxy limits how often it may be called.",
    502: "Start the connector; the proxy finds nobody behind it.",
    503: "See /health there: the connector stops, its store is away, or a proxy finds nobody.",
    504: "See /health there; the proxy gets no answer from behind it.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status in so many seconds, or why nothing did."""

    status: int | None
    seconds: float = 0.0
    trouble: str = ""
    remedy: str = ""
    location: str = ""


def make_webhook_items(settings: Settings, parts: Parts, url: str | None) -> list[Item]:
    """The secret as far as Genesys Cloud tells it, and the way through the public address.

    Args:
        url: where to try; ``None`` for the integration's own address.
    """
    secrets = settings.webhook_secrets()

    async def compare_secret() -> Finding:
        shown = (await read_integration(settings, parts.genesys)).secret
        if shown is None:
            return Finding("Genesys Cloud does not show it")
        if not any(hmac.compare_digest(shown.encode(), one.encode()) for one in secrets):
            raise NotAsItShouldBe(
                "GC_WEBHOOK_SECRET is not the integration's",
                action="Copy its Outbound Notification Webhook Signature Secret Token.",
            )
        if len(secrets) > 1:
            return Finding("one of the two in GC_WEBHOOK_SECRET is the integration's")
        return Finding("GC_WEBHOOK_SECRET is the integration's")

    async def try_webhook() -> Finding:
        url = (await read_integration(settings, parts.genesys)).webhook_url
        async with httpx.AsyncClient() as http:
            return await try_address(http, url, secrets[0], sure=False)

    async def try_given() -> Finding:
        async with httpx.AsyncClient() as http:
            return await try_address(http, url or "", secrets[0], sure=True)

    return [
        Item("webhook_secret", "Webhook secret", compare_secret, needs=_INTEGRATION),
        Item("webhook", "Webhook", try_webhook, needs=_INTEGRATION)
        if url is None
        else Item("webhook", "Webhook", try_given),
    ]


async def try_address(http: httpx.AsyncClient, url: str, secret: str, *, sure: bool) -> Finding:
    """Knock at an address: first with a wrong signature, then with the right one.

    Args:
        sure: the connector is meant to be there now; else it may not have been started yet, and
            that it cannot be reached is a warning.

    Raises:
        NotAsItShouldBe: what answers is not the connector with this secret, or, if ``sure``,
            nobody answers.
    """
    body = make_check_body()
    wrong = await _knock(http, url, body, make_signature(body, uuid.uuid4().hex))
    if wrong.status != httpx.codes.UNAUTHORIZED:
        return _judge_unsigned(url, wrong, sure=sure)
    right = await _knock(http, url, body, make_signature(body, secret))
    if right.status == httpx.codes.UNAUTHORIZED:
        raise NotAsItShouldBe(
            f"{url} answers 401 to what is signed with GC_WEBHOOK_SECRET",
            action="Give the connector there this GC_WEBHOOK_SECRET, or what runs there is another "
            "program; a proxy must pass the body on unchanged.",
        )
    if right.status != httpx.codes.OK:
        return _judge_unsigned(url, right, sure=sure)
    return _judge_reached(url, right.seconds)


def make_check_body() -> bytes:
    """What the connector takes for a check, and for nothing else; each is another one."""
    body = {
        "id": f"check:{uuid.uuid4()}",
        "type": "Event",
        "direction": "Outbound",
        "events": [{"eventType": CHECK_EVENT}],
    }
    return json.dumps(body).encode()


def _judge_reached(url: str, seconds: float) -> Finding:
    text = f"{url} is reached, and signs alike ({1000 * seconds:.0f} ms)"
    if not url.startswith("https://"):
        return Finding(text, "Use https: what agents write travels there in the clear.")
    if seconds > SLOW_S:
        return Finding(text, "Find out what is slow: Genesys Cloud waits for 10 s.")
    return Finding(text)


def _judge_unsigned(url: str, answer: Answer, *, sure: bool) -> Finding:
    """What it means that the connector did not answer as it would have."""
    status = answer.status
    if status is None:
        return _say(f"{url}: {answer.trouble}", answer.remedy, failed=sure)
    if 200 <= status < 300:
        raise NotAsItShouldBe(
            f"{url} answers {status} to a wrong signature: that is not the connector", action=_START
        )
    if 300 <= status < 400:
        raise NotAsItShouldBe(
            f"{url} answers {status}, elsewhere: {answer.location or 'it does not say where'}",
            action="Set the address that it leads to: Genesys Cloud follows no redirection.",
        )
    known = _REMEDIES.get(status, "See the log of the connector, and of the proxy before it.")
    return _say(f"{url} answers {status}", known, failed=sure)


def _say(text: str, remedy: str, *, failed: bool) -> Finding:
    if failed:
        raise NotAsItShouldBe(text, action=remedy)
    return Finding(f"{text} (as seen from here)", remedy)


async def _knock(http: httpx.AsyncClient, url: str, body: bytes, signature: str) -> Answer:
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature}
    started = trio.current_time()
    try:
        with trio.fail_after(GENESYS_WAITS_S):
            response = await http.post(url, content=body, headers=headers, timeout=GENESYS_WAITS_S)
    except (trio.TooSlowError, httpx.TimeoutException):
        return Answer(
            None,
            trouble=f"no answer within {GENESYS_WAITS_S:.0f} s",
            remedy="Open the way to it: a firewall drops what is sent, or nothing listens there.",
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _explain(error)
    took_s = trio.current_time() - started
    return Answer(response.status_code, took_s, location=response.headers.get("location", ""))


def _explain(error: Exception) -> Answer:
    text = _find_text(error)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return Answer(None, trouble="is no address", remedy="Write https://YOUR-ADDRESS/webhook.")
    if "CERTIFICATE" in text.upper() or "SSL" in text.upper() or "TLS" in text.upper():
        return Answer(
            None,
            trouble=f"no secure connection: {text}",
            remedy="Give the address a certificate that browsers trust, with its whole chain; "
            "Genesys Cloud takes no other.",
        )
    if "Name or service" in text or "getaddrinfo" in text or "resolution" in text:
        return Answer(
            None,
            trouble="this name leads nowhere",
            remedy="Check the name, and its entry in the DNS.",
        )
    return Answer(None, trouble=f"cannot be reached: {text}", remedy=_START)


def _find_text(error: BaseException) -> str:
    """What the error says, or else what it was raised from: httpx often says nothing itself."""
    cause: BaseException | None = error
    while cause is not None:
        if str(cause):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
