"""Dotted metric names, as records and budgets use them: their words, their units, their budgets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tiergate.record import Interval, RunRecord, Variant
from tiergate_reports import figures

SHORT_P95 = "by_length.short.response_ms.p95"
LONG_P95 = "by_length.long.response_ms.p95"
BALANCED = "tier_accuracy.balanced_accuracy"

_WHO = {
    "by_length.short": "short requests",
    "by_length.long": "long requests",
    "by_class.hot": "hot requests",
    "by_class.warm": "warm requests",
    "by_class.cold": "cold requests",
}
_WHAT = {
    "response_ms": "response time",
    "service_ms": "service time",
    "lateness_ms": "lateness of the generator",
    "slowdown": "mean log slowdown",
    "achieved_rps": "achieved rate",
    "tier_accuracy.accuracy": "tier accuracy",
    "tier_accuracy.balanced_accuracy": "balanced tier accuracy",
    "tier_accuracy.macro_f1": "macro-F1",
    "tier_accuracy.ambiguous": "ambiguous share",
    "tier_accuracy.regret": "regret",
    "affinity.hit_rate": "affinity hit rate",
    "affinity.max_load_ratio": "load of the busiest worker",
    "requests.lost": "lost requests",
    "resources.cpu_s": "processor time",
    "resources.peak_rss_bytes": "peak memory",
    "resources.worker_seconds": "worker seconds",
}
_PERCENTILES = {"p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p99.9", "max": "largest"}
_WRITERS: tuple[tuple[str, Callable[[float], str]], ...] = (
    (r"_ms(\.|$)", figures.milliseconds),
    (r"_rps$", figures.per_second),
    (r"_bytes$", figures.size),
    (r"\.(hit_rate|ambiguous)$", figures.percent),
    (r"^tier_accuracy\.", figures.score),
    (r"^requests\.", figures.count),
    (r"_s(econds)?$", figures.seconds),
)
_BUDGET = re.compile(r"\s*(<=|>=|<|>|≤|≥)\s*(\d+(?:\.\d+)?)\s*(ms|s|%)?\s*")
_FACTORS = {None: 1.0, "ms": 1.0, "s": 1000.0, "%": 0.01}


def label(metric: str) -> str:
    """A metric in words; a name that is not known stays as it is.

    >>> label("by_length.short.response_ms.p95"), label("something.else")
    ('p95 response time, short requests', 'something.else')
    """
    rest, words = metric, ""
    for prefix, who in _WHO.items():
        if rest.startswith(f"{prefix}."):
            rest, words = rest[len(prefix) + 1 :], f", {who}"
    what, _, last = rest.rpartition(".")
    if what in _WHAT and last in _PERCENTILES:
        return f"{_PERCENTILES[last]} {_WHAT[what]}{words}"
    return f"{_WHAT[rest]}{words}" if rest in _WHAT else metric


def writer(metric: str) -> Callable[[float], str]:
    """How figures of a metric are written, from the unit in its name."""
    for sign, write in _WRITERS:
        if re.search(sign, metric):
            return write
    return figures.number


def lower_is_better(metric: str) -> bool:
    """Whether a smaller figure is the better one."""
    return not any(word in metric for word in ("accuracy.acc", "accuracy.bal", "f1", "hit_rate", "_rps"))


@dataclass(frozen=True, slots=True)
class Budget:
    """The limit of a budget, and on which side of it figures must stay."""

    limit: float
    below: bool


def parse_budget(text: str) -> Budget | None:
    """Read a budget such as ``< 100 ms``; None where it names no side, or a unit that is not known.

    Seconds become milliseconds and percent a share, as in records.
    """
    found = _BUDGET.fullmatch(text)
    if found is None:
        return None
    return Budget(limit=float(found[2]) * _FACTORS[found[3]], below=found[1] in {"<", "<=", "≤"})


def interval_of(variant: Variant, metric: str) -> Interval | None:
    """The 95 % confidence interval of a variant's figure, where the record has one."""
    return variant.intervals.get(metric)


def measured(variant: Variant) -> bool:
    """Whether any request of the variant completed, so that its times mean something."""
    return variant.requests.completed > 0


def is_routed(run: RunRecord) -> bool:
    """Whether routers of ours took part, and not just a target that has none."""
    judged = any(variant.tier_accuracy is not None for variant in run.variants)
    return judged or run.workload.target == "pool" or len(run.variants) > 1


def length_percentile(variant: Variant, length: str, name: str) -> float | None:
    """A percentile of the response time of short or long requests, in milliseconds."""
    found = variant.by_length.get(length)
    return None if found is None or found.response_ms is None else getattr(found.response_ms, name)
