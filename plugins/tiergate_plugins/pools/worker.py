"""A worker process of the local pool: opens the store, then answers requests one after the other.

It ends when the parent closes the socket, so that no worker outlives its parent, whatever kills it. A
request that is still running then has `ORPHAN_GRACE_S` seconds to end.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from threading import Thread
from time import sleep

import msgspec

from tiergate.operation import Failure, Reply, Request
from tiergate.worker import Service, open_service
from tiergate_plugins.pools.frames import Open, Ready, frame, read_frame

ORPHAN_GRACE_S = 2.0
"""Time for a write to end; far shorter than what a living parent allows (`EXIT_GRACE_S`)."""


def main(descriptor: int) -> int:
    """Serve the socket with that file descriptor until it is closed."""
    # Ctrl-C reaches the whole terminal group; the parent decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, args=(descriptor,), daemon=True).start()
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as stream:
        first = read_frame(stream)
        if first is None:
            return 0
        opening = msgspec.msgpack.decode(first, type=Open)
        try:
            service = _open(opening)
        except Exception as error:
            connection.sendall(frame(Ready(problem=" ".join(f"{type(error).__name__}: {error}".split()))))
            return 1
        with service:
            connection.sendall(frame(Ready()))
            decoder = msgspec.msgpack.Decoder(Request)
            while (body := read_frame(stream)) is not None:
                connection.sendall(_encode(service.handle(decoder.decode(body))))
    return 0


def _open(opening: Open) -> Service:
    if opening.nice:
        os.nice(opening.nice)
    return open_service(
        opening.store, opening.store_plugins, opening.operation_plugins, worker=opening.worker
    )


def _end_with_parent(descriptor: int) -> None:
    """End a worker that is too deep in a request to see that its parent has gone."""
    hangup = select.poll()
    # No event is asked for: a hang-up is always reported, and what can be read is not waited for.
    hangup.register(descriptor, 0)
    hangup.poll()
    sleep(ORPHAN_GRACE_S)
    os._exit(1)


def _encode(reply: Reply) -> bytes:
    try:
        return frame(reply)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        failure = Failure("ResultNotEncodable", f"the result cannot be sent: {error}")
        return frame(Reply(reply.id, None, failure, reply.service_ns, reply.worker))


if __name__ == "__main__":
    try:
        sys.exit(main(int(sys.argv[1])))
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)
