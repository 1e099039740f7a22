"""Serve an ASGI application over HTTP for the life of the process."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import partial

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import (
    AppWrapper,
    ASGIFramework,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)

from runtime.connections import Connection, Crowd, Limits, Refused

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
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    is_shared: Callable[[str], bool] = lambda _address: False,
    refused: Refused = lambda _reason, _address: None,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``app`` until ``shutdown`` is set, then let requests in hand end for :data:`GRACE_S`.

    Connections without a request in hand are closed at once. Reports the port as started once it
    listens; port 0 takes a free one. The size of a body, and the time that all of it may take, are
    for the application to limit: only it knows what it takes. If cancelled, all connections are
    closed at once.

    Args:
        app: the ASGI application.
        host: the address to listen on; ``::`` takes both families.
        port: the port, or 0.
        shutdown: ends the serving when set.
        limits: what clients may do.
        is_shared: see :class:`runtime.connections.Crowd`.
        refused: told of what was turned away before ``app`` saw it.
        task_status: told the port.

    Raises:
        OSError: the address cannot be bound.
        hypercorn.utils.LifespanFailureError: the application refused to start, in a group.
    """
    listener = _listen(host, port, limits.silence_s)
    bound: int = listener.getsockname()[1]
    config, context = _config(), WorkerContext(None)
    wrapped = ASGIWrapper(_let_answers_end(app))
    crowd = Crowd(limits, is_shared=is_shared, refused=refused)
    lifespan = Lifespan(wrapped, config, {})
    receive = partial(_receive, wrapped, config, context, crowd, limits, refused)
    async with trio.open_nursery() as living:
        await living.start(lifespan.handle_lifespan)
        await lifespan.wait_for_startup()
        listening = trio.SocketListener(trio.socket.from_stdlib_socket(listener))
        async with trio.open_nursery() as connections:
            async with trio.open_nursery() as accepting:
                accepting.start_soon(
                    partial(trio.serve_listeners, receive, [listening], handler_nursery=connections)
                )
                task_status.started(bound)
                await shutdown.wait()
                accepting.cancel_scope.cancel()
            await context.terminated.set()
            crowd.close_idle()
            connections.cancel_scope.deadline = trio.current_time() + GRACE_S
        await lifespan.wait_for_shutdown()
        living.cancel_scope.cancel()


async def _receive(
    app: AppWrapper,
    config: Config,
    context: WorkerContext,
    crowd: Crowd,
    limits: Limits,
    refused: Refused,
    stream: trio.SocketStream,
) -> None:
    try:
        connection = Connection(app, config, context, stream, limits, refused)
    except OSError:
        await trio.aclose_forcefully(stream)
        return
    if not crowd.admit(connection):
        await trio.aclose_forcefully(stream)
        return
    try:
        await connection.run()
    except Exception:
        logging.getLogger(__name__).exception("a connection failed")
    finally:
        crowd.leave(connection)


def _listen(host: str, port: int, silence_s: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    listener = socket.create_server(
        (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both
    )
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Connections inherit it: a client that is gone without a word is noticed.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(silence_s * 1000))
    return listener


def _config() -> Config:
    # Errors of the application are logged; "Running on ..." and every request are not.
    logger = logging.getLogger("runtime.serving")
    logger.setLevel(logging.WARNING)
    config = Config()
    config.errorlog = logger
    config.startup_timeout = 10.0
    config.shutdown_timeout = GRACE_S
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
        is_sending = False
        waiting: trio.Event | None = None

        async def receive_after_sending() -> ASGIReceiveEvent:
            nonlocal waiting
            event = await receive()
            if event["type"] == "http.disconnect" and is_sending:
                waiting = trio.Event()
                await waiting.wait()
            return event

        async def send_to_the_end(event: ASGISendEvent) -> None:
            nonlocal is_sending
            is_sending = True
            try:
                await send(event)
            finally:
                is_sending = False
                if waiting is not None:
                    waiting.set()

        await app(scope, receive_after_sending, send_to_the_end)

    return serve_one
