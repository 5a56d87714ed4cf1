"""The verdict first, and three sentences that explain it from the record's own figures."""

from __future__ import annotations

from tiergate.record import NOTHING_TO_TIER, Comparison, GateRecord, RunRecord, Variant
from tiergate_reports import figures, metrics
from tiergate_reports.sections import gate as gates


def build(run: RunRecord, gate: GateRecord | None) -> dict[str, object]:
    """The banner, the checks, and what they mean."""
    return {
        "verdict": gate.verdict if gate else "none",
        "word": gates.WORDS[gate.verdict] if gate else "Not judged",
        "meaning": gates.MEANINGS[gate.verdict] if gate else "No gate record came with this run.",
        "subject": gate.subject if gate else "",
        "router": run.configured_router,
        "sentences": sentences(run, gate),
        "too_few": run.too_few,
        "checks": gates.checks_table(gate.checks) if gate else None,
        "benchmarks": gates.benchmarks_table(gate.benchmarks) if gate and gate.benchmarks else None,
        "remarks": len(run.remarks),
    }


def sentences(run: RunRecord, gate: GateRecord | None) -> list[str]:
    """What was measured, why the verdict is what it is, and what it means beside the others."""
    return [_what(run), _why(run, gate), _beside(run)]


def judged(run: RunRecord) -> Variant | None:
    """The variant that the gate judges, if it was run."""
    return next((v for v in run.variants if v.name == run.configured_router), None) or next(
        (v for v in run.variants if v.router == run.configured_router), None
    )


def _what(run: RunRecord) -> str:
    variant = judged(run)
    if variant is None:
        return (
            f"The configured router {run.configured_router} is not among the {len(run.variants)}"
            " variants of this run."
        )
    counts = variant.requests
    lost = f"lost {figures.count(counts.lost)}" if counts.lost else "lost none"
    offered = (
        f" {figures.number(run.workload.offered_rps)} requests/s were offered and"
        if run.workload.loop == "open"
        else f" {figures.plural(run.workload.clients or 0, 'client')} waited for every answer, and"
    )
    return (
        f"{variant.name} completed {figures.count(counts.completed)} of {figures.count(counts.offered)}"
        " requests"
        f" over {figures.plural(run.workload.rounds, 'round')} and {lost};"
        f"{offered} {figures.number(variant.achieved_rps)}"
        f"{' ' if run.workload.loop == 'open' else ' requests/s were '}achieved."
    )


def _why(run: RunRecord, gate: GateRecord | None) -> str:
    if gate is None:
        return "Nothing was judged: “tiergate gate check” holds such a record against its budgets."
    reasons = gates.reasons(gate)
    if gate.verdict == "pass":
        held = figures.plural(len(gate.checks), "check holds", "checks hold")
        return (
            f"It passes because {held}: {'; '.join(reasons)}." if reasons else "It passes; no check was made."
        )
    if gate.verdict == "fail":
        return (
            f"It fails because of {'; '.join(reasons)}."
            if reasons
            else "It fails, without a check that says why."
        )
    if not reasons and run.too_few:
        holding = sum(check.verdict == "pass" for check in gate.checks)
        alike = run.too_few[0].startswith(NOTHING_TO_TIER)
        why = f"there is {NOTHING_TO_TIER}" if alike else "the run is too small for a verdict"
        return (
            f"It is inconclusive because {why};"
            f" {holding} of {figures.plural(len(gate.checks), 'check')} would hold on what was measured."
        )
    return (
        f"It is inconclusive because these are undecided: {'; '.join(reasons)}."
        if reasons
        else ("It is inconclusive, without a check that says why.")
    )


def _beside(run: RunRecord) -> str:
    variant = judged(run)
    own = [c for c in run.comparisons if variant is not None and c.variant == variant.name]
    short = _first(own, metrics.SHORT_P95)
    long = _first([c for c in own if short is None or c.against == short.against], metrics.LONG_P95)
    if short is None and long is None:
        return "Its times were not compared with those of another router."
    against = (short or long or own[0]).against
    said = [
        f"{who} {_change(found)}" for who, found in (("short requests", short), ("long ones", long)) if found
    ]
    return f"At the 95th percentile of response time, against {against}, {' and '.join(said)}."


def _first(comparisons: list[Comparison], metric: str) -> Comparison | None:
    return next((c for c in comparisons if c.metric == metric), None)


def _change(found: Comparison) -> str:
    low, high = found.interval
    verb = "take less time" if high < 1 else "take more time" if low > 1 else "show no sure difference"
    interval = figures.span(found.interval) or "of no width"
    return f"{verb} ({figures.ratio(found.ratio)}, 95\u00a0% interval {interval})"
