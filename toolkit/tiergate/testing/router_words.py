"""The part of the contract suite for routers that is about what they say: explanations and notices."""

from __future__ import annotations

import math

import msgspec
import pytest

from tiergate.hooks import RouterDeclaration
from tiergate.routing import Choice, Explanation, PoolView, RequestFacts, Router
from tiergate.testing.samples import make_setup, varied_pools
from tiergate.tracetime import TraceClock


class RouterWords:
    """What `Router.explain` and `Router.notices` promise. `RouterContract` has it."""

    def test_an_explanation_agrees_with_the_choice(
        self, declaration: RouterDeclaration, router: Router, facts: list[RequestFacts]
    ) -> None:
        for one, pool in zip(facts, varied_pools(declaration, seed=17), strict=False):
            explained = router.explain(one, pool)
            choice = router.choose(one, pool)
            check_explanation(explained)
            said = explained.tier, explained.worker, explained.estimate_s
            assert said == (choice.tier, choice.worker, choice.estimate_s), (
                "Router.explain: why `choose`, called now with the same arguments, would choose what it "
                f"would choose; it explained {said} and chose {choice}"
            )
            router.completed(one, choice, 0.001 * (one.request % 40))

    def test_explaining_changes_nothing(
        self, declaration: RouterDeclaration, facts: list[RequestFacts]
    ) -> None:
        silent = _choices(declaration, facts, explanations=0)
        assert _choices(declaration, facts, explanations=2) == silent, (
            "Router.explain: changes nothing: no later choice differs because of it"
        )

    def test_explaining_in_an_empty_pool(self, router: Router, facts: list[RequestFacts]) -> None:
        try:
            expected: Choice | None = router.choose(facts[0], PoolView([]))
        except LookupError:
            expected = None
        if expected is None:
            with pytest.raises(LookupError):
                router.explain(facts[0], PoolView([]))
        else:
            check_explanation(router.explain(facts[0], PoolView([])))

    @pytest.mark.parametrize("service_s", [0.0001, 0.01, 0.5], ids=["idle", "busy", "overloaded"])
    def test_notices_are_lines(
        self, declaration: RouterDeclaration, facts: list[RequestFacts], service_s: float
    ) -> None:
        clock = TraceClock()
        router = declaration.build(make_setup(declaration, facts, clock=clock))
        pools = varied_pools(declaration, seed=19)
        for number, pool in zip(range(2000), pools, strict=False):
            clock.now += 0.01
            one = facts[number % len(facts)]
            choice = router.choose(one, pool)
            router.completed(one, choice, service_s * (1 + number % 3))
        said = router.notices()
        assert not isinstance(said, str), "Router.notices: what it has to say, as a sequence of texts"
        for notice in said:
            assert isinstance(notice, str), f"Router.notices: one line each; {notice!r} is no text"
            assert notice.strip(), "Router.notices: one line each; one of them is empty"
            assert len(notice.splitlines()) == 1, f"Router.notices: one line each; {notice!r} has more"
        assert list(router.notices()) == list(said), "Router.notices: so far; asking twice told more"


def check_explanation(explained: Explanation) -> None:
    """Fail, quoting the contract, unless an explanation can be shown."""
    assert isinstance(explained, Explanation), "Router.explain: an Explanation"
    msgspec.json.encode(explained.features)
    assert explained.features, "Explanation.features: what the router looked at, by name"
    assert explained.uncertainty is None or explained.uncertainty >= 1, (
        f"Explanation.uncertainty: a factor, at least 1; it is {explained.uncertainty}"
    )
    assert explained.uncertainty is None or math.isfinite(explained.uncertainty), (
        "Explanation.uncertainty: a factor; None when the router does not know"
    )
    assert explained.reason.strip(), "Explanation.reason: one sentence; it is empty"
    assert len(explained.reason.splitlines()) == 1, "Explanation.reason: one sentence; it has several lines"


def _choices(declaration: RouterDeclaration, facts: list[RequestFacts], explanations: int) -> list[Choice]:
    """The choices of a fresh router that is asked so many times to explain each of them."""
    router = declaration.build(make_setup(declaration, facts))
    choices = []
    for one, pool in zip(facts, varied_pools(declaration, seed=23), strict=False):
        for _ in range(explanations):
            router.explain(one, pool)
        choice = router.choose(one, pool)
        router.completed(one, choice, 0.001 * (one.request % 40))
        choices.append(choice)
    return choices
