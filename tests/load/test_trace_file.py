"""Trace files: what is written is what is read, and what is wrong is named by file and line."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.arrivals import poisson
from tiergate.errors import TiergateError
from tiergate.hooks import OperationDeclaration
from tiergate.load.trace import Trace, make_trace
from tiergate.load.trace_facts import trace_facts
from tiergate.load.trace_file import read_trace, require_sessions
from tiergate.operation import Request
from tiergate.plugins import PluginHost

OPERATIONS = PluginHost().all(OperationDeclaration)
HEAD = {"schema": "tiergate.trace/1", "workload": "agents", "seed": 3, "requests": 2}
LINES: list[dict[str, Any]] = [
    {"at": 0.1, "op": "task_get", "session": "a", "args": {"task": "t1"}},
    {"at": 0.2, "op": "tasks_query"},
]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
requests = st.one_of(
    st.builds(lambda session, task: Request(0, "task_get", session, {"task": task}), text, text),
    st.builds(
        lambda session, task, notes, weight, key: Request(
            0, "task_update", session, {"task": task, "append_notes": notes, "weight": weight}, key
        ),
        text,
        text,
        text,
        st.one_of(st.integers(0, 2**53), st.floats(0, 1e9)),
        st.one_of(st.none(), text),
    ),
    st.builds(lambda limit: Request(0, "tasks_query", None, {"limit": limit}), st.integers(1, 10**7)),
    st.builds(lambda session: Request(0, "critical_path", session, {}), text),
)


@given(
    st.lists(st.tuples(requests, st.floats(0, 1e6)), max_size=30),
    text,
    st.integers(0, 2**62),
    st.one_of(st.none(), st.integers(1, 10**6)),
)
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    timed: list[tuple[Request, float]],
    workload: str,
    seed: int,
    tasks: int | None,
) -> None:
    starts = sorted(start for _, start in timed)
    trace = make_trace(workload, seed, [request for request, _ in timed], starts, tasks)
    path = tmp_path_factory.getbasetemp() / "trace.jsonl"
    path.write_bytes(trace.encode())
    found = read_trace(path, OPERATIONS)
    assert found == trace
    assert found.encode() == trace.encode()
    assert found.sha256 == sha256(path.read_bytes()).hexdigest()


def written(path: Path, *lines: object) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{line}\n" for line in texts))
    return path


def changed(line: int, **fields: Any) -> list[dict[str, Any]]:
    lines = [dict(HEAD), *map(dict, LINES)]
    lines[line - 1] = {**lines[line - 1], **fields}
    return lines


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "trace.jsonl: the trace is empty"),
        ([HEAD, "{", LINES[1]], "trace.jsonl:2: not JSON: "),
        ([HEAD, LINES[0], ""], "trace.jsonl:3: not JSON: "),
        ([HEAD, LINES[0], "[" * 100_000], "trace.jsonl:3: not JSON: "),
        (["nonsense"], "trace.jsonl:1: not JSON: "),
        ([LINES[0], LINES[1]], "trace.jsonl:1: not a trace: its first line names no schema"),
        (["[1, 2]"], "trace.jsonl:1: not a trace: its first line names no schema"),
        (changed(1, schema="tiergate.trace/9"), "trace.jsonl:1: unknown trace schema 'tiergate.trace/9'"),
        (changed(1, seed="one"), "trace.jsonl:1: not the first line of a trace: Expected `int`"),
        (changed(1, requests=3), "trace.jsonl:3: ends after 2 requests; its first line says 3"),
        (changed(1, requests=1), "trace.jsonl:3: ends after 2 requests; its first line says 1"),
        (changed(3, at=0.05), "trace.jsonl:3: starts at 0.05 s, before the line above it at 0.1 s"),
        (changed(2, at=-1), "trace.jsonl:2: -1 is no time"),
        (changed(2, at="soon"), "trace.jsonl:2: not a request: Expected `float`, got `str`"),
        ([HEAD, '{"at": 1e999, "op": "tasks_query"}', LINES[1]], "trace.jsonl:2: "),
        ([HEAD, '{"at": NaN, "op": "tasks_query"}', LINES[1]], "trace.jsonl:2: not JSON: "),
        (changed(2, op="task_gte"), "trace.jsonl:2: unknown operation 'task_gte' (did you mean 'task_get'?)"),
        (changed(2, session=None), "trace.jsonl:2: operation 'task_get' needs a session"),
        (changed(2, args={"tsk": "t1"}), "trace.jsonl:2: wrong arguments of operation 'task_get': "),
        (changed(2, sesion="a"), "trace.jsonl:2: not a request: Object contains unknown field `sesion`"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(tmp_path: Path, lines: list[object], says: str) -> None:
    path = written(tmp_path / "trace.jsonl", *lines)
    with pytest.raises(TiergateError) as caught:
        read_trace(path, OPERATIONS)
    assert str(caught.value).startswith(f"{tmp_path}/{says}")
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_bytes_that_are_no_text_are_named_too(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(json.dumps(HEAD).encode() + b'\n{"at": 0.1, "op": "task_\xff"}\n')
    with pytest.raises(TiergateError, match=r"trace\.jsonl:2: not JSON: "):
        read_trace(path, OPERATIONS)


def test_the_first_line_with_a_session_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "trace.jsonl", HEAD, *LINES)
    trace = read_trace(path, OPERATIONS)
    require_sessions(trace, path, {"a"}, "give it")
    with pytest.raises(TiergateError) as caught:
        require_sessions(trace, path, {"b"}, "give it")
    assert str(caught.value) == f"{path}:2: session 'a' is not in the store (give it)"


def test_facts_of_a_trace() -> None:
    ask = [Request(0, "task_get", f"s{number % 4}", {"task": "t"}) for number in range(5)]
    facts = trace_facts(make_trace("agents", 3, ask, [0.0, 0.1, 0.2, 0.3, 0.4], tasks=9))
    assert facts.operations == {"task_get": 5}
    assert (facts.requests, facts.sessions, facts.tasks) == (5, 4, 9)
    assert (facts.duration_s, facts.mean_rps) == (0.4, pytest.approx(10.0))
    assert facts.burstiness == pytest.approx(0.0, abs=1e-9)


def test_burstiness_is_about_1_for_poisson_arrivals_and_none_without_gaps() -> None:
    def trace(starts: list[float]) -> Trace:
        return make_trace("agents", 3, [Request(0, "tasks_query", None, {})] * len(starts), starts)

    assert trace_facts(trace(poisson(1, 20_000))).burstiness == pytest.approx(1.0, rel=0.1)
    for starts in ([], [1.0], [1.0, 1.0]):
        facts = trace_facts(trace(starts))
        assert (facts.burstiness, facts.mean_rps, facts.tasks) == (None, None, None)
