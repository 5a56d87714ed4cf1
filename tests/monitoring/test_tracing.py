"""Traces: spans within spans, that of the caller gone on with, and nothing imported when nobody asks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from made_calls import CRASH, MODULES, answered, dispatching, made_call, pool_spec

from tiergate.errors import UsageError
from tiergate.monitoring.tracing import Tracing, is_wanted, traced

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode


class Traced:
    """A tracer, and the spans that it ended by their names."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer = provider.get_tracer("test")

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._kept.get_finished_spans()}


def times(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.start_time, span.end_time


def parent(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


@pytest.mark.integration
def test_the_spans_of_a_served_call_lie_within_each_other_and_within_that_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(MODULES))
    found = Traced()

    async def drive() -> None:
        async with dispatching(pool_spec(tmp_path)) as dispatcher:
            dispatcher.watchers.append(Tracing(found.tracer))
            with found.tracer.start_as_current_span("message"):
                await dispatcher.call("count", "s", {}, id="mine")

    asyncio.run(drive())
    spans = found.spans()
    line = [spans[name] for name in ("message", "call count", "run count", "store")]
    assert len({span.context.trace_id for span in line}) == 1
    for outer, inner in pairwise(line):
        assert parent(inner) == outer.context.span_id
        (begins, ends), (begins_in, ends_in) = times(outer), times(inner)
        # The wall clock is read twice, so that a caller's span may seem to begin a little late.
        slack = 1_000_000 if outer.name == "message" else 0
        assert begins - slack <= begins_in <= ends_in <= ends + slack
    attributes = spans["call count"].attributes
    assert attributes is not None
    assert attributes["tiergate.request.id"] == "mine"
    assert attributes["tiergate.outcome"] == "answered"


def test_a_failure_is_the_status_of_the_span() -> None:
    found = Traced()
    tracing, call = Tracing(found.tracer), made_call()
    tracing.began(call)
    tracing.ended(answered(call, CRASH))
    span = found.spans()["call task_get"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "OperationCrashed: it failed"
    assert not call.notes


def test_the_lengths_of_the_spans_are_those_that_were_measured() -> None:
    found = Traced()
    tracing, call = Tracing(found.tracer), made_call()
    tracing.began(call)
    tracing.ended(answered(call))
    lengths = {name: end - start for name, span in found.spans().items() for start, end in [times(span)]}
    assert lengths["run task_get"] == 200_000_000
    assert lengths["store"] == 50_000_000


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost"}, False),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_the_variables_of_opentelemetry_decide(environment: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environment) is wanted


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, r"cannot be sent by 'zipkin' \(otlp, console or none\)"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            r"protocol 'grpc' \(use http/protobuf",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(environment: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says), traced(environment):
        pass


def test_nothing_is_imported_when_nobody_asks() -> None:
    code = (
        "import sys; from tiergate.monitoring.tracing import traced\n"
        "with traced({}) as tracing: assert tracing is None\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_spans_go_to_standard_error_where_the_console_is_asked_for() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from made_calls import answered, made_call\n"
        "from tiergate.monitoring.tracing import traced\n"
        "with traced({'OTEL_TRACES_EXPORTER': 'console'}) as tracing:\n"
        "    call = made_call(); tracing.began(call); tracing.ended(answered(call))\n"
    )
    words = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert '"name": "call task_get"' in done.stderr
    assert '"service.name": "tiergate"' in done.stderr
