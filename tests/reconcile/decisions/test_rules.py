"""The built-in rules, one question at a time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.deciding import Question, folded
from tiergate.reconcile_record import TaskRef
from tiergate.testing import make_evidence, make_inquiry, make_question
from tiergate_plugins.reconcile.rules import evidence, most_advanced, newest, three_way

A, B = TaskRef("source0", "s", "t"), TaskRef("source1", "s", "t")
NOTHING = make_inquiry()
values = st.sampled_from(("queued", "active", "completed", "Active"))
sets = st.lists(st.sampled_from(("a", "b", "c", "d")), unique=True)


@pytest.mark.parametrize(
    ("said", "found", "status"),
    [
        (("completed", "queued"), [("holds", True, "tree")], "completed"),
        (("completed", "queued"), [("holds", False, "tree")], "completed"),
        (("queued", "active"), [("holds", True, "tree")], "completed"),
        (("queued", "active"), [("holds", False, "tree")], None),
        (("abandoned", "queued"), [("holds", True, "tree")], "completed"),
        (("completed", "queued"), [("fails", True, "tree")], "queued"),
        (("completed", "blocked", "active"), [("fails", False, "tree")], "active"),
        (("completed", "abandoned"), [("fails", True, "tree")], "abandoned"),
        (("completed", "completed"), [("fails", True, "tree")], "queued"),
        (("completed", "completed"), [("fails", False, "tree")], None),
        (("queued", "active"), [("fails", True, "tree")], None),
        (("completed", "queued"), [("holds", True, "tree"), ("fails", True, "tree")], "active"),
        (("completed", "queued"), [("holds", False, "tree"), ("fails", False, "tree")], None),
        (("completed", "queued"), [("unknown", True, "tree")], None),
        (("completed", "queued"), [], None),
        # declared evidence outweighs inferred; where it is unknown, inferred counts
        (("completed", "queued"), [("fails", True, "tree"), ("holds", False, "tree")], "queued"),
        (("completed", "queued"), [("unknown", True, "tree"), ("holds", False, "tree")], "completed"),
        # a commit that is not found proves something only where a person asked for it
        (("completed", "queued"), [("holds", True, "history")], "completed"),
        (("completed", "queued"), [("fails", True, "history")], "queued"),
        (("completed", "queued"), [("fails", False, "history")], None),
    ],
)
def test_evidence(said: tuple[str, ...], found: list[tuple[str, bool, str]], status: str | None) -> None:
    checks = [
        make_evidence(outcome, A if number % 2 else B, declared=declared, where=where, subject=f"{number}.py")
        for number, (outcome, declared, where) in enumerate(found)
    ]
    ruling = evidence.rule(make_question("status", said), make_inquiry(evidence=checks))
    assert (ruling.value if ruling.decided else None) == status
    assert ruling.reason
    if found:
        assert ".py" in ruling.reason


def test_what_was_there_and_is_gone_proves_neither() -> None:
    checks = [make_evidence("fails", A, where="tree"), make_evidence("holds", A, where="history")]
    ruling = evidence.rule(make_question("status", ("completed", "queued")), make_inquiry(evidence=checks))
    assert not ruling.decided


@pytest.mark.parametrize("rule", [evidence.rule, most_advanced.rule])
def test_rules_about_statuses_pass_on_other_fields(rule: Any) -> None:
    checks = [make_evidence("holds", A)]
    assert not rule(make_question("title", ("a", "b")), make_inquiry(evidence=checks)).decided


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (("queued", "completed"), "completed"),
        (("queued", "blocked"), "blocked"),
        (("blocked", "active", "queued"), "active"),
        (("abandoned", "completed"), "completed"),
        (("abandoned", "completed", "queued"), "completed"),
        (("abandoned", "active"), None),
        (("queued", "queued"), None),
        (("queued", "doing"), None),
    ],
)
def test_most_advanced(said: tuple[str, ...], status: str | None) -> None:
    ruling = most_advanced.rule(make_question("status", said), NOTHING)
    assert (ruling.value if ruling.decided else None) == status


@pytest.mark.parametrize(
    ("times", "value"),
    [
        (("2025-11-17T10:00:00Z", "2025-11-17T11:00:00Z"), "second"),
        # 01:30 in Berlin on the 18th is before midnight of the 17th in London
        (("2025-11-17T23:45:00+00:00", "2025-11-18T00:30:00+01:00"), "first"),
        (("2025-11-17T10:00:00Z", "2025-11-17T12:00:00+02:00"), None),
        (("2025-11-17T10:00:00Z", None), None),
        (("2025-11-17T10:00:00Z", "soon"), None),
        (("2025-11-17T10:00:00Z", "2125-11-17T10:00:00Z"), None),
        (("2025-11-17T10:00:00Z", "2025-11-17T11:00:00"), None),
        (("2025-11-17T10:00:00Z", "2025-11-19T11:00:00"), "second"),
        (("2025-11-17", "2025-11-19"), "second"),
        (("2025-11-18", "2025-11-19"), None),
    ],
)
def test_newest(times: tuple[str | None, ...], value: str | None) -> None:
    ruling = newest.rule(make_question("title", ("first", "second"), times=times), NOTHING)
    assert (ruling.value if ruling.decided else None) == value


def test_two_times_without_offset_in_one_source_are_of_one_clock() -> None:
    question = make_question("title", ("first", "second"), times=("2025-11-17T10:00", "2025-11-17T11:00"))
    assert not newest.rule(question, NOTHING).decided
    here = TaskRef("source0", "s", "other")
    options = (
        question.options[0],
        type(question.options[1])(task=here, value="second", updated_at="2025-11-17T11:00"),
    )
    one_source = Question(id="", field="title", options=options)
    assert newest.rule(one_source, NOTHING).value == "second"


def test_the_newest_of_several_that_agree_wins_over_an_older_one() -> None:
    times = ("2025-11-17T10:00:00Z", "2025-11-17T11:00:00Z", "2025-11-17T11:00:00Z")
    question = make_question("title", ("first", "second", "SECOND"), times=times)
    assert newest.rule(question, NOTHING).value == "second"


def merged(field: str, base: Any, *sides: Any) -> Any:
    ruling = three_way.rule(make_question(field, sides, base=base), NOTHING)
    return ruling.value if ruling.decided else None


@given(values, values)
def test_what_only_one_side_has_changed_wins(base: str, side: str) -> None:
    expected = None if folded("status", side) == folded("status", base) else side
    assert merged("status", base, base, side) == merged("status", base, side, base) == expected


@given(values, values, values)
def test_a_merge_has_no_first_side(base: str, one: str, other: str) -> None:
    assert folded("status", merged("status", base, one, other)) == folded(
        "status", merged("status", base, other, one)
    )


@given(values, values)
def test_the_same_change_on_both_sides_is_one_change(base: str, side: str) -> None:
    changed = folded("status", side) != folded("status", base)
    assert merged("status", base, side, side) == (side if changed else None)


@given(sets, sets, sets)
def test_sets_keep_what_a_side_added_and_lose_what_a_side_removed(
    base: list[str], one: list[str], other: list[str]
) -> None:
    before, left, right = set(base), set(one), set(other)
    expected = (left & right) | (left - before) | (right - before)
    assert set(merged("labels", base, one, other)) == set(merged("labels", base, other, one)) == expected
    assert len(merged("labels", base, one, other)) == len(expected)


@given(sets, sets)
def test_a_set_that_one_side_left_alone_becomes_the_other_one(base: list[str], side: list[str]) -> None:
    assert set(merged("dependencies", base, base, side)) == set(side)


@given(sets, sets)
def test_without_a_base_nothing_is_lost(one: list[str], other: list[str]) -> None:
    ruling = three_way.rule(make_question("labels", (one, other)), NOTHING)
    assert set(ruling.value) == {*one, *other}


def test_without_a_base_a_single_value_is_passed_on() -> None:
    assert not three_way.rule(make_question("title", ("a", "b")), NOTHING).decided


@pytest.mark.parametrize(
    ("field", "one", "other", "same"),
    [
        ("title", "Fix the  parser", "fix the parser", True),
        ("due", "2025-11-17T10:00:00Z", "2025-11-17T12:00:00+02:00", True),
        ("due", "2025-11-17T10:00:00", "2025-11-17T12:00:00+02:00", False),
        ("labels", ["a", "B"], ["b", "A"], True),
        ("dependencies", ["a"], ["A"], False),
        ("links", [{"to": "X"}], [{"to": "x"}], True),
        ("links", ["a", "b"], ["b", "a"], False),
        ("weight", 1, 1.0, True),
    ],
)
def test_values_agree_where_they_say_the_same(field: str, one: Any, other: Any, same: bool) -> None:
    assert (folded(field, one) == folded(field, other)) is same
