"""Worker processes on this machine, one persistent Unix socket each, driven by one asyncio loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from tiergate.operation import Reply, Request
from tiergate.pool import (
    DeadlineExceeded,
    Overloaded,
    Pool,
    PoolError,
    PoolSpec,
    PoolUsage,
    Quarantined,
    WorkerDied,
)
from tiergate.routing import Choice, PoolView, WorkerView
from tiergate_plugins.pools.backlog import Backlog, Job, Queue
from tiergate_plugins.pools.crew import Crew, Slot, Tier
from tiergate_plugins.pools.deadlines import Deadlines
from tiergate_plugins.pools.expectations import Expectations
from tiergate_plugins.pools.frames import UNENCODABLE, BrokenStream, WireAnswer
from tiergate_plugins.pools.process import WorkerProcess
from tiergate_plugins.pools.suspects import STRIKES, Suspects, describe

CANCEL_GRACE_S = 0.1
"""A request that was taken back while it ran may go on for so long before its worker is killed."""

STACKS_S = 0.3
"""How long workers get to write their stacks."""


class LocalPool(Pool):
    """Workers are given requests in the order of their submission, the short ones several at once.

    A worker holds more than one request only while all of them together are expected to take no longer than
    `expectations.PREFETCH_NS`. The rest waits here, where it can be counted and refused. A request that is
    cancelled while it runs may end within `CANCEL_GRACE_S`; after that its worker is killed. One that passes
    its deadline while it runs has its worker killed at once.
    """

    def __init__(self, spec: PoolSpec) -> None:
        self._spec = spec
        self._crew = Crew(spec, self, self.log)
        self._backlog = Backlog()
        self._anywhere = Queue()
        self._expectations = Expectations()
        self._suspects = Suspects()
        self._deadlines = Deadlines(self._expire)
        self._submitted = 0
        self._is_full = False
        self._is_closed = False

    async def start(self) -> None:
        """Start the workers that stay; none is left running when one of them cannot start."""
        self._loop = asyncio.get_running_loop()
        self.log.restart()
        try:
            await self._crew.start()
        except BaseException:
            await self.close()
            raise

    def view(self) -> PoolView:
        """The workers that are ready, with what was assigned to each by name, and what each tier may have."""
        return PoolView(
            [
                WorkerView(
                    worker.name,
                    worker.tier.name,
                    len(worker.held) + len(worker.queue.jobs),
                    worker.left_s + worker.queue.left_s,
                )
                for worker in self._crew.ready.values()
            ],
            {name: len(tier.slots) for name, tier in self._crew.tiers.items() if tier.is_serving},
        )

    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        """As `submit_nowait`."""
        return await self.submit_nowait(request, choice, deadline_s=deadline_s)

    def submit_nowait(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Job:
        """Give a request to a worker or queue it; a worker that is still at it at the deadline is killed."""
        self._submitted += 1
        job = Job(request, choice, self._submitted, self._loop, self._taken_back)
        try:
            self._check(choice)
            if self._suspects.is_quarantined(request):
                raise self._quarantined(request, "it is refused")
            if deadline_s is not None and deadline_s <= 0:
                raise _too_late(request, deadline_s)
            job.encode()
            self._place(job)
        except PoolError as error:
            job.set_exception(error)
            return job
        except UNENCODABLE as error:
            job.set_exception(PoolError(f"the request cannot be sent: {error}"))
            return job
        if deadline_s is not None:
            self._deadlines.watch(job, deadline_s)
        return job

    def _check(self, choice: Choice) -> None:
        if self._is_closed or self.is_draining:
            raise WorkerDied("the pool is closed" if self._is_closed else "the pool is being drained")
        slot = None
        if choice.worker is not None:
            slot = self._crew.slots.get(choice.worker)
            if slot is None:
                raise _unknown("worker", choice.worker, self._crew.slots)
            if choice.tier not in (None, slot.tier.spec.name):
                raise PoolError(f"worker {choice.worker!r} is not of tier {choice.tier!r}")
        elif choice.tier is not None and choice.tier not in self._crew.tiers:
            raise _unknown("tier", choice.tier, sorted(self._crew.tiers))
        if all(tier.is_down for tier in self._tiers_of(choice)):
            raise WorkerDied("no worker is left")

    def _tiers_of(self, choice: Choice) -> Iterable[Tier]:
        """The tiers whose workers may serve a choice."""
        if choice.tier is not None:
            return (self._crew.tiers[choice.tier],)
        if choice.worker is not None:
            return (self._crew.slots[choice.worker].tier,)
        return self._crew.tiers.values()

    def _queue_of(self, choice: Choice) -> Queue:
        """Where a request of that choice waits: a worker that is gone leaves it to its tier."""
        if choice.worker is not None:
            worker = self._crew.ready.get(choice.worker)
            return worker.queue if worker is not None else self._crew.slots[choice.worker].tier.queue
        return self._crew.tiers[choice.tier].queue if choice.tier is not None else self._anywhere

    def _place(self, job: Job) -> None:
        """Give a new request to a worker that can take it, or queue it."""
        queue = self._queue_of(job.choice)
        worker = self._open_worker(job, queue)
        if worker is not None:
            self._give(worker, job)
            return
        if self._backlog.waiting >= self._spec.queue_limit:
            self._refuse()
        self._is_full = False
        self._backlog.add(queue, job)
        for tier in self._tiers_of(job.choice):
            if len(tier.ready) < len(tier.slots):
                self._crew.wanted(tier)

    def _refuse(self) -> None:
        # A flood of refusals is one event; each is counted.
        if self._is_full:
            self.log.count("overflow")
        else:
            self.log.note("overflow", "", f"{self._backlog.waiting} requests wait")
        self._is_full = True
        raise Overloaded(f"{self._spec.queue_limit} requests wait already", hint="send fewer, or later")

    def _open_worker(self, job: Job, queue: Queue) -> WorkerProcess | None:
        """The worker that can take a new request before nothing older: an idle one, else the least busy."""
        if queue.jobs or self._anywhere.jobs:
            return None
        choice = job.choice
        named = self._crew.ready.get(choice.worker) if choice.worker is not None else None
        if named is not None:
            tier_waits = self._crew.tiers[named.tier.name].queue.jobs
            return named if not tier_waits and self._has_room(named, job) else None
        best = None
        for tier in self._tiers_of(choice):
            if tier.queue.jobs:
                continue
            for worker in tier.ready:
                if worker.queue.jobs:
                    continue
                if not worker.held:
                    self._has_room(worker, job)
                    return worker
                if (best is None or worker.expected_ns < best.expected_ns) and self._has_room(worker, job):
                    best = worker
        return best

    def _has_room(self, worker: WorkerProcess, job: Job) -> bool:
        job.expected_ns = self._expectations.of(job)
        return self._expectations.fits(worker, job, self._loop)

    def _give(self, worker: WorkerProcess, job: Job) -> None:
        worker.give(job, self._loop.time())

    def _feed(self, worker: WorkerProcess) -> None:
        """Give a worker the oldest requests that it may take, as long as it has room."""
        if not self._backlog.waiting or worker.is_leaving:
            return
        queues = (worker.queue, self._crew.tiers[worker.tier.name].queue, self._anywhere)
        while True:
            heads = [head for queue in queues if (head := queue.head()) is not None]
            oldest = min(heads, key=_order, default=None)
            if oldest is None or not self._has_room(worker, oldest):
                return
            self._backlog.remove(oldest)
            self._give(worker, oldest)

    def answered(self, worker: WorkerProcess, answers: list[WireAnswer]) -> None:
        """A worker answered requests."""
        for answer in answers:
            job = worker.take(answer.id)
            if job is None:
                raise BrokenStream(f"an answer to request {answer.id}, which it was not given")
            worker.served += 1
            if answer.service_ns:
                self._expectations.saw(job.request.operation, answer.service_ns)
            if not job.done():
                self._suspects.cleared(job.request)
                job.set_result(
                    Reply(
                        job.request.id,
                        answer.result,
                        answer.failure,
                        answer.service_ns,
                        worker.name,
                        answer.store_ns,
                    )
                )
        worker.moved_at = self._loop.time()
        limit = worker.tier.recycle_after
        if limit is not None and worker.served >= limit:
            self._crew.recycle(worker, f"after {worker.served} requests")
        if worker.is_leaving and not worker.held:
            self._crew.dismiss(worker)
        else:
            self._feed(worker)

    def ready(self, worker: WorkerProcess) -> None:
        """A worker can be given requests."""
        self._feed(worker)

    def should_retire(self, worker: WorkerProcess, reason: str) -> None:
        """A worker says that it should be replaced."""
        self._crew.recycle(worker, reason)

    def _taken_back(self, job: Job) -> None:
        """Whoever waited for a request has cancelled it."""
        self.log.count("cancelled")
        self._release(job)

    def _expire(self, job: Job, deadline_s: float) -> None:
        job.set_exception(_too_late(job.request, deadline_s))
        worker: WorkerProcess | None = job.holder
        if worker is not None and worker.runs(job):
            self.log.note("deadline", worker.name, job.request.operation)
            worker.stop("a passed deadline")
        else:
            self.log.count("deadline")
            self._release(job)

    def _release(self, job: Job) -> None:
        """Nobody waits for a request any more."""
        if job.queue is not None:
            self._backlog.remove(job)
        elif job.holder is not None:
            job.holder.drop(job)
            self._loop.call_later(CANCEL_GRACE_S, self._stop, job)

    def _stop(self, job: Job) -> None:
        """End a request that was taken back and goes on all the same."""
        worker: WorkerProcess | None = job.holder
        if worker is None:
            return
        if worker.runs(job):
            self.log.note("cancelled-work", worker.name, job.request.operation)
            worker.stop("a cancelled request")
        else:
            self._loop.call_later(CANCEL_GRACE_S, self._stop, job)

    def lost(self, worker: WorkerProcess) -> None:
        """A worker has gone."""
        self._crew.lost(worker)

    def orphaned(self, worker: WorkerProcess) -> Job | None:
        """Move what a worker that has gone had not begun, and what waits for it, to others at once."""
        held = worker.take_all()
        moved = [job for job in held[1:] if not job.done()]
        if worker.name not in self._crew.ready:
            moved += self._backlog.take_all(worker.queue)
        self._requeue(moved)
        return held[0] if held and not held[0].done() else None

    def _requeue(self, jobs: list[Job]) -> None:
        """Put requests back in the order of their submission; workers that are free take them."""
        queues: dict[int, tuple[Queue, list[Job]]] = {}
        for job in jobs:
            queue = self._queue_of(job.choice)
            queues.setdefault(id(queue), (queue, []))[1].append(job)
        for queue, same in queues.values():
            self._backlog.put_back(queue, same)
        for worker in list(self._crew.ready.values()):
            self._feed(worker)
        for job in jobs:
            for tier in self._tiers_of(job.choice):
                if job.queue is not None and tier.is_down:
                    self._fail_waiting(tier, f"no worker of tier {tier.spec.name} is left")
                elif job.queue is not None:
                    self._crew.wanted(tier)

    def buried(self, worker: WorkerProcess, victim: Job | None, status: str) -> None:
        """It is known how a worker ended: try what it was at once more, or say that it failed."""
        if victim is None or victim.done():
            return
        request = victim.request
        victim.strikes = max(victim.strikes + 1, self._suspects.strike(request))
        if victim.strikes >= STRIKES:
            self.log.note("quarantined", worker.name, describe(request))
            victim.set_exception(self._quarantined(request, f"the last, {worker.name}, {status}"))
        elif self._is_closed or not _may_repeat(request, worker):
            victim.set_exception(
                WorkerDied(f"worker {worker.name} ended ({status}) during {request.operation}")
            )
        else:
            self.log.note("retry", worker.name, request.operation)
            self._requeue([victim])

    def _quarantined(self, request: Request, more: str) -> Quarantined:
        return Quarantined(
            f"{describe(request)} ended {STRIKES} workers: {more}",
            hint="change the request, or the operation",
        )

    def gone_down(self, slot: Slot) -> None:
        """Go on without a worker; requests that only it could serve fail."""
        if slot.tier.is_down:
            self._fail_waiting(slot.tier, f"worker {slot.name} could not be replaced")

    def _fail_waiting(self, tier: Tier, message: str) -> None:
        queues = [tier.queue, *(slot.queue for slot in tier.slots)]
        if all(other.is_down for other in self._crew.tiers.values()):
            queues.append(self._anywhere)
        for queue in queues:
            for job in self._backlog.take_all(queue):
                job.set_exception(WorkerDied(message))

    def longest_wait_s(self, tier: Tier) -> float:
        """How long the oldest request that a tier could serve has waited."""
        queues = (self._anywhere, tier.queue, *(slot.queue for slot in tier.slots))
        heads = [head for queue in queues if (head := queue.head()) is not None]
        return self._loop.time() - min(heads, key=_order).since if heads else 0.0

    def unanswered(self) -> int:
        """Requests that wait or run."""
        return self._backlog.waiting + sum(len(worker.held) for worker in self._crew.living())

    async def stacks(self) -> Mapping[str, str]:
        """Those of every worker that is ready, also of one that hangs."""
        workers = list(self._crew.ready.values())
        asked = [(worker, worker.ask_for_stacks()) for worker in workers]
        await asyncio.sleep(STACKS_S)
        return {worker.name: worker.told_since(position) for worker, position in asked}

    async def close(self) -> PoolUsage:
        """End every worker; a request that was running or waiting raises `WorkerDied`."""
        self._is_closed = True
        self._deadlines.close()
        queues = [self._anywhere]
        queues += [tier.queue for tier in self._crew.tiers.values()]
        queues += [slot.queue for slot in self._crew.slots.values()]
        waiting = [job for queue in queues for job in self._backlog.take_all(queue)]
        running = [job for worker in self._crew.living() for job in worker.held.values()]
        for job in (*waiting, *running):
            if not job.done():
                job.set_exception(WorkerDied("the pool was closed"))
        return await self._crew.close()


def _order(job: Job) -> int:
    return job.order


def _may_repeat(request: Request, worker: WorkerProcess) -> bool:
    """Whether a request that may have been carried out already can be given to another worker."""
    if request.operation not in worker.ready.writing:
        return True
    return request.key is not None and worker.ready.knows_keys


def _too_late(request: Request, deadline_s: float) -> DeadlineExceeded:
    return DeadlineExceeded(f"{request.operation} took longer than {deadline_s:g} s")


def _unknown(kind: str, name: str, known: Iterable[str]) -> PoolError:
    return PoolError(f"the pool has no {kind} {name!r}", hint=f"known: {', '.join(known)}")
