"""The workers of a local pool: started, replaced, grown and shrunk, and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from tiergate.pool import EventLog, PoolSpec, PoolUsage, TierSpec, WorkerFailedToStart
from tiergate_plugins.pools.backlog import Job, Queue
from tiergate_plugins.pools.process import LOST_GRACE_S, Ended, Listener, WorkerProcess
from tiergate_plugins.pools.signs import Signs

RESPAWN_ATTEMPTS = 5
"""Failures in a row after which requests do not wait for a worker any more; it is still tried, rarely."""

RESPAWN_BACKOFF_S = 0.05
"""Pause after the first failure; it doubles with each further one."""

LONGEST_BACKOFF_S = 5.0

STEADY_S = 10.0
"""A worker that lived for so long, or served anything, did not fail."""

SPAWN_AFTER_S = 0.02
"""A request that has waited so long calls for another worker, where there may be one more."""


@dataclass(slots=True, eq=False)
class Slot:
    """A place for a worker: its name, which outlives the process.

    Attributes:
        queue: requests that wait for this name.
        failures: in a row; see `STEADY_S`.
        is_starting: a worker for it is on its way.
        is_down: it failed `RESPAWN_ATTEMPTS` times.
    """

    name: str
    tier: Tier
    queue: Queue = field(default_factory=Queue)
    failures: int = 0
    is_starting: bool = False
    is_down: bool = False


@dataclass(slots=True, eq=False)
class Tier:
    """A tier: its specification, its places, and what waits for any of them.

    Attributes:
        ready: its workers that can be given requests.
    """

    spec: TierSpec
    queue: Queue = field(default_factory=Queue)
    slots: list[Slot] = field(default_factory=list)
    ready: list[WorkerProcess] = field(default_factory=list)
    growth: asyncio.TimerHandle | None = None

    @property
    def is_down(self) -> bool:
        """Whether none of its places has a worker, or will soon: the one that was tried failed too often."""
        tried = [slot for slot in self.slots if slot.is_down or slot.is_starting]
        return not self.ready and (not self.slots or (bool(tried) and all(slot.is_down for slot in tried)))

    @property
    def is_serving(self) -> bool:
        """Whether to send requests here: a worker is ready, or none is kept and one starts on demand.

        A tier that keeps workers and has none is replacing them; meanwhile others do better than to wait.
        """
        return bool(self.ready) or (not self.spec.resident and bool(self.slots) and not self.is_down)


class Owner(Listener, Protocol):
    """Who the workers work for."""

    def ready(self, worker: WorkerProcess) -> None:
        """A worker can be given requests."""

    def orphaned(self, worker: WorkerProcess) -> Job | None:
        """A worker has gone: see to what it held, and return what it was at."""

    def buried(self, worker: WorkerProcess, victim: Job | None, status: str) -> None:
        """It is known how a worker ended."""

    def gone_down(self, slot: Slot) -> None:
        """A place could not be filled."""

    def longest_wait_s(self, tier: Tier) -> float:
        """How long a request that the tier could serve has waited."""


class Crew:
    """Keeps as many workers as the tiers ask for.

    Attributes:
        slots: every place, by name.
        ready: workers that can be given requests, by name.
    """

    def __init__(self, spec: PoolSpec, owner: Owner, log: EventLog) -> None:
        self._spec = spec
        self._owner = owner
        self._log = log
        self.tiers = {tier.name: Tier(tier) for tier in spec.tiers}
        self.slots: dict[str, Slot] = {}
        for tier in self.tiers.values():
            for number in range(1, tier.spec.workers + 1):
                slot = Slot(f"{tier.spec.name}-{number}", tier)
                tier.slots.append(slot)
                self.slots[slot.name] = slot
        self.ready: dict[str, WorkerProcess] = {}
        self._leaving: set[WorkerProcess] = set()
        self._ended: list[Ended] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._burials: set[asyncio.Task[None]] = set()
        self._signs = Signs(spec.heartbeat_s)
        self._look: asyncio.TimerHandle | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Start the workers that stay; none is left running when one of them cannot start."""
        resident = [slot for tier in self.tiers.values() for slot in tier.slots[: tier.spec.resident]]
        results = await asyncio.gather(*(self._start(slot) for slot in resident), return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            raise failed[0]
        self._look_later()

    async def _start(self, slot: Slot) -> None:
        """Start a worker and have it take the place of the one that is there."""
        worker = WorkerProcess(slot.name, slot.tier.spec, slot.queue, self._owner)
        slot.is_starting = True
        try:
            await worker.start(self._spec)
        finally:
            slot.is_starting = False
        slot.is_down = False
        before = self.ready.get(slot.name)
        if before is not None:
            self._leave(before)
        self.ready[slot.name] = worker
        slot.tier.ready.append(worker)
        self._log.note("spawn", slot.name, f"pid {worker.pid}")
        self._owner.ready(worker)

    def _fill(self, slot: Slot) -> None:
        """Start a worker in the background, again and again until it is ready."""
        if not slot.is_starting and not self._is_closing:
            slot.is_starting = True
            self._run(self._keep_trying(slot), self._starting)

    async def _keep_trying(self, slot: Slot) -> None:
        while True:
            slot.is_starting = True
            if slot.failures:
                await asyncio.sleep(min(LONGEST_BACKOFF_S, RESPAWN_BACKOFF_S * 2 ** (slot.failures - 1)))
            try:
                await self._start(slot)
            except WorkerFailedToStart as error:
                self._log.note("start-failed", slot.name, str(error))
                self._failed(slot)
            else:
                return

    def _failed(self, slot: Slot) -> None:
        slot.failures += 1
        if slot.failures >= RESPAWN_ATTEMPTS and not slot.is_down and slot.name not in self.ready:
            slot.is_down = True
            self._log.note("given-up", slot.name)
            self._owner.gone_down(slot)

    def lost(self, worker: WorkerProcess) -> None:
        """A worker has closed its socket."""
        slot = self.slots[worker.name]
        if self.ready.get(worker.name) is worker:
            self._withdraw(worker)
            if worker.served or worker.was_stopped or worker.age_s > STEADY_S:
                slot.failures = 0
            else:
                self._failed(slot)
            self._fill(slot)
        self._leaving.discard(worker)
        victim = self._owner.orphaned(worker)
        self._run(self._bury(worker, victim), self._burials)

    async def _bury(self, worker: WorkerProcess, victim: Job | None) -> None:
        ended = await worker.end(grace_s=LOST_GRACE_S)
        self._ended.append(ended)
        self._log.note("exit", worker.name, ended.status)
        self._owner.buried(worker, victim, ended.status)

    def _leave(self, worker: WorkerProcess) -> None:
        """Give a worker no more requests; it ends when it has answered what it holds."""
        self._withdraw(worker)
        self._leaving.add(worker)
        if not worker.held:
            self.dismiss(worker)

    def _withdraw(self, worker: WorkerProcess) -> None:
        worker.is_leaving = True
        self.ready.pop(worker.name, None)
        self.slots[worker.name].tier.ready.remove(worker)

    def living(self) -> list[WorkerProcess]:
        """All workers that may hold requests."""
        return [*self.ready.values(), *self._leaving]

    def dismiss(self, worker: WorkerProcess) -> None:
        """End a worker that was to leave and holds nothing any more."""
        if worker in self._leaving:
            self._leaving.discard(worker)
            # At once: were its end seen before the burial begins, it would be buried twice.
            worker.hang_up()
            self._run(self._bury_quietly(worker), self._burials)

    async def _bury_quietly(self, worker: WorkerProcess) -> None:
        ended = await worker.end()
        self._ended.append(ended)
        self._log.note("exit", worker.name, ended.status)

    def recycle(self, worker: WorkerProcess, reason: str) -> None:
        """Replace a worker; it serves until its successor is ready."""
        slot = self.slots[worker.name]
        if self.ready.get(worker.name) is worker and not slot.is_starting and worker.served:
            self._log.note("recycle", worker.name, reason)
            slot.failures = 0
            self._fill(slot)

    def wanted(self, tier: Tier) -> None:
        """A request waits that this tier could serve: see whether it needs one more worker."""
        spare = next(self._spare(tier), None)
        if spare is None:
            return
        if not tier.ready and not any(slot.is_starting for slot in tier.slots):
            self._fill(spare)
        elif tier.growth is None:
            tier.growth = asyncio.get_running_loop().call_later(SPAWN_AFTER_S, self._grow, tier)

    def _grow(self, tier: Tier) -> None:
        tier.growth = None
        waited_s = self._owner.longest_wait_s(tier)
        if waited_s >= SPAWN_AFTER_S and not any(slot.is_starting for slot in tier.slots):
            for slot in list(self._spare(tier))[:1]:
                self._fill(slot)
        if waited_s > 0:
            self.wanted(tier)

    def _spare(self, tier: Tier) -> Iterator[Slot]:
        return (slot for slot in tier.slots if slot.name not in self.ready and not slot.is_starting)

    def _look_later(self) -> None:
        pause_s = (
            min([self._spec.heartbeat_s, *(tier.idle_timeout_s or 1e9 for tier in self._spec.tiers)]) / 2
        )
        self._look = asyncio.get_running_loop().call_later(max(0.01, pause_s), self._look_after)

    def _look_after(self) -> None:
        """End what hangs, and what has had no work for long."""
        for worker in self._signs.hung(self.living()):
            self._log.note("hung", worker.name, f"no sign of life for {self._signs.patience_s:g} s")
            worker.kill("giving no sign of life")
        now = asyncio.get_running_loop().time()
        for tier in self.tiers.values():
            limit_s = tier.spec.idle_timeout_s
            if limit_s is None:
                continue
            for worker in list(tier.ready):
                idle = not worker.held and now - worker.moved_at > limit_s
                if idle and len(tier.ready) > tier.spec.resident:
                    self._log.note("idle", worker.name)
                    self._leave(worker)
        self._look_later()

    def _run(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def close(self) -> PoolUsage:
        """End every worker, those that are busy at once."""
        self._is_closing = True
        timers = [self._look, *(tier.growth for tier in self.tiers.values())]
        for timer in timers:
            if timer is not None:
                timer.cancel()
        starting = list(self._starting)
        for task in starting:
            task.cancel()
        for worker in self.living():
            worker.hang_up()
        await asyncio.gather(*starting, *self._burials, return_exceptions=True)
        workers = self.living()
        self.ready.clear()
        self._leaving.clear()
        self._ended += await asyncio.gather(*(worker.end(kill=bool(worker.held)) for worker in workers))
        return PoolUsage(
            cpu_s=sum(ended.cpu_s for ended in self._ended),
            peak_rss_bytes=sum(ended.peak_rss_bytes for ended in self._ended),
            worker_seconds=sum(ended.ready_s for ended in self._ended),
        )
