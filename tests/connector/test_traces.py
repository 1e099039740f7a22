"""Each message is one trace, whoever tells of it, and only where traces are wanted."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from actors.messages import Destination
from actors.steps import Step, StepName
from connector.logs import create_log
from connector.traces import Traces
from tests.conftest import ROOT
from tests.connector.connected import open_connected
from tests.support.collector import open_collector

ANSWER = Step(
    name="recorded",
    message="agent:m1",
    item_id="agent:m1",
    kind="agent_message",
    destination=Destination.BLUESKY_SENDER,
    conversation="agent:c",
    at=1001.0,
    recorded_at=1001.0,
    written_at=1000.0,
    attempts=0,
)
RECEIPT = dataclasses.replace(
    ANSWER,
    item_id="receipt:m1",
    kind="receipt",
    destination=Destination.GENESYS_SENDER,
    at=1041.0,
    recorded_at=1041.0,
    written_at=None,
)
WAY: list[tuple[StepName, float, int]] = [
    ("recorded", 1001.0, 0),
    ("delivered", 1002.0, 0),
    ("retried", 1005.0, 0),
    ("delivered", 1035.0, 1),
    ("done", 1041.0, 1),
]


class Collected:
    """Traces whose spans stay here."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        processor = SimpleSpanProcessor(self.exporter)
        self.traces = Traces(processor, service="bluesky-genesys", version="1")

    def tell(self, step: Step, way: list[tuple[StepName, float, int]], **more: Any) -> None:  # noqa: ANN401
        """Let it take that way."""
        for name, at, attempts in way:
            told = dataclasses.replace(step, name=name, at=at, attempts=attempts)
            last = (name, at, attempts) == way[-1]
            self.traces.hear(dataclasses.replace(told, **more) if last else told)

    @property
    def spans(self) -> list[ReadableSpan]:
        """All that have ended."""
        return list(self.exporter.get_finished_spans())


def times(span: ReadableSpan) -> tuple[str, float, float]:
    """What it is called, and from when to when it is."""
    assert span.start_time is not None
    assert span.end_time is not None
    return span.name, span.start_time / 1e9, span.end_time / 1e9


def span_id(span: ReadableSpan) -> int:
    """Its own id."""
    assert span.context is not None
    own: int = span.context.span_id
    return own


def parent_id(span: ReadableSpan) -> int | None:
    """The id of the span that it is under."""
    return None if span.parent is None else span.parent.span_id


def test_a_message_and_its_receipt_are_one_trace() -> None:
    """The message is the root; what it waited for and who worked on it lie under it, in order."""
    collected = Collected()
    collected.tell(ANSWER, WAY)
    collected.tell(RECEIPT, [("delivered", 1042.0, 0), ("done", 1043.0, 0)])

    assert [times(span) for span in collected.spans] == [
        ("until recorded", 1000, 1001),
        ("journal", 1001, 1002),
        ("BlueskySender", 1002, 1005),
        ("journal", 1005, 1035),
        ("BlueskySender", 1035, 1041),
        ("agent_message", 1000, 1041),
        ("journal", 1041, 1042),
        ("GenesysSender", 1042, 1043),
        ("receipt", 1041, 1043),
    ]
    *parts, answer, receipt_waits, receipt_works, receipt = collected.spans
    assert len({span.context.trace_id for span in collected.spans if span.context}) == 1
    assert parent_id(answer) is None
    assert parent_id(receipt) == span_id(answer)
    assert {parent_id(span) for span in parts} == {span_id(answer)}
    assert {parent_id(span) for span in (receipt_waits, receipt_works)} == {span_id(receipt)}
    assert len({span_id(span) for span in collected.spans}) == len(collected.spans)


def test_processes_agree_about_the_ids() -> None:
    """One records, another one delivers, and a third that was started again sends the receipt."""
    together, apart = Collected(), [Collected(), Collected()]
    together.tell(ANSWER, WAY)
    apart[0].tell(ANSWER, WAY[:1])
    apart[1].tell(ANSWER, WAY[1:])
    spans = [span for one in apart for span in one.spans]
    assert [span.context for span in spans] == [span.context for span in together.spans]
    assert [parent_id(span) for span in spans] == [parent_id(span) for span in together.spans]


def test_messages_have_traces_of_their_own() -> None:
    """A contact belongs to the post that brought it about, another post does not."""
    collected = Collected()
    post = dataclasses.replace(ANSWER, message="post:1", item_id="post:1", kind="inbound_post")
    contact = dataclasses.replace(post, item_id="contact:post:1", kind="resolve_contact")
    other = dataclasses.replace(post, message="post:2", item_id="post:2")
    for step in (post, contact, other):
        collected.traces.hear(dataclasses.replace(step, name="done"))
    first, second, third = (span.context.trace_id for span in collected.spans if span.context)
    assert first == second != third


def test_a_refusal_is_an_error_with_its_reason() -> None:
    """So that it is found by who looks for errors; a retry is none."""
    collected = Collected()
    way: list[tuple[StepName, float, int]] = [*WAY[:4], ("refused", 1041.0, 1)]
    collected.tell(ANSWER, way, code="InvalidDestination", why="The post was deleted.")
    failed = [span.name for span in collected.spans if span.status.status_code is StatusCode.ERROR]
    assert failed == ["BlueskySender", "agent_message"]
    root = collected.spans[-1]
    assert root.status.description == "The post was deleted."
    assert root.attributes is not None
    assert root.attributes["code"] == "InvalidDestination"
    assert root.attributes["message"] == "agent:m1"


def test_a_clock_that_is_ahead_makes_no_span_that_ends_before_it_begins() -> None:
    """An author's time may be in the future."""
    collected = Collected()
    collected.tell(dataclasses.replace(ANSWER, written_at=2000.0), WAY)
    for span in collected.spans:
        _, began_at, ended_at = times(span)
        assert began_at <= ended_at


def test_a_trace_is_kept_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sampler of the environment decides by the trace, not by the span."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    collected = Collected()
    for number in range(100):
        name = f"agent:{number}"
        collected.tell(dataclasses.replace(ANSWER, message=name, item_id=name), WAY)
    traces: dict[int, int] = {}
    for span in collected.spans:
        assert span.context is not None
        traces[span.context.trace_id] = traces.get(span.context.trace_id, 0) + 1
    assert 20 < len(traces) < 80
    assert set(traces.values()) == {6}


async def test_a_conversation_arrives_at_a_collector(tmp_path: Path) -> None:
    """Over HTTP, with its key, and sent before the process ends; no text and no handle is in it."""
    with open_collector() as collector:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=sesame",
            "OTEL_SERVICE_NAME": "support",
        }
        async with open_connected(tmp_path, variables) as connected:
            conversation = await connected.conversation()
            sent = connected.world.genesys.agent_reply(conversation, "CANARY", public=True)
            assert await connected.concluded(sent) == "Delivered"
            await connected.until("GenesysSender", lambda actor: actor["handled"] >= 2)

    assert collector.paths == {"/v1/traces"}
    assert collector.keys == {"sesame"}
    by_name = {span.name: span for span in collector.spans()}
    assert {"inbound_post", "agent_message", "receipt", "journal", "BlueskySender"} <= set(by_name)
    answer, receipt = by_name["agent_message"], by_name["receipt"]
    assert receipt.trace_id == answer.trace_id != by_name["inbound_post"].trace_id
    assert receipt.parent_span_id == answer.span_id
    shown = str(collector.requests)
    assert "support" in shown
    for word in ("CANARY", "can you help", connected.world.customers[0].handle):
        assert word not in shown


async def test_a_collector_that_is_away_disturbs_nobody(tmp_path: Path) -> None:
    """Messages go on, one line tells of it, and the process ends in time."""
    stream = io.StringIO()
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    async with open_connected(tmp_path, variables, create_log("info", stream)) as connected:
        conversation = await connected.conversation()
        sent = connected.world.genesys.agent_reply(conversation, "Yes", public=True)
        assert await connected.concluded(sent) == "Delivered"
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events.count("traces are not sent") == 1
    assert events[-1] == "stopped"


OFF = """
import io, sys, threading, trio
from connector import run
from connector.environment import load_settings
from connector.logs import create_log
from connector.tracing import open_traces
from tests.connector.test_settings import REQUIRED

async def main():
    async with open_traces(load_settings(REQUIRED), create_log("info", sys.stdout)):
        names = ("connector.traces", "opentelemetry", "requests")
        print(sorted(name for name in sys.modules if name.startswith(names)))
        print(threading.active_count())

trio.run(main)
"""


def test_nothing_of_it_is_loaded_when_it_is_off() -> None:
    """Whoever wants no traces pays nothing for them: no import, no thread."""
    assert run_python(OFF).splitlines() == ["[]", "1"]


MISSING = """
import io, sys, trio
sys.modules["opentelemetry"] = None
from connector.environment import load_settings
from connector.logs import create_log
from connector.tracing import open_traces
from tests.connector.test_settings import REQUIRED

async def main():
    settings = load_settings({**REQUIRED, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    async with open_traces(settings, create_log("info", sys.stdout)) as tell:
        print(tell.__name__)

trio.run(main)
"""


def test_a_missing_package_is_said_with_the_remedy() -> None:
    """And everything else works."""
    line, listener = run_python(MISSING).splitlines()
    said = json.loads(line)
    assert said["level"] == "warning"
    assert "bluesky-genesys[otel]" in said["action"]
    assert listener == "tell_nobody"


def run_python(program: str) -> str:
    """What a program prints in a process of its own."""
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return finished.stdout.strip()
