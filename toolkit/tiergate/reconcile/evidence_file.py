"""The file ``evidence.toml``: which checks to carry out, and which tasks they speak for."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tiergate.errors import UsageError, unknown_name
from tiergate.evidence import Check
from tiergate.hooks import EvidenceCheckDeclaration
from tiergate.reconcile.grouping import Tasks
from tiergate.reconcile.tree_lines import Lines
from tiergate.reconcile.tree_places import Places
from tiergate.reconcile_record import TaskRef

_OWN = ("kind", "name", "tasks")
_HINT = '[[check]] with kind = "file" and path = "src/store.py"'


def read_checks(path: Path, tasks: Tasks, kinds: Mapping[str, EvidenceCheckDeclaration]) -> list[Check]:
    """Read the checks of a file.

    Args:
        tasks: what the checks may speak for.
        kinds: the kinds of check that there are.

    Raises:
        UsageError: it cannot be read, or a check names a kind, an option, a task or a name that cannot be. It
            tells the line.
    """
    try:
        text = path.read_bytes().decode()
        document = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read the checks: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"is not UTF-8 at byte {error.start}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"is not valid TOML: {error}", where=str(path)) from error
    unknown = sorted(document.keys() - {"check"})
    if unknown:
        raise unknown_name("table", unknown[0], ["check"], where=str(path))
    checks = document.get("check")
    if not isinstance(checks, list) or not checks:
        raise UsageError("has no check", where=str(path), hint=f"write {_HINT}")
    return list(_Reader(str(path), Lines(text), tasks, kinds).checks(checks))


class _Reader:
    def __init__(
        self, path: str, lines: Lines, tasks: Tasks, kinds: Mapping[str, EvidenceCheckDeclaration]
    ) -> None:
        self._path = path
        self._lines = lines
        self._kinds = kinds
        self._places = Places(self._at, tasks)
        self._by_id: dict[str, list[TaskRef]] = defaultdict(list)
        for ref in tasks:
            self._by_id[ref.task].append(ref)
        self._names: dict[str, int] = {}

    def _at(self, line: int, text: str = "") -> str:
        return f"{self._path}:{self._lines.of_text(text, line) if text else line}"

    def checks(self, tables: list[Any]) -> Iterator[Check]:
        headers = self._lines.headers("check")
        for number, table in enumerate(tables):
            line = headers[number] if number < len(headers) else 1
            if not isinstance(table, dict):
                raise UsageError("a check must be a table", where=self._at(line), hint=f"write {_HINT}")
            yield self._check(table, line)

    def _check(self, table: dict[str, Any], line: int) -> Check:
        kind, name = self._text(table, "kind", line), self._text(table, "name", line, optional=True)
        if kind not in self._kinds:
            raise unknown_name("kind of check", kind, self._kinds, where=self._at(line, kind))
        options = {key: value for key, value in table.items() if key not in _OWN}
        for key in options:
            if key not in self._kinds[kind].options:
                where = f"{self._path}:{self._lines.of_key(key, line)}"
                raise unknown_name(f"option of {kind}", key, [*self._kinds[kind].options, *_OWN], where=where)
        if name:
            if name in self._names:
                raise UsageError(
                    f"the name {name!r} is given twice",
                    where=self._at(line, name),
                    hint=f"first in line {self._names[name]}",
                )
            self._names[name] = line
        return Check(kind=kind, options=options, name=name, tasks=self._tasks(table, line))

    def _text(self, table: dict[str, Any], key: str, line: int, *, optional: bool = False) -> str:
        value = table.get(key, "" if optional else None)
        if not isinstance(value, str) or (not value and not optional):
            raise UsageError(f"the check needs {key}, a text", where=self._at(line), hint=f"write {_HINT}")
        return value

    def _tasks(self, table: dict[str, Any], line: int) -> tuple[TaskRef, ...]:
        given = table.get("tasks", [])
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise UsageError(
                "tasks must be a list of texts", where=self._at(line), hint='write tasks = ["SESSION/TASK"]'
            )
        found: set[TaskRef] = set()
        for selector in given:
            bare = self._by_id.get(selector, [])
            if len({(ref.session, ref.task) for ref in bare}) == 1:
                found.update(bare)
            elif bare:
                sessions = ", ".join(sorted({ref.session for ref in bare})[:5])
                raise UsageError(
                    f"{selector!r} is a task of several sessions: {sessions}",
                    where=self._at(line, selector),
                    hint='write "SESSION/TASK"',
                )
            else:
                found.update(self._places.named([selector], line))
        return tuple(sorted(found))
