"""Operations that the benchmarks of the pool ask for; no entry point names them, only the benchmarks do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

import msgspec

from tiergate.hooks import OperationDeclaration, hookimpl, one_task
from tiergate.store import Store


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of ``bench_echo``: what comes back."""

    number: int


class Seconds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of the operations that wait: how long."""

    seconds: float


class Loops(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of the operations that compute: how often to go round an empty loop."""

    loops: int


def bench_echo(_store: Store, _session: str, arguments: Number) -> int:
    """Give back a number."""
    return arguments.number


def wait(_store: Store, _session: str, arguments: Seconds) -> float:
    """Sleep, without use of the processor."""
    time.sleep(arguments.seconds)
    return arguments.seconds


def compute(_store: Store, _session: str, arguments: Loops) -> int:
    """Go round an empty loop. It does the same work however long the scheduler makes it wait."""
    for _ in range(arguments.loops):
        pass
    return arguments.loops


def bench_loops_a_second(_store: Store, _session: str, arguments: Loops) -> float:
    """Rounds of that loop in a second of processor time, in this process: the median of five tries."""
    return median(arguments.loops / _processor_s(arguments.loops) for _ in range(5))


def _processor_s(loops: int) -> float:
    start = time.process_time()
    for _ in range(loops):
        pass
    return time.process_time() - start


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operations of this module. Short and long ones differ in name, which is all that a router sees."""
    for name, run, arguments in (
        ("bench_echo", bench_echo, Number),
        ("bench_wait_short", wait, Seconds),
        ("bench_wait_long", wait, Seconds),
        ("bench_compute_short", compute, Loops),
        ("bench_compute_long", compute, Loops),
        ("bench_loops_a_second", bench_loops_a_second, Loops),
    ):
        yield OperationDeclaration(
            name=name,
            summary=str(run.__doc__).partition(".")[0].lower(),
            arguments=arguments,
            run=run,
            scope=one_task,
            needs_session=False,
        )
