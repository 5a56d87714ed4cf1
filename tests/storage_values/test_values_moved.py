"""Whatever one store carries, it carries to any other."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiergate.canonical import root_hash, session_bytes, session_hash
from tiergate.model import Session, Status, Task
from tiergate.store import StoreError

Export = Callable[[Iterable[Session]], bytes]

NAMES = ("json", "jsonfile", "sqlite", "sqlite-normal", "sqlite-packed", "cached-sqlite", "cached-json")
QUICK = (
    ("json", "sqlite"),
    ("sqlite", "json"),
    ("jsonfile", "sqlite-packed"),
    ("sqlite-packed", "jsonfile"),
    ("cached-sqlite", "sqlite-normal"),
    ("sqlite-normal", "cached-json"),
    ("cached-json", "cached-sqlite"),
)
PAIRS = [
    pytest.param(*pair, id="-to-".join(pair), marks=() if pair in QUICK else pytest.mark.soak)
    for pair in itertools.permutations(NAMES, 2)
]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "",
        "\0",
        "..",
        "a/b",
        "e\u0301",
        "\u00e9",
        "CASE",
        "case",
        "\u202e\u05e9",
        "\U0001f680\u200d",
        "x" * 5000,
    ]
)
NUMBERS = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
EXTRA = st.dictionaries(TEXTS, JSON, max_size=3)
TIMES = st.none() | TEXTS
TASKS = st.builds(
    Task,
    id=TEXTS,
    title=TEXTS,
    notes=TEXTS,
    status=st.sampled_from(Status),
    weight=st.floats(0, allow_nan=False, allow_infinity=False),
    dependencies=st.lists(TEXTS, max_size=3).map(tuple),
    momentum=st.floats(allow_nan=False, allow_infinity=False),
    labels=st.lists(TEXTS, max_size=3).map(tuple),
    created_at=TIMES,
    updated_at=TIMES,
    source_status=TIMES,
    extra=EXTRA,
)
SESSIONS = st.lists(
    st.builds(
        Session,
        id=TEXTS,
        title=TEXTS,
        tasks=st.lists(TASKS, max_size=4, unique_by=lambda task: task.id).map(tuple),
        created_at=TIMES,
        updated_at=TIMES,
        extra=EXTRA,
    ),
    max_size=4,
    unique_by=lambda session: session.id,
)


def move_and_compare(stores: Any, source: str, target: str, sessions: list[Session], truth: bytes) -> None:
    """Fill a store, migrate, and compare everything that comes out of the other."""
    here, there = stores.new(source), stores.new(target)
    stores.fill(here, sessions)
    assert stores.exported(here) == truth
    record = stores.move(here, there)
    assert (record.state, record.differences) == ("verified", [])
    root = root_hash((one.id, session_hash(one)) for one in sessions)
    assert record.root_hash.source == record.root_hash.target == root
    assert stores.exported(there) == truth
    assert stores.exported(here) == truth, "a source is left as it was"
    with stores.open(there) as store:
        for session in sessions:
            found = msgspec.structs.replace(store.load(session.id), version=0)
            assert found == session
            assert session_bytes(found) == session_bytes(session)
        assert store.verify() == []


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_between_every_two_kinds(
    stores: Any, source: str, target: str, every_value: list[Session], export_of: Export
) -> None:
    move_and_compare(stores, source, target, every_value, export_of(every_value))


@pytest.mark.parametrize(("source", "target"), [("json", "sqlite"), ("sqlite", "jsonfile")])
def test_nothing_moves_as_nothing(stores: Any, source: str, target: str) -> None:
    move_and_compare(stores, source, target, [], b"")


def test_there_and_back_through_all(stores: Any, every_value: list[Session], export_of: Export) -> None:
    here = stores.new("json")
    stores.fill(here, every_value)
    for name in ("sqlite", "cached-json", "jsonfile", "sqlite-normal", "json"):
        there = stores.new(name)
        assert stores.move(here, there).state == "verified"
        here = there
    assert stores.exported(here) == export_of(every_value)


def _generated(stores: Any, sessions: list[Session], pair: tuple[str, str], export_of: Export) -> None:
    with tempfile.TemporaryDirectory(dir=stores.folder) as folder:
        fresh = type(stores)(Path(folder))
        if pair[0] == "jsonfile" and not sessions:  # it is a file from the first write on
            with pytest.raises(StoreError, match="there is no store here"):
                move_and_compare(fresh, *pair, sessions, export_of(sessions))
            return
        move_and_compare(fresh, *pair, sessions, export_of(sessions))


_SLOW_FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=15, deadline=None, suppress_health_check=_SLOW_FIXTURES)
@given(sessions=SESSIONS, pair=st.sampled_from(QUICK))
def test_generated_sessions_survive(
    stores: Any, export_of: Export, sessions: list[Session], pair: tuple[str, str]
) -> None:
    _generated(stores, sessions, pair, export_of)


@pytest.mark.soak
@settings(max_examples=300, deadline=None, suppress_health_check=_SLOW_FIXTURES)
@given(sessions=SESSIONS, pair=st.sampled_from([*itertools.permutations(NAMES, 2)]))
def test_many_generated_sessions_survive(
    stores: Any, export_of: Export, sessions: list[Session], pair: tuple[str, str]
) -> None:
    _generated(stores, sessions, pair, export_of)


@pytest.mark.soak
@pytest.mark.parametrize(("source", "target"), QUICK)
def test_large_sessions_move(stores: Any, source: str, target: str, export_of: Export) -> None:
    many = Session(id="many", tasks=tuple(Task(id=f"t{n}", title=f"{n}") for n in range(100_000)))
    long = Session(id="long", tasks=(Task(id="t", title="T", notes="\U0001f680\0" * 2_000_000),))
    move_and_compare(stores, source, target, [many, long], export_of([many, long]))
