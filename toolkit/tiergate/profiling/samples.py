"""Samples of all processes of all rounds, each with its process, its operation, and whether it was slow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from tiergate.load.outcome import Fate, Outcome
from tiergate.profiler import BUILT_IN, Frame
from tiergate.profiling.components import component_of
from tiergate.profiling.places import short_place
from tiergate.profiling.rounds import Handed, Pair, ProfiledRound
from tiergate.sampling.gathering import Chunk

COORDINATOR = "coordinator"

SLOW = 0.95
"""Requests from this quantile of the response time on are the tail."""

_SERVICE = "tiergate/worker.py"


@dataclass(frozen=True, slots=True)
class Sample:
    """A stack of one process.

    Attributes:
        worker: its name; `COORDINATOR` for the coordinator.
        operation: that was being served; empty for none.
        component: the part of the system that it counts for.
        stack: without the outer calls that say nothing; files as `short_place` names them.
        count: how often it was seen.
        is_slow: whether the request belongs to the tail.
    """

    worker: str
    operation: str
    component: str
    stack: tuple[Frame, ...]
    count: int
    seconds: float
    is_slow: bool


def slow_requests(pairs: Sequence[Pair]) -> list[list[Outcome]]:
    """The slowest twentieth of the completed requests, by profiled round."""
    completed = [
        [one for one in pair.profiled.round.outcomes if one.fate is Fate.COMPLETED] for pair in pairs
    ]
    times = [one.response_s for outcomes in completed for one in outcomes]
    begins = float(np.quantile(times, SLOW, method="higher"))
    return [[one for one in outcomes if one.response_s >= begins] for outcomes in completed]


def all_samples(pairs: Sequence[Pair], slow: Sequence[Sequence[Outcome]]) -> list[Sample]:
    """Every sample of the profiled rounds. What was served to warm up is left out."""
    return [
        sample
        for pair, outcomes in zip(pairs, slow, strict=True)
        for sample in _of_round(pair.profiled, outcomes)
    ]


def _of_round(profiled: ProfiledRound, slow: Sequence[Outcome]) -> Iterator[Sample]:
    yield from _between_requests(COORDINATOR, _seen(profiled.coordinator))
    judged = {_key(one) for one in profiled.round.outcomes}
    tail = {_key(one) for one in slow}
    for handed in profiled.workers:
        yield from _of_worker(handed, judged, tail)


def _key(outcome: Outcome) -> tuple[str, int]:
    """What both sides know of a request. A worker does not know the number that it has in the trace; the time
    that the worker measured comes back with the answer, in nanoseconds, and tells which one it was."""
    return outcome.worker, round(outcome.service_s * 1e9)


def _of_worker(handed: Handed, judged: Set[tuple[str, int]], tail: Set[tuple[str, int]]) -> Iterator[Sample]:
    operations: dict[int, str] = {}
    keys: dict[int, tuple[str, int]] = {}
    for chunk in handed.chunks:
        for request in chunk.requests:
            operations[request.number] = request.operation
            if request.service_ns is not None:
                keys[request.number] = (handed.worker, request.service_ns)
    seen = [one for chunk in handed.chunks for one in _seen(chunk)]
    for serving, stack, count, seconds in seen:
        if serving is None or serving not in operations:
            continue
        key = keys.get(serving)
        if key is None or key in judged:  # without a time it never ended; any other one warmed the worker up
            yield Sample(
                handed.worker,
                operations[serving],
                _component(stack),
                _below_service(stack),
                count,
                seconds,
                is_slow=key in tail,
            )
    yield from _between_requests(handed.worker, [one for one in seen if one[0] is None])


_Seen = tuple[int | None, tuple[Frame, ...], int, float]


def _seen(chunk: Chunk) -> list[_Seen]:
    frames = [Frame(one.function, short_place(one.file), one.line) for one in chunk.frames]
    stacks = [tuple(frames[index] for index in stack) for stack in chunk.stacks]
    return [(serving, stacks[index], count, seconds) for serving, index, count, seconds in chunk.samples]


def _between_requests(worker: str, seen: Sequence[_Seen]) -> Iterator[Sample]:
    """Samples of no request, without the calls that all of them have in common."""
    stacks = [stack for _, stack, _, _ in seen]
    stem = sum(1 for _ in takewhile(lambda frames: len(set(frames)) == 1, zip(*stacks, strict=False)))
    for _, stack, count, seconds in seen:
        below = stack[min(stem, len(stack) - 1) :]
        yield Sample(worker, "", _component(stack), below, count, seconds, is_slow=False)


def _component(stack: tuple[Frame, ...]) -> str:
    return component_of([(frame.function, frame.file) for frame in stack])


def _below_service(stack: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """A stack from the operation on: what every request passes through says nothing."""
    last = max((at for at, frame in enumerate(stack) if frame.file == _SERVICE), default=-1)
    rest = stack[last + 1 :]
    return rest if rest and rest[0].file != BUILT_IN else stack[max(0, last) :]
