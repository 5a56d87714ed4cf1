"""A process of a command for each request: what a command line tool costs its users."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, perf_counter_ns

import msgspec

from tiergate.errors import RunError
from tiergate.operation import Failure, Reply, Request
from tiergate.pool import DeadlineExceeded, Overloaded, PoolUsage
from tiergate.target import Flight, Target, TargetError
from tiergate_plugins.targets.language import request_line

MOST_RUNNING = 256
"""Processes at once; one more request is refused, as by a pool."""

_LONGEST_WORDS = 200


class OneEach(Target):
    """Starts the command anew for each request: its line on standard input, then its end.

    Exit status 0 is an answer, any other a refusal in the words of its standard error. Time in the worker is
    that from starting the process to its end.

    Args:
        words: the command.
        store: address of the store, in the environment of the command as ``TIERGATE_STORE``.
    """

    def __init__(self, words: Sequence[str], store: str) -> None:
        self._words = words
        self._environment = {**os.environ, "TIERGATE_STORE": store}
        self._running: set[asyncio.Task[None]] = set()
        self._began = monotonic()
        self._before = os.times()

    async def start(self) -> None:
        """Do nothing: no process outlives its request."""
        self._began, self._before = monotonic(), os.times()

    def send(self, flight: Flight) -> None:
        """Start a process for the request."""
        if len(self._running) >= MOST_RUNNING:
            flight.error = Overloaded(f"{MOST_RUNNING} processes run already", hint="send fewer, or later")
            flight.landed(flight)
            return
        task = asyncio.get_running_loop().create_task(self._serve(flight))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, flight: Flight) -> None:
        try:
            flight.reply = await asyncio.wait_for(self._answer(flight.request), flight.left_s)
        except TimeoutError:
            flight.error = DeadlineExceeded(
                f"{flight.request.operation} took longer than {flight.left_s:g} s"
            )
        except OSError as error:
            flight.error = TargetError(f"cannot be started: {error.strerror}")
        flight.landed(flight)

    async def _answer(self, request: Request) -> Reply:
        began = perf_counter_ns()
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=self._environment,
            start_new_session=True,
        )
        try:
            out, errors = await process.communicate(request_line(request))
        finally:
            # What the command started itself must not outlive the request either.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        took, worker = perf_counter_ns() - began, f"process-{process.pid}"
        if process.returncode:
            said = errors.decode(errors="replace").strip()[-_LONGEST_WORDS:]
            words = f"exit status {process.returncode}" + (f": {said}" if said else "")
            return Reply(request.id, None, Failure("ExitStatus", words), took, worker)
        return Reply(request.id, _result(out), None, took, worker)

    async def warm_up(self, requests: Sequence[Request]) -> None:
        """Have one process serve each request.

        Raises:
            RunError: the command cannot be started, or refuses one of them.
        """
        for request in requests:
            try:
                reply = await self._answer(request)
            except OSError as error:
                where = f"command {self._words[0]!r}"
                raise RunError(f"cannot be started: {error.strerror}", where=where) from error
            if reply.failure is not None:
                raise RunError(f"no answer to {request.operation}: {reply.failure.message}", where="command")

    async def close(self) -> PoolUsage:
        """Wait for what runs; each process has a deadline of its own."""
        while self._running:
            await asyncio.wait(self._running)
        now = os.times()
        used = now.children_user - self._before.children_user
        used += now.children_system - self._before.children_system
        return PoolUsage(cpu_s=used, peak_rss_bytes=0, worker_seconds=monotonic() - self._began)


def _result(out: bytes) -> object:
    """The output as JSON where it is JSON, else as text."""
    try:
        return msgspec.json.decode(out)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return out.decode(errors="replace")
