"""Rounds and records of profiles, made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from tiergate.load.outcome import Fate, Outcome, Round
from tiergate.pool import PoolUsage
from tiergate.profiler import Frame
from tiergate.profiling.rounds import Handed, Pair, ProfiledRound
from tiergate.sampling.gathering import Chunk, Gatherer, ServedRequest

SERVICE = Frame("Service._run", "/x/tiergate/worker.py", 100)
SERVER = Frame("Server.run", "/x/tiergate_plugins/pools/worker.py", 60)
RECV = Frame("socket.recv", "<built-in>", 0)
SEARCH = Frame("search", "/x/tiergate_plugins/operations/search.py", 41)
COSINE = Frame("_cosine", "/x/tiergate_plugins/operations/search.py", 79)
LOOP = Frame("BaseEventLoop._run_once", "/lib/asyncio/base_events.py", 1800)
CHOOSE = Frame("TieredRouter.choose", "/x/tiergate_plugins/routing/tiered.py", 80)
MAIN = Frame("main", "/x/tiergate/__main__.py", 1)

Told = tuple[int | None, tuple[Frame, ...], float]


def chunk(*told: Told, requests: Sequence[ServedRequest] = (), ends: bool = False) -> Chunk:
    gatherer = Gatherer()
    for serving, stack, seconds in told:
        gatherer.serving = serving
        gatherer.saw(stack, seconds)
    for request in requests:
        gatherer.served(request)
    made = gatherer.take()
    made.ends = ends
    return made


def outcome(request: int, service_s: float, response_s: float, fate: Fate = Fate.COMPLETED) -> Outcome:
    return Outcome(request, None, fate, "hot", "hot-1", 0.0, 0.0, response_s, service_s)


def round_of(outcomes: Sequence[Outcome]) -> Round:
    return Round(1, outcomes, 1.0, PoolUsage(cpu_s=0.0, peak_rss_bytes=0, worker_seconds=0.0), [])


def pair(profiled: Sequence[Outcome], plain: Sequence[Outcome], coordinator: Chunk, *workers: Handed) -> Pair:
    return Pair(round_of(plain), ProfiledRound(round_of(profiled), coordinator, workers))
