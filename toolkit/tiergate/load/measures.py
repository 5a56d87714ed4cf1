"""What is measured on one round, and on all rounds of a variant together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import log
from statistics import fmean

from tiergate.load.intervals import around, mean_interval, ratio_interval
from tiergate.load.outcome import Fate, Outcome, Round
from tiergate.load.prepare import Prepared
from tiergate.load.recorder import Recorder
from tiergate.record import Affinity, ClassLatency, Interval, RequestCounts, SeriesPoint
from tiergate.routing import TIERS

_SHOWN = {"p50": 50.0, "p95": 95.0, "p99": 99.0}

Pick = Callable[[Outcome], bool]


def completed(rounds: Iterable[Round]) -> list[Outcome]:
    """The requests that have a result, over all rounds."""
    return [outcome for one in rounds for outcome in one.outcomes if outcome.fate is Fate.COMPLETED]


def groups(prepared: Prepared) -> dict[str, Pick]:
    """The groups of requests that are shown, by the dotted name of their latency: by tier and by length.

    Which group a request belongs to was settled before any router ran. Requests that only the target can
    serve have none.
    """
    if not prepared.is_sealed:
        return {}
    sealed = prepared.judged.sealed.all_service_s()
    training = prepared.training

    def of_tier(tier: str) -> Pick:
        return lambda outcome: prepared.labels[outcome.request] == tier

    found: dict[str, Pick] = {f"by_class.{tier}": of_tier(tier) for tier in TIERS}
    found["by_length.short"] = lambda outcome: sealed[outcome.request] <= training.short_s
    found["by_length.long"] = lambda outcome: sealed[outcome.request] >= training.long_s
    return found


def class_latency(outcomes: Sequence[Outcome], pick: Pick) -> ClassLatency:
    """Count and response times of the requests of one group."""
    recorder = Recorder(outcome.response_s for outcome in outcomes if pick(outcome))
    return ClassLatency(requests=len(recorder), response_ms=recorder.latency())


def count(rounds: Sequence[Round]) -> RequestCounts:
    """What became of the requests."""
    fates = Counter(outcome.fate for one in rounds for outcome in one.outcomes)
    return RequestCounts(
        offered=fates.total(),
        completed=fates[Fate.COMPLETED],
        failed=fates[Fate.FAILED],
        timed_out=fates[Fate.TIMED_OUT],
        dropped=fates[Fate.DROPPED],
    )


def slowdown(outcomes: Iterable[Outcome], prepared: Prepared) -> float:
    """Mean natural logarithm of response over sealed service time."""
    sealed = prepared.judged.sealed
    return fmean(log(outcome.response_s / sealed.service_s(outcome.request)) for outcome in outcomes)


def round_values(one: Round, prepared: Prepared) -> dict[str, float]:
    """The figures of one round by dotted name: those that get an interval from the rounds."""
    outcomes = completed([one])
    picks: dict[str, Pick] = {"": lambda _: True, **groups(prepared)}
    values = {"achieved_rps": len(outcomes) / one.elapsed_s}
    if prepared.is_sealed:
        values["slowdown"] = slowdown(outcomes, prepared)
    for name, pick in picks.items():
        recorder = Recorder(outcome.response_s for outcome in outcomes if pick(outcome))
        if len(recorder):
            prefix = f"{name}." if name else ""
            for label, percent in _SHOWN.items():
                values[f"{prefix}response_ms.{label}"] = recorder.percentile_ms(percent)
    return values


def intervals(per_round: Sequence[dict[str, float]], pooled: dict[str, float]) -> dict[str, Interval]:
    """95 % intervals of the figures of every round: for times of the geometric mean, else of the mean."""
    found: dict[str, Interval] = {}
    for name in per_round[0]:
        values = [one[name] for one in per_round if name in one]
        if len(values) < len(per_round):
            continue
        interval = ratio_interval(values) if "_ms." in name else mean_interval(values)
        interval = around(pooled[name], interval) if name in pooled else interval
        if interval is not None:
            found[name] = interval
    return found


def affinity(rounds: Sequence[Round], workers: dict[str, int]) -> Affinity:
    """Whether requests of one session met the same worker of a tier.

    Args:
        workers: how many each tier has; of a tier that is not there, those that served count.
    """
    hits = asked = 0
    loads: Counter[tuple[str, str]] = Counter()
    for one in rounds:
        last: dict[tuple[str, str], str] = {}
        for outcome in one.outcomes:
            tier = _tier_of(outcome.worker)
            if not tier:
                continue
            loads[tier, outcome.worker] += 1
            key = (tier, outcome.session) if outcome.session else None
            if key is None:
                continue
            if key in last:
                asked += 1
                hits += last[key] == outcome.worker
            last[key] = outcome.worker
    return Affinity(hit_rate=hits / asked if asked else None, max_load_ratio=_max_load_ratio(loads, workers))


def _max_load_ratio(loads: Counter[tuple[str, str]], workers: dict[str, int]) -> float:
    by_tier: dict[str, list[int]] = defaultdict(list)
    for (tier, _), requests in loads.items():
        by_tier[tier].append(requests)
    ratios = [max(found) * workers.get(tier, len(found)) / sum(found) for tier, found in by_tier.items()]
    return max(ratios, default=1.0)


def _tier_of(worker: str) -> str:
    return worker.rpartition("-")[0]


def series(rounds: Sequence[Round]) -> list[SeriesPoint]:
    """Response times second by second of the intended start, all rounds together."""
    seconds: dict[int, Recorder] = defaultdict(Recorder)
    for outcome in completed(rounds):
        seconds[int(outcome.start_s)].add(outcome.response_s)
    return [
        SeriesPoint(
            at_s=float(at),
            requests=len(found),
            p50_ms=found.percentile_ms(50),
            p95_ms=found.percentile_ms(95),
        )
        for at, found in sorted(seconds.items())
    ]
