"""One side of a duet: pytest in the tree and the environment of that side, pausing inside each benchmark.

Run as a script by another interpreter, in which nothing of tiergate is installed: it needs pytest and
pytest-benchmark, and Python 3.9. It talks with the judge over the socket whose number is in
`TIERGATE_DUET_FD`, a JSON object a line:

- it says ``collected`` with the benchmarks that it found, then waits for ``run`` with those to run, in order;
- in each, it says ``ready`` where the test calls its benchmark, and stays there, with all that the test has
  set up; for every ``series`` it makes so many blocks of calls and says how long each took; at ``stop`` the
  test goes on;
- it says ``finished`` with the outcome of the test.

In a series the sides take turns: who has made a block hands the turn to the other over the socket in
`TIERGATE_DUET_PEER`. On one core that is a mere change of processes.

Only calls are timed. The time for which the thread was ready to run but had no core is measured too
(`run_delay` of the kernel's scheduler statistics): it is the neighbours', not the benchmark's.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import platform
import random
import resource
import select
import socket
import sys
import sysconfig
import time
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[0] = str(Path.cwd())  # As `python -m pytest` does; this file's folder is no place to import from.

import pytest  # noqa: E402
from pytest_benchmark import fixture as benchmark_fixture  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Block = tuple[float, float]
"""Seconds, and for how long of them the thread had no core."""

try:
    _SCHEDSTAT = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
except OSError:
    _SCHEDSTAT = -1  # Not Linux: what the neighbours take stays in the figures, and in their noise.

_INSTALLED = tuple(
    sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "platstdlib", "purelib", "platlib")
)
_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def waited_s() -> float:
    """Seconds that this thread has waited for a core so far; 0 where the system does not count them."""
    if _SCHEDSTAT < 0:
        return 0.0
    return int(os.pread(_SCHEDSTAT, 64, 0).split()[1]) / 1e9


def helpers_cpu_s() -> float:
    """Processor seconds that other threads and child processes have taken so far."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    total = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return total - time.thread_time()


def set_apart() -> None:
    """Take everything that is alive out of the garbage collector's sight: none of it is the benchmark's."""
    gc.collect()
    gc.freeze()


def stay_on(core: int | None) -> None:
    """Keep this thread on one core, or on all that it may use."""
    if _CORES:
        os.sched_setaffinity(0, _CORES if core is None else {core})


OVERRIDDEN: dict[str, Any] = {
    "numprocesses": None,
    "tx": [],
    "dist": "no",
    "maxfail": 0,
    "benchmark_enable": True,
    "benchmark_disable": False,
    "benchmark_skip": False,
    "benchmark_only": False,
    "benchmark_save": None,
    "benchmark_autosave": False,
    "benchmark_compare": None,
    "benchmark_compare_fail": None,
    "benchmark_json": None,
    "benchmark_csv": None,
    "benchmark_histogram": None,
    "benchmark_cprofile": None,
}
"""Options that the project's own settings may have set: no parallel workers, nothing written or compared."""


class Judge:
    """The other end of the socket."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        # Unbuffered, so that nothing is read that waiting for the socket would then miss.
        self._stream = self._socket.makefile("rb", buffering=0)

    def fileno(self) -> int:
        """For waiting until it says something."""
        return self._socket.fileno()

    def say(self, what: str, **facts: object) -> None:
        """Send one message."""
        self._socket.sendall(json.dumps({"say": what, **facts}).encode() + b"\n")

    def asks(self) -> dict[str, Any]:
        """The next order; ends the process where the judge is gone."""
        line = self._stream.readline()
        if not line:
            os._exit(1)
        order: dict[str, Any] = json.loads(line)
        return order


class Calls:
    """What is called and timed: the target of one benchmark.

    Args:
        fixture: the test's own, which knows the timer.
        target: the function.
        arguments: gives the arguments of each call; a call of it is not timed.
        rounds: how often the author allows it to be called in one process; None for any number.
        iterations: calls a round.
        fresh: whether every round has arguments of its own.
        after: called with the arguments after each round; not timed.
    """

    def __init__(
        self,
        fixture: Any,
        target: Callable[..., Any],
        arguments: Callable[[], Arguments],
        rounds: int | None = None,
        iterations: int = 1,
        fresh: bool = False,
        after: Callable[..., Any] | None = None,
    ) -> None:
        self._fixture, self._target, self._arguments, self._after = fixture, target, arguments, after
        self.is_fresh = fresh
        self.rounds, self.iterations = rounds, iterations
        self.result: Any = None
        self.has_run = False

    def block(self, rounds: int) -> Block:
        """Seconds that so many rounds took, and for how long of them the thread had no core."""
        total = waited = 0.0
        single = 1 if self.is_fresh else rounds
        for _ in range(rounds // single):
            args, kwargs = self._arguments()
            seconds, delay = self._timed(args, kwargs, single * self.iterations)
            total, waited = total + seconds, waited + delay
            if self._after is not None:
                self._after(*args, **kwargs)
        return total, waited

    def _timed(self, args: tuple[Any, ...], kwargs: dict[str, Any], calls: int) -> Block:
        target, timer = self._target, self._fixture._timer
        counts_waiting = timer is time.perf_counter
        before = waited_s() if counts_waiting else 0.0
        if calls == 1:
            start = timer()
            self.result = target(*args, **kwargs)
            end = timer()
        else:
            start = timer()
            for _ in repeat(None, calls - 1):
                target(*args, **kwargs)
            self.result = target(*args, **kwargs)
            end = timer()
        self.has_run = True
        return end - start, (waited_s() - before if counts_waiting else 0.0)

    def once(self) -> Any:
        """The result of the target, which is called where it never was."""
        if not self.has_run:
            args, kwargs = self._arguments()
            self.result = self._target(*args, **kwargs)
            if self._after is not None:
                self._after(*args, **kwargs)
        return self.result


class Peer:
    """The other side, for taking turns; a side that fails says so, or is gone, and its peer goes on alone."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)

    def give_turn(self) -> None:
        """A block is done."""
        with suppress(OSError):
            self._socket.send(b"+")

    def await_turn(self, judge: Judge) -> bool:
        """Wait for a block of the other side; whether it could make it. The judge may ask meanwhile."""
        mine = self._socket.fileno()
        while mine not in select.select([mine, judge.fileno()], [], [])[0]:
            judge.asks()
            judge.say("waits")
        return self._socket.recv(1) == b"+"

    def give_up(self) -> None:
        """The test failed."""
        with suppress(OSError):
            self._socket.send(b"-")


def series(judge: Judge, peer: Peer, calls: Calls, rounds: int, turns: list[bool] | None) -> list[Block]:
    """Make the blocks that are this side's turn; one entry each: seconds, and seconds without a core.

    Args:
        turns: of each block, whether it is this side's; None where both make theirs at one time.
    """
    if turns is None:
        return [calls.block(rounds)]
    blocks = []
    for is_mine in turns:
        if is_mine:
            try:
                blocks.append(calls.block(rounds))
            except BaseException:
                peer.give_up()
                raise
            peer.give_turn()
        elif not peer.await_turn(judge):
            break
    return blocks


def perform(judge: Judge, peer: Peer, fixture: Any, calls: Calls) -> Any:
    """Stand still inside the test and make blocks of calls until the judge has enough."""
    judge.say("ready", rounds=calls.rounds, iterations=calls.iterations, fresh=calls.is_fresh)
    stats = fixture._make_stats(calls.iterations)
    set_apart()
    collects = gc.isenabled()
    if fixture._disable_gc:
        gc.disable()
    try:
        pause: Any = benchmark_fixture.PauseInstrumentation
        with pause():
            while True:
                order = judge.asks()
                if order["do"] == "stop":
                    break
                stay_on(order["core"])
                helped = helpers_cpu_s()
                blocks = series(judge, peer, calls, order["rounds"], order["turns"])
                for seconds, _ in blocks:
                    stats.update(seconds / order["rounds"])
                judge.say("series", blocks=blocks, helped=helpers_cpu_s() - helped)
    finally:
        stay_on(None)
        if collects:
            gc.enable()
    return calls.once()


def play(judge: Judge, peer: Peer) -> None:
    """Replace how pytest-benchmark measures; everything else of its fixture stays as it is."""

    def raw(self: Any, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return perform(judge, peer, self, Calls(self, function_to_benchmark, lambda: (args, kwargs)))

    def raw_pedantic(
        self: Any,
        target: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> Any:
        given: Arguments = (args, kwargs or {})

        def arguments() -> Arguments:
            made: Arguments | None = setup() if setup else None
            if made and (args or kwargs):
                raise TypeError("Can't use `args` or `kwargs` if `setup` returns the arguments.")
            return made or given

        # With a setup every round begins anew, so that there may be more of them than the author needs.
        limit = None if setup else rounds
        fresh = bool(setup or teardown)
        calls = Calls(self, target, arguments, limit, iterations, fresh, teardown)
        for _ in range(warmup_rounds):
            calls.block(1)
        return perform(judge, peer, self, calls)

    fixture: Any = benchmark_fixture.BenchmarkFixture
    fixture._raw, fixture._raw_pedantic = raw, raw_pedantic


class Duet:
    """The pytest plugin: runs what the judge asks for, and reports what becomes of it."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._errors: list[dict[str, str]] = []
        self._outcome, self._problem = "passed", ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        """No parallel workers, whatever the project's own options say; nothing is written into the tree."""
        for name, value in OVERRIDDEN.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Files that could not be imported."""
        if report.failed:
            self._errors.append({"test": report.nodeid, "detail": last_line(report.longreprtext)})

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the benchmarks that the judge asks for."""
        items = {
            item.nodeid: item for item in session.items if "benchmark" in getattr(item, "fixturenames", ())
        }
        others = [module for name, module in list(sys.modules.items()) if name != "__main__"]
        origins = sorted({origin for module in others if (origin := _origin(module))})
        self._judge.say(
            "collected",
            benchmarks=list(items),
            errors=self._errors,
            modules=origins,
            cores=sorted(_CORES),
            python=platform.python_version(),
        )
        set_apart()
        while True:
            order = self._judge.asks()
            if order["do"] == "quit":
                return True
            wanted = [items[name] for name in order["tests"]]
            for item, following in zip(wanted, [*wanted[1:], None]):  # noqa: B905 - Python 3.9
                self._problem, self._outcome = "", "passed"
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                self._judge.say("finished", outcome=self._outcome, detail=self._problem)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Draw the same random numbers on both sides, lest other inputs be taken for other code."""
        seed = os.environ.get("PYTHONHASHSEED", "0")
        random.seed(f"{seed} {item.nodeid}")
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(int(seed))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """All that tests have set up is torn down; the summaries are for nobody."""
        os._exit(0)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first thing that went wrong with a test."""
        if report.outcome != "passed" and self._outcome == "passed":
            self._outcome = report.outcome
            text = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            self._problem = last_line(str(text))


def last_line(text: str) -> str:
    """Of a traceback, the line that says what went wrong; pytest marks such lines with an E."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line[1:].strip() for line in lines if line.startswith("E  ")]
    chosen = next((line for line in marked if "Error" in line or "Exception" in line), None)
    return (chosen or (marked or lines or [""])[0])[:300]


def _origin(module: Any) -> str:
    """Where a module lies, unless it is part of Python or was installed."""
    file = getattr(module, "__file__", None)
    return os.path.realpath(file) if isinstance(file, str) and not file.startswith(_INSTALLED) else ""


def main() -> int:
    """Run pytest as one side."""
    judge = Judge(int(os.environ.pop("TIERGATE_DUET_FD")))
    play(judge, Peer(int(os.environ.pop("TIERGATE_DUET_PEER"))))
    # A project's own options may ask for coverage, which would trace what is timed.
    uncovered = ["--no-cov"] if importlib.util.find_spec("pytest_cov") else []
    return int(pytest.main([*sys.argv[1:], *uncovered], plugins=[Duet(judge)]))


if __name__ == "__main__":
    sys.exit(main())
