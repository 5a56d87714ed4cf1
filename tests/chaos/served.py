"""``tiergate serve --http`` as a process that can be killed and started again on the same port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

_PATIENCE_S = 30.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


class Server:
    """A server on one store and one port, and the workers that it has."""

    def __init__(self, store: str, port: int, errors: Path, *words: str) -> None:
        self._words = ["--store", store, "--http", f"127.0.0.1:{port}", *words]
        self.port = port
        self.errors = errors
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.errors.open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "tiergate", "serve", *self._words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        give_up = time.monotonic() + _PATIENCE_S
        while time.monotonic() < give_up and process.poll() is None:
            if self._is_ready():
                return process
            time.sleep(0.02)
        process.kill()
        process.wait()
        raise RuntimeError(self.errors.read_text())

    def _is_ready(self) -> bool:
        """Whether its workers run: it listens before they do, and does not start without them."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """Process ids of its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in children.read_text().split()]

    def kill_and_start(self) -> None:
        """Kill it at once, with nothing told to anybody, and start it again."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE_S)


def is_there(pid: int) -> bool:
    """Whether a process lives, or has ended and waits to be noticed."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
