"""From rounds to the variants of the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tiergate.hooks import RouterDeclaration
from tiergate.load.accuracy import Judged, confusion, errors, score_intervals, scores
from tiergate.load.controls import IDLE_POOL, SHUFFLES, controls
from tiergate.load.measures import (
    affinity,
    class_latency,
    completed,
    count,
    groups,
    intervals,
    round_values,
    series,
    slowdown,
)
from tiergate.load.outcome import Outcome, Round
from tiergate.load.plan import BASELINE, Plan
from tiergate.load.prepare import Prepared
from tiergate.load.recorder import Recorder
from tiergate.load.regret import regret
from tiergate.load.rounds import build_router
from tiergate.load.sweep import KneeSearch
from tiergate.record import (
    ClassLatency,
    Driver,
    Event,
    Interval,
    Latency,
    Regret,
    Resources,
    RoutingError,
    TierAccuracy,
    Variant,
)
from tiergate.routing import TIERS, Router, Tier

AllRounds = dict[str, list[Round]]


def summarise(
    plan: Plan, prepared: Prepared, rounds: AllRounds, searches: Mapping[str, KneeSearch]
) -> list[Variant]:
    """One variant per router, in the order of the plan, with what a sweep found of it."""
    found = [_variant(plan, prepared, declaration, rounds) for declaration in plan.routers]
    return [_swept(one, searches[one.name]) if one.name in searches else one for one in found]


def _swept(variant: Variant, search: KneeSearch) -> Variant:
    points = sorted(search.points, key=lambda point: point.offered_rps)
    return msgspec.structs.replace(variant, sweep=points, knee=search.knee())


def _variant(
    plan: Plan, prepared: Prepared, declaration: RouterDeclaration, all_rounds: AllRounds
) -> Variant:
    rounds = all_rounds[declaration.name]
    done = completed(rounds)
    classes = {name: class_latency(done, pick) for name, pick in groups(prepared).items()}
    accuracy, accuracy_intervals = _tier_accuracy(plan, prepared, declaration, all_rounds)
    response = _latency(outcome.response_s for outcome in done)
    pooled = {
        "achieved_rps": len(done) / sum(one.elapsed_s for one in rounds),
        **_flat("response_ms", response),
    }
    if prepared.is_sealed:
        pooled["slowdown"] = slowdown(done, prepared)
    for name, found in classes.items():
        pooled |= _flat(f"{name}.response_ms", found.response_ms)
    per_round = [round_values(one, prepared) for one in rounds]
    return Variant(
        name=declaration.name,
        router=declaration.name,
        pool=plan.served_by(declaration),
        store=plan.store,
        summary=declaration.summary,
        is_oracle=declaration.is_oracle,
        requests=count(rounds),
        achieved_rps=pooled["achieved_rps"],
        response_ms=response,
        service_ms=_latency(outcome.service_s for outcome in done),
        lateness_ms=_latency(outcome.late_s for outcome in done),
        by_class=_part(classes, "by_class."),
        by_length=_part(classes, "by_length."),
        slowdown=pooled.get("slowdown"),
        tier_accuracy=accuracy,
        affinity=affinity(rounds, {tier.name: tier.workers for tier in plan.tiers_of(declaration)}),
        resources=_resources(rounds),
        intervals={**intervals(per_round, pooled), **accuracy_intervals},
        histogram=_histograms(prepared, done),
        series=series(rounds),
        events=_events(rounds),
        driver=Driver(
            cpu_s=sum(one.driver_cpu_s for one in rounds), busy=max(one.driver_busy for one in rounds)
        ),
    )


def _latency(seconds: Iterable[float]) -> Latency:
    found = Recorder(seconds).latency()
    assert found is not None, "a variant without a completed request does not get this far"
    return found


def _flat(prefix: str, latency: Latency | None) -> dict[str, float]:
    return (
        {f"{prefix}.{name}": value for name, value in msgspec.structs.asdict(latency).items()}
        if latency
        else {}
    )


def _part(classes: dict[str, ClassLatency], prefix: str) -> dict[str, ClassLatency]:
    return {name.removeprefix(prefix): found for name, found in classes.items() if name.startswith(prefix)}


def _tier_accuracy(
    plan: Plan, prepared: Prepared, declaration: RouterDeclaration, rounds: AllRounds
) -> tuple[TierAccuracy | None, dict[str, Interval]]:
    """Judged on the first round; whether later rounds chose otherwise is said in the remarks."""
    judged = _judged(prepared, rounds[declaration.name][0])
    if not declaration.chooses_tier or not judged:
        return None, {}
    found = scores(confusion(judged))
    detail = _regret(plan, rounds, prepared, declaration.name)
    shuffled = [build_router(declaration, plan, prepared) for _ in range(SHUFFLES)]
    accuracy = TierAccuracy(
        accuracy=found.accuracy,
        balanced_accuracy=found.balanced_accuracy,
        macro_f1=found.macro_f1,
        ambiguous=ambiguous_share(prepared),
        judged=len(judged),
        confusion=confusion(judged).tolist(),
        regret=detail.value,
        regret_detail=detail,
        controls=controls(
            [one.facts for one in judged], [one.label for one in judged], prepared.training.labels, shuffled
        ),
        errors=_explained(errors(judged), prepared, rounds[declaration.name][0].router),
    )
    within = {
        f"tier_accuracy.{name}": interval for name, interval in score_intervals(judged, plan.seed).items()
    }
    if detail.interval is not None:
        within["tier_accuracy.regret"] = detail.interval
    return accuracy, within


def _explained(found: list[RoutingError], prepared: Prepared, router: Router | None) -> list[RoutingError]:
    """What the router says of the example of each group of wrong choices."""
    return [msgspec.structs.replace(one, explanation=_explanation(one, prepared, router)) for one in found]


def _explanation(error: RoutingError, prepared: Prepared, router: Router | None) -> str:
    if router is None:
        return ""
    try:
        said = router.explain(prepared.judged.facts[error.example], IDLE_POOL)
    except LookupError:
        return ""
    estimate = f" It expects {1000 * said.estimate_s:.3g} ms." if said.estimate_s else ""
    return said.reason + estimate


def _judged(prepared: Prepared, first: Round) -> list[Judged]:
    known: dict[str, Tier] = {tier: tier for tier in TIERS}
    found: list[Judged] = []
    for outcome in first.outcomes:
        label = prepared.labels[outcome.request]
        if label is not None and outcome.tier in known:
            found.append(Judged(prepared.judged.facts[outcome.request], label, known[outcome.tier]))
    return found


def ambiguous_share(prepared: Prepared) -> float:
    """Share of the judged trace without a sure label."""
    return sum(label is None for label in prepared.labels) / len(prepared.labels)


def _regret(plan: Plan, rounds: AllRounds, prepared: Prepared, name: str) -> Regret:
    oracle = next((router.name for router in plan.routers if router.is_oracle), None)
    if oracle is None or BASELINE not in rounds:
        return Regret(value=None, interval=None, reason=f"it needs {BASELINE} and an oracle in the same run")
    means = {
        router: [slowdown(completed([one]), prepared) for one in rounds[router]]
        for router in (name, oracle, BASELINE)
    }
    return regret(means[name], means[oracle], means[BASELINE])


def _resources(rounds: Sequence[Round]) -> Resources:
    return Resources(
        cpu_s=sum(one.usage.cpu_s for one in rounds),
        peak_rss_bytes=max(one.usage.peak_rss_bytes for one in rounds),
        worker_seconds=sum(one.usage.worker_seconds for one in rounds),
    )


def _histograms(prepared: Prepared, done: Sequence[Outcome]) -> dict[str, str]:
    found = {"all": Recorder(outcome.response_s for outcome in done).encode()}
    for name, pick in groups(prepared).items():
        recorder = Recorder(outcome.response_s for outcome in done if pick(outcome))
        if len(recorder):
            found[name.partition(".")[2]] = recorder.encode()
    return found


def _events(rounds: Sequence[Round]) -> list[Event]:
    return [
        Event(round=one.number, at_s=event.at_s, kind=event.kind, worker=event.worker, detail=event.detail)
        for one in rounds
        for event in one.events
    ]
