"""Operations that take their time, end their worker or return what cannot be sent. Loaded by workers only."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.operation import OperationError
from tiergate.store import Store

_locks: list[IO[str]] = []
_leaked: list[bytes] = []


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No arguments."""


class Nap(msgspec.Struct, forbid_unknown_fields=True):
    """Seconds to sleep, and a file to write a line to before it."""

    seconds: float = 0.0
    log: str | None = None
    line: str = ""


class Hold(msgspec.Struct, forbid_unknown_fields=True):
    """A file to lock for as long as the worker lives."""

    path: str


class Kind(msgspec.Struct, forbid_unknown_fields=True):
    """Which of several faults."""

    kind: str


class Size(msgspec.Struct, forbid_unknown_fields=True):
    """How much."""

    bytes: int


def nap(_store: Store, _session: str, arguments: Nap) -> int:
    """Sleep, and say in which process."""
    if arguments.log is not None:
        with Path(arguments.log).open("a") as log:
            log.write(f"{arguments.line}\n")
    time.sleep(arguments.seconds)
    return os.getpid()


def spin(_store: Store, _session: str, arguments: Nap) -> int:
    """Use the processor for a while."""
    end = time.process_time() + arguments.seconds
    while time.process_time() < end:
        pass
    return os.getpid()


def hold(_store: Store, _session: str, arguments: Hold) -> int:
    """Lock a file; the system gives the lock back when the process ends, reaped or not."""
    file = Path(arguments.path).open("w")  # noqa: SIM115 (open for as long as the process lives)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    _locks.append(file)
    return os.getpid()


def end(_store: Store, _session: str, arguments: Kind) -> None:
    """End the worker in one of several ways, or refuse."""
    if arguments.kind == "exit":
        os._exit(7)
    if arguments.kind == "sys.exit":
        sys.exit(5)
    if arguments.kind == "abort":
        os.kill(os.getpid(), signal.SIGABRT)
    if arguments.kind == "raise":
        raise ValueError("two\nlines")
    raise OperationError(f"no such end: {arguments.kind}")


def odd_result(_store: Store, _session: str, arguments: Kind) -> Any:
    """Something that no encoder takes."""
    if arguments.kind == "cycle":
        cycle: list[Any] = []
        cycle.append(cycle)
        return cycle
    return {"object": object(), "integer": 2**70, "surrogate": "\ud800", "set of objects": {object()}}[
        arguments.kind
    ]


def babble(_store: Store, _session: str, arguments: Kind) -> None:
    """Write to the socket of the worker itself."""
    bodies = {
        "opcode": b"\xc1",
        "text": b"\xa1\xff",
        "no reply": b"\x93\x01\x02\x03",
        "nested": b"\x91" * 9999,
    }
    body = bodies.get(arguments.kind, b"")
    length = len(body) if body else 2**32 - 1
    os.write(int(sys.argv[1]), length.to_bytes(4, "big") + body)


def grow(_store: Store, _session: str, arguments: Size) -> int:
    """Take memory and keep it."""
    _leaked.append(b"x" * arguments.bytes)
    return os.getpid()


def flood(_store: Store, _session: str, arguments: Size) -> int:
    """Write to standard output and error, as loudly as can be."""
    line = b"noise " * 1000
    for _ in range(arguments.bytes // len(line)):
        os.write(1, line)
        os.write(2, line)
        print("more noise", file=sys.stderr)
    return os.getpid()


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operations of this module."""
    for run, arguments, writes in (
        (nap, Nap, False),
        (spin, Nap, False),
        (hold, Hold, False),
        (end, Kind, True),
        (odd_result, Kind, False),
        (babble, Kind, True),
        (grow, Size, False),
        (flood, Size, False),
    ):
        yield OperationDeclaration(
            name=run.__name__,
            summary=str(run.__doc__),
            arguments=arguments,
            run=run,
            writes=writes,
            needs_session=False,
        )
    yield OperationDeclaration(
        name="end_reading",
        summary="as end, but it says that it only reads",
        arguments=Kind,
        run=end,
        needs_session=False,
    )
