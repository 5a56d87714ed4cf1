"""The chain of decisions: what a person has answered, then the project's tree, then the rules by rank."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

import msgspec

from tiergate.deciding import SET_FIELDS, Inquiry, Question
from tiergate.hooks import DecisionRuleDeclaration
from tiergate.reconcile.answers import RULE as ANSWER
from tiergate.reconcile.answers import Answer, answered
from tiergate.reconcile.decision_tree import DecisionTree
from tiergate.reconcile.grouping import MERGED_INTO, Pair, as_json
from tiergate.reconcile.questions import APART, SAME, Asking, Group, question_id
from tiergate.reconcile.tree_decisions import BRANCH, tree_decisions
from tiergate.reconcile.tree_decisions import RULE as TREE
from tiergate.reconcile.verdicts import Verdict, decision_on, settle, versions
from tiergate.reconcile_record import Change, Decision, Match, TaskRef, TraceStep

HOME = "home"
"""The rule by which one of several same tasks carries on; see `tiergate.reconcile.homes`."""


def decide(
    inquiry: Inquiry,
    rules: Sequence[DecisionRuleDeclaration],
    tree: DecisionTree | None = None,
    answers: Sequence[Answer] = (),
) -> list[Decision]:
    """Decide everything that the plans leave open, in the order of the tree's file and then of the tasks.

    A person's answer counts before the tree, the tree before the rules, the rules by their rank; what none of
    them settles has the rule ``ask`` and changes nothing. Tasks that are one piece of work are merged into
    the one that carries on, unless their status waits for a person. The order of plans, rules and answers
    changes nothing.

    Raises:
        UsageError: the tree names a task or a check that is not there, or two of its branches apply.
    """
    given = {one.id: one for one in answers}
    asking = Asking(inquiry)
    if tree is None:
        return list(_all(asking, rules, given, ()))
    from_tree = tree_decisions(tree, inquiry, asking.tasks, given)
    from_tree = _without(from_tree, _answered(asking, given))
    return [*from_tree, *_all(asking, rules, given, from_tree)]


def _answered(asking: Asking, given: Mapping[str, Answer]) -> set[TaskRef]:
    """Tasks about whose status a person has answered."""
    if not given:
        return set()
    found = asking.about_fields(asking.group())
    return {
        option.task
        for _, question in found
        if question.field == "status" and question.id in given
        for option in question.options
    }


def _without(decisions: Sequence[Decision], settled: Collection[TaskRef]) -> list[Decision]:
    """The tree's decisions, without what a person has settled otherwise; the trace says so."""
    found = []
    for one in decisions:
        taken = [ref for ref in one.tasks if ref in settled] if one.field == "status" else []
        if taken:
            said = f"a person has answered about {', '.join(map(str, taken))}: it is left out here"
            one = msgspec.structs.replace(  # noqa: PLW2901
                one,
                tasks=tuple(ref for ref in one.tasks if ref not in settled),
                changes=tuple(change for change in one.changes if change.task not in settled),
                trace=(*one.trace, TraceStep(rule=ANSWER, said=said)),
            )
        found.append(one)
    return found


def _all(
    asking: Asking,
    rules: Sequence[DecisionRuleDeclaration],
    given: Mapping[str, Answer],
    from_tree: Sequence[Decision],
) -> Iterator[Decision]:
    """Decisions about pairs, then about the fields of each group, then which task of it carries on."""
    settled = {ref for one in from_tree if one.field in ("status", BRANCH) for ref in one.tasks}
    changes = [change for one in from_tree for change in one.changes]
    said = {(one.task, one.field) for one in changes}
    merged = {one.task: msgspec.convert(one.after, TaskRef) for one in changes if one.field == MERGED_INTO}
    asking.leave(settled, merged)
    joined: set[Pair] = set()
    for match, question in asking.about_links():
        verdict = settle(question, asking.inquiry, rules, given)
        if verdict.value == SAME:
            joined.add((match.a, match.b))
        yield _about_pair(match, question, verdict)
    groups = asking.group(joined)
    wishes = _Wishes(asking, groups, given)
    yield from wishes.decisions
    if wishes.apart or wishes.homes:
        groups = asking.group(joined, wishes.apart, wishes.homes)
    waiting: set[tuple[TaskRef, ...]] = set()
    for group, question in asking.about_fields(groups):
        if group.tasks in waiting and question.field in SET_FIELDS and versions(group) != group.tasks:
            continue  # what another task needs is carried over when it is merged, and it is not merged yet
        if any((ref, question.field) in said for ref in versions(group)):
            continue  # by the tree
        before = [TraceStep(rule=TREE, said="says nothing of this")] if from_tree else []
        verdict = settle(question, asking.inquiry, rules, given, before)
        if question.field == "status" and not verdict.decided:
            waiting.add(group.tasks)
        yield decision_on(group, question, verdict, asking.tasks)
    for group in groups:
        if group.tasks not in waiting:
            yield from _carried_on(group, wishes, merged)


def _about_pair(match: Match, question: Question, verdict: Verdict) -> Decision:
    names = f"{match.a} and {match.b}"
    likely = f"{match.probability:.0%} likely: {match.reason}"
    asked = not verdict.decided
    outcome = (
        f"{names} may be one piece of work ({likely}): a person has to say"
        if asked
        else f"{names} are {'one' if verdict.value == SAME else 'no one'} piece of work: {verdict.reason}"
    )
    return Decision(
        tasks=(match.a, match.b),
        rule=verdict.rule,
        outcome=outcome,
        trace=(TraceStep(rule="matching", said=likely), *verdict.trace),
        question=question.id,
        field=question.field,
        options=(SAME, APART) if asked else (),
    )


class _Wishes:
    """What people have answered about groups as a whole: which task carries on, or that they are several."""

    def __init__(self, asking: Asking, groups: Sequence[Group], given: Mapping[str, Answer]) -> None:
        self.apart: set[Pair] = set()
        self.homes: dict[TaskRef, str] = {}
        self.decisions: list[Decision] = []
        self.steps: dict[str, TraceStep] = {}
        self._asking = asking
        for group in groups if given else ():
            question = self.question(group)
            names = {f"{ref.session}/{ref.task}": ref for ref in reversed(group.tasks)}
            answer, step = answered(question, (*names, APART), given)
            if answer is not None and answer.value == APART:
                self.apart.update(combinations(group.tasks, 2))
                outcome = f"{', '.join(map(str, group.tasks))} are kept apart: {step.said}"
                self.decisions.append(
                    Decision(
                        tasks=group.tasks, rule=ANSWER, outcome=outcome, trace=(step,), question=question
                    )
                )
            elif answer is not None and answer.value in names:
                self.homes[names[answer.value]] = step.said
            elif answer is not None:
                said = f"is passed over: {answer.value!r} is none of {', '.join(names)}"
                step = TraceStep(rule=ANSWER, said=said)
            self.steps[question] = step

    def question(self, group: Group) -> str:
        """The id of the question which task of a group carries on."""
        return question_id("home", [self._asking.tasks[ref] for ref in group.tasks])

    def step(self, question: str) -> tuple[TraceStep, ...]:
        """What the trace says of the answer to it, where anybody has answered anything."""
        return (self.steps[question],) if question in self.steps else ()


def _carried_on(group: Group, wishes: _Wishes, merged: Mapping[TaskRef, TaskRef]) -> Iterator[Decision]:
    """That the tasks of a group are merged into its home, unless they are one task in the plan anyway."""
    home = group.home
    kept = versions(group)
    away = [ref for ref in group.tasks if ref not in kept and ref not in merged]
    if not away:
        return
    question = wishes.question(group)
    before = wishes.step(question)
    answered_so = any(step.decided for step in before)
    steps = before if answered_so else (*before, TraceStep(rule=HOME, said=home.why, decided=True))
    after = as_json(home.ref)
    yield Decision(
        tasks=group.tasks,
        rule=ANSWER if answered_so else HOME,
        outcome=f"{home.ref} carries on for {', '.join(map(str, away))}: {home.why}",
        trace=steps,
        question=question,
        field=MERGED_INTO,
        changes=tuple(Change(task=ref, field=MERGED_INTO, before=None, after=after) for ref in away),
    )
