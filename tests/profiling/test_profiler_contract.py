"""The contract suite: the profilers that ship and the documented example keep it, and broken ones do not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiergate.hooks import ProfilerDeclaration
from tiergate.profiler import Profiler, Saw
from tiergate.testing import ProfilerContract
from tiergate_plugins.profiling import pyinstrument, watching_thread

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "hooks" / "tiergate_profilers.md"
EXAMPLE, SUITE = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
[PYINSTRUMENT] = pyinstrument.tiergate_profilers()
[THREAD] = watching_thread.tiergate_profilers()


def example() -> dict[str, Any]:
    """The names that the page's example defines, and then its suite."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(EXAMPLE + SUITE.replace("from __future__ import annotations", ""), names)
    return names


class TestPyinstrument(ProfilerContract):
    @pytest.fixture
    def declaration(self) -> ProfilerDeclaration:
        return PYINSTRUMENT


class TestThread(ProfilerContract):
    @pytest.fixture
    def declaration(self) -> ProfilerDeclaration:
        return THREAD


class TestExample(ProfilerContract):
    @pytest.fixture
    def declaration(self) -> ProfilerDeclaration:
        [found] = example()["tiergate_profilers"]()
        assert isinstance(found, ProfilerDeclaration)
        return found


def test_the_suite_of_the_page_is_one() -> None:
    assert issubclass(example()["TestAtRandom"], ProfilerContract)


class Changed(Profiler):
    """A good profiler that tells something else."""

    def __init__(self, change: Callable[[Saw], Saw], interval_s: float) -> None:
        self._change = change
        self._good = THREAD.build(interval_s)

    def start(self, saw: Saw) -> None:
        self._good.start(self._change(saw))

    def stop(self) -> None:
        self._good.stop()


class Endless(Changed):
    """One that does not stop."""

    def stop(self) -> None:
        pass


def broken(change: Callable[[Saw], Saw], kind: type[Changed] = Changed) -> ProfilerDeclaration:
    return ProfilerDeclaration(
        name="broken", summary="keeps no contract", build=lambda interval_s: kind(change, interval_s)
    )


SUITE_TESTS = ProfilerContract()


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (SUITE_TESTS.test_work_is_seen_where_it_is_done, lambda _: lambda *_: None),
        (SUITE_TESTS.test_a_stack_begins_with_the_outermost_call, lambda saw: lambda s, n: saw(s[::-1], n)),
        (SUITE_TESTS.test_a_stack_begins_with_the_outermost_call, lambda saw: lambda s, n: saw(s[-1:], n)),
        (
            SUITE_TESTS.test_frames_say_where_a_function_is,
            lambda saw: lambda s, n: saw(tuple(one._replace(line=one.line + 1) for one in s), n),
        ),
        (
            SUITE_TESTS.test_the_seconds_of_all_samples_are_the_time_that_passed,
            lambda saw: lambda s, n: saw(s, 2 * n),
        ),
        (
            SUITE_TESTS.test_waiting_counts,
            lambda saw: lambda s, n: saw(s, n) if s[-1].function != "waiting" else None,
        ),
        (
            SUITE_TESTS.test_stacks_of_coroutines_are_whole,
            lambda saw: lambda s, n: saw(tuple(f for f in s if f.function != "waits_for_it"), n),
        ),
    ],
)
def test_a_profiler_that_breaks_it_is_told_so(
    check: Callable[[ProfilerDeclaration], None], change: Callable[[Saw], Saw]
) -> None:
    with pytest.raises(AssertionError, match=r"Profiler|Stack|Frame"):
        check(broken(change))


def test_a_profiler_that_goes_on_after_its_end_is_told_so() -> None:
    with pytest.raises(AssertionError, match="nothing is told any more"):
        SUITE_TESTS.test_after_its_end_nothing_is_told(broken(lambda saw: saw, Endless))
