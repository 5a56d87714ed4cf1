"""Judge `tiergate serve --http` by the official conformance suite of MCP.

Usage: ``python run.py FOLDER``, a folder for the npm packages and for what the suite writes. Exits with 0 where
every scenario of every revision passed or is rightly listed in ``not-applicable.yaml``, else with 1; with 3
where the suite or the server did not run.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mcpsuite import node, suite
from mcpsuite.serving import fill, held, served
from mcpsuite.standing_in import in_front_of, read_stand_ins
from mcpsuite.verdict import Exemption, Judgement, ListError, Outcome, judge, read_exemptions
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
EXEMPTIONS = HERE / "not-applicable.yaml"
STAND_INS = HERE / "stand-ins.yaml"

SLOW_S = 6.0
"""Long enough for a few reports of progress."""


def main(folder: Path) -> int:
    """Install, serve, run, judge and print."""
    try:
        judgements, exemptions = _run(folder)
    except (node.Unavailable, suite.SuiteError, ListError, RuntimeError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 3
    console = Console(width=110)
    console.print(_table(judgements))
    for number, exemption in enumerate(exemptions, 1):
        console.print(f"[{number}] {exemption.why}", markup=False, highlight=False)
    failed = [one for one in judgements if one.outcome is Outcome.FAILED]
    for one in failed:
        for fault in one.faults:
            print(f"{one.revision} {one.scenario}: {fault}", file=sys.stderr)
    counts = [sum(one.outcome is outcome for one in judgements) for outcome in Outcome]
    print("{} passed, {} do not apply, {} failed".format(*counts))
    return 1 if failed else 0


def _run(folder: Path) -> tuple[list[Judgement], list[Exemption]]:
    exemptions = read_exemptions(EXEMPTIONS)
    stand_ins = read_stand_ins(STAND_INS)
    programs = node.install(folder)
    expected = suite.scenarios(programs)
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="tiergate-conformance-") as place, served(Path(place)) as server:
        fill(server)
        found = suite.run(programs, server.url, expected, results / "direct")
        with in_front_of(server.url, stand_ins.names) as url:
            for revision, name in _among(stand_ins.scenarios, expected):
                found |= suite.run_one(programs, url, revision, name, results / "stand-ins")
            for revision, name in _among(stand_ins.slow, expected):
                with held(server.store, SLOW_S):
                    found |= suite.run_one(programs, url, revision, name, results / "slow")
    return judge(expected, found, exemptions), exemptions


def _among(chosen: Sequence[str], expected: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """The chosen scenarios, in each revision that has them.

    Raises:
        ListError: one is not there.
    """
    unknown = set(chosen) - {name for names in expected.values() for name in names}
    if unknown:
        raise ListError(f"{STAND_INS.name} names {min(unknown)}, which the suite does not have")
    yield from ((revision, name) for revision, names in expected.items() for name in names if name in chosen)


def _table(judgements: Sequence[Judgement]) -> Table:
    """One row a scenario, one column a revision: checks that passed, or the numbers of the reasons."""
    revisions = list(dict.fromkeys(one.revision for one in judgements))
    table = Table("scenario", *revisions, title="MCP conformance of `tiergate serve --http`")
    rows: dict[str, Mapping[str, str]] = {}
    for one in judgements:
        rows[one.scenario] = {**rows.get(one.scenario, {}), one.revision: _cell(one)}
    for scenario, cells in rows.items():
        table.add_row(scenario, *(cells.get(revision, "") for revision in revisions))
    return table


def _cell(one: Judgement) -> str:
    if one.outcome is Outcome.FAILED:
        return "[red]FAILED[/red]"
    reasons = " ".join(rf"\[{number}]" for number in one.reasons)
    return reasons if one.whole else f"{one.passed} passed {reasons}".rstrip()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
