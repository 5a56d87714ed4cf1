"""The controls that stand beside a router's accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import fmean

from tiergate.load.accuracy import by_payload_size, control, majority
from tiergate.record import Control
from tiergate.routing import TIERS, PoolView, RequestFacts, Router, Tier, WorkerView

SHUFFLES = 20

IDLE_POOL = PoolView([WorkerView(f"{tier}-1", tier, 0, 0.0) for tier in TIERS])
"""A pool in which every tier has one idle worker."""


def controls(
    facts: Sequence[RequestFacts],
    labels: Sequence[Tier],
    training: Sequence[tuple[RequestFacts, Tier]],
    routers: Sequence[Router],
) -> list[Control]:
    """Majority, payload size only, and the router with features that belong to other requests.

    Args:
        facts: of the requests that were judged.
        labels: their tiers.
        training: requests of the training trace with their tiers.
        routers: fresh instances of the router, one per shuffle.
    """
    sizes = [(seen.payload_bytes, tier) for seen, tier in training]
    return [
        control("majority", facts, labels, majority([tier for _, tier in training], len(facts))),
        control(
            "payload size only", facts, labels, by_payload_size(sizes, [seen.payload_bytes for seen in facts])
        ),
        _mean("shuffled features", [_shuffled(facts, labels, router, n) for n, router in enumerate(routers)]),
    ]


def route(router: Router, facts: Sequence[RequestFacts], pool: PoolView = IDLE_POOL) -> list[Tier]:
    """The tiers that a router chooses for these requests in an idle pool.

    Raises:
        ValueError: it chose no tier.
    """
    known: dict[str, Tier] = {tier: tier for tier in TIERS}
    chosen = [router.choose(one, pool).tier for one in facts]
    if not all(tier in known for tier in chosen):
        raise ValueError("the router chooses no tier")
    return [known[tier] for tier in chosen if tier]


def _shuffled(facts: Sequence[RequestFacts], labels: Sequence[Tier], router: Router, seed: int) -> Control:
    """Each request is routed by the features of another one, drawn without repetition."""
    others = list(facts)
    Random(f"shuffled features {seed}").shuffle(others)
    return control("shuffled features", facts, labels, route(router, others))


def _mean(name: str, found: Sequence[Control]) -> Control:
    return Control(
        name=name,
        accuracy=fmean(one.accuracy for one in found),
        balanced_accuracy=fmean(one.balanced_accuracy for one in found),
        macro_f1=fmean(one.macro_f1 for one in found),
    )
