"""What samples add up to: by component, by function, by process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tiergate.load.outcome import Outcome
from tiergate.profile_record import (
    ComponentTime,
    HotSpot,
    ProfileFrame,
    ProfileProcess,
    ProfileStack,
    ProfileTail,
)
from tiergate.profiler import Frame
from tiergate.profiling.components import IDLE, component_of_place
from tiergate.profiling.samples import COORDINATOR, Sample

HOT_SPOTS = 60
"""Functions that a record lists."""


@dataclass(slots=True)
class _Times:
    own: float = 0.0
    total: float = 0.0
    slow: float = 0.0
    components: dict[str, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(frozen=True, slots=True)
class Stacks:
    """Samples with equal process, operation and stack as one.

    Attributes:
        workers: the names by which `ProfileStack.process` counts.
    """

    workers: Sequence[str]
    frames: Sequence[ProfileFrame]
    stacks: Sequence[ProfileStack]


def stacks_of(samples: Sequence[Sample]) -> Stacks:
    """The stacks of a record: the coordinator first, then workers by name."""
    names = sorted({sample.worker for sample in samples}, key=lambda name: (name != COORDINATOR, name))
    numbers = {name: number for number, name in enumerate(names)}
    found: dict[tuple[int, str, str, tuple[Frame, ...]], list[float]] = {}
    for sample in samples:
        key = numbers[sample.worker], sample.operation, sample.component, sample.stack
        sums = found.setdefault(key, [0, 0.0, 0.0])
        sums[0] += sample.count
        sums[1] += sample.seconds
        sums[2] += sample.seconds * sample.is_slow
    frames: dict[Frame, int] = {}
    stacks = [
        ProfileStack(
            process=process,
            operation=operation,
            frames=[frames.setdefault(frame, len(frames)) for frame in stack],
            component=component,
            samples=int(count),
            seconds=round(seconds, 6),
            tail_s=round(slow, 6),
        )
        for (process, operation, component, stack), (count, seconds, slow) in sorted(found.items())
    ]
    return Stacks(names, [_frame(frame) for frame in frames], stacks)


def _frame(frame: Frame) -> ProfileFrame:
    return ProfileFrame(
        function=frame.function,
        file=frame.file,
        line=frame.line,
        component=component_of_place(frame.file) or "",
    )


def components_of(found: Stacks, tail_s: float) -> list[ComponentTime]:
    """Time by part of the system, the longest first; without what was idle.

    Args:
        tail_s: response times of the slow requests together, 0 where there is none.
    """
    times: dict[str, _Times] = defaultdict(_Times)
    for stack in _working(found):
        own = times[stack.component]
        own.own += stack.seconds
        own.slow += stack.tail_s
        parts = {found.frames[frame].component for frame in stack.frames} - {""}
        for part in parts | {stack.component}:
            times[part].total += stack.seconds
    busy = sum(one.own for one in times.values())
    return [
        ComponentTime(
            name=name,
            self_s=one.own,
            total_s=one.total,
            share=one.own / busy,
            share_of_p95=one.slow / tail_s if tail_s else None,
        )
        for name, one in sorted(times.items(), key=lambda item: -item[1].own)
    ]


def hot_spots_of(found: Stacks, tail_s: float) -> list[HotSpot]:
    """Functions by the time in which they were the innermost call, the longest first."""
    times: dict[int, _Times] = defaultdict(_Times)
    for stack in _working(found):
        own = times[stack.frames[-1]]
        own.own += stack.seconds
        own.slow += stack.tail_s
        own.components[stack.component] += stack.seconds
        for frame in set(stack.frames):
            times[frame].total += stack.seconds
    busy = sum(one.own for one in times.values())
    longest = sorted(times.items(), key=lambda item: -item[1].own)[:HOT_SPOTS]
    return [_hot_spot(found.frames[index], one, busy, tail_s) for index, one in longest if one.own]


def _hot_spot(frame: ProfileFrame, times: _Times, busy: float, tail_s: float) -> HotSpot:
    return HotSpot(
        function=frame.function,
        file=frame.file,
        line=frame.line,
        component=max(times.components, key=times.components.__getitem__),
        self_s=times.own,
        total_s=times.total,
        share=times.own / busy,
        share_of_p95=times.slow / tail_s if tail_s else None,
    )


def tail_of(found: Stacks, slow: Sequence[Sequence[Outcome]]) -> ProfileTail | None:
    """Where the time of the slow requests went, as far as it is not a component's."""
    outcomes = [one for of_round in slow for one in of_round]
    response_s = sum(one.response_s for one in outcomes)
    if not response_s:
        return None
    in_worker_s = sum(one.service_s for one in outcomes)
    seen_s = sum(stack.tail_s for stack in _working(found))
    return ProfileTail(
        p95_ms=1000 * min(one.response_s for one in outcomes),
        requests=len(outcomes),
        waiting=1 - in_worker_s / response_s,
        unseen=(in_worker_s - seen_s) / response_s,
    )


def processes_of(
    found: Stacks, tiers: Mapping[str, str], cut_short: Mapping[str, int]
) -> list[ProfileProcess]:
    """Time by process.

    Args:
        tiers: of the workers, by name.
        cut_short: how many processes of that name were killed.
    """
    busy: dict[int, float] = defaultdict(float)
    idle: dict[int, float] = defaultdict(float)
    samples: dict[int, int] = defaultdict(int)
    for stack in found.stacks:
        samples[stack.process] += stack.samples
        (idle if stack.component == IDLE else busy)[stack.process] += stack.seconds
    return [
        ProfileProcess(
            name=name,
            tier=tiers.get(name, ""),
            samples=samples[number],
            busy_s=busy[number],
            idle_s=idle[number],
            cut_short=cut_short.get(name, 0),
        )
        for number, name in enumerate(found.workers)
    ]


def _working(found: Stacks) -> list[ProfileStack]:
    return [stack for stack in found.stacks if stack.component != IDLE]
