"""The process of one side: started, told what to do, listened to, and stopped whatever it is doing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tiergate.errors import RunError
from tiergate.record import SideName

SCRIPT = Path(__file__).with_name("side.py")
ENDING_S = 5.0
"""How long a side may take to tear down what its tests have set up."""

ANSWERING_S = 2.0
"""A side that only waits for its turn answers sooner."""

PORTS = {"base": (20000, 24999), "new": (25000, 29999)}
"""Ports for benchmarks that listen: both sides are alive at once. `TIERGATE_DUET_PORTS` says which."""

OF_OUR_OWN_TESTS = ("COV_CORE_", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_", "PYTEST_VERSION")
"""What pytest and its plugins tell their own child processes; a comparison may be started by a test."""

UNKNOWN_OPTIONS = "unrecognized arguments:"
TAIL = 400
"""Characters of a side's output that an error shows."""


@dataclass(frozen=True, slots=True)
class SidePlan:
    """How to start one side.

    Attributes:
        label: what the user calls it.
        root: its tree, which becomes the working directory.
        python: the interpreter of its environment.
        pytest_arguments: paths of benchmarks within the tree, and options.
        environ: variables beside those of this process.
        bytecode: folder for compiled modules, kept from one generation to the next. Neither side finds what
            was compiled in its tree before, so that both start alike; and nothing is written into a tree.
    """

    name: SideName
    label: str
    root: Path
    python: Path
    pytest_arguments: Sequence[str]
    environ: Mapping[str, str]
    bytecode: Path


class SideGone(RunError):
    """The process of a side ended, or said nothing for too long."""


class SideSilent(SideGone):
    """A side says nothing for longer than it may."""


class Side:
    """A running side.

    Args:
        plan: how to start it.
        folder: for its temporary files and its output; its own.
        peer: socket that leads to the other side; is closed here.
        hash_seed: of its hashes and random numbers, the same on both sides.
        patience_s: how long it may say nothing.
    """

    def __init__(
        self, plan: SidePlan, folder: Path, peer: socket.socket, hash_seed: int, patience_s: float
    ) -> None:
        self.plan = plan
        self._log = folder / "output"
        self._patience_s = patience_s
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(patience_s)
        self._lines: IO[bytes] = self._socket.makefile("rb")
        self._stands_still = False
        with theirs, peer, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(plan.python), str(SCRIPT), *_options(folder), *plan.pytest_arguments],
                cwd=plan.root,
                env=_environ(plan, folder, hash_seed, theirs.fileno(), peer.fileno()),
                pass_fds=[theirs.fileno(), peer.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def tell(self, do: str, **facts: object) -> None:
        """Give one order.

        Raises:
            SideGone: nobody is there to take it.
        """
        try:
            self._socket.sendall(json.dumps({"do": do, **facts}).encode() + b"\n")
        except OSError as error:
            raise self._gone() from error

    def hears(self) -> dict[str, Any]:
        """What it says next.

        Raises:
            SideGone: it ended, or is silent for longer than it may be.
        """
        try:
            line = self._lines.readline()
        except OSError as error:
            if not isinstance(error, TimeoutError):
                raise self._gone() from error
            raise self.silent() from error
        if not line:
            raise self._gone()
        message: dict[str, Any] = json.loads(line)
        self._stands_still = message["say"] in {"ready", "series"}
        return message

    def silent(self) -> SideSilent:
        """An error that says so of this side."""
        return SideSilent(
            f"said nothing for {self._patience_s:.0f} s",
            where=self._where(),
            hint="a benchmark that takes longer needs --timeout SECONDS",
        )

    def is_waiting(self) -> bool:
        """Whether it says nothing because it waits for the other side to have its turn."""
        self._socket.settimeout(ANSWERING_S)
        try:
            self.tell("answer")
            return bool(self._socket.recv(1))
        except (OSError, SideGone):
            return False

    def finish_test(self) -> tuple[str, str]:
        """Let its test go on to the end; the outcome, and what pytest says of it where it did not pass."""
        is_told = False
        while True:
            if self._stands_still and not is_told:
                # Once: an order that the test no longer takes would end the next one.
                self.tell("stop")
                is_told = True
            said = self.hears()
            if said["say"] == "finished":
                return str(said["outcome"]), str(said["detail"])

    def stop(self) -> None:
        """End it and everything that it started."""
        with suppress(OSError, SideGone, subprocess.TimeoutExpired):
            self.tell("quit")
            self._process.wait(ENDING_S)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING_S)
        self.kill()

    def kill(self) -> None:
        """End it and everything that it started, at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._lines.close()
        self._socket.close()

    def _where(self) -> str:
        return f"the {self.plan.name} side ({self.plan.label})"

    def _gone(self) -> SideGone:
        """What is known of why it ended: how, and the end of its output."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        status = self._process.poll()
        how = f"was ended by signal {-status}" if status and status < 0 else f"ended with status {status}"
        said = self._log.read_text(encoding="utf-8", errors="replace").strip()[-TAIL:]
        if UNKNOWN_OPTIONS in said:
            options = said.partition(UNKNOWN_OPTIONS)[2].partition("inifile:")[0].strip()
            return SideGone(
                f"pytest knows no {options}, which the project's own options ask for",
                where=self._where(),
                hint="install the plugins of pytest that it needs, such as --install pytest-cov",
            )
        return SideGone(f"pytest {how}", where=self._where(), hint=said or "it printed nothing")


def _options(folder: Path) -> list[str]:
    """Options that keep a run out of the user's tree."""
    return [
        "-q",
        "-p",
        "no:cacheprovider",
        f"--basetemp={folder / 'pytest'}",
        f"--benchmark-storage=file://{folder}",
    ]


def _environ(plan: SidePlan, folder: Path, hash_seed: int, judge: int, peer: int) -> dict[str, str]:
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    low, high = PORTS[plan.name]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(OF_OUR_OWN_TESTS)},
        "TMPDIR": str(temporary),
        "PYTHONPYCACHEPREFIX": str(plan.bytecode),
        "PYTHONHASHSEED": str(hash_seed),
        "TIERGATE_DUET_FD": str(judge),
        "TIERGATE_DUET_PEER": str(peer),
        "TIERGATE_DUET_PORTS": f"{low}-{high}",
        **plan.environ,
    }
