"""What the harness counts: decisions by load, injected share and judge, with exact binomial intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from tiergate.gate.student import incomplete_beta

LOADS = {0: "idle", 1: "load 1x", 3: "load 3x"}


@dataclass
class Cell:
    """One judge under one load with one injected share."""

    decisions: int = 0
    fired: int = 0
    undecided: int = 0
    seconds: list[float] = field(default_factory=list)

    def count(self, *, fired: bool, undecided: bool, seconds: float) -> None:
        """One more decision."""
        self.decisions += 1
        self.fired += fired
        self.undecided += undecided
        self.seconds.append(seconds)


class Tally:
    """All cells, by load, share and judge."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, float, str], Cell] = {}

    def cell(self, load: int, share: float, judge: str) -> Cell:
        """The cell, which is made where it is not there."""
        return self.cells.setdefault((load, share, judge), Cell())

    def lines(self) -> list[str]:
        """A table: fired and undecided decisions with 95 % intervals, seconds a benchmark."""
        head = f"{'':8} {'slower':>7} {'judge':12} {'called slower':>32} {'undecided':>28} {'median s':>9}"
        rows = [head]
        for (load, share, judge), cell in sorted(self.cells.items()):
            slower = f"{share:.0%}" if share else "same"
            rows.append(
                f"{LOADS[load]:8} {slower:>7} {judge:12} {_share(cell.fired, cell.decisions):>32} "
                f"{_share(cell.undecided, cell.decisions):>28} {median(cell.seconds):9.2f}"
            )
        return rows


def _share(count: int, of: int) -> str:
    low, high = binomial_interval(count, of)
    return f"{count} of {of} ({low:.1%} to {high:.1%})"


def binomial_interval(count: int, of: int) -> tuple[float, float]:
    """The exact 95 % interval of a share (Clopper & Pearson, 1934), by bisection."""
    low = 0.0 if count == 0 else _solve(lambda p: incomplete_beta(p, count, of - count + 1), 0.025)
    high = 1.0 if count == of else _solve(lambda p: incomplete_beta(p, count + 1, of - count), 0.975)
    return low, high


def _solve(function, wanted: float) -> float:  # type: ignore[no-untyped-def]
    low, high = 0.0, 1.0
    for _ in range(60):
        centre = (low + high) / 2
        low, high = (centre, high) if function(centre) < wanted else (low, centre)
    return (low + high) / 2
