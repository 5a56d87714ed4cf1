"""Pools, routers, workloads and operations that are measured, found by the entry points of their plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar

from tiergate.bench import BenchSetup
from tiergate.errors import unknown_name
from tiergate.hooks import (
    ENTRY_POINT_GROUP,
    Declaration,
    OperationDeclaration,
    PoolDeclaration,
    RouterDeclaration,
    StoreDeclaration,
    WorkloadDeclaration,
    find_plugin,
)
from tiergate.operation import Reply, Request
from tiergate.pool import Pool, PoolSpec, TierSpec
from tiergate.routing import Choice

DEADLINE_S = 60.0
"""Every request of ours has one; none of the measured ones takes that long."""

OWN_OPERATIONS = "tiergate_plugins.benchmarks.pool_operations"

_HOOKS: Mapping[type[Declaration], str] = {
    OperationDeclaration: "tiergate_operations",
    PoolDeclaration: "tiergate_pools",
    RouterDeclaration: "tiergate_routers",
    StoreDeclaration: "tiergate_stores",
    WorkloadDeclaration: "tiergate_workloads",
}

_Kind = TypeVar("_Kind", bound=Declaration)


class Send(Protocol):
    """Hands a request to a pool; the answer, or the error, comes through the future."""

    def __call__(self, request: Request, choice: Choice, *, deadline_s: float) -> asyncio.Future[Reply]: ...


def declared(kind: type[_Kind]) -> Iterator[tuple[str, _Kind]]:
    """Each installed declaration of a kind, with the reference of the plugin that declares it."""
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP)):
        try:
            plugin = find_plugin(entry.value)
        except Exception:
            continue
        for one in getattr(plugin, _HOOKS[kind], tuple)():
            if isinstance(one, kind):
                yield entry.value, one


def named(kind: type[_Kind], name: str) -> tuple[str, _Kind]:
    """The declaration of that name, with the reference of its plugin.

    Raises:
        UsageError: there is none.
    """
    found = {one.name: (reference, one) for reference, one in declared(kind)}
    if name not in found:
        raise unknown_name(kind.__name__.removesuffix("Declaration").lower(), name, found)
    return found[name]


def tier_routers(setup: BenchSetup, *names: str) -> list[RouterDeclaration]:
    """Routers of these names, or all that choose a tier when none is named; says which are missing."""
    found = {one.name: one for _, one in declared(RouterDeclaration) if one.chooses_tier}
    for name in names:
        if name not in found:
            setup.progress(f"nothing of the router {name!r}: it is not installed")
    return [found[name] for name in names or found if name in found]


def make_pool(tiers: Sequence[TierSpec], store: str, operations: Sequence[str] = (OWN_OPERATIONS,)) -> Pool:
    """A local pool on a SQLite store, not yet started."""
    plugin, _ = named(StoreDeclaration, "sqlite")
    _, pool = named(PoolDeclaration, "local")
    return pool.build(
        PoolSpec(tiers=tiers, store=store, store_plugins=(plugin,), operation_plugins=operations)
    )


def sender(pool: Pool) -> Send:
    """The fastest way to send that a pool has: `submit_nowait`, or else a task that submits."""
    fast: Send | None = getattr(pool, "submit_nowait", None)

    def as_task(request: Request, choice: Choice, *, deadline_s: float) -> asyncio.Future[Reply]:
        return asyncio.ensure_future(pool.submit(request, choice, deadline_s=deadline_s))

    return fast or as_task


def make_runner() -> asyncio.Runner:
    """Runs an asyncio loop: that of uvloop where it is installed."""
    try:
        factory: Callable[[], Any] | None = find_plugin("uvloop:new_event_loop")
    except ImportError:
        factory = None
    return asyncio.Runner(loop_factory=factory)
