"""Other pools of processes, each in the fastest way of giving it single small tasks that its manual shows."""

from __future__ import annotations

import multiprocessing.pool
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from tiergate_plugins.benchmarks.pool_sides import Side

EXECUTOR, MULTIPROCESSING, LOKY, PEBBLE = (
    "concurrent.futures.ProcessPoolExecutor",
    "multiprocessing.Pool",
    "loky",
    "pebble",
)


def echo(number: int) -> int:
    """What every worker does."""
    return number


class Peer(Side):
    """A pool whose tasks are futures of their own.

    Args:
        submit: hands a number to a worker; what it returns waits for it.
        end: ends the workers.
    """

    def __init__(self, submit: Callable[[int], Callable[[], int]], end: Callable[[], object]) -> None:
        self._submit = submit
        self._end = end

    def round_trips(self, count: int) -> list[float]:
        took = []
        for number in range(count):
            start = time.perf_counter()
            self._submit(number)()
            took.append(time.perf_counter() - start)
        return took

    def window(self, count: int, in_flight: int) -> int:
        total = 0
        waiting = deque(self._submit(number) for number in range(min(in_flight, count)))
        for number in range(len(waiting), count):
            total += waiting.popleft()()
            waiting.append(self._submit(number))
        return total + sum(wait() for wait in waiting)

    def close(self) -> None:
        self._end()


class Stream(Side):
    """`multiprocessing.Pool` by ``imap`` with chunks of one, which costs it less than ``apply_async``.

    Its feeding thread is held back, so that no more tasks are in flight than on the other sides.
    """

    def __init__(self, pool: multiprocessing.pool.Pool) -> None:
        self._pool = pool

    def round_trips(self, count: int) -> list[float]:
        took = []
        for number in range(count):
            start = time.perf_counter()
            self._pool.apply(echo, (number,))
            took.append(time.perf_counter() - start)
        return took

    def window(self, count: int, in_flight: int) -> int:
        free = threading.Semaphore(in_flight)
        total = 0
        for number in self._pool.imap(echo, _held_back(count, free), chunksize=1):
            free.release()
            total += number
        return total

    def close(self) -> None:
        self._pool.close()
        self._pool.join()


def _held_back(count: int, free: threading.Semaphore) -> Iterator[int]:
    for number in range(count):
        free.acquire()
        yield number


def open_executor(workers: int) -> Peer:
    """The standard library's executor: ``submit``."""
    executor = ProcessPoolExecutor(workers)
    return Peer(lambda number: executor.submit(echo, number).result, executor.shutdown)


def open_peer(name: str, workers: int) -> Side:
    """A pool of another kind, by its name, with so many workers."""
    return {
        EXECUTOR: open_executor,
        MULTIPROCESSING: lambda count: Stream(multiprocessing.Pool(count)),
        LOKY: _open_loky,
        PEBBLE: _open_pebble,
    }[name](workers)


def _open_loky(workers: int) -> Peer:
    """loky: the reusable executor that its manual recommends, and ``submit``."""
    from loky import get_reusable_executor

    # It ends idle workers after ten seconds; here it idles while others are measured.
    executor = get_reusable_executor(max_workers=workers, timeout=None)
    return Peer(lambda number: executor.submit(echo, number).result, executor.shutdown)


def _open_pebble(workers: int) -> Peer:
    """pebble: ``schedule``, without a timeout."""
    from pebble import ProcessPool

    pool: Any = ProcessPool(max_workers=workers)

    def end() -> None:
        pool.close()
        pool.join()

    return Peer(lambda number: pool.schedule(echo, args=(number,)).result, end)
