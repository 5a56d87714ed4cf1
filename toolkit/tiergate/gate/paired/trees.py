"""The two trees of a comparison: a folder as it is, or a git reference checked out beside the project."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tiergate.errors import UsageError
from tiergate.gate.paired.cache import made_once


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of one side.

    Attributes:
        label: what the user calls it.
        root: the folder of the project in it.
        commit: its git commit; empty for a folder, whose files may differ from any.
    """

    label: str
    root: Path
    commit: str = ""


def folder_tree(folder: Path) -> Tree:
    """A folder as it is.

    Raises:
        UsageError: there is none.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder))
    return Tree(label=str(folder), root=folder.resolve())


def base_tree(word: str, project: Path, cache: Path) -> Tree:
    """The tree that `--base` names: an existing folder, or a git reference of the project's repository.

    A reference is checked out into a worktree in `cache`, once for each commit; the project's own files,
    index and branches are not touched.

    Raises:
        UsageError: it is neither, or git cannot check it out.
    """
    if word and Path(word).is_dir():
        return folder_tree(Path(word))
    top = _git(project, "rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(
            f"{word!r} is no folder, and {project} is in no git repository",
            where="--base",
            hint="name a folder",
        )
    commit = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{word}^{{commit}}")
    if commit is None:
        raise _unknown(word, project)
    checkout = cache / "trees" / f"{sha256(top.encode()).hexdigest()[:12]}-{commit[:16]}"
    with made_once(checkout) as is_missing:
        if is_missing or not (checkout / ".git").exists():
            _check_out(project, commit, checkout, word)
    root = checkout / (_git(project, "rev-parse", "--show-prefix") or "")
    if not root.is_dir():
        raise UsageError(f"the commit has no folder {root.relative_to(checkout)}", where=f"--base {word}")
    return Tree(label=word, root=root, commit=commit)


def _check_out(project: Path, commit: str, checkout: Path, word: str) -> None:
    shutil.rmtree(checkout, ignore_errors=True)  # what a run that was killed may have begun
    _git(project, "worktree", "prune")
    command = ["git", "-C", str(project), "worktree", "add", "--force", "--detach", str(checkout), commit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise UsageError(f"git cannot check it out: {said[-1]}", where=f"--base {word}")


def _unknown(word: str, project: Path) -> UsageError:
    """A reference that the repository lacks; a shallow clone may lack what its origin has."""
    if _git(project, "rev-parse", "--is-shallow-repository") == "true":
        name = word.removeprefix("origin/")
        refspec = f"{name}:refs/remotes/{word}" if word.startswith("origin/") else name
        what, hint = "this shallow clone does not have it", f"git fetch --depth=1 origin {refspec}"
        if refspec == name:
            hint += "; then --base FETCH_HEAD"
    else:
        what, hint = "it is neither a folder nor a git reference", "git branch -a lists the branches"
    return UsageError(what, where=f"--base {word}", hint=hint)


def _git(folder: Path, *words: str) -> str | None:
    """What git answers, or None where it refuses or is not there."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
