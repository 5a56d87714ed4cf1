"""What the decisions would break: tasks that wait for one which is to be abandoned, and its parts."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tiergate.deciding import Inquiry
from tiergate.matching import Plan
from tiergate.reconcile.findings import in_order
from tiergate.reconcile.findings.structure import bad_dependencies, cycles, orphaned
from tiergate.reconcile.findings.view import View
from tiergate.reconcile.merging import Merged
from tiergate.reconcile_record import Finding, TaskRef

_MERGED = "the merged plan"


def with_consequences(inquiry: Inquiry, merged: Merged) -> tuple[Finding, ...]:
    """The findings, and those about the merged plan that none of them says already; the worst first."""
    said = {_gist(one) for one in inquiry.findings}
    new = [one for one in _about(inquiry, merged) if _gist(one) not in said]
    return in_order([*inquiry.findings, *new])


def _gist(one: Finding) -> tuple[object, ...]:
    """What a finding says, whichever version of a task it says it of."""
    return one.kind, tuple(ref.task for ref in one.tasks)


def _about(inquiry: Inquiry, merged: Merged) -> Iterator[Finding]:
    plan = Plan(source=_MERGED, sessions=merged.sessions)
    view = View(Inquiry(plans=(plan,), now=inquiry.now))

    def first(ref: TaskRef) -> TaskRef:
        origins = merged.origins.get((ref.session, ref.task))
        return origins[0] if origins else ref

    for finder in (bad_dependencies, orphaned, cycles):
        for one in finder(view):
            yield replace(
                one,
                tasks=tuple(map(first, one.tasks)),
                message=f"after what is decided, {one.message}",
            )
