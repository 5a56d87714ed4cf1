"""Calls that were never carried, a clock that is set, and a pool of real workers behind a dispatcher."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tiergate.dispatch import Call, Dispatcher, Outcome
from tiergate.operation import Failure, Reply, Request, Scope
from tiergate.pool import DeadlineExceeded, Overloaded, PoolSpec, TierSpec, WorkerDied
from tiergate.routing import Choice, Cutoffs, PoolView, RequestFacts, Router, RouterSetup
from tiergate.testing.pool_parts import REFERENCE, SCHEME
from tiergate_plugins.pools.local_pool import LocalPool

FAULTY = "faulty_operations"
MODULES = Path(__file__).parent.parent / "pools" / "modules"

CRASH = Failure("OperationCrashed", "it failed")
REFUSAL = Failure("OperationError", "no such task")
FULL = Failure("StoreFailed", "the disk is full; nothing was written")

_numbers = count(1)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Noted:
    """Keeps what a policy notes."""

    kinds: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)

    def __call__(self, kind: str, who: str = "", cause: str = "", effect: str = "") -> None:
        assert cause
        assert effect
        self.kinds.append(kind)
        self.causes.append(cause)


def facts_of(request: Request, *, writes: bool = False) -> RequestFacts:
    """Facts of a request of which nothing matters but its operation and whether it writes."""
    return RequestFacts(
        request=request.id,
        operation=request.operation,
        session=request.session,
        arguments=request.arguments,
        payload_bytes=0,
        scope=Scope.SESSION,
        read_tasks=0,
        read_bytes=0,
        writes=writes,
    )


def made_call(
    operation: str = "task_get", *, tier: str | None = "hot", session: str | None = "s", writes: bool = False
) -> Call:
    """A call for which a tier was chosen."""
    number = next(_numbers)
    request = Request(number, operation, session, {})
    return Call(f"call-{number}", request, facts_of(request, writes=writes), 10.0, choice=Choice(tier))


def answered(call: Call, failure: Failure | None = None, *, seconds: float = 0.25) -> Call:
    """The call with an answer after so many seconds."""
    call.reply = Reply(call.request.id, None, failure, 200_000_000, "hot-1", 50_000_000)
    call.ended = call.began + seconds
    call.outcome = Outcome.ANSWERED if failure is None else Outcome.REFUSED
    return call


ERRORS: dict[Outcome, BaseException] = {
    Outcome.FAILED: WorkerDied("worker hot-1 ended"),
    Outcome.TIMED_OUT: DeadlineExceeded("too long"),
    Outcome.OVERLOADED: Overloaded("full"),
    Outcome.CANCELLED: KeyboardInterrupt(),
}


def unanswered(call: Call, outcome: Outcome) -> Call:
    """The call that ended without an answer."""
    call.outcome, call.error, call.ended = outcome, ERRORS[outcome], call.began + 0.5
    return call


class Fixed(Router):
    """Sends everything to one tier."""

    def __init__(self, tier: str) -> None:
        super().__init__(RouterSetup(cutoffs=Cutoffs(hot_s=0.01, warm_s=0.1)))
        self._choice = Choice(tier)

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        return self._choice


Made = Callable[..., PoolSpec]


def pool_spec(folder: Path, **changes: Any) -> PoolSpec:
    """One hot worker on an empty store; the modules of the pool tests must be on PYTHONPATH."""
    given: dict[str, Any] = {
        "tiers": [TierSpec("hot", 1)],
        "store": f"{SCHEME}:{folder / 'store.json'}",
        "store_plugins": [REFERENCE],
        "operation_plugins": [REFERENCE, FAULTY],
        "start_timeout_s": 60.0,
    }
    return PoolSpec(**{**given, **changes})


@asynccontextmanager
async def dispatching(
    spec: PoolSpec, *, writing: Iterable[str] = (), deadline_s: float = 60.0
) -> AsyncIterator[Dispatcher]:
    """A dispatcher on a pool of real workers."""
    names = frozenset(writing)
    async with LocalPool(spec) as pool:
        yield Dispatcher(
            pool,
            Fixed("hot"),
            lambda request: facts_of(request, writes=request.operation in names),
            deadline_s=deadline_s,
        )
