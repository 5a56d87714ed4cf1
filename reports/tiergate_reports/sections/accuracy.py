"""How well the routers that choose a tier choose it, beside what no skill reaches."""

from __future__ import annotations

from tiergate.record import GateRecord, RunRecord, TierAccuracy, Variant
from tiergate_reports import figures, metrics
from tiergate_reports.sections.routers import undefined_regret
from tiergate_reports.table import Cell, Column, Table, cell, text_column

TIERS = ("hot", "warm", "cold")
MOST_ERRORS = 20

CONTROLS = {
    "majority": "always the most frequent tier",
    "payload": "the size of the arguments alone",
    "shuffled": "the router, fed the facts of other requests",
}


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """One block for each router that chooses a tier, and the names of those that do not."""
    judged = [(v, v.tier_accuracy) for v in run.variants if v.tier_accuracy is not None]
    return {
        "summary": summary_table(judged),
        "routers": [
            {
                "name": variant.name,
                "oracle": variant.is_oracle,
                "confusion": confusion_table(variant.name, accuracy),
                "controls": None if variant.is_oracle else controls_table(variant, accuracy),
                "errors": errors_table(variant.name, accuracy),
                "sentence": sentence(variant, accuracy),
            }
            for variant, accuracy in judged
        ],
        "undefined": undefined_regret(run),
        "without": figures.joined([v.name for v in run.variants if v.tier_accuracy is None]),
    }


def summary_table(judged: list[tuple[Variant, TierAccuracy]]) -> Table:
    """The scores of every router that chooses a tier."""
    return Table(
        caption="Scores of the routers that choose a tier",
        columns=(
            text_column("Router"),
            Column(
                "Balanced accuracy",
                "0 to 1",
                "Mean over the tiers of the share chosen rightly; unlike raw accuracy, always choosing"
                " the commonest tier does not pay.",
            ),
            Column("Macro-F1", "0 to 1"),
            Column(
                "Raw accuracy", "0 to 1", "Share of right choices; read it beside the majority control only."
            ),
            Column("Judged", "requests", "Requests with a sure label."),
            Column(
                "Ambiguous",
                "",
                "Requests whose measured range crosses a cut-off: they are not judged, and above 10 %"
                " no verdict is given.",
            ),
            Column("Regret", "", "0 is as good as the oracle, 1 no better than one shared queue."),
        ),
        rows=[_summary_row(variant, accuracy) for variant, accuracy in judged],
        empty="No router of this run chooses a tier.",
    )


def confusion_table(name: str, accuracy: TierAccuracy) -> Table:
    """Where requests belong, against where they went."""
    rows = []
    for number, counts in enumerate(accuracy.confusion):
        total = sum(counts)
        cells = [_share_cell(amount, total, column == number) for column, amount in enumerate(counts)]
        rows.append((Cell(_tier(number), figures.plural(total, "request")), *cells))
    chosen = max((len(counts) for counts in accuracy.confusion), default=0)
    return Table(
        caption=f"{name}: tiers called for and chosen",
        columns=(text_column("Belongs in"), *(Column(_tier(number), "chosen") for number in range(chosen))),
        rows=rows,
        empty="No request had a sure label.",
    )


def controls_table(variant: Variant, accuracy: TierAccuracy) -> Table:
    """The router beside the scores that need no skill."""
    own = (
        Cell(variant.name, "the router itself"),
        cell(
            accuracy.balanced_accuracy, figures.score, interval=metrics.interval_of(variant, metrics.BALANCED)
        ),
        Cell(figures.score(accuracy.macro_f1)),
        Cell(figures.score(accuracy.accuracy)),
    )
    controls = [
        (
            Cell(control.name, _explained(control.name)),
            Cell(figures.score(control.balanced_accuracy)),
            Cell(figures.score(control.macro_f1)),
            Cell(figures.score(control.accuracy)),
        )
        for control in accuracy.controls
    ]
    return Table(
        caption=f"{variant.name}: beside the controls",
        columns=(
            text_column("Chosen by"),
            Column("Balanced accuracy", "0 to 1"),
            Column("Macro-F1", "0 to 1"),
            Column("Raw accuracy", "0 to 1"),
        ),
        rows=[own, *controls],
    )


def errors_table(name: str, accuracy: TierAccuracy) -> Table:
    """The wrong choices, most frequent first."""
    errors = sorted(accuracy.errors, key=lambda e: (-e.requests, e.operation, e.belongs, e.chosen))
    return Table(
        caption=f"{name}: where it errs",
        columns=(
            text_column("Operation"),
            text_column("Belongs in"),
            text_column("Chosen"),
            Column("Requests"),
            Column("Example", help="The id of one such request in the trace."),
            text_column("What the router says of the example"),
        ),
        rows=[
            (
                Cell(e.operation),
                Cell(e.belongs),
                Cell(e.chosen),
                Cell(figures.count(e.requests)),
                Cell(str(e.example)),
                Cell(e.explanation or "—"),
            )
            for e in errors[:MOST_ERRORS]
        ],
        empty="No wrong choice was recorded.",
    )


def sentence(variant: Variant, accuracy: TierAccuracy) -> str:
    """The router against the best control, in words."""
    if variant.is_oracle:
        return "It is told the answer: right choices only show that labels and tiers agree."
    best = max(accuracy.controls, key=lambda control: control.balanced_accuracy, default=None)
    if best is None:
        return "No controls were recorded, so its accuracy stands alone."
    gap = accuracy.balanced_accuracy - best.balanced_accuracy
    if gap <= 0:
        return f"It is no better than the control “{best.name}”, which needs no skill."
    return (
        f"Its balanced accuracy is {figures.score(gap)} above the best control, “{best.name}” at"
        f" {figures.score(best.balanced_accuracy)}."
    )


def _summary_row(variant: Variant, accuracy: TierAccuracy) -> tuple[Cell, ...]:
    def scored(name: str, value: float) -> Cell:
        return cell(value, figures.score, interval=metrics.interval_of(variant, f"tier_accuracy.{name}"))

    detail = accuracy.regret_detail
    return (
        Cell(variant.name, "a bound, not a contestant" if variant.is_oracle else ""),
        scored("balanced_accuracy", accuracy.balanced_accuracy),
        scored("macro_f1", accuracy.macro_f1),
        scored("accuracy", accuracy.accuracy),
        Cell(figures.count(accuracy.judged)),
        Cell(figures.percent(accuracy.ambiguous), tone="fail-text" if accuracy.ambiguous > 0.1 else ""),
        cell(accuracy.regret, figures.score, interval=detail.interval, reason="undefined"),
    )


def _share_cell(amount: int, total: int, right: bool) -> Cell:
    share = amount / total if total else 0.0
    step = min(int(share * 5), 4) if amount else 0
    tone = f"heat {'right' if right else 'wrong'}{step}" if amount else "heat"
    return Cell(figures.count(amount), figures.percent(share) if total else "", tone)


def _explained(name: str) -> str:
    return next((words for key, words in CONTROLS.items() if key in name.lower()), "needs no skill")


def _tier(number: int) -> str:
    return TIERS[number] if number < len(TIERS) else f"tier {number + 1}"
