"""The other end of the bare echo: it sends back what it receives, and does nothing else."""

from __future__ import annotations

import socket
import sys


def serve(descriptor: int) -> None:
    """Send back whatever arrives, by one receive and one send each, until the socket is closed."""
    with socket.socket(fileno=descriptor) as connection:
        receive, send = connection.recv, connection.sendall
        while data := receive(65536):
            send(data)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
