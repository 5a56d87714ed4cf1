"""The plots of docs/explanation/tiers.md: ``python -m tiergate_plugins.routing.plots FOLDER``.

From the simulation of `figures`, the same on every machine. The drawings follow the reader's light or dark
colours, and tell their lines apart by dashes and words too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import log, sqrt
from pathlib import Path
from random import Random

import numpy as np

from tiergate.routing import Cutoffs, Router, RouterSetup
from tiergate_plugins.routing.figures import LONG_S, REQUESTS, SHORT_S, arrivals, simulate
from tiergate_plugins.routing.least_work_left import LeastWorkLeft
from tiergate_plugins.routing.line_chart import Panel, drawing
from tiergate_plugins.routing.oracle import Oracle
from tiergate_plugins.routing.shared_queue import SharedQueue
from tiergate_plugins.routing.simulation import Served, percentile_s
from tiergate_plugins.routing.size_heuristic import SizeHeuristic

LOADS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
VARIABILITIES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)

_Side = tuple[Callable[[RouterSetup], Router], dict[str, int]]

OVER_LOAD: Mapping[str, _Side] = {
    "one shared queue": (SharedQueue, {"shared": 4}),
    "least work left": (LeastWorkLeft, {"shared": 4}),
    "tiers, with the guard": (SizeHeuristic, {"hot": 1, "cold": 3}),
    "tiers, no guard": (Oracle, {"hot": 1, "cold": 3}),
}

OVER_VARIABILITY: Mapping[str, _Side] = {
    "one shared queue": (SharedQueue, {"shared": 4}),
    "least work left": (LeastWorkLeft, {"shared": 4}),
    "tiers, with the guard": (SizeHeuristic, {"hot": 2, "cold": 2}),
    "tiers, no guard": (Oracle, {"hot": 2, "cold": 2}),
}


def over_load() -> list[Panel]:
    """95 % of 1 ms and 5 % of 100 ms on four workers: both response times by the offered load."""
    random = Random("mix")
    times = [LONG_S if random.random() < 0.05 else SHORT_S for _ in range(REQUESTS)]
    short: dict[str, list[float]] = {name: [] for name in OVER_LOAD}
    long: dict[str, list[float]] = {name: [] for name in OVER_LOAD}
    for load in LOADS:
        requests = arrivals(1, load * 4 / (sum(times) / len(times)), times, ())
        for name, (build, tiers) in OVER_LOAD.items():
            served, _ = simulate(build, tiers, requests, Cutoffs(0.01, 0.01))
            short[name].append(1000 * percentile_s(served, SHORT_S, SHORT_S, 95))
            long[name].append(1000 * percentile_s(served, LONG_S, LONG_S, 95))
    return [
        Panel("short requests (1 ms), p95 in ms", "offered load", LOADS, short),
        Panel("long requests (100 ms), p95 in ms", "offered load", LOADS, long),
    ]


def over_variability() -> list[Panel]:
    """Log-normal times, load 0.6, two workers a tier, cut-offs of equal work: slowdown by variability."""
    short: dict[str, list[float]] = {name: [] for name in OVER_VARIABILITY}
    mean: dict[str, list[float]] = {name: [] for name in OVER_VARIABILITY}
    for squared in VARIABILITIES:
        width = sqrt(log(1 + squared))
        times = np.random.default_rng(1).lognormal(log(0.01) - width**2 / 2, width, REQUESTS)
        ordered = np.sort(times)
        half = float(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)])
        requests = arrivals(2, 0.6 * 4 / float(times.mean()), times.tolist(), ())
        for name, (build, tiers) in OVER_VARIABILITY.items():
            served, _ = simulate(build, tiers, requests, Cutoffs(half, half))
            short[name].append(_short_slowdown(served, float(np.median(times))))
            mean[name].append(float(np.exp(np.mean([log(_slowdown(one)) for one in served]))))
    words = "squared coefficient of variation C²"
    return [
        Panel("shorter half: p95 of the slowdown", words, VARIABILITIES, short, is_log_x=True),
        Panel("all: geometric mean of the slowdown", words, VARIABILITIES, mean, is_log_x=True),
    ]


def _slowdown(one: Served) -> float:
    return one.response_s / one.arrival.service_s


def _short_slowdown(served: Sequence[Served], limit_s: float) -> float:
    return float(np.quantile([_slowdown(one) for one in served if one.arrival.service_s <= limit_s], 0.95))


def drawings() -> Iterator[tuple[str, str]]:
    """The name of each file, and what belongs in it."""
    yield (
        "tiers-over-load.svg",
        drawing("Response times by offered load: one queue, least work left, tiers", over_load()),
    )
    yield (
        "tiers-over-variability.svg",
        drawing(
            "Slowdown by variability of the service time: one queue, least work left, tiers",
            over_variability(),
        ),
    )


def main(folder: str) -> int:
    """Write every plot into a folder."""
    for name, content in drawings():
        Path(folder, name).write_text(content, encoding="utf-8")
        print(Path(folder, name))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("name one folder that exists, as docs/images")
    sys.exit(main(sys.argv[1]))
