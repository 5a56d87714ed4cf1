"""The published JSON Schemas are those of the code, and say what consumers rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tiergate.record import (
    AdviceRecord,
    BenchRecord,
    GateRecord,
    MigrationRecord,
    ProfileRecord,
    ReconcileRecord,
    Record,
    RunRecord,
)
from tiergate.record_schema import json_schema

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "schemas"
KINDS: dict[str, type[Record]] = {
    "run": RunRecord,
    "gate": GateRecord,
    "migration": MigrationRecord,
    "bench": BenchRecord,
    "reconcile": ReconcileRecord,
    "profile": ProfileRecord,
    "advice": AdviceRecord,
}
REFRESH = f"python {Path(__file__).resolve().relative_to(ROOT)}"

RELIED_ON = {
    "RunRecord": "schema environment workload variants command sources plugins",
    "Environment": "python platform cpu cores load_avg git_commit",
    "WorkloadFacts": "name seed sha256 requests duration_s offered_rps",
    "Variant": "name router pool store requests achieved_rps response_ms service_ms by_class tier_accuracy "
    "affinity resources intervals histogram series events",
    "RequestCounts": "offered completed failed timed_out dropped",
    "Latency": "p50 p90 p95 p99 p999 max",
    "ClassLatency": "requests response_ms",
    "TierAccuracy": "accuracy balanced_accuracy macro_f1 ambiguous confusion regret controls",
    "Affinity": "hit_rate max_load_ratio",
    "Resources": "cpu_s peak_rss_bytes worker_seconds",
    "Source": "path format sessions tasks",
    "PluginVersion": "name version",
    "GateRecord": "verdict benchmarks checks",
    "GateBenchmark": "name ratio interval verdict seconds",
    "MigrationRecord": "source target state sessions tasks root_hash differences",
    "RootHashes": "source target",
    "BenchRecord": "area environment rows",
    "BenchRow": "name value interval unit peer target reached",
    "ReconcileRecord": "sources sessions matrix next matches findings decisions roadmap",
    "SessionAnalysis": "id role claimed actual priority",
    "MatrixEntry": "task item relation action",
    "NextCommand": "command why",
    "Match": "a b kind score probability reason",
    "TaskRef": "source session task",
    "Finding": "kind severity tasks message evidence",
    "Decision": "tasks rule outcome trace",
    "Roadmap": "phases critical_path",
    "Phase": "name tasks",
    "ProfileRecord": "overhead tail processes operations components hot_spots frames stacks",
    "AdviceRecord": "metrics advice",
    "GateCheck": "metric value interval budget verdict",
}
"""Names of the records that may be added to and never renamed."""


def rendered(kind: str) -> str:
    return json.dumps(json_schema(KINDS[kind]), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def path_of(kind: str) -> Path:
    return FOLDER / f"{kind}.schema.json"


def refresh() -> None:
    for kind in KINDS:
        path_of(kind).write_text(rendered(kind), encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_schema_is_up_to_date(kind: str) -> None:
    path = path_of(kind)
    published = path.read_text(encoding="utf-8") if path.exists() else ""
    name = path.relative_to(ROOT)
    assert published == rendered(kind), f"{name} is out of date; refresh it with: {REFRESH}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_itself_valid(kind: str) -> None:
    Draft202012Validator.check_schema(json_schema(KINDS[kind]))
    definitions: dict[str, Any] = json_schema(KINDS[kind])["$defs"]
    record = definitions[KINDS[kind].__name__]
    assert record["properties"]["schema"]["enum"] == [f"tiergate.{kind}/1"]


def test_names_that_consumers_rely_on_are_there() -> None:
    definitions = {name: one for kind in KINDS.values() for name, one in json_schema(kind)["$defs"].items()}
    for struct, names in RELIED_ON.items():
        missing = set(names.split()) - set(definitions[struct]["properties"])
        assert not missing, f"{struct} lacks {missing}"


if __name__ == "__main__":
    refresh()
