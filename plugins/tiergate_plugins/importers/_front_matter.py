"""The YAML front matter of Markdown files, read as text.

YAML's guesses are what loses data here: a date without a time becomes a date object, ``1.10`` the
number 1.1, ``no`` false. Only whole numbers in their usual form and null are told apart; every
other scalar is the text that stands there. The parser's events are used rather than its document
tree, as the tree of deeply nested brackets overflows the stack of the C library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from tiergate.errors import SourceError
from tiergate_plugins.importers._reading import at, place

_BLOCK = re.compile(r"---[ \t]*\r?\n(?P<front>.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_OPENING = re.compile(r"---[ \t]*\r?(\n|\Z)")
# A text, as compiling it takes longer than all else here at import; `re` keeps it once compiled.
_UNPRINTABLE = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# YAML reserves @ and ` at the start of a scalar; people write names such as @ann all the same.
_RESERVED = re.compile(r"^([ ]*(?:- +|[\w.-]+: +))([@`].*?)([ \t]+#.*)?(\r?)$", re.MULTILINE)
_WHOLE = re.compile(r"-?[1-9][0-9]{0,17}|0")
_NULLS = frozenset({"", "~", "null"})
_DEEPEST = 32


def split(text: str, path: Path) -> tuple[str, str] | None:
    """The front matter and the body of a Markdown file; None where there is no front matter.

    Raises:
        SourceError: the front matter is opened and not closed.
    """
    if not _OPENING.match(text):
        return None
    found = _BLOCK.match(text)
    if found is None:
        raise SourceError(
            "the front matter is not closed", where=at(path, 1, 1), hint="end it with a line of three hyphens"
        )
    return found["front"], text[found.end() :]


def front_of(text: str) -> tuple[int, int]:
    """Start and end of the front matter in a text that `split` takes apart."""
    found = _BLOCK.match(text)
    return found.span("front") if found else (0, 0)


def parse(text: str, path: Path, *, line: int = 1) -> dict[str, Any]:
    """The fields of a YAML text that begins at a line of a file.

    Raises:
        SourceError: with line and column: it is no YAML, no mapping, has a key twice, or uses anchors.
    """
    bad = re.search(_UNPRINTABLE, text)
    if bad:
        raise SourceError(
            f"not YAML: character U+{ord(bad[0]):04X} is not allowed",
            where=place(path, text[: bad.start()], line=line),
        )
    value = _Builder(path, line).build(_RESERVED.sub(_quote, text))
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SourceError("not a list of `field: value` lines", where=at(path, line, 1))
    return value


def _quote(found: re.Match[str]) -> str:
    before, value, comment, end = found.groups(default="")
    doubled = value.replace("'", "''")
    return f"{before}'{doubled}'{comment}{end}"


class _Builder:
    """Builds plain values from the events of a YAML parser, without recursion."""

    def __init__(self, path: Path, line: int) -> None:
        self.path = path
        self.line = line

    def build(self, text: str) -> Any:
        """The value of the only document in a text, None where there is none."""
        root: list[Any] = []
        open_values: list[Any] = [root]
        keys: list[Any] = [None]
        for event in self._events(text):
            kind = type(event).__name__
            if kind in ("MappingEndEvent", "SequenceEndEvent"):
                open_values.pop()
                keys.pop()
            elif kind == "DocumentStartEvent" and root:
                self._fail("a second document begins", event.start_mark)
            elif kind == "AliasEvent" or getattr(event, "anchor", None):
                self._fail("anchors and aliases are not supported", event.start_mark)
            elif kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent"):
                self._add(event, kind, open_values, keys)
        return root[0] if root else None

    def _add(self, event: Any, kind: str, open_values: list[Any], keys: list[Any]) -> None:
        """Put a value into the innermost open one, and open it if it is a list or mapping itself."""
        holder = open_values[-1]
        if isinstance(holder, dict) and keys[-1] is None:
            keys[-1] = self._key(event, kind, holder)
            return
        value: Any = (
            self._scalar(event) if kind == "ScalarEvent" else {} if kind == "MappingStartEvent" else []
        )
        if isinstance(holder, dict):
            holder[keys[-1]] = value
            keys[-1] = None
        else:
            holder.append(value)
        if kind != "ScalarEvent":
            if len(open_values) > _DEEPEST:
                self._fail("nested too deeply", event.start_mark)
            open_values.append(value)
            keys.append(None)

    def _key(self, event: Any, kind: str, holder: dict[str, Any]) -> str:
        if kind != "ScalarEvent":
            self._fail("the name of a field must be a text", event.start_mark)
        name = self._text(event)
        if name in holder:
            self._fail(f"field {name!r} stands twice", event.start_mark)
        return name

    def _scalar(self, event: Any) -> str | int | None:
        value = self._text(event)
        if event.style:
            return value
        if value.lower() in _NULLS:
            return None
        return int(value) if _WHOLE.fullmatch(value) else value

    def _text(self, event: Any) -> str:
        text: str = event.value
        if not text.isascii() and _SURROGATE.search(text):
            self._fail("half of a surrogate pair", event.start_mark)
        return text

    def _events(self, text: str) -> Iterator[Any]:
        # Here rather than above, so that listing plugins does not pay for it.
        import yaml

        try:
            yield from yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        except yaml.MarkedYAMLError as error:
            self._fail(
                f"not YAML: {error.problem or error.context}", error.problem_mark or error.context_mark
            )
        except yaml.YAMLError as error:
            raise SourceError(f"not YAML: {error}", where=at(self.path, self.line)) from error

    def _fail(self, what: str, mark: Any) -> NoReturn:
        raise SourceError(what, where=at(self.path, self.line + mark.line, mark.column + 1))
