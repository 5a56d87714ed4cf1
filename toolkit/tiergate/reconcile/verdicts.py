"""What becomes of one question: an answer, or the first rule that decides; and the changes that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tiergate.deciding import Inquiry, Question, folded
from tiergate.hooks import DecisionRuleDeclaration
from tiergate.model import Status, Task
from tiergate.reconcile.answers import RULE as ANSWER
from tiergate.reconcile.answers import Answer, answered
from tiergate.reconcile.grouping import as_json
from tiergate.reconcile.questions import APART, SAME, TEXT_FIELDS, Group
from tiergate.reconcile_record import Change, Decision, TaskRef, TraceStep

ASK = "ask"
"""The rule at the end of every chain: a person has to say."""

_TYPES = {field.name: field.type for field in msgspec.structs.fields(Task)}


class Verdict(NamedTuple):
    """What a chain made of a question.

    Attributes:
        rule: the one that decided, or ``ask``.
        reason: of that rule, one line.
        value: None where a person is asked.
    """

    rule: str
    reason: str
    value: Any
    trace: tuple[TraceStep, ...]

    @property
    def decided(self) -> bool:
        """Whether there is a value."""
        return self.rule != ASK


def ask_rules(
    question: Question,
    inquiry: Inquiry,
    rules: Sequence[DecisionRuleDeclaration],
    before: Sequence[TraceStep] = (),
) -> Verdict:
    """Ask the rules in the order of their ranks until one decides.

    A rule that fails, or that decides on what the field cannot be, is passed over; the trace says so.

    Args:
        before: steps of the trace that came before.
    """
    trace = list(before)
    for declaration in sorted(rules, key=lambda one: (one.rank, one.name)):
        try:
            ruling = declaration.rule(question, inquiry)
        except Exception as error:
            trace.append(TraceStep(rule=declaration.name, said=f"failed: {type(error).__name__}: {error}"))
            continue
        wrong = invalid(question.field, ruling.value) if ruling.decided else ""
        if wrong:
            trace.append(TraceStep(rule=declaration.name, said=f"is passed over: {wrong}"))
            continue
        trace.append(TraceStep(rule=declaration.name, said=ruling.reason, decided=ruling.decided))
        if ruling.decided:
            return Verdict(declaration.name, ruling.reason, ruling.value, tuple(trace))
    reason = "no rule could tell"
    trace.append(TraceStep(rule=ASK, said=f"{reason}: a person has to say", decided=True))
    return Verdict(ASK, reason, None, tuple(trace))


def settle(
    question: Question,
    inquiry: Inquiry,
    rules: Sequence[DecisionRuleDeclaration],
    answers: Mapping[str, Answer],
    before: Sequence[TraceStep] = (),
) -> Verdict:
    """What a person has answered, or else what the rules say."""
    known = choices(question) if question.id in answers else ()
    answer, step = answered(question.id, known, answers, question.field)
    if answer is not None:
        wrong = invalid(question.field, answer.value)
        if not wrong:
            return Verdict(ANSWER, step.said, answer.value, (*before, step))
        step = TraceStep(rule=ANSWER, said=f"is passed over: {wrong}")
    return ask_rules(question, inquiry, rules, (*before, step))


def invalid(name: str, value: Any) -> str:
    """Why a field cannot have a value, in one line; empty where it can."""
    if name == "same":
        return "" if value in (SAME, APART) else f"{value!r} is neither {SAME!r} nor {APART!r}"
    if name not in _TYPES:
        return ""
    try:
        made = msgspec.convert(value, _TYPES[name])
    except msgspec.ValidationError as error:
        return f"{name} cannot be {value!r}: {error}"
    if isinstance(made, float) and not 0 <= made < float("inf"):
        return f"{name} cannot be {value!r}: it is at least 0, and a number"
    return ""


def choices(question: Question) -> tuple[Any, ...]:
    """The values that a person may choose from: what the tasks say, or what else a doubted status may be."""
    if question.field == "same":
        return (SAME, APART)
    found: dict[Any, Any] = {}
    for option in question.options:
        found.setdefault(folded(question.field, option.value), option.value)
    if question.field == "status" and len(found) == 1:
        [said] = found.values()
        others = (Status.ACTIVE, Status.QUEUED) if said == Status.COMPLETED else (Status.COMPLETED,)
        return (said, *(other.value for other in others))
    return tuple(found.values())


def decision_on(group: Group, question: Question, verdict: Verdict, tasks: Mapping[TaskRef, Any]) -> Decision:
    """The decision that follows from a verdict on a field of a group, with its changes.

    A text is set in every version of the record. A status, a set is set where the work is carried on.
    """
    home = group.home.ref
    subject = f"{home.session}/{home.task}"
    refs = tuple(option.task for option in question.options)
    if not verdict.decided:
        values = " or ".join(repr(one) for one in choices(question))
        return Decision(
            tasks=refs,
            rule=ASK,
            outcome=f"{subject}: {question.field} is {values}: a person has to say",
            trace=verdict.trace,
            question=question.id,
            field=question.field,
            options=choices(question),
        )
    changed = refs if question.field in TEXT_FIELDS else versions(group)
    changes = (
        Change(
            task=ref, field=question.field, before=_said(tasks[ref].task, question.field), after=verdict.value
        )
        for ref in changed
    )
    return Decision(
        tasks=refs,
        rule=verdict.rule,
        outcome=f"{subject}: {question.field} is {_shown(verdict.value)}: {verdict.reason}",
        trace=verdict.trace,
        question=question.id,
        field=question.field,
        changes=tuple(
            one for one in changes if folded(one.field, one.before) != folded(one.field, one.after)
        ),
    )


def versions(group: Group) -> tuple[TaskRef, ...]:
    """The home and what has its session and id in another source: in the merged plan they are one task."""
    home = group.home.ref
    return tuple(ref for ref in group.tasks if (ref.session, ref.task) == (home.session, home.task))


def _said(task: Task, name: str) -> Any:
    return as_json(getattr(task, name))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and " " not in value else repr(value)
