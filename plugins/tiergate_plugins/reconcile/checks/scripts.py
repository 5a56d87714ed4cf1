"""Definitions in TypeScript and JavaScript, by their tokens: what stands in comments and strings is none."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<string>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\])*`?)
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<sign>[{}()=:;?,<])
  | (?P<line>\n)
    """,
    re.VERBOSE | re.DOTALL,
)
_DEFINES = frozenset({"class", "function", "interface", "enum", "type", "namespace", "const", "let", "var"})
_MODIFIERS = frozenset(
    {
        "public",
        "private",
        "protected",
        "static",
        "async",
        "readonly",
        "override",
        "abstract",
        "get",
        "set",
        "declare",
    }
)
_NOT_METHODS = frozenset({"if", "for", "while", "switch", "catch", "return", "function", "constructor"})


def definitions(text: str) -> Iterator[tuple[str, int]]:
    """Names with their lines: those of a module, and those of its classes as ``Class.member``."""
    line, depth = 1, 0
    pending = ""  # the word that defines what comes next
    holder = ""  # a class whose body is about to begin
    classes: list[tuple[str, int]] = []
    before = ""
    for match in _TOKEN.finditer(text):
        kind, word = match.lastgroup, match[0]
        if kind == "name":
            inside = classes[-1] if classes else ("", 0)
            if pending:
                yield _within(inside, depth, word), line
                if pending in ("class", "interface"):
                    holder = word
                pending = ""
            elif word in _DEFINES and before != ".":
                pending = word
            elif (
                classes
                and depth == inside[1]
                and word not in _MODIFIERS
                and before in ("{", "}", ";", "\n", "")
            ) and word not in _NOT_METHODS:
                yield f"{inside[0]}.{word}", line
            if word not in _MODIFIERS:
                before = word
        elif kind == "sign":
            pending = "" if word in "{}();" else pending
            depth += (word == "{") - (word == "}")
            if word == "{" and holder:
                classes.append((_within(classes[-1] if classes else ("", 0), depth - 1, holder), depth))
                holder = ""
            elif word == "}" and classes and depth < classes[-1][1]:
                classes.pop()
            before = word
        elif kind == "line" and before in ("{", "}", ";", ""):
            before = "\n"
        line += word.count("\n")


def _within(inside: tuple[str, int], depth: int, name: str) -> str:
    return f"{inside[0]}.{name}" if inside[0] and depth == inside[1] else name
