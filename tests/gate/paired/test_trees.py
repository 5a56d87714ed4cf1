"""What `--base` can name, and that the user's repository stays as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tiergate.errors import UsageError
from tiergate.gate.paired.environments import own_environment, shared_environment
from tiergate.gate.paired.generation import Collected
from tiergate.gate.paired.pairing import refuse_mixed_up
from tiergate.gate.paired.trees import Tree, base_tree, folder_tree


def git(folder: Path, *words: str) -> str:
    """Run git, as somebody."""
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def importing(module: Path) -> Collected:
    """What a side says that has imported this one."""
    return Collected(["test"], {}, [str(module)], [], "3.11.2")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of two commits with a project in a subfolder, and a change that is not committed."""
    root = tmp_path / "repository"
    project = root / "packages" / "one"
    project.mkdir(parents=True)
    git(root, "init", "-q")
    for text in ("first", "second"):
        (project / "code.py").write_text(text)
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", text)
    (project / "code.py").write_text("third")
    return project


def test_a_reference_is_checked_out_beside_the_project_which_stays_as_it_is(
    project: Path, tmp_path: Path
) -> None:
    before = git(project, "status", "--porcelain"), git(project, "rev-parse", "HEAD")
    tree = base_tree("HEAD~1", project, tmp_path / "cache")
    assert (tree.root / "code.py").read_text() == "first"
    assert tree.commit == git(project, "rev-parse", "HEAD~1")
    assert (git(project, "status", "--porcelain"), git(project, "rev-parse", "HEAD")) == before
    assert (project / "code.py").read_text() == "third"
    assert base_tree("HEAD~1", project, tmp_path / "cache") == tree, "the second time it is there already"


def test_a_checkout_that_somebody_deleted_is_made_anew(project: Path, tmp_path: Path) -> None:
    import shutil

    first = base_tree("HEAD~1", project, tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    assert base_tree("HEAD~1", project, tmp_path / "cache") == first
    assert (first.root / "code.py").read_text() == "first"


def test_a_folder_is_taken_as_it_is(project: Path, tmp_path: Path) -> None:
    tree = base_tree(str(project), tmp_path, tmp_path / "cache")
    assert (tree.root, tree.commit) == (project, "")


@pytest.mark.parametrize("word", ["no-such-branch", "--upload-pack=evil", "HEAD~99", ""])
def test_an_unknown_reference_is_named(project: Path, tmp_path: Path, word: str) -> None:
    with pytest.raises(UsageError, match=r"--base .*neither a folder nor a git reference.*git branch -a"):
        base_tree(word, project, tmp_path / "cache")


def test_a_base_that_a_shallow_clone_lacks_is_named_with_the_command_that_fetches_it(
    project: Path, tmp_path: Path
) -> None:
    git(project, "branch", "release")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{project.parent.parent}", "shallow")
    with pytest.raises(UsageError) as raised:
        base_tree("origin/release", tmp_path / "shallow", tmp_path / "cache")
    hint = raised.value.hint or ""
    assert "shallow" in str(raised.value)
    assert hint.startswith("git fetch --depth=1 origin release:refs/remotes/origin/release")
    git(tmp_path / "shallow", *hint.split()[1:])
    found = base_tree("origin/release", tmp_path / "shallow", tmp_path / "cache")
    assert found.commit == git(project, "rev-parse", "release"), "the command that was named mends it"


def test_outside_of_git_only_folders_can_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in no git repository"):
        base_tree("main", tmp_path, tmp_path / "cache")


def test_a_subfolder_that_the_commit_lacks_is_named(project: Path, tmp_path: Path) -> None:
    other = project.parent / "two"
    other.mkdir()
    with pytest.raises(UsageError, match="the commit has no folder packages/two"):
        base_tree("HEAD", other, tmp_path / "cache")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        folder_tree(tmp_path / "nowhere")


def test_a_side_that_runs_the_code_of_the_other_is_refused(tmp_path: Path) -> None:
    base, new = Tree("main", tmp_path / "base"), Tree("work", tmp_path / "new")
    mixed = importing(tmp_path / "new" / "src" / "pkg" / "a.py")
    with pytest.raises(UsageError, match=r"the base side imports src/pkg/a.py from the other tree"):
        refuse_mixed_up("base", mixed, base, new)
    installed = tmp_path / "new" / ".venv" / "lib" / "site-packages" / "numpy" / "core.py"
    refuse_mixed_up("base", importing(installed), base, new)
    refuse_mixed_up("new", mixed, new, base)


@pytest.mark.parametrize("outer", ["base", "new"])
def test_one_tree_within_the_other_is_told_apart(tmp_path: Path, outer: str) -> None:
    trees = {"base": Tree("main", tmp_path / "in" / "it"), "new": Tree("work", tmp_path)}
    if outer == "base":
        trees = {"base": trees["new"], "new": trees["base"]}
    code = {side: importing(tree.root / "a.py") for side, tree in trees.items()}
    refuse_mixed_up("base", code["base"], trees["base"], trees["new"])
    refuse_mixed_up("new", code["new"], trees["new"], trees["base"])
    with pytest.raises(UsageError, match=r"the base side imports .*a.py from the other tree"):
        refuse_mixed_up("base", code["new"], trees["base"], trees["new"])
    with pytest.raises(UsageError, match=r"the new side imports .*a.py from the other tree"):
        refuse_mixed_up("new", code["base"], trees["new"], trees["base"])


def test_a_folder_beside_itself_is_not_mixed_up(tmp_path: Path) -> None:
    refuse_mixed_up("new", importing(tmp_path / "a.py"), Tree("a", tmp_path), Tree("b", tmp_path))


def test_without_an_environment_the_code_is_found_in_src_or_in_the_tree(tmp_path: Path) -> None:
    import sys

    (tmp_path / "with" / "src").mkdir(parents=True)
    (tmp_path / "without").mkdir()
    for name, first in (("with", tmp_path / "with" / "src"), ("without", tmp_path / "without")):
        found = shared_environment(Tree(name, tmp_path / name), Path(sys.executable))
        assert found.environ["PYTHONPATH"].split(":")[0] == str(first)


@pytest.mark.integration
def test_a_tree_that_does_not_install_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "pyproject.toml").write_text("[project\n")
    doing: list[str] = []
    with pytest.raises(UsageError, match=r"main: it does not install: .*all of pip's output"):
        own_environment(Tree("main", tmp_path / "tree"), [], tmp_path / "cache", doing.append)
    assert doing == ["install main"]
    assert not list((tmp_path / "cache").rglob("*.complete")), "what failed is tried again"
