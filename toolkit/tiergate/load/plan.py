"""What a load run is asked to do, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tiergate.arrivals import poisson
from tiergate.errors import UsageError
from tiergate.hooks import RouterDeclaration, WorkloadDeclaration
from tiergate.load.aim import Aim
from tiergate.load.effort import Effort
from tiergate.load.kept import SealedCache
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
        aim: what the requests are sent to; None for the pool. `routers` then holds what stands for it.
        clients: None for open arrivals, else how many clients a closed loop has.
        sweep: whether to search the rate at which each variant falls behind, after the rounds.
        oracle_cache: where sealed times are kept; None keeps none.
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
    aim: Aim | None = None
    clients: int | None = None
    sweep: bool = False
    oracle_cache: SealedCache | None = None
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

    @property
    def is_routed(self) -> bool:
        """Whether routers choose where requests go."""
        return self.aim is None or self.aim.declaration.routed

    @property
    def is_of_tools(self) -> bool:
        """Whether the requests call tools of the target, which nothing of ours can serve."""
        return self.replay is not None and self.replay.is_of_tools

    @property
    def arrivals(self) -> str:
        """How the requests come, in words."""
        if self.clients is not None:
            return f"closed loop of {self.clients} clients"
        if self.replay is not None:
            return "as recorded"
        return getattr(self.workload.arrivals or poisson, "__name__", "its own")

    def tiers_of(self, router: RouterDeclaration) -> list[TierSpec]:
        """The tiers of the pool on which a router runs; none where there is no pool."""
        if not self.is_routed:
            return []
        return self.tiered() if router.chooses_tier else self.flat()

    def served_by(self, router: RouterDeclaration) -> str:
        """What serves the requests of a router, in words."""
        if not self.is_routed:
            return f"target {self.aim.text}" if self.aim else ""
        tiers = ", ".join(f"{tier.workers} {tier.name}" for tier in self.tiers_of(router))
        return f"{self.pool}: {tiers}"

    def tiered(self) -> list[TierSpec]:
        """The pool for routers that choose a tier."""
        return [TierSpec(tier, self.tiers[tier], NICE[tier]) for tier in TIERS]

    def flat(self) -> list[TierSpec]:
        """The pool for routers that choose none: as many workers, all alike."""
        return [TierSpec("shared", sum(self.tiers[tier] for tier in TIERS))]
