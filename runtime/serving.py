"""Serve an ASGI application over HTTP for the life of the process."""

from __future__ import annotations

import logging
import socket

import trio
from hypercorn.config import Config
from hypercorn.trio import serve as serve_hypercorn
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)

GRACE_S = 1.0
"""How long requests in hand may go on after the shutdown was asked for, in seconds."""

MOST_HEADER_BYTES = 16 * 1024
_BACKLOG = 128


async def serve(
    app: ASGIFramework,
    host: str,
    port: int,
    *,
    shutdown: trio.Event,
    silence_s: int = 30,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``app`` until ``shutdown`` is set, then let requests in hand end for :data:`GRACE_S`.

    Connections without a request in hand are closed at once. Reports the port as started once it
    listens; port 0 takes a free one. The size of a body is for the application to limit: only it
    knows what it takes. If cancelled, all connections are closed at once.

    Args:
        app: the ASGI application.
        host: the address to listen on; ``::`` takes both families.
        port: the port, or 0.
        shutdown: ends the serving when set.
        silence_s: how long a client may be silent, or not take what is sent to it, in seconds.
            Longer than the application may take for one answer.
        task_status: told the port.

    Raises:
        OSError: the address cannot be bound.
        hypercorn.utils.LifespanFailureError: the application refused to start, in a group.
    """
    listener = _listen(host, port, silence_s)
    bound: int = listener.getsockname()[1]
    config = _config(listener, silence_s)
    await serve_hypercorn(
        _let_answers_end(app),
        config,
        shutdown_trigger=shutdown.wait,
        task_status=_Listening(task_status, bound),
        mode="asgi",
    )


def _listen(host: str, port: int, silence_s: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    listener = socket.create_server(
        (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both
    )
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Connections inherit it. Hypercorn shields sending from cancellation, so a client that
        # reads nothing would hold up the shutdown for ever.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, silence_s * 1000)
    return listener


def _config(listener: socket.socket, silence_s: int) -> Config:
    # Errors of the application are logged; "Running on ..." and every request are not.
    logger = logging.getLogger("runtime.serving")
    logger.setLevel(logging.WARNING)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = logger
    config.backlog = _BACKLOG
    config.graceful_timeout = GRACE_S
    config.startup_timeout = 10.0
    config.shutdown_timeout = GRACE_S
    config.read_timeout = silence_s
    config.keep_alive_timeout = silence_s
    config.h11_max_incomplete_size = MOST_HEADER_BYTES
    config.include_server_header = False
    return config


def _let_answers_end(app: ASGIFramework) -> ASGIFramework:
    """Tell ``app`` of a disconnect only when what it is sending has been sent.

    Hypercorn says ``http.disconnect`` after every answer, from within the last ``send``, and only
    then starts the task that closes the connection when it is idle too long or at shutdown. Quart
    on trio cancels what it is doing when it hears of a disconnect: that ``send``, and with it the
    task that was about to start. Connections kept alive then held up every shutdown.
    """

    async def serve_one(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        sent = trio.Event()
        sent.set()

        async def receive_after_sending() -> ASGIReceiveEvent:
            event = await receive()
            if event["type"] == "http.disconnect":
                await sent.wait()
            return event

        async def send_to_the_end(event: ASGISendEvent) -> None:
            nonlocal sent
            sent = trio.Event()
            try:
                await send(event)
            finally:
                sent.set()

        await app(scope, receive_after_sending, send_to_the_end)

    return serve_one


class _Listening(trio.TaskStatus[list[str]]):
    """Reports the port where hypercorn reports addresses."""

    def __init__(self, task_status: trio.TaskStatus[int], port: int) -> None:
        self._task_status = task_status
        self._port = port

    def started(self, value: list[str] | None = None) -> None:
        self._task_status.started(self._port)
