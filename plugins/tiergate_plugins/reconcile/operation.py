"""The operation ``reconcile``: what the sessions of one store say twice, and what of it contradicts itself.

No file is looked at, and nothing is changed: evidence and decisions are those of the command line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tiergate.hooks import OperationDeclaration, Requirement, hookimpl, whole_store
from tiergate.matching import Plan
from tiergate.operation import OperationError
from tiergate.store import SessionNotFound, Store

_EXTRA = "tiergate[reconcile]"


class Reconcile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``reconcile``: which sessions, and how much to return at most."""

    sessions: Annotated[
        tuple[str, ...] | None, Meta(description="ids of the sessions to compare; null for all of the store")
    ] = None
    limit: Annotated[int, Meta(ge=0, le=10_000, description="how many findings are returned at most")] = 50


class Noticed(msgspec.Struct, frozen=True):
    """One finding."""

    kind: Annotated[str, Meta(description="such as duplicate, status-conflict, cycle or bad-dependency")]
    severity: Literal["critical", "high", "medium", "low"]
    message: Annotated[str, Meta(description="what is wrong, and by which facts")]
    hint: Annotated[str, Meta(description="what to do about it")]
    tasks: Annotated[tuple[str, ...], Meta(description="the tasks, as SESSION/TASK")]


class Reconciled(msgspec.Struct, frozen=True):
    """Result of ``reconcile``."""

    sessions: Annotated[int, Meta(description="how many were compared")]
    tasks: Annotated[int, Meta(description="how many tasks they have")]
    same: Annotated[int, Meta(description="pairs of tasks of two sessions that are one piece of work")]
    duplicates: Annotated[int, Meta(description="pairs inside one session that are")]
    found: Annotated[int, Meta(description="how many findings there are")]
    findings: Annotated[tuple[Noticed, ...], Meta(description="the worst first, as many as were asked for")]


def reconcile(store: Store, session: str, arguments: Reconcile) -> Reconciled:  # noqa: ARG001
    """Match the tasks of sessions with each other, and say what is wrong with them.

    Raises:
        OperationError: a session is not there.
    """
    from tiergate.deciding import Inquiry
    from tiergate.reconcile.findings import find
    from tiergate_plugins.reconcile.matcher import match

    names = store.ids() if arguments.sessions is None else sorted(set(arguments.sessions))
    try:
        sessions = tuple(store.load(name) for name in names)
    except SessionNotFound as error:
        raise OperationError(error.what, hint=error.hint) from error
    plan = Plan(source="", sessions=sessions)
    matched = match([plan])
    findings = find(Inquiry(plans=(plan,), now=datetime.now(UTC), matched=matched))
    kinds = [str(one.kind) for one in matched.matches]
    return Reconciled(
        sessions=len(sessions),
        tasks=sum(len(one.tasks) for one in sessions),
        same=kinds.count("same"),
        duplicates=kinds.count("duplicate"),
        found=len(findings),
        findings=tuple(
            Noticed(
                str(one.kind),
                one.severity,
                one.message,
                one.hint,
                tuple(f"{ref.session}/{ref.task}" for ref in one.tasks),
            )
            for one in findings[: arguments.limit]
        ),
    )


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operation of this module."""
    yield OperationDeclaration(
        name="reconcile",
        summary="what sessions say twice, and what of it contradicts itself",
        arguments=Reconcile,
        run=reconcile,
        scope=whole_store,
        needs_session=False,
        requires=(
            Requirement(module="sparse_dot_topn", install=_EXTRA),
            Requirement(module="rapidfuzz", install=_EXTRA),
        ),
    )
