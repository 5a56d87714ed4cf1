"""The contract suite for matchers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tiergate.hooks import MatcherDeclaration
from tiergate.matching import Matched, MatchKind, Plan
from tiergate.model import Task, canonical
from tiergate.reconcile.soundness import unsound
from tiergate.testing.inquiries import make_plan
from tiergate.testing.samples import AWKWARD_TEXTS

PARSER = "Parse the configuration file before the workers start"
PAGER = "Translate the invoices of the Lisbon office into Portuguese"
_HUGE = 20_000
"""Characters of a text that is pasted by mistake."""


class MatcherContract:
    """A matcher finds what is plainly one task, invents nothing, and does not mind the order it is asked in.

    Subclass it, and override the fixture ``declaration``::

        class TestMyMatcher(MatcherContract):
            @pytest.fixture
            def declaration(self) -> MatcherDeclaration:
                return MY_MATCHER
    """

    @pytest.fixture
    def declaration(self) -> MatcherDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the MatcherDeclaration to test")

    @pytest.fixture
    def plans(self) -> Sequence[Plan]:
        """Two overlapping plans, of which the suite makes more. Override it with those of your field."""
        words = ("login page", "retry of uploads", "index of the search", "export as CSV", "dark theme")
        one = [Task(id=str(n), title=f"Write the {word}", notes=f"part {n}") for n, word in enumerate(words)]
        two = [Task(id=f"t-{n}", title=f"The {word} is written") for n, word in enumerate(reversed(words))]
        return [make_plan("one", "spring", one), make_plan("two", "summer", two)]

    def test_nothing_has_no_match(self, declaration: MatcherDeclaration) -> None:
        alone = [make_plan("one", "s", [Task(id="1", title=PARSER)])]
        for plans in ([], [Plan(source="one", sessions=())], [make_plan("one", "s", [])], alone):
            assert declaration.match(plans) == Matched(), f"Matcher: nothing to match in {plans}"

    def test_equal_tasks_of_two_sources_are_one(self, declaration: MatcherDeclaration) -> None:
        found = declaration.match(_pair(("1", PARSER), ("x-9", PARSER)))
        assert [one.kind for one in found.matches] == [MatchKind.SAME], (
            "Matcher: the same title in two sources is one task, whatever its id"
        )

    def test_tasks_of_other_words_are_not(self, declaration: MatcherDeclaration) -> None:
        found = declaration.match(_pair(("1", PARSER), ("2", PAGER)))
        assert found == Matched(), "Matcher: texts without a word in common are two tasks"

    def test_an_id_is_no_identity(self, declaration: MatcherDeclaration) -> None:
        found = declaration.match(_pair(("1", PARSER), ("1", PAGER)))
        assert {one.kind for one in found.matches} <= {MatchKind.COLLISION}, (
            "Match.kind: one id with two texts is a collision, never the same task"
        )

    def test_its_answer_is_sound(self, declaration: MatcherDeclaration, plans: Sequence[Plan]) -> None:
        for given in (plans, _with_copies(plans), [_merged(plans)]):
            wrong = unsound(declaration.match(given), given)
            assert wrong is None, f"Matched: {wrong}"

    def test_it_is_sorted(self, declaration: MatcherDeclaration, plans: Sequence[Plan]) -> None:
        for given in (_with_copies(plans), [_merged(_with_copies(plans))]):
            found = declaration.match(given)
            pairs = [(one.a, one.b) for one in found.matches]
            assert pairs == sorted(pairs), "Matched.matches: sorted by the references"
            likely = [one.probability for one in found.review]
            assert likely == sorted(likely, reverse=True), "Matched.review: likeliest first"

    def test_the_order_of_what_is_given_changes_nothing(
        self, declaration: MatcherDeclaration, plans: Sequence[Plan]
    ) -> None:
        given = _with_copies(plans)
        assert declaration.match(given) == declaration.match([_reversed(plan) for plan in reversed(given)]), (
            "Matcher: the order of plans and tasks does not change its result"
        )

    def test_it_answers_the_same_again_and_changes_nothing(
        self, declaration: MatcherDeclaration, plans: Sequence[Plan]
    ) -> None:
        given = _with_copies(plans)
        before = _bytes(given)
        assert declaration.match(given) == declaration.match(given), "Matcher: a function of its plans"
        assert _bytes(given) == before, "Matcher: what it is given stays as it is"

    def test_awkward_and_huge_texts_are_matched_like_others(self, declaration: MatcherDeclaration) -> None:
        texts = [*AWKWARD_TEXTS.values(), "x" * _HUGE, "word " * (_HUGE // 5)]
        given = [
            make_plan(source, "s", [Task(id=f"{source}-{n}", title=text) for n, text in enumerate(texts)])
            for source in ("one", "two")
        ]
        wrong = unsound(declaration.match(given), given)
        assert wrong is None, f"Matched: {wrong}"

    def test_progress_counts_up_to_a_total(
        self, declaration: MatcherDeclaration, plans: Sequence[Plan]
    ) -> None:
        said: list[tuple[str, int, int]] = []
        found = declaration.match(plans, lambda *step: said.append(step))
        assert found == declaration.match(plans), "Matcher: who watches changes nothing"
        for step, done, total in said:
            assert step.strip(), "Progress: steps have names"
            assert 0 <= done <= total, f"Progress: {done} of {total} in {step!r}"


def _pair(one: tuple[str, str], other: tuple[str, str]) -> list[Plan]:
    return [
        make_plan(source, "s", [Task(id=name, title=title)])
        for source, (name, title) in (("one", one), ("two", other))
    ]


def _with_copies(plans: Sequence[Plan]) -> list[Plan]:
    """These, and each once more under another name, so that there is something to find."""
    return [*plans, *(Plan(source=f"{plan.source}-copy", sessions=plan.sessions) for plan in plans)]


def _merged(plans: Sequence[Plan]) -> Plan:
    """All tasks in one session, where what is alike is a duplicate."""
    tasks = (task for plan in plans for session in plan.sessions for task in session.tasks)
    return make_plan(
        "all", "s", [Task(id=str(n), title=one.title, notes=one.notes) for n, one in enumerate(tasks)]
    )


def _reversed(plan: Plan) -> Plan:
    sessions = tuple(replace(one, tasks=one.tasks[::-1]) for one in reversed(plan.sessions))
    return replace(plan, sessions=sessions)


def _bytes(plans: Sequence[Plan]) -> list[bytes]:
    return [canonical(session) for plan in plans for session in plan.sessions]
