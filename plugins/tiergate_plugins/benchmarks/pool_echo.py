"""A bare echo over a Unix socket: what the same frames cost when nobody reads them."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import msgspec

from tiergate.operation import Request
from tiergate_plugins.benchmarks.pool_sides import Side


class Echo(Side):
    """A Unix socket and a process that sends back what it receives: blocking, one frame at a time.

    The frames are those of our requests, length and msgpack, made beforehand; nobody decodes them.
    """

    most_in_flight = 1

    def __init__(self, count: int) -> None:
        self._frames = [_frame(number) for number in range(count)]
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tiergate_plugins.benchmarks.pool_echo", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
            )

    def round_trips(self, count: int) -> list[float]:
        took = []
        for number in range(count):
            start = time.perf_counter()
            self._exchange(self._frames[number])
            took.append(time.perf_counter() - start)
        return took

    def window(self, count: int, in_flight: int) -> int:
        if in_flight > self.most_in_flight:
            raise ValueError("the echo has one frame in flight")
        for number in range(count):
            if self._exchange(self._frames[number]) != self._frames[number]:
                return -1
        return count * (count - 1) // 2

    def _exchange(self, frame: bytes) -> bytes:
        self._socket.sendall(frame)
        data = self._socket.recv(65536)
        while len(data) < len(frame):
            data += self._socket.recv(65536)
        return data

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


def _frame(number: int) -> bytes:
    body = msgspec.msgpack.encode(Request(number, "bench_echo", None, {"number": number}))
    return len(body).to_bytes(4, "big") + body


def serve(descriptor: int) -> None:
    """The other end: send back whatever arrives, by one receive and one send, until the socket is closed."""
    with socket.socket(fileno=descriptor) as connection:
        receive, send = connection.recv, connection.sendall
        while data := receive(65536):
            send(data)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
