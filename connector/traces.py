"""Traces of messages, for OpenTelemetry. Imported only where they are wanted: see tracing.py.

Each message is one trace, made from its steps:

- a span for the message itself, from when it was written to when it was on the other side; below it
  one for its receipt or its contact;
- under each of these, the waits in the journal and the work of the actors.

All ids are derived from the message's id, so that all processes, and a process that was started
again, make the same trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.util.re import parse_env_headers

from actors.steps import Step
from connector.step_times import Deliveries, find_kind


def make_exporter(endpoint: str, headers: str | None, timeout_s: float) -> SpanProcessor:
    """Sends spans by OTLP over HTTP, together, in a thread of its own.

    Args:
        endpoint: the collector's address, without ``/v1/traces``.
        headers: as ``OTEL_EXPORTER_OTLP_HEADERS``: ``name=value,...``.
        timeout_s: how long one request may take, its repeats included.
    """
    return BatchSpanProcessor(
        OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/traces",
            headers=parse_env_headers(headers or "", liberal=True),
            timeout=timeout_s,
        )
    )


class Traces:
    """Makes spans of steps.

    Args:
        processor: takes the spans that have ended, without waiting.
        service: what the traces are called after.
        version: of the connector.
    """

    def __init__(self, processor: SpanProcessor, *, service: str, version: str) -> None:
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: service, SERVICE_VERSION: version}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("bluesky-genesys", version)
        self._deliveries = Deliveries()
        self._waits = Deliveries()

    def hear(self, step: Step) -> None:
        """Make the spans that end with this step. It is quick: others send them."""
        if not self._is_sampled(step):
            return
        match step.name:
            case "recorded":
                if step.written_at is not None:
                    self._tell(step, "until recorded", step.written_at, step.recorded_at)
            case "delivered":
                self._deliveries.begin(step)
                retried_at = self._waits.end(step)
                if retried_at is not None or not step.attempts:
                    self._tell(step, "journal", retried_at or step.recorded_at, step.at)
            case "retried":
                self._waits.begin(step)
                self._tell_handled(step)
            case "done" | "refused":
                self._tell_handled(step)
                self._tell_whole(step)

    def close(self) -> None:
        """Send what has not been sent yet. It waits: call it in a thread."""
        self._provider.shutdown()

    def _is_sampled(self, step: Step) -> bool:
        """Whether this trace is wanted, by ``OTEL_TRACES_SAMPLER``: the same for all its spans."""
        trace_id = _derive(step.message, 16)
        sampled = self._provider.sampler.should_sample(None, trace_id, find_kind(step))
        return sampled.decision is not Decision.DROP

    def _tell_handled(self, step: Step) -> None:
        began_at = self._deliveries.end(step)
        if began_at is not None:
            self._tell(step, step.destination, began_at, step.at)

    def _tell(self, step: Step, name: str, began_at: float, ended_at: float) -> None:
        """A part of the way of this item."""
        span_id = _derive(f"{name} {step.attempts} {step.item_id}", 8)
        parent_id = _derive(step.item_id, 8)
        self._make_span(step, name, (span_id, parent_id), began_at, ended_at)

    def _tell_whole(self, step: Step) -> None:
        """The whole way of this item."""
        began_at = step.recorded_at if step.written_at is None else step.written_at
        parent_id = None if step.item_id == step.message else _derive(step.message, 8)
        ids = _derive(step.item_id, 8), parent_id
        self._make_span(step, find_kind(step), ids, began_at, step.at)

    def _make_span(
        self, step: Step, name: str, ids: tuple[int, int | None], began_at: float, ended_at: float
    ) -> None:
        trace_id, (span_id, parent_id) = _derive(step.message, 16), ids
        self._ids.trace_id, self._ids.span_id = trace_id, span_id
        context = Context()
        if parent_id is not None:
            flags = TraceFlags(TraceFlags.SAMPLED)
            parent = SpanContext(trace_id, parent_id, is_remote=True, trace_flags=flags)
            context = trace.set_span_in_context(trace.NonRecordingSpan(parent), context)
        span = self._tracer.start_span(
            name,
            context,
            attributes=_describe(step),
            start_time=_ns(min(began_at, ended_at)),
        )
        if step.name == "refused":
            span.set_status(Status(StatusCode.ERROR, step.why or step.code))
        span.end(_ns(ended_at))


class _Ids(IdGenerator):
    """Gives out the ids that are set."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


def _derive(name: str, size: int) -> int:
    """An id of so many bytes; 0 would be none."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=size).digest()
    return int.from_bytes(digest) or 1


def _describe(step: Step) -> Mapping[str, str | int]:
    about: dict[str, str | int | None] = {
        "message": step.message,
        "item": step.item_id,
        "kind": find_kind(step),
        "actor": step.destination.value,
        "conversation": step.conversation,
        "attempts": step.attempts + 1,
        "step": step.name,
        "code": step.code,
        "why": step.why,
    }
    return {name: value for name, value in about.items() if value is not None}


def _ns(unix_s: float) -> int:
    return int(unix_s * 1_000_000_000)
