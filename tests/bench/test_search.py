"""The operation `search`: tasks that resemble a text, in a whole store and in one session."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tiergate.hooks import OperationDeclaration
from tiergate.model import Session
from tiergate.plugins import PluginHost


@pytest.mark.parametrize("within", ["store", "session"])
def test_search(
    benchmark: BenchmarkFixture, host: PluginHost, sessions: list[Session], tmp_path: Path, within: str
) -> None:
    largest = sessions[0]
    operation = host.get(OperationDeclaration, "search")
    arguments = operation.arguments(text=largest.tasks[0].title, within=within, limit=10)
    with host.opener().open(f"sqlite:{tmp_path / 'store.db'}") as store:
        with store.transaction():
            for session in sessions:
                store.save(session)
        found = benchmark(lambda: operation.run(store, largest.id, arguments))
    assert found[0].score >= found[-1].score > 0
