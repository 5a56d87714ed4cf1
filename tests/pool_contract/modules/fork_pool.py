"""A pool that forks for every request: small, slow, and nothing like the local one. And ways to break it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

import msgspec

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
    WorkerFailedToStart,
)
from tiergate.routing import Choice, PoolView, WorkerView
from tiergate.worker import open_service


@dataclass
class Slot:
    name: str
    tier: str
    pid: int = 0
    busy: bool = False
    waiting: int = 0
    left_s: float = 0.0


class Sound(Pool):
    def __init__(self, spec: PoolSpec) -> None:
        self.spec = spec
        self.slots = [
            Slot(f"{tier.name}-{number}", tier.name) for tier in spec.tiers for number in range(tier.workers)
        ]
        self.queue: list[tuple[Choice, asyncio.Future[Slot]]] = []
        self.running: dict[int, asyncio.Future[bytes]] = {}
        self.open = 0
        self.closed = False
        self.deadly: set[bytes] = set()
        self.cpu_s = self.worker_s = 0.0

    async def start(self) -> None:
        try:
            service = self.service()
        except Exception as error:
            raise WorkerFailedToStart(f"cannot start: {error}") from error
        self.writing = service.writing()
        service.close()
        for slot in self.slots:
            self.log.note("spawn", slot.name)

    def service(self):
        return open_service(self.spec.store, self.spec.store_plugins, self.spec.operation_plugins)

    def view(self) -> PoolView:
        return PoolView([WorkerView(s.name, s.tier, s.waiting, s.left_s) for s in self.slots])

    def unanswered(self) -> int:
        return self.open

    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        self.check(request, choice)
        self.open += 1
        named = [slot for slot in self.slots if slot.name == choice.worker]
        for slot in named:
            slot.waiting += 1
            slot.left_s += choice.estimate_s
        try:
            async with asyncio.timeout(deadline_s):
                return await self.serve(request, choice)
        except TimeoutError:
            self.log.count("deadline")
            raise DeadlineExceeded(f"{request.operation} took longer than {deadline_s} s") from None
        finally:
            self.open -= 1
            for slot in named:
                slot.waiting -= 1
                slot.left_s -= choice.estimate_s

    def check(self, request: Request, choice: Choice) -> None:
        if self.closed or self.is_draining:
            raise WorkerDied("the pool is closed or draining")
        if not any(fits(slot, choice) for slot in self.slots):
            raise PoolError("no such worker")
        try:
            mark = msgspec.msgpack.encode((request.operation, request.session, request.arguments))
        except TypeError as error:
            raise PoolError(f"cannot be sent: {error}") from error
        if mark in self.deadly:
            raise Quarantined(f"{request.operation} ended two workers")
        if len(self.queue) >= self.spec.queue_limit and all(slot.busy for slot in self.slots):
            self.log.note("overflow")
            raise Overloaded("the queue is full")

    async def serve(self, request: Request, choice: Choice) -> Reply:
        slot = await self.take(choice)
        try:
            for _ in range(2):
                reply = await self.fork(request, slot)
                if reply is not None:
                    return reply
                if self.closed or not self.may_repeat(request):
                    raise WorkerDied(f"the worker ended during {request.operation}")
                self.log.note("retry", slot.name)
            return self.quarantine(request)
        finally:
            slot.busy = False
            self.hand_over()

    def quarantine(self, request: Request) -> Reply:
        self.deadly.add(msgspec.msgpack.encode((request.operation, request.session, request.arguments)))
        raise Quarantined(f"{request.operation} ended two workers")

    def may_repeat(self, request: Request) -> bool:
        return request.operation not in self.writing or request.key is not None

    async def take(self, choice: Choice) -> Slot:
        future: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self.queue.append((choice, future))
        self.hand_over()
        try:
            return await future
        except BaseException:
            if future.done() and not future.cancelled() and not future.exception():
                future.result().busy = False
            self.queue = [entry for entry in self.queue if entry[1] is not future]
            self.hand_over()
            raise

    def hand_over(self) -> None:
        for entry in list(self.queue):
            choice, future = entry
            free = next((s for s in self.slots if not s.busy and fits(s, choice)), None)
            if free is not None and not future.done():
                free.busy = True
                future.set_result(free)
                self.queue.remove(entry)

    async def fork(self, request: Request, slot: Slot) -> Reply | None:
        reads, writes = os.pipe()
        began = monotonic()
        pid = os.fork()
        if not pid:
            self.child(request, slot, writes)
        os.close(writes)
        slot.pid = pid
        loop = asyncio.get_running_loop()
        answer = self.running[pid] = loop.create_future()
        parts: list[bytes] = []

        def readable() -> None:
            data = os.read(reads, 65536)
            parts.append(data)
            if not data and not answer.done():
                answer.set_result(b"".join(parts))

        loop.add_reader(reads, readable)
        try:
            body = await answer
        finally:
            loop.remove_reader(reads)
            os.close(reads)
            del self.running[pid]
            self.stop(pid)
            _, status, usage = os.wait4(pid, 0)
            self.cpu_s += usage.ru_utime + usage.ru_stime
            self.worker_s += monotonic() - began
        if body:
            return msgspec.msgpack.decode(body, type=Reply)
        self.log.note("exit", slot.name, f"status {os.waitstatus_to_exitcode(status)}")
        self.log.note("spawn", slot.name)
        return None

    def stop(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def child(self, request: Request, slot: Slot, writes: int) -> None:
        with self.service() as service:
            reply = msgspec.structs.replace(service.handle(request), worker=slot.name)
        data = msgspec.msgpack.encode(reply)
        while data:
            data = data[os.write(writes, data) :]
        os._exit(0)

    async def close(self) -> PoolUsage:
        self.closed = True
        for _, future in self.queue:
            if not future.done():
                future.set_exception(WorkerDied("the pool was closed"))
        for pid, answer in self.running.items():
            self.stop(pid)
            if not answer.done():
                answer.set_exception(WorkerDied("the pool was closed"))
        while self.running:
            await asyncio.sleep(0.01)
        return PoolUsage(cpu_s=self.cpu_s, peak_rss_bytes=1, worker_seconds=self.worker_s)


def fits(slot: Slot, choice: Choice) -> bool:
    return choice.tier in (None, slot.tier) and choice.worker in (None, slot.name)


class ForgetsTheWork(Sound):
    def stop(self, pid: int) -> None:
        if self.closed:
            super().stop(pid)


class TakesEverything(Sound):
    def check(self, request: Request, choice: Choice) -> None:
        try:
            super().check(request, choice)
        except Overloaded:
            return


class RaisesRefusals(Sound):
    async def serve(self, request: Request, choice: Choice) -> Reply:
        reply = await super().serve(request, choice)
        if reply.failure is not None:
            raise PoolError(reply.failure.message)
        return reply


class NamesNobody(Sound):
    async def serve(self, request: Request, choice: Choice) -> Reply:
        return msgspec.structs.replace(await super().serve(request, choice), worker="somebody")


class IgnoresChoices(Sound):
    async def take(self, choice: Choice) -> Slot:
        return await super().take(Choice())


class RepeatsWrites(Sound):
    def may_repeat(self, request: Request) -> bool:
        return True


class TriesForEver(Sound):
    def quarantine(self, request: Request) -> Reply:
        raise WorkerDied("again")


class ForgetsKeys(Sound):
    async def serve(self, request: Request, choice: Choice) -> Reply:
        return await super().serve(msgspec.structs.replace(request, key=None), choice)


class TellsNobody(Sound):
    def subscribe(self, callback):
        return lambda: None


class DrainsOnly(Sound):
    def check(self, request: Request, choice: Choice) -> None:
        self.is_draining, before = False, self.is_draining
        super().check(request, choice)
        self.is_draining = before


class LastFirst(Sound):
    def hand_over(self) -> None:
        self.queue.reverse()
        super().hand_over()


class ReadsOldCounts(Sound):
    """Keeps what each worker read, as a cache that asks nobody."""

    async def serve(self, request: Request, choice: Choice) -> Reply:
        kept = self.__dict__.setdefault("kept", {})
        if request.operation == "look" and choice.worker in kept:
            return msgspec.structs.replace(kept[choice.worker], id=request.id)
        reply = await super().serve(request, choice)
        if request.operation == "look" and choice.worker is not None:
            kept[choice.worker] = reply
        return reply


def every() -> Iterator[type[Sound]]:
    yield Sound
    yield from Sound.__subclasses__()
