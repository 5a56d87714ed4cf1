"""The rounds of a profile: one with a profiler and one without, in an order that is drawn, time and again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
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
from tiergate.load.stage import Stage
from tiergate.profiler import ProfileSpec
from tiergate.profiling.coordinator import ProfiledTarget
from tiergate.routed import RoutedPool
from tiergate.sampling.gathering import Chunk
from tiergate.sampling.handing import SUFFIX, handed_over
from tiergate.sampling.in_worker import build_profiler


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


async def drive_pairs(
    plan: Plan, stage: Stage, prepared: Prepared, timetable: Timetable, spec: ProfileSpec, progress: Progress
) -> list[Pair]:
    """As many pairs as the plan has rounds. Each round starts from a fresh store and a fresh pool.

    Raises:
        RunError: a round completed nothing at all.
    """
    random = Random(f"order of rounds {plan.seed}")
    [router] = plan.routers
    progress.begin("drive with and without the profiler", 2 * plan.effort.rounds)
    pairs = []
    for number in range(1, plan.effort.rounds + 1):
        plain: Round | None = None
        profiled: ProfiledRound | None = None
        for with_profiler in random.sample((True, False), k=2):
            if with_profiler:
                profiled = await _profiled(plan, stage, prepared, timetable, router, spec, number)
            else:
                plain = await _plain(plan, stage, prepared, timetable, router, number)
            progress.step()
        assert plain is not None
        assert profiled is not None
        pairs.append(Pair(plain, profiled))
    return pairs


async def _plain(
    plan: Plan,
    stage: Stage,
    prepared: Prepared,
    timetable: Timetable,
    declaration: RouterDeclaration,
    number: int,
) -> Round:
    with stage.filled(prepared.judged.sessions) as filled:
        pool = stage.pool(filled, plan.tiers_of(declaration))
        target = RoutedPool(pool, build_router(declaration, plan, prepared))
        done = await drive_target(target, timetable, number)
    require_completed(declaration, done)
    return done


async def _profiled(
    plan: Plan,
    stage: Stage,
    prepared: Prepared,
    timetable: Timetable,
    declaration: RouterDeclaration,
    spec: ProfileSpec,
    number: int,
) -> ProfiledRound:
    with ExitStack() as closing:
        folder = Path(closing.enter_context(TemporaryDirectory(prefix="tiergate-profile-")))
        filled = closing.enter_context(stage.filled(prepared.judged.sessions))
        here = msgspec.structs.replace(spec, folder=str(folder))
        pool = stage.pool(filled, plan.tiers_of(declaration), profiling=here)
        routed = RoutedPool(pool, build_router(declaration, plan, prepared))
        target = ProfiledTarget(routed, build_profiler(here))
        done = await drive_target(target, timetable, number)
        require_completed(declaration, done)
        workers = [
            Handed(path.name.split(".")[0], list(handed_over(path)))
            for path in sorted(folder.glob(f"*{SUFFIX}"))
        ]
    return ProfiledRound(done, target.gatherer.take(), workers)


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
