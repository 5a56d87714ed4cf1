"""The most advanced status: work goes on in one direction, and a plan that lags behind was not told."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.deciding import Inquiry, Question, Ruling
from tiergate.hooks import DecisionRuleDeclaration, hookimpl
from tiergate.model import Status

ORDER = (Status.QUEUED, Status.BLOCKED, Status.ACTIVE, Status.COMPLETED)


def rule(question: Question, _inquiry: Inquiry) -> Ruling:
    """Rule on a status: queued, blocked, active, completed, the last of those that are stated.

    Completed stands against abandoned: that work was done is a fact about the work, which dropping it from a
    plan does not undo. An open status against abandoned is passed on: whether to go on with it is a choice,
    and no plan is further than the other.
    """
    if question.field != "status":
        return Ruling(reason="only a status is more or less advanced")
    said = [str(option.value) for option in question.options]
    if len(set(said)) == 1:
        return Ruling(reason=f"all say {said[0]}")
    unknown = sorted(set(said) - set(Status))
    if unknown:
        return Ruling(reason=f"{unknown[0]!r} is no status")
    if Status.ABANDONED in said:
        if Status.COMPLETED not in said:
            return Ruling(reason="one has abandoned it, another goes on with it: that is a choice, not a lag")
        done, dropped = _who(question, Status.COMPLETED), _who(question, Status.ABANDONED)
        reason = f"{done} has completed it; that {dropped} has dropped it undoes no work"
        return Ruling(decided=True, value=Status.COMPLETED.value, reason=reason)
    best = max(map(Status, said), key=ORDER.index)
    behind = ", ".join(dict.fromkeys(one for one in said if one != best))
    reason = f"{_who(question, best)} says {best}, which is further than {behind}"
    return Ruling(decided=True, value=best.value, reason=reason)


def _who(question: Question, status: Status) -> str:
    """The first task that says so."""
    return next(str(option.task) for option in question.options if option.value == status)


@hookimpl
def tiergate_decision_rules() -> Iterator[DecisionRuleDeclaration]:
    """The rule of this module."""
    yield DecisionRuleDeclaration(
        name="most-advanced", summary="of several statuses the most advanced one", rank=300, rule=rule
    )
