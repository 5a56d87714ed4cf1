"""Routers that are right: the experiment of `tiergate load` on the workload `agents`, run as a command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

import msgspec

from tiergate.bench import BenchSetup
from tiergate.errors import RunError
from tiergate.record import MAX_AMBIGUOUS, BenchRow, Interval, RunRecord, TierAccuracy
from tiergate.routing import Cutoffs
from tiergate_plugins.benchmarks import pool_unseen
from tiergate_plugins.benchmarks.pool_found import tier_routers
from tiergate_plugins.benchmarks.rounds import judged

JUDGED = ("size-heuristic", "learned")
_BOUNDS = ("shared-queue", "oracle")
"""What regret is measured between."""

_QUICK = ("--quick", "--rate", "300")
"""Far too fast for figures; the mistakes are the same."""


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """Balanced accuracy and regret of each router that is installed."""
    routers = tier_routers(setup, *JUDGED)
    names = [one.name for one in routers]
    if not names:
        return
    setup.progress(f"the accuracy of {' and '.join(names)}: tiergate load on the workload agents")
    record = run_experiment(setup, names)
    yield from rows_of(record, names)
    assert record.oracle is not None, "a run on the pool has an oracle"
    cutoffs = Cutoffs(record.oracle.hot_ms / 1000, record.oracle.warm_ms / 1000)
    yield from pool_unseen.rows(setup, routers, cutoffs)


def run_experiment(setup: BenchSetup, names: list[str]) -> RunRecord:
    """The record of a load run with these routers and the bounds; the user's own settings do not count."""
    words = [word for name in (*names, *_BOUNDS) for word in ("--router", name)]
    command = [sys.executable, "-m", "tiergate", "load", "--json", "--workload", "agents", *words]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIERGATE_")}
    done = subprocess.run(
        [*command, *(_QUICK if setup.quick else ())],
        capture_output=True,
        check=False,
        cwd=setup.folder,
        env={**kept, "TIERGATE_STATE": str(setup.folder / "state"), "TIERGATE_ROUTER": names[0]},
    )
    if done.returncode:
        raise RunError(f"the load run failed: {done.stderr.decode(errors='replace').strip()}")
    return msgspec.json.decode(done.stdout, type=RunRecord)


def rows_of(record: RunRecord, names: list[str]) -> Iterator[BenchRow]:
    """The rows of a load run.

    Raises:
        RunError: a router lost requests that others answered, so that its figures are of less work.
    """
    _require_equal(record)
    for variant in record.variants:
        if variant.name in names and variant.tier_accuracy is not None:
            interval = variant.intervals["tier_accuracy.balanced_accuracy"]
            yield accuracy_row(variant.name, variant.tier_accuracy, interval, record.too_few)
            yield regret_row(variant.name, variant.tier_accuracy)


def _require_equal(record: RunRecord) -> None:
    completed = {variant.requests.completed for variant in record.variants}
    if len(completed) != 1:
        counts = ", ".join(f"{one.name} {one.requests.completed}" for one in record.variants)
        raise RunError(f"the routers did not complete equally many requests: {counts}")


def accuracy_row(name: str, found: TierAccuracy, interval: Interval, too_few: Sequence[str]) -> BenchRow:
    """The target is reached when every control stays below too, and not too many labels are unsure."""
    value = found.balanced_accuracy
    controls = {one.name: one.balanced_accuracy for one in found.controls}
    row = judged(
        BenchRow(
            name=f"agents: balanced accuracy of {name}",
            value=value,
            interval=interval,
            unit="share",
            target=">= 0.9",
            details={**controls, "ambiguous": found.ambiguous, "judged": float(found.judged)},
        )
    )
    problems = [f"no better than the control {one!r}" for one, other in controls.items() if other >= value]
    if found.ambiguous > MAX_AMBIGUOUS:
        problems.append(f"{found.ambiguous:.0%} of the labels are unsure")
    notes = [*problems, *too_few]
    return msgspec.structs.replace(row, reached=bool(row.reached) and not problems, note="; ".join(notes))


def regret_row(name: str, found: TierAccuracy) -> BenchRow:
    """Undefined where the oracle is not surely better than one queue; that reaches nothing."""
    detail = found.regret_detail
    row = BenchRow(
        name=f"agents: regret of {name}",
        value=0.0 if detail.value is None else detail.value,
        interval=detail.interval or (0.0, 0.0),
        unit="share",
        peer="the oracle (0) and one shared queue (1)",
        target="<= 0.2",
    )
    if detail.value is None:
        return msgspec.structs.replace(row, reached=False, note=f"undefined: {detail.reason}")
    return judged(row)
