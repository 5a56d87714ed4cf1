"""What ``tiergate reconcile`` says in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tiergate.cli.terminal import visible
from tiergate.errors import counted
from tiergate.reconcile_record import SEVERITIES, Finding, ReconcileRecord

if TYPE_CHECKING:
    from tiergate.reconcile.applying import Applied
    from tiergate.reconcile.audit import Step
    from tiergate.reconcile.differences import FieldChange

MOST_FINDINGS = 12
"""That are listed unless all are asked for."""


def summary(record: ReconcileRecord, applied: Applied | None, *, verbose: bool) -> list[str]:
    """What was found, the worst first, what was decided, and what to run next."""
    return list(_summary(record, applied, verbose=verbose))


def _summary(record: ReconcileRecord, applied: Applied | None, *, verbose: bool) -> Iterator[str]:
    tasks = sum(source.tasks for source in record.sources)
    yield (
        f"{counted(len(record.sources), 'source')}, {counted(len(record.sessions), 'session')},"
        f" {counted(tasks, 'task')}: {_matches(record)}"
    )
    for source in record.sources:
        for note in source.notes:
            yield f"  note: {visible(f'{source.path}: {note}')}"
    yield from _findings(record.findings, verbose=verbose)
    yield _decisions(record)
    for remark in record.remarks:
        yield f"  note: {visible(remark)}"
    if applied is not None:
        yield visible(applied.line)
    if record.next:
        yield "next:"
        yield from (f"  {visible(one.command)}  # {visible(one.why)}" for one in record.next)


def _matches(record: ReconcileRecord) -> str:
    kinds = Counter(str(one.kind) for one in record.matches)
    return f"{kinds['same']} same, {kinds['duplicate']} duplicates, {kinds['collision']} collisions"


def _findings(findings: Sequence[Finding], *, verbose: bool) -> Iterator[str]:
    if not findings:
        yield "findings: none"
        return
    by_severity = Counter(one.severity for one in findings)
    said = ", ".join(f"{by_severity[name]} {name}" for name in SEVERITIES if by_severity[name])
    yield f"findings: {len(findings)} ({said})"
    shown = findings if verbose else findings[:MOST_FINDINGS]
    width = max(len(f"{one.severity} {one.kind}") for one in shown)
    yield from (f"  {f'{one.severity} {one.kind}':{width}}  {visible(one.message)}" for one in shown)
    if len(findings) > len(shown):
        yield f"  … and {len(findings) - len(shown)} more; -v shows all, -o FILE.html writes a page"


def _decisions(record: ReconcileRecord) -> str:
    rules = Counter(one.rule for one in record.decisions)
    asked = rules.pop("ask", 0)
    if not record.decisions:
        return "decisions: nothing was in question"
    by = ", ".join(f"{count} by {rule}" for rule, count in sorted(rules.items()))
    open_ones = f"{counted(asked, 'question')} for a person" if asked else "none is open"
    return f"decisions: {by or 'none made'}; {open_ones}"


def log_lines(store: str, steps: Sequence[Step], changes: Mapping[str, Sequence[FieldChange]]) -> list[str]:
    """The audit log of a store.

    Args:
        changes: by id of a step; without those of a step, only the step itself is shown.
    """
    if not steps:
        return [f"{visible(store)}: nothing was applied to it"]
    return [line for step in steps for line in _step_lines(step, changes.get(step.id, ()))]


def _step_lines(step: Step, changes: Sequence[FieldChange]) -> Iterator[str]:
    begun = step.begun
    what = f"{begun.kind} of {begun.undoes}" if begun.undoes else begun.kind
    undone = f", undone by {step.undone_by}" if step.undone_by else ""
    yield f"{begun.at}  {step.id}  {what}: {step.outcome}{undone}, {counted(len(begun.sessions), 'session')}"
    for one in changes:
        where = f"{one.session}/{one.task}" if one.task else one.session
        yield visible(f"  {where} {one.field}: {one.rule}: {one.reason}")
