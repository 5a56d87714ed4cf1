"""``tiergate bench flow``: what is compared does the same, and hits are counted as they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate.flow.graph import TaskGraph
from tiergate_plugins.benchmarks import flow_balance, flow_histories, flow_hits

pytest.importorskip("networkx")


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_peer_comes_to_the_same_weights(shuffled: bool) -> None:
    tasks = flow_balance.make_tasks(700, shuffled=shuffled)
    assert TaskGraph(tasks).tails == flow_balance.peer_tails(tasks)
    assert sum(len(task.dependencies) for task in tasks) == 3 * 700 - 6
    assert (tasks == flow_balance.make_tasks(700)) != shuffled


def test_a_ratio_of_hits_and_its_details() -> None:
    units = [
        {"guesses": 4.0, "predicted": 3.0, "last": 2.0},
        {"guesses": 6.0, "predicted": 5.0, "last": 2.0},
        {},
    ]
    row = flow_hits._ratio("x", units, "predicted", "last", peer="y")
    assert (row.value, row.reached, row.peer) == (2.0, True, "y")
    assert row.interval == (1.5, 2.5)
    assert row.details == {"guesses": 10.0, "units": 2.0, "hit_rate": 0.8, "naive_hit_rate": 0.4}


def test_a_real_history_is_replayed_where_there_is_one(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERGATE_TEST_DATA", str(shared_data))
    history = flow_histories.real()
    assert history is not None
    assert len(history) == 695
    assert any(task.dependencies for task in history)
    monkeypatch.setenv("TIERGATE_TEST_DATA", str(shared_data / "gone"))
    assert flow_histories.real() is None
