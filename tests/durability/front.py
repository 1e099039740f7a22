"""What stands before the connector on the way of a webhook, and may lose the answer."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from quart import Response, request
from quart_trio import QuartTrio

from sandbox.faults import Faults, RateLimit, Refusal, Status, inject_faults
from sandbox.serving import serve

_HOP_BY_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Front:
    """Passes webhooks on. ``faults`` strike what comes to it."""

    url: str
    faults: Faults


@asynccontextmanager
async def open_front(targets: Sequence[str], http: httpx.AsyncClient) -> AsyncIterator[Front]:
    """Serve it while the block runs, in front of what is served at ``targets``, each in turn."""
    app = QuartTrio("front")
    turns = itertools.cycle(targets)

    @app.post("/webhook")
    async def pass_on() -> Response:
        headers = {
            name: value for name, value in request.headers if name.lower() not in _HOP_BY_HOP
        }
        body = await request.get_data()
        try:
            answer = await http.post(f"{next(turns)}/webhook", content=body, headers=headers)
        except httpx.TransportError:
            return Response(b"", status=502)
        return Response(answer.content, status=answer.status_code)

    faults = Faults()
    async with serve(inject_faults(app, faults, _refuse)) as url:
        yield Front(url, faults)


def _refuse(fault: Status | RateLimit) -> Refusal:
    return Refusal(fault.status if isinstance(fault, Status) else 429, {}, b"")
