"""The metrics in the form that Prometheus reads, made when they are asked for: a call pays nothing for it.

Names and units follow https://prometheus.io/docs/practices/naming/: base units, ``_total`` for what grows.
Labels are operations, tiers, outcomes and kinds, of which there are few; never sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from tiergate.monitoring.meters import LIMITS_S, Histogram
from tiergate.monitoring.watching import Watching

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Exposition:
    """What a scraper is given."""

    def __init__(self, watching: Watching) -> None:
        # Its own registry: what other code in this process counts is not ours to tell.
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Service(watching))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def text(self) -> bytes:
        """All metrics as they are now."""
        return generate_latest(self._registry)


class _Service(Collector):
    def __init__(self, watching: Watching) -> None:
        self._watching = watching

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        yield from self._calls()
        yield from self._times()
        yield from self._pool()
        yield from self._state()

    def _calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "tiergate_calls", "Calls by what became of them.", labels=("operation", "tier", "outcome")
        )
        for labels, number in self._watching.meters.calls.items():
            calls.add_metric(labels, number)
        yield calls

    def _times(self) -> Iterator[Metric]:
        meters = self._watching.meters
        for name, about, found in (
            ("tiergate_response_seconds", "From when a call came to its end.", meters.response),
            ("tiergate_service_seconds", "Time in the worker.", meters.service),
            ("tiergate_store_seconds", "The part of it in the store and its caches.", meters.store),
        ):
            yield _histograms(name, about, found)

    def _pool(self) -> Iterator[Metric]:
        pool = self._watching.dispatcher.pool
        view = pool.view()
        workers = GaugeMetricFamily("tiergate_workers", "Workers that are ready.", labels=("tier",))
        waiting = GaugeMetricFamily(
            "tiergate_requests_in_hand", "Requests given to workers and not answered.", labels=("tier",)
        )
        for tier in dict.fromkeys([*view.capacity, *(worker.tier for worker in view.workers)]):
            among = view.of_tier(tier)
            workers.add_metric((tier,), len(among))
            waiting.add_metric((tier,), sum(worker.waiting for worker in among))
        yield workers
        yield waiting
        queue = "Requests that were taken and not answered."
        yield GaugeMetricFamily("tiergate_queue_length", queue, value=pool.unanswered())
        limit = "Requests that may be; one more is refused."
        yield GaugeMetricFamily("tiergate_queue_limit", limit, value=self._watching.queue_limit)
        happened = CounterMetricFamily(
            "tiergate_happenings", "What happened to workers, and what recovery did.", labels=("kind",)
        )
        for kind, number in self._watching.happenings.counts.items():
            happened.add_metric((kind,), number)
        yield happened

    def _state(self) -> Iterator[Metric]:
        watching = self._watching
        state = watching.health().state
        health = GaugeMetricFamily("tiergate_health", "1 for the state it is in.", labels=("state",))
        for name in ("ready", "degraded", "starting", "draining"):
            health.add_metric((name,), float(name == state))
        yield health
        running = "Calls that are under way."
        yield GaugeMetricFamily("tiergate_calls_running", running, value=len(watching.dispatcher.running))
        lag = "The largest delay of a timer of the event loop in the last ten seconds."
        yield GaugeMetricFamily("tiergate_loop_lag_seconds", lag, value=watching.lag.largest_s)
        hits = "Calls that met the worker which served their session last, and all that could have."
        affinity = CounterMetricFamily("tiergate_affinity", hits, labels=("met",))
        affinity.add_metric(("yes",), watching.affinity.hits)
        affinity.add_metric(("no",), watching.affinity.of - watching.affinity.hits)
        yield affinity


def _histograms(name: str, about: str, found: Mapping[tuple[str, str], Histogram]) -> Metric:
    family = HistogramMetricFamily(name, about, labels=("operation", "tier"))
    for labels, histogram in found.items():
        total, buckets = 0, []
        for limit, count in zip((*map(str, LIMITS_S), "+Inf"), histogram.counts, strict=True):
            total += count
            buckets.append((limit, total))
        family.add_metric(labels, buckets, histogram.sum_s)
    return family
