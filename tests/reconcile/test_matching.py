"""Matching: what must hold of any plans, and of some that were written by hand."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.matching import Matched, MatchKind, Plan
from tiergate.model import Session, Task

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
def test_references_are_ordered_and_no_task_has_two_partners_in_a_source(lists: list[list[str]]) -> None:
    found = match(made(lists))
    assert all(one.a < one.b and 0 <= one.probability <= 1 for one in (*found.matches, *found.review))
    ends = [(one.a, one.b.source) for one in found.matches if one.kind == MatchKind.SAME]
    ends += [(one.b, one.a.source) for one in found.matches if one.kind == MatchKind.SAME]
    assert not ends or max(Counter(ends).values()) == 1


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


def test_an_id_of_thousands_of_digits_is_an_id() -> None:
    found = match([plan("one", ["Write it"], "8" * 5000), plan("two", ["Write it"], "9" * 5000)])
    assert kinds(found) == ["same"]


@pytest.mark.parametrize(
    ("one", "other", "kind"), [("🔥🔥", "🔥🔥", "same"), ("", "", "same"), ("🔥", "✂", "collision")]
)
def test_texts_of_signs_alone_are_compared_as_they_are_written(one: str, other: str, kind: str) -> None:
    assert kinds(match([plan("one", [one], "bd-x"), plan("two", [other], "bd-x")])) == [kind]


def test_a_copy_inside_a_session_is_a_duplicate() -> None:
    assert kinds(match([plan("one", ["Write the tests", "write the tests!"])])) == ["duplicate"]


def test_of_copies_that_cannot_be_told_apart_nothing_is_said() -> None:
    assert kinds(match([plan("one", ["Run it", "Run it"], "a"), plan("two", ["Run it"], "b")])) == [
        "duplicate"
    ]


def test_a_text_in_many_sessions_of_a_source_is_work_of_each() -> None:
    sessions = tuple(
        Session(id=f"s{number}", tasks=(Task(id="1", title="Write the tests"),)) for number in range(3)
    )
    assert match([Plan(source="one", sessions=sessions)]).matches == ()
    assert kinds(match([Plan(source="one", sessions=sessions[:2])])) == ["same"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Commit release v0.33.2", "Commit release v0.33.3"),
        ("Commit release v0.33.2", "Commit release"),
        ("Migrate shard 1 of the index", "Migrate shard 2 of the index"),
    ],
)
def test_a_step_of_another_number_is_another_step(one: str, other: str) -> None:
    assert kinds(match([plan("one", [one], "a"), plan("two", [other], "b")])) == []


def test_a_number_that_is_only_written_otherwise_is_the_same() -> None:
    found = match([plan("one", ["Order part 021-07746"], "a"), plan("two", ["Order part 02107746"], "b")])
    assert kinds(found) == ["same"]


def test_an_id_that_is_counted_up_means_nothing_in_another_session() -> None:
    one = Session(id="s", tasks=(Task(id="1", title="Faster file API"),))
    other = Session(id="t", tasks=(Task(id="1", title="Dictionary for the zstd cache"),))
    assert match([Plan(source="a", sessions=(one, other))]).matches == ()
    assert kinds(
        match([plan("one", ["Faster file API"], "bd-a1b"), plan("two", ["Zstd dictionary"], "bd-a1b")])
    ) == ["collision"]


def test_each_source_has_its_own_nearest_candidates() -> None:
    """Many near texts of one's own source must not hide the one in another."""
    crowd = [f"Tune cache number {word} of the store" for word in "alpha beta gamma delta".split() * 5]
    crowd = [f"{text} {chr(97 + number)}x{chr(110 - number % 13)}" for number, text in enumerate(crowd)]
    wanted = "Tune cache number epsilon of the store for reads"
    found = match([plan("one", [*crowd, wanted], "a"), plan("two", [f"{wanted} again"], "b")])
    same = [one for one in found.matches if one.kind == MatchKind.SAME]
    assert [(one.a.task, one.b.task) for one in same] == [(f"a{len(crowd)}", "b0")]


def test_members_of_a_template_family_are_not_listed_for_review() -> None:
    found = match(
        [plan("one", ["Run step 1 of release", "Run step 2 of release", "Run a step of the release"])]
    )
    assert {(one.a.task, one.b.task) for one in found.review} <= {("0", "2"), ("1", "2")}
