"""A decision tree laid on plans: which branch applies, and the decisions that follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from tiergate.deciding import Inquiry
from tiergate.errors import UsageError, unknown_name
from tiergate.model import Status, Task
from tiergate.proof import Outcome, one_outcome
from tiergate.reconcile.answers import Answer, answered
from tiergate.reconcile.decision_tree import Branch, DecisionTree, Tree
from tiergate.reconcile.grouping import MERGED_INTO, Tasks, as_json
from tiergate.reconcile.tree_actions import Action
from tiergate.reconcile.tree_conditions import checks_of, describe
from tiergate.reconcile.tree_places import Places, slug
from tiergate.reconcile_record import Change, Decision, Evidence, TaskRef, TraceStep

RULE = "tree"

NEXT = "next"
"""The field of a decision that says with which task to continue; it changes nothing."""

BRANCH = "branch"
"""The field of a decision about a tree as a whole. Where it is open, what its branches rule on waits."""

ADDED = "added"
"""The field of a change that adds a task: `Change.task` is where, `Change.after` the whole task."""

RULED = ("status", MERGED_INTO)
"""Fields of decisions by which a tree rules on what becomes of tasks."""

CLOSED = (Status.COMPLETED, Status.ABANDONED)


def tree_decisions(
    tree: DecisionTree, inquiry: Inquiry, tasks: Tasks, answers: Mapping[str, Answer]
) -> list[Decision]:
    """The decisions of every tree of a file, in its order: one for each action of the branch that applies.

    Where unknown checks leave open which one does, a person is asked for the branch; the question is
    ``tree:NAME``, and an answer to it is followed whatever the checks say.

    Raises:
        UsageError: a tree names a check, session or task that is not there, or a branch says two things of
            one task. Branches that do not apply are looked at too.
    """
    checks: dict[str, list[Evidence]] = {}
    for one in inquiry.evidence:
        if one.name:
            checks.setdefault(one.name, []).append(one)
    places = Places(tree.at, tasks)
    found: list[Decision] = []
    for each in tree.trees:
        for branch in each.branches:
            for name in checks_of(branch.when) if branch.when else ():
                if name not in checks:
                    raise unknown_name("check", name, checks, where=tree.at(branch.line, name))
        planned = {branch.name: list(_planned(branch, places)) for branch in each.branches}
        found += _of_tree(each, checks, planned, answers)
    return found


def _of_tree(
    tree: Tree,
    checks: Mapping[str, Sequence[Evidence]],
    planned: Mapping[str, list[Decision]],
    answers: Mapping[str, Answer],
) -> list[Decision]:
    outcomes: dict[str, Outcome] = {name: one_outcome(checks[name]) for name in tree.checks()}
    question = f"tree:{tree.name}"
    names = tuple(branch.name for branch in tree.branches)
    answer, step = answered(question, names, answers)
    trace = [step, *(_told(name, outcome, checks[name]) for name, outcome in outcomes.items())]
    applying = tree.applying(outcomes)
    if answer is not None and answer.value not in names:
        trace[0] = TraceStep(rule=step.rule, said=f"is passed over: there is no branch {answer.value!r}")
    elif answer is not None:
        applying = [branch for branch in tree.branches if branch.name == answer.value]
    if not applying:
        unknown = ", ".join(name for name, outcome in outcomes.items() if outcome == "unknown")
        said = f"{tree.name}: which branch applies hangs on what is unknown: {unknown}"
        trace += map(_offered, tree.branches)
        trace.append(TraceStep(rule="ask", said=said, decided=True))
        waiting = {ref for one in chain(*planned.values()) if one.field in RULED for ref in one.tasks}
        return [
            Decision(
                tasks=tuple(sorted(waiting)),
                rule="ask",
                outcome=said,
                trace=tuple(trace),
                question=question,
                field=BRANCH,
                options=names,
            )
        ]
    [branch] = applying
    chosen = answer is not None and answer.value == branch.name
    why = (
        "a person has chosen it" if chosen else describe(branch.when) if branch.when else "no other one does"
    )
    said = f"{tree.name}: branch {branch.name!r} applies, since {why}: {branch.message}"
    trace.append(TraceStep(rule=RULE, said=said, decided=not chosen))
    if not planned[branch.name]:
        return [
            Decision(tasks=(), rule=RULE, outcome=said, trace=tuple(trace), question=question, field=BRANCH)
        ]
    return [
        msgspec.structs.replace(one, trace=tuple(trace), question=question, rule="answer" if chosen else RULE)
        for one in planned[branch.name]
    ]


def _offered(branch: Branch) -> TraceStep:
    """What a person should know of a branch to choose it."""
    where = describe(branch.when) if branch.when else "no other one does"
    return TraceStep(rule=f"branch {branch.name}", said=f"{branch.message}; applies where {where}")


def _told(name: str, outcome: Outcome, evidence: Sequence[Evidence]) -> TraceStep:
    said = "is unknown" if outcome == "unknown" else outcome
    messages = "; ".join(dict.fromkeys(one.message for one in evidence))
    return TraceStep(rule=f"check {name}", said=f"{said}: {messages}")


def _planned(branch: Branch, places: Places) -> Iterator[Decision]:
    """The decisions of a branch, without the trace."""
    spoken: dict[TaskRef, Action] = {}
    for action in branch.actions:
        decision = _MAKERS[action.kind](action, places)
        if decision.field in RULED:
            of = decision.tasks[:-1] if action.kind == "merge" else decision.tasks
            for ref in of:
                if ref in spoken:
                    raise UsageError(
                        f"branch {branch.name!r} says {spoken[ref].kind!r} (line {spoken[ref].line}) and "
                        f"{action.kind!r} of {ref.session}/{ref.task}",
                        where=places.at(action.line, ""),
                        hint="one action a task; `except` takes tasks out of a session",
                    )
                spoken[ref] = action
        yield decision


def _statuses(action: Action, refs: Sequence[TaskRef], places: Places, status: Status | None) -> Decision:
    """Set a status, or leave each task as it is where there is none to set."""
    changes = tuple(
        Change(task=ref, field="status", before=places.tasks[ref].task.status.value, after=status.value)
        for ref in refs
        if status is not None and places.tasks[ref].task.status != status
    )
    return Decision(
        tasks=tuple(refs), rule=RULE, outcome=action.because, trace=(), field="status", changes=changes
    )


def _set(action: Action, places: Places) -> Decision:
    return _statuses(action, places.named(action.options["tasks"], action.line), places, action.subject)


def _abandon(action: Action, places: Places) -> Decision:
    """Every task, also one that the plan calls completed: the plan as a whole does not stand."""
    return _statuses(action, _of_sessions(action, places), places, Status.ABANDONED)


def _close(action: Action, places: Places) -> Decision:
    """Every open task is completed; what was abandoned stays so."""
    refs = [ref for ref in _of_sessions(action, places) if places.tasks[ref].task.status != Status.ABANDONED]
    return _statuses(action, refs, places, Status.COMPLETED)


def _of_sessions(action: Action, places: Places) -> list[TaskRef]:
    left_out = set(places.named(action.options.get("except", ()), action.line))
    named = places.named([f"{session}/*" for session in action.subject], action.line)
    return [ref for ref in named if ref not in left_out]


def _merge(action: Action, places: Places) -> Decision:
    [into, *_] = places.named([action.options["into"]], action.line)
    refs = places.named(action.subject, action.line)
    if any((ref.session, ref.task) == (into.session, into.task) for ref in refs):
        raise UsageError(
            f"{into.session}/{into.task} is merged into itself", where=places.at(action.line, "")
        )
    after = as_json(into)
    changes = []
    for ref in refs:
        before = places.tasks[ref].task.extra.get(MERGED_INTO)
        there = isinstance(before, Mapping) and (before.get("session"), before.get("task"))
        if there != (into.session, into.task):
            changes.append(Change(task=ref, field=MERGED_INTO, before=before, after=after))
    return Decision(
        tasks=(*refs, into),
        rule=RULE,
        outcome=action.because,
        trace=(),
        field=MERGED_INTO,
        changes=tuple(changes),
    )


def _continue(action: Action, places: Places) -> Decision:
    refs = places.named([action.subject], action.line)
    return Decision(tasks=tuple(refs), rule=RULE, outcome=action.because, trace=(), field=NEXT)


def _add(action: Action, places: Places) -> Decision:
    """Add a task, unless one of this id and title is there already: then a run before this one added it."""
    options: Mapping[str, Any] = action.options
    home = places.session(options["session"], action.line)
    ref = TaskRef(home.source, home.session, options.get("id") or slug(action.subject))
    needs = places.named(options.get("needs", ()), action.line)
    there = places.tasks.get(ref)
    changes: list[Change] = []
    if there is None:
        needed = tuple(dict.fromkeys(one.task for one in needs if one.session == ref.session))
        task = Task(
            id=ref.task,
            title=action.subject,
            notes=options.get("notes", ""),
            dependencies=needed,
            extra={"estimate": options["estimate"]},
        )
        changes.append(Change(task=ref, field=ADDED, before=None, after=as_json(task)))
    elif there.task.title != action.subject:
        raise UsageError(
            f"{ref.session}/{ref.task} is there and is another task: {there.task.title!r}",
            where=places.at(action.line, ""),
            hint="give the new task another `id`",
        )
    for one in places.named(options.get("needed_by", ()), action.line):
        before = list(places.tasks[one].task.dependencies)
        if one.session == ref.session and ref.task not in before:
            changes.append(Change(task=one, field="dependencies", before=before, after=[*before, ref.task]))
    return Decision(
        tasks=(ref,), rule=RULE, outcome=action.because, trace=(), field=ADDED, changes=tuple(changes)
    )


_MAKERS = {
    "set": _set,
    "merge": _merge,
    "abandon": _abandon,
    "close": _close,
    "continue": _continue,
    "add": _add,
}
