"""What commands share that make a record: where it goes, and that this is found out before the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.plugins import PluginHost
    from tiergate.record import Record

_Command = TypeVar("_Command", bound=Callable[..., Any])


def record_options(command: _Command) -> _Command:
    """Give a command ``output``, ``html`` and ``as_json``."""
    as_json = click.option(
        "--json", "as_json", is_flag=True, help="Write the record to standard output, and nothing else."
    )
    html = click.option(
        "--html", type=click.Path(path_type=Path), metavar="FILE", help="Write the page there."
    )
    output = click.option(
        "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the record there."
    )
    return output(html(as_json(command)))


def require_outputs(output: Path | None, html: Path | None, read: Iterable[Path | None] = ()) -> None:
    """Find out before the run, not after it, that its outputs can be written.

    Args:
        read: what the command reads, and so must not replace; None for what was not given.

    Raises:
        UsageError: a file cannot be written, would replace a source, or both are the same one.
    """
    from tiergate.cli.files import require_kept, same_file

    if output is not None and html is not None and same_file(output, html):
        raise UsageError("-o and --html name the same file", where=str(html), hint="name two")
    sources = list(read)
    for option, path in (("-o", output), ("--html", html)):
        if path is not None:
            require_kept(option, path, sources)
            _require_writable(path)


def save_record(
    host: PluginHost, record: Record, output: Path | None, html: Path | None, beside: Sequence[Record] = ()
) -> None:
    """Write a record and its page, whole or not at all.

    Args:
        beside: other records that the page shows.
    """
    from tiergate.cli.files import render_html, replace_file
    from tiergate.record import encode_record

    if output is not None:
        replace_file(output, encode_record(record))
    if html is not None:
        replace_file(html, render_html(host, [record, *beside]))


def _require_writable(path: Path) -> None:
    from tiergate.refusals import hint_of

    try:
        existed = path.exists()
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror}", where=str(path), hint=hint_of(error)
        ) from error
