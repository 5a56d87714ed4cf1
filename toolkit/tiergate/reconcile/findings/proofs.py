"""Claims without evidence, and evidence without a claim."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.model import Status
from tiergate.proof import weigh
from tiergate.reconcile.findings.view import OPEN, View, named
from tiergate.reconcile_record import Finding, FindingKind


def unproven(view: View) -> Iterator[Finding]:
    """Completed tasks whose evidence fails."""
    for ref, evidence in view.evidence.items():
        if ref not in view.tasks or view[ref].task.status is not Status.COMPLETED:
            continue
        proof = weigh(evidence)
        if proof.of not in ("missing", "begun") or (not proof.declared and proof.of != "missing"):
            continue  # that a text names one file more than there is says little
        yield Finding(
            kind=FindingKind.UNPROVEN,
            severity="high" if proof.declared else "medium",
            tasks=(ref,),
            message=f"{named(view[ref])} is completed, and "
            + (f"a check fails: {proof.facts}" if proof.declared else f"nothing shows it: {proof.facts}"),
            evidence=tuple(evidence),
            hint="look at what is there; open it again, or mend the check",
        )


def done_but_open(view: View) -> Iterator[Finding]:
    """Open tasks for which all declared checks hold."""
    for ref, evidence in view.evidence.items():
        if ref not in view.tasks or view[ref].task.status not in OPEN:
            continue
        proof = weigh(evidence)
        if proof.of == "done" and proof.declared:
            yield Finding(
                kind=FindingKind.DONE_BUT_OPEN,
                severity="medium",
                tasks=(ref,),
                message=f"{named(view[ref])} is {view[ref].task.status}, and all checks hold: {proof.facts}",
                evidence=tuple(evidence),
                hint="complete it, or say what is missing",
            )
