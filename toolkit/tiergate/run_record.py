"""The run record: everything that a load run measured. Take it from `tiergate.record`.

Names are a contract: fields may be added, none renamed.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Interval = tuple[float, float]
"""Both ends of a 95 % confidence interval."""


class Environment(msgspec.Struct, kw_only=True, frozen=True):
    """The machine and the code; `load_avg` is that of the last minute before the run."""

    python: str
    platform: str
    cpu: str
    cores: int
    load_avg: float
    git_commit: str | None


class WorkloadFacts(msgspec.Struct, kw_only=True, frozen=True):
    """What was asked of the system.

    Attributes:
        sha256: of the trace with its schema line: equal hashes, equal requests.
        duration_s: from the first intended start to the last.
        parameters: what the generator drew or was told.
        offered_load: offered work over what the cores can do, from the judged trace; 1 saturates.
        loop: ``open``: every request has its intended start, whatever became of the others. ``closed``: each
            of `clients` sends its next request once its last one was answered; nothing is offered then
            (`offered_rps` and `offered_load` are 0), and response times hide every stall.
        arrivals: the process of the intended starts, in words.
        target: what the requests were sent to.
    """

    name: str
    seed: int
    sha256: str
    requests: int
    duration_s: float
    offered_rps: float
    effort: str
    rounds: int
    offered_load: float
    parameters: dict[str, Any] = {}
    loop: Literal["open", "closed"] = "open"
    clients: int | None = None
    arrivals: str = "poisson"
    target: str = "pool"


class Source(msgspec.Struct, kw_only=True, frozen=True):
    """Where sessions came from. `statuses` maps each foreign word to [status, number of tasks]."""

    path: str
    format: str
    sessions: int
    tasks: int
    statuses: dict[str, tuple[str, int]] = {}
    notes: list[str] = []


class PluginVersion(msgspec.Struct, kw_only=True, frozen=True):
    """A plugin that took part."""

    name: str
    version: str


class RequestCounts(msgspec.Struct, kw_only=True, frozen=True):
    """What became of the requests, over all rounds.

    `failed`: the operation refused or the worker died; `timed_out`: the deadline passed; `dropped`: a full
    queue refused it. ``offered = completed + failed + timed_out + dropped``.
    """

    offered: int
    completed: int
    failed: int
    timed_out: int
    dropped: int

    @property
    def lost(self) -> int:
        """Requests without a result."""
        return self.failed + self.timed_out + self.dropped


class Latency(msgspec.Struct, kw_only=True, frozen=True):
    """Percentiles in milliseconds."""

    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float


class ClassLatency(msgspec.Struct, kw_only=True, frozen=True):
    """Requests of one class, and their response times; None where there were none."""

    requests: int
    response_ms: Latency | None


class Regret(msgspec.Struct, kw_only=True, frozen=True):
    """How far a router is from the oracle, 0 being as good and 1 no better than a shared queue.

    `value` is None where it is undefined, and `reason` says why.
    """

    value: float | None
    interval: Interval | None
    reason: str = ""


class Control(msgspec.Struct, kw_only=True, frozen=True):
    """A score that needs no skill, to hold a router's accuracy against."""

    name: str
    accuracy: float
    balanced_accuracy: float
    macro_f1: float


class TierAccuracy(msgspec.Struct, kw_only=True, frozen=True):
    """How often a router chose the tier that the sealed service time calls for.

    Attributes:
        judged: requests with a sure label.
        ambiguous: share of requests whose measured interval crosses a cut-off; they are not judged.
        confusion: row: the tier it belongs in, column: the tier chosen, both hot, warm, cold.
        regret: null where undefined; `regret_detail` says why.
        errors: the wrong choices, grouped.
    """

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    ambiguous: float
    judged: int
    confusion: list[list[int]]
    regret: float | None
    regret_detail: Regret
    controls: list[Control]
    errors: list[RoutingError] = []


class RoutingError(msgspec.Struct, kw_only=True, frozen=True):
    """Requests of one operation that went to the wrong tier; `example` is the id of one.

    `explanation` is what the router says of the example after its round, in an idle pool; empty where it
    says nothing.
    """

    operation: str
    belongs: str
    chosen: str
    requests: int
    example: int
    explanation: str = ""


class Affinity(msgspec.Struct, kw_only=True, frozen=True):
    """Whether the requests of one session met the same worker.

    Attributes:
        hit_rate: share of requests, of those whose session was served in that tier before, that went to
            the worker which served it last; None when no session was asked for twice.
        max_load_ratio: requests of the busiest worker over the mean of its tier, the largest over tiers.
    """

    hit_rate: float | None
    max_load_ratio: float


class Resources(msgspec.Struct, kw_only=True, frozen=True):
    """What the workers used, over all rounds, start-up included; peak memory is that of the worst round."""

    cpu_s: float
    peak_rss_bytes: int
    worker_seconds: float


class SeriesPoint(msgspec.Struct, kw_only=True, frozen=True):
    """One second of a variant, all rounds together: intended starts, and response times in milliseconds."""

    at_s: float
    requests: int
    p50_ms: float
    p95_ms: float


class Event(msgspec.Struct, kw_only=True, frozen=True):
    """Something that happened to a worker, in seconds from the start of the round's pool."""

    round: int
    at_s: float
    kind: str
    worker: str
    detail: str = ""


class Driver(msgspec.Struct, kw_only=True, frozen=True):
    """What the load generator's own process used while it sent: it also routes, and reads the answers.

    Attributes:
        cpu_s: over all rounds.
        busy: share of one core, in the worst round; near 1 the generator is what limits.
    """

    cpu_s: float
    busy: float


class SweepPoint(msgspec.Struct, kw_only=True, frozen=True):
    """One rate of a sweep: means over its rounds.

    Attributes:
        kept_up: rounds that did, of `rounds`.
        limit: empty where most rounds kept up; ``answers``: too few came in time; ``p95``: it passed its
            limit.
    """

    offered_rps: float
    achieved_rps: float
    p95_ms: float
    rounds: int
    kept_up: int
    limit: Literal["", "answers", "p95"]


class Knee(msgspec.Struct, kw_only=True, frozen=True):
    """The rate at which a variant falls behind; `reason` says by what, or why there is none.

    `interval` goes from the highest rate up to which every round kept up to the lowest at which none did.
    """

    rps: float | None
    interval: Interval | None
    reason: str


class Variant(msgspec.Struct, kw_only=True, frozen=True):
    """One router on one pool and store, measured over all rounds.

    Attributes:
        by_class: by the tier a request belongs in, which is the same for every variant.
        by_length: `short` are the requests at or below the median of the training trace's service time,
            `long` those at or above its 95th percentile.
        lateness_ms: how late the generator itself sent; it is part of the response time.
        driver: what the generator used; None in records of older versions.
        sweep: the rates that a sweep tried, ascending; empty without one.
        knee: None without a sweep.
        slowdown: mean of the natural logarithm of response over sealed service time; None without one.
        intervals: 95 % by the field's dotted name: from rounds as units, and for ``tier_accuracy.*`` from
            the posterior of the confusion matrix. Each holds the value that stands beside it.
        histogram: response times in microseconds, HdrHistogram V2, compressed, base64, by ``all``, by tier
            and by ``short`` and ``long``.
    """

    name: str
    router: str
    pool: str
    store: str
    summary: str
    is_oracle: bool
    requests: RequestCounts
    achieved_rps: float
    response_ms: Latency
    service_ms: Latency
    lateness_ms: Latency
    by_class: dict[str, ClassLatency]
    by_length: dict[str, ClassLatency]
    slowdown: float | None
    tier_accuracy: TierAccuracy | None
    affinity: Affinity
    resources: Resources
    intervals: dict[str, Interval]
    histogram: dict[str, str]
    series: list[SeriesPoint] = []
    events: list[Event] = []
    driver: Driver | None = None
    sweep: list[SweepPoint] = []
    knee: Knee | None = None


class Comparison(msgspec.Struct, kw_only=True, frozen=True):
    """One metric of a variant over that of another: the ratio of each round, their geometric mean."""

    variant: str
    against: str
    metric: str
    ratio: float
    interval: Interval


class OracleFacts(msgspec.Struct, kw_only=True, frozen=True):
    """How the labels were made.

    Attributes:
        repeats: how often each request of the judged trace was run alone.
        startup_ms: median time to start the reference worker, not part of any service time.
        short_ms: service time of the training trace at its median.
        long_ms: the same at its 95th percentile.
        training_sha256: of the training trace; never that of the judged one.
        classes: requests with a sure label, by tier.
        simulated: what the search expected of the cut-offs it chose: ``short_slowdown_p95``, p95 slowdown of
            short requests, and ``long_response_ratio_p95``, p95 response of long ones over that of one
            shared queue.
        sealed_at: when the sealed times were measured, where they were kept from an earlier run; empty where
            this run measured them.
    """

    repeats: int
    startup_ms: float
    hot_ms: float
    warm_ms: float
    short_ms: float
    long_ms: float
    training_sha256: str
    training_requests: int
    training_ambiguous: float
    ambiguous: float
    classes: dict[str, int]
    simulated: dict[str, float]
    sealed_at: str = ""


class RunRecord(msgspec.Struct, kw_only=True, frozen=True):
    """Everything that a load run measured.

    Attributes:
        oracle: None where only the target can serve the requests, so that nothing was measured alone.
        configured_router: the variant that the gate judges.
        too_few: reasons why the run is too small for a verdict; empty when it is large enough.
        remarks: what a reader must know to read the figures right.
    """

    schema: Literal["tiergate.run/1"] = "tiergate.run/1"
    created_at: str
    duration_s: float
    command: list[str]
    environment: Environment
    workload: WorkloadFacts
    sources: list[Source]
    plugins: list[PluginVersion]
    oracle: OracleFacts | None
    configured_router: str
    variants: list[Variant]
    comparisons: list[Comparison]
    too_few: list[str] = []
    remarks: list[str] = []
