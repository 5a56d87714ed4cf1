"""Writing changes back to the task store of another tool, when a person asked for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tiergate.errors import RunError, SourceError, TiergateError
from tiergate.hooks import ImporterDeclaration
from tiergate.model import Session
from tiergate.refusals import hint_of
from tiergate.sources import find_importer
from tiergate.syncing import sync, sync_folder


def write_source(
    path: Path,
    format: str,  # noqa: A002 - the word of the command line and of the record
    importers: Sequence[ImporterDeclaration],
    sessions: Sequence[Session],
) -> list[Path]:
    """Write changed tasks into a task store, each file whole or not at all.

    Args:
        path: its file or folder.
        format: the name of an importer, or `tiergate.sources.AUTO`.
        importers: what is available.
        sessions: how tasks are to be; a session or task that is not among them stays as it is.

    Returns:
        The files that were replaced; none where nothing had to change.

    Raises:
        UsageError: no importer has that name.
        SourceError: it cannot be read, is of a format that is only read, or cannot say what is asked for;
            nothing was written.
        RunError: the importer failed, or a file cannot be written; files before it were.
    """
    importer, _ = find_importer(path, format, importers)
    if importer.write is None:
        can = ", ".join(one.name for one in importers if one.write is not None) or "none"
        raise SourceError(
            f"the format {importer.name!r} is only read", where=str(path), hint=f"can be written: {can}"
        )
    try:
        contents = importer.write(path, sessions)
    except TiergateError:
        raise
    except Exception as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise RunError(
            f"failed to write to {path}: {cause}; nothing was written",
            where=f"importer {importer.name!r}",
            hint="report it to the plugin's author",
        ) from error
    for file, data in contents.items():
        _replace(file, data)
    return list(contents)


def _replace(path: Path, data: bytes) -> None:
    """Put a file with the same permissions in place of the old one; a symbolic link stays one.

    Raises:
        RunError: it cannot be written; the old one is there still.
    """
    place = path.resolve()
    new = place.with_name(f".{place.name}.{os.getpid()}.new")
    try:
        try:
            with new.open("xb") as file:
                os.fchmod(file.fileno(), place.stat().st_mode & 0o7777)
                file.write(data)
                file.flush()
                sync(file.fileno())
            new.replace(place)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        sync_folder(place.parent)
    except OSError as error:
        raise RunError(
            f"cannot be written: {error.strerror}", where=str(path), hint=hint_of(error)
        ) from error
