"""What a store does all day, on each of the built-in ones; writes are durable."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tiergate.model import Session, canonical, decode_session
from tiergate.plugins import PluginHost
from tiergate.store import Store, TaskQuery

ADDRESSES = ("json:{}/j", "jsonfile:{}/f.json", "sqlite:{}/s.db", "zstd+sqlite:{}/z.db")


@pytest.fixture(params=ADDRESSES, ids=lambda address: address.partition(":")[0])
def store(
    request: pytest.FixtureRequest, host: PluginHost, sessions: list[Session], tmp_path: Path
) -> Iterator[Store]:
    """A store that holds the sessions."""
    with host.opener().open(request.param.format(tmp_path)) as opened:
        for session in sessions:
            opened.save(session)
        yield opened


def test_load(benchmark: BenchmarkFixture, store: Store, sessions: list[Session]) -> None:
    found = benchmark(store.load, sessions[0].id)
    assert len(found.tasks) == len(sessions[0].tasks)


def test_write_of_one_task(benchmark: BenchmarkFixture, store: Store, sessions: list[Session]) -> None:
    session = store.load(sessions[0].id)
    task, numbers = session.tasks[0], count()

    def write() -> int:
        changed = msgspec.structs.replace(task, title=f"title {next(numbers)}")
        return store.upsert_tasks(session.id, [changed], expected_version=store.load(session.id).version)

    assert benchmark(write) > session.version


def test_query(benchmark: BenchmarkFixture, store: Store) -> None:
    assert benchmark(store.query, TaskQuery(limit=20))


def test_encode(benchmark: BenchmarkFixture, sessions: list[Session]) -> None:
    assert benchmark(canonical, sessions[0])


def test_decode(benchmark: BenchmarkFixture, sessions: list[Session]) -> None:
    data = canonical(sessions[0])
    assert benchmark(decode_session, data).id == sessions[0].id
