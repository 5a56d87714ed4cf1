"""A process for each side of the rows about no-ops, so that none pays for the threads of another.

It opens its side, then does what is asked for, a line of JSON each, and answers with a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from typing import Any, TextIO

from tiergate.errors import RunError
from tiergate.pool import TierSpec
from tiergate_plugins.benchmarks import pool_processes
from tiergate_plugins.benchmarks.pool_echo import Echo
from tiergate_plugins.benchmarks.pool_found import make_pool
from tiergate_plugins.benchmarks.pool_peers import open_peer
from tiergate_plugins.benchmarks.pool_sides import Ours, Side, do_all

OURS, ECHO = "tiergate", "a bare Unix-socket echo of the same frames"
WARM_UP = 1000
"""No-ops before anything is measured, and the most frames that the echo is given at once."""


class Host:
    """The other end: starts the process, and asks it.

    Args:
        name: of the side.
        workers: how many.
        store: address of the store that our workers open.
        module: what to run, for tests.
    """

    def __init__(self, name: str, workers: int, store: str, module: str = __name__) -> None:
        self._name = name
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, name, str(workers), store],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._answer()
        except RunError:
            self.close()
            raise

    def round_trips(self, count: int) -> list[float]:
        """Seconds of each of so many no-ops, one after the other."""
        found: list[float] = self._ask(count, 0)["each_s"]
        return found

    def seconds(self, count: int, in_flight: int) -> float:
        """Seconds of a no-op when so many are in flight."""
        return float(self._ask(count, in_flight)["seconds"]) / count

    def cpu_s(self, count: int, in_flight: int) -> float:
        """Seconds of processor time of a no-op, in the process that asks and in the workers."""
        return float(self._ask(count, in_flight)["cpu_s"]) / count

    def _ask(self, count: int, in_flight: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([count, in_flight]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RunError("ended before it had measured", where=self._name)
        answer: dict[str, Any] = json.loads(line)
        if "problem" in answer:
            raise RunError(answer["problem"], where=self._name)
        return answer

    def close(self) -> None:
        """End the process and its workers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def open_side(name: str, workers: int, store: str) -> Side:
    """The side of that name."""
    if name == OURS:
        return Ours(make_pool([TierSpec("hot", workers)], store))
    return Echo(WARM_UP) if name == ECHO else open_peer(name, workers)


def serve(side: Side, asked: TextIO, answers: TextIO) -> None:
    """Do what is asked for; first some no-ops, to see that the side does all of its work."""

    def answer(found: dict[str, Any]) -> None:
        print(json.dumps(found), file=answers, flush=True)

    try:
        do_all(side, WARM_UP, side.most_in_flight)
        answer({})
        processes = pool_processes.descendants()
        for line in asked:
            count, in_flight = json.loads(line)
            if not in_flight:
                answer({"each_s": side.round_trips(count)})
                continue
            before = pool_processes.cpu_s(processes)
            took = do_all(side, count, in_flight)
            answer({"seconds": took, "cpu_s": pool_processes.cpu_s(processes) - before})
    except RunError as error:
        answer({"problem": str(error)})


if __name__ == "__main__":
    with closing(open_side(sys.argv[1], int(sys.argv[2]), sys.argv[3])) as opened:
        serve(opened, sys.stdin, sys.stdout)
