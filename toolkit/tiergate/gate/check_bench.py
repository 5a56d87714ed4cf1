"""``gate check`` of a bench record: its rows against budgets, or against the targets that they state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import isfinite

from tiergate.errors import UsageError, unknown_name
from tiergate.gate.budgets import parse_limit
from tiergate.gate.verdict import worst_of
from tiergate.record import BenchRecord, BenchRow, GateCheck, GateRecord


def check_bench(record: BenchRecord, budgets: Mapping[str, str] | None) -> GateRecord:
    """Judge rows: a budget is kept or broken where the row's whole interval is on one side of it.

    Args:
        budgets: texts such as ``<= 0.35`` by name of the row; None takes the targets of the rows. Rows that
            share a name are called ``NAME beside PEER``.

    Raises:
        UsageError: a budget is none, or names no row; a figure is no number; there is nothing to check.
    """
    rows = rows_by_name(record)
    stated = {name: row.target for name, row in rows.items() if row.target}
    wanted = stated if budgets is None else dict(budgets)
    if not wanted:
        raise UsageError("no row states a target, and there is no budget", hint="--budgets FILE names some")
    checks = [_check(rows, name, text) for name, text in wanted.items()]
    return GateRecord(
        verdict=worst_of([check.verdict for check in checks]),
        checks=checks,
        subject=f"bench {record.area}",
        remarks=list(record.remarks),
    )


def _check(rows: Mapping[str, BenchRow], name: str, text: str) -> GateCheck:
    if name not in rows:
        raise unknown_name("row", name, rows, where="budgets")
    row = rows[name]
    if not all(map(isfinite, (row.value, *row.interval))):
        raise UsageError("its value or its interval is no number", where=name, hint="measure it again")
    budget = parse_limit(name, text, {"": 1.0, row.unit.lower(): 1.0})
    verdict = budget.verdict(row.interval)
    reasons = {
        "fail": row.note,
        "inconclusive": "the interval holds the limit; a longer run narrows it",
    }
    return GateCheck(
        metric=name,
        value=row.value,
        interval=row.interval,
        budget=budget.text,
        verdict=verdict,
        reason=reasons.get(verdict, ""),
    )


def rows_by_name(record: BenchRecord) -> dict[str, BenchRow]:
    """Rows by their names; those that share one are called ``NAME beside PEER``."""
    names = Counter(row.name for row in record.rows)
    return {row.name if names[row.name] == 1 else f"{row.name} beside {row.peer}": row for row in record.rows}
