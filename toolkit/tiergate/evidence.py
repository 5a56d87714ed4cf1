"""What a check of evidence is given and gives: the check, where it may look, and what it found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Protocol

import msgspec

from tiergate.reconcile_record import Evidence, TaskRef

__all__ = ["Check", "CheckFunction", "Commit", "Evidence", "Found", "Root"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check, as ``evidence.toml`` or a task's text asks for it.

    Attributes:
        kind: name of the `EvidenceCheckDeclaration` that carries it out.
        options: what that kind takes, such as ``path`` and ``pattern``; the kind validates them.
        name: by which decision trees know it.
        tasks: the tasks that it speaks for; empty for one that only a decision tree uses.
        declared: whether a person wrote it; False for one that was inferred from a task's text.
    """

    kind: str
    options: dict[str, Any]
    name: str = ""
    tasks: tuple[TaskRef, ...] = ()
    declared: bool = True


class Found(msgspec.Struct, frozen=True):
    """What a kind of check found, before it is tied to tasks: the fields of `Evidence` that it knows."""

    subject: str
    outcome: str
    message: str
    where: str = ""
    place: str = ""


class Commit(msgspec.Struct, frozen=True):
    """A commit of the repository that holds the root."""

    id: str
    at: str
    subject: str
    body: str


class Root(Protocol):
    """The folder that evidence is looked for in, and its git history. It never leads outside, never writes.

    A path is relative to the root, with ``/``; an absolute one, one with ``..``, and one that a symbolic link
    leads out of the root raise `SourceError`.
    """

    def files(self) -> Iterator[PurePosixPath]:
        """Every file of the working tree that git does not ignore, sorted."""

    def read(self, path: str) -> bytes | None:
        """The content of a file of the working tree; None where there is none.

        Raises:
            SourceError: the path leads outside, is too big, or cannot be read.
        """

    def last_seen(self, path: str) -> tuple[Commit, bytes] | None:
        """The last commit that had this file, with its content then; None where no commit had it."""

    def commits(self) -> Iterator[Commit]:
        """The history, newest first; nothing where the root is in no repository."""

    def run(self, command: str, timeout_s: float) -> tuple[int, str]:
        """Run a command in the root and give its exit code and the end of what it printed.

        Raises:
            SourceError: commands were not allowed.
        """


class CheckFunction(Protocol):
    """Carries out one kind of check."""

    def __call__(self, options: dict[str, Any], root: Root) -> list[Found]:
        """Look.

        Raises:
            SourceError: the options are wrong: which, and what they may be.
        """
