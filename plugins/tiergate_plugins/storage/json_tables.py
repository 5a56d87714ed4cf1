"""What a ``json:`` store keeps beside the files of its sessions: deleted sessions, and results of writes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from tiergate.store import ONCE_KEPT, StoreDamaged
from tiergate_plugins.storage import files

_Table = TypeVar("_Table", dict[str, int], dict[str, bytes])

TOMBSTONES = "deleted"
RESULTS = "results"


class Tables:
    """Two files that are read when they are first asked for, and written when the journal is folded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tombstones: dict[str, int] | None = None
        self._results: dict[str, bytes] | None = None

    def tombstones(self) -> dict[str, int]:
        """The versions at which sessions were deleted, by id.

        Raises:
            StoreDamaged: the file cannot be understood.
        """
        if self._tombstones is None:
            self._tombstones = self._read(TOMBSTONES, dict[str, int], "deleted sessions")
        return self._tombstones

    def results(self) -> dict[str, bytes]:
        """What was kept of writes, by key, the oldest first. Raises as `tombstones`."""
        if self._results is None:
            self._results = self._read(RESULTS, dict[str, bytes], "results of writes")
        return self._results

    def damaged(self) -> Iterator[StoreDamaged]:
        """What is wrong with the files."""
        for read in (self.tombstones, self.results):
            try:
                read()
            except StoreDamaged as error:
                yield error

    def keep(self, fresh: Mapping[str, bytes], gone: Mapping[str, int], alive: Collection[str]) -> None:
        """Write what is new; the caller syncs the folder.

        Args:
            fresh: results by key.
            gone: versions at which sessions were deleted.
            alive: sessions that are there, deleted before or not.

        Raises:
            OSError: a file could not be written.
            StoreDamaged: one cannot be understood.
        """
        if fresh:
            kept = list({**self.results(), **fresh}.items())[-ONCE_KEPT:]
            files.write(self._folder, RESULTS, msgspec.json.encode(dict(kept)), durable=True)
        before, there = self.tombstones(), set(alive)
        after = {name: version for name, version in {**before, **gone}.items() if name not in there}
        if after != before:
            files.write(self._folder, TOMBSTONES, msgspec.json.encode(after), durable=True)

    def _read(self, name: str, kind: type[_Table], what: str) -> _Table:
        path = self._folder / name
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return kind()
        except msgspec.MsgspecError as error:
            raise StoreDamaged(f"not a list of {what}: {error}", where=str(path)) from error
