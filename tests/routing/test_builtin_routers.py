"""The built-in routers: what each looks at, and what it chooses."""

from __future__ import annotations

from random import Random

import pytest

from tiergate.errors import UsageError
from tiergate.hooks import RouterDeclaration
from tiergate.operation import Scope
from tiergate.routing import Choice, Cutoffs, Observation, PoolView, RequestFacts, RouterSetup, WorkerView
from tiergate_plugins.routing import (
    learned,
    least_work_left,
    operation_table,
    oracle,
    power_of_two,
    random_worker,
    shared_queue,
    size_heuristic,
)

MODULES = (
    *(shared_queue, random_worker, power_of_two, least_work_left),
    *(operation_table, size_heuristic, learned, oracle),
)
DECLARED: dict[str, RouterDeclaration] = {
    found.name: found for module in MODULES for found in module.tiergate_routers()
}
CUTOFFS = Cutoffs(hot_s=0.005, warm_s=0.05)
# Seconds as a function of bytes read: one class of requests to each tier.
COSTS = {"get": (0.001, 0.0), "path": (0.004, 1e-8), "scan": (0.0, 1e-7)}


def facts(number: int, operation: str, read_bytes: int, session: str | None = "s") -> RequestFacts:
    return RequestFacts(
        request=number,
        operation=operation,
        session=session,
        arguments={},
        payload_bytes=20,
        scope=Scope.STORE if operation == "scan" else Scope.SESSION,
        read_tasks=read_bytes // 100,
        read_bytes=read_bytes,
        writes=False,
    )


def cost(seen: RequestFacts) -> float:
    fixed, per_byte = COSTS[seen.operation]
    return fixed + per_byte * seen.read_bytes


def trace(seed: int, count: int) -> list[RequestFacts]:
    random = Random(seed)
    sizes = {"get": (200, 5_000), "path": (300_000, 3_000_000), "scan": (1_000_000, 2_000_000)}
    names = random.choices(list(COSTS), k=count)
    return [facts(number, name, random.randrange(*sizes[name])) for number, name in enumerate(names)]


def training(seed: int = 1) -> list[Observation]:
    random = Random(f"noise {seed}")
    return [Observation(seen, cost(seen) * random.uniform(0.9, 1.1)) for seen in trace(seed, 200)]


def view(*workers: tuple[str, int, float]) -> PoolView:
    return PoolView([WorkerView(name, name.split("-")[0], waiting, left) for name, waiting, left in workers])


EVERY_TIER = view(("hot-1", 0, 0.0), ("warm-1", 0, 0.0), ("cold-1", 0, 0.0))


def test_what_they_say_of_themselves() -> None:
    assert {name: (found.chooses_tier, found.is_oracle) for name, found in DECLARED.items()} == {
        "shared-queue": (False, False),
        "random": (False, False),
        "power-of-two": (False, False),
        "least-work-left": (False, False),
        "operation-table": (True, False),
        "size-heuristic": (True, False),
        "learned": (True, False),
        "oracle": (True, True),
    }


def test_shared_queue_leaves_everything_open() -> None:
    router = DECLARED["shared-queue"].build(RouterSetup(cutoffs=CUTOFFS))
    assert {router.choose(seen, EVERY_TIER) for seen in trace(2, 50)} == {Choice()}


def test_least_work_left_takes_the_minimum() -> None:
    router = DECLARED["least-work-left"].build(RouterSetup(cutoffs=CUTOFFS, training=training()))
    loaded = view(("hot-1", 1, 0.9), ("warm-1", 9, 0.2), ("cold-1", 2, 0.4))
    chosen = router.choose(facts(0, "get", 1000), loaded)
    assert (chosen.tier, chosen.worker) == (None, "warm-1")
    assert chosen.estimate_s == pytest.approx(0.001, rel=0.15)


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ((("hot-1", 3, 0.2), ("hot-2", 1, 0.2), ("hot-3", 2, 0.2)), "hot-2"),
        ((("hot-1", 0, 0.0), ("hot-2", 0, 0.0)), "hot-1"),
        ((("hot-1", 0, 0.1), ("hot-2", 5, 0.0)), "hot-2"),
    ],
)
def test_least_work_left_among_equals(workers: tuple[tuple[str, int, float], ...], expected: str) -> None:
    router = DECLARED["least-work-left"].build(RouterSetup(cutoffs=CUTOFFS))
    assert router.choose(facts(0, "get", 1000), view(*workers)).worker == expected


def test_size_heuristic_separates_known_classes() -> None:
    router = DECLARED["size-heuristic"].build(RouterSetup(cutoffs=CUTOFFS, training=training()))
    expected = {"get": "hot", "path": "warm", "scan": "cold"}
    for seen in trace(99, 300):
        chosen = router.choose(seen, EVERY_TIER)
        assert chosen.tier == expected[seen.operation]
        assert chosen.worker == f"{chosen.tier}-1"
        assert chosen.estimate_s == pytest.approx(cost(seen), rel=0.25)


def test_size_heuristic_tells_sizes_of_one_operation_apart() -> None:
    # Without noise, as a line is not to be trusted far outside the sizes that it was fitted to.
    exact = [Observation(seen, cost(seen)) for seen in trace(1, 200)]
    router = DECLARED["size-heuristic"].build(RouterSetup(cutoffs=CUTOFFS, training=exact))
    tiers = [router.choose(facts(0, "scan", size), EVERY_TIER).tier for size in (10_000, 200_000, 3_000_000)]
    assert tiers == ["hot", "warm", "cold"]


def test_size_heuristic_does_not_look_at_the_request_itself() -> None:
    router = DECLARED["size-heuristic"].build(
        RouterSetup(cutoffs=CUTOFFS, training=training(), sealed=dict.fromkeys(range(100), 9.9))
    )
    chosen = {router.choose(facts(number, "get", 1000), EVERY_TIER) for number in range(100)}
    assert len(chosen) == 1


def test_size_heuristic_without_training_takes_all_for_short() -> None:
    router = DECLARED["size-heuristic"].build(RouterSetup(cutoffs=CUTOFFS))
    assert router.choose(facts(0, "scan", 10**9), EVERY_TIER).tier == "hot"


def test_oracle_needs_sealed_times() -> None:
    with pytest.raises(UsageError, match="needs sealed service times"):
        DECLARED["oracle"].build(RouterSetup(cutoffs=CUTOFFS, training=training()))


def test_oracle_takes_the_tier_of_the_sealed_time() -> None:
    sealed = {0: 0.0049, 1: 0.005, 2: 0.0499, 3: 0.05, 4: 7.0}
    router = DECLARED["oracle"].build(RouterSetup(cutoffs=CUTOFFS, sealed=sealed))
    chosen = [router.choose(facts(number, "get", 10**6), EVERY_TIER) for number in sealed]
    assert [choice.tier for choice in chosen] == ["hot", "warm", "warm", "cold", "cold"]
    assert [choice.estimate_s for choice in chosen] == list(sealed.values())


def test_oracle_does_not_guess_for_a_request_that_was_not_measured() -> None:
    router = DECLARED["oracle"].build(RouterSetup(cutoffs=CUTOFFS, sealed={0: 0.1}))
    with pytest.raises(LookupError):
        router.choose(facts(1, "get", 1000), EVERY_TIER)


@pytest.mark.parametrize("name", ["random", "power-of-two"])
def test_draws_depend_on_the_seed_alone(name: str) -> None:
    loaded = view(*((f"w-{number}", 0, 0.0) for number in range(9)))

    def drawn(seed: int) -> list[str | None]:
        router = DECLARED[name].build(RouterSetup(cutoffs=CUTOFFS, seed=seed))
        return [router.choose(seen, loaded).worker for seen in trace(2, 60)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert len(set(drawn(1))) == 9


def test_random_takes_no_heed_of_load() -> None:
    router = DECLARED["random"].build(RouterSetup(cutoffs=CUTOFFS, training=training()))
    loaded = view(("w-1", 0, 0.0), ("w-2", 1000, 99.0))
    chosen = [router.choose(seen, loaded) for seen in trace(2, 400)]
    assert 150 < sum(choice.worker == "w-2" for choice in chosen) < 250
    assert {choice.tier for choice in chosen} == {None}


def test_power_of_two_avoids_the_longest_queue_and_spreads_over_the_rest() -> None:
    router = DECLARED["power-of-two"].build(RouterSetup(cutoffs=CUTOFFS))
    loaded = view(("w-1", 5, 0.0), ("w-2", 2, 0.1), ("w-3", 2, 0.2), ("w-4", 1, 9.0))
    chosen = [router.choose(seen, loaded).worker for seen in trace(2, 600)]
    # Of the six pairs one each leads to w-1: none; to w-3: with w-1; to w-2: with w-1 or w-3.
    shares = [chosen.count(name) / 600 for name in ("w-1", "w-2", "w-3", "w-4")]
    assert shares == pytest.approx([0.0, 2 / 6, 1 / 6, 3 / 6], abs=0.06)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("shared-queue", "Whichever worker is free first takes it."),
        ("random", "It was drawn at random among 3."),
        ("power-of-two", "Of two workers drawn at random it has the shorter queue, "),
        ("least-work-left", "warm-1 has the least work left, about 200 ms."),
        ("oracle", "It was measured alone, at 100 ms."),
    ],
)
def test_every_router_gives_its_reason(name: str, reason: str) -> None:
    router = DECLARED[name].build(RouterSetup(cutoffs=CUTOFFS, training=training(), sealed={0: 0.1}))
    loaded = view(("hot-1", 1, 0.9), ("warm-1", 9, 0.2), ("cold-1", 2, 0.4))
    assert router.explain(facts(0, "get", 1000), loaded).reason.startswith(reason)


@pytest.mark.parametrize("name", ["operation-table", "size-heuristic", "learned", "oracle"])
def test_routers_of_tiers_keep_a_session_together(name: str) -> None:
    router = DECLARED[name].build(
        RouterSetup(cutoffs=CUTOFFS, training=training(), sealed=dict.fromkeys(range(40), 0.001))
    )
    hot = view(*((f"hot-{number}", 1, 0.1 * number) for number in range(1, 5)))
    workers: dict[str, set[str | None]] = {f"session {number}": set() for number in range(20)}
    for number in range(3):
        for session, met in workers.items():
            met.add(router.choose(facts(number, "get", 1000, session), hot).worker)
    assert sum(len(met) == 1 for met in workers.values()) >= 18
    assert len(set.union(*workers.values())) == 4
    assert router.choose(facts(0, "get", 1000, None), hot).worker is None


@pytest.mark.parametrize("name", sorted(DECLARED.keys() - {"shared-queue"}))
def test_no_worker_is_a_lookup_error(name: str) -> None:
    router = DECLARED[name].build(RouterSetup(cutoffs=CUTOFFS, sealed={0: 0.1}))
    with pytest.raises(LookupError, match="no worker is ready"):
        router.choose(facts(0, "get", 1000), PoolView([]))
