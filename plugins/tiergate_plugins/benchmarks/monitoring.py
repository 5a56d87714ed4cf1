"""What metrics and logs cost the server: calls a second beside the same server that nothing watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from random import Random
from statistics import median

from tiergate.bench import BenchSetup
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks import serve_bare
from tiergate_plugins.benchmarks.rounds import ratio_row
from tiergate_plugins.benchmarks.serve_bare import ROUTER, TIERS
from tiergate_plugins.benchmarks.serve_stdio import StdioServer
from tiergate_plugins.benchmarks.serve_work import READ

BARE = "the same server, nothing watching"
IN_FLIGHT = 16
_WARM_UP = 300


def rows(setup: BenchSetup, store: str) -> Iterator[BenchRow]:
    """Every row about the cost of watching; all servers have the same number of workers on one store."""
    tiers = [word for tier, workers in TIERS.items() for word in ("--tier", f"{tier}={workers}")]
    serve = [sys.executable, "-m", "tiergate", "serve", "--store", store, "--router", ROUTER, *tiers]
    sides = {
        BARE: [sys.executable, "-m", serve_bare.__name__, store],
        "metrics": serve,
        "metrics and logs": [*serve, "--log-format", "json"],
    }
    took: dict[str, list[float]] = {name: [] for name in sides}
    # Two processes of the same program differ by more than what is looked for, so each side is started often.
    starts = 2 if setup.quick else 10
    for number in range(starts):
        setup.progress(f"what watching costs: servers {number + 1} of {starts}, {IN_FLIGHT} calls in flight")
        with ExitStack() as opened:
            servers = {
                name: opened.enter_context(closing(StdioServer(name, words))) for name, words in sides.items()
            }
            for server in servers.values():
                _seconds(server, _WARM_UP)
            found = _interleaved(servers, calls=100, rounds=5 if setup.quick else 20)
        for name, times in found.items():
            took[name].append(median(times))
    for name in ("metrics", "metrics and logs"):
        yield ratio_row(
            f"serve: reading calls/s with {name}", took[BARE], took[name], peer=BARE, target=">= 0.95"
        )


def _interleaved(servers: dict[str, StdioServer], *, calls: int, rounds: int) -> dict[str, list[float]]:
    """Seconds a call by side and round; the sides alternate in random order."""
    draw, names = Random(1), list(servers)
    took: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        draw.shuffle(names)
        for name in names:
            took[name].append(_seconds(servers[name], calls) / calls)
    return took


def _seconds(server: StdioServer, calls: int) -> float:
    return server.window(READ.tool, [READ.arguments] * calls, IN_FLIGHT)
