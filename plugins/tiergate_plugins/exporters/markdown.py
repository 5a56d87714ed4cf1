"""The exporter ``markdown``: a reconciliation as a comment on a pull request would show it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tiergate.errors import UsageError, counted
from tiergate.hooks import ExporterDeclaration, hookimpl
from tiergate.reconcile_record import SEVERITIES, Decision, Estimate, Finding, Phase
from tiergate.record import ReconcileRecord, Record

MOST_FINDINGS = 100
"""Rows of the table of findings; a comment has no room for more."""

_MOST_DECISIONS = 50
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def render(records: Sequence[Record]) -> str:
    """The report of one reconciliation.

    Raises:
        UsageError: any other selection of records.
    """
    if len(records) != 1 or not isinstance(records[0], ReconcileRecord):
        raise UsageError(
            "Markdown is made of one reconciliation record",
            hint="`tiergate reconcile SRC... --json record.json` writes one",
        )
    return "\n".join(_report(records[0])).rstrip() + "\n"


def _report(record: ReconcileRecord) -> Iterator[str]:
    tasks = sum(source.tasks for source in record.sources)
    yield f"# {counted(len(record.sessions), 'session')} reconciled"
    yield ""
    yield f"{counted(tasks, 'task')} of {counted(len(record.sources), 'source')}. {_verdict(record)}"
    yield ""
    yield from _sessions(record)
    yield from _findings(record.findings)
    yield from _decisions(record.decisions)
    yield from _roadmap(record)
    if record.next:
        yield "## Next"
        yield ""
        for one in record.next:
            yield f"- `{one.command.replace('`', '')}`: {_plain(one.why)}"
        yield ""


def _verdict(record: ReconcileRecord) -> str:
    counts = Counter(one.severity for one in record.findings)
    said = ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name]) or "none"
    asked = sum(one.rule == "ask" for one in record.decisions)
    return f"Findings: {said}. Open questions: {asked}."


def _sessions(record: ReconcileRecord) -> Iterator[str]:
    yield from _table(
        ("Session", "Role", "Counted", "Claimed", "Why"),
        (
            (
                one.id,
                one.role,
                f"{one.actual:.0%}",
                "" if one.claimed is None else f"{one.claimed:.0%}",
                one.why,
            )
            for one in record.sessions
        ),
    )


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    yield "## Findings"
    yield ""
    if not findings:
        yield "None."
        yield ""
        return
    yield from _table(
        ("Severity", "Kind", "What is wrong", "What to do"),
        ((one.severity, str(one.kind), one.message, one.hint) for one in findings[:MOST_FINDINGS]),
    )
    if len(findings) > MOST_FINDINGS:
        yield f"The record has {len(findings) - MOST_FINDINGS} more."
        yield ""


def _decisions(decisions: Sequence[Decision]) -> Iterator[str]:
    asked = [one for one in decisions if one.rule == "ask"]
    made = [one for one in decisions if one.rule != "ask"]
    for heading, some in (("Open questions", asked), ("Decisions", made)):
        if not some:
            continue
        yield f"## {heading}"
        yield ""
        for one in some[:_MOST_DECISIONS]:
            about = ", ".join(f"{ref.session}/{ref.task}" for ref in one.tasks[:3])
            yield f"- {_plain(about)}: {_plain(one.outcome)} ({_plain(one.rule)})"
        if len(some) > _MOST_DECISIONS:
            yield f"- and {len(some) - _MOST_DECISIONS} more"
        yield ""


def _roadmap(record: ReconcileRecord) -> Iterator[str]:
    if not record.roadmap.phases:
        return
    yield "## Roadmap"
    yield ""
    for number, phase in enumerate(record.roadmap.phases):
        yield from _phase(number, phase)


def _phase(number: int, phase: Phase) -> Iterator[str]:
    span = f" ({_span(phase.estimate)})" if phase.estimate else ""
    yield f"{number}. **{_plain(phase.name)}**{span}: {_plain(phase.why)}"
    for one in phase.tasks:
        waits = ", ".join(f"{ref.session}/{ref.task}" for ref in one.blocked_by)
        after = f", after {_plain(waits)}" if waits else ""
        yield f"   - [ ] {_plain(one.title)}{after}"
    yield ""


def _span(estimate: Estimate) -> str:
    unit, name = (8.0, "days") if estimate.low_h >= 8 else (1.0, "h")
    return f"{estimate.low_h / unit:.3g} to {estimate.high_h / unit:.3g} {name}"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headers)} |"
    yield f"|{'---|' * len(headers)}"
    for row in rows:
        yield f"| {' | '.join(_plain(cell) for cell in row)} |"
    yield ""


def _plain(text: str) -> str:
    """Text in one line, of which no sign acts as Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


@hookimpl
def tiergate_exporters() -> Iterable[ExporterDeclaration]:
    """Declare the Markdown report."""
    yield ExporterDeclaration(
        name="markdown", summary="A reconciliation for a pull request", suffix=".md", render=render
    )
