"""Files that commands write: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tiergate.errors import RunError, UsageError
from tiergate.hooks import ExporterDeclaration
from tiergate.plugins import PluginHost
from tiergate.record import Record
from tiergate.refusals import hint_of, is_wrong_path


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside the old one, then put it in its place.

    Raises:
        As `replacing`.
    """
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of the old one when the block ends without an error.

    What is no ordinary file (a device, a pipe) is written into; of a link, what it leads to is replaced.

    Raises:
        UsageError: its folder is not there, and a misspelt one must not be made; or it is a folder itself.
        RunError: it cannot be written; an old file is left as it was.
    """
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        require_folder(path)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        kind = UsageError if is_wrong_path(error) else RunError
        raise kind(f"cannot be written: {error.strerror}", where=str(path), hint=hint_of(error)) from error


def require_folder(path: Path) -> None:
    """Refuse a file whose folder is not there; a command that takes long does so before it begins.

    Raises:
        UsageError: it is not.
    """
    folder = path.resolve().parent
    if not folder.is_dir():
        raise UsageError("the folder does not exist", where=str(folder), hint="create it first")


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, there or not yet."""
    return one.resolve() == other.resolve()


def render_html(host: PluginHost, records: Sequence[Record]) -> bytes:
    """The page of these records.

    Raises:
        UsageError: the exporter is switched off, or the records do not make a page.
        RunError: the exporter failed.
    """
    return render(host, "html", records)


def require_kept(option: str, output: Path, read: Iterable[Path | None]) -> None:
    """Refuse an output that would replace what a command reads: a file, a store, or a file of a store.

    Args:
        option: that names the output.
        read: paths, and addresses of stores; None for what was not given.

    Raises:
        UsageError: it would.
    """
    for source in filter(None, read):
        _, colon, rest = str(source).partition(":")
        place = Path(rest.partition("?")[0]) if colon and not source.exists() else source
        in_store = place is not source and place.resolve() in output.resolve().parents
        if same_file(output, place) or in_store:
            raise UsageError(f"{option} would replace a source", where=str(output), hint="name another file")


def form_of(host: PluginHost, output: Path) -> str:
    """The exporter whose ending a file's name has, the longest one; ``html`` where none fits."""
    fitting = [one for one in host.all(ExporterDeclaration) if output.name.endswith(one.suffix)]
    return max(fitting, key=lambda one: len(one.suffix)).name if fitting else "html"


def render(host: PluginHost, form: str, records: Sequence[Record]) -> bytes:
    """What an exporter makes of these records.

    Raises:
        UsageError: the exporter is not there or switched off, or makes nothing of these records.
        RunError: the exporter failed.
    """
    return host.get(ExporterDeclaration, form).render(records).encode()
