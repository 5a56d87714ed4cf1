"""One process of a command: lines go to its standard input, and come from its standard output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import IO

from tiergate.errors import RunError
from tiergate.operation import Failure, Reply, Request
from tiergate.pool_events import exit_status
from tiergate.target import BadAnswer, Flight
from tiergate_plugins.targets.language import Answer, Language

EXIT_GRACE_S = 2.0
"""How long a process whose input was closed may take to end before it is killed."""

LONGEST_LINE = 64 * 1024 * 1024
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Carried:
    """A request that a process holds, and the timer of its deadline."""

    flight: Flight
    timer: asyncio.TimerHandle


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: a readable status, and what it used."""

    status: str
    cpu_s: float
    peak_rss_bytes: int
    lived_s: float


class CommandProcess(asyncio.Protocol):
    """A process and its pipes.

    Where an answer names no service time, it is the time for which the process can have had the request in
    hand if it works in order: from when it was sent, or from the answer before it, whichever is later.

    Args:
        language: what is written to it, and how its lines are read; of this process alone.
        on_landed: called with what was carried once its answer is in its flight.
        on_lost: called once with the process and what is wrong with its output, empty where it just ended.
    """

    def __init__(
        self,
        name: str,
        language: Language,
        on_landed: Callable[[Carried], None],
        on_lost: Callable[[CommandProcess, str], None],
    ) -> None:
        self.name = name
        self.pid = 0
        self._language = language
        self._on_landed = on_landed
        self._on_lost = on_lost
        self._carried: dict[int, Carried] = {}
        self._asked: dict[int, asyncio.Future[str | None]] = {}
        self._forgotten: set[int] = set()
        self._rest = bytearray()
        self._last_answer = 0.0
        self._errors: IO[bytes] | None = None
        self._output: asyncio.BaseTransport | None = None

    @property
    def unanswered(self) -> int:
        """Requests that it holds."""
        return len(self._carried)

    async def start(self, words: Sequence[str], store: str) -> None:
        """Start the process; it need not say anything.

        Raises:
            RunError: it cannot be started.
        """
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it ended)
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, "TIERGATE_STORE": store},
                process_group=0,
            )
        except OSError as error:
            self._errors.close()
            raise RunError(f"cannot be started: {error.strerror}", where=f"command {words[0]!r}") from error
        self.pid = self._process.pid
        self._began = monotonic()
        loop = asyncio.get_running_loop()
        self._output, _ = await loop.connect_read_pipe(lambda: self, self._process.stdout)
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, self._process.stdin)
        self._input = transport

    async def greet(self) -> None:
        """Do what the language wants before the first request.

        Raises:
            RunError: the process did not answer as the language wants.
        """
        await self._language.greet(self._input.write)

    def send(self, carried: Carried) -> None:
        """Write one request."""
        request = carried.flight.request
        self._carried[request.id] = carried
        self._write(request)

    async def ask(self, request: Request, timeout_s: float) -> str | None:
        """Write one request and wait for its answer; None when it came, else what is wrong."""
        asked: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._asked[request.id] = asked
        self._write(request)
        try:
            return await asyncio.wait_for(asked, timeout_s)
        except TimeoutError:
            return f"nothing in {timeout_s:g} s"

    def forget(self, request: int) -> bool:
        """Pass over the answer of a request that is still unanswered; False when it is not."""
        self._forgotten.add(request)
        if self._carried.pop(request, None) is None:
            return False
        self._input.write(self._language.cancel(request))
        return True

    def give_up(self) -> list[Carried]:
        """What it holds, once it is not going to answer any more."""
        held = list(self._carried.values())
        self._carried.clear()
        return held

    def _write(self, request: Request) -> None:
        self._input.write(self._language.request(request))

    def data_received(self, data: bytes) -> None:
        """Bytes of its standard output. What is no answer to what was asked ends the process."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest
        try:
            for line in lines:
                self._answered(line)
        except ValueError as error:
            self._lose(str(error))
        if len(rest) > LONGEST_LINE:
            self._lose(f"wrote a line of more than {LONGEST_LINE} bytes")

    def _answered(self, line: bytearray) -> None:
        now = perf_counter()
        answer = self._language.read(bytes(line))
        if not isinstance(answer, Answer):
            self._input.write(answer)
            return
        asked = self._asked.pop(answer.id, None)
        carried = self._carried.pop(answer.id, None)
        if asked is not None and not asked.done():
            asked.set_result(answer.fault or None)
        elif carried is not None:
            flight = carried.flight
            in_hand_s = now - max(flight.sent, self._last_answer)
            service_s = in_hand_s if answer.service_ms is None else answer.service_ms / 1000
            failure = None if answer.error is None else Failure(answer.kind, answer.error)
            if answer.fault:
                flight.error = BadAnswer(answer.fault)
            else:
                flight.reply = Reply(answer.id, answer.result, failure, round(service_s * 1e9), self.name)
            self._on_landed(carried)
        elif answer.id not in self._forgotten:
            raise ValueError(f"answered request {answer.id}, which it does not hold")
        self._last_answer = now

    def connection_lost(self, _exc: Exception | None) -> None:
        """Its standard output is closed."""
        self._lose("")

    def _lose(self, fault: str) -> None:
        self._language.lost(fault or f"it ended{self._last_words()}")
        for asked in self._asked.values():
            if not asked.done():
                asked.set_result(fault or f"it ended{self._last_words()}")
        self._on_lost(self, fault)

    def _last_words(self) -> str:
        """The last line that it wrote to its standard error, in brackets."""
        if self._errors is None or self._errors.closed:
            return ""
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - 4096))
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f" ({lines[-1]})" if lines else ""

    async def end(self, *, kill: bool) -> Ended:
        """Close its input, wait for it to end, and reap it with every process of its group."""
        self._input.close()
        if kill:
            self._kill()
        give_up = monotonic() + EXIT_GRACE_S
        while True:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                break
            if monotonic() > give_up:
                self._kill()
            await asyncio.sleep(_POLL_S)
        self._process.returncode = code = os.waitstatus_to_exitcode(status)
        self._kill()  # what it started itself
        if self._output is not None:
            self._output.close()
        words = self._last_words()
        if self._errors is not None:
            self._errors.close()
        # ru_maxrss counts kibibytes on Linux and bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        return Ended(
            exit_status(code) + words,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * unit,
            monotonic() - self._began,
        )

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
