"""Which part of the system a call belongs to.

By the innermost frame that lies in a known place, so that what a library does counts for who called it. A
plugin of somebody else counts for the part of the system that calls plugins of its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tiergate.profiler import BUILT_IN

IDLE = "idle"
OTHER = "other"

_BY_PLACE: tuple[tuple[str, str], ...] = (
    ("tiergate/flow/balance.py", "auto-balance"),
    ("tiergate_plugins/operations/balance.py", "auto-balance"),
    ("tiergate/flow/state.py", "flow state"),
    ("tiergate/flow/momentum.py", "flow state"),
    ("tiergate/flow/prediction.py", "flow state"),
    ("tiergate/flow/outlook.py", "flow state"),
    ("tiergate_plugins/operations/flow", "flow state"),
    ("tiergate_plugins/operations/search.py", "search"),
    ("tiergate_plugins/operations/", "operations"),
    ("tiergate_plugins/routing/", "routing"),
    ("tiergate/routing.py", "routing"),
    ("tiergate/tiering.py", "routing"),
    ("tiergate/routed.py", "routing"),
    ("tiergate_plugins/storage/bodies.py", "codec"),
    ("tiergate_plugins/storage/sqlite_packing.py", "codec"),
    ("tiergate_plugins/storage/", "store"),
    ("tiergate_plugins/cache/", "store"),
    ("tiergate/resident.py", "store"),
    ("tiergate/timed_store.py", "store"),
    ("tiergate/store", "store"),
    ("tiergate_plugins/pools/", "wire"),
    ("tiergate/frames.py", "wire"),
    ("tiergate/worker.py", "wire"),
    ("tiergate_reports/", "report"),
    ("tiergate_plugins/reconcile/", "reconcile"),
    ("tiergate/reconcile/", "reconcile"),
    ("tiergate/load/", "load driver"),
    ("tiergate/profiling/", "load driver"),
    ("asyncio/", "event loop"),
    ("selectors.py", "event loop"),
)
"""Beginnings of places; the first that fits decides."""

_CODING = frozenset({"Decoder.decode", "Encoder.encode", "decode", "encode", "loads", "dumps", "compress",
                     "decompress", "ZstdCompressor.compress", "ZstdDecompressor.decompress"})  # fmt: skip
"""Built-in functions between bytes and values; where a store calls them, they are its codec."""

_WAITING = frozenset({"recv", "socket.recv", "select", "poll", "epoll.poll", "poll.poll", "kqueue.control"})
"""Built-in functions in which a process waits for something to do, where `_WAITS` calls them."""

_WAITING_CALLS = frozenset(
    {
        ("Server._receive", "tiergate_plugins/pools/worker.py"),
        *(
            (f"{kind}.select", "selectors.py")
            for kind in ("SelectSelector", "EpollSelector", "_PollLikeSelector")
        ),
        ("SelectSelector._select", "selectors.py"),
    }
)
"""Functions that do little but wait: what a profiler sees that has no frames of built-in functions."""

_WAITS = frozenset({"wire", "event loop", "load driver"})
"""Parts that wait for work. A store that waits for its server works."""


@cache
def component_of_place(place: str) -> str | None:
    """The part of the system in which a file lies, as `places.short_place` names it; None for a library."""
    return next((component for start, component in _BY_PLACE if place.startswith(start)), None)


def component_of(stack: Sequence[tuple[str, str]]) -> str:
    """The part of the system that a stack's innermost call works for.

    Args:
        stack: functions and places, the outermost first.
    """
    if not stack:
        return OTHER
    function, place = stack[-1]
    if (function, place) in _WAITING_CALLS:
        return IDLE
    known = (component_of_place(place) for _, place in reversed(stack))
    found = next((component for component in known if component is not None), OTHER)
    if found in _WAITS and place == BUILT_IN and function in _WAITING:
        return IDLE
    if found == "store" and place == BUILT_IN and function in _CODING:
        return "codec"
    return found
