"""Options of commands that read sources: ``--from``, ``--format`` and ``--lenient``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.hooks import ImporterDeclaration
    from tiergate.model import Session
    from tiergate.plugins import PluginHost
    from tiergate.record import Source

_Command = TypeVar("_Command", bound=Callable[..., Any])


lenient_option = click.option(
    "--lenient", is_flag=True, help="Leave out records of a source that are damaged, and say which."
)
"""Gives a command ``lenient``."""


def importers_of(host: PluginHost) -> list[ImporterDeclaration]:
    """Everything that a command can read sessions from, tiergate's own stores among it."""
    from tiergate.hooks import ImporterDeclaration
    from tiergate.store_source import store_importer

    return [*host.all(ImporterDeclaration), store_importer(host.opener())]


def source_options(text: str) -> Callable[[_Command], _Command]:
    """Give a command ``sources``, ``source_format`` and ``lenient``; `text` is the help of ``--from``."""

    def decorate(command: _Command) -> _Command:
        with_format = click.option(
            "--format",
            "source_format",
            default="auto",
            show_default=True,
            metavar="NAME",
            help="Format of the sources.",
        )(lenient_option(command))
        return click.option(
            "--from",
            "sources",
            multiple=True,
            type=click.Path(path_type=Path),
            metavar="PATH",
            help=text,
        )(with_format)

    return decorate


def require_sources(paths: tuple[Path, ...], source_format: str) -> None:
    """Refuse a format without a source.

    Raises:
        UsageError: there is none.
    """
    if source_format != "auto" and not paths:
        raise UsageError(
            "--format says how to read --from, which is not given", hint="name a task store with --from PATH"
        )


def read_sources(
    paths: tuple[Path, ...], source_format: str, host: PluginHost, *, lenient: bool = False
) -> tuple[list[Session], list[Source]]:
    """The sessions of all sources; one whose id another source has used carries its source's name.

    Raises:
        As `tiergate.sources.read_source`.
    """
    from msgspec.structs import replace

    from tiergate.sources import read_source

    importers = importers_of(host)
    sessions: dict[str, Session] = {}
    sources: list[Source] = []
    for number, path in enumerate(paths, start=1):
        imported, source = read_source(path, source_format, importers, lenient=lenient)
        sources.append(source)
        for session in imported.sessions:
            name = f"{session.id} ({number}: {path.name})" if session.id in sessions else session.id
            sessions[name] = replace(session, id=name)
    return list(sessions.values()), sources
