"""``tiergate gate paired``: two trees of one project, measured in turns."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from secrets import randbits
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from tiergate.cli import State
from tiergate.cli.gate_outputs import Outputs, accepted_option, output_options

if TYPE_CHECKING:
    from tiergate.gate.paired.engine import Outcome
    from tiergate.gate.paired.sides import Sides
    from tiergate.gate.sequential import Rules
    from tiergate.record import GateRecord


@click.command(short_help="Compare two trees of a project, benchmark by benchmark, in turns.")
@click.option(
    "--base", required=True, metavar="REF|DIR", help="What is compared with: a git reference or a folder."
)
@click.option(
    "--new",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="What is judged.  [default: the working directory]",
)
@click.option(
    "--install",
    multiple=True,
    metavar="ARGS",
    help="Further arguments of pip install, run in each tree, such as pytest-cov or -e.[test]; repeatable."
    "  [default: the tree itself, editable]",
)
@click.option(
    "--python",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Run both sides with this interpreter and install nothing.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="DIR",
    help="With --python: where packages lie in each tree; repeatable.  [default: src, or the tree itself]",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.01,
    metavar="SHARE",
    show_default=True,
    help="A slowdown below this share is none.",
)
@click.option("--seed", type=int, default=None, metavar="N", help="Of the order of blocks.  [default: drawn]")
@click.option(
    "--timeout",
    type=click.FloatRange(1),
    default=300.0,
    metavar="SECONDS",
    show_default=True,
    help="How long a side may be silent.",
)
@click.option("-k", "expression", metavar="EXPR", help="Only benchmarks that match, as pytest's own -k.")
@click.option("--pytest-args", default="", metavar="ARGS", help="Further options of pytest, in one word.")
@accepted_option
@output_options
@click.argument("paths", nargs=-1, required=True)
@click.pass_obj
def command(
    state: State,
    /,
    base: str,
    new: Path,
    install: tuple[str, ...],
    python: Path | None,
    sources: tuple[str, ...],
    tolerance: float,
    seed: int | None,
    timeout: float,
    expression: str | None,
    pytest_args: str,
    accepted: Path,
    paths: tuple[str, ...],
    **outputs: Any,
) -> int:
    """Run the pytest-benchmark suite in PATHS in both trees, and say of each benchmark whether it got slower.

    Both sides stand still inside the same benchmark and take turns, half a millisecond at a time, so that
    whatever else the machine does hits both. New processes begin again and again. A slowdown is called one
    only where that is sure; unchanged suites are called slower in one of a hundred runs at most.

    Exits with 0 when nothing got slower, 1 when something did, 2 for wrong usage, 3 when a benchmark fails, 4
    when it cannot be decided.
    """
    from tiergate.cli.gate_lines import benchmark_lines
    from tiergate.cli.gate_progress import shown
    from tiergate.gate.accepted import read_accepted, with_accepted
    from tiergate.gate.paired.engine import PairedPlan, compare
    from tiergate.gate.paired.sides import Wanted, prepare
    from tiergate.gate.sequential import Rules

    writer, entries = Outputs(state, **outputs), read_accepted(accepted)
    began, started = monotonic(), datetime.now(UTC)
    wanted = Wanted(
        base=base,
        new=new,
        paths=paths,
        python=python.absolute() if python else None,
        sources=sources,
        install=[word for argument in install for word in shlex.split(argument)],
        pytest_arguments=[*(["-k", expression] if expression else []), *shlex.split(pytest_args)],
    )
    rules = Rules(tolerance=tolerance, same_within=2.5 * tolerance)
    drawn = randbits(32) if seed is None else seed
    with shown(quiet=state.quiet) as progress:
        sides = prepare(wanted, progress.doing)
        outcome = compare(PairedPlan(sides.plans, rules, timeout, drawn, sides.check), progress)
    found = _recorded(outcome, sides, rules, started, monotonic() - began)
    record = with_accepted(found, entries, datetime.now(UTC).date())
    return writer.deliver(record, lambda: benchmark_lines(record))


def _recorded(
    outcome: Outcome, sides: Sides, rules: Rules, started: datetime, duration_s: float
) -> GateRecord:
    from tiergate.environment import environment
    from tiergate.record import GateRecord, GateSide

    base, new = (
        GateSide(label=tree.label, commit=tree.commit, python=python)
        for tree, python in zip((sides.base, sides.new), outcome.pythons, strict=True)
    )
    return GateRecord(
        verdict=outcome.verdict,
        benchmarks=outcome.benchmarks,
        unpaired=outcome.unpaired,
        remarks=outcome.remarks,
        rules=rules.recorded(),
        subject=f"{new.label} beside {base.label}",
        base=base,
        new=new,
        environment=environment(),
        command=shlex.join(["tiergate", *sys.argv[1:]]),
        created_at=started.isoformat(timespec="seconds"),
        duration_s=round(duration_s, 3),
    )
