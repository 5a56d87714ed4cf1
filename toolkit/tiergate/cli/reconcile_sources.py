"""Sources of a reconciliation as plans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiergate.cli.state import State
    from tiergate.matching import Plan
    from tiergate.record import Source


def read_plans(
    state: State, paths: Sequence[Path], source_format: str, *, lenient: bool
) -> tuple[list[Plan], list[Source]]:
    """One plan for each source, under the path that it was given by.

    Raises:
        As `tiergate.sources.read_source`.
    """
    from tiergate.cli.from_sources import importers_of
    from tiergate.matching import Plan
    from tiergate.sources import read_source

    importers = importers_of(state.host())
    plans, sources = [], []
    for path in paths:
        imported, source = read_source(path, source_format, importers, lenient=lenient)
        plans.append(Plan(source=source.path, sessions=tuple(imported.sessions)))
        sources.append(source)
    return plans, sources
