"""The server over standard streams as ``tiergate serve`` runs it, with nothing that watches it."""

from __future__ import annotations

import asyncio
import sys

from tiergate.coordinator.assembly import ServePlan
from tiergate.coordinator.serving import serve_stdio
from tiergate.loops import new_event_loop
from tiergate.plugins import PluginHost
from tiergate.store import StoreAddress

DEADLINE_S = 30.0
TIERS = {"hot": 2, "warm": 1, "cold": 1}
ROUTER = "least-work-left"
"""One that learns would send the calls of each server its own way, and that would be compared."""


def serve(store: str) -> None:
    """Serve a store until the input ends."""
    plan = ServePlan(
        store=StoreAddress.parse(store),
        pool="local",
        router=ROUTER,
        tiers=TIERS,
        deadline_s=DEADLINE_S,
    )
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve_stdio(plan, PluginHost(), lambda _: None))


if __name__ == "__main__":
    serve(sys.argv[1])
