"""Operation that says how a session is getting on."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.flow import Flow
from tiergate.flow.outlook import outlook
from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.store import Store
from tiergate_plugins.operations._sessions import moment, named
from tiergate_plugins.operations.flow_arguments import FlowArguments


def flow(store: Store, session: str, arguments: FlowArguments) -> Flow:
    """The flow state of a session now, its momentum and trend, and what is expected next.

    Raises:
        DependencyCycle: open tasks wait for each other.
    """
    return outlook(
        store.load(session).tasks,
        moment(arguments.now),
        half_life_s=arguments.half_life_s,
        horizon_s=arguments.horizon_s,
        where=named(session),
    )


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operation of this module."""
    yield OperationDeclaration(
        name="flow",
        summary="the flow state and momentum of a session, and what is expected next",
        arguments=FlowArguments,
        run=flow,
    )
