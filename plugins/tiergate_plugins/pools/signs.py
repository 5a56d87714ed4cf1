"""Whether a process that gives no sign of life is hung, or only busy or kept from the processor."""

from __future__ import annotations

from time import monotonic

from tiergate_plugins.pools.process import WorkerProcess

MISSED_BEATS = 3
"""Heartbeats that may be missing before anybody looks at the process."""

_AWAKE = b"RD"
"""States of Linux in which it runs, waits for a processor, or for a disk."""


class Signs:
    """Tells which workers are hung.

    A worker beats from a thread of its own, so that one that is deep in a request is heard. An extension that
    does not let other threads run silences it: then the process counts as alive while it uses its processor,
    and its deadline is what ends it.
    """

    def __init__(self, heartbeat_s: float) -> None:
        self.patience_s = heartbeat_s * MISSED_BEATS
        self._late_s = heartbeat_s
        self._looked_at = monotonic()
        self._cpu: dict[int, int] = {}

    def hung(self, workers: list[WorkerProcess]) -> list[WorkerProcess]:
        """Those that are; to be asked at even intervals."""
        now = monotonic()
        was_late = now - self._looked_at > self._late_s
        self._looked_at = now
        silent = [worker for worker in workers if now - worker.sign_at > self.patience_s]
        if was_late:
            # This process did not run either; what the workers said meanwhile is still in the sockets.
            for worker in silent:
                worker.sign_at = now - self.patience_s
            return []
        self._cpu = {worker.pid: self._cpu.get(worker.pid, -1) for worker in silent}
        return [worker for worker in silent if not self._uses_its_time(worker.pid)]

    def _uses_its_time(self, pid: int) -> bool:
        state, ticks = process_state(pid)
        before, self._cpu[pid] = self._cpu[pid], ticks
        if state in _AWAKE:
            return True
        # The first time there is nothing to compare with, unless it does not even sleep but was stopped.
        return state == b"S" and (before < 0 or ticks > before)


def process_state(pid: int) -> tuple[bytes, int]:
    """State of a process and the processor time that it used, in ticks; an empty state where unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            # The name in the second field may hold anything, also brackets and blanks.
            fields = file.read().rpartition(b") ")[2].split()
    except OSError:
        return b"", 0
    return fields[0], int(fields[11]) + int(fields[12])
