"""Changing single fields of front matter; every other line stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from tiergate_plugins.importers._edits import Edit
from tiergate_plugins.importers._front_matter import front_of

_VALUE = re.compile(
    r"(?P<lead>[ \t]*)(?P<value>'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"|(?:[^#]|(?<=\S)#)*?)"
    r"(?P<tail>[ \t]*(?:[ \t]#.*)?)"
)
_PLAIN = re.compile(r"[A-Za-z][\w./()' -]*(?<! )")
_NULLS = frozenset({"null", "~"})

Value = str | Sequence[str]


def front_edits(text: str, fields: Mapping[str, Value]) -> Iterator[Edit]:
    """The edits of a text with front matter that give fields other values.

    Args:
        text: the whole text.
        fields: a text, or a list of texts, by the name of the field.
    """
    start, end = front_of(text)
    newline = "\r\n" if "\r\n" in text[:end] else "\n"
    for name, value in fields.items():
        line = re.compile(
            rf"^{re.escape(name)}[ \t]*:(?P<rest>[^\n]*(?:\n(?:[ \t]+\S|-[ \t])[^\n]*)*)", re.MULTILINE
        )
        found = line.search(text, start, end)
        if found is None:
            yield Edit(end, end, f"{name}:{_written('', value, newline)}{newline}")
            continue
        old = found["rest"].removesuffix("\r")
        first = found.start("rest")
        yield Edit(first, first + len(old), _written(old, value, newline))


def _written(old: str, value: Value, newline: str) -> str:
    """What is to stand behind the colon of a field, in the manner of what stands there."""
    found = _VALUE.fullmatch(old)
    lead = (found["lead"] if found else "") or " "
    if isinstance(value, str):
        quote = found["value"][:1] if found else ""
        return f"{lead}{_scalar(value, quote)}{found['tail'] if found else ''}"
    if not value:
        return " []"
    if old.strip().startswith("[") and old.strip() != "[]":
        return f"{lead}[{', '.join(_scalar(one) for one in value)}]"
    indented = re.search(r"\n([ \t]*)-", old)
    dash = f"{newline}{indented[1] if indented else '  '}- "
    return "".join(f"{dash}{_scalar(one)}" for one in value)


def _scalar(text: str, quote: str = "") -> str:
    if quote == '"':
        return json.dumps(text, ensure_ascii=False)
    if quote != "'" and _PLAIN.fullmatch(text) and text.lower() not in _NULLS:
        return text
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
