"""The records: one JSON document for everything that a run measured, and one for what a gate decided.

Names are a contract: fields may be added, none renamed. Times end in their unit. Times in
records are milliseconds, except where the name says seconds (``_s``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from tiergate.advice_record import AdviceRecord
from tiergate.errors import SourceError
from tiergate.gate_record import (
    BenchmarkVerdict,
    GateBenchmark,
    GateCheck,
    GatePair,
    GateRecord,
    GateRules,
    GateSide,
    GateUnpaired,
    GateVerdict,
    SideName,
)
from tiergate.profile_record import ProfileRecord
from tiergate.reconcile_record import ReconcileRecord
from tiergate.run_record import (
    Affinity,
    ClassLatency,
    Comparison,
    Control,
    Driver,
    Environment,
    Event,
    Interval,
    Knee,
    Latency,
    OracleFacts,
    PluginVersion,
    Regret,
    RequestCounts,
    Resources,
    RoutingError,
    RunRecord,
    SeriesPoint,
    Source,
    SweepPoint,
    TierAccuracy,
    Variant,
    WorkloadFacts,
)

__all__ = [
    "ADVICE_SCHEMA",
    "BENCH_SCHEMA",
    "GATE_SCHEMA",
    "MAX_AMBIGUOUS",
    "MIGRATION_SCHEMA",
    "NOTHING_TO_TIER",
    "PROFILE_SCHEMA",
    "RECONCILE_SCHEMA",
    "RUN_SCHEMA",
    "AdviceRecord",
    "Affinity",
    "BenchRecord",
    "BenchRow",
    "BenchmarkVerdict",
    "ClassLatency",
    "Comparison",
    "Control",
    "Driver",
    "Environment",
    "Event",
    "FieldDifference",
    "GateBenchmark",
    "GateCheck",
    "GatePair",
    "GateRecord",
    "GateRules",
    "GateSide",
    "GateUnpaired",
    "GateVerdict",
    "Interval",
    "Knee",
    "Latency",
    "MigrationRecord",
    "OracleFacts",
    "PluginVersion",
    "ProfileRecord",
    "ReconcileRecord",
    "Record",
    "Regret",
    "RequestCounts",
    "Resources",
    "RootHashes",
    "RoutingError",
    "RunRecord",
    "SeriesPoint",
    "SideName",
    "Source",
    "SweepPoint",
    "TierAccuracy",
    "Variant",
    "WorkloadFacts",
    "encode_record",
    "read_record",
]

RUN_SCHEMA = "tiergate.run/1"
GATE_SCHEMA = "tiergate.gate/1"
MIGRATION_SCHEMA = "tiergate.migration/1"
BENCH_SCHEMA = "tiergate.bench/1"
RECONCILE_SCHEMA = "tiergate.reconcile/1"
PROFILE_SCHEMA = "tiergate.profile/1"
ADVICE_SCHEMA = "tiergate.advice/1"

MAX_AMBIGUOUS = 0.10
"""Share of requests without a sure label above which nothing that rests on labels is judged."""

NOTHING_TO_TIER = "nothing to tier"
"""How the only entry of `RunRecord.too_few` begins where all requests take about the same time."""


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


Record = (
    RunRecord | GateRecord | MigrationRecord | BenchRecord | ReconcileRecord | ProfileRecord | AdviceRecord
)

_KINDS: dict[str, type[Record]] = {
    RUN_SCHEMA: RunRecord,
    GATE_SCHEMA: GateRecord,
    MIGRATION_SCHEMA: MigrationRecord,
    BENCH_SCHEMA: BenchRecord,
    RECONCILE_SCHEMA: ReconcileRecord,
    PROFILE_SCHEMA: ProfileRecord,
    ADVICE_SCHEMA: AdviceRecord,
}


_GZIP = b"\x1f\x8b"


class _SchemaOnly(msgspec.Struct):
    schema: str


def encode_record(record: Record) -> bytes:
    """The record as indented JSON, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def read_record(path: Path) -> Record:
    """Read a record of any kind, also one that a page had in it (``.json.gz``).

    Raises:
        SourceError: the file cannot be read, is not JSON, or is not a record that this version knows.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read the record: {error.strerror}", where=str(path)) from error
    if data.startswith(_GZIP):
        data = _unpacked(data, path)
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


def _unpacked(data: bytes, path: Path) -> bytes:
    # Imported here: whoever lists plugins imports this module, and should not wait for them.
    import gzip
    import zlib

    try:
        return gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"not a whole gzip file: {error}", where=str(path)) from error
