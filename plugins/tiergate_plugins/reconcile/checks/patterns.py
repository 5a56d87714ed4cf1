"""The check that a file matches a pattern, which is stopped when it backtracks for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tiergate.errors import SourceError
from tiergate.evidence import Found, Root
from tiergate.hooks import EvidenceCheckDeclaration, Requirement, hookimpl
from tiergate_plugins.reconcile.checks.looking import Seen, line_of, look, read_options, text_of

TIMEOUT_S = 2.0
"""How long a pattern may be looked for in one file."""


class PatternOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`path`: relative to the root; `pattern`: a regular expression, in which ^ and $ are those of a line."""

    path: str
    pattern: str


def pattern(options: dict[str, Any], root: Root) -> list[Found]:
    """Whether some text of a file matches."""
    import regex  # its searches can be stopped, those of `re` cannot

    asked = read_options(options, PatternOptions)
    try:
        compiled = regex.compile(asked.pattern, regex.MULTILINE)
    except regex.error as error:
        raise SourceError(f"is no regular expression: {error}", where=asked.pattern) from error

    def search(content: bytes) -> Seen:
        text = text_of(content)
        try:
            found = compiled.search(text, timeout=TIMEOUT_S)
        except TimeoutError as error:
            raise SourceError(
                f"was looked for in {asked.path} for {TIMEOUT_S:g} s without an end",
                where=asked.pattern,
                hint="write a pattern that does not nest repetitions",
            ) from error
        if found is None:
            return Seen(False, f"does not match {asked.pattern!r}")
        return Seen(True, f"matches {asked.pattern!r}", line_of(text, found.start()))

    return look(asked.path, root, search, f"{asked.path} matches {asked.pattern}")


@hookimpl
def tiergate_evidence_checks() -> Iterator[EvidenceCheckDeclaration]:
    """The check ``pattern``."""
    yield EvidenceCheckDeclaration(
        name="pattern",
        summary="a file matches a regular expression",
        check=pattern,
        options={"path": "relative to the root", "pattern": "a regular expression"},
        requires=(Requirement(module="regex", install="tiergate[reconcile]"),),
    )
