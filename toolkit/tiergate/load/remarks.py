"""What a reader must know to read the figures right: comparisons, sizes that do not suffice, caveats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tiergate.load.effort import MIN_JUDGED, MIN_SHORT
from tiergate.load.intervals import geometric_mean, ratio_interval
from tiergate.load.measures import completed, round_values
from tiergate.load.outcome import Round
from tiergate.load.plan import BASELINE, Plan
from tiergate.load.prepare import Prepared
from tiergate.load.summary import AllRounds, ambiguous_share
from tiergate.record import MAX_AMBIGUOUS, NOTHING_TO_TIER, Comparison, Variant
from tiergate.routing import TIERS
from tiergate.tiering import Traffic, worker_advice

COMPARED = ("by_length.short.response_ms.p95", "by_length.long.response_ms.p95", "response_ms.p95")
_FIGURES = re.compile(r"\d+(\.\d+)?")

LATE_MS = 5.0
ALIKE = 4.0
"""Where the 95th percentile of service times is less than this many times their median, tiers cannot pay."""
KEEPS_UP = 0.9
"""Share of the offered rate that must be achieved by whoever keeps up with it."""
BUSY = 0.9
"""Share of a core above which the generator's own process is what limits."""


def compare(prepared: Prepared, rounds: AllRounds) -> list[Comparison]:
    """Each variant over the baseline, round by round."""
    if BASELINE not in rounds:
        return []
    values = {name: [round_values(one, prepared) for one in found] for name, found in rounds.items()}
    comparisons: list[Comparison] = []
    for name, of_variant in values.items():
        if name == BASELINE:
            continue
        for metric in COMPARED:
            ratios = [
                ours[metric] / base[metric]
                for ours, base in zip(of_variant, values[BASELINE], strict=True)
                if metric in ours and metric in base
            ]
            interval = ratio_interval(ratios)
            if interval is not None:
                comparisons.append(
                    Comparison(
                        variant=name,
                        against=BASELINE,
                        metric=metric,
                        ratio=geometric_mean(ratios),
                        interval=interval,
                    )
                )
    return comparisons


def too_few(plan: Plan, prepared: Prepared) -> list[str]:
    """Why the run is too small for a verdict, or has nothing that a router of tiers could gain."""
    if _is_alike(plan, prepared):
        return [
            f"{NOTHING_TO_TIER}: the 95th percentile of service time is {_spread(prepared):.2g} times the"
            f" median, and tiers pay where it is many times as long (from {ALIKE:g} times on)"
        ]
    labels = Counter(prepared.labels)
    reasons = [
        f"{labels[tier]} requests surely belong in tier {tier}; a verdict needs {MIN_JUDGED}"
        for tier in TIERS
        if plan.is_routed and labels[tier] < MIN_JUDGED
    ]
    short, kind = len(prepared.timetable.requests), "requests"
    if prepared.is_sealed:
        sealed, kind = prepared.judged.sealed.all_service_s(), "short requests"
        short = sum(time <= prepared.training.short_s for time in sealed)
    if short < MIN_SHORT:
        reasons.append(f"{short} {kind} in the trace; a 95th percentile needs {MIN_SHORT}")
    if plan.effort.rounds < 3:
        reasons.append(f"{plan.effort.rounds} rounds; an interval needs 3")
    return reasons


def _spread(prepared: Prepared) -> float:
    return prepared.training.long_s / prepared.training.short_s


def _is_alike(plan: Plan, prepared: Prepared) -> bool:
    return plan.is_routed and _spread(prepared) < ALIKE


def remarks(
    plan: Plan,
    prepared: Prepared,
    rounds: AllRounds,
    variants: Sequence[Variant],
    comparisons: Sequence[Comparison],
) -> list[str]:
    """One sentence each."""
    found = [*_on_kind(plan), *_on_preparation(plan, prepared), *_on_starvation(comparisons)]
    for variant in variants:
        found += _on_driver(variant)
        found += falling_behind(plan, prepared, variant)
        found += _on_variant(variant, rounds[variant.name])
    if (
        len(
            {
                frozenset(outcome.request for outcome in completed([one]))
                for all_of in rounds.values()
                for one in all_of
            }
        )
        > 1
    ):
        found.append("Not every variant completed the same requests, so their latencies do not compare.")
    return found


def _on_kind(plan: Plan) -> Iterator[str]:
    """What sets the whole run apart from one with open arrivals on the pool."""
    if plan.clients is not None:
        yield (
            f"Closed loop of {plan.clients} clients: a stall holds requests back instead of showing in their"
            " times, so these response times compare with no open run (coordinated omission)."
        )
    if plan.is_of_tools:
        yield (
            "The requests call tools of the target, which nothing else can serve: none was measured alone, so"
            " there are no tiers, no short and long requests, and no slowdown."
        )
    elif not plan.is_routed:
        yield (
            "The target is none of our pools: it has no tier accuracy, and short and long requests are those"
            " of our own reference worker."
        )


def _on_driver(variant: Variant) -> Iterator[str]:
    if variant.lateness_ms.p99 > LATE_MS:
        yield (
            f"{variant.name}: the load generator itself was {variant.lateness_ms.p99:.1f} ms late at its"
            " 99th percentile; that delay is part of the response times."
        )
    if variant.driver and variant.driver.busy > BUSY:
        yield (
            f"{variant.name}: the load generator used {variant.driver.busy:.0%} of one core, so it may be"
            " what limits, and not what it measures."
        )


def falling_behind(plan: Plan, prepared: Prepared, variant: Variant) -> Iterator[str]:
    """What to know of a variant that is past its knee: its response times say how long the run was."""
    offered = prepared.rate_rps
    if plan.clients is None and variant.achieved_rps < KEEPS_UP * offered:
        yield (
            f"{variant.name} fell behind: {variant.achieved_rps:.0f} of {offered:.0f} requests/s were"
            " achieved. Its response times grow with the length of the run; offer less with --rate, or find"
            " what it carries with --sweep."
        )


def _on_variant(variant: Variant, rounds: Sequence[Round]) -> Iterator[str]:
    if variant.requests.lost:
        yield f"{variant.name}: {_first_reason(rounds)}"
    ended = [event for event in variant.events if event.kind == "exit"]
    if ended:
        yield (
            f"{variant.name}: {len(ended)} workers ended during the run and were replaced; the first was"
            f" {ended[0].worker} in round {ended[0].round} ({ended[0].detail})."
        )
    aside = sum(outcome.tier is None for one in rounds for outcome in one.outcomes)
    if aside and variant.tier_accuracy is not None:
        total = sum(len(one.outcomes) for one in rounds)
        yield f"{variant.name} set tiers aside for {aside} of {total} requests; no accuracy counts them."
    changed = _changed_mind(rounds)
    if changed:
        yield f"{variant.name} chose another tier in a later round for {changed} requests."
    for notice, times in _notices(rounds):
        yield f"{variant.name} said in {times} of {len(rounds)} rounds: {notice}"


def _notices(rounds: Sequence[Round]) -> list[tuple[str, int]]:
    """What routers said of themselves, and in how many rounds; the same with other figures is said once."""
    first: dict[str, str] = {}
    times: Counter[str] = Counter()
    for one in rounds:
        said = {_FIGURES.sub("#", notice): notice for notice in one.router.notices()} if one.router else {}
        times.update(said.keys())
        first = {**said, **first}
    return [(first[kind], count) for kind, count in times.items()]


def _on_preparation(plan: Plan, prepared: Prepared) -> list[str]:
    found: list[str] = list(plan.oracle_cache.notices) if plan.oracle_cache else []
    if prepared.sealed_at:
        found.append(
            f"The labels are those that were sealed at {prepared.sealed_at}; trace, sessions, code, processor"
            " and Python are the same."
        )
    if plan.sessions is not None:
        found.append(
            "Cut-offs and estimates were trained on generated sessions with as many tasks as the sources"
            " have, so that nothing judged here was used for tuning."
        )
    if prepared.refused:
        number, reason = next(iter(prepared.refused.items()))
        found.append(
            f"{len(prepared.refused)} requests were left out because the operation refuses them even alone;"
            f" the first is number {number}: {reason}."
        )
    if plan.is_routed and not _is_alike(plan, prepared):
        found += _on_tiers(plan, prepared)
    return found


def _on_tiers(plan: Plan, prepared: Prepared) -> Iterator[str]:
    candidate = prepared.training.candidate
    if not candidate.is_allowed:
        yield (
            "No cut-offs keep the 95th percentile of long requests within twice that of a shared queue; the"
            f" nearest expects {candidate.long_ratio:.1f} times. Tiers of this size starve long requests."
        )
    traffic = Traffic.of(prepared.training.measured.sealed.all_service_s(), prepared.rate_rps)
    advice = worker_advice(traffic, candidate.cutoffs, plan.tiers)
    if advice:
        yield advice
    share = ambiguous_share(prepared)
    if share > MAX_AMBIGUOUS:
        yield (
            f"{share:.0%} of the requests have no sure label, more than {MAX_AMBIGUOUS:.0%}: tier accuracy"
            " cannot be judged on this machine at this moment."
        )


def _on_starvation(comparisons: Sequence[Comparison]) -> list[str]:
    by_variant = {(one.variant, one.metric): one for one in comparisons}
    found: list[str] = []
    for (variant, metric), short in by_variant.items():
        long = by_variant.get((variant, COMPARED[1]))
        if metric == COMPARED[0] and long and short.interval[1] < 1 < long.interval[0]:
            found.append(
                f"{variant} makes short requests faster (p95 × {short.ratio:.2f}) at the cost of long ones"
                f" (p95 × {long.ratio:.2f}), compared with {short.against}."
            )
    return found


def _first_reason(rounds: Sequence[Round]) -> str:
    reasons = Counter(one.reason for found in rounds for one in found.outcomes if one.reason)
    reason, times = reasons.most_common(1)[0]
    return f"{sum(reasons.values())} requests have no result; {times} of them: {reason}"


def _changed_mind(rounds: Sequence[Round]) -> int:
    first = {outcome.request: outcome.tier for outcome in rounds[0].outcomes}
    later = {
        outcome.request
        for one in rounds[1:]
        for outcome in one.outcomes
        # None: the router had set tiers aside, and chose none.
        if outcome.tier != first[outcome.request] and None not in (outcome.tier, first[outcome.request])
    }
    return len(later)
