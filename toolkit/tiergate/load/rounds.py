"""The rounds: every variant goes through the same trace, in an order that is drawn anew each time."""

from __future__ import annotations

from random import Random

from tiergate.errors import RunError
from tiergate.hooks import RouterDeclaration
from tiergate.load.aim import routed
from tiergate.load.driver import Timetable, drive_target
from tiergate.load.outcome import Fate, Round
from tiergate.load.plan import Plan, Progress
from tiergate.load.prepare import Prepared
from tiergate.load.stage import Stage
from tiergate.routing import Router, RouterSetup


async def drive_rounds(
    plan: Plan, stage: Stage, prepared: Prepared, progress: Progress
) -> dict[str, list[Round]]:
    """The rounds of each variant by the router's name. Each starts from a fresh store and a fresh target.

    Raises:
        RunError: a variant completed nothing at all.
    """
    random = Random(f"order of variants {plan.seed}")
    rounds: dict[str, list[Round]] = {router.name: [] for router in plan.routers}
    progress.begin(
        "drive the routers" if plan.is_routed else "drive the target", plan.effort.rounds * len(rounds)
    )
    for number in range(1, plan.effort.rounds + 1):
        for declaration in random.sample(list(plan.routers), k=len(plan.routers)):
            done = await drive_one(plan, stage, prepared, declaration, prepared.timetable, number)
            require_completed(declaration, done)
            rounds[declaration.name].append(done)
            progress.step()
    return rounds


async def drive_one(
    plan: Plan,
    stage: Stage,
    prepared: Prepared,
    declaration: RouterDeclaration,
    timetable: Timetable,
    number: int,
) -> Round:
    """One round of one variant, on a fresh store and a fresh target."""
    with stage.filled(prepared.judged.sessions) as filled:
        if not plan.is_routed:
            assert plan.aim is not None
            return await drive_target(plan.aim.open(store=filled.address), timetable, number)
        router = build_router(declaration, plan, prepared)
        pool = stage.pool(filled, plan.tiers_of(declaration))
        target = routed(plan.aim, pool, router, filled.address)
        return (await drive_target(target, timetable, number)).by(router)


def build_router(declaration: RouterDeclaration, plan: Plan, prepared: Prepared) -> Router:
    """A fresh router. Only an oracle is told the sealed service times of the judged trace."""
    judged = prepared.judged
    sealed = {request.id: judged.sealed.service_s(request.id) for request in judged.trace.requests}
    return declaration.build(
        RouterSetup(
            cutoffs=prepared.training.candidate.cutoffs,
            training=prepared.training.observations,
            sealed=sealed if declaration.is_oracle else None,
            seed=plan.seed,
        )
    )


def require_completed(declaration: RouterDeclaration, done: Round) -> None:
    """See to it that a round has something to say.

    Raises:
        RunError: it completed nothing at all.
    """
    if any(outcome.fate is Fate.COMPLETED for outcome in done.outcomes):
        return
    reason = next((outcome.reason for outcome in done.outcomes if outcome.reason), "nothing was sent")
    raise RunError(f"no request was completed: {reason}", where=f"router {declaration.name}")
