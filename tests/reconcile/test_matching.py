"""Matching: what must hold of any plans, and of some that were written by hand."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.matching import Matched, MatchKind, Plan
from tiergate.model import Session, Task

pytest.importorskip("sklearn", reason="tiergate[reconcile] is not installed")
pytest.importorskip("sparse_dot_topn", reason="tiergate[reconcile] is not installed")
pytest.importorskip("rapidfuzz", reason="tiergate[reconcile] is not installed")

from tiergate_plugins.reconcile.matcher import match

WORDS = ("parse", "config", "write", "tests", "store", "release", "cache", "step 1", "step 2")
titles = st.lists(st.sampled_from(WORDS), min_size=0, max_size=4).map(" ".join)
plans = st.lists(st.lists(titles, max_size=6), max_size=3)


def plan(source: str, texts: list[str], prefix: str = "") -> Plan:
    tasks = tuple(Task(id=f"{prefix}{number}", title=text) for number, text in enumerate(texts))
    return Plan(source=source, sessions=(Session(id="s", tasks=tasks),))


def made(lists: list[list[str]]) -> list[Plan]:
    return [plan(f"source{number}", texts, f"{number}-") for number, texts in enumerate(lists)]


def kinds(found: Matched) -> list[str]:
    return [one.kind.value for one in found.matches]


@settings(max_examples=40, deadline=None)
@given(plans, st.randoms(use_true_random=False))
def test_the_order_of_plans_and_tasks_changes_nothing(lists: list[list[str]], draw: random.Random) -> None:
    first = made(lists)
    mixed = []
    for one in draw.sample(first, len(first)):
        tasks = one.sessions[0].tasks
        shuffled = Session(id="s", tasks=tuple(draw.sample(tasks, len(tasks))))
        mixed.append(Plan(source=one.source, sessions=(shuffled,)))
    assert match(first) == match(mixed)


@settings(max_examples=40, deadline=None)
@given(plans)
def test_references_are_ordered_and_no_task_is_in_two_ranked_matches(lists: list[list[str]]) -> None:
    found = match(made(lists))
    assert all(one.a < one.b and 0 <= one.probability <= 1 for one in (*found.matches, *found.review))
    ranked = [one for one in found.matches if one.kind == MatchKind.SAME and one.score < 1.0]
    uses = Counter(ref for one in ranked for ref in (one.a, one.b))
    assert not uses or max(uses.values()) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(titles.filter(bool), min_size=1, max_size=6, unique=True))
def test_exact_copies_are_found_nearly_for_certain(texts: list[str]) -> None:
    found = match([plan("one", texts, "a"), plan("two", [text.upper() for text in texts], "b")])
    same = [one for one in found.matches if one.kind == MatchKind.SAME]
    assert {(one.a.task[1:], one.b.task[1:]) for one in same} == {(str(n), str(n)) for n in range(len(texts))}
    assert all(one.probability > 0.99 for one in same)


@pytest.mark.parametrize("texts", [[], [""], ["", "!!!"]])
def test_nothing_to_compare_matches_nothing(texts: list[str]) -> None:
    assert match([plan("one", texts, "a"), plan("two", texts, "b")]).matches == ()


def test_an_id_on_two_texts_is_a_collision() -> None:
    found = match([plan("one", ["Faster file API"]), plan("two", ["Dictionary for the zstd cache"])])
    assert kinds(found) == ["collision"]
    assert found.matches[0].probability > 0.9
    assert found.matches[0].reason.startswith("one id on two texts")


def test_a_copy_inside_a_session_is_a_duplicate() -> None:
    assert kinds(match([plan("one", ["Write the tests", "write the tests!"])])) == ["duplicate"]


def test_members_of_a_template_family_are_not_listed_for_review() -> None:
    found = match(
        [plan("one", ["Run step 1 of release", "Run step 2 of release", "Run a step of the release"])]
    )
    assert {(one.a.task, one.b.task) for one in found.review} <= {("0", "2"), ("1", "2")}
