"""Lines from a pipe, with a limit to waiting."""

from __future__ import annotations

import os
import select
from typing import IO

_TIMEOUT_S = 60.0


class LineSource:
    """Reads lines from a pipe; one that does not come is an error and no test that hangs."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._descriptor = pipe.fileno()
        self._rest = b""

    def next(self) -> bytes:
        """The next line, without its end.

        Raises:
            TimeoutError: none came for a minute.
            EOFError: the pipe ended.
        """
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._descriptor], [], [], _TIMEOUT_S)
            if not ready:
                raise TimeoutError(f"no line after {_TIMEOUT_S:.0f} s; begun: {self._rest[:200]!r}")
            read = os.read(self._descriptor, 1 << 16)
            if not read:
                raise EOFError(f"the server ended its output after {self._rest[:200]!r}")
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return line
