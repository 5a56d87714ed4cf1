"""Where the time of a no-op goes: ``python -m tiergate_plugins.pools.steps``.

Each step of its way through parent and worker is timed alone, beside what no pool can avoid: a round trip of
the same frames over the same kind of socket, blocking, and watched by an event loop.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from timeit import Timer
from typing import Any

from tiergate.operation import Reply, Request
from tiergate.pool import PoolSpec, TierSpec
from tiergate.routing import Choice
from tiergate.worker import open_service
from tiergate_plugins.pools.backlog import Job
from tiergate_plugins.pools.deadlines import Deadlines
from tiergate_plugins.pools.frames import (
    ANSWERS,
    REQUESTS,
    FrameCutter,
    decode_answers,
    decode_requests,
    encode,
    frame_of,
)
from tiergate_plugins.pools.local_pool import LocalPool

STORE, OPERATIONS = "tiergate_plugins.storage.sqlite", "tiergate_plugins.benchmarks.pool_operations"
TRIPS = 3000

_ECHO = """
import socket, sys
with socket.socket(fileno=int(sys.argv[1])) as connection:
    while data := connection.recv(65536):
        connection.sendall(data)
"""


def request(number: int = 7) -> Request:
    """A no-op."""
    return Request(number, "bench_echo", None, {"number": number})


def body() -> bytes:
    """A no-op as it goes over the socket."""
    one = request()
    return encode((one.id, one.operation, one.session, one.arguments, one.key))


@contextmanager
def echo() -> Iterator[socket.socket]:
    """A socket whose other end, another process, sends back what it receives."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            words = [sys.executable, "-P", "-c", _ECHO, str(theirs.fileno())]
            process = subprocess.Popen(words, pass_fds=(theirs.fileno(),))
        try:
            yield ours
        finally:
            ours.close()
            process.wait()


def blocking_us(frame: bytes) -> float:
    """Microseconds of a round trip that blocks; the median."""
    with echo() as ours:
        took = []
        for _ in range(TRIPS):
            start = time.perf_counter()
            ours.sendall(frame)
            ours.recv(65536)
            took.append(time.perf_counter() - start)
        return 1e6 * median(took)


def watched_us(frame: bytes) -> float:
    """Microseconds of a round trip whose answer an event loop waits for, for a future; the median."""

    async def run() -> float:
        loop = asyncio.get_running_loop()
        took = []
        with echo() as ours:
            ours.setblocking(False)
            answer = loop.create_future()
            loop.add_reader(ours.fileno(), lambda: answer.set_result(ours.recv(65536)))
            for _ in range(TRIPS):
                answer = loop.create_future()
                start = time.perf_counter()
                ours.send(frame)
                await answer
                took.append(time.perf_counter() - start)
            loop.remove_reader(ours.fileno())
        return 1e6 * median(took)

    return asyncio.run(run())


def pool_us(store: str) -> float:
    """Microseconds of a round trip through the pool, with a deadline; the median."""
    spec = PoolSpec(
        tiers=[TierSpec("hot", 1)], store=store, store_plugins=[STORE], operation_plugins=[OPERATIONS]
    )

    async def run() -> float:
        took = []
        async with LocalPool(spec) as pool:
            for number in range(TRIPS + 500):
                start = time.perf_counter()
                await pool.submit_nowait(request(number), Choice(), deadline_s=60)
                took.append(time.perf_counter() - start)
        return 1e6 * median(took[500:])

    return asyncio.run(run())


def steps(store: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What parent and worker do with a no-op, one step after the other."""
    loop = asyncio.new_event_loop()
    deadlines = Deadlines(lambda _job, _deadline_s: None)
    question = frame_of(REQUESTS, [body()])
    answer = frame_of(ANSWERS, [encode((7, 7, None, 1000))])
    [(_, questions)] = FrameCutter().feed(question)
    cutter = FrameCutter()
    service = open_service(store, [STORE], [OPERATIONS])
    [wire] = decode_requests(questions)

    def job() -> Job:
        made = Job(request(), Choice(), 7, loop, lambda _job: None)
        made.encode()
        return made

    def settle() -> None:
        loop.create_future().set_result(Reply(7, 7, None, 1000, "hot-1"))

    async def watch() -> float:
        one = job()
        one.cancel()
        return Timer(lambda: deadlines.watch(one, 60.0)).timeit(TRIPS) / TRIPS

    yield "parent: a future, and the request encoded", job
    yield "parent: its deadline watched", lambda: loop.run_until_complete(watch())
    yield "parent: a frame made", lambda: frame_of(REQUESTS, [questions])
    yield "worker: a frame cut and decoded", lambda: decode_requests(cutter.feed(question)[0][1])
    yield "worker: arguments checked, the operation run", lambda: service.handle(wire)
    yield "worker: the answer encoded, a frame made", lambda: frame_of(ANSWERS, [encode((7, 7, None, 1000))])
    yield "parent: a frame cut and decoded", lambda: decode_answers(cutter.feed(answer)[0][1])
    yield "parent: the reply made and its future set", settle
    service.close()
    deadlines.close()
    loop.close()


def step_us(step: Callable[[], Any]) -> float:
    """Microseconds of a step; one that returns seconds has timed itself."""
    timed = step()
    if isinstance(timed, float):
        return 1e6 * timed
    return 1e6 * min(Timer(step).repeat(5, TRIPS)) / TRIPS


def main() -> int:
    """Print the table in Markdown."""
    with TemporaryDirectory() as folder:
        store = f"sqlite:{Path(folder, 'steps.db')}"
        frame = frame_of(REQUESTS, [body()])
        print("| what | µs |\n| --- | --- |")
        for words, seconds in steps(store):
            print(f"| {words} | {step_us(seconds):.1f} |", flush=True)
        print(f"| a round trip of the frame, blocking | {blocking_us(frame):.1f} |", flush=True)
        print(f"| the same, watched by an event loop | {watched_us(frame):.1f} |", flush=True)
        print(f"| a round trip through the pool | {pool_us(store):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
