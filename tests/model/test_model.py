"""Sessions and tasks keep everything, through any number of round trips."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.model import Session, Status, Task, canonical, decode_session, decode_task, encode

TEXTS = st.text(max_size=20)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
EXTRA = st.dictionaries(TEXTS, JSON_VALUES, max_size=4)
TASKS = st.builds(
    Task,
    id=TEXTS,
    title=TEXTS,
    notes=TEXTS,
    status=st.sampled_from(Status),
    weight=FLOATS,
    dependencies=st.lists(TEXTS, max_size=3).map(tuple),
    momentum=st.floats(0, 1),
    labels=st.lists(TEXTS, max_size=3).map(tuple),
    created_at=st.none() | TEXTS,
    updated_at=st.none() | TEXTS,
    source_status=st.none() | TEXTS,
    extra=EXTRA,
)
SESSIONS = st.builds(
    Session,
    id=TEXTS,
    title=TEXTS,
    version=st.integers(0, 2**40),
    tasks=st.lists(TASKS, max_size=4).map(tuple),
    created_at=st.none() | TEXTS,
    updated_at=st.none() | TEXTS,
    extra=EXTRA,
)
TASK_FIELDS = Task.__struct_fields__
FOREIGN = st.dictionaries(TEXTS.filter(lambda name: name not in TASK_FIELDS), JSON_VALUES, max_size=4)

QUICK = settings(deadline=None, max_examples=100)


@QUICK
@given(TASKS)
def test_a_task_comes_back(task: Task) -> None:
    assert decode_task(encode(task)) == task
    assert decode_task(canonical(task)) == task


@QUICK
@given(SESSIONS)
def test_a_session_comes_back(session: Session) -> None:
    assert decode_session(encode(session)) == session
    assert decode_session(canonical(session)) == session


@QUICK
@given(TASKS, FOREIGN)
def test_unknown_fields_are_kept_once(task: Task, foreign: dict[str, Any]) -> None:
    foreign = {name: value for name, value in foreign.items() if name not in task.extra}
    raw = {**json.loads(encode(task)), **foreign}
    read = decode_task(json.dumps(raw).encode())
    assert read == msgspec.structs.replace(task, extra={**task.extra, **foreign})
    assert decode_task(encode(read)) == read


@QUICK
@given(EXTRA)
def test_canonical_bytes_depend_on_the_content_alone(extra: dict[str, Any]) -> None:
    backwards = dict(reversed(extra.items()))
    first, second = (Task(id="t", title="", extra=one) for one in (extra, backwards))
    assert canonical(first) == canonical(second)


def test_defaults_are_left_out() -> None:
    assert encode(Task(id="t", title="T")) == b'{"id":"t","title":"T"}'
    assert encode(Session(id="s")) == b'{"id":"s"}'
    assert decode_task(b'{"id":"t","title":"T"}') == Task(id="t", title="T")


def test_unknown_fields_of_a_session_and_its_tasks_are_kept() -> None:
    read = decode_session(
        b'{"id":"s","owner":{"name":"o"},"extra":{"old":1},"tasks":[{"id":"t","title":"","due":"2025"}]}'
    )
    assert read.extra == {"owner": {"name": "o"}, "old": 1}
    assert read.tasks[0].extra == {"due": "2025"}
    assert decode_session(encode(read)) == read


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"id":"t","title":"","due":1,"extra":{"due":2}}', "due"),
        (b'{"id":"t","title":"","b":1,"a":1,"extra":{"a":1,"b":1}}', "a"),
    ],
)
def test_a_field_that_stands_both_beside_and_inside_extra_is_refused(data: bytes, name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"field '{name}' stands both beside and inside"):
        decode_task(data)
    with pytest.raises(msgspec.ValidationError, match="of 't'"):
        decode_session(b'{"id":"s","tasks":[' + data + b"]}")


def test_a_clash_in_the_session_itself_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="of 's'"):
        decode_session(b'{"id":"s","x":1,"extra":{"x":1}}')


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"id":"t"}',
        b'{"id":1,"title":""}',
        b'{"id":"t","title":"","status":"open"}',
        b'{"id":"t","title":"","weight":"1"}',
        b'{"id":"t","title":"","extra":[]}',
        b'{"id":"t","title":"","foreign":1,"extra":[]}',
        b'{"id":"t","title":""} trailing',
        b'{"id":"t","title":"\xff"}',
        b'{"id":"t","title":"\\ud800"}',
    ],
)
def test_what_is_no_task_is_refused(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_task(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"id":"s","tasks":{}}',
        b'{"id":"s","tasks":[1]}',
        b'{"id":"s","version":"1"}',
    ],
)
def test_what_is_no_session_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_session(data)


def test_no_default_is_shared() -> None:
    first, second = Task(id="a", title=""), Task(id="b", title="")
    first.extra["mine"] = 1
    assert second.extra == {}
    assert decode_task(b'{"id":"c","title":""}').extra == {}
