"""Task stores of other tools: which importer reads one, and what came of it."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tiergate.errors import RunError, SourceError, TiergateError, unknown_name
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.model import Session
from tiergate.record import Source

AUTO = "auto"
"""The name that asks for detection instead of a format."""

NO_STATUS = "(none)"
"""Stands in `Source.statuses` for tasks whose source gave no status."""

_HEAD_BYTES = 4096
_MOST_DAMAGES = 20


def read_source(
    path: Path,
    format: str,  # noqa: A002 - the word of the command line and of the record
    importers: Sequence[ImporterDeclaration],
    *,
    lenient: bool = False,
) -> tuple[Imported, Source]:
    """Read another tool's task store.

    Args:
        path: its file or folder; it is never changed.
        format: the name of an importer, or `AUTO`.
        importers: what is available.
        lenient: leave out damaged records, and note each, instead of refusing the source.

    Raises:
        UsageError: no importer has that name.
        SourceError: it is missing, unreadable, empty, damaged, without tasks, or of no or several formats.
        RunError: the importer itself failed.
    """
    importer, failures = find_importer(path, format, importers)
    imported = _read(importer, path)
    if imported.damage and not lenient:
        raise _refusal(imported.damage)
    source = Source(
        path=_printable(path),
        format=importer.name,
        sessions=len(imported.sessions),
        tasks=sum(len(session.tasks) for session in imported.sessions),
        statuses=_count_statuses(imported),
        notes=[*imported.notes, *_left_out(imported.damage), *failures],
    )
    if not source.tasks:
        raise SourceError("no tasks in it", where=source.path, hint=f"it was read as {importer.name}")
    return imported, source


def find_importer(
    path: Path,
    format: str,  # noqa: A002 - as above
    importers: Sequence[ImporterDeclaration],
) -> tuple[ImporterDeclaration, list[str]]:
    """The importer for a source, and a line for each importer that failed to look at it.

    Raises:
        As `read_source`, where that happens before anything is read.
    """
    by_name = {importer.name: importer for importer in importers}
    if format != AUTO and format not in by_name:
        raise unknown_name("source format", format, [*by_name, AUTO])
    # What is no path can only be an address, which the format that knows it recognises.
    if not _is_address(path, importers):
        _require_readable(path)
    return (by_name[format], []) if format != AUTO else _detect(path, importers)


def _is_address(path: Path, importers: Sequence[ImporterDeclaration]) -> bool:
    """Whether a source is no path at all, and yet is recognised."""
    try:
        return not os.path.lexists(path) and any(_claims(one, path) for one in importers)
    except ValueError:
        return False


def _claims(importer: ImporterDeclaration, path: Path) -> bool:
    try:
        return importer.detect(path)
    except Exception:
        return False  # `_detect` says so


def _refusal(damage: Sequence[SourceError]) -> SourceError:
    """The first damage as an error that says how many more there are, and what can be done."""
    first, *more = damage
    hints = [first.hint, f"and {len(more)} more" if more else None, "--lenient leaves them out"]
    return SourceError(first.what, where=first.where, hint="; ".join(filter(None, hints)))


def _left_out(damage: Sequence[SourceError]) -> list[str]:
    lines = [f"left out: {error}" for error in damage[:_MOST_DAMAGES]]
    rest = len(damage) - len(lines)
    return [*lines, f"left out: {rest} more"] if rest else lines


def _require_readable(path: Path) -> None:
    """Refuse what no importer could read, so that each of them need not."""
    where = _printable(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            with os.scandir(path) as entries:
                empty = next(entries, None) is None
        elif stat.S_ISREG(mode):
            with path.open("rb") as file:
                empty = not file.read(_HEAD_BYTES).strip() and not file.read().strip()
        else:
            raise SourceError("neither a file nor a folder", where=where, hint="save it to a file first")
    except FileNotFoundError as error:
        raise SourceError("no such file or folder", where=where, hint="check the path") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(f"cannot be read: {reason}", where=where) from error
    if empty:
        kind = "folder" if stat.S_ISDIR(mode) else "file"
        raise SourceError(f"the {kind} is empty", where=where, hint="name a task store")


def _detect(path: Path, importers: Sequence[ImporterDeclaration]) -> tuple[ImporterDeclaration, list[str]]:
    """The one importer whose format this is, and a line for each importer that failed to look."""
    matching, failures = [], []
    for importer in importers:
        try:
            if importer.detect(path):
                matching.append(importer)
        except Exception as error:
            failures.append(f"importer {importer.name!r} failed to recognise formats: {_cause(error)}")
    if len(matching) == 1:
        return matching[0], failures
    where = _printable(path)
    if matching:
        names = " or ".join(importer.name for importer in matching)
        raise SourceError(f"could be {names}", where=where, hint="say which with --format NAME")
    if failures:
        raise RunError(failures[0], where=where, hint="name the format with --format, or use --no-plugin")
    known = ", ".join(importer.name for importer in importers) or "none"
    raise SourceError(
        f"not a task store of a known format: {_looks_like(path)}", where=where, hint=f"known: {known}"
    )


def _looks_like(path: Path) -> str:
    """What stands at a path that nobody recognised."""
    if path.is_dir():
        names = sorted(_printable(entry.name) for entry in path.iterdir())
        more = ", …" if len(names) > 3 else ""
        return f"a folder with {', '.join(names[:3])}{more}"
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16 text, save it as UTF-8"
    if b"\0" in data:
        return "a binary file"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").split("\n")
        return f"not UTF-8 text at line {len(before)}, column {len(before[-1]) + 1}"
    return f"a text that begins with {text.lstrip()[:20]!r}"


def _read(importer: ImporterDeclaration, path: Path) -> Imported:
    """Call the importer, blaming it for what is its own fault."""
    where = f"importer {importer.name!r}"
    hint = "report it to the plugin's author"
    try:
        imported = importer.read(path)
    except TiergateError:
        raise
    except Exception as error:
        raise RunError(f"failed on {_printable(path)}: {_cause(error)}", where=where, hint=hint) from error
    if not isinstance(imported, Imported):
        raise RunError(
            f"read must return Imported, it returned {type(imported).__name__}", where=where, hint=hint
        )
    twice = _repeated(session.id for session in imported.sessions)
    if twice is not None:
        raise RunError(f"it returned two sessions with the id {twice!r}", where=where, hint=hint)
    for session in imported.sessions:
        _require_unique_tasks(session, where, hint)
    return imported


def _require_unique_tasks(session: Session, where: str, hint: str) -> None:
    twice = _repeated(task.id for task in session.tasks)
    if twice is not None:
        raise RunError(f"session {session.id!r} has two tasks with the id {twice!r}", where=where, hint=hint)


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _count_statuses(imported: Imported) -> dict[str, tuple[str, int]]:
    """Each status word with what became of it, and how often.

    A word that became several things, as where a task was archived besides, has one entry for the
    mapping and one ``WORD (STATUS)`` for each exception.
    """
    counts = Counter(
        (task.source_status, task.status) for session in imported.sessions for task in session.tasks
    )
    found: dict[str, tuple[str, int]] = {}
    for (word, status), count in sorted(counts.items(), key=lambda item: (item[0][0] or "", item[0][1])):
        usual = word is None or imported.statuses.get(word, status) is status
        name = NO_STATUS if word is None else word
        found[name if usual and name not in found else f"{name} ({status})"] = (str(status), count)
    return found


def _cause(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _printable(path: Path | str) -> str:
    """A path as text that can be stored: bytes of a name that are not UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
