"""What a load run prints at its end: the table, the verdict, and what to do next."""

from __future__ import annotations

from pathlib import Path

from tiergate.cli.output import output_width, table
from tiergate.record import (
    NOTHING_TO_TIER,
    ClassLatency,
    GateCheck,
    GateRecord,
    Knee,
    OracleFacts,
    RunRecord,
    Source,
    Variant,
    WorkloadFacts,
)

WORST_FIRST = {"fail": 0, "inconclusive": 1, "pass": 2}


def run_table(record: RunRecord) -> list[str]:
    """The routers side by side; response times in milliseconds."""
    headers, rows = _routed_table(record) if record.oracle else _plain_table(record)
    workload = record.workload
    head = (
        f"{workload.requests} requests × {workload.rounds} rounds {_loop(workload)},"
        f" workload {workload.name}, seed {workload.seed}; response times in ms"
    )
    return [
        *map(_source_line, record.sources),
        head,
        *_tier_lines(record.oracle),
        "",
        *table(headers, rows, output_width()),
        *_legend(record),
        *_driver_lines(record),
        *_sweep_lines(record),
    ]


def _tier_lines(oracle: OracleFacts | None) -> list[str]:
    """The cut-offs between the tiers, where there are any."""
    if oracle is None:
        return []
    return [f"hot < {oracle.hot_ms:.3g} ms ≤ warm < {oracle.warm_ms:.3g} ms ≤ cold, in service time"]


def _routed_table(record: RunRecord) -> tuple[list[str], list[list[str]]]:
    """Headers and rows by the length of the requests, with what routers are judged by."""
    headers = [
        "router",
        "balanced accuracy",
        "short p50",
        "short p95",
        "long p95",
        "regret",
        "affinity",
        "rps",
        "lost",
    ]
    return headers, [_row(variant, record.configured_router) for variant in record.variants]


def _plain_table(record: RunRecord) -> tuple[list[str], list[list[str]]]:
    """Headers and rows of a target whose requests nothing else can serve."""
    rows = [
        [
            variant.name + (" *" if variant.name == record.configured_router else ""),
            *(f"{getattr(variant.response_ms, name):.3g}" for name in ("p50", "p95", "p99", "max")),
            f"{variant.achieved_rps:.0f}",
            str(variant.requests.lost),
        ]
        for variant in record.variants
    ]
    return ["target", "p50", "p95", "p99", "largest", "rps", "lost"], rows


def _loop(workload: WorkloadFacts) -> str:
    if workload.loop == "closed":
        return f"in a CLOSED LOOP of {workload.clients} clients (nothing is offered; stalls do not show)"
    share = f"{workload.offered_load:.0%} of the cores; " if workload.offered_load else ""
    return f"at {workload.offered_rps:.0f} requests/s ({share}arrivals {workload.arrivals})"


def _driver_lines(record: RunRecord) -> list[str]:
    """How late and how busy the generator was, at its worst."""
    drivers = [variant.driver for variant in record.variants if variant.driver is not None]
    if not drivers:
        return []
    late = max(variant.lateness_ms.p99 for variant in record.variants)
    busy = max(driver.busy for driver in drivers)
    return [f"load generator: at most {late:.3g} ms late at p99, {busy:.0%} of one core"]


def _sweep_lines(record: RunRecord) -> list[str]:
    """The knee of each variant, where rates were swept."""
    rows = [_knee_row(variant.name, variant.knee) for variant in record.variants if variant.knee]
    if not rows:
        return []
    headers = ("sweep", "knee, requests/s", "why")
    return ["", *table(headers, rows, output_width())]


def _knee_row(name: str, knee: Knee) -> list[str]:
    found = "none" if knee.rps is None else f"{knee.rps:.0f}"
    within = f" [{knee.interval[0]:.0f}, {knee.interval[1]:.0f}]" if knee.interval else ""
    return [name, found + within, knee.reason]


def _source_line(source: Source) -> str:
    if source.format == "tools":
        return source.path
    written = "" if source.format == "generated" else f" ({source.format})"
    return f"{source.path}: {source.tasks} tasks in {source.sessions} sessions{written}"


def _legend(record: RunRecord) -> list[str]:
    bound = any(variant.is_oracle for variant in record.variants)
    lines = ["* judged by the gate" + "; bound: it is told beforehand what each request costs" * bound]
    reasons = {
        variant.tier_accuracy.regret_detail.reason
        for variant in record.variants
        if variant.tier_accuracy and variant.tier_accuracy.regret is None
    }
    return lines + [f"regret undefined: {reason}" for reason in sorted(reasons)]


def _row(variant: Variant, configured: str) -> list[str]:
    accuracy = variant.tier_accuracy
    regret = accuracy.regret if accuracy else None
    hits = variant.affinity.hit_rate
    mark = " *" if variant.name == configured else " (bound)" if variant.is_oracle else ""
    return [
        variant.name + mark,
        _accuracy(variant),
        _ms(variant.by_length["short"], "p50"),
        _ms(variant.by_length["short"], "p95"),
        _ms(variant.by_length["long"], "p95"),
        "-" if accuracy is None else "undefined" if regret is None else f"{regret:.2f}",
        "-" if hits is None else f"{hits:.2f}",
        f"{variant.achieved_rps:.0f}",
        str(variant.requests.lost),
    ]


def _accuracy(variant: Variant) -> str:
    if variant.tier_accuracy is None:
        return "chooses no tier"
    value = variant.tier_accuracy.balanced_accuracy
    low, high = variant.intervals.get("tier_accuracy.balanced_accuracy", (value, value))
    return f"{value:.3f} [{low:.2f}, {high:.2f}]"


def _ms(found: ClassLatency, percentile: str) -> str:
    if found.response_ms is None:
        return "none"
    value: float = getattr(found.response_ms, percentile)
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def verdict_lines(gate: GateRecord, record: RunRecord) -> list[str]:
    """The verdict, each check, and what keeps it from being more certain."""
    checks = sorted(gate.checks, key=lambda check: WORST_FIRST[check.verdict])
    lines = [f"gate: {gate.verdict.upper()} for {gate.subject}", *map(_check_line, checks)]
    lines += [f"  no verdict: {reason}" for reason in record.too_few]
    return lines + [f"  note: {remark}" for remark in record.remarks]


def _check_line(check: GateCheck) -> str:
    value = _value(check.value, check.interval)
    reason = f" ({check.reason})" if check.reason else ""
    return f"  {check.verdict:<12}  {check.title}: {value}, budget {check.budget}{reason}"


def _value(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "not measured"
    low, high = interval or (value, value)
    return f"{value:.3g}" + (f" [{low:.3g}, {high:.3g}]" if low != high else "")


def next_steps(record: RunRecord, gate: GateRecord, output: Path | None, html: Path | None) -> list[str]:
    """What was written, and what to do next."""
    lines = [f"wrote {path}" for path in (output, html) if path is not None]
    if record.too_few and record.too_few[0].startswith(NOTHING_TO_TIER):
        lines.append(
            "next: a shared queue is enough for these requests; load others, such as your own with --from,"
            " to see whether tiers pay there"
        )
    elif record.too_few and "trace" in record.workload.parameters:
        lines.append("next: replay a trace of more requests for a verdict; more effort adds rounds only")
    elif record.too_few:
        lines.append("next: run with more effort (without --quick, or with --thorough) for a verdict")
    elif gate.verdict == "pass":
        lines.append(
            "next: keep it so in CI with `tiergate gate check " + (f"{output}`" if output else "run.json`")
        )
    elif gate.verdict == "fail":
        worst = next(check for check in gate.checks if check.verdict == "fail")
        lines.append(f"next: see in the report why {worst.title} misses its budget ({worst.budget})")
    else:
        lines.append("next: run again on a quieter machine, or with --thorough, to narrow the intervals")
    return lines
