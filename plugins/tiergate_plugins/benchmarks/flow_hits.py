"""How often predictions come true on replayed histories, beside naive guesses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Literal

from tiergate.bench import BenchSetup
from tiergate.flow.evaluation import ReadyGuess, StateGuess, ready_guesses, state_guesses
from tiergate.model import Task
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks import flow_histories
from tiergate_plugins.benchmarks.rounds import judged

HOUR_S = 3600.0
"""The half-life and the horizon."""

_NAMES = 3
_RESAMPLES = 1000

Counts = Sequence[Mapping[str, float]]
"""By unit: how many guesses there were, and how many of each kind came true."""


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """Hit rates on generated histories, a unit each, and on a real one where there is one, a unit a day."""
    setup.progress("predictions on generated histories")
    histories = [flow_histories.generated(seed) for seed in range(4 if setup.quick else 40)]
    yield from _rows("generated", [_states(one) for one in histories], [_ready(one) for one in histories])
    history = flow_histories.real()
    if history is not None:
        setup.progress("predictions on a real history")
        yield from _rows("real", _by_day(_guesses(history)), _by_day(_names(history)))


def _rows(kind: str, states: Counts, ready: Counts) -> Iterator[BenchRow]:
    name = f"{kind} histories: flow state in an hour, hits"
    yield _ratio(name, states, "predicted", "last", peer="the state stays")
    yield _ratio(name, states, "predicted", "frequent", peer="the state that was most frequent")
    name = f"{kind} histories: tasks ready within an hour, hits"
    yield _ratio(name, ready, "hits", "chance", peer="waiting tasks at random")
    yield _ratio(name, ready, "hits", "oldest", peer="the oldest waiting tasks")


def _guesses(tasks: Sequence[Task]) -> list[StateGuess]:
    return list(state_guesses(tasks, half_life_s=HOUR_S, horizon_s=HOUR_S))


def _names(tasks: Sequence[Task]) -> list[ReadyGuess]:
    return list(ready_guesses(tasks, half_life_s=HOUR_S, horizon_s=HOUR_S, names=_NAMES))


def _states(tasks: Sequence[Task]) -> Mapping[str, float]:
    return _sum(_guesses(tasks))


def _ready(tasks: Sequence[Task]) -> Mapping[str, float]:
    return _sum(_names(tasks))


def _by_day(guesses: Sequence[StateGuess] | Sequence[ReadyGuess]) -> Counts:
    days: dict[int, list[StateGuess | ReadyGuess]] = defaultdict(list)
    for guess in guesses:
        days[guess.unit].append(guess)
    return [_sum(found) for found in days.values()]


def _sum(guesses: Sequence[StateGuess | ReadyGuess]) -> Mapping[str, float]:
    counts: dict[str, float] = defaultdict(float)
    for guess in guesses:
        if isinstance(guess, StateGuess):
            counts["guesses"] += 1
            for kind in ("predicted", "last", "frequent"):
                counts[kind] += getattr(guess, kind) == guess.came
        else:
            counts["guesses"] += guess.named
            for kind in ("hits", "chance", "oldest"):
                counts[kind] += getattr(guess, kind)
    return counts


def _ratio(
    name: str,
    units: Counts,
    ours: Literal["predicted", "hits"],
    naive: Literal["last", "frequent", "chance", "oldest"],
    *,
    peer: str,
) -> BenchRow:
    """Our hits over those of a naive guess, with an interval from resampled units (percentile bootstrap)."""

    def ratio(some: Counts) -> float:
        return sum(one[ours] for one in some) / max(1e-9, sum(one[naive] for one in some))

    units = [one for one in units if one.get("guesses")]
    draw = Random(3)
    found = sorted(ratio(draw.choices(units, k=len(units))) for _ in range(_RESAMPLES))
    guesses = sum(one["guesses"] for one in units)
    return judged(
        BenchRow(
            name=name,
            value=ratio(units),
            interval=(found[int(0.025 * _RESAMPLES)], found[int(0.975 * _RESAMPLES) - 1]),
            unit="x",
            peer=peer,
            target=">= 1.0",
            details={
                "guesses": guesses,
                "units": float(len(units)),
                "hit_rate": sum(one[ours] for one in units) / guesses,
                "naive_hit_rate": sum(one[naive] for one in units) / guesses,
            },
        )
    )
