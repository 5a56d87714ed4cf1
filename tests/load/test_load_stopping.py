"""The first signal stops what runs; the ones after it do not cut the cleaning up short."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from tiergate.load.stopping import stopping


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_what_is_cleaned_up_runs_to_its_end_whatever_comes() -> None:
    cleaned = []

    async def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            for step in range(3):
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(0.001)
                cleaned.append(step)

    runner = asyncio.Runner()
    with pytest.raises(KeyboardInterrupt), stopping(runner) as found, runner:
        found.run(work())
    assert cleaned == [0, 1, 2]


def test_between_two_coroutines_a_signal_stops_at_once() -> None:
    async def work() -> int:
        return 7

    runner = asyncio.Runner()
    with stopping(runner) as found, runner:
        assert found.run(work()) == 7
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_what_is_ignored_or_ends_the_process_stays_as_it_is() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with stopping(asyncio.Runner()):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
            assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_cancellation_of_its_own_is_no_interrupt() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    runner = asyncio.Runner()
    with pytest.raises(asyncio.CancelledError), stopping(runner) as found, runner:
        found.run(work())
