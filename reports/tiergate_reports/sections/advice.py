"""What is advised, step by step, and every figure that it rests on."""

from __future__ import annotations

from tiergate.advice_record import AdviceClause, AdviceMetric, AdviceRecord, AdviceStep
from tiergate_reports import figures
from tiergate_reports.plain import plain
from tiergate_reports.table import Cell, Column, Table, text_column

TONES = {"justified": "pass", "not yet": "same", "inconclusive": "inconclusive"}
WORDS = {"justified": "Justified", "not yet": "Not yet", "inconclusive": "Inconclusive"}
ORDER = ("justified", "inconclusive", "not yet")
_HOLDS = {True: "holds", False: "does not hold", None: "cannot be decided"}


def build(record: AdviceRecord) -> dict[str, object]:
    """Everything that the page shows."""
    ordered = sorted(record.advice, key=lambda one: ORDER.index(one.verdict))
    justified = [one for one in ordered if one.verdict == "justified"]
    subject = figures.joined([plain(one.path) for one in record.sources])
    return {
        "kind": "pass" if justified else "same",
        "word": figures.plural(len(justified), "step") + " justified" if justified else "Nothing to do yet",
        "meaning": meaning(record, justified),
        "heading": f"Advice on {subject}",
        "subject": subject,
        "current": record.current,
        "made": f"{record.created_at}, {figures.seconds(record.duration_s)}",
        "facts": facts(record),
        "steps": [_step(one) for one in ordered],
        "metrics": metrics_table(record.metrics),
        "remarks": [plain(remark) for remark in record.remarks],
    }


def meaning(record: AdviceRecord, justified: list[AdviceStep]) -> str:
    """The advice in one sentence."""
    unsure = sum(one.verdict == "inconclusive" for one in record.advice)
    rest = f" {figures.plural(unsure, 'other')} cannot be decided by what was measured." if unsure else ""
    if not justified:
        return f"No step has a trigger and a gain that both hold.{rest}"
    return f"{'; '.join(plain(one.title) for one in justified)}.{rest}"


def facts(record: AdviceRecord) -> list[tuple[str, str, str]]:
    """What was measured."""
    return [
        ("Store now", record.current, "Others are compared with it."),
        ("Tasks measured", figures.count(record.measured_tasks), ""),
        ("Requests", figures.count(record.requests), plain(record.trace) or "Made by a workload."),
        ("Trace", record.sha256[:12], ""),
        ("Processor", plain(record.environment.cpu), f"{record.environment.cores} cores."),
    ]


def _step(one: AdviceStep) -> dict[str, object]:
    return {
        "id": f"step-{plain(one.step)}",
        "title": plain(one.title),
        "tone": TONES[one.verdict],
        "verdict": WORDS[one.verdict],
        "why": plain(one.why),
        "conditions": [
            *(f"Trigger: {_clause(clause)}." for clause in one.triggers),
            *(f"Gain: {_clause(clause)}." for clause in one.gain),
        ],
        "effort": plain(one.effort),
        "cost": plain(one.cost),
        "next": plain(one.next),
    }


def _clause(clause: AdviceClause) -> str:
    return f"{plain(clause.metric)} {plain(clause.condition)} {_HOLDS[clause.holds]}"


def metrics_table(metrics: list[AdviceMetric]) -> Table:
    """Every figure, by the name that triggers use."""
    return Table(
        caption="What the advice rests on",
        columns=(
            text_column("Metric"),
            Column(
                "Value",
                help="The figure, and below it the range that holds the true one with 95 % confidence.",
            ),
            text_column("Unit"),
            text_column("From", "Counted, measured here, simulated from what was measured, or a record."),
        ),
        rows=[_metric(one) for one in metrics],
        stacked=True,
    )


def _metric(one: AdviceMetric) -> tuple[Cell, ...]:
    name = Cell(plain(one.name), plain(one.title))
    if one.value is None:
        return name, Cell(figures.NOT_AVAILABLE, tone="missing"), Cell("—"), Cell(plain(one.note))
    low, high = one.interval or (one.value, one.value)
    between = f"{figures.number(low)} to {figures.number(high)}" if low != high else ""
    return name, Cell(figures.number(one.value), between), Cell(one.unit or "—"), Cell(plain(one.source))
