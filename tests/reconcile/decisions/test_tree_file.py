"""Files of decision trees: what they may say, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tiergate.errors import UsageError
from tiergate.model import Status, Task
from tiergate.reconcile.deciding_chain import decide
from tiergate.reconcile.decision_tree import DecisionTree, read_tree
from tiergate.reconcile.tree_conditions import applies, describe, parse
from tiergate.reconcile_record import Decision
from tiergate.testing import make_evidence, make_inquiry, make_plan

GOOD = """
[[tree]]
name = "one"

[[tree.branch]]
name = "yes"
message = "it is there"
when = "a"
do = [{ set = "completed", tasks = ["S/1"] }]

[[tree.branch]]
name = "no"
message = "it is not"
when = { fails = "a" }
"""


def written(folder: Path, text: str) -> DecisionTree:
    path = folder / "tree.toml"
    path.write_text(text)
    return read_tree(path)


def laid(folder: Path, text: str, **outcomes: str) -> list[Decision]:
    """The decisions of a tree on two sessions, with one check of each name."""
    tasks = [Task(id="1", title="one", status=Status.ACTIVE), Task(id="2", title="two", dependencies=("1",))]
    checks = [make_evidence(outcome, name=name) for name, outcome in (outcomes or {"a": "holds"}).items()]
    inquiry = make_inquiry(
        [make_plan("p", "S", tasks), make_plan("q", "T", [Task(id="a/b", title="slash")])], evidence=checks
    )
    return decide(inquiry, [], written(folder, text))


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('name = "one"', 'nam = "one"', r"tree\.toml:3: unknown key 'nam' \(did you mean 'name'\?\)"),
        ('name = "yes"', 'name = ""', r"tree\.toml:5: `name` must be a text"),
        ('name = "no"', 'name = "yes"', r"tree\.toml:11: branch 'yes' stands in line 5 too"),
        ('when = "a"', "", r"tree\.toml:5: branch 'yes' needs either `when` or `otherwise = true`"),
        ('when = "a"', 'when = { hold = "a" }', r"tree\.toml:8: branch 'yes': unknown condition 'hold'"),
        ('when = "a"', "when = { all = [] }", r"tree\.toml:8: branch 'yes': \[\] cannot stand after 'all'"),
        ('when = "a"', "when = 3", r"tree\.toml:8: branch 'yes': 3 is no condition"),
        (
            '{ fails = "a" }',
            '{ fails = "b" }',
            r"tree\.toml:11: branches 'yes' \(line 5\) and 'no' both apply where a",
        ),
        ('{ fails = "a" }', '{ unknown = "a" }', r"tree\.toml:2: tree 'one' has no branch for a fails"),
        ('set = "completed"', 'sett = "completed"', r"tree\.toml:\d+: .* is no action"),
        ('"completed", tasks', '"finished", tasks', r"tree\.toml:9: `set` must be a status: queued"),
        (', tasks = ["S/1"]', "", r"tree\.toml:9: 'set' needs `tasks`"),
        ("tasks = [", "task = [", r"tree\.toml:9: unknown key of 'set' 'task' \(did you mean 'tasks'\?\)"),
        ('["S/1"]', '"S1"', r"tree\.toml:9: 'S1' names no task"),
        ('["S/1"]', '["S/7"]', r"tree\.toml:9: unknown task of session 'S': '7' \(known: 1, 2\)"),
        ('["S/1"]', '["R/1"]', r"tree\.toml:9: unknown session 'R'"),
        ('when = "a"', 'when = ["a"', r"tree\.toml: is not valid TOML: .*line"),
    ],
)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, old: str, new: str, error: str) -> None:
    assert old in GOOD
    with pytest.raises(UsageError, match=error):
        laid(tmp_path, GOOD.replace(old, new))


def test_a_check_that_does_not_exist_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"tree\.toml:8: unknown check 'a' \(known: other\)"):
        laid(tmp_path, GOOD, other="holds")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "has no tree"),
        ("tree = 3", "has no tree"),
        ("tree = [3]", "a tree must be a table"),
        ('[[tree]]\nname = "x"', "the tree has no branch"),
        ('[[tree]]\nname = "x"\nbranch = [1]', "a branch must be a table"),
        (GOOD + GOOD, r"tree\.toml:16: tree 'one' stands in line 2 too"),
    ],
)
def test_what_is_no_tree_is_refused(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        written(tmp_path, text)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the decision tree: No such file"):
        read_tree(tmp_path / "none.toml")
    (tmp_path / "odd.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not UTF-8 at byte 0"):
        read_tree(tmp_path / "odd.toml")


def test_too_many_checks_are_refused(tmp_path: Path) -> None:
    names = ", ".join(f'"c{number}"' for number in range(9))
    with pytest.raises(UsageError, match=r"names 10 checks \(at most 8"):
        written(tmp_path, GOOD.replace('when = "a"', f"when = {{ all = [{names}] }}"))


def with_actions(*actions: str) -> str:
    return GOOD.replace('{ set = "completed", tasks = ["S/1"] }', ",\n  ".join(actions))


def changes(decisions: list[Decision]) -> list[tuple[str, str, Any]]:
    return [
        (f"{one.task.session}/{one.task.task}", one.field, one.after)
        for each in decisions
        for one in each.changes
    ]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            '{ set = "blocked", tasks = ["S/*"] }',
            [("S/1", "status", "blocked"), ("S/2", "status", "blocked")],
        ),
        ('{ set = "active", tasks = ["S/*"] }', [("S/2", "status", "active")]),
        ('{ set = "active", tasks = ["T/a/b"] }', [("T/a/b", "status", "active")]),
        ('{ abandon = "S", except = ["S/1"] }', [("S/2", "status", "abandoned")]),
        ('{ abandon = ["S", "T"] }', [(one, "status", "abandoned") for one in ("S/1", "S/2", "T/a/b")]),
        ('{ close = "S" }', [("S/1", "status", "completed"), ("S/2", "status", "completed")]),
        ('{ continue = "S/2" }', []),
        (
            '{ add = "Measure it", session = "S", estimate = "1 h", needs = ["S/2"], needed_by = ["S/1"] }',
            [
                (
                    "S/measure-it",
                    "added",
                    {
                        "id": "measure-it",
                        "title": "Measure it",
                        "dependencies": ["2"],
                        "extra": {"estimate": "1 h"},
                    },
                ),
                ("S/1", "dependencies", ["measure-it"]),
            ],
        ),
        ('{ add = "two", session = "S", id = "2", estimate = "1 h" }', []),
    ],
)
def test_actions(tmp_path: Path, action: str, expected: list[Any]) -> None:
    assert changes(laid(tmp_path, with_actions(action))) == expected


def test_a_task_is_merged_into_another_one(tmp_path: Path) -> None:
    [merge, *_] = laid(
        tmp_path, with_actions('{ merge = ["T/*"], into = "S/2", because = "it is the same" }')
    )
    assert changes([merge]) == [("T/a/b", "merged_into", {"source": "p", "session": "S", "task": "2"})]
    assert (merge.rule, merge.outcome, merge.question) == ("tree", "it is the same", "tree:one")


@pytest.mark.parametrize(
    ("actions", "error"),
    [
        (
            ['{ abandon = "S" }', '{ merge = ["S/1"], into = "T/a/b" }'],
            r"tree\.toml:10: branch 'yes' says 'abandon' \(line 9\) and 'merge' of S/1 \(one action a task",
        ),
        (['{ merge = ["S/1"], into = "S/1" }'], "S/1 is merged into itself"),
        (
            ['{ add = "x", session = "S", id = "1", estimate = "1 h" }'],
            "S/1 is there and is another task: 'one'",
        ),
    ],
)
def test_actions_that_contradict_are_refused(tmp_path: Path, actions: list[str], error: str) -> None:
    with pytest.raises(UsageError, match=error):
        laid(tmp_path, with_actions(*actions))


def test_a_branch_that_does_not_apply_is_looked_at_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown session 'R'"):
        laid(tmp_path, GOOD.replace('["S/1"]', '["R/1"]'), a="fails")


def test_the_branch_without_actions_says_that_it_applies(tmp_path: Path) -> None:
    [one] = laid(tmp_path, GOOD, a="fails")
    assert (one.rule, one.changes) == ("tree", ())
    assert one.outcome == "one: branch 'no' applies, since a fails: it is not"


def test_tables_of_their_own_mean_the_same_as_inline_ones(tmp_path: Path) -> None:
    longer = GOOD.replace('do = [{ set = "completed", tasks = ["S/1"] }]', "") + (
        '[[tree.branch.do]]\nset = "blocked"\ntasks = ["S/2"]\nbecause = "why not"\n'
    )
    [one] = laid(tmp_path, longer, a="fails")
    assert (one.outcome, changes([one])) == ("why not", [("S/2", "status", "blocked")])


@pytest.mark.parametrize(
    ("condition", "a", "b", "expected"),
    [
        ({"all": ["a", "b"]}, "holds", "unknown", None),
        ({"all": ["a", "b"]}, "fails", "unknown", False),
        ({"any": ["a", "b"]}, "holds", "unknown", True),
        ({"any": ["a", "b"]}, "fails", "unknown", None),
        ({"not": "a"}, "unknown", "holds", None),
        ({"not": {"any": ["a", {"fails": "b"}]}}, "fails", "holds", True),
        ({"unknown": "a"}, "unknown", "holds", True),
        ({"not": {"unknown": "a"}}, "holds", "holds", True),
    ],
)
def test_an_unknown_check_decides_nothing(condition: Any, a: str, b: str, expected: bool | None) -> None:
    assert applies(parse(condition), {"a": a, "b": b}) is expected  # type: ignore[dict-item]


def test_a_condition_in_words() -> None:
    condition = {"all": ["a", {"any": [{"fails": "b"}, {"unknown": "c"}]}, {"not": "d"}]}
    assert describe(parse(condition)) == "a holds and (b fails or c is unknown) and not (d holds)"
