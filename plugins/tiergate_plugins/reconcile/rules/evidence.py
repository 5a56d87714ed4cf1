"""Evidence decides a status: what stands in the tree or in history outweighs what a plan claims."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.deciding import Inquiry, Question, Ruling, evidence_about
from tiergate.hooks import DecisionRuleDeclaration, hookimpl
from tiergate.model import Status
from tiergate.proof import Proof, weigh

OPEN = (Status.ACTIVE, Status.BLOCKED, Status.QUEUED)
"""The most advanced first."""


def rule(question: Question, inquiry: Inquiry) -> Ruling:
    """Rule on a status by what was checked. Declared evidence outweighs inferred; see `tiergate.proof.weigh`.

    Proven work is completed. Of work that is missing or only begun, the most advanced open status stands
    that a plan states; where all call it completed, only evidence that a person asked for may say otherwise:
    it is then ``queued`` if nothing of it is there, and ``active`` if some is.
    """
    if question.field != "status":
        return Ruling(reason="evidence speaks of statuses only")
    said = {str(option.value) for option in question.options}
    proof = weigh(evidence_about(inquiry, [option.task for option in question.options]))
    if proof.of == "nothing":
        told = f"it could not be told: {proof.facts}" if proof.facts else "nothing was checked"
        return Ruling(reason=f"no evidence: {told}")
    asked = "declared" if proof.declared else "inferred"
    facts = f"{asked} evidence: {proof.facts}"
    if proof.of == "done":
        return _done(said, proof, facts)
    return _not_done(said, proof, facts)


def _done(said: set[str], proof: Proof, facts: str) -> Ruling:
    if Status.COMPLETED in said or (proof.declared and said != {Status.ABANDONED}):
        return Ruling(decided=True, value=Status.COMPLETED.value, reason=f"the work is there; {facts}")
    return Ruling(reason=f"the work seems to be there, but no plan calls it completed; {facts}")


def _not_done(said: set[str], proof: Proof, facts: str) -> Ruling:
    if Status.COMPLETED not in said:
        return Ruling(reason=f"it does not tell these statuses apart; {facts}")
    if proof.of == "begun":
        reason = f"some is there, some is not; {facts}"
        return Ruling(decided=proof.declared, value=Status.ACTIVE.value, reason=reason)
    stands = next((status for status in (*OPEN, Status.ABANDONED) if status in said), None)
    if stands is None and proof.declared:
        stands = Status.QUEUED
    if stands is None:
        return Ruling(reason=f"all plans call it completed, and it is not found; {facts}")
    return Ruling(decided=True, value=stands.value, reason=f"the work is not there; {facts}")


@hookimpl
def tiergate_decision_rules() -> Iterator[DecisionRuleDeclaration]:
    """The rule of this module."""
    yield DecisionRuleDeclaration(
        name="evidence", summary="what stands in the tree or in history decides a status", rank=100, rule=rule
    )
