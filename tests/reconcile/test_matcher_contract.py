"""The contract suite: the matcher that ships and the documented example keep it, and broken ones do not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.errors import RunError
from tiergate.hooks import MatcherDeclaration
from tiergate.matching import Match, Matched, MatchKind, Plan, Progress, TaskRef, tasks_of
from tiergate.model import Task
from tiergate.reconcile.soundness import require_sound, unsound
from tiergate.testing import MatcherContract, make_plan, make_ref
from tiergate_plugins.reconcile import plugin

pytest.importorskip("sparse_dot_topn", reason="comes with tiergate[reconcile]")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "hooks" / "tiergate_matchers.md"
EXAMPLE, SUITE = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
[SHIPPED] = plugin.tiergate_matchers()


def example() -> dict[str, Any]:
    """The names that the page's example defines, and then its suite."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(EXAMPLE + SUITE.replace("from __future__ import annotations", ""), names)
    return names


class TestShipped(MatcherContract):
    @pytest.fixture
    def declaration(self) -> MatcherDeclaration:
        return SHIPPED


class TestExample(MatcherContract):
    @pytest.fixture
    def declaration(self) -> MatcherDeclaration:
        [found] = example()["tiergate_matchers"]()
        assert isinstance(found, MatcherDeclaration)
        return found


def test_the_suite_of_the_page_is_one() -> None:
    assert issubclass(example()["TestTitles"], MatcherContract)


Change = Callable[[Matched, Sequence[Plan]], Matched]
A, B, C = make_ref("s/1"), make_ref("s/1", "two"), make_ref("s/2", "two")


def same(a: TaskRef = A, b: TaskRef = B, **changes: Any) -> Match:
    one = Match(a=a, b=b, kind=MatchKind.SAME, score=0.9, probability=0.9, reason="alike")
    return replace(one, **changes)


def inventing(found: Matched, plans: Sequence[Plan]) -> Matched:
    refs = sorted(ref for ref, _, _ in tasks_of(plans))
    return replace(found, matches=(same(refs[0], refs[-1]),)) if len(refs) == 2 else found


def backwards(found: Matched, plans: Sequence[Plan]) -> Matched:
    return Matched(matches=found.matches[::-1], review=found.review[::-1])


def by_ids(found: Matched, plans: Sequence[Plan]) -> Matched:
    first: dict[str, TaskRef] = {}
    pairs = [(first.setdefault(ref.task, ref), ref) for ref, _, _ in tasks_of(plans)]
    matches = tuple(same(*sorted(pair)) for pair in pairs if pair[0].source != pair[1].source)
    return Matched(matches=matches) if len(pairs) == 2 and matches else found


def half(found: Matched, plans: Sequence[Plan]) -> Matched:
    return replace(found, matches=found.matches[1:])


def as_given(found: Matched, plans: Sequence[Plan]) -> Matched:
    first = next((ref for ref, _, _ in tasks_of(plans)), None)
    kept = tuple(one for one in found.matches if first not in (one.a, one.b))
    return replace(found, matches=kept) if len(plans) > 2 else found


def with_itself(found: Matched, plans: Sequence[Plan]) -> Matched:
    refs = [ref for ref, _, _ in tasks_of(plans)]
    return replace(found, matches=(*found.matches, same(refs[0], refs[0]))) if len(refs) > 2 else found


class Fickle:
    """Finds less each time."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, found: Matched, plans: Sequence[Plan]) -> Matched:
        self.times += 1
        return replace(found, matches=found.matches[: -self.times])


@pytest.mark.parametrize(
    ("change", "test", "words"),
    [
        (lambda _found, _plans: Matched(matches=(same(),)), "test_nothing_has_no_match", "nothing to match"),
        (half, "test_equal_tasks_of_two_sources_are_one", "the same title in two sources"),
        (inventing, "test_tasks_of_other_words_are_not", "without a word in common"),
        (by_ids, "test_an_id_is_no_identity", "a collision, never the same task"),
        (with_itself, "test_its_answer_is_sound", "matches a task with itself"),
        (with_itself, "test_awkward_and_huge_texts_are_matched_like_others", "matches a task with itself"),
        (backwards, "test_it_is_sorted", "sorted by the references"),
        (as_given, "test_the_order_of_what_is_given_changes_nothing", "does not change its result"),
        (Fickle(), "test_it_answers_the_same_again_and_changes_nothing", "a function of its plans"),
    ],
)
def test_a_broken_matcher_is_noticed(change: Change, test: str, words: str) -> None:
    def match(plans: Sequence[Plan], progress: Progress | None = None) -> Matched:
        return change(SHIPPED.match(plans), plans)

    declaration = MatcherDeclaration(name="broken", summary="broken", match=match)
    given = [MatcherContract.plans.__wrapped__(MatcherContract())] if _wants_plans(test) else []  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match=words):
        getattr(MatcherContract(), test)(declaration, *given)


def _wants_plans(test: str) -> bool:
    function = getattr(MatcherContract, test)
    return "plans" in function.__code__.co_varnames[: function.__code__.co_argcount]


def test_progress_that_counts_beyond_its_total_is_noticed() -> None:
    def match(plans: Sequence[Plan], progress: Progress | None = None) -> Matched:
        if progress is not None:
            progress("texts", 3, 2)
        return Matched()

    declaration = MatcherDeclaration(name="broken", summary="broken", match=match)
    with pytest.raises(AssertionError, match="Progress: 3 of 2"):
        MatcherContract().test_progress_counts_up_to_a_total(declaration, [])


PLANS = [
    make_plan("one", "s", [Task(id="1", title="a")]),
    make_plan("two", "s", [Task(id="1", title="a"), Task(id="2", title="b")]),
]


@pytest.mark.parametrize(
    ("matched", "words"),
    [
        ({"matches": (same(b=make_ref("s/9", "two")),)}, "names a task that there is not: two: s/9"),
        ({"matches": (same(A, A),)}, "matches a task with itself: one: s/1"),
        ({"matches": (same(B, A),)}, "not in order"),
        ({"matches": (same(probability=1.1),)}, "the probability of one: s/1 and two: s/1 is 1.1"),
        ({"matches": (same(score=float("nan")),)}, "the score of .* is nan"),
        ({"matches": (same(reason=" "),)}, "is not one line"),
        ({"matches": (same(reason="a\nb"),)}, "is not one line"),
        ({"matches": (same(), same())}, "gives a pair twice"),
        ({"matches": (same(), same(b=C))}, "gives one: s/1 two partners in two"),
        ({"matches": (same(kind=MatchKind.DUPLICATE),)}, "matched as duplicate"),
        ({"matches": (same(B, C),)}, "matched as same"),
        ({"review": (same(kind=MatchKind.COLLISION),)}, "review list has two sessions"),
    ],
)
def test_an_unsound_answer_ends_the_run_with_the_name_of_the_matcher(
    matched: dict[str, Any], words: str
) -> None:
    with pytest.raises(RunError, match=rf"matcher guess: .*{words}.*MatcherContract"):
        require_sound(Matched(**matched), PLANS, "guess")


def test_a_sound_answer_is_let_through() -> None:
    collision = same(b=C, kind=MatchKind.COLLISION)
    duplicate = same(B, C, kind=MatchKind.DUPLICATE)
    assert unsound(Matched(matches=(same(), collision), review=(duplicate,)), PLANS) is None
