"""Checks that a file is there, and that it has so many lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from tiergate.evidence import Found, Root
from tiergate.hooks import EvidenceCheckDeclaration, hookimpl
from tiergate_plugins.reconcile.checks.looking import Seen, look, read_options


class FileOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`path`: relative to the root."""

    path: str


class LinesOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`path`: relative to the root; `least`: how many lines it must have."""

    path: str
    least: Annotated[int, msgspec.Meta(ge=1)]


def file(options: dict[str, Any], root: Root) -> list[Found]:
    """Whether a file is there."""
    asked = read_options(options, FileOptions)
    return look(asked.path, root, lambda _: Seen(True, "is there"), asked.path)


def lines(options: dict[str, Any], root: Root) -> list[Found]:
    """Whether a file has at least so many lines."""
    asked = read_options(options, LinesOptions)

    def count(content: bytes) -> Seen:
        number = content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
        more = "" if number >= asked.least else f", and {asked.least} are wanted"
        return Seen(number >= asked.least, f"has {number} lines{more}")

    return look(asked.path, root, count, f"{asked.path}, at least {asked.least} lines")


@hookimpl
def tiergate_evidence_checks() -> Iterator[EvidenceCheckDeclaration]:
    """The checks ``file`` and ``lines``."""
    path = "relative to the root"
    yield EvidenceCheckDeclaration(name="file", summary="a file is there", check=file, options={"path": path})
    yield EvidenceCheckDeclaration(
        name="lines",
        summary="a file has at least so many lines",
        check=lines,
        options={"path": path, "least": "how many lines it must have"},
    )
