"""Where code lies, in words that mean the same on every machine."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from tiergate.profiler import BUILT_IN


@cache
def short_place(file: str) -> str:
    """A path below the folder that it is imported from: ``json/decoder.py``, ``tiergate/worker.py``."""
    if file == BUILT_IN or file.startswith("<"):
        return file
    path = Path(file)
    roots = [root for entry in sys.path if entry and path.is_relative_to(root := Path(entry))]
    if not roots:
        return path.name
    return path.relative_to(max(roots, key=lambda root: len(root.parts))).as_posix()
