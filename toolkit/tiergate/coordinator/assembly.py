"""From configuration and plugins to a dispatcher: store, pool, router, and what is known of requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tiergate.coordinator.live_catalogue import LiveCatalogue
from tiergate.dispatch import Dispatcher
from tiergate.errors import UsageError
from tiergate.hooks import OperationDeclaration, PoolDeclaration, RouterDeclaration
from tiergate.plugins import PluginHost
from tiergate.pool import Pool, PoolSpec, TierSpec
from tiergate.routing import Cutoffs, RouterSetup
from tiergate.store import Capability, StoreAddress

DEFAULT_ROUTER = "learned"
"""It estimates from what it sees; a server has no training trace."""

NICE = {"hot": 0, "warm": 5, "cold": 10}
"""Priority of the tiers where they have to share cores: short requests go first."""

COLD_IDLE_S = 60.0
"""A worker of the cold tier ends after so long without work."""

CUTOFFS = Cutoffs(hot_s=0.010, warm_s=0.100)
"""Where nobody measured: what a person does not notice, and what one notices as a delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServePlan:
    """What is served, and by what.

    Attributes:
        store: address of the store.
        pool: the kind of pool.
        router: name of the router.
        tiers: the most workers by tier.
        deadline_s: how long a call may take.
        queue_limit: requests that may wait; one more is refused.
    """

    store: StoreAddress
    pool: str
    router: str
    tiers: Mapping[str, int]
    deadline_s: float
    queue_limit: int = 1_000


def tier_specs(tiers: Mapping[str, int]) -> list[TierSpec]:
    """The tiers of the pool: hot and warm resident, cold started on demand."""
    resident = [TierSpec(tier, tiers[tier], NICE[tier]) for tier in ("hot", "warm")]
    cold = TierSpec("cold", tiers["cold"], NICE["cold"], min_workers=0, idle_timeout_s=COLD_IDLE_S)
    return [*resident, cold]


def build_pool(plan: ServePlan, host: PluginHost) -> Pool:
    """The pool of a plan, not yet started.

    Raises:
        UsageError: the store is not known, cannot be shared by several workers, or has no path.
    """
    declaration = host.opener().declaration(plan.store)
    if Capability.MULTI_PROCESS not in declaration.capabilities:
        raise UsageError(
            f"store {declaration.name!r} cannot be shared by several workers", where=str(plan.store)
        )
    operations = host.all(OperationDeclaration)
    references = {host.plugin_of(OperationDeclaration, found.name).reference for found in operations}
    return host.get(PoolDeclaration, plan.pool).build(
        PoolSpec(
            tiers=tier_specs(plan.tiers),
            store=str(plan.store),
            store_plugins=host.store_plugins(plan.store),
            operation_plugins=sorted(references),
            queue_limit=plan.queue_limit,
        )
    )


@asynccontextmanager
async def dispatching(
    plan: ServePlan, host: PluginHost, say: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Dispatcher]:
    """A dispatcher on a pool that runs; pool and store are closed at the end.

    Args:
        say: told in one line what goes wrong beside the calls.

    Raises:
        UsageError: the plan names what is not known.
        StoreError: the store cannot be opened.
        WorkerFailedToStart: a worker cannot start.
    """
    pool = build_pool(plan, host)
    router = host.get(RouterDeclaration, plan.router).build(RouterSetup(cutoffs=CUTOFFS))
    opener = host.opener()
    if Capability.ONCE not in opener.declaration(plan.store).capabilities:
        say(f"{plan.store} remembers no request_key: a write that is sent again is done again")
    catalogue = LiveCatalogue(lambda: opener.open(plan.store), host.all(OperationDeclaration), say)
    await catalogue.start()
    try:
        async with pool:
            yield Dispatcher(pool, router, catalogue.facts, deadline_s=plan.deadline_s, on_fault=say)
    finally:
        await catalogue.close()
