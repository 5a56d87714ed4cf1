"""One worker process as its parent sees it: started, spoken to over a socket, ended and reaped."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import IO, Protocol

from tiergate.pool import PoolSpec, TierSpec, WorkerFailedToStart
from tiergate.pool_events import exit_status
from tiergate_plugins.pools.backlog import Job, Queue
from tiergate_plugins.pools.frames import (
    ANSWERS,
    BEAT,
    DROP,
    OPEN,
    READY,
    RETIRE,
    BrokenStream,
    Open,
    Ready,
    WireAnswer,
    decode_answers,
    decode_ready,
    decode_text,
    frame,
)
from tiergate_plugins.pools.link import Link

EXIT_GRACE_S = 10.0
"""How long a worker whose socket was closed may take to end before it is killed."""

LOST_GRACE_S = 1.0
"""How long one that closed the socket itself may take, so that its own exit status is seen."""

_LONGEST_STACKS = 1 << 20
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended: a readable status, and what it used."""

    status: str
    cpu_s: float
    peak_rss_bytes: int
    ready_s: float


class Listener(Protocol):
    """Who is told what a worker says."""

    def answered(self, worker: WorkerProcess, answers: list[WireAnswer]) -> None:
        """It answered requests."""

    def should_retire(self, worker: WorkerProcess, reason: str) -> None:
        """It says that it should be replaced."""

    def lost(self, worker: WorkerProcess) -> None:
        """It closed its socket after it was ready; said once."""


class WorkerProcess:
    """A worker, and what it was given.

    Attributes:
        queue: where requests wait that name it.
        held: requests that it was given and has not answered, the oldest first; that one runs.
        expected_ns: how long they are expected to take.
        left_s: the sum of the routers' estimates for them, seconds.
        served: requests that it answered.
        moved_at: when it last answered, or was given work while it had none; by the loop's clock.
        sign_at: when it last gave a sign of life; `time.monotonic`.
        is_leaving: whether it gets no more requests.
        was_stopped: whether it was killed only to end a request.
    """

    def __init__(self, name: str, tier: TierSpec, queue: Queue, listener: Listener) -> None:
        self.name = name
        self.tier = tier
        self.queue = queue
        self.held: dict[int, Job] = {}
        self.expected_ns = 0
        self.left_s = 0.0
        self.served = 0
        self.moved_at = 0.0
        self.sign_at = 0.0
        self.is_leaving = False
        self.was_stopped = False
        self.ready = Ready()
        self._listener = listener
        self._is_ready = False
        self._has_closed = False
        self._ready_at = 0.0
        self._fault = ""
        self._said = -1
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Link | None = None

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid if self._process is not None else 0

    @property
    def age_s(self) -> float:
        """Seconds since it was ready."""
        return monotonic() - self._ready_at

    async def start(self, spec: PoolSpec) -> None:
        """Start the process and return when it is ready to take requests.

        Raises:
            WorkerFailedToStart: with what it reported or wrote to its standard error.
        """
        self._first: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        try:
            errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the block below)
        except OSError as error:
            raise self._failure(str(error)) from error
        with errors:
            ours = self._launch(errors)
            try:
                problem = await self._connect(ours, spec)
            except asyncio.CancelledError:
                self._abandon()
                raise
            if problem is not None:
                # One that closed the socket without a report is about to write why it ends.
                ended = await self.end(kill=bool(problem))
                raise self._failure(problem or _tail(errors) or f"it said nothing ({ended.status})")
            self._said = os.dup(errors.fileno())
        loop = asyncio.get_running_loop()
        self._is_ready = True
        self._ready_at = self.sign_at = monotonic()
        self.moved_at = loop.time()
        if self._has_closed:
            loop.call_soon(self._closed)

    def _launch(self, errors: IO[bytes]) -> socket.socket:
        """Start the process; the parent's end of the socket to it."""
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise self._failure(str(error)) from error
        with theirs:
            try:
                self._process = _spawn(theirs.fileno(), errors)
            except OSError as error:
                ours.close()
                raise self._failure(str(error)) from error
        return ours

    async def _connect(self, ours: socket.socket, spec: PoolSpec) -> str | None:
        """Tell the process what it serves; None when it is ready, else what it said, empty if nothing."""
        self._link = Link(ours, self._framed, self._broken, self._closed)
        self._link.write(frame(OPEN, _opening(self.name, self.tier, spec)))
        try:
            self.ready = await asyncio.wait_for(self._first, spec.start_timeout_s)
        except TimeoutError:
            return f"not ready after {spec.start_timeout_s:g} s"
        except (ConnectionError, BrokenStream):
            return ""
        return self.ready.problem or None

    def _abandon(self) -> None:
        """Kill and reap without waiting for anything but the kernel."""
        self._first.cancel()
        if self._link is not None:
            self._link.close()
        self.kill()
        if self._process is not None:
            self._process.wait()

    def give(self, job: Job, now: float) -> None:
        """Hand over a request; the answer comes to the listener."""
        assert self._link is not None
        is_idle = not self.held
        if is_idle:
            self.moved_at = now
        job.holder = self
        self.held[job.order] = job
        self.expected_ns += job.expected_ns
        self.left_s += job.choice.estimate_s
        self._link.add_request(job.body, at_once=is_idle)

    def take(self, order: int) -> Job | None:
        """Take out a request that it answered; None when it was given none of that number."""
        job = self.held.pop(order, None)
        if job is None:
            return None
        job.holder = None
        if self.held:
            self.expected_ns -= job.expected_ns
            self.left_s -= job.choice.estimate_s
        else:
            self.expected_ns, self.left_s = 0, 0.0
        return job

    def take_all(self) -> list[Job]:
        """Take out everything, the oldest first."""
        jobs = list(self.held.values())
        for job in jobs:
            self.take(job.order)
        return jobs

    def runs(self, job: Job) -> bool:
        """Whether a request that it holds is the one that it is at."""
        return next(iter(self.held.values()), None) is job

    def drop(self, job: Job) -> None:
        """Tell it not to begin a request."""
        if self._link is not None:
            self._link.write(frame(DROP, [job.order]))

    def kill(self, fault: str = "") -> None:
        """End the process at once, whatever it is doing; the fault becomes a part of its status."""
        self._fault = self._fault or fault
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    def stop(self, reason: str) -> None:
        """Kill it to end the request that it is at."""
        self.was_stopped = True
        self.kill(reason)

    def hang_up(self) -> None:
        """Close the socket: it gets and says nothing any more, and that it has ended is told to nobody."""
        self._is_ready = False
        if self._link is not None:
            self._link.close()

    def ask_for_stacks(self) -> int:
        """Have it write the stacks of its threads; what `told_since` wants to know."""
        if self._said < 0:
            return 0
        position = os.fstat(self._said).st_size
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        return position

    def told_since(self, position: int) -> str:
        """What it has written since then; empty once it has ended."""
        if self._said < 0:
            return ""
        return os.pread(self._said, _LONGEST_STACKS, position).decode(errors="replace")

    async def end(self, *, kill: bool = False, grace_s: float = EXIT_GRACE_S) -> Ended:
        """Close the socket, wait for the process to end, and reap it; to be called once."""
        self.hang_up()
        if kill:
            self.kill()
        assert self._process is not None
        give_up = monotonic() + grace_s
        while True:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                break
            if monotonic() > give_up:
                self.kill()
            await asyncio.sleep(_POLL_S)
        if self._said >= 0:
            os.close(self._said)
            self._said = -1
        code = os.waitstatus_to_exitcode(status)
        self._process.returncode = code
        # ru_maxrss counts kibibytes on Linux and bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        ready_s = monotonic() - self._ready_at if self._ready_at else 0.0
        status_text = exit_status(code) + (f" for {self._fault}" if self._fault else "")
        return Ended(status_text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, ready_s)

    def _failure(self, problem: str) -> WorkerFailedToStart:
        return WorkerFailedToStart(f"cannot start: {problem}", where=f"worker {self.name}")

    def _framed(self, kind: int, body: bytes) -> None:
        """A frame from the worker."""
        if kind == ANSWERS and self._is_ready:
            self._listener.answered(self, decode_answers(body))
        elif kind == BEAT:
            self.sign_at = monotonic()
        elif kind == RETIRE:
            self._listener.should_retire(self, decode_text(body))
        elif kind == READY and not self._first.done():
            self._first.set_result(decode_ready(body))
        else:
            raise BrokenStream(f"frame of kind {kind} out of place")

    def _broken(self, problem: str) -> None:
        """The worker talks nonsense: it is killed, which closes the socket."""
        if not self._first.done():
            self._first.set_exception(BrokenStream(problem))
        else:
            self.kill(f"an answer that cannot be read: {problem}")

    def _closed(self) -> None:
        """The worker closed the socket."""
        self._has_closed = True
        if not self._first.done():
            self._first.set_exception(ConnectionResetError("the worker closed the socket"))
        elif self._is_ready:
            self._is_ready = False
            self._listener.lost(self)


def _spawn(descriptor: int, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    words = [str(descriptor), str(os.getpid())]
    return subprocess.Popen(
        # -P: a module in the current folder must not shadow one that a worker imports.
        [sys.executable, "-P", "-m", "tiergate_plugins.pools.worker", *words],
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        process_group=0,
    )


def _opening(name: str, tier: TierSpec, spec: PoolSpec) -> Open:
    return Open(
        name,
        tier.nice,
        spec.store,
        list(spec.store_plugins),
        list(spec.operation_plugins),
        spec.heartbeat_s,
        tier.memory_limit_bytes,
        spec.resident_tasks,
        spec.profiling,
    )


def _tail(errors: IO[bytes]) -> str:
    """The last line that was written to standard error."""
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - 4096))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
