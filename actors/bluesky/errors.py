"""What an XRPC answer means, as one of the errors of ``runtime.errors``."""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from actors.echoes import conceal_echoes
from actors.json_text import read_json
from actors.messages import Json
from runtime.errors import AuthRejected, Effect, Fault, Malformed, RateLimited, Rejected, Retryable

MEND_LOGIN = (
    "Create an app password at https://bsky.app/settings/app-passwords and set it as "
    "BLUESKY_APP_PASSWORD."
)
ALLOW_MESSAGES = (
    "Create the app password anew with 'Allow access to your direct messages' and set it as "
    "BLUESKY_APP_PASSWORD."
)
MEND_ACCOUNT = "Sign in to the account at https://bsky.app and follow what it says there."
CHECK_SERVICE = "Check BLUESKY_SERVICE_URL: what answers there is no AT Protocol server."

_LONGEST_WAIT_S = 86_400.0
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ACCOUNT_CLOSED = {"AccountTakedown", "AccountDeactivated", "AccountSuspended"}


class XrpcRejected(Rejected):
    """A 4xx. ``said`` is what the server said, word for word, to be understood and not shown."""

    def __init__(self, code: str, message: str, *, said: str) -> None:
        super().__init__(code, message)
        self.said = said


class TokenRefused(AuthRejected):
    """The access or refresh token does not hold any more; another one may."""


class CredentialsRefused(AuthRejected):
    """Identifier and password do not go together, or the password was revoked."""


class AccountClosed(AuthRejected):
    """An account is suspended, taken down or deactivated: ours, or the one that a call is about."""


@dataclass(frozen=True, slots=True)
class RateState:
    """What the headers of an answer say of the rate limit that was the tightest.

    Attributes:
        remaining: requests left until then, if said.
        reset_in_s: seconds until there are more, if said.
        window_s: the length of the limit's window, if said.
    """

    remaining: int | None
    reset_in_s: float | None
    window_s: float | None


def read_rate(headers: Mapping[str, str], now_s: float) -> RateState:
    """Read ``ratelimit-*`` and ``Retry-After``.

    ``ratelimit-reset`` is unix time by the server's clock. A wait is never longer than the
    window, whatever the difference between that clock and ours.
    """
    window_s = _number(headers.get("ratelimit-policy", "").partition("w=")[2].partition(";")[0])
    reset_s = _number(headers.get("ratelimit-reset"))
    wait_s = _retry_after(headers.get("retry-after"), now_s)
    if wait_s is None and reset_s is not None:
        wait_s = min(max(0.0, reset_s - now_s), window_s or _LONGEST_WAIT_S)
    remaining = _number(headers.get("ratelimit-remaining"))
    return RateState(None if remaining is None else int(remaining), wait_s, window_s)


def make_fault(response: httpx.Response, *, lost: Effect, now_s: float) -> Fault:
    """The error for an answer that is no success.

    Matches on the ``error`` name of the body: its texts differ between servers and releases, and
    most failures are status 400.

    Args:
        response: read to its end.
        lost: what is known of the effect if the server itself failed.
        now_s: unix time.
    """
    status = response.status_code
    name, text = _read_error(response)
    # Of a server in trouble the name says enough, and its words may be anybody's.
    trouble = status == httpx.codes.TOO_MANY_REQUESTS or status >= 500
    told = "" if trouble else conceal_echoes(text, response.request)
    message = f"{status} {name}: {told}" if told else f"{status} {name}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimited(message, after_s=read_rate(response.headers, now_s).reset_in_s)
    if status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY):
        return Retryable(message, effect=lost)
    if status >= 500 and status != httpx.codes.NOT_IMPLEMENTED:
        after_s = _retry_after(response.headers.get("retry-after"), now_s)
        return Retryable(message, after_s=after_s, effect=lost)
    return _make_refusal(status, name, text, told, message)


def _make_refusal(status: int, name: str, text: str, told: str, message: str) -> Fault:
    if name == "InvalidToken" and text.startswith("Bad token"):
        # "Bad token method" and "Bad token scope": the token is good, but not for this.
        return AuthRejected(message, action=ALLOW_MESSAGES)
    if name in ("ExpiredToken", "InvalidToken"):
        return TokenRefused(message, action=MEND_LOGIN)
    if name in _ACCOUNT_CLOSED:
        return AccountClosed(message, action=MEND_ACCOUNT)
    if name in ("AuthenticationRequired", "AuthFactorTokenRequired"):
        return CredentialsRefused(message, action=MEND_LOGIN)
    if status == httpx.codes.UNAUTHORIZED:
        return AuthRejected(message, action=MEND_LOGIN)
    if 300 <= status < 400:
        return Rejected(name, message, action=CHECK_SERVICE)
    return XrpcRejected(name, told or message, said=text)


def make_network_fault(error: httpx.TransportError, nsid: str, *, lost: Effect) -> Retryable:
    """The error for a request that got no whole answer.

    Only what failed before the request could be written is known not to have happened: a
    connection cut before and one cut after the server acted look the same.
    """
    unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
    effect = Effect.NOT_DONE if unsent else lost
    return Retryable(f"{nsid}: {type(error).__name__}: {error}", effect=effect)


def read_object(response: httpx.Response, nsid: str, *, lost: Effect) -> Json:
    """The JSON object of a success; some procedures answer with nothing at all.

    Raises:
        Malformed: if it is anything else. Its ``effect`` is ``lost``.
    """
    if not response.content.strip():
        return {}
    try:
        body = _read_json(response.content)
    except (ValueError, RecursionError) as error:
        raise _make_malformed(nsid, "is not JSON", lost) from error
    if not isinstance(body, dict):
        raise _make_malformed(nsid, "is no JSON object", lost)
    return body


def _read_json(content: bytes) -> object:
    """Read JSON so that every text in it can be encoded again.

    JSON can carry halves of surrogate pairs, which UTF-8, and hence any store, cannot.
    """
    text = content.decode(errors="replace")
    if _SURROGATE.search(text):
        return _mend(json.loads(text))
    return read_json(text)


def _mend(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case list():
            return [_mend(one) for one in value]
        case dict():
            return {_mend(key): _mend(one) for key, one in value.items()}
    return value


def _make_malformed(nsid: str, what: str, lost: Effect) -> Malformed:
    return Malformed(f"the answer to {nsid} {what}", effect=lost, action=CHECK_SERVICE)


def _read_error(response: httpx.Response) -> tuple[str, str]:
    try:
        body = _read_json(response.content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("error"), str):
        return f"HTTP{response.status_code}", ""
    return body["error"], str(body.get("message") or "")


def _retry_after(value: str | None, now_s: float) -> float | None:
    seconds = _number(value)
    if seconds is None and value:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now_s
        except (ValueError, OverflowError):
            return None
    return None if seconds is None else min(max(0.0, seconds), _LONGEST_WAIT_S)


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number is None or abs(number) < float("inf") else None
