"""Traces of calls through OpenTelemetry: the call, the part in a worker, and the part in the store.

Nothing of OpenTelemetry is imported unless its own variables ask for it, see
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
A call is a child of whatever span is current when it comes. The SDK of the protocol makes one for each
message, as a child of the ``traceparent`` that the client sent; so a trace leads from there to the store.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tiergate.dispatch import Call, Outcome
from tiergate.errors import UsageError
from tiergate.recovery.policy import one_line

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

NOTE = "trace"
"""The span is kept with the call under this name."""

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
SERVICE = "tiergate"

_NO_ERROR = frozenset({Outcome.ANSWERED, Outcome.CANCELLED})


class Tracing:
    """A watcher that makes three spans of a call.

    The worker tells how long it took and how much of that was spent in the store. The span of the worker is
    therefore laid to the end of the call, after the time in the queue, and that of the store, the sum of all
    its calls, to the beginning of the worker's: lengths are exact, places are not.
    """

    def __init__(self, tracer: Tracer) -> None:
        from opentelemetry import trace  # only who traces pays for it

        self._tracer = tracer
        self._context_of = trace.set_span_in_context
        self._failed = trace.StatusCode.ERROR

    def began(self, call: Call) -> None:
        """Begin the span of the call."""
        attributes: dict[str, str] = {"tiergate.request.id": call.id}
        if call.request.session is not None:
            attributes["tiergate.session"] = call.request.session
        call.notes[NOTE] = self._tracer.start_span(
            f"call {call.request.operation}", attributes=attributes, start_time=_wall_ns(call.began)
        )

    def ended(self, call: Call) -> None:
        """End it, with the spans of worker and store inside."""
        span = call.notes.pop(NOTE, None)
        if span is None:
            return
        span.set_attribute("tiergate.outcome", str(call.outcome))
        if call.choice is not None and call.choice.tier is not None:
            span.set_attribute("tiergate.tier", call.choice.tier)
        failure = call.reply.failure if call.reply is not None else None
        if call.outcome not in _NO_ERROR:
            span.set_attribute("error.type", failure.kind if failure else type(call.error).__qualname__)
            span.set_status(self._failed, one_line(failure, call.error))
        end = _wall_ns(call.ended)
        self._inside(call, span, end)
        span.end(end)

    def _inside(self, call: Call, span: Any, end: int) -> None:
        reply = call.reply
        if reply is None or not span.is_recording():
            return
        start = end - min(reply.service_ns, int(call.response_s * 1e9))
        worker = self._tracer.start_span(
            f"run {call.request.operation}",
            context=self._context_of(span),
            attributes={"tiergate.worker": reply.worker},
            start_time=start,
        )
        if reply.store_ns:
            store = self._tracer.start_span("store", context=self._context_of(worker), start_time=start)
            store.end(min(end, start + reply.store_ns))
        worker.end(end)


def _wall_ns(moment: float) -> int:
    """A moment of `time.perf_counter` in nanoseconds of the wall clock."""
    return time.time_ns() - int((time.perf_counter() - moment) * 1e9)


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the variables of OpenTelemetry ask for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    named = environment.get("OTEL_TRACES_EXPORTER")
    if named:
        return named != "none"
    return any(environment.get(variable) for variable in ENDPOINTS)


@contextmanager
def traced(environment: Mapping[str, str] = os.environ) -> Iterator[Tracing | None]:
    """Within a block, a watcher that traces as the environment says; None where it asks for none.

    What was not sent yet is sent at the end. The provider becomes that of the process, so that the spans of
    the protocol's SDK go the same way.

    Raises:
        UsageError: the environment asks for what cannot be had.
    """
    if not is_wanted(environment):
        yield None
        return
    provider = _provider(environment)
    from opentelemetry import trace  # only who traces pays for it

    trace.set_tracer_provider(provider)
    try:
        yield Tracing(provider.get_tracer(SERVICE))
    finally:
        provider.shutdown()


def _provider(environment: Mapping[str, str]) -> TracerProvider:
    if not _is_installed("opentelemetry.sdk"):
        raise _missing()
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = _exporter(environment)
    # Resource.create takes OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, the provider OTEL_TRACES_SAMPLER.
    own = {} if environment.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: SERVICE}
    provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporter(environment: Mapping[str, str]) -> SpanExporter:
    """The exporter that the environment names; ``otlp`` unless it names one."""
    name = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        # Standard output belongs to the protocol.
        return ConsoleSpanExporter(out=sys.stderr)
    if name != "otlp":
        raise UsageError(
            f"traces cannot be sent by {name!r}", where="OTEL_TRACES_EXPORTER", hint="otlp, console or none"
        )
    protocol = next(filter(None, map(environment.get, PROTOCOLS)), PROTOCOL)
    if protocol != PROTOCOL:
        raise UsageError(
            f"traces cannot be sent by the protocol {protocol!r}",
            where="OTEL_EXPORTER_OTLP_PROTOCOL",
            hint=f"use {PROTOCOL}, which collectors take at port 4318",
        )
    if not _is_installed("opentelemetry.exporter.otlp.proto.http"):
        raise _missing()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even its parent is
        return False


def _missing() -> UsageError:
    return UsageError(
        "OTEL_ variables ask for traces, and the packages for them are not installed",
        hint="pip install 'tiergate[otel]', or set OTEL_TRACES_EXPORTER=none",
    )
