"""The table of where the time of a no-op goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergate_plugins.pools import steps
from tiergate_plugins.pools.frames import REQUESTS, frame_of


def test_every_step_takes_time_and_does_its_work(tmp_path: Path) -> None:
    found = {name: step() for name, step in steps.steps(f"sqlite:{tmp_path / 's.db'}")}
    assert found["worker: arguments checked, the operation run"].result == 7
    [question] = found["worker: a frame cut and decoded"]
    assert (question.id, question.operation) == (7, "bench_echo")
    [answer] = found["parent: a frame cut and decoded"]
    assert (answer.id, answer.result) == (7, 7)
    assert found["parent: its deadline watched"] > 0
    assert steps.step_us(lambda: 2e-6) == pytest.approx(2.0)


@pytest.mark.integration
def test_the_floor_is_measured_on_the_same_frames() -> None:
    frame = frame_of(REQUESTS, [steps.body()])
    assert steps.blocking_us(frame) > 0
    assert steps.watched_us(frame) > 0
