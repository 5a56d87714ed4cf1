"""Routing: which tier and worker serve a request, chosen from what is known before it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, ClassVar, Literal

import msgspec

from tiergate.operation import Scope

Tier = Literal["hot", "warm", "cold"]
TIERS: tuple[Tier, ...] = ("hot", "warm", "cold")


class RequestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request before it runs. Nothing here was measured on the request itself.

    Attributes:
        request: id of the request in its trace.
        operation: its operation.
        session: the session it names, if any.
        arguments: its arguments.
        payload_bytes: size of the encoded arguments.
        scope: what the operation says it will read.
        read_tasks: number of tasks in that scope, from the store's catalogue.
        read_bytes: stored bytes in that scope, likewise.
        writes: whether the operation changes the store.
    """

    request: int
    operation: str
    session: str | None
    arguments: Mapping[str, Any]
    payload_bytes: int
    scope: Scope
    read_tasks: int
    read_bytes: int
    writes: bool


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker as a router sees it: requests assigned to it and unfinished, and their estimated seconds."""

    name: str
    tier: str
    waiting: int
    work_left_s: float


@dataclass(frozen=True, slots=True)
class PoolView:
    """The pool at one moment.

    Attributes:
        workers: those that are ready to take requests; others are left out.
        capacity: workers that each tier may have, by its name. A tier with a capacity and no worker
            that is ready starts one on demand. Empty: the workers that are ready are all there may be.
    """

    workers: Sequence[WorkerView]
    capacity: Mapping[str, int] = field(default_factory=dict)

    def of_tier(self, tier: str) -> list[WorkerView]:
        """The workers of one tier."""
        return [worker for worker in self.workers if worker.tier == tier]

    def has_ready(self) -> bool:
        """Whether a worker is ready; False when the first one has yet to be started, on demand.

        Raises:
            LookupError: there is no worker, and no tier that starts one.
        """
        if not self.workers and not any(self.capacity.values()):
            raise LookupError("no worker is ready")
        return bool(self.workers)


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a request goes.

    Attributes:
        tier: None leaves it to whichever worker of the pool is free first.
        worker: None leaves it to whichever worker of the tier is free first.
        estimate_s: expected service time in seconds; 0 when the router estimates none.
        is_fallback: whether the router set tiers aside for this request, as `Router.notices` says; its tier
            is then only that of its worker, and says nothing of what the request was taken for.
    """

    tier: str | None = None
    worker: str | None = None
    estimate_s: float = 0.0
    is_fallback: bool = False

    @property
    def meant_tier(self) -> str | None:
        """The tier in which the router says that the request belongs, to be judged by it; None for none."""
        return None if self.is_fallback else self.tier


Feature = str | int | float | bool | None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request goes where it goes.

    Attributes:
        features: what the router looked at, by name.
        estimate_s: expected service time in seconds; 0 when the router estimates none.
        uncertainty: the service time lies within a factor of this of the estimate, either way, with a
            probability of 95 %; at least 1. None when the router does not know.
        tier: as in the choice.
        worker: as in the choice.
        reason: one sentence.
    """

    features: Mapping[str, Feature]
    estimate_s: float
    uncertainty: float | None
    tier: str | None
    worker: str | None
    reason: str


def features_of(facts: RequestFacts) -> dict[str, Feature]:
    """What is known of a request, short enough to be shown: its facts without the arguments themselves."""
    return {
        "operation": facts.operation,
        "session": facts.session,
        "scope": facts.scope.value,
        "payload_bytes": facts.payload_bytes,
        "read_tasks": facts.read_tasks,
        "read_bytes": facts.read_bytes,
        "writes": facts.writes,
    }


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Service times in seconds that part the tiers: hot < `hot_s` ≤ warm < `warm_s` ≤ cold."""

    hot_s: float
    warm_s: float

    def tier(self, service_s: float) -> Tier:
        """The tier in which a request of that service time belongs."""
        if service_s < self.hot_s:
            return "hot"
        return "warm" if service_s < self.warm_s else "cold"


@dataclass(frozen=True, slots=True)
class Observation:
    """A request of the training trace, and the service time that was measured for it, in seconds."""

    facts: RequestFacts
    service_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSetup:
    """What a router is built from.

    Attributes:
        cutoffs: found on the training trace.
        training: requests of the training trace, which shares no seed or session with the judged one.
        sealed: measured service time in seconds by request id, for a router whose declaration says
            that it is an oracle; None for every other.
        seed: for a router that draws at random.
        clock: seconds since some moment, for a router that watches rates; whoever replays a trace faster
            than it was made gives the clock of the trace.
    """

    cutoffs: Cutoffs
    training: Sequence[Observation] = ()
    sealed: Mapping[int, float] | None = None
    seed: int = 0
    clock: Callable[[], float] = monotonic


class Router(ABC):
    """Picks a tier and a worker. Called once per request, in the order of intended starts, by one thread.

    Attributes:
        keeps_sessions: whether requests of one session go to one worker of a tier as long as that worker
            is ready and not overloaded.
    """

    keeps_sessions: ClassVar[bool] = False

    def __init__(self, setup: RouterSetup) -> None:
        self.setup = setup

    @abstractmethod
    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        """Where this request goes. A router that is declared to choose a tier names one.

        Must not block, and must not depend on anything but its arguments, the setup and its clock, and
        what `completed` was told.

        Raises:
            LookupError: the pool has no worker that this router could use; one that leaves the worker open
                can also use a tier that starts its workers on demand.
        """

    def explain(self, facts: RequestFacts, pool: PoolView) -> Explanation:
        """Why `choose`, called now with the same arguments, would choose what it would choose.

        Changes nothing: no later choice differs because of it. This one asks a copy of the router; one
        that cannot be copied, or has more to say, overrides it.

        Raises:
            LookupError: as `choose`.
        """
        choice = deepcopy(self, {id(self.setup): self.setup}).choose(facts, pool)
        return Explanation(
            features=features_of(facts),
            estimate_s=choice.estimate_s,
            uncertainty=None,
            tier=choice.tier,
            worker=choice.worker,
            reason=f"{type(self).__name__} chose so.",
        )

    def completed(self, facts: RequestFacts, choice: Choice, service_s: float) -> None:  # noqa: B027
        """Told after each request that was answered; a router that learns overrides it.

        Never raises, and passes over a time that cannot be one (below 0, or not finite).
        """

    def notices(self) -> Sequence[str]:
        """What the router has to say of itself so far, one line each, oldest first: when it stepped back
        from its policy, and why.
        """
        return ()
