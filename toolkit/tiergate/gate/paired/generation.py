"""A generation: a new process a side, and every benchmark that is still undecided once through both."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tiergate.gate.paired.duet import BenchmarkFailed, Duet, Pace, Ready, answer
from tiergate.gate.paired.processes import Side, SidePlan
from tiergate.record import GatePair, SideName


@dataclass(frozen=True, slots=True)
class Collected:
    """What a side found.

    Attributes:
        benchmarks: names of tests that ask for the fixture `benchmark`, in order.
        errors: files that could not be imported, and why.
        modules: real paths of what is imported.
        cores: that the side may use; empty where it cannot choose.
        python: version of its interpreter.
    """

    benchmarks: Sequence[str]
    errors: Mapping[str, str]
    modules: Sequence[str]
    cores: Sequence[int]
    python: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A benchmark that could not be measured, and on which side.

    Attributes:
        is_skip: the test itself chose not to run.
    """

    side: SideName
    is_skip: bool
    detail: str


@dataclass(slots=True)
class Generation:
    """What one generation gave, by name of the benchmark.

    Attributes:
        seconds: from before its setup to after its end.
        called_s: of them, in calls; waiting for a core does not count.
    """

    pairs: dict[str, list[GatePair]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    called_s: dict[str, float] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)


@contextmanager
def both_sides(
    plans: tuple[SidePlan, SidePlan], random: Random, patience_s: float, keep: Path
) -> Iterator[tuple[Side, Side]]:
    """Start both sides, each with a temporary folder of its own, and end them.

    Args:
        keep: folder for temporary files.
    """
    seed = random.randrange(2**32)
    sides: list[Side] = []
    with tempfile.TemporaryDirectory(prefix="generation-", dir=keep, ignore_cleanup_errors=True) as folder:
        try:
            # Who starts first is drawn too: it decides, for one, which core is warm.
            peers = dict(zip(("base", "new"), socket.socketpair(), strict=True))
            for plan in random.sample(plans, 2):
                own = Path(folder) / plan.name
                own.mkdir()
                sides.append(Side(plan, own, peers[plan.name], seed, patience_s))
            base, new = sorted(sides, key=lambda side: side.plan.name)
            yield base, new
        except BaseException:
            for side in sides:
                side.kill()
            raise
        for side in sides:
            side.stop()


def collected(side: Side) -> Collected:
    """Wait until a side has collected its tests."""
    said = side.hears()
    errors = {str(one["test"]): str(one["detail"]) for one in said["errors"]}
    names, modules = [str(name) for name in said["benchmarks"]], [str(one) for one in said["modules"]]
    return Collected(names, errors, modules, [int(core) for core in said["cores"]], str(said["python"]))


def perform(
    base: Side,
    new: Side,
    names: Sequence[str],
    paces: Mapping[str, Pace],
    random: Random,
    cores: Sequence[int],
    step: Callable[[], None],
) -> Generation:
    """Take both sides, which have collected, through these benchmarks.

    Raises:
        SideGone: a process ended or hangs.
    """
    found = Generation()
    for side in (base, new):
        side.tell("run", tests=list(names))
    for name in names:
        began = time.perf_counter()
        failures: list[Failure] = []
        running = [base, new]
        try:
            duet = _begun(base, new, paces[name], random, cores)
            found.pairs[name] = duet.play()
            found.called_s[name] = duet.called_s
        except BenchmarkFailed as failed:
            running.remove(failed.side)
            failures.append(Failure(failed.side.plan.name, failed.outcome == "skipped", failed.detail))
        for side in running:
            outcome, detail = side.finish_test()
            if outcome != "passed":
                failures.append(Failure(side.plan.name, outcome == "skipped", detail))
        if failures:
            found.failures[name] = _gravest(failures)
        found.seconds[name] = time.perf_counter() - began
        step()
    return found


def _gravest(failures: Sequence[Failure]) -> Failure:
    """What broke, before what was skipped; where the base skips too, the new side lost nothing."""
    return min(failures, key=lambda one: (one.is_skip, one.is_skip and one.side != "base"))


def _begun(base: Side, new: Side, pace: Pace, random: Random, cores: Sequence[int]) -> Duet:
    """Wait until both sides stand still in the benchmark."""
    said = [answer(side, "ready") for side in (base, new)]
    ready = tuple(Ready(one["rounds"], int(one["iterations"]), bool(one["fresh"])) for one in said)
    return Duet(base, new, (ready[0], ready[1]), pace, random, cores)
