"""The contract suite for profilers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread
from time import perf_counter, sleep

import pytest

from tiergate.hooks import ProfilerDeclaration
from tiergate.profiler import BUILT_IN, Frame, Stack

INTERVAL_S = 0.001
LONG_S = 0.2
"""How long the work of a test takes: some hundred samples."""


class Seen:
    """What a profiler told."""

    def __init__(self) -> None:
        self.samples: list[tuple[Stack, float]] = []

    def __call__(self, stack: Stack, seconds: float) -> None:
        """Keep a sample."""
        self.samples.append((stack, seconds))

    def total_s(self) -> float:
        """Seconds of all samples."""
        return sum(seconds for _, seconds in self.samples)

    def in_function(self, name: str) -> float:
        """Seconds of the samples that have a function of this name on the stack."""
        return sum(seconds for stack, seconds in self.samples if any(_last(frame) == name for frame in stack))


class ProfilerContract:
    """Override `declaration` and run pytest."""

    @pytest.fixture
    def declaration(self) -> ProfilerDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the ProfilerDeclaration to test")

    def test_work_is_seen_where_it_is_done(self, declaration: ProfilerDeclaration) -> None:
        seen = sampled(declaration, both)
        assert seen.samples, "Profiler.start: begins to sample the calling thread"
        share = seen.in_function("busy_long") / max(1e-9, seen.total_s())
        assert 0.5 < share < 0.95, "Profiler: three quarters of the work are seen as about that"

    def test_a_stack_begins_with_the_outermost_call(self, declaration: ProfilerDeclaration) -> None:
        seen = sampled(declaration, outer)
        order = [_names(stack) for stack, _ in seen.samples]
        whole = [names for names in order if "outer" in names and "busy" in names]
        assert whole, "Profiler.start: a sample is the whole stack"
        assert all(names.index("outer") < names.index("busy") for names in whole), (
            "Stack: the calls of a thread, the outermost first"
        )

    def test_frames_say_where_a_function_is(self, declaration: ProfilerDeclaration) -> None:
        seen = sampled(declaration, outer)
        frames = {frame for stack, _ in seen.samples for frame in stack}
        assert all(isinstance(frame, Frame) for frame in frames), "Stack: of `Frame`"
        [found] = [frame for frame in frames if _last(frame) == "outer"]
        assert found.file == outer.__code__.co_filename, "Frame.file: as the interpreter knows it"
        assert found.line == outer.__code__.co_firstlineno, "Frame.line: where the function begins"
        assert all(frame.line == 0 for frame in frames if frame.file == BUILT_IN), (
            "Frame.line: 0 for a built-in function"
        )

    def test_the_seconds_of_all_samples_are_the_time_that_passed(
        self, declaration: ProfilerDeclaration
    ) -> None:
        began = perf_counter()
        seen = sampled(declaration, outer)
        passed = perf_counter() - began
        assert 0.6 * LONG_S < seen.total_s() <= passed, (
            "Profiler.start: the seconds of all samples together are the time that passed"
        )

    def test_waiting_counts(self, declaration: ProfilerDeclaration) -> None:
        seen = sampled(declaration, waiting)
        assert seen.in_function("waiting") > LONG_S / 2, (
            "Profiler: samples in time that passes on the clock, waiting included"
        )

    def test_after_its_end_nothing_is_told(self, declaration: ProfilerDeclaration) -> None:
        seen, profiler = Seen(), declaration.build(INTERVAL_S)
        profiler.start(seen)
        busy(0.05)
        profiler.stop()
        count = len(seen.samples)
        busy(0.05)
        profiler.stop()
        assert len(seen.samples) == count, "Profiler.stop: nothing is told any more"

    def test_it_can_be_started_again(self, declaration: ProfilerDeclaration) -> None:
        seen, profiler = Seen(), declaration.build(INTERVAL_S)
        profiler.start(Seen())
        profiler.stop()
        profiler.start(seen)
        busy(0.1)
        profiler.stop()
        assert seen.samples, "Profiler.start: begins to sample, also after it was stopped"

    def test_the_thread_that_starts_it_is_the_one_that_is_seen(
        self, declaration: ProfilerDeclaration
    ) -> None:
        found: list[Seen] = []
        thread = Thread(target=lambda: found.append(sampled(declaration, outer)))
        thread.start()
        busy_short()
        thread.join()
        assert found, "Profiler.start: may be called from any thread"
        assert found[0].in_function("outer"), "Profiler.start: the calling thread is sampled"
        assert not found[0].in_function("busy_short"), "Profiler.start: no other thread is sampled"

    def test_stacks_of_coroutines_are_whole(self, declaration: ProfilerDeclaration) -> None:
        seen = sampled(declaration, lambda: asyncio.run(waits_for_it()))
        whole = [_names(stack) for stack, _ in seen.samples if "does_it" in _names(stack)]
        assert whole, "Profiler: a coroutine is seen like any function"
        assert all("waits_for_it" in names for names in whole), (
            "Stack: a coroutine stands below those that wait for it"
        )

    def test_deep_stacks_and_errors_do_no_harm(self, declaration: ProfilerDeclaration) -> None:
        def fails() -> None:
            with pytest.raises(ZeroDivisionError):
                deep(400)

        assert sampled(declaration, fails).samples, "Profiler: an error that passes changes nothing"


def sampled(declaration: ProfilerDeclaration, work: Callable[[], object]) -> Seen:
    """What a fresh profiler sees of a function."""
    seen, profiler = Seen(), declaration.build(INTERVAL_S)
    profiler.start(seen)
    try:
        work()
    finally:
        profiler.stop()
    return seen


def busy(seconds: float) -> int:
    """Work for so long, in Python code that calls."""
    ends, turns = perf_counter() + seconds, 0
    while perf_counter() < ends:
        turns += sum(range(50))
    return turns


def busy_long() -> None:
    """Three parts of the work."""
    busy(LONG_S)


def busy_short() -> None:
    """One part of the work."""
    busy(LONG_S / 3)


def both() -> None:
    """All parts of the work."""
    busy_long()
    busy_short()


def outer() -> None:
    """Calls what works."""
    busy(LONG_S)


def waiting() -> None:
    """Wait, in short pieces, as what waits for work does."""
    ends = perf_counter() + LONG_S
    while perf_counter() < ends:
        sleep(0.01)


async def does_it() -> None:
    """Works."""
    busy(LONG_S)
    await asyncio.sleep(0)


async def waits_for_it() -> None:
    """Waits for what works."""
    await does_it()


def deep(calls: int) -> None:
    """Call itself, work there, and fail."""
    if calls:
        deep(calls - 1)
    else:
        busy(0.1)
        raise ZeroDivisionError


def _names(stack: Stack) -> list[str]:
    return [_last(frame) for frame in stack]


def _last(frame: Frame) -> str:
    """The name without that of a class."""
    return frame.function.rpartition(".")[2]
