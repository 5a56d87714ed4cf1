"""Writing a distribution: all of it, or nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree

from tiergate.errors import RunError, UsageError
from tiergate.refusals import hint_of


def write_distribution(into: Path, texts: Mapping[str, str]) -> Path:
    """Write the files into a folder that is called after the distribution; that folder.

    Raises:
        UsageError: something of that name is there already.
        RunError: a file cannot be written; nothing is left then.
    """
    folder = into / str(tomllib.loads(texts["pyproject.toml"])["project"]["name"])
    try:
        folder.mkdir()
    except FileExistsError as error:
        raise UsageError(
            "it is there already", where=str(folder), hint="name another plugin, or --into another folder"
        ) from error
    except OSError as error:
        raise RunError(f"cannot be made: {error.strerror}", where=str(folder), hint=hint_of(error)) from error
    try:
        for path, text in texts.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        rmtree(folder, ignore_errors=True)
        raise RunError(
            f"cannot be written: {error.strerror}", where=str(folder), hint=hint_of(error)
        ) from error
    return folder
