"""Files that commands write: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tiergate.errors import RunError
from tiergate.hooks import ExporterDeclaration
from tiergate.plugins import PluginHost
from tiergate.record import GateRecord, RunRecord


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside the old one, then put it in its place.

    Raises:
        RunError: it cannot be written; an old file is left as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RunError(f"cannot be written: {error.strerror}", where=str(path)) from error


def render_html(host: PluginHost, records: Sequence[RunRecord | GateRecord]) -> bytes:
    """The page of these records.

    Raises:
        UsageError: the exporter is switched off, or the records do not make a page.
        RunError: the exporter failed.
    """
    exporter = host.get(ExporterDeclaration, "html")
    return exporter.render(records).encode()
