"""Both sides stand still in one benchmark: short blocks of calls alternate, in random order.

A busy machine changes its speed all the time (on shared hardware by a factor of two, when the other thread
of the core begins to work), so that the two blocks of a pair must lie as close together as can be, and on one
core. Short calls are made in blocks of half a millisecond; the sides take turns. Calls that are much longer
than a turn should be are made at one time, on one core, so that the kernel alternates them for us: each is
timed without what it waits for the core (after duet benchmarking: Bulej et al., 2020, where both run on a
core each).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tiergate.errors import RunError
from tiergate.gate.paired.processes import Side, SideSilent
from tiergate.record import GatePair

BLOCK_S = 0.0005
"""A block is so long at least: long beside handing over the turn, short beside changes of speed."""

FRESH_S = 0.00005
"""Where each round needs a setup, a block is as short as the clock allows."""

TOGETHER_S = 0.008
"""Calls that are longer are made at one time; the kernel alternates processes every few milliseconds."""

WARM_S = 0.02
"""Benchmarks whose calls are longer than this are not warmed: their first call is measured like others."""

SHARE_S = 0.16
"""Time of calls, of both sides together, that a benchmark gets in one generation."""

HELPED = 0.02
"""Share of the time of calls that other threads and processes may work before they count as helpers."""

SERIES = 20
"""Pairs that are played before the judge looks whether there are enough."""

MOST_PAIRS = 240
MOST_FRESH_PAIRS = 60
"""Where each round needs a setup, which is not timed, fewer pairs have to do."""

MOST_ROUNDS = 10_000_000
SHORTEST_S = 1e-8


@dataclass(frozen=True, slots=True)
class Ready:
    """What a side says where its test calls the benchmark.

    Attributes:
        rounds: how often the author allows it in one process; None for any number.
        iterations: calls a round.
        is_fresh: whether something that is not timed, and may take long, comes before each round.
    """

    rounds: int | None
    iterations: int
    is_fresh: bool


@dataclass(slots=True)
class Pace:
    """How one benchmark is run, found out in the first generation.

    Attributes:
        rounds: in a block; 0 before it is known.
        round_s: seconds of a round, about.
        is_alone: whether only the thread of the test works; None before it is known. Then both sides of a
            pair can be held on one core, since two cores are never equally fast on a busy machine. Others
            would be cut off from the cores that their helpers need.
    """

    rounds: int = 0
    round_s: float = 0.0
    is_alone: bool | None = None


class Duet:
    """One benchmark on both sides.

    Attributes:
        called_s: what its calls have taken so far, on both sides, without waiting for a core.

    Args:
        base: waits inside the test.
        new: likewise.
        ready: what both said.
        pace: of this benchmark; is set where it is not known.
        random: draws who begins, and on which core.
        cores: that both sides may use; empty where they cannot be held on one.
    """

    def __init__(
        self,
        base: Side,
        new: Side,
        ready: tuple[Ready, Ready],
        pace: Pace,
        random: Random,
        cores: Sequence[int],
    ) -> None:
        self._sides = (base, new)
        self._left = min((one.rounds for one in ready if one.rounds is not None), default=None)
        self._iterations = ready[0].iterations
        self._is_fresh = any(one.is_fresh for one in ready)
        self._pace, self._random, self._cores = pace, random, cores
        self._helped_s = 0.0
        self.called_s = 0.0

    def play(self) -> list[GatePair]:
        """The pairs of blocks of one generation: at least one, more where calls are short.

        Time for which a side had no core does not count against the share: a busy neighbour costs time.
        """
        if self._left is None:
            self._warm()
        pairs: list[GatePair] = []
        began_s = self.called_s
        rounds = self._pace.rounds or 1
        while not pairs or self.called_s - began_s < SHARE_S:
            count = self._next_count(rounds, len(pairs))
            if not count:
                break
            pairs += self._series(rounds, count)
        if self._pace.is_alone is None:
            self._look_for_helpers()
            self._pace.round_s = min(min(pair) for pair in map(_sides_of, pairs)) * self._iterations
        return pairs

    def _next_count(self, rounds: int, so_far: int) -> int:
        """Pairs of the next series: as many as the author, the share of time and the record have room for."""
        if self._is_together:
            count = 1
        else:
            pair_s = 2 * rounds * self._pace.round_s
            count = min(SERIES, max(1, int(SHARE_S / pair_s))) if pair_s else 1
        if self._left is not None:
            count = min(count, self._left // rounds)
        return min(count, (MOST_FRESH_PAIRS if self._is_fresh else MOST_PAIRS) - so_far)

    @property
    def _is_together(self) -> bool:
        return bool(self._cores and self._pace.is_alone and self._pace.round_s > TOGETHER_S)

    def _series(self, rounds: int, count: int) -> list[GatePair]:
        """So many pairs, in seconds a call."""
        core = self._random.choice(self._cores) if self._cores and self._pace.is_alone else None
        turns: list[int] | None = None
        if not self._is_together:
            turns = [number for _ in range(count) for number in self._random.sample((0, 1), 2)]
        for number in self._random.sample((0, 1), 2):
            mine = None if turns is None else [turn == number for turn in turns]
            self._sides[number].tell("series", rounds=rounds, turns=mine, core=core)
        try:
            base, new = (self._heard(side, rounds) for side in self._sides)
        except SideSilent:
            # Who says nothing may only wait for its turn.
            if self._sides[0].is_waiting():
                raise self._sides[1].silent() from None
            raise
        if self._left is not None:
            self._left -= rounds * count
        return [GatePair(*pair) for pair in zip(base, new, strict=True)]

    def _heard(self, side: Side, rounds: int) -> list[float]:
        """Seconds a call of each block of a series; waiting for a core is taken out."""
        said = answer(side, "series")
        self._helped_s += float(said["helped"])
        self.called_s += sum(seconds - waited for seconds, waited in said["blocks"])
        calls = rounds * self._iterations
        return [max(seconds - waited, SHORTEST_S) / calls for seconds, waited in said["blocks"]]

    def _warm(self) -> None:
        """Find the number of rounds of a block; in later generations, make one block untimed."""
        if self._pace.rounds:
            if self._pace.round_s < WARM_S:
                self._series(self._pace.rounds, 1)
            return
        rounds, shorter_s = 1, self._shorter_s(1)
        if shorter_s < WARM_S:
            shorter_s = self._shorter_s(1)
        wanted_s = FRESH_S if self._is_fresh else BLOCK_S
        while shorter_s < wanted_s and rounds < MOST_ROUNDS:
            rounds = min(MOST_ROUNDS, max(rounds + 1, int(rounds * min(20.0, 1.2 * wanted_s / shorter_s))))
            shorter_s = self._shorter_s(rounds)
        self._pace.rounds, self._pace.round_s = rounds, shorter_s / rounds
        self._look_for_helpers()

    def _shorter_s(self, rounds: int) -> float:
        """Seconds of the shorter of two blocks, one of each side."""
        (pair,) = self._series(rounds, 1)
        return min(pair.base_s, pair.new_s) * rounds * self._iterations

    def _look_for_helpers(self) -> None:
        self._pace.is_alone = self._helped_s <= HELPED * self.called_s


def _sides_of(pair: GatePair) -> tuple[float, float]:
    return pair.base_s, pair.new_s


def answer(side: Side, expected: str) -> dict[str, Any]:
    """What a side says next, which has to be this.

    Raises:
        BenchmarkFailed: the test ended instead.
        SideGone: the process did.
    """
    said = side.hears()
    if said["say"] != expected:
        raise BenchmarkFailed(side, str(said.get("outcome", "")), str(said.get("detail", "")))
    return said


class BenchmarkFailed(RunError):
    """A test ended before it was measured.

    Args:
        side: on which it did.
        outcome: ``failed`` or ``skipped``; ``passed`` where it never called its benchmark.
        detail: what pytest says about it.
    """

    def __init__(self, side: Side, outcome: str, detail: str) -> None:
        self.side, self.outcome = side, outcome
        self.detail = detail or "it did not call its benchmark"
        super().__init__(self.detail, where=f"the {side.plan.name} side")
