"""What load adds to every request, whatever it does.

Cut-offs between tiers are in the times of requests that ran alone. Under load each takes a little longer: its
worker has to wake up, and others have filled the processor's caches. For one that is over in 40 µs that is
several times as long as alone, and would move it across a cut-off by itself.
"""

from __future__ import annotations

from collections.abc import Hashable
from heapq import nsmallest
from operator import itemgetter

ENOUGH = 5
"""Requests of a kind before it counts."""


class AddedByLoad:
    """The least by which any kind of request takes longer than alone.

    What an operation itself became slower by is not taken for that: for each, only the others are asked.
    """

    def __init__(self) -> None:
        self._counts: dict[Hashable, int] = {}
        self._added: dict[Hashable, float] = {}
        self._least: list[tuple[Hashable, float]] = []

    def saw(self, kind: Hashable, added_s: float) -> None:
        """A kind of request takes so much longer now than alone, in seconds."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count < ENOUGH:
            return
        self._added[kind] = max(0.0, added_s)
        least = self._least
        if len(least) < 2 or added_s < least[-1][1] or any(kind == known for known, _ in least):
            self._least = nsmallest(2, self._added.items(), key=itemgetter(1))

    def beside(self, kind: Hashable) -> float:
        """Seconds that load adds, as far as all other kinds agree; 0 where there is no other."""
        least = self._least
        if not least:
            return 0.0
        if least[0][0] != kind:
            return least[0][1]
        return least[1][1] if len(least) > 1 else 0.0
