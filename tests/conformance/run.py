"""Judge `tiergate serve --http` by the official conformance suite of MCP.

Usage: ``python run.py FOLDER``, a folder for the npm packages and for what the suite writes. Exits with 0
where every scenario of every revision passed or is rightly listed in ``not-applicable.yaml``, else with 1;
with 3 where the suite or the server did not run.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from mcpsuite import node, suite
from mcpsuite.serving import fill, held, served
from mcpsuite.standing_in import in_front_of, read_stand_ins
from mcpsuite.verdict import Exemption, Judgement, ListError, Outcome, judge, read_exemptions
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
EXEMPTIONS = HERE / "not-applicable.yaml"
STAND_INS = HERE / "stand-ins.yaml"

SLOW_S = 9.0
"""Long enough for a few reports of progress."""

MOST_CHARACTERS = 240
"""Of one line about a fault: the suite quotes what it was told."""

Key = tuple[str, str]


class Run(msgspec.Struct, frozen=True):
    """What one run came to.

    Attributes:
        stood_in: the (revision, scenario) in which ours stood in for a name of the suite.
        again: those that were tried a second time.
    """

    judgements: list[Judgement]
    exemptions: list[Exemption]
    stood_in: set[Key]
    again: list[Key]


def main(folder: Path) -> int:
    """Install, serve, run, judge and print."""
    try:
        run = _run(folder)
    except (node.Unavailable, suite.SuiteError, ListError, RuntimeError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 3
    console = Console(width=110, markup=False, highlight=False)
    console.print(_table(run))
    console.print(
        "* by a tool, prompt or resource of ours that stood in for a name of the suite: stand-ins.yaml"
    )
    for number, exemption in enumerate(run.exemptions, 1):
        console.print(f"[{number}] {exemption.why}")
    for revision, scenario in run.again:
        console.print(f"tried twice: {scenario} {revision}")
    counts = [sum(one.outcome is outcome for one in run.judgements) for outcome in Outcome]
    console.print("{} passed, {} do not apply, {} failed".format(*counts))
    for one in run.judgements:
        for fault in one.faults:
            print(f"{one.revision} {one.scenario}: {fault[:MOST_CHARACTERS]}", file=sys.stderr)
    return 1 if any(one.faults for one in run.judgements) else 0


def _run(folder: Path) -> Run:
    exemptions = read_exemptions(EXEMPTIONS)
    stand_ins = read_stand_ins(STAND_INS)
    programs = node.install(folder)
    expected = suite.scenarios(programs)
    _refuse_unknown([*stand_ins.scenarios, *stand_ins.slow], expected)
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix="tiergate-conformance-") as place,
        served(Path(place)) as server,
        in_front_of(server.url, stand_ins.names) as proxy,
    ):
        fill(server)
        found = suite.run(programs, server.url, expected, results / "first")

        def run_one(revision: str, name: str, round_: str) -> None:
            url = proxy if name in stand_ins.scenarios or name in stand_ins.slow else server.url
            with held(server.store, SLOW_S if name in stand_ins.slow else 0.0):
                found.update(suite.run_one(programs, url, revision, name, results / round_))

        stood_in = {
            (revision, name)
            for revision, names in expected.items()
            for name in names
            if name in stand_ins.scenarios or name in stand_ins.slow
        }
        for revision, name in sorted(stood_in):
            run_one(revision, name, "stood-in")
        # Some scenarios wait for half a second and no more, which a busy machine can exceed.
        again = [(one.revision, one.scenario) for one in judge(expected, found, exemptions) if one.faults]
        for revision, name in again:
            run_one(revision, name, "again")
    return Run(judge(expected, found, exemptions), exemptions, stood_in, again)


def _refuse_unknown(names: Sequence[str], expected: Mapping[str, Sequence[str]]) -> None:
    unknown = set(names) - {name for those in expected.values() for name in those}
    if unknown:
        raise ListError(f"{STAND_INS.name} names {min(unknown)}, which the suite does not have")


def _table(run: Run) -> Table:
    """One row a scenario, one column a revision: checks that passed, or the numbers of the reasons."""
    revisions = list(dict.fromkeys(one.revision for one in run.judgements))
    table = Table("scenario", *revisions, title="MCP conformance of `tiergate serve --http`")
    rows: dict[str, dict[str, str]] = {}
    for one in run.judgements:
        star = (one.revision, one.scenario) in run.stood_in
        rows.setdefault(one.scenario, {})[one.revision] = _cell(one, " *" if star else "")
    for scenario, cells in rows.items():
        table.add_row(scenario, *(cells.get(revision, "") for revision in revisions))
    return table


def _cell(one: Judgement, star: str) -> str:
    if one.outcome is Outcome.FAILED:
        return "FAILED"
    reasons = "".join(f" [{number}]" for number in one.reasons)
    return reasons.strip() if one.whole else f"{one.passed} passed{reasons}{star}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
