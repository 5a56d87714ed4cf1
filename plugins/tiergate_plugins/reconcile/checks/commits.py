"""The check that a commit mentions a task."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from tiergate.errors import SourceError
from tiergate.evidence import Found, Root
from tiergate.hooks import EvidenceCheckDeclaration, hookimpl
from tiergate_plugins.reconcile.checks.looking import read_options


class CommitOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`mentions`: an id or a text that stands in the message as a whole word, in any case."""

    mentions: str


def commit(options: dict[str, Any], root: Root) -> list[Found]:
    """Whether the message of some commit mentions a text; the newest that does is named."""
    wanted = read_options(options, CommitOptions).mentions.strip()
    if not wanted:
        raise SourceError("the check is written wrongly: mentions is empty")
    whole = re.compile(rf"(?<![\w.-]){re.escape(wanted)}(?![\w-])", re.IGNORECASE)
    commits = 0
    for one in root.commits():
        commits += 1
        if whole.search(one.subject) or whole.search(one.body):
            said = f"commit {one.id[:10]} of {one.at[:10]} mentions {wanted!r}: {one.subject}"
            return [Found(wanted, "holds", said, "history", one.id)]
    if not commits:
        return [Found(wanted, "unknown", f"there is no history to look for {wanted!r} in", "history")]
    return [Found(wanted, "fails", f"none of {commits} commits mentions {wanted!r}", "history")]


@hookimpl
def tiergate_evidence_checks() -> Iterator[EvidenceCheckDeclaration]:
    """The check ``commit``."""
    yield EvidenceCheckDeclaration(
        name="commit",
        summary="a commit mentions a task",
        check=commit,
        options={"mentions": "an id or a text that stands in its message as a whole word"},
    )
