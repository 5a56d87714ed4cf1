"""The records: one JSON document for everything that a run measured, and one for what a gate decided.

Names are a contract: fields may be added, none renamed. Times end in their unit. Times in
records are milliseconds, except where the name says seconds (``_s``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from tiergate.errors import SourceError

RUN_SCHEMA = "tiergate.run/1"
GATE_SCHEMA = "tiergate.gate/1"
MIGRATION_SCHEMA = "tiergate.migration/1"
BENCH_SCHEMA = "tiergate.bench/1"

MAX_AMBIGUOUS = 0.10
"""Share of requests without a sure label above which tier accuracy is not judged."""

Interval = tuple[float, float]
GateVerdict = Literal["pass", "fail", "inconclusive"]


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
        offered_load: offered work over what the cores can do, from the training trace; 1 saturates.
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
    """Requests of one operation that went to the wrong tier; `example` is the id of one."""

    operation: str
    belongs: str
    chosen: str
    requests: int
    example: int


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


class Variant(msgspec.Struct, kw_only=True, frozen=True):
    """One router on one pool and store, measured over all rounds.

    Attributes:
        by_class: by the tier a request belongs in, which is the same for every variant.
        by_length: `short` are the requests at or below the median of the training trace's service time,
            `long` those at or above its 95th percentile.
        lateness_ms: how late the generator itself sent; it is part of the response time.
        slowdown: mean of the natural logarithm of response over sealed service time.
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
    slowdown: float
    tier_accuracy: TierAccuracy | None
    affinity: Affinity
    resources: Resources
    intervals: dict[str, Interval]
    histogram: dict[str, str]
    series: list[SeriesPoint] = []
    events: list[Event] = []


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


class RunRecord(msgspec.Struct, kw_only=True, frozen=True):
    """Everything that a load run measured.

    Attributes:
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
    oracle: OracleFacts
    configured_router: str
    variants: list[Variant]
    comparisons: list[Comparison]
    too_few: list[str] = []
    remarks: list[str] = []


class GateBenchmark(msgspec.Struct, kw_only=True, frozen=True):
    """One benchmark of a paired comparison."""

    name: str
    ratio: float
    interval: Interval
    verdict: Literal["regressed", "improved", "same", "inconclusive"]
    seconds: float


class GateCheck(msgspec.Struct, kw_only=True, frozen=True):
    """One budget, judged by the interval of what it limits.

    Attributes:
        metric: dotted name in the configured router's variant.
        budget: as written, for example ``< 100 ms``.
        interval: equal ends for what was counted and not estimated; None where nothing was measured.
    """

    metric: str
    value: float | None
    interval: Interval | None
    budget: str
    verdict: GateVerdict
    title: str = ""
    reason: str = ""


class GateRecord(msgspec.Struct, kw_only=True, frozen=True):
    """What a gate decided, and by which checks."""

    schema: Literal["tiergate.gate/1"] = "tiergate.gate/1"
    verdict: GateVerdict
    benchmarks: list[GateBenchmark] = []
    checks: list[GateCheck] = []
    subject: str = ""


class FieldDifference(msgspec.Struct, kw_only=True, frozen=True):
    """One field that is not the same in both stores; a value that is missing is null.

    Attributes:
        task: id of the task, or None for a field of the session itself.
        field: its name; empty where the whole session or task is missing on one side.
        source: its JSON in the source, cut where it is long.
        target: its JSON in the target, likewise.
    """

    session: str
    task: str | None
    field: str
    source: str | None
    target: str | None


class RootHashes(msgspec.Struct, kw_only=True, frozen=True):
    """SHA-256 over the canonical hashes of all sessions, in hexadecimal; None where it was not computed."""

    source: str | None
    target: str | None


class MigrationRecord(msgspec.Struct, kw_only=True, frozen=True):
    """What a migration moved and verified.

    Attributes:
        id: names the migration, for ``tiergate migrate status|undo``.
        source, target: addresses.
        state: how far it has come.
        sessions, tasks: how many were copied.
        bytes: of the canonical form of what was copied.
        verify: ``full``: every session was compared; ``sample``: `verified` of them were.
        seconds: spent in each step, by its name.
        binding: name that was bound to the target by the cut-over, or None.
        epoch: of the binding after the cut-over.
        estimate_s: how long it will take, of one that is planned; None where nothing could be timed.
        remarks: what a reader must know.
    """

    schema: Literal["tiergate.migration/1"] = "tiergate.migration/1"
    id: str
    source: str
    target: str
    state: Literal["planned", "copying", "copied", "verified", "cut-over", "undone", "failed"]
    sessions: int
    tasks: int
    root_hash: RootHashes
    differences: list[FieldDifference]
    bytes: int = 0
    verify: Literal["full", "sample"] = "full"
    verified: int = 0
    seconds: dict[str, float] = {}
    binding: str | None = None
    epoch: int | None = None
    estimate_s: float | None = None
    created_at: str = ""
    updated_at: str = ""
    remarks: list[str] = []


class BenchRow(msgspec.Struct, kw_only=True, frozen=True):
    """One line of a table of benchmarks.

    Attributes:
        name: what was measured, and of which store or part.
        value: in `unit`; a ratio where `peer` is named.
        interval: 95 %, from rounds as units; equal ends for what was counted.
        unit: such as ``ms``, ``1/s``, ``x`` (a ratio) or ``MiB``.
        peer: what a ratio is taken over.
        target: what it should reach, as ``<= 1.0``; None for a row that only informs.
        reached: whether the value meets the target.
        details: absolute figures behind a ratio, by name with the unit in it.
    """

    name: str
    value: float
    interval: Interval
    unit: str
    peer: str | None = None
    target: str | None = None
    reached: bool | None = None
    details: dict[str, float] = {}
    note: str = ""


class BenchRecord(msgspec.Struct, kw_only=True, frozen=True):
    """What one area of benchmarks measured."""

    schema: Literal["tiergate.bench/1"] = "tiergate.bench/1"
    area: str
    created_at: str
    duration_s: float
    environment: Environment
    rows: list[BenchRow]
    versions: dict[str, str] = {}
    remarks: list[str] = []


Record = RunRecord | GateRecord | MigrationRecord | BenchRecord

_KINDS: dict[str, type[Record]] = {
    RUN_SCHEMA: RunRecord,
    GATE_SCHEMA: GateRecord,
    MIGRATION_SCHEMA: MigrationRecord,
    BENCH_SCHEMA: BenchRecord,
}


class _SchemaOnly(msgspec.Struct):
    schema: str


def encode_record(record: Record) -> bytes:
    """The record as indented JSON, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def read_record(path: Path) -> Record:
    """Read a record of any kind.

    Raises:
        SourceError: the file cannot be read, is not JSON, or is not a record that this version knows.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read the record: {error.strerror}", where=str(path)) from error
    try:
        schema = msgspec.json.decode(data, type=_SchemaOnly).schema
        if schema not in _KINDS:
            raise SourceError(
                f"unknown record schema {schema!r}", where=str(path), hint=f"known: {', '.join(_KINDS)}"
            )
        return msgspec.json.decode(data, type=_KINDS[schema])
    except msgspec.DecodeError as error:
        raise SourceError(
            f"not a tiergate record: {error}", where=str(path), hint="`tiergate load -o run.json` writes one"
        ) from error
