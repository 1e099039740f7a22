"""Faults to order: what a platform does on a bad day, one request at a time.

A sandbox server is wrapped once (:func:`inject_faults`); tests and the demo page then add rules to
its :class:`Faults` while it runs. Nothing here knows which platform it serves: how a refusal looks
on the wire is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

import trio
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Scope,
)

from sandbox.serving import cut_connection


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with this status and do nothing. ``error`` is the platform's own word for it."""

    status: int = 500
    error: str = "InternalServerError"
    message: str = "Internal Server Error"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Answer 429 and do nothing; the caller may come back after ``retry_after_s`` seconds."""

    retry_after_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait, then act and answer as usual, even if the caller has gone meanwhile."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class DropAfter:
    """Act, then close the connection instead of answering (httpx: ``RemoteProtocolError``)."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection and do nothing (httpx: ``ReadError``)."""


Fault: TypeAlias = Status | RateLimit | Delay | DropAfter | Reset


@dataclass(slots=True)
class Rule:
    """One order: ``fault`` for requests whose path matches, after ``skip`` of them went well.

    ``left`` is how many more times it strikes, ``None`` for ever; ``hits`` how often it did.
    """

    path: re.Pattern[str]
    fault: Fault
    method: str | None
    skip: int
    left: int | None
    hits: int = 0

    def match(self, method: str, path: str) -> bool:
        """Whether this rule is for such a request and is not used up."""
        if self.left == 0 or self.method not in (None, method):
            return False
        return self.path.search(path) is not None

    def take(self) -> Fault | None:
        """Use the rule once, on a request it matches: a fault, or ``None`` while skipping."""
        if self.skip > 0:
            self.skip -= 1
            return None
        if self.left is not None:
            self.left -= 1
        self.hits += 1
        return self.fault


class Faults:
    """The rules in force, in the order they were added. The first that strikes decides."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, the used up ones included."""
        return tuple(self._rules)

    def add(
        self,
        path: str,
        fault: Fault,
        *,
        method: str | None = None,
        count: int | None = 1,
        skip: int = 0,
    ) -> Rule:
        """Order ``fault`` for the next ``count`` requests whose path matches the regex ``path``.

        Args:
            path: a regular expression, searched anywhere in the path without its query.
            method: only for this HTTP method, in capitals; ``None`` for any.
            count: how many times; ``None`` until removed.
            skip: how many matching requests pass untouched before that.
        """
        rule = Rule(path=re.compile(path), fault=fault, method=method, skip=skip, left=count)
        self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        """Withdraw one rule. One that is not there any more is no error."""
        self._rules = [kept for kept in self._rules if kept is not rule]

    def clear(self) -> None:
        """Withdraw all rules."""
        self._rules.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, used up by asking, or ``None`` for a normal answer."""
        for rule in self._rules:
            if rule.match(method, path):
                fault = rule.take()
                if fault is not None:
                    return fault
        return None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in a platform's own words, ready to be sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Refuse: TypeAlias = Callable[[Status | RateLimit], Refusal]


def inject_faults(app: ASGIFramework, faults: Faults, refuse: Refuse) -> ASGIFramework:
    """Wrap an ASGI app so that ``faults`` strike its HTTP requests before it sees them.

    ``refuse`` words the answer of :class:`Status` and :class:`RateLimit` as the platform would.
    Connections can be cut only under :func:`sandbox.serving.serve`, and only when no other
    wrapper stands between it and this one.
    """

    async def faulty(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        fault = faults.take(scope["method"], scope["path"])
        match fault:
            case None:
                await app(scope, receive, send)
            case Status() | RateLimit():
                await _read_to_end(receive)
                await _answer(refuse(fault), send)
            case Delay(delay_s):
                await trio.sleep(delay_s)
                await app(scope, receive, send)
            case DropAfter():
                await app(scope, receive, _discard)
                await cut_connection(send)
            case Reset():
                await _read_to_end(receive)
                await cut_connection(send, reset=True)
            case _:
                assert_never(fault)

    return faulty


async def _read_to_end(receive: ASGIReceiveCallable) -> None:
    """Take the whole request off the wire: closing over unread bytes would lose our answer."""
    while True:
        event = await receive()
        if event["type"] != "http.request" or not event["more_body"]:
            return


async def _answer(refusal: Refusal, send: ASGISendCallable) -> None:
    headers = {"content-length": str(len(refusal.body)), **refusal.headers}
    start: HTTPResponseStartEvent = {
        "type": "http.response.start",
        "status": refusal.status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await send(start)
    body: HTTPResponseBodyEvent = {
        "type": "http.response.body",
        "body": refusal.body,
        "more_body": False,
    }
    await send(body)


async def _discard(event: ASGISendEvent) -> None:
    """Let the app act, and keep its answer from the caller."""
    del event
    await trio.lowlevel.checkpoint()
