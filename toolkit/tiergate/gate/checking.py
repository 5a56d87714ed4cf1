"""A record against a table of budgets, absolute ones and ones beside another record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tiergate.errors import UsageError, unknown_name
from tiergate.gate.budgets import Budget, known_metrics, parse_budgets
from tiergate.gate.check import check_run, figure_of
from tiergate.gate.check_bench import check_bench, rows_by_name
from tiergate.gate.relative import Figure, check_relative, split
from tiergate.gate.verdict import worst_of
from tiergate.record import BenchRecord, GateRecord, RunRecord, read_record


def check_record(record: RunRecord | BenchRecord, budgets: Mapping[str, str] | None) -> GateRecord:
    """Judge a record; its budgets are kept or broken by whole intervals.

    Args:
        budgets: texts by metric or row; None takes the targets that the rows of a bench record state.

    Raises:
        UsageError: a budget is none, or names nothing that is measured, or a record that cannot serve.
    """
    absolute, relative = split(budgets or {})
    if isinstance(record, RunRecord):
        gate = check_run(record, require_sound(budgets or {}))
    elif relative and not absolute:
        gate = GateRecord(verdict="pass", subject=f"bench {record.area}", remarks=list(record.remarks))
    else:
        gate = check_bench(record, None if budgets is None else absolute)
    if not relative:
        return gate
    checks = [*gate.checks, *check_relative(relative, lambda metric: _figure(record, metric), _figure_in)]
    verdict = worst_of([*(check.verdict for check in checks), gate.verdict])
    return msgspec.structs.replace(gate, checks=checks, verdict=verdict)


def require_sound(budgets: Mapping[str, str]) -> list[Budget]:
    """The absolute budgets of a run, read; whoever runs long finds out beforehand that one is wrong.

    Raises:
        UsageError: one is none, nothing measures its metric, or there is none at all.
    """
    absolute, relative = split(budgets)
    known = known_metrics()
    for budget in relative:
        if budget.metric not in known:
            raise unknown_name("metric", budget.metric, known, where="budgets")
    return [] if relative and not absolute else parse_budgets(absolute)


def _figure(record: RunRecord | BenchRecord, metric: str) -> Figure:
    if isinstance(record, RunRecord):
        return Figure(*figure_of(record, metric))
    row = rows_by_name(record).get(metric)
    return Figure(row.value, row.interval) if row else Figure(None, None)


def _figure_in(file: Path, metric: str) -> Figure:
    record = read_record(file)
    if not isinstance(record, RunRecord | BenchRecord):
        raise UsageError("this is no run record and no bench record", where=f"budget of {metric}: {file}")
    return _figure(record, metric)
