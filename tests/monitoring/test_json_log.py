"""One line of JSON a call: what it says, that no call waits for it, and that what is left out is told."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from made_calls import CRASH, REFUSAL, answered, made_call, unanswered

from tiergate.dispatch import Call, Outcome
from tiergate.monitoring import json_log
from tiergate.monitoring.happenings import Happenings
from tiergate.monitoring.json_log import JsonLog, call_line

MOMENT = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)


def lines_of(written: list[bytes]) -> list[dict[str, Any]]:
    text = b"".join(written)
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_says_what_became_of_a_call() -> None:
    written: list[bytes] = []
    log, call = JsonLog(written.append, lambda: MOMENT), answered(made_call(session="a\nb"))
    with log.running():
        log.began(call)
        log.ended(call)
    assert lines_of(written) == [
        {
            "time": "2025-03-01T12:00:00Z",
            "level": "info",
            "event": "call",
            "request": call.id,
            "operation": "task_get",
            "session": "a\nb",
            "tier": "hot",
            "worker": "hot-1",
            "outcome": "answered",
            "response_ms": 250.0,
            "service_ms": 200.0,
            "store_ms": 50.0,
        }
    ]


@pytest.mark.parametrize(
    ("call", "level", "error"),
    [
        (answered(made_call(), REFUSAL), "info", "OperationError: no such task"),
        (answered(made_call(), CRASH), "error", "OperationCrashed: it failed"),
        (unanswered(made_call(), Outcome.FAILED), "error", "WorkerDied: worker hot-1 ended"),
        (unanswered(made_call(), Outcome.TIMED_OUT), "warning", "DeadlineExceeded: too long"),
        (unanswered(made_call(), Outcome.OVERLOADED), "warning", "Overloaded: full"),
        (unanswered(made_call(), Outcome.CANCELLED), "info", "KeyboardInterrupt:"),
    ],
)
def test_level_and_error_tell_who_is_to_blame(call: Call, level: str, error: str) -> None:
    line = call_line(call, MOMENT)
    assert (line.level, line.error) == (level, error)


def test_happenings_are_lines_too() -> None:
    written: list[bytes] = []
    happenings, log = Happenings(lambda: MOMENT), JsonLog(written.append)
    happenings.subscribe(log.happened)
    with log.running():
        happenings.note("spawn", "hot-1", "pid 7", "a worker takes requests")
        happenings.note("read-only", "", "the disk is full", "writes are turned away")
    assert [(line["event"], line["level"], line["cause"]) for line in lines_of(written)] == [
        ("spawn", "info", "pid 7"),
        ("read-only", "warning", "the disk is full"),
    ]


def test_a_reader_that_takes_nothing_holds_up_no_call_and_is_told_what_it_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_log, "KEPT", 3)
    written: list[bytes] = []
    entered, goes_on = threading.Event(), threading.Event()

    def blocks(text: bytes) -> None:
        entered.set()
        assert goes_on.wait(60)
        written.append(text)

    log = JsonLog(blocks)
    with log.running():
        log.ended(answered(made_call()))
        assert entered.wait(60)
        for _ in range(8):
            log.ended(answered(made_call()))
        goes_on.set()
    lines = lines_of(written)
    assert [line["event"] for line in lines] == ["call"] * 4 + ["lines-lost"]
    assert lines[-1]["lines"] == 5


def test_what_cannot_be_written_any_more_breaks_nothing() -> None:
    def closed(_text: bytes) -> None:
        raise BrokenPipeError

    log = JsonLog(closed)
    with log.running():
        for _ in range(3):
            log.ended(answered(made_call()))
