"""Logs: JSON lines in a container, readable lines on a terminal."""

from __future__ import annotations

import logging
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


def create_log(
    level: Literal["debug", "info", "warn", "error"], stream: TextIO
) -> FilteringBoundLogger:
    """A logger that writes to ``stream``; nothing global is configured."""
    readable = stream.isatty()
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    )
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if readable else "iso", utc=not readable),
        structlog.processors.format_exc_info,
        renderer,
    ]
    log: Any = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
    )
    bound: FilteringBoundLogger = log.bind()
    return bound
