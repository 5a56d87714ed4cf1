"""What git knows of a folder: which files it does not ignore, which files it had, and its commits.

Each question is one process of git, asked once. No shell takes part, and nothing is written.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from tiergate.errors import SourceError
from tiergate.evidence import Commit

_TIMEOUT_S = 120.0
_FIELDS = "%H%x00%aI%x00%s%x00%b%x01"


class History:
    """The repository that a folder lies in, which need not be its top.

    Attributes:
        missing: why there is no history, in a few words; empty where there is one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.missing = self._why_missing()

    def _why_missing(self) -> str:
        try:
            done = self._ask("rev-parse", "--is-inside-work-tree")
        except FileNotFoundError:
            return "git is not installed"
        except subprocess.TimeoutExpired:
            return "git does not answer"
        if done.returncode or done.stdout.strip() != b"true":
            return "it is in no git repository"
        return (
            "" if self._ask("rev-parse", "--verify", "-q", "HEAD").returncode == 0 else "it has no commit yet"
        )

    def _ask(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        command = ["git", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false", *words]
        return subprocess.run(
            command,
            cwd=self._folder,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )

    def _answer(self, *words: str) -> bytes:
        try:
            done = self._ask(*words)
        except subprocess.TimeoutExpired as error:
            raise SourceError(
                f"git {words[0]} took longer than {_TIMEOUT_S:g} s", where=str(self._folder)
            ) from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise SourceError(f"git {words[0]} failed: {said[-1] if said else ''}", where=str(self._folder))
        return done.stdout

    def files(self) -> list[str] | None:
        """Files of the working tree that git does not ignore, relative to the folder; None outside of git."""
        if self.missing == "it has no commit yet" or not self.missing:
            listed = self._answer("ls-files", "-z", "--cached", "--others", "--exclude-standard")
            return sorted(set(_texts(listed, b"\0")))
        return None

    @cached_property
    def commits(self) -> list[Commit]:
        """All commits that lead to the present one, newest first."""
        if self.missing:
            return []
        records = _texts(self._answer("log", f"--format={_FIELDS}"), b"\x01")
        return [Commit(*record.strip("\n").split("\0", 3)) for record in records if record.strip()]

    @cached_property
    def _seen(self) -> dict[str, str]:
        """By path, the last commit that had the file."""
        seen: dict[str, str] = {}
        commit = ""
        words = (
            "log",
            "--format=%x01%H",
            "--name-only",
            "--diff-filter=d",
            "--no-renames",
            "--relative",
            "-z",
        )
        for part in _texts(self._answer(*words), b"\0"):
            name = part.lstrip("\n")
            if name.startswith("\x01"):
                commit = name[1:].strip()
            elif name:
                seen.setdefault(name, commit)
        return seen

    @cached_property
    def _by_id(self) -> dict[str, Commit]:
        return {commit.id: commit for commit in self.commits}

    def last_seen(self, path: str) -> tuple[Commit, bytes] | None:
        """The last commit that had a file, with its content then; None where none had it."""
        if self.missing or path not in self._seen:
            return None
        commit = self._by_id[self._seen[path]]
        return commit, self._answer("show", f"{commit.id}:./{path}")


def _texts(data: bytes, end: bytes) -> Iterator[str]:
    return (part.decode("utf-8", "surrogateescape") for part in data.split(end) if part)
