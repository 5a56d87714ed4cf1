"""Before anything is driven: the training trace and what it teaches, the judged trace and its labels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from statistics import fmean

from tiergate.arrivals import NOMINAL_RPS
from tiergate.catalogue import Catalogue, bare_facts
from tiergate.environment import usable_cores
from tiergate.errors import RunError
from tiergate.load.cutoffs import Candidate, TrainingTrace, all_hot, search
from tiergate.load.driver import Timetable
from tiergate.load.kept import Found, basis_of
from tiergate.load.oracle import Sealed, first_reads, seal
from tiergate.load.plan import Plan, Progress
from tiergate.load.replay import Replay
from tiergate.load.stage import Stage
from tiergate.load.trace import Trace, generate, without
from tiergate.model import Session
from tiergate.routing import Observation, RequestFacts, Tier
from tiergate.store import StoreAddress


@dataclass(frozen=True, slots=True)
class Measured:
    """A trace on its sessions, with the facts and the sealed service time of every request.

    Attributes:
        alone: the sealed service times; None for requests that only the target can serve.
    """

    sessions: Sequence[Session]
    trace: Trace
    facts: Sequence[RequestFacts]
    alone: Sealed | None

    @property
    def sealed(self) -> Sealed:
        """The sealed service times, where there are any."""
        assert self.alone is not None, "only the target can serve these requests"
        return self.alone


@dataclass(frozen=True, slots=True)
class Training:
    """What the training trace taught.

    Attributes:
        labels: with the facts of each request that has a sure label.
    """

    measured: Measured
    candidate: Candidate
    observations: Sequence[Observation]
    labels: Sequence[tuple[RequestFacts, Tier]]
    short_s: float
    long_s: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that the rounds need.

    Attributes:
        taught: what the training trace taught; None where only the target can serve the judged requests.
        labels: the tier of each judged request; None where its interval crosses a cut-off.
        offered_load: work of the judged trace over what the cores can do in its time; 0 where not known.
        refused: requests that fail even when run alone, and why.
        sealed_at: when the sealed times of the judged trace were measured, where they were kept from an
            earlier run; empty where this run measured them.
    """

    taught: Training | None
    judged: Measured
    labels: Sequence[Tier | None]
    timetable: Timetable
    offered_load: float
    refused: dict[int, str]
    sealed_at: str = ""

    @property
    def is_sealed(self) -> bool:
        """Whether there are sealed times and labels."""
        return self.taught is not None

    @property
    def training(self) -> Training:
        """What the training trace taught, where it taught anything."""
        assert self.taught is not None, "only the target can serve these requests"
        return self.taught

    @property
    def rate_rps(self) -> float:
        """The rate of the timetable, in requests a second; 0 where all start at one moment."""
        starts = self.timetable.starts
        span = starts[-1] - starts[0]
        return (len(starts) - 1) / span if span else 0.0


def training_seed(seed: int) -> int:
    """A seed that shares nothing with the judged one."""
    return int.from_bytes(sha256(f"training {seed}".encode()).digest()[:6], "big")


def judged_sessions(plan: Plan) -> Sequence[Session]:
    """The sessions of the judged trace: those that were given, or generated ones."""
    if plan.replay is not None:
        return plan.replay.sessions
    if plan.sessions is not None:
        return plan.sessions
    return plan.workload.sessions(plan.seed, plan.effort.tasks)


def judged_trace(plan: Plan, sessions: Sequence[Session]) -> Trace:
    """The judged trace: the same plan always gives the same one."""
    if plan.replay is not None:
        return plan.replay.trace
    tasks = plan.effort.tasks if plan.sessions is None else None
    return generate(plan.workload, plan.seed, sessions, plan.effort.requests, tasks)


async def prepare(plan: Plan, stage: Stage, progress: Progress) -> Prepared:
    """Train, then measure the judged trace. Of calls of tools nothing can be measured beforehand."""
    if plan.replay is not None and plan.is_of_tools:
        return _prepare_tools(plan, plan.replay)
    sessions = judged_sessions(plan)
    training = await _train(plan, stage, progress, sum(len(session.tasks) for session in sessions))
    judged, found = await _measure_judged(plan, stage, progress, sessions)
    cutoffs = training.candidate.cutoffs
    capacity = _capacity_rps(plan, judged.sealed)
    rate = _offered_rps(plan, capacity)
    return Prepared(
        taught=training,
        judged=judged,
        labels=[judged.sealed.label(request.id, cutoffs) for request in judged.trace.requests],
        timetable=_timetable(plan, stage, judged, rate),
        offered_load=rate / capacity,
        refused=found.left_out,
        sealed_at=found.sealed_at,
    )


def _prepare_tools(plan: Plan, replay: Replay) -> Prepared:
    """The timetable alone. Nothing is sent beforehand: which of the calls change something is not known."""
    requests = replay.trace.requests
    facts = [bare_facts(request) for request in requests]
    stretch = replay.rate_rps / (plan.rate_rps or replay.rate_rps)
    return Prepared(
        taught=None,
        judged=Measured(replay.sessions, replay.trace, facts, None),
        labels=[None] * len(requests),
        timetable=Timetable(
            requests=requests,
            facts=facts,
            starts=[start * stretch for start in replay.trace.starts],
            warm_up=(),
            deadline_s=plan.deadline_s,
            clients=plan.clients,
        ),
        offered_load=0.0,
        refused={},
    )


async def _train(plan: Plan, stage: Stage, progress: Progress, tasks: int) -> Training:
    seed = training_seed(plan.seed)
    sessions = plan.workload.sessions(seed, tasks)
    trace = generate(plan.workload, seed, sessions, plan.effort.training, tasks)

    async def measure() -> Found:
        progress.begin("measure the training trace alone", plan.effort.passes)
        sealed = await seal(stage, sessions, trace, plan.effort.passes, lambda _: progress.step())
        return Found(sealed, {}, "")

    found = await _kept_or(measure, plan, stage, sessions, trace, "training")
    return _learn(plan, Measured(sessions, trace, _facts(stage, sessions, trace), found.sealed))


def _learn(plan: Plan, measured: Measured) -> Training:
    """Search the cut-offs with the training trace at the offered load, and label it by them."""
    service = measured.sealed.all_service_s()
    rate = _offered_rps(plan, _capacity_rps(plan, measured.sealed))
    bounds = [measured.sealed.interval(request.id) for request in measured.trace.requests]
    view = TrainingTrace(
        starts=[start * NOMINAL_RPS / rate for start in measured.trace.starts],
        service=service,
        low=[low for low, _ in bounds],
        high=[high for _, high in bounds],
    )
    try:
        candidate = search(view, dict(plan.tiers))
    except ValueError:
        candidate = all_hot(view, dict(plan.tiers))  # the remarks say that there is nothing to tier
    labels = [
        (facts, label)
        for facts in measured.facts
        if (label := measured.sealed.label(facts.request, candidate.cutoffs)) is not None
    ]
    return Training(
        measured=measured,
        candidate=candidate,
        observations=[Observation(*pair) for pair in zip(measured.facts, service, strict=True)],
        labels=labels,
        short_s=view.short_s,
        long_s=view.long_s,
    )


def _offered_rps(plan: Plan, capacity_rps: float) -> float:
    """The rate that was asked for, or that of the trace that is replayed, or a share of the capacity."""
    recorded = plan.replay.rate_rps if plan.replay is not None else None
    return plan.rate_rps or recorded or plan.offered_load * capacity_rps


def _capacity_rps(plan: Plan, sealed: Sealed) -> float:
    """Requests of a trace that the cores could serve in a second, if serving them were all they did."""
    return min(usable_cores(), sum(plan.tiers.values())) / fmean(sealed.all_service_s())


async def _measure_judged(
    plan: Plan, stage: Stage, progress: Progress, sessions: Sequence[Session]
) -> tuple[Measured, Found]:
    trace = judged_trace(plan, sessions)
    found = await _kept_or(
        lambda: _seal_judged(plan, stage, progress, sessions, trace), plan, stage, sessions, trace, "judged"
    )
    if found.left_out:
        trace = without(trace, frozenset(found.left_out))
    return Measured(sessions, trace, _facts(stage, sessions, trace), found.sealed), found


async def _seal_judged(
    plan: Plan, stage: Stage, progress: Progress, sessions: Sequence[Session], trace: Trace
) -> Found:
    """Seal the judged trace. Requests that are refused even when run alone would fail under every router;
    they are left out, and the rest is measured anew, since its state is another one without them.
    """
    progress.begin("measure the judged trace alone", plan.effort.passes)
    first = await seal(stage, sessions, trace, 1, lambda _: progress.step())
    if len(first.refused) == len(trace.requests):
        reason = next(iter(first.refused.values()), "the trace is empty")
        raise RunError(f"every request of the trace is refused: {reason}")
    if first.refused:
        rest = without(trace, frozenset(first.refused))
        progress.begin("measure it again without what is refused", plan.effort.passes)
        sealed = await seal(stage, sessions, rest, plan.effort.passes, lambda _: progress.step())
    else:
        more = await seal(stage, sessions, trace, plan.effort.passes - 1, lambda _: progress.step())
        sealed = first.together_with(more)
    if sealed.refused:
        number, reason = next(iter(sealed.refused.items()))
        raise RunError(f"request {number} was served once and refused once: {reason}")
    return Found(sealed, first.refused, "")


async def _kept_or(
    measure: Callable[[], Awaitable[Found]],
    plan: Plan,
    stage: Stage,
    sessions: Sequence[Session],
    trace: Trace,
    role: str,
) -> Found:
    """Sealed times from the cache of the run, where it has one that fits, else measured and kept there."""
    if plan.oracle_cache is None:
        return await measure()
    basis = basis_of(
        trace,
        sessions,
        passes=plan.effort.passes,
        store=str(replace(StoreAddress.parse(plan.store), path="")),
        pool=plan.pool,
        references=stage.references(),
    )
    name = f"{trace.head.workload}-{trace.head.seed}-{len(trace.requests)}-{role}"
    kept = plan.oracle_cache.find(name, basis)
    if kept is not None:
        return kept
    found = await measure()
    plan.oracle_cache.keep(name, basis, found.sealed, found.left_out)
    return found


def _facts(stage: Stage, sessions: Sequence[Session], trace: Trace) -> list[RequestFacts]:
    with stage.filled(sessions) as filled:
        return Catalogue(filled.sizes, stage.operations).all_facts(trace.requests)


def _timetable(plan: Plan, stage: Stage, judged: Measured, rate_rps: float) -> Timetable:
    reads = first_reads(stage, judged.trace.requests)
    own_rps = NOMINAL_RPS if plan.replay is None else plan.replay.rate_rps
    cheap = sorted(reads, key=lambda request: judged.sealed.service_s(request.id))[:2]
    return Timetable(
        requests=judged.trace.requests,
        facts=judged.facts,
        starts=[start * (own_rps / rate_rps) for start in judged.trace.starts],
        warm_up=cheap,
        deadline_s=plan.deadline_s,
        clients=plan.clients,
    )
