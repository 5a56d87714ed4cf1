"""Samples on their way out of a process: appended to a file, so that a kill loses the last moment only.

A file holds one chunk a line, as JSON. A process that could not write goes on without: it is there to serve.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import msgspec

from tiergate.sampling.gathering import Chunk, Gatherer

EVERY_S = 0.25
"""How much of a process that is killed is lost at most, about."""

SUFFIX = ".samples"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Chunk).decode


class HandOver:
    """Appends to a file what a gatherer has, every `EVERY_S`, from a thread of its own."""

    def __init__(self, gatherer: Gatherer, path: Path) -> None:
        self._gatherer = gatherer
        self._path = path
        self._ends = Event()
        self._thread = Thread(target=self._run, name="hand over samples", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hand over the rest. Closing twice does nothing more."""
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._path.open("ab", buffering=0) as file:
                while not self._ends.wait(EVERY_S):
                    file.write(_line(self._gatherer.take()))
                last = self._gatherer.take()
                last.ends = True
                file.write(_line(last))
        except OSError:
            # A reader sees that the file has no end.
            return


def handed_over(path: Path) -> Iterator[Chunk]:
    """The chunks of a file. A line that was cut short by a kill is left out."""
    for line in path.read_bytes().splitlines():
        try:
            yield _decode(line)
        except msgspec.DecodeError:
            return


def _line(chunk: Chunk) -> bytes:
    return _encode(chunk) + b"\n"
