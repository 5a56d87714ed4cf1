"""What an area of benchmarks is given, and the way in which it compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tiergate.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSetup:
    """What a run of benchmarks is given.

    Attributes:
        folder: empty, on the disk that is to be measured; removed afterwards.
        open: opens the store at an address.
        only: words of which a row's name must contain one; empty for all rows.
        quick: measure less; the figures are then only good for finding mistakes.
        progress: says what is being measured.
    """

    folder: Path
    open: Callable[[str], Store]
    only: tuple[str, ...] = ()
    quick: bool = False
    progress: Callable[[str], None] = print
