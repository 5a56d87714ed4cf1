"""The contract suite: the checks that ship and the documented example keep it, and broken ones do not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tiergate.errors import SourceError
from tiergate.evidence import Found, Root
from tiergate.hooks import EvidenceCheckDeclaration
from tiergate.testing import EvidenceCheckContract
from tiergate_plugins.reconcile.checks import commands, commits, files, keys, patterns, symbols

pytest.importorskip("regex", reason="comes with tiergate[reconcile]")

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "hooks" / "tiergate_evidence_checks.md"
EXAMPLE, SUITE = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
SHIPPED = {
    one.name: one
    for module in (commands, commits, files, keys, patterns, symbols)
    for one in module.tiergate_evidence_checks()
}
FILES = {"src/pool.py": b"class Pool:\n    size = 4\n", "package.json": b'{"workspaces": ["a"]}\n'}
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "file": ({"path": "src/pool.py"}, {"path": "src/queue.py"}),
    "lines": ({"path": "src/pool.py", "least": 2}, {"path": "src/pool.py", "least": 3}),
    "pattern": ({"path": "src/pool.py", "pattern": "size = [0-9]"}, {"path": "src/pool.py", "pattern": "x"}),
    "key": ({"path": "package.json", "key": "workspaces"}, {"path": "package.json", "key": "scripts"}),
    "symbol": ({"path": "src/pool.py", "symbol": "Pool.size"}, {"path": "src/pool.py", "symbol": "Queue"}),
    "commit": ({"mentions": "Everything"}, {"mentions": "nothing of it"}),
    "command": ({"command": "test -f package.json"}, {"command": "test -f missing"}),
}
"""Of each kind: options with which it holds, and with which it fails."""


def example() -> dict[str, Any]:
    """The names that the page's example defines, and then its suite."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(EXAMPLE + SUITE.replace("from __future__ import annotations", ""), names)
    return names


def test_every_check_that_ships_is_tested() -> None:
    assert SHIPPED.keys() == ASKED.keys()


class TestShipped(EvidenceCheckContract):
    @pytest.fixture(params=ASKED)
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def declaration(self, kind: str) -> EvidenceCheckDeclaration:
        return SHIPPED[kind]

    @pytest.fixture
    def files(self) -> Mapping[str, bytes]:
        return FILES

    @pytest.fixture
    def holding(self, kind: str) -> dict[str, Any]:
        return ASKED[kind][0]

    @pytest.fixture
    def failing(self, kind: str) -> dict[str, Any]:
        return ASKED[kind][1]


class TestExample(example()["TestFinished"]):  # type: ignore[misc]
    pass


def test_the_suite_of_the_page_is_one() -> None:
    assert issubclass(example()["TestFinished"], EvidenceCheckContract)


Check = Callable[[dict[str, Any], Root], list[Found]]
GOOD = SHIPPED["file"].check


def blind(options: dict[str, Any], root: Root) -> list[Found]:
    return [Found("a", "fails", "is not there", "tree")]


def sure(options: dict[str, Any], root: Root) -> list[Found]:
    return [Found("a", "holds", "is there", "tree")]


def mute(options: dict[str, Any], root: Root) -> list[Found]:
    return [replace_found(one, message="") for one in GOOD(options, root)]


def vague(options: dict[str, Any], root: Root) -> list[Found]:
    return [replace_found(one, outcome="perhaps") for one in GOOD(options, root)] + GOOD(options, root)


def replace_found(one: Found, **changes: str) -> Found:
    return Found(**{**{name: getattr(one, name) for name in one.__struct_fields__}, **changes})


def careless(options: dict[str, Any], root: Root) -> list[Found]:
    return GOOD({"path": options["path"]}, root)


def roving(options: dict[str, Any], root: Root) -> list[Found]:
    path = options["path"]
    return [Found(path, "holds" if Path("/", path).exists() else "fails", "looked", "tree")]


def forgetful(options: dict[str, Any], root: Root) -> list[Found]:
    return GOOD(options, root)[:1]


def calling(options: dict[str, Any], root: Root) -> list[Found]:
    with suppress(SourceError):
        root.run("ls", 1.0)
    return GOOD(options, root)


class Counting:
    """Says each time how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, options: dict[str, Any], root: Root) -> list[Found]:
        self.times += 1
        return [Found("a", "holds", f"looked {self.times} times", "tree")]


class Leaving:
    """Leaves a file where it looked."""

    folder: Path

    def __call__(self, options: dict[str, Any], root: Root) -> list[Found]:
        (self.folder / "looked").touch()
        return GOOD(options, root)


@pytest.mark.parametrize(
    ("check", "test", "error", "words"),
    [
        (blind, "test_it_holds_and_says_by_what", AssertionError, "holds where what it looks for"),
        (mute, "test_it_holds_and_says_by_what", AssertionError, "Found.message: what was found"),
        (vague, "test_it_holds_and_says_by_what", AssertionError, "Found.outcome: one of"),
        (sure, "test_it_fails_and_says_by_what", AssertionError, "fails where it is not there"),
        (Counting(), "test_it_answers_the_same_again", AssertionError, "the same folder gives the same"),
        (careless, "test_wrong_options_are_refused_in_one_line", pytest.fail.Exception, "DID NOT RAISE"),
        (roving, "test_a_path_that_leads_outside_is_refused", pytest.fail.Exception, "leads outside"),
        (forgetful, "test_what_was_deleted_is_found_in_history", AssertionError, "the last commit that had"),
        (Leaving(), "test_it_changes_nothing_in_the_folder", AssertionError, "changes nothing"),
        (calling, "test_no_command_runs_unless_allowed", AssertionError, "is_command"),
    ],
)
def test_a_broken_check_is_noticed(
    check: Check, test: str, error: type[BaseException], words: str, tmp_path: Path
) -> None:
    suite = EvidenceCheckContract()
    declaration = replace(SHIPPED["file"], check=check)
    folder = EvidenceCheckContract.folder.__wrapped__(suite, FILES, tmp_path)  # type: ignore[attr-defined]
    if isinstance(check, Leaving):
        check.folder = folder
    holding, failing = ASKED["file"]
    given = {
        "declaration": declaration,
        "folder": folder,
        "files": FILES,
        "holding": holding,
        "failing": failing,
        "path_option": "path",
        "look": EvidenceCheckContract.look.__wrapped__(suite, declaration, folder),  # type: ignore[attr-defined]
    }
    function = getattr(suite, test)
    wanted = function.__code__.co_varnames[1 : function.__code__.co_argcount]
    with pytest.raises(error, match=words):
        function(**{name: given[name] for name in wanted})


def test_an_option_without_a_line_about_it_is_noticed() -> None:
    with pytest.raises(AssertionError, match="options: each with a line"):
        EvidenceCheckContract().test_every_option_is_documented(
            replace(SHIPPED["file"], options={}), *ASKED["file"]
        )
