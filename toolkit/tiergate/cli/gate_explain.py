"""``tiergate gate explain``: how the verdict on a benchmark came about, with its samples drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli.gate_lines import seconds_text
from tiergate.cli.output import write
from tiergate.errors import EXIT_OK, UsageError, unknown_name
from tiergate.gate.outputs.words import change

if TYPE_CHECKING:
    from tiergate.record import GateBenchmark, GateRecord, GateRules

WIDTH = 61
"""Columns of the drawing; the one in the middle is no change."""


@click.command(short_help="Say how a verdict came about.")
@click.argument("gate", type=click.Path(path_type=Path), metavar="GATE.json")
@click.argument("name", required=False)
def command(gate: Path, name: str | None) -> int:
    """Say how the verdicts in GATE.json came about, or that on the benchmark NAME alone.

    Each line of a drawing is a generation of processes: where its pairs of blocks lie.
    """
    from tiergate.record import GateRecord, read_record

    record = read_record(gate)
    if not isinstance(record, GateRecord):
        raise UsageError("this is not a gate record", where=str(gate), hint="gate paired -o writes one")
    for one in _chosen(record, name):
        write(*_explained(one, record.rules), "")
    if name is None:
        for check in record.checks:
            write(f"{check.metric}: {check.verdict}, budget {check.budget} {check.reason}".rstrip())
    return EXIT_OK


def _chosen(record: GateRecord, name: str | None) -> list[GateBenchmark]:
    if name is None:
        return record.benchmarks
    found = [one for one in record.benchmarks if one.name == name or one.name.rpartition("::")[2] == name]
    if not found:
        raise unknown_name("benchmark", name, [one.name for one in record.benchmarks])
    return found


def _explained(one: GateBenchmark, rules: GateRules | None) -> Iterator[str]:
    yield f"{one.name}: {one.verdict}"
    yield f"  {one.reason}"
    low, high = one.interval
    yield f"  change {change(one.ratio)}, 95 % interval {change(low)} to {change(high)}"
    if one.decision_interval is not None:
        low, high = one.decision_interval
        yield f"  the verdict follows from {change(low)} to {change(high)}"
    if rules is not None:
        yield (
            f"  promised beforehand: in {rules.false_alarms:.0%} of runs at most is any of the suite called "
            f"slower by mistake; {rules.tolerance:.1%} is tolerated; judged after {rules.looks} generations"
        )
    yield f"  base {seconds_text(one.base_s)}, new {seconds_text(one.new_s)} a call; {one.seconds:.1f} s"
    if one.accepted:
        yield f"  accepted: {one.accepted}"
    yield from _drawn(one)


def _drawn(one: GateBenchmark) -> Iterator[str]:
    """A line a generation: ``·`` where its pairs lie, ``█`` the mean of their middle half."""
    from math import log

    import numpy as np

    from tiergate.gate.ratio import interquartile_mean

    logs = [np.array([log(pair.new_s / pair.base_s) for pair in pairs]) for pairs in one.samples if pairs]
    if not logs:
        return
    spread = [float(np.quantile(np.abs(values), 0.75)) for values in logs]
    span = max(0.02, 1.5 * abs(log(one.ratio)), *spread)
    yield f"  {-span:+.1%}".ljust(2 + WIDTH // 2) + "0".center(3) + f"{span:+.1%}".rjust(WIDTH // 2)
    for number, values in enumerate(logs, 1):
        line = [" "] * WIDTH
        line[WIDTH // 2] = "|"
        for value in values:
            if abs(value) <= span:
                line[_column(float(value), span)] = "·"
        line[_column(interquartile_mean(values), span)] = "█"
        yield f"  {''.join(line)} {number:3}: {len(values)} pairs"


def _column(value: float, span: float) -> int:
    return round((max(-span, min(span, value)) / span + 1) / 2 * (WIDTH - 1))
