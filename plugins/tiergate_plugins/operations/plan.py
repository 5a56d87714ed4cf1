"""Operation that orders the open tasks of a session."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.flow import Plan
from tiergate.flow.graph import TaskGraph
from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.store import Store
from tiergate_plugins.operations._sessions import named
from tiergate_plugins.operations.flow_arguments import PlanArguments


def plan(store: Store, session: str, _arguments: PlanArguments) -> Plan:
    """The critical path of a session, and its open tasks in layers that can each be done side by side.

    Raises:
        DependencyCycle: open tasks wait for each other.
    """
    graph = TaskGraph(store.load(session).tasks, named(session))
    path, weight = graph.critical_path()
    return Plan(critical_path=path, weight=weight, layers=graph.layers(), open=len(graph.tasks))


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operation of this module."""
    yield OperationDeclaration(
        name="plan",
        summary="the critical path of a session, and its open tasks in layers",
        arguments=PlanArguments,
        run=plan,
        cached=True,
    )
