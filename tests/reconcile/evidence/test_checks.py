"""The kinds of check, on real files and a real git repository; and paths that must not be followed."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.errors import SourceError, UsageError
from tiergate.evidence import Check
from tiergate.hooks import EvidenceCheckDeclaration
from tiergate.model import Status, Task
from tiergate.plugins import PluginHost
from tiergate.reconcile.evidence_file import read_checks
from tiergate.reconcile.gathering import gather
from tiergate.reconcile.grouping import Tasks
from tiergate.reconcile.inferring import inferred, is_their_root
from tiergate.reconcile.root import Folder
from tiergate.reconcile_record import Evidence
from tiergate.testing import make_inquiry, make_plan, make_ref
from tiergate_plugins.reconcile.checks.scripts import definitions

KINDS = {one.name: one for one in PluginHost().all(EvidenceCheckDeclaration)}
GIT = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org"]
DOCS = Path(__file__).resolve().parents[3] / "docs" / "reference" / "evidence.md"

SCRIPT = """
// class Commented {}
const text = "class Quoted {}";
/* function hidden() {} */
export default class Pool<T> extends Base {
  private size = 4;
  static async submit(job: Job): Promise<void> { if (ready) { run(); } }
  get width() { return this.size; }
}
export interface Shape { area: number }
export const limit = 3, other = 4;
function free() { const inner = 1; }
type Alias = string;
"""


def git(folder: Path, *words: str) -> None:
    subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with a file that is there, one that is gone, and one that git ignores."""
    folder = tmp_path / "tree"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "pool.py").write_text(
        "LIMIT = 3\n\n\nclass Pool:\n    def submit(self):\n        pass\n"
    )
    (folder / "pool.ts").write_text(SCRIPT)
    (folder / "gone.py").write_text("old = 1\n" * 30)
    (folder / "package.json").write_text('{"scripts": {"test": "bun"}, "a.b": [1, {"c": 2}]}')
    (folder / ".gitignore").write_text("ignored.txt\n")
    (folder / "ignored.txt").write_text("x")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Add the pool (bd-a1b2)", "-m", "It closes TASK-7.")
    (folder / "gone.py").unlink()
    git(folder, "commit", "-q", "-a", "-m", "Remove what nobody calls")
    return folder


def outcomes(folder: Path, kind: str, **options: Any) -> list[tuple[str, str]]:
    found = gather([Check(kind=kind, options=options)], Folder(folder, allow_commands=True), KINDS)
    return [(one.where, one.outcome) for one in found]


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("file", {"path": "src/pool.py"}, [("tree", "holds")]),
        ("file", {"path": "src"}, [("tree", "fails")]),
        ("file", {"path": "gone.py"}, [("tree", "fails"), ("history", "holds")]),
        ("file", {"path": "never.py"}, [("tree", "fails")]),
        ("lines", {"path": "src/pool.py", "least": 6}, [("tree", "holds")]),
        ("lines", {"path": "src/pool.py", "least": 7}, [("tree", "fails")]),
        ("lines", {"path": "gone.py", "least": 30}, [("tree", "fails"), ("history", "holds")]),
        ("pattern", {"path": "src/pool.py", "pattern": "^class Pool"}, [("tree", "holds")]),
        ("pattern", {"path": "src/pool.py", "pattern": "^Pool"}, [("tree", "fails")]),
        ("pattern", {"path": "src/pool.py", "pattern": "("}, [("", "unknown")]),
        ("key", {"path": "package.json", "key": "scripts.test"}, [("tree", "holds")]),
        ("key", {"path": "package.json", "key": "scripts.test", "value": "bun"}, [("tree", "holds")]),
        ("key", {"path": "package.json", "key": "scripts.test", "value": "npm"}, [("tree", "fails")]),
        ("key", {"path": "package.json", "key": "a.b.1.c"}, [("tree", "holds")]),
        ("key", {"path": "package.json", "key": "workspaces"}, [("tree", "fails")]),
        ("key", {"path": "src/pool.py", "key": "a"}, [("", "unknown")]),
        ("symbol", {"path": "src/pool.py", "symbol": "Pool.submit"}, [("tree", "holds")]),
        ("symbol", {"path": "src/pool.py", "symbol": "LIMIT"}, [("tree", "holds")]),
        ("symbol", {"path": "src/pool.py", "symbol": "submit"}, [("tree", "fails")]),
        ("symbol", {"path": "pool.ts", "symbol": "Pool.submit"}, [("tree", "holds")]),
        ("symbol", {"path": "pool.ts", "symbol": "Commented"}, [("tree", "fails")]),
        ("commit", {"mentions": "bd-a1b2"}, [("history", "holds")]),
        ("commit", {"mentions": "task-7"}, [("history", "holds")]),
        ("commit", {"mentions": "TASK"}, [("history", "fails")]),
        ("commit", {"mentions": "bd-a1b"}, [("history", "fails")]),
        ("command", {"command": "python3 -c 'exit(0)'"}, [("tree", "holds")]),
        ("command", {"command": "python3 -c 'exit(3)'"}, [("tree", "fails")]),
        ("command", {"command": "no-such-program"}, [("", "unknown")]),
        ("lines", {"path": "src/pool.py", "least": 0}, [("", "unknown")]),
        ("file", {}, [("", "unknown")]),
    ],
)
def test_what_checks_find(
    tree: Path, kind: str, options: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert outcomes(tree, kind, **options) == expected


def test_definitions_in_a_script() -> None:
    found = dict(definitions(SCRIPT))
    wanted = {
        "Pool",
        "Pool.size",
        "Pool.submit",
        "Pool.width",
        "Shape",
        "Shape.area",
        "limit",
        "free",
        "Alias",
    }
    assert wanted <= set(found)
    assert not {"Commented", "Quoted", "hidden", "Pool.if", "Pool.run"} & set(found)
    assert found["Pool"] == 5


def test_places_are_named(tree: Path) -> None:
    checks = [
        Check(kind="symbol", options={"path": "src/pool.py", "symbol": "Pool.submit"}),
        Check(kind="commit", options={"mentions": "bd-a1b2"}),
    ]
    symbol, commit = gather(checks, Folder(tree), KINDS)
    assert symbol.place == "src/pool.py:5"
    assert len(commit.place) == 40


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/passwd", "src/../../outside.txt", "link/x", "loop", "C:/x"]
)
def test_no_path_leads_outside(tree: Path, path: str) -> None:
    (tree.parent / "outside.txt").write_text("secret")
    (tree / "link").symlink_to(tree.parent)
    (tree / "loop").symlink_to(tree / "loop")
    with pytest.raises(SourceError):
        Folder(tree).read(path)
    found = gather([Check(kind="file", options={"path": path})], Folder(tree), KINDS)
    assert [one.outcome for one in found] == ["unknown"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "a", "b", "", "/", "c\0d", "link", "~"]), max_size=5))
def test_whatever_is_read_lies_inside(parts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        (root / "a").mkdir(parents=True)
        (root / "a" / "b").write_text("inside")
        (Path(name) / "b").write_text("outside")
        (root / "link").symlink_to(name)
        try:
            content = Folder(root).read("/".join(parts))
        except SourceError:
            return
        assert content in (None, b"inside")


def test_a_pipe_is_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert Folder(tree).read("pipe") is None


def test_a_pattern_that_backtracks_for_ever_is_stopped(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiergate_plugins.reconcile.checks.patterns.TIMEOUT_S", 0.2)
    (tree / "long.txt").write_text("a" * 5_000 + "b")
    [one] = gather(
        [Check(kind="pattern", options={"path": "long.txt", "pattern": r"(a|aa)+$"})], Folder(tree), KINDS
    )
    assert one.outcome == "unknown"
    assert "without an end" in one.message


def test_commands_run_only_where_they_are_allowed(tree: Path) -> None:
    check = Check(kind="command", options={"command": "touch made"})
    [one] = gather([check], Folder(tree), KINDS)
    assert (one.outcome, (tree / "made").exists()) == ("unknown", False)
    assert "--allow-commands" in one.message


def test_a_command_that_takes_too_long_is_ended_with_its_children(tree: Path) -> None:
    command = "sh -c 'sleep 30 & echo $! > child; wait'"
    options = {"command": command, "timeout_s": 1.0}
    [one] = gather([Check(kind="command", options=options)], Folder(tree, allow_commands=True), KINDS)
    assert "took longer" in one.message
    child = int((tree / "child").read_text())
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up and _is_alive(child):
        time.sleep(0.02)
    assert not _is_alive(child)


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_without_a_repository_files_are_walked(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.js").write_text("")
    (tmp_path / "a.py").write_text("")
    assert list(map(str, Folder(tmp_path).files())) == ["a.py"]
    assert outcomes(tmp_path, "commit", mentions="x") == [("history", "unknown")]


def test_git_says_which_files_count(tree: Path) -> None:
    names = set(map(str, Folder(tree).files()))
    assert {"src/pool.py", "pool.ts"} <= names
    assert not {"ignored.txt", "gone.py"} & names


def make_tasks() -> Tasks:
    plans = [make_plan("one", "S", [Task(id="1", title="a"), Task(id="x", title="b")])]
    plans.append(make_plan("two", "T", [Task(id="1", title="c")]))
    return Tasks(make_inquiry(plans))


def test_the_example_of_the_reference_is_read(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    path = tmp_path / "evidence.toml"
    path.write_text(text)
    plan = make_plan("one", "STORE_PLAN", [Task(id=str(n), title="t") for n in range(1, 5)])
    checks = read_checks(path, Tasks(make_inquiry([plan])), KINDS)
    assert [one.kind for one in checks] == ["file", "lines", "symbol", "key", "pattern", "commit", "command"]
    assert len(checks[3].tasks) == 4
    documented = [line.split("`")[1] for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert documented == [*(kind for kind in documented if kind in KINDS)]
    assert set(documented) == set(KINDS)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "has no check"),
        ("[[check]]\nkind = 'fil'\n", r":2: unknown kind of check 'fil'.*did you mean 'file'"),
        ("[[check]]\nkind = 'file'\npth = 'x'\n", r":3: unknown option of file 'pth'.*did you mean 'path'"),
        (
            "[[check]]\nkind = 'file'\npath = 'x'\ntasks = ['1']\n",
            r":4: '1' is a task of several sessions: S, T",
        ),
        ("[[check]]\nkind = 'file'\npath = 'x'\ntasks = ['S/2']\n", r":4: unknown task of session 'S'"),
        ("[[check]]\nkind = 'file'\npath = 'x'\nname = 'n'\n" * 2, r":8: the name 'n' is given twice"),
        ("[[check]\n", "is not valid TOML"),
        ("checks = 1\n", "unknown table 'checks'"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "evidence.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=error):
        read_checks(path, make_tasks(), KINDS)


def test_an_id_of_one_task_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "evidence.toml"
    path.write_text("[[check]]\nkind = 'file'\npath = 'x'\ntasks = ['x']\n")
    assert read_checks(path, make_tasks(), KINDS)[0].tasks == (make_ref("S/x"),)


def checks_of(title: str, *files: str, **fields: Any) -> list[tuple[str, dict[str, Any]]]:
    from pathlib import PurePosixPath

    task = Task(id=fields.pop("id", "1"), title=title, **fields)
    tasks = Tasks(make_inquiry([make_plan("one", "S", [task])]))
    return [(one.kind, one.options) for one in inferred(tasks, map(PurePosixPath, files))]


def test_what_texts_name() -> None:
    assert checks_of("Write src/a.ts") == [("file", {"path": "src/a.ts"})]
    found = checks_of("Build PoolManager.ts (~550 lines)", "lib/PoolManager.ts")
    assert found == [
        ("file", {"path": "lib/PoolManager.ts"}),
        ("lines", {"path": "lib/PoolManager.ts", "least": 440}),
    ]
    assert checks_of("Call it", id="bd-a1b2") == [("commit", {"mentions": "bd-a1b2"})]
    assert checks_of("See https://example.org/a.html, version 1.2.3, e.g. this") == []
    assert checks_of("Fix index.js", "a/index.js", "b/index.js") == []
    assert checks_of("Write src/a.ts", status=Status.ABANDONED) == []


def test_a_folder_of_other_work_is_told() -> None:
    def seen(*outcomes: Any) -> list[Evidence]:
        return [
            Evidence(check="file", subject=str(n), outcome=one, message="m") for n, one in enumerate(outcomes)
        ]

    assert not is_their_root(seen(*["fails"] * 6))
    assert is_their_root(seen(*["fails"] * 5, "holds"))
    assert is_their_root(seen("fails"))
