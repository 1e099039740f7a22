"""Whether traces are made, and where they go. Without them nothing of OpenTelemetry is imported."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version

import trio

from actors.steps import StepListener, tell_nobody
from connector.settings import Settings
from runtime.context import EventLog

_SEND_WITHIN_S = 5.0
_END_WITHIN_S = 3.0
_TELL_EVERY_S = 60.0


@asynccontextmanager
async def open_traces(settings: Settings, log: EventLog) -> AsyncIterator[StepListener]:
    """What makes traces of steps while the block runs, if ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set.

    At the end it waits a little for what is still to be sent; the rest is lost, as traces may be.
    """
    endpoint, headers = settings.otel_exporter_otlp_endpoint, settings.otel_exporter_otlp_headers
    if endpoint is None:
        yield tell_nobody
        return
    try:
        from connector.traces import Traces, make_exporter
    except ModuleNotFoundError as error:
        action = "pip install 'bluesky-genesys[otel]', or unset OTEL_EXPORTER_OTLP_ENDPOINT"
        log.warning("no traces: OpenTelemetry is not installed", why=str(error), action=action)
        yield tell_nobody
        return
    revealed = None if headers is None else headers.get_secret_value()
    with _telling_trouble(log):
        traces = Traces(
            make_exporter(endpoint, revealed, _SEND_WITHIN_S),
            service=settings.otel_service_name,
            version=version("bluesky-genesys"),
        )
        log.info("traces are sent", endpoint=endpoint)
        try:
            yield traces.hear
        finally:
            with trio.move_on_after(_END_WITHIN_S, shield=True):
                await trio.to_thread.run_sync(traces.close, abandon_on_cancel=True)


class _Trouble(logging.Handler):
    """Tells, now and then, what the library's own threads log."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._told_at = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self._told_at = time.monotonic()
            self._log.warning("traces are not sent", why=record.getMessage()[:300])


@contextmanager
def _telling_trouble(log: EventLog) -> Iterator[None]:
    logger, handler = logging.getLogger("opentelemetry"), _Trouble(log)
    logger.addHandler(handler)
    propagated, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = propagated
        logger.removeHandler(handler)
