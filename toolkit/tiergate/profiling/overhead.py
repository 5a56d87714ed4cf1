"""What sampling cost, from pairs of rounds of which one had a profiler."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from tiergate.errors import RunError
from tiergate.load.intervals import geometric_mean, ratio_interval
from tiergate.load.outcome import Fate, Outcome, Round
from tiergate.operation import Request
from tiergate.profile_record import ProfiledOperation, ProfileOverhead
from tiergate.profiling.rounds import Pair


def overhead(pairs: Sequence[Pair]) -> ProfileOverhead:
    """Ratios with over without, a pair of rounds as the unit.

    Raises:
        RunError: a pair has no request that was completed in both of its rounds.
    """
    service = [_service_ratio(pair) for pair in pairs]
    response = [_p95(pair.profiled.round) / _p95(pair.plain) for pair in pairs]
    return ProfileOverhead(
        service=geometric_mean(service),
        service_interval=ratio_interval(service),
        response_p95=geometric_mean(response),
        response_p95_interval=ratio_interval(response),
        pairs=len(pairs),
    )


def operations(pairs: Sequence[Pair], requests: Sequence[Request]) -> list[ProfiledOperation]:
    """What each operation took, the longest first."""
    names = {request.id: request.operation for request in requests}
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for pair in pairs:
        with_profiler, without = _completed(pair.profiled.round), _completed(pair.plain)
        for number, outcome in with_profiler.items():
            found = sums[names[number]]
            counts[names[number]] += 1
            found[0] += outcome.service_s
            if number in without:
                found[1] += outcome.service_s
                found[2] += without[number].service_s
    return [
        ProfiledOperation(
            name=name,
            requests=counts[name],
            service_s=total,
            overhead=profiled / plain if plain else None,
        )
        for name, (total, profiled, plain) in sorted(sums.items(), key=lambda item: -item[1][0])
    ]


def _service_ratio(pair: Pair) -> float:
    with_profiler, without = _completed(pair.profiled.round), _completed(pair.plain)
    both = with_profiler.keys() & without.keys()
    plain = sum(without[number].service_s for number in both)
    if not plain:
        raise RunError("no request was completed both with the profiler and without it")
    return sum(with_profiler[number].service_s for number in both) / plain


def _p95(done: Round) -> float:
    return float(np.quantile([one.response_s for one in _completed(done).values()], 0.95))


def _completed(done: Round) -> dict[int, Outcome]:
    return {one.request: one for one in done.outcomes if one.fate is Fate.COMPLETED}
