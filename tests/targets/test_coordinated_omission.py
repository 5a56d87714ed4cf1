"""A server that freezes for two seconds shows in p99 of open arrivals; a closed loop hides it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import pytest

from tiergate.load.outcome import Fate, Round
from tiergate.load.recorder import Recorder

pytestmark = pytest.mark.integration

FREEZE_S = 2.0
Drive = Callable[..., Round]


@contextmanager
def frozen_when_told(folder: Path) -> Iterator[str]:
    """The body of a server that tells when request 100 came; a signal then stops it for two seconds."""
    told = folder / "told"
    body = f"""
def answer(asked):
    if asked["id"] == 100:
        open({str(told)!r}, "w").write(str(os.getpid()))
        time.sleep(0.3)
    yield from echo(asked)
serve(answer)
"""
    ends = threading.Event()

    def freeze() -> None:
        while not ends.is_set():
            if told.exists() and (pid := told.read_text()):
                os.kill(int(pid), signal.SIGSTOP)
                sleep(FREEZE_S)
                os.kill(int(pid), signal.SIGCONT)
                return
            sleep(0.005)

    thread = threading.Thread(target=freeze)
    thread.start()
    try:
        yield body
    finally:
        ends.set()
        thread.join()


def p99_ms(done: Round) -> float:
    assert {outcome.fate for outcome in done.outcomes} == {Fate.COMPLETED}
    return Recorder(outcome.response_s for outcome in done.outcomes).percentile_ms(99)


def test_open_arrivals_show_the_freeze(drive: Drive, tmp_path: Path) -> None:
    with frozen_when_told(tmp_path) as body:
        done = drive(body, [0.01 * number for number in range(600)])
    assert p99_ms(done) > 0.9 * FREEZE_S * 1000
    due = [one for one in done.outcomes if 1.05 < one.start_s < 1.0 + FREEZE_S / 2]
    assert len(due) > 90
    # Whoever was to start in the first half of the freeze waited for at least the other half.
    assert min(one.response_s for one in due) > FREEZE_S / 2 - 0.1
    assert max(one.service_s for one in done.outcomes) >= FREEZE_S


def test_a_closed_loop_hides_it(drive: Drive, tmp_path: Path) -> None:
    with frozen_when_told(tmp_path) as body:
        done = drive(body, [0.0] * 600, clients=1)
    # The freeze happened all the same, and one request of six hundred saw it.
    assert max(one.response_s for one in done.outcomes) > FREEZE_S
    assert p99_ms(done) < 0.5 * FREEZE_S * 1000
    assert sum(one.response_s > FREEZE_S / 2 for one in done.outcomes) == 1
