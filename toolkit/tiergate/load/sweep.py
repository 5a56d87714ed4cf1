"""The rate sweep: how many requests a second each variant carries before it falls behind.

The rate rises geometrically from half of the run's until a variant does not keep up, and the bracket that is
found is then halved on the log scale until its ends are within `PRECISION` of each other. A round keeps up
when the answers that came until its last intended start are at least `KEEPS_UP` of the requests, and its 95th
percentile is at most `LIMIT` times that at the lowest rate of the sweep. A rate is carried when most of its
rounds keep up. The variants take turns, in an order that is drawn anew each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from random import Random
from statistics import fmean

from tiergate.hooks import RouterDeclaration
from tiergate.load.outcome import Fate, Round
from tiergate.load.plan import Plan, Progress
from tiergate.load.prepare import Prepared
from tiergate.load.recorder import Recorder
from tiergate.load.rounds import drive_one
from tiergate.load.stage import Stage
from tiergate.record import Knee, SweepPoint

KEEPS_UP = 0.9
LIMIT = 5.0
STEP = 1.5
PRECISION = 1.15
MOST_RATES = 14
REQUESTS = 400
"""Of the beginning of the judged trace; fewer where it has fewer."""

REASONS = {"answers": "the next rate left answers behind", "p95": "the next rate passed the limit of p95"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One round at one rate: answers by the last intended start over requests, rate of answers, and p95."""

    share: float
    achieved_rps: float
    p95_ms: float


@dataclass
class KneeSearch:
    """The search of one variant; it is told what was measured and says which rate comes next."""

    first_rps: float
    points: list[SweepPoint] = field(default_factory=list)

    def next_rate(self) -> float | None:
        """Requests a second to try next; None when nothing is left to learn."""
        if not self.points:
            return self.first_rps
        carried, lost = self._highest_carried(), self._lowest_lost()
        if len(self.points) >= MOST_RATES:
            return None
        if carried is None:
            return (lost or self.first_rps) / STEP
        if lost is None:
            return carried * STEP
        return None if lost / carried <= PRECISION else sqrt(carried * lost)

    def tell(self, offered_rps: float, rounds: Sequence[Measured]) -> None:
        """Note the rounds at one rate."""
        lowest = min(self.points, key=lambda point: point.offered_rps, default=None)
        limit_ms = LIMIT * lowest.p95_ms if lowest is not None else float("inf")
        in_time = [one.share >= KEEPS_UP for one in rounds]
        kept = sum(one.p95_ms <= limit_ms and fits for one, fits in zip(rounds, in_time, strict=True))
        self.points.append(
            SweepPoint(
                offered_rps=offered_rps,
                achieved_rps=fmean(one.achieved_rps for one in rounds),
                p95_ms=fmean(one.p95_ms for one in rounds),
                rounds=len(rounds),
                kept_up=kept,
                limit=""
                if kept * 2 > len(rounds)
                else "answers"
                if sum(in_time) * 2 <= len(rounds)
                else "p95",
            )
        )

    def knee(self) -> Knee:
        """Between the highest rate that was carried and the lowest that was not.

        The interval goes from the highest rate up to which every round kept up to the lowest at which none
        did.
        """
        carried, lost = self._highest_carried(), self._lowest_lost()
        if lost is None:
            return Knee(rps=None, interval=None, reason=f"it kept up at every rate, to {carried or 0:.4g}/s")
        if carried is None:
            return Knee(rps=None, interval=None, reason=f"it kept up at no rate, from {lost:.4g}/s on")
        unsure = [point.offered_rps for point in self.points if point.kept_up < point.rounds]
        sure = [point.offered_rps for point in self.points if point.offered_rps < min(unsure)]
        never = [
            point.offered_rps for point in self.points if not point.kept_up and point.offered_rps >= lost
        ]
        highest = max(point.offered_rps for point in self.points)
        limit = next(point.limit for point in self.points if point.offered_rps == lost)
        return Knee(
            rps=sqrt(carried * lost),
            interval=(max(sure, default=0.0), min(never, default=highest)),
            reason=REASONS[limit],
        )

    def _lowest_lost(self) -> float | None:
        return min((point.offered_rps for point in self.points if point.limit), default=None)

    def _highest_carried(self) -> float | None:
        """Of the rates below the lowest that was lost: a rate above one that was lost proves nothing."""
        lost = self._lowest_lost()
        return max(
            (p.offered_rps for p in self.points if not p.limit and (lost is None or p.offered_rps < lost)),
            default=None,
        )


async def sweep(plan: Plan, stage: Stage, prepared: Prepared, progress: Progress) -> dict[str, KneeSearch]:
    """Find the knee of every variant."""
    random = Random(f"order of the sweep {plan.seed}")
    searches = {router.name: KneeSearch(prepared.rate_rps / 2) for router in plan.routers}
    rounds = plan.effort.sweep_rounds
    # How many rates it takes is not known beforehand; a bracket in four steps, then three halvings, is usual.
    progress.begin("sweep the rate", MOST_RATES)
    for _ in range(MOST_RATES):
        rates = {name: rate for name, found in searches.items() if (rate := found.next_rate()) is not None}
        measured: dict[str, list[Measured]] = {name: [] for name in rates}
        for number in range(1, rounds + 1):
            due = [router for router in plan.routers if router.name in rates]
            for declaration in random.sample(due, k=len(due)):
                name = declaration.name
                done = await _at(plan, stage, prepared, declaration, rates[name], number)
                measured[name].append(_measure(done))
        for name, found in measured.items():
            searches[name].tell(rates[name], found)
        progress.step()
    return searches


async def _at(
    plan: Plan,
    stage: Stage,
    prepared: Prepared,
    declaration: RouterDeclaration,
    rate_rps: float,
    number: int,
) -> Round:
    whole = prepared.timetable
    few = slice(0, REQUESTS)
    starts = [start * prepared.rate_rps / rate_rps for start in whole.starts[few]]
    timetable = replace(
        whole, requests=whole.requests[few], facts=whole.facts[few], starts=starts, clients=None
    )
    return await drive_one(plan, stage, prepared, declaration, timetable, number)


def _measure(done: Round) -> Measured:
    ends = max(outcome.start_s for outcome in done.outcomes)
    completed = [outcome for outcome in done.outcomes if outcome.fate is Fate.COMPLETED]
    in_time = sum(outcome.start_s + outcome.response_s <= ends for outcome in completed)
    recorder = Recorder(outcome.response_s for outcome in completed)
    return Measured(
        share=in_time / len(done.outcomes),
        achieved_rps=len(completed) / done.elapsed_s,
        p95_ms=recorder.percentile_ms(95) if completed else float("inf"),
    )
