"""What the checks share: options that are validated, and a file looked for in the tree, then in history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from tiergate.errors import SourceError
from tiergate.evidence import Found, Root

_Options = TypeVar("_Options", bound=msgspec.Struct)


class Seen(NamedTuple):
    """What a look into a file found: whether it holds, in a few words, and the line."""

    holds: bool
    message: str
    line: int = 0


def read_options(options: dict[str, Any], kind: type[_Options]) -> _Options:
    """The options of a check.

    Raises:
        SourceError: one is missing, unknown, or of the wrong type.
    """
    try:
        return msgspec.convert(options, kind)
    except msgspec.ValidationError as error:
        raise SourceError(f"the check is written wrongly: {error}") from error


def look(path: str, root: Root, into: Callable[[bytes], Seen], subject: str) -> list[Found]:
    """Look into a file of the working tree; one that is not there is looked for in history.

    Args:
        into: given the content.
        subject: what is looked for, as a person would name it.
    """
    content = root.read(path)
    if content is not None:
        seen = into(content)
        place = f"{path}:{seen.line}" if seen.line else path
        return [Found(subject, "holds" if seen.holds else "fails", f"{path} {seen.message}", "tree", place)]
    absent = Found(subject, "fails", f"{path} is not there", "tree", path)
    last = root.last_seen(path)
    if last is None:
        return [absent]
    commit, content = last
    seen = into(content)
    when = f"in commit {commit.id[:10]} of {commit.at[:10]}, the last that had it, {path} {seen.message}"
    return [absent, Found(subject, "holds" if seen.holds else "fails", when, "history", commit.id)]


def text_of(content: bytes) -> str:
    """A file's text; what is no UTF-8 is replaced."""
    return content.decode("utf-8-sig", "replace")


def line_of(text: str, position: int) -> int:
    """The line of a position, from 1 on."""
    return text.count("\n", 0, position) + 1
