"""Worker processes on this machine, one persistent Unix socket each, driven by one asyncio loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from time import monotonic
from typing import Any

from tiergate.operation import Reply, Request
from tiergate.pool import (
    DeadlineExceeded,
    Overloaded,
    Pool,
    PoolError,
    PoolEvent,
    PoolSpec,
    PoolUsage,
    WorkerDied,
    WorkerFailedToStart,
)
from tiergate.routing import Choice, PoolView, WorkerView
from tiergate_plugins.pools.backlog import Backlog, Job
from tiergate_plugins.pools.process import Ended, WorkerProcess

RESPAWN_ATTEMPTS = 5
"""Starts in a row that may fail before a worker is given up."""

RESPAWN_BACKOFF_S = 0.05
"""Pause after the first failed start; it doubles with each further one."""


class LocalPool(Pool):
    """One request at a time per worker; the rest waits in the parent, where it can be counted and refused."""

    def __init__(self, spec: PoolSpec) -> None:
        self._spec = spec
        self._backlog = Backlog()
        self._workers: dict[str, WorkerProcess] = {}
        self._running: dict[str, Job] = {}
        self._events: list[PoolEvent] = []
        self._ended: list[Ended] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._submitted = 0
        self._closing = False
        self._names = {
            f"{tier.name}-{number}": tier for tier in spec.tiers for number in range(1, tier.workers + 1)
        }
        self._started_at = monotonic()

    async def start(self) -> None:
        """Start every worker; none is left running when one of them cannot start."""
        self._started_at = monotonic()
        try:
            results = await asyncio.gather(
                *(self._start(name) for name in self._names), return_exceptions=True
            )
        except asyncio.CancelledError:
            await self.close()
            raise
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            await self.close()
            raise failed[0]

    async def _start(self, name: str) -> None:
        worker = WorkerProcess(name, self._names[name], self._replied, self._lost)
        await worker.start(self._spec)
        self._workers[name] = worker
        self._note("spawn", name)
        if self._closing:
            return
        self._give_work(worker)

    def view(self) -> PoolView:
        """The workers that are ready, with what was assigned to each of them by name."""
        return PoolView([self._view_of(worker) for worker in self._workers.values()])

    def _view_of(self, worker: WorkerProcess) -> WorkerView:
        jobs = self._backlog.of_worker(worker.name)
        running = self._running.get(worker.name)
        if running is not None:
            jobs.append(running)
        work_left_s = sum(job.choice.estimate_s for job in jobs)
        return WorkerView(worker.name, worker.tier.name, len(jobs), work_left_s)

    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        """Queue a request and wait for its reply; a worker that is still at it at the deadline is killed."""
        self._check(choice)
        loop = asyncio.get_running_loop()
        self._submitted += 1
        job = Job(request, choice, loop.create_future(), self._submitted)
        worker = self._idle_worker(choice)
        if worker is not None:
            self._give(worker, job)
        elif len(self._backlog) >= self._spec.queue_limit:
            raise Overloaded(f"{self._spec.queue_limit} requests wait already", hint="send fewer, or later")
        else:
            self._backlog.add(job)
        timer = None
        if deadline_s is not None:
            timer = loop.call_later(deadline_s, self._expire, job, deadline_s)
        try:
            return await job.answer
        finally:
            if timer is not None:
                timer.cancel()

    def _check(self, choice: Choice) -> None:
        if self._closing or not self._names:
            raise WorkerDied("the pool is closed" if self._closing else "no worker is left")
        if choice.worker is not None and choice.worker not in self._names:
            raise PoolError(
                f"the pool has no worker {choice.worker!r}", hint=f"known: {', '.join(self._names)}"
            )
        tiers = {tier.name for tier in self._names.values()}
        if choice.tier is not None and choice.tier not in tiers:
            raise PoolError(
                f"the pool has no tier {choice.tier!r}", hint=f"known: {', '.join(sorted(tiers))}"
            )
        if choice.worker is not None and choice.tier not in (None, self._names[choice.worker].name):
            raise PoolError(f"worker {choice.worker!r} is not of tier {choice.tier!r}")

    def _idle_worker(self, choice: Choice) -> WorkerProcess | None:
        for worker in self._workers.values():
            wanted = choice.worker in (None, worker.name) and choice.tier in (None, worker.tier.name)
            if wanted and worker.name not in self._running:
                return worker
        return None

    def _give(self, worker: WorkerProcess, job: Job) -> None:
        try:
            worker.send(job.request)
        except Exception as error:
            job.answer.set_exception(PoolError(f"the request cannot be sent: {error}"))
            return
        self._running[worker.name] = job

    def _give_work(self, worker: WorkerProcess) -> None:
        while worker.name not in self._running:
            job = self._backlog.take(worker.name, worker.tier.name)
            if job is None:
                return
            self._give(worker, job)

    def _replied(self, worker: WorkerProcess, reply: Reply) -> None:
        job = self._running.pop(worker.name, None)
        if job is not None and job.is_open:
            job.answer.set_result(reply)
        self._give_work(worker)

    def _expire(self, job: Job, deadline_s: float) -> None:
        if not job.is_open:
            return
        job.answer.set_exception(
            DeadlineExceeded(f"{job.request.operation} took longer than {deadline_s:g} s")
        )
        for name, running in self._running.items():
            if running is job:
                self._note("deadline", name, job.request.operation)
                self._workers[name].kill()

    def _lost(self, worker: WorkerProcess) -> None:
        if self._workers.pop(worker.name, None) is None:
            return  # `close` ends it already
        self._in_background(self._replace(worker, self._running.pop(worker.name, None)))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _replace(self, worker: WorkerProcess, job: Job | None) -> None:
        ended = await worker.end()
        self._ended.append(ended)
        self._note("exit", worker.name, ended.status)
        if job is not None and job.is_open:
            job.answer.set_exception(
                WorkerDied(f"worker {worker.name} ended ({ended.status}) during {job.request.operation}")
            )
        for attempt in range(RESPAWN_ATTEMPTS):
            if self._closing:
                return
            try:
                await self._start(worker.name)
            except WorkerFailedToStart as error:
                self._note("start-failed", worker.name, str(error))
                await asyncio.sleep(RESPAWN_BACKOFF_S * 2**attempt)
            else:
                return
        self._give_up(worker.name)

    def _give_up(self, name: str) -> None:
        """Go on without a worker; requests that only it could serve fail."""
        del self._names[name]
        tiers = {tier.name for tier in self._names.values()}
        waiting = self._backlog.drain()
        for job in waiting:
            lost_tier = job.choice.tier is not None and job.choice.tier not in tiers
            if job.choice.worker == name or lost_tier or not self._names:
                job.answer.set_exception(WorkerDied(f"worker {name} could not be replaced"))
            else:
                self._backlog.add(job)

    def events(self) -> Sequence[PoolEvent]:
        """Every start, end and replacement so far."""
        return tuple(self._events)

    def _note(self, kind: str, worker: str, detail: str = "") -> None:
        self._events.append(PoolEvent(round(monotonic() - self._started_at, 6), kind, worker, detail))

    async def close(self) -> PoolUsage:
        """End every worker; a request that was running or waiting raises `WorkerDied`."""
        self._closing = True
        for job in (*self._backlog.drain(), *self._running.values()):
            if job.is_open:
                job.answer.set_exception(WorkerDied("the pool was closed"))
        # One that was being replaced can end again meanwhile.
        while self._tasks:
            await asyncio.wait(self._tasks)
        workers = list(self._workers.values())
        busy = set(self._running)
        self._workers.clear()
        self._running.clear()
        self._ended += await asyncio.gather(*(worker.end(kill=worker.name in busy) for worker in workers))
        return PoolUsage(
            cpu_s=sum(ended.cpu_s for ended in self._ended),
            peak_rss_bytes=sum(ended.peak_rss_bytes for ended in self._ended),
            worker_seconds=sum(ended.ready_s for ended in self._ended),
        )
