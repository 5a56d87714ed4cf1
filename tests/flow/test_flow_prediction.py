"""Predictions: what a trend leads to, which tasks are near, and how hits are counted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tiergate.flow.evaluation import ready_guesses, state_guesses
from tiergate.flow.graph import DependencyCycle
from tiergate.flow.moments import text_of
from tiergate.flow.momentum import progressed
from tiergate.flow.outlook import outlook
from tiergate.flow.prediction import Trend, expected_momentum, soon_ready, trend_of
from tiergate.flow.state import STEP_GAIN, follow
from tiergate.model import Status, Task
from tiergate_plugins.benchmarks import flow_histories

NOW, HOUR = 1_800_000_000.0, 3600.0


def task(name: str, *waits_for: str, **fields: Any) -> Task:
    return Task(id=name, title=f"Task {name}", dependencies=waits_for, **fields)


def done(name: str, at: float, *waits_for: str, **fields: Any) -> Task:
    return task(name, *waits_for, status=Status.COMPLETED, updated_at=text_of(NOW + at), **fields)


def test_the_rate_of_steady_steps_is_found() -> None:
    steps = [(600.0 * number, 1.0) for number in range(200)]
    trend = trend_of(steps, steps[-1][0], HOUR)
    assert trend.steps_s == pytest.approx(1 / 600, rel=0.06)
    assert trend_of([], 0.0, HOUR) == Trend(0.0, 0.0)


def test_expected_momentum_is_the_mean_of_random_steps() -> None:
    draw = random.Random(5)
    rate, horizon = 3 / HOUR, 2 * HOUR
    ends = []
    for _ in range(3000):
        at, steps = draw.expovariate(rate), []
        while at < horizon:
            steps.append((at, 0.3))
            at += draw.expovariate(rate)
        ends.append(next(follow(steps, [horizon], HOUR)).momentum)
    # For small steps -ln(1 - g) and g are near each other.
    gain = rate * 0.3 * STEP_GAIN
    assert expected_momentum(0.0, Trend(rate, gain), horizon, HOUR) == pytest.approx(
        sum(ends) / len(ends), abs=0.01
    )
    assert expected_momentum(0.8, Trend(0.0, 0.0), HOUR, HOUR) == 0.4
    assert expected_momentum(0.8, Trend(rate, gain), 1e9, HOUR) == pytest.approx(
        gain / (gain + 0.693 / HOUR), rel=0.01
    )


def test_a_session_that_rests_is_expected_to_sink_and_a_busy_one_to_go_on() -> None:
    rests = [task("z"), done("a", -10 * HOUR), done("b", -100)]
    found = outlook(rests, NOW, horizon_s=1.9 * HOUR)
    assert (found.state, found.prediction.state) == ("flowing", "warming")
    busy = [task("z"), *(done(f"t{number}", -600 * number) for number in range(60))]
    found = outlook(busy, NOW)
    assert (found.state, found.prediction.state) == ("deep", "deep")
    assert found.prediction.at == text_of(NOW + HOUR)
    assert outlook([done("a", 0)], NOW).prediction.state == "done"


def test_a_habit_is_learned() -> None:
    """Two steps in one hour, then five hours of nothing, again and again: after both it always falls."""
    steps = [
        done(f"t{day}-{number}", -6 * HOUR * day - 60 * number) for day in range(40) for number in range(2)
    ]
    found = outlook([task("z"), *steps], NOW, horizon_s=2 * HOUR)
    assert found.state == "deep"
    assert found.prediction.state == "warming"
    assert "earlier moments of this session" in found.prediction.basis


def test_tasks_about_to_be_ready_nearest_first() -> None:
    half = progressed(task("half"), 0.5, NOW)
    tasks = [
        half,
        task("queued"),
        task("begun", status=Status.ACTIVE),
        task("stuck", status=Status.BLOCKED),
        task("a", "half"),
        task("b", "queued"),
        task("c", "begun"),
        task("d", "stuck"),
        task("e", "half", "queued", "gone"),
        task("f", "a"),
        task("g", "half", status=Status.BLOCKED),
    ]
    found = soon_ready(tasks, NOW, half_life_s=HOUR)
    assert [one.task for one in found] == ["a", "c", "b", "e", "f"]
    assert found[0].score == pytest.approx(0.65)
    assert found[3].waits_for == ["half", "queued"]
    assert found[3].score == pytest.approx(found[0].score * found[2].score)
    assert [one.task for one in soon_ready(tasks[::-1], NOW, half_life_s=HOUR, limit=2)] == ["a", "c"]
    with pytest.raises(DependencyCycle, match="a → a"):
        soon_ready([task("a", "a")], NOW, half_life_s=HOUR)


def test_hits_of_a_history_by_hand() -> None:
    """Completed after one and a half and after four hours, of four: the state is looked at each hour."""
    first = text_of(NOW)
    tasks = [
        done("a", 0.0, created_at=first),
        done("b", 1.5 * HOUR, created_at=first),
        done("c", 4 * HOUR, created_at=first),
        task("d", created_at=first),
    ]
    guesses = list(state_guesses(tasks, half_life_s=HOUR, horizon_s=HOUR))
    assert [one.came for one in guesses] == ["warming", "flowing", "warming", "flowing"]
    assert [one.last for one in guesses] == ["flowing", "warming", "flowing", "warming"]
    assert [one.frequent for one in guesses] == ["flowing", "flowing", "flowing", "flowing"]


def test_names_of_a_history_by_hand() -> None:
    first = text_of(NOW - 60)
    tasks = [
        done("a", 0.0, created_at=first),
        done("b", 1.5 * HOUR, created_at=text_of(NOW + HOUR)),
        done("c", 4 * HOUR, "b", created_at=first),
        done("old", 5 * HOUR, created_at=text_of(NOW - HOUR)),
        task("e", "old", created_at=text_of(NOW - 2 * HOUR)),
    ]
    guess = next(ready_guesses(tasks, half_life_s=HOUR, horizon_s=HOUR, names=1))
    assert (guess.named, guess.hits, guess.chance, guess.oldest) == (1, 1, 0.5, 0)


def test_the_future_does_not_show_in_a_replay() -> None:
    """What is guessed until a moment is the same, whatever came later."""
    history = flow_histories.generated(91)
    moments = sorted(one.updated_at or "" for one in history)
    cut = moments[len(moments) // 2]
    changed = [
        one if (one.updated_at or "") <= cut else task(one.id, *one.dependencies, created_at=one.created_at)
        for one in history
    ]
    full = list(state_guesses(history, half_life_s=HOUR, horizon_s=HOUR))
    part = list(state_guesses(changed, half_life_s=HOUR, horizon_s=HOUR))
    whole = len(part) // 2
    assert [one.predicted for one in part[:whole]] == [one.predicted for one in full[:whole]]


def test_generated_histories_are_the_same_for_a_seed() -> None:
    history = flow_histories.generated(7)
    assert history == flow_histories.generated(7) != flow_histories.generated(8)
    assert 60 <= len(history) <= 100
    assert all(one.status is Status.COMPLETED for one in history)
    assert all(one.extra["flow"]["steps"] for one in history)
