"""What a load run is asked to do, and how it tells how far it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tiergate.errors import UsageError
from tiergate.hooks import RouterDeclaration, WorkloadDeclaration
from tiergate.load.effort import Effort
from tiergate.load.replay import Replay
from tiergate.model import Session
from tiergate.pool import TierSpec
from tiergate.record import Source
from tiergate.routing import TIERS

BASELINE = "shared-queue"
"""The router that every other one is compared with."""

NICE = {"hot": 0, "warm": 5, "cold": 10}
"""Priority of the tiers where they have to share cores: short requests go first."""


class Progress(Protocol):
    """Told how far a run is."""

    def begin(self, stage: str, steps: int) -> None:
        """A stage of so many steps begins."""

    def step(self) -> None:
        """One step of the stage is done."""


class Silent:
    """Shows nothing."""

    def begin(self, stage: str, steps: int) -> None:
        """Do nothing."""

    def step(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One load run.

    Attributes:
        configured_router: the one that the gate judges; it is among `routers`.
        sessions: what the store holds; None generates it.
        sources: where those sessions came from.
        tiers: workers by tier.
        offered_load: offered work over what the cores can do.
        rate_rps: offered rate; None derives it from `offered_load` and the training trace, or leaves a trace
            that is replayed at its own.
        replay: the trace to judge; None generates it from workload and seed.
        deadline_s: from its intended start, how long a request may take.
        command: as the user gave it.
    """

    effort_name: str
    effort: Effort
    seed: int
    workload: WorkloadDeclaration
    routers: Sequence[RouterDeclaration]
    configured_router: str
    store: str
    pool: str
    tiers: Mapping[str, int]
    offered_load: float
    rate_rps: float | None = None
    deadline_s: float = 30.0
    sessions: Sequence[Session] | None = None
    sources: Sequence[Source] = ()
    replay: Replay | None = None
    command: Sequence[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.configured_router not in {router.name for router in self.routers}:
            raise UsageError(
                f"the configured router {self.configured_router!r} is not among those that run",
                hint=f"add --router {self.configured_router}, or name another one in TIERGATE_ROUTER",
            )
        missing = [tier for tier in TIERS if self.tiers.get(tier, 0) < 1]
        if missing:
            raise UsageError(f"tier {missing[0]!r} has no worker", hint="give every tier at least one")

    def tiered(self) -> list[TierSpec]:
        """The pool for routers that choose a tier."""
        return [TierSpec(tier, self.tiers[tier], NICE[tier]) for tier in TIERS]

    def flat(self) -> list[TierSpec]:
        """The pool for routers that choose none: as many workers, all alike."""
        return [TierSpec("shared", sum(self.tiers[tier] for tier in TIERS))]


def usable_cores() -> int:
    """Cores that this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
