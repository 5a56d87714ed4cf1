"""The life of a worker process beside its requests: signs of life, its end, its size, its output."""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import socket
import sys
from threading import Lock, Thread
from time import monotonic, sleep

from tiergate_plugins.pools.frames import BEAT, RETIRE, frame

ORPHAN_GRACE_S = 2.0
"""Time for a write to end; far shorter than what a living parent allows (`EXIT_GRACE_S`)."""

MEMORY_CHECK_S = 0.05
"""How often the size is looked at between requests, at most."""

_PR_SET_PDEATHSIG = 1
_PAGE = resource.getpagesize()


class Sender:
    """Sends whole frames, from the thread of the requests and from that of the signs of life."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = Lock()

    def send(self, data: bytes) -> None:
        """Send, and wait for the parent where the socket is full."""
        with self._lock:
            self._connection.sendall(data)


class MemoryLimit:
    """Tells when the process has grown too large, and has the system refuse it much more at once.

    Looked at between requests, and with every sign of life.

    Args:
        limit: bytes; None for no limit.
    """

    def __init__(self, limit: int | None, sender: Sender) -> None:
        self._limit = limit
        self._sender = sender
        self._next_look = float("inf")

    def begin(self) -> None:
        """The process is as large as it has to be; what comes now is the operations'."""
        if self._limit is not None:
            self._next_look = 0.0
            _refuse_beyond(self._limit)

    def look(self) -> None:
        """Ask to be replaced when the process is too large; does nothing so soon after the last time."""
        if self._limit is None or monotonic() < self._next_look:
            return
        self._next_look = monotonic() + MEMORY_CHECK_S
        size = resident_bytes()
        if size > self._limit:
            reason = f"{size / 1e6:.0f} MB are more than {self._limit / 1e6:.0f} MB"
            self._sender.send(frame(RETIRE, reason))


def _refuse_beyond(limit: int) -> None:
    """Let an operation that asks for more than `limit` bytes beyond what there is meet a `MemoryError`."""
    data_now = _pages(5)
    if data_now is None:
        return  # macOS takes the limit and does not keep it
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = data_now + limit
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


def resident_bytes() -> int:
    """Bytes of this process that are in memory; on macOS the most there were."""
    now = _pages(1)
    return now if now is not None else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _pages(field: int) -> int | None:
    """A field of ``/proc/self/statm`` in bytes; None where there is none."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 (`Path` takes three times as long)
            return int(file.read().split()[field]) * _PAGE
    except OSError:
        return None


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, also while it is stopped (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it ended before it could be asked for


def watch(descriptor: int, sender: Sender, memory: MemoryLimit, heartbeat_s: float) -> None:
    """Say every `heartbeat_s` that this process lives, and end it when the parent closes the socket.

    A thread of its own, so that a worker that is deep in a request does both.
    """
    Thread(target=_watch, args=(descriptor, sender, memory, heartbeat_s), daemon=True).start()


def _watch(descriptor: int, sender: Sender, memory: MemoryLimit, heartbeat_s: float) -> None:
    hangup = select.poll()
    # No event is asked for: a hang-up is always reported, and what can be read is not waited for.
    hangup.register(descriptor, 0)
    beat = frame(BEAT, None)
    while not hangup.poll(max(1.0, heartbeat_s * 1000)):
        try:
            sender.send(beat)
            memory.look()
        except OSError:
            break
    sleep(ORPHAN_GRACE_S)
    os._exit(1)


def silence() -> None:
    """From now on what is written to standard output and error goes nowhere.

    The parent could only let it grow, or fall behind and block the worker.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
