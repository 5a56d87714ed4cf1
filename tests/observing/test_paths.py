"""What a watched server answers over HTTP beside the protocol."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from served import Server

pytestmark = pytest.mark.integration


def get(server: Server, path: str) -> tuple[dict[str, str], bytes]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=20) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def samples(server: Server) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = get(server, "/metrics")[1].decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_the_calls_by_operation_tier_and_outcome(watched: Server) -> None:
    found = samples(watched)

    def total(operation: str, outcome: str) -> float:
        return sum(
            value
            for (name, labels), value in found.items()
            if name == "tiergate_calls_total" and {("operation", operation), ("outcome", outcome)} <= labels
        )

    assert total("session_get", "answered") == 3
    assert total("task_progress", "answered") == 1
    assert total("task_update", "refused") == 1


def test_a_histogram_ends_with_all_of_its_calls(watched: Server) -> None:
    found = samples(watched)
    for what in ("response", "service", "store"):
        name = f"tiergate_{what}_seconds"
        reads = {labels: value for (key, labels), value in found.items() if key == f"{name}_bucket"}
        assert reads
        for labels, value in reads.items():
            if ("le", "+Inf") in labels:
                assert value == found[f"{name}_count", labels - {("le", "+Inf")}]
                assert found[f"{name}_sum", labels - {("le", "+Inf")}] > 0


def test_no_label_names_a_session(watched: Server) -> None:
    assert b"<i>" not in get(watched, "/metrics")[1]


def test_the_status_says_what_was_done(watched: Server) -> None:
    headers, body = get(watched, "/status.json")
    status = json.loads(body)
    assert headers["content-type"] == "application/json"
    assert status["schema"] == "tiergate.status/1"
    assert status["health"]["state"] == "ready"
    assert status["lost"] == 0
    assert status["response_ms"]["p50"] > 0
    assert {tier["name"] for tier in status["tiers"]} >= {"hot", "warm", "cold"}


def test_it_lives_and_is_ready(watched: Server) -> None:
    assert get(watched, "/health/live")[1] == b"live\n"
    assert json.loads(get(watched, "/health/ready")[1])["state"] == "ready"


def test_the_page_takes_nothing_from_elsewhere(watched: Server) -> None:
    for path in ("/", "/live.css", "/live.js"):
        headers, body = get(watched, path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert b"https://" not in body


def test_a_killed_worker_is_an_event_with_cause_and_effect(watched: Server) -> None:
    os.kill(watched.workers()[0], signal.SIGKILL)
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        events = json.loads(get(watched, "/status.json")[1])["events"]
        found = [event for event in events if event["kind"] == "exit"]
        if found and events[0]["kind"] == "spawn":
            break
        time.sleep(0.05)
    assert "SIGKILL" in found[0]["cause"]
    assert "replaced" in found[0]["effect"]


def test_usr1_writes_the_stacks_of_tasks_and_workers(watched: Server, tmp_path: Path) -> None:
    os.kill(watched.process.pid, signal.SIGUSR1)
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        text = watched.errors.read_text()
        if "worker hot-" in text:
            break
        time.sleep(0.05)
    assert "Thread 0x" in text or "Current thread" in text
    assert "asyncio tasks:" in text
    assert "in _receive" in text.partition("worker hot-")[2]
    assert json.loads(get(watched, "/health/ready")[1])["state"] in {"ready", "degraded"}
