"""Operations that balance a session: say which tasks should be active, or make them so."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tiergate.flow import Balance
from tiergate.flow.balance import balance as balanced
from tiergate.flow.moments import text_of
from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.model import Status
from tiergate.store import Store
from tiergate_plugins.operations._sessions import moment, named, retried
from tiergate_plugins.operations.flow_arguments import BalanceApplied, BalanceArguments


def balance(store: Store, session: str, arguments: BalanceArguments) -> Balance:
    """Which tasks of a session should be active now, and which active ones should step back."""
    return balanced(
        store.load(session).tasks,
        arguments.wip_limit,
        moment(arguments.now),
        half_life_s=arguments.half_life_s,
        where=named(session),
    )


def balance_apply(store: Store, session: str, arguments: BalanceArguments) -> BalanceApplied:
    """Make the tasks active that should be, and queue the others. Durable when it returns.

    Where nothing changes nothing is written.
    """
    return retried(session, lambda: _applied(store, session, arguments))


def _applied(store: Store, session: str, arguments: BalanceArguments) -> BalanceApplied:
    loaded = store.load(session)
    now = moment(arguments.now)
    decided = balanced(
        loaded.tasks, arguments.wip_limit, now, half_life_s=arguments.half_life_s, where=named(session)
    )
    started = [one.task for one in decided.active if one.action == "start"]
    queued = [one.task for one in decided.step_back]
    become = {**dict.fromkeys(started, Status.ACTIVE), **dict.fromkeys(queued, Status.QUEUED)}
    changed = [
        msgspec.structs.replace(task, status=become[task.id], updated_at=text_of(now))
        for task in loaded.tasks
        if task.id in become
    ]
    version = loaded.version
    if changed:
        version = store.upsert_tasks(session, changed, expected_version=version)
    return BalanceApplied(balance=decided, started=started, queued=queued, version=version)


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operations of this module."""
    yield OperationDeclaration(
        name="balance",
        summary="which tasks of a session should be active now, with reasons",
        arguments=BalanceArguments,
        run=balance,
    )
    yield OperationDeclaration(
        name="balance_apply",
        summary="make the tasks active that should be, and queue the others, durably",
        arguments=BalanceArguments,
        run=balance_apply,
        writes=True,
    )
