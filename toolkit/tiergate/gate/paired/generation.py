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
    """

    benchmarks: Sequence[str]
    errors: Mapping[str, str]
    modules: Sequence[str]
    cores: Sequence[int]


@dataclass(frozen=True, slots=True)
class Failure:
    """A benchmark that could not be measured, and on which side."""

    side: SideName
    outcome: str
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
    return Collected(names, errors, modules, [int(core) for core in said["cores"]])


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
        try:
            duet = _begun(base, new, paces[name], random, cores)
            pairs = duet.play()
        except BenchmarkFailed as failed:
            found.failures[name] = Failure(failed.side.plan.name, failed.outcome, failed.detail)
            (new if failed.side is base else base).finish_test()
        else:
            ends = [side.finish_test() for side in (base, new)]
            for side, (outcome, detail) in zip((base, new), ends, strict=True):
                if outcome != "passed":
                    found.failures[name] = Failure(side.plan.name, outcome, detail)
            found.pairs[name] = pairs
            found.called_s[name] = duet.called_s
        found.seconds[name] = time.perf_counter() - began
        step()
    return found


def _begun(base: Side, new: Side, pace: Pace, random: Random, cores: Sequence[int]) -> Duet:
    """Wait until both sides stand still in the benchmark."""
    said = [answer(side, "ready") for side in (base, new)]
    ready = tuple(Ready(one["rounds"], int(one["iterations"]), bool(one["fresh"])) for one in said)
    return Duet(base, new, (ready[0], ready[1]), pace, random, cores)
