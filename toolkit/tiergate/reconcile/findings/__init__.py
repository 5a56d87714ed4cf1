"""What can be noticed about plans: one function for each kind of finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tiergate.deciding import Inquiry
from tiergate.reconcile.findings import overlaps, proofs, statuses, structure, unplanned
from tiergate.reconcile.findings.statuses import STALE_DAYS
from tiergate.reconcile.findings.view import View
from tiergate.reconcile_record import SEVERITIES, Finding, FindingKind

__all__ = ["FINDERS", "STALE_DAYS", "View", "find", "in_order"]

FINDERS: Mapping[FindingKind, Callable[[View], Iterable[Finding]]] = {
    FindingKind.DUPLICATE: overlaps.duplicates,
    FindingKind.STATUS_CONFLICT: statuses.status_conflicts,
    FindingKind.UNPROVEN: proofs.unproven,
    FindingKind.DONE_BUT_OPEN: proofs.done_but_open,
    FindingKind.ORPHANED: structure.orphaned,
    FindingKind.OBSOLETE: statuses.obsolete,
    FindingKind.SUPERSEDED: overlaps.superseded,
    FindingKind.COLLISION: overlaps.collisions,
    FindingKind.BAD_DEPENDENCY: structure.bad_dependencies,
    FindingKind.CYCLE: structure.cycles,
    FindingKind.WRONG_PROGRESS: statuses.wrong_progress,
    FindingKind.UNPLANNED: unplanned.unplanned,
    FindingKind.CONTRADICTION: statuses.contradictions,
}
"""Every kind that hangs on no setting; `stale` takes an age."""


def find(inquiry: Inquiry, *, stale_days: float = STALE_DAYS) -> tuple[Finding, ...]:
    """Everything that there is to say, the worst first; the order of the plans changes nothing.

    Args:
        stale_days: for how many days nothing may happen to an active task.
    """
    view = View(inquiry)
    found = [one for finder in FINDERS.values() for one in finder(view)]
    found += statuses.stale(view, stale_days)
    return in_order(found)


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings, the worst first."""
    return tuple(sorted(found, key=_order))


def _order(one: Finding) -> tuple[object, ...]:
    return SEVERITIES.index(one.severity), str(one.kind), one.session or ("", ""), one.tasks, one.message
