"""How the right tier of every request was found out."""

from __future__ import annotations

from tiergate.record import GateRecord, OracleFacts, RunRecord
from tiergate_reports import figures
from tiergate_reports.table import Cell, Column, Table, text_column

_SIMULATED = {
    "short_slowdown_p95": "p95 slowdown of short requests",
    "long_response_ratio_p95": "p95 response of long requests over that of one shared queue",
}


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """The oracle's facts, in words."""
    oracle = run.oracle
    assert oracle is not None, "the section is not shown then"
    return {
        "repeats": figures.plural(oracle.repeats, "time"),
        "hot": figures.milliseconds(oracle.hot_ms),
        "warm": figures.milliseconds(oracle.warm_ms),
        "facts": facts(oracle),
        "classes": classes_table(oracle),
    }


def facts(oracle: OracleFacts) -> list[tuple[str, str, str]]:
    """Name, value and meaning of each fact."""
    simulated = [
        (
            f"Expected {_SIMULATED.get(name, name.replace('_', ' '))}",
            figures.ratio(value),
            "What the search foresaw for the cut-offs that it chose.",
        )
        for name, value in sorted(oracle.simulated.items())
    ]
    return [
        (
            "Short requests",
            f"up to {figures.milliseconds(oracle.short_ms)}",
            "Median service time of the training trace.",
        ),
        ("Long requests", f"from {figures.milliseconds(oracle.long_ms)}", "Its 95th percentile."),
        (
            "Start of a worker",
            figures.milliseconds(oracle.startup_ms),
            "Median, measured apart; no service time contains it.",
        ),
        (
            "Ambiguous labels",
            figures.percent(oracle.ambiguous),
            "Share of the judged trace whose measured range crosses a cut-off.",
        ),
        (
            "Training requests",
            figures.count(oracle.training_requests),
            "A trace of its own: no seed or session in common with the judged one.",
        ),
        ("Ambiguous in training", figures.percent(oracle.training_ambiguous), "The same share there."),
        ("Training trace hash", oracle.training_sha256, "SHA-256; it never equals that of the judged trace."),
        *simulated,
    ]


def classes_table(oracle: OracleFacts) -> Table:
    """How many requests belong where."""
    total = sum(oracle.classes.values())
    return Table(
        caption="Requests with a sure label",
        columns=(
            text_column("Tier"),
            Column("Requests"),
            Column("Share", "", "Of those with a sure label."),
        ),
        rows=[
            (Cell(tier), Cell(figures.count(amount)), Cell(figures.percent(amount / total if total else 0.0)))
            for tier, amount in oracle.classes.items()
        ],
        empty="No request has a sure label.",
    )
