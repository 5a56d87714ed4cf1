"""The server over standard streams as ``tiergate serve`` runs it, with nothing that watches it."""

from __future__ import annotations

import asyncio
import sys

from tiergate.coordinator.assembly import DEFAULT_ROUTER, ServePlan
from tiergate.coordinator.serving import serve_stdio
from tiergate.loops import new_event_loop
from tiergate.plugins import PluginHost
from tiergate.store import StoreAddress

DEADLINE_S = 30.0


def serve(store: str, hot: int) -> None:
    """Serve a store with so many hot workers until the input ends."""
    plan = ServePlan(
        store=StoreAddress.parse(store),
        pool="local",
        router=DEFAULT_ROUTER,
        tiers={"hot": hot},
        deadline_s=DEADLINE_S,
    )
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve_stdio(plan, PluginHost(), lambda _: None))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
