"""A worker process of the local pool: opens the store, then answers requests one after the other.

It ends when the parent closes the socket, so that no worker outlives its parent, whatever kills it. On Linux
the kernel kills it together with the parent; elsewhere a request that is still running then has
`ORPHAN_GRACE_S` seconds to end.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
from collections import deque
from time import perf_counter_ns

from tiergate.operation import Failure, Reply
from tiergate.worker import Service, open_service
from tiergate_plugins.pools.frames import (
    ANSWERS,
    DROP,
    OPEN,
    READY,
    REQUESTS,
    UNENCODABLE,
    BrokenStream,
    FrameCutter,
    Open,
    Ready,
    WireRequest,
    check_size,
    decode_ids,
    decode_open,
    decode_requests,
    encode,
    frame,
    frame_of,
)
from tiergate_plugins.pools.worker_life import (
    MemoryLimit,
    Sender,
    die_with_parent,
    silence,
    watch,
)

READ_BYTES = 64 * 1024

FLUSH_NS = 100_000
"""Answers wait for others at most about that long."""


class Server:
    """Takes requests from the socket, serves them in order, and answers several at once.

    The parent takes the oldest request without an answer for the one that runs. So all answers before a
    write are sent before it begins, and its own before anything else begins: what the parent gives to another
    worker after a crash has not been done here.
    """

    def __init__(
        self, connection: socket.socket, sender: Sender, service: Service, memory: MemoryLimit
    ) -> None:
        self._connection = connection
        self._sender = sender
        self._service = service
        self._memory = memory
        self._writing = frozenset(service.writing())
        self._cutter = FrameCutter()
        self._waiting: deque[WireRequest] = deque()
        self._dropped: set[int] = set()
        self._answers: list[bytes] = []
        self._oldest_ns = 0

    def run(self) -> None:
        """Serve until the parent closes the socket."""
        while True:
            if not self._waiting:
                self._flush()
                self._memory.look()
                if not self._receive():
                    return
                continue
            request = self._waiting.popleft()
            if request.id in self._dropped:
                self._dropped.discard(request.id)
                self._add(encode((request.id, None, Failure("Dropped", ""), 0)))
            elif not self._serve(request):
                return

    def _serve(self, request: WireRequest) -> bool:
        """Serve one request; False when the parent has closed the socket."""
        writes = request.operation in self._writing
        if writes:
            self._flush()
        self._add(_encoded(self._service.handle(request)))
        if writes or perf_counter_ns() - self._oldest_ns > FLUSH_NS:
            self._flush()
            return not self._waiting or self._receive(socket.MSG_DONTWAIT)
        return True

    def _add(self, answer: bytes) -> None:
        if not self._answers:
            self._oldest_ns = perf_counter_ns()
        self._answers.append(answer)

    def _flush(self) -> None:
        if self._answers:
            self._sender.send(frame_of(ANSWERS, self._answers))
            self._answers.clear()

    def _receive(self, flags: int = 0) -> bool:
        """Take in what the parent sent; False when it has closed the socket."""
        try:
            data = self._connection.recv(READ_BYTES, flags)
        except BlockingIOError:
            return True
        if not data:
            return False
        for kind, body in self._cutter.feed(data):
            if kind == REQUESTS:
                self._waiting.extend(decode_requests(body))
            elif kind == DROP:
                unstarted = {request.id for request in self._waiting}
                self._dropped.update(unstarted.intersection(decode_ids(body)))
        return True


def _encoded(reply: Reply) -> bytes:
    try:
        return check_size(encode((reply.id, reply.result, reply.failure, reply.service_ns, reply.store_ns)))
    except UNENCODABLE as error:
        failure = Failure("ResultNotEncodable", f"the result cannot be sent: {error}")
        return encode((reply.id, None, failure, reply.service_ns))


def main(descriptor: int, parent: int) -> int:
    """Serve the socket with that file descriptor until it is closed."""
    die_with_parent(parent)
    # Ctrl-C reaches the whole terminal group; the parent decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connection:
        sender = Sender(connection)
        opening = _first_frame(connection)
        if opening is None:
            return 0
        memory = MemoryLimit(opening.memory_limit_bytes, sender)
        watch(descriptor, sender, memory, opening.heartbeat_s)
        try:
            service = _open(opening)
        except Exception as error:
            problem = " ".join(f"{type(error).__name__}: {error}".split())
            sender.send(frame(READY, Ready(problem)))
            return 1
        with service:
            # What the parent reads when it is asked what the workers are at; set before it can ask.
            faulthandler.register(signal.SIGUSR1, file=os.dup(sys.stderr.fileno()), all_threads=True)
            silence()
            server = Server(connection, sender, service, memory)
            sender.send(frame(READY, Ready("", service.writing(), service.knows_keys)))
            memory.begin()
            server.run()
    return 0


def _first_frame(connection: socket.socket) -> Open | None:
    cutter = FrameCutter()
    while data := connection.recv(READ_BYTES):
        for kind, body in cutter.feed(data):
            if kind != OPEN:
                raise BrokenStream(f"frame of kind {kind} before the first")
            return decode_open(body)
    return None


def _open(opening: Open) -> Service:
    if opening.nice:
        os.nice(opening.nice)
    return open_service(
        opening.store,
        opening.store_plugins,
        opening.operation_plugins,
        worker=opening.worker,
        resident_tasks=opening.resident_tasks,
        profiling=opening.profiling,
    )


if __name__ == "__main__":
    try:
        sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)
