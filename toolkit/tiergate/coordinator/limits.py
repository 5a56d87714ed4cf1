"""How much one client, and all of them together, may ask of the server over HTTP."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

import msgspec


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the HTTP server.

    Attributes:
        body_bytes: of one request.
        body_s: seconds in which a body has to come.
        head_s: seconds in which the head of a request has to come.
        stuck_s: seconds that a client may leave an answer unread.
        rate: requests a second from one address, over time.
        burst: requests from one address at once.
        concurrency: requests that are answered at a time; an open stream of events does not count.
        connections: open connections; one more is closed at once.
    """

    body_bytes: int = 4 * 1024 * 1024
    body_s: float = 20.0
    head_s: float = 10.0
    stuck_s: float = 60.0
    rate: float = 1_000.0
    burst: float = 2_000.0
    concurrency: int = 512
    connections: int = 4_096


_ADDRESSES = 10_000
"""Addresses whose rates are remembered; the longest unheard is forgotten, which only favours it."""


class RateLimit:
    """A token bucket for each address (Turner, New directions in communications, 1986).

    Args:
        rate: tokens a second; each request takes one.
        burst: tokens at most.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> float:
        """Take a token; 0, or the seconds until there is one again."""
        now = self._clock()
        left, at = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._left[address] = (left if wait else left - 1, now)
        if len(self._left) > _ADDRESSES:
            self._left.popitem(last=False)
        return wait
