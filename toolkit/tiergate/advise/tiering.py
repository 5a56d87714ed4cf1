"""What tiers would be worth to these requests: by simulation, from service times that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tiergate.advice_record import AdviceMetric
from tiergate.advise.counting import GENERATED
from tiergate.load.cutoffs import TrainingTrace, search, simulate
from tiergate.load.intervals import mean_interval
from tiergate.run_record import Interval
from tiergate.tiering import Traffic

SIMULATED_LOAD = 0.5
"""Offered load of the simulation, over what all workers can do. It knows no cores: what it says is of service
that mostly waits, and for service that computes no more than a hint."""


def tier_metrics(
    passes: Sequence[Sequence[float]],
    starts: Sequence[float],
    workers: Mapping[str, int],
    cores: int,
    *,
    is_recorded: bool,
) -> Iterator[AdviceMetric]:
    """Load, variability, and what tiers would do to short and to long requests.

    Args:
        passes: service times of the requests in seconds, a list for each time they were measured.
        starts: their intended starts; their rate is somebody's own only where `is_recorded`.
    """
    span = (starts[-1] - starts[0]) if len(starts) > 1 else 0.0
    loads = [sum(times) / span / cores for times in passes] if is_recorded and span else []
    yield _of_passes(
        "requests.offered_load",
        f"the work of the requests over what {cores} cores can do",
        loads,
        "measured",
        GENERATED,
    )
    yield _of_passes(
        "requests.variability",
        "the squared coefficient of variation of the service time",
        [Traffic.of(times, 1.0).variability() for times in passes],
        "measured",
    )
    gains = [_gain(times, starts, span, workers) for times in passes]
    for name, title, index in (
        ("tiers.short_slowdown", "the p95 slowdown of short requests over that of one shared queue", 0),
        ("tiers.long_response", "the p95 response time of long requests over that of one shared queue", 1),
    ):
        found = [gain[index] for gain in gains if gain is not None]
        yield _of_passes(name, title, found, "simulated", "the requests take about the same time", "x")


def _gain(
    times: Sequence[float],
    starts: Sequence[float],
    span: float,
    workers: Mapping[str, int],
) -> tuple[float, float] | None:
    """Both ratios, at an offered load of `SIMULATED_LOAD`; None where requests are alike."""
    stretch = sum(times) / (SIMULATED_LOAD * sum(workers.values())) / span if span else 0.0
    at = [(start - starts[0]) * stretch for start in starts]
    training = TrainingTrace(starts=at, service=times, low=times, high=times)
    try:
        best = search(training, dict(workers))
    except ValueError:
        return None
    service = np.asarray(times)
    shared = simulate(np.asarray(at), service, sum(workers.values()))
    short = service <= training.short_s
    return best.short_slowdown_p95 / float(np.quantile(shared[short] / service[short], 0.95)), best.long_ratio


def _of_passes(
    name: str, title: str, values: Sequence[float], source: str, note: str = "", unit: str = ""
) -> AdviceMetric:
    """The mean of the passes, with the interval that they give."""
    interval: Interval | None = mean_interval(values)
    if interval is None:
        return AdviceMetric(name=name, title=title, note=note or "it was measured once only", unit=unit)
    value = sum(values) / len(values)
    return AdviceMetric(name=name, title=title, value=value, interval=interval, unit=unit, source=source)
