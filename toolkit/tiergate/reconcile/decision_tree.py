"""A project's own decision tree: a TOML file of branches, of which exactly one applies.

Only the form is looked at here. Whether the tasks and checks are there is seen when it is laid on plans.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from tiergate.errors import UsageError, unknown_name
from tiergate.proof import Outcome
from tiergate.reconcile.tree_actions import Action, read_action
from tiergate.reconcile.tree_conditions import (
    OUTCOMES,
    Condition,
    applies,
    checks_of,
    outcomes_in_words,
    parse,
)
from tiergate.reconcile.tree_lines import Lines

MOST_CHECKS = 8
"""Checks of one tree. All their outcomes are tried, to see that exactly one branch applies."""

_HINT = "[[tree]] with a name, in it [[tree.branch]] with name, message, and `when` or `otherwise = true`"


@dataclass(frozen=True, slots=True)
class Branch:
    """What to do where a condition is true; without one, where the conditions of all others are false."""

    name: str
    message: str
    when: Condition | None
    actions: tuple[Action, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Tree:
    """Branches of which exactly one applies."""

    name: str
    branches: tuple[Branch, ...]
    line: int

    def checks(self) -> list[str]:
        """The checks that its conditions name, each once."""
        found = (name for branch in self.branches if branch.when for name in checks_of(branch.when))
        return list(dict.fromkeys(found))

    def applying(self, outcomes: Mapping[str, Outcome]) -> list[Branch]:
        """The branches that apply for sure; none where an unknown check leaves it open."""
        told = {branch.name: applies(branch.when, outcomes) for branch in self.branches if branch.when}
        sure = [branch for branch in self.branches if told.get(branch.name)]
        if not sure and not any(value is None for value in told.values()):
            return [branch for branch in self.branches if branch.when is None]
        return sure


@dataclass(frozen=True, slots=True)
class DecisionTree:
    """Every tree of a file."""

    path: str
    trees: tuple[Tree, ...]
    lines: Lines

    def at(self, line: int, text: str = "") -> str:
        """``FILE:LINE`` of a text that stands at or after a line, for errors."""
        return f"{self.path}:{self.lines.of_text(text, line) if text else line}"


def read_tree(path: Path) -> DecisionTree:
    """Read a file of decision trees.

    Raises:
        UsageError: it cannot be read or is no such file, a name is unknown or given twice, or the branches
            leave an outcome of their checks out or meet in one. It names the line.
    """
    try:
        text = path.read_bytes().decode()
        document = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read the decision tree: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"is not UTF-8 at byte {error.start}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"is not valid TOML: {error}", where=str(path)) from error
    lines = Lines(text)
    _only(document, {"tree"}, str(path), lines, 1)
    trees = tuple(_read_trees(document, str(path), lines))
    _once("tree", [(one.name, one.line) for one in trees], str(path))
    for tree in trees:
        _check_outcomes(tree, str(path))
    return DecisionTree(str(path), trees, lines)


def _read_trees(document: Mapping[str, Any], path: str, lines: Lines) -> Iterator[Tree]:
    trees = document.get("tree")
    if not isinstance(trees, list) or not trees:
        raise UsageError("has no tree", where=path, hint=f"write {_HINT}")
    tree_lines, branch_lines = lines.headers("tree"), iter(lines.headers("tree.branch"))
    for number, table in enumerate(trees):
        line = tree_lines[number] if number < len(tree_lines) else 1
        where = f"{path}:{line}"
        if not isinstance(table, dict):
            raise UsageError("a tree must be a table", where=where, hint=f"write {_HINT}")
        _only(table, {"name", "branch"}, path, lines, line)
        branches = table.get("branch")
        if not isinstance(branches, list) or not branches:
            raise UsageError("the tree has no branch", where=where, hint=f"write {_HINT}")
        name = _text(table, "name", where)
        read = tuple(_read_branch(one, path, lines, next(branch_lines, line)) for one in branches)
        _once("branch", [(one.name, one.line) for one in read], path)
        yield Tree(name, read, line)


def _read_branch(table: Any, path: str, lines: Lines, line: int) -> Branch:
    where = f"{path}:{line}"
    if not isinstance(table, dict):
        raise UsageError("a branch must be a table", where=where, hint=f"write {_HINT}")
    _only(table, {"name", "message", "when", "otherwise", "do"}, path, lines, line)
    name, message = _text(table, "name", where), _text(table, "message", where)
    if ("when" in table) == (table.get("otherwise") is True):
        raise UsageError(f"branch {name!r} needs either `when` or `otherwise = true`", where=where)
    try:
        when = parse(table["when"]) if "when" in table else None
    except UsageError as error:
        place = f"{path}:{lines.of_key('when', line)}"
        raise UsageError(f"branch {name!r}: {error.what}", where=place, hint=error.hint) from error
    actions, after = [], line
    given = table.get("do", [])
    if not isinstance(given, list):
        raise UsageError(f"branch {name!r}: `do` must be a list of actions", where=where)
    for one in given:
        action = read_action(one, message, path, lines, after)
        actions.append(action)
        after = action.line + 1
    return Branch(name, message, when, tuple(actions), line)


def _check_outcomes(tree: Tree, path: str) -> None:
    """See that for every outcome of the checks exactly one branch applies, or none where one is unknown."""
    names = tree.checks()
    if len(names) > MOST_CHECKS:
        raise UsageError(
            f"tree {tree.name!r} names {len(names)} checks",
            where=f"{path}:{tree.line}",
            hint=f"at most {MOST_CHECKS} in one tree: make several of it",
        )
    if sum(branch.when is None for branch in tree.branches) > 1:
        raise UsageError(f"tree {tree.name!r} has two branches `otherwise`", where=f"{path}:{tree.line}")
    for combination in product(OUTCOMES, repeat=len(names)):
        outcomes = dict(zip(names, combination, strict=True))
        found = tree.applying(outcomes)
        if len(found) > 1:
            raise UsageError(
                f"branches {found[0].name!r} (line {found[0].line}) and {found[1].name!r} both apply where "
                f"{outcomes_in_words(outcomes)}",
                where=f"{path}:{found[1].line}",
                hint="exactly one branch may apply: make one of their conditions narrower",
            )
        if not found and "unknown" not in combination:
            raise UsageError(
                f"tree {tree.name!r} has no branch for {outcomes_in_words(outcomes)}",
                where=f"{path}:{tree.line}",
                hint="add the branch, or one with `otherwise = true`",
            )


def _only(table: Mapping[str, Any], known: set[str], path: str, lines: Lines, line: int) -> None:
    for key in table:
        if key not in known:
            raise unknown_name("key", key, known, where=f"{path}:{lines.of_key(key, line)}")


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"`{key}` must be a text", where=where, hint=f"write {_HINT}")
    return " ".join(value.split())


def _once(kind: str, names: list[tuple[str, int]], path: str) -> None:
    seen: dict[str, int] = {}
    for name, line in names:
        if name in seen:
            raise UsageError(f"{kind} {name!r} stands in line {seen[name]} too", where=f"{path}:{line}")
        seen[name] = line
