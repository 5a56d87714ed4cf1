"""The rules that ship, and what becomes of plans when decisions are carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from tiergate.deciding import Inquiry
from tiergate.hooks import DecisionRuleDeclaration
from tiergate.matching import Plan, tasks_of
from tiergate.model import Task
from tiergate.reconcile.adding import with_added
from tiergate.reconcile.grouping import as_json
from tiergate.reconcile_record import Decision, TaskRef
from tiergate_plugins.reconcile.rules import evidence, most_advanced, newest, three_way


@pytest.fixture(scope="session")
def rules() -> list[DecisionRuleDeclaration]:
    """The built-in rules, in no particular order."""
    modules = (newest, evidence, most_advanced, three_way)
    return [declared for module in modules for declared in module.tiergate_decision_rules()]


@pytest.fixture(scope="session")
def applied() -> Callable[[Inquiry, Sequence[Decision]], Inquiry]:
    """Makes every change of some decisions, each from the value that it says was there before."""
    return _applied


def _applied(inquiry: Inquiry, decisions: Sequence[Decision]) -> Inquiry:
    plans, decisions = with_added(inquiry.plans, decisions)
    found: dict[TaskRef, Task] = {ref: task for ref, _, task in tasks_of(plans)}
    for change in (change for one in decisions for change in one.changes):
        task = found[change.task]
        if change.field == "merged_into":
            extra = {**task.extra, "merged_into": change.after}
            fields: dict[str, Any] = {"status": "abandoned", "extra": extra}
        else:
            assert as_json(getattr(task, change.field)) == change.before
            fields = {change.field: change.after}
        found[change.task] = msgspec.convert({**msgspec.to_builtins(task), **fields}, Task)
    after = tuple(
        Plan(
            source=plan.source,
            sessions=tuple(
                msgspec.structs.replace(
                    one, tasks=tuple(found[TaskRef(plan.source, one.id, task.id)] for task in one.tasks)
                )
                for one in plan.sessions
            ),
        )
        for plan in plans
    )
    return Inquiry(
        plans=after,
        now=inquiry.now,
        base=inquiry.base,
        matched=inquiry.matched,
        evidence=inquiry.evidence,
    )
