"""The rounds of a profile: one with a profiler and one without, in an order that is drawn, time and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec

from tiergate.hooks import RouterDeclaration
from tiergate.load.driver import Timetable, drive_target
from tiergate.load.outcome import Round
from tiergate.load.plan import Plan, Progress
from tiergate.load.prepare import Prepared
from tiergate.load.rounds import build_router, require_completed
from tiergate.load.stage import Filled, Stage
from tiergate.profiler import ProfileSpec
from tiergate.profiling.coordinator import ProfiledTarget
from tiergate.routed import RoutedPool
from tiergate.sampling.gathering import Chunk
from tiergate.sampling.handing import SUFFIX, handed_over
from tiergate.sampling.in_worker import build_profiler
from tiergate.target import Target


@dataclass(frozen=True, slots=True)
class Handed:
    """What one process handed over, in the order in which it did."""

    worker: str
    chunks: Sequence[Chunk]

    @property
    def is_whole(self) -> bool:
        """Whether it ended of its own accord, with nothing left to say."""
        return bool(self.chunks) and self.chunks[-1].ends


@dataclass(frozen=True, slots=True)
class ProfiledRound:
    """A round with a profiler.

    Attributes:
        coordinator: what was seen of it.
        workers: what each process handed over.
    """

    round: Round
    coordinator: Chunk
    workers: Sequence[Handed]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rounds of the same requests."""

    plain: Round
    profiled: ProfiledRound


@dataclass(frozen=True, slots=True)
class Course:
    """What every round goes through: the same requests, by the one router of the plan.

    Attributes:
        spec: how a profiled round is profiled; its folder is made for each.
    """

    plan: Plan
    stage: Stage
    prepared: Prepared
    timetable: Timetable
    spec: ProfileSpec

    @property
    def router(self) -> RouterDeclaration:
        """The router of the plan."""
        [router] = self.plan.routers
        return router

    async def plain(self, number: int) -> Round:
        """A round without a profiler."""
        with self.stage.filled(self.prepared.judged.sessions) as filled:
            return await self._drive(self._target(filled, None), number)

    async def profiled(self, number: int) -> ProfiledRound:
        """A round with one in every process."""
        with (
            TemporaryDirectory(prefix="tiergate-profile-") as folder,
            self.stage.filled(self.prepared.judged.sessions) as filled,
        ):
            spec = msgspec.structs.replace(self.spec, folder=folder)
            target = ProfiledTarget(self._target(filled, spec), build_profiler(spec))
            done = await self._drive(target, number)
            return ProfiledRound(done, target.gatherer.take(), _all_handed_over(Path(folder)))

    def _target(self, filled: Filled, spec: ProfileSpec | None) -> Target:
        pool = self.stage.pool(filled, self.plan.tiers_of(self.router), profiling=spec)
        return RoutedPool(pool, build_router(self.router, self.plan, self.prepared))

    async def _drive(self, target: Target, number: int) -> Round:
        done = await drive_target(target, self.timetable, number)
        require_completed(self.router, done)
        return done


async def drive_pairs(course: Course, progress: Progress) -> list[Pair]:
    """As many pairs as the plan has rounds. Each round starts from a fresh store and a fresh pool.

    Raises:
        RunError: a round completed nothing at all.
    """
    random = Random(f"order of rounds {course.plan.seed}")
    progress.begin("drive with and without the profiler", 2 * course.plan.effort.rounds)
    pairs = []
    for number in range(1, course.plan.effort.rounds + 1):
        if random.random() < 0.5:
            plain = await course.plain(number)
            progress.step()
            profiled = await course.profiled(number)
        else:
            profiled = await course.profiled(number)
            progress.step()
            plain = await course.plain(number)
        progress.step()
        pairs.append(Pair(plain, profiled))
    return pairs


def _all_handed_over(folder: Path) -> list[Handed]:
    """What each process of a round handed over; its file is called after its worker."""
    return [
        Handed(path.name.removesuffix(SUFFIX).rpartition(".")[0], list(handed_over(path)))
        for path in sorted(folder.glob(f"*{SUFFIX}"))
    ]


def only(timetable: Timetable, operation: str) -> Timetable:
    """The requests of one operation, at the moments at which the whole trace has them."""
    kept = [
        (request, facts, start)
        for request, facts, start in zip(timetable.requests, timetable.facts, timetable.starts, strict=True)
        if request.operation == operation
    ]
    return replace(
        timetable,
        requests=[request for request, _, _ in kept],
        facts=[facts for _, facts, _ in kept],
        starts=[start for _, _, start in kept],
    )
