"""Disk: how much compressed bodies take, beside plain JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tiergate.bench import BenchSetup
from tiergate.errors import UsageError
from tiergate.model import Session
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks import peers
from tiergate_plugins.benchmarks.rounds import judged

_NAME = "sqlite:?body=zstd: disk"
_PEER = "one JSON file a session, stdlib"
_TARGET = "<= 0.31"


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """The bytes of the closed database, all files of it, over those of the JSON files without white space."""
    setup.progress("the disk that compressed bodies take")
    try:
        ours = peers.Ours(setup.open(f"sqlite:{setup.folder / 'sizes.db'}?body=zstd"))
    except UsageError as error:
        yield BenchRow(
            name=_NAME,
            value=0.0,
            interval=(0.0, 0.0),
            unit="x",
            peer=_PEER,
            target=_TARGET,
            reached=False,
            note=f"not available: {error.what}",
        )
        return
    plain = peers.Ours(setup.open(f"sqlite:{setup.folder / 'sizes-plain.db'}"))
    files = peers.JsonFiles(setup.folder / "sizes-files")
    for peer in (ours, plain, files):
        peer.fill(sessions)
        peer.close()
    taken = {name: _bytes(setup.folder, f"sizes{name}*") for name in (".db", "-plain.db", "-files/")}
    ratio = taken[".db"] / taken["-files/"]
    yield judged(
        BenchRow(
            name=_NAME,
            value=ratio,
            interval=(ratio, ratio),
            unit="x",
            peer=_PEER,
            target=_TARGET,
            details={
                "ours_bytes": taken[".db"],
                "json_bytes": taken["-files/"],
                "sqlite_bytes": taken["-plain.db"],
            },
        )
    )


def _bytes(folder: Path, pattern: str) -> float:
    return float(sum(path.stat().st_size for path in folder.glob(pattern)))
