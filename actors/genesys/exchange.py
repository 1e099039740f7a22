"""One HTTP exchange, with the library's errors typed by what to do next."""

from __future__ import annotations

import math
from collections.abc import Mapping

import httpx
import trio

from actors.web import send
from runtime.errors import Effect, Retryable

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


async def exchange(
    http: httpx.AsyncClient,
    request: httpx.Request,
    *,
    deadline_s: float,
    auth: httpx.Auth | None = None,
) -> httpx.Response:
    """Send a request and read the whole answer, whatever its status.

    If cancelled, the request may have taken effect.

    Raises:
        Retryable: there was no answer within ``deadline_s``, or it could not be read.
    """
    place = f"{request.method} {request.url.host}{request.url.path}"
    try:
        with trio.fail_after(deadline_s):
            return await send(http, request, auth=auth)
    except trio.TooSlowError as error:
        why = f"{place}: no answer within {deadline_s:g} s"
        raise Retryable(why, effect=Effect.UNKNOWN) from error
    except httpx.HTTPError as error:
        effect = Effect.NOT_DONE if isinstance(error, _NEVER_SENT) else Effect.UNKNOWN
        raise Retryable(
            f"{place}: {type(error).__name__} {error}".strip(), effect=effect
        ) from error


def read_seconds(headers: Mapping[str, str], name: str) -> float | None:
    """A header that holds a number of seconds (or of anything); ``None`` if it does not."""
    try:
        number = float(headers.get(name, ""))
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None
