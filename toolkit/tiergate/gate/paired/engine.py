"""``gate paired`` from top to bottom: collect both sides, play generations, look, judge, record."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Literal, Protocol

from tiergate.gate.paired import suspension
from tiergate.gate.paired.duet import Pace
from tiergate.gate.paired.generation import Collected, Failure, both_sides, collected, perform
from tiergate.gate.paired.pairing import Suite, pair_up
from tiergate.gate.paired.processes import SidePlan
from tiergate.gate.ratio import Estimate, estimate
from tiergate.gate.sequential import Judgement, Rules, judge
from tiergate.gate.verdict import verdict_of
from tiergate.record import BenchmarkVerdict, GateBenchmark, GatePair, GateUnpaired, GateVerdict


@dataclass(frozen=True, slots=True)
class PairedPlan:
    """What is compared, and by which rules.

    Attributes:
        sides: base, new.
        rules: promised beforehand.
        patience_s: how long a side may say nothing.
        seed: of the order of blocks, of cores and of hash seeds.
        check: called with what each side collected, once; raises where the comparison makes no sense.
    """

    sides: tuple[SidePlan, SidePlan]
    rules: Rules
    patience_s: float
    seed: int
    check: Callable[[Collected, Collected], None]


class Progress(Protocol):
    """Who is told how far the comparison is."""

    def generation(self, number: int, undecided: int) -> None:
        """A generation begins, with so many benchmarks that are not decided."""

    def benchmark(self) -> None:
        """One of them was played."""


@dataclass(slots=True)
class Played:
    """One benchmark, as far as it was played."""

    samples: list[list[GatePair]] = field(default_factory=list)
    seconds: float = 0.0
    called_s: float = 0.0
    has_stopped: bool = False
    judgement: Judgement | None = None
    failure: Failure | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is neither decided nor broken, nor out of time."""
        is_decided = self.judgement is not None and self.judgement.verdict is not None
        return self.failure is None and not is_decided and not self.has_stopped

    def estimate(self) -> Estimate:
        """The ratio so far."""
        return estimate(self.samples)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the comparison found.

    Attributes:
        pythons: versions of the interpreters, base and new.
    """

    benchmarks: list[GateBenchmark]
    unpaired: list[GateUnpaired]
    verdict: GateVerdict
    remarks: list[str]
    pythons: tuple[str, str]


def compare(plan: PairedPlan, progress: Progress) -> Outcome:
    """Play until every benchmark is decided, or the last look is over.

    Raises:
        UsageError: there is nothing to compare, or a side runs the code of the other.
        SideGone: a process ended or hangs.
    """
    random, slept_before = Random(plan.seed), suspension.suspended_s()
    with tempfile.TemporaryDirectory(prefix="tiergate-duet-", ignore_cleanup_errors=True) as folder:
        suite, played = _play_all(plan, progress, random, Path(folder))
    benchmarks = [_recorded(name, one, plan.rules) for name, one in played.items() if one.failure is None]
    unpaired = [*suite.unpaired, *(_failed(name, one.failure) for name, one in played.items() if one.failure)]
    remarks = suspension.remarks(slept_before, suspension.suspended_s())
    return Outcome(benchmarks, unpaired, verdict_of(benchmarks, unpaired), remarks, suite.pythons)


def _play_all(
    plan: PairedPlan, progress: Progress, random: Random, keep: Path
) -> tuple[Suite, dict[str, Played]]:
    suite: Suite | None = None
    played: dict[str, Played] = {}
    paces: dict[str, Pace] = {}
    last = plan.rules.looks[-1]
    for number in range(1, last + 1):
        with both_sides(plan.sides, random, plan.patience_s, keep) as (base, new):
            found = collected(base), collected(new)
            if suite is None:
                suite = pair_up(*found)
                plan.check(*found)
                played = {name: Played() for name in suite.names}
                paces = {name: Pace() for name in suite.names}
            names = [name for name in suite.names if played[name].is_open]
            random.shuffle(names)
            progress.generation(number, len(names))
            cores = sorted({*found[0].cores} & {*found[1].cores})
            generation = perform(base, new, names, paces, random, cores, progress.benchmark)
        for name in names:
            played[name].seconds += generation.seconds[name]
            played[name].called_s += generation.called_s.get(name, 0.0)
            played[name].failure = generation.failures.get(name)
            played[name].samples.append(generation.pairs.get(name, []))
        if number in plan.rules.looks:
            _look(played, number, plan.rules)
        if not any(one.is_open for one in played.values()):
            break
    assert suite is not None, "rules have a look, and so a generation"
    return suite, played


def _look(played: dict[str, Played], generations: int, rules: Rules) -> None:
    decided = [one.judgement for one in played.values() if one.judgement is not None]
    rejected = sum(one.verdict in {"regressed", "improved"} for one in decided)
    estimates = {}
    for name, one in played.items():
        if one.is_open:
            began = perf_counter()
            estimates[name] = one.estimate()
            one.seconds += perf_counter() - began
    for name, judgement in judge(estimates, generations, len(played), rejected, rules).items():
        played[name].judgement = judgement
        played[name].has_stopped = played[name].called_s >= rules.budget_s


def _recorded(name: str, played: Played, rules: Rules) -> GateBenchmark:
    found = played.estimate()
    judgement = played.judgement
    assert judgement is not None, "the last look judges whatever is open"
    verdict: BenchmarkVerdict = judgement.verdict or "inconclusive"
    pairs = [pair for generation in played.samples for pair in generation]
    return GateBenchmark(
        name=name,
        ratio=found.ratio,
        interval=found.interval(),
        verdict=verdict,
        seconds=played.seconds,
        decision_interval=judgement.interval,
        reason=_reason(verdict, judgement, found, played, rules),
        p_value=judgement.p_value,
        base_s=median(pair.base_s for pair in pairs),
        new_s=median(pair.new_s for pair in pairs),
        samples=played.samples,
    )


def _reason(
    verdict: BenchmarkVerdict, judgement: Judgement, found: Estimate, played: Played, rules: Rules
) -> str:
    low, high = ((end - 1) * 100 for end in judgement.interval)
    tolerance, same = rules.tolerance * 100, rules.same_within * 100
    of = f"after {found.generations} generations"
    if verdict == "regressed":
        return f"{of} it is slower by {low:.1f} % at least, more than the tolerance of {tolerance:.2g} %"
    if verdict == "improved":
        return f"{of} it is faster by {-high:.1f} % at least, more than the tolerance of {tolerance:.2g} %"
    if verdict == "same":
        return f"{of} a difference of {same:.2g} % or more is ruled out"
    once = all(len(generation) == 1 for generation in played.samples)
    advice = "; each process calls it once: give pedantic() more rounds, or a setup" if once else ""
    return (
        f"{of} it may be anything from {low:+.1f} % to {high:+.1f} %: neither beyond the tolerance of "
        f"{tolerance:.2g} % nor within {same:.2g} %{advice}"
    )


def _failed(name: str, failure: Failure) -> GateUnpaired:
    problem: Literal["skipped", "failed"] = "skipped" if failure.is_skip else "failed"
    return GateUnpaired(name=name, side=failure.side, problem=problem, detail=failure.detail)
