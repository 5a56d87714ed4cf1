"""The contract of profilers: each samples the stack of one thread while it works, and hands the samples on.

A profiler runs inside the process that it looks at, so that a sample can be tied to the request that is
being served. Workers find theirs by its reference, as they find operations and stores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import msgspec

BUILT_IN = "<built-in>"
"""The file of a frame that is no Python code."""


class Frame(NamedTuple):
    """One call on a stack.

    Attributes:
        function: its name, with that of its class before a dot where it is known.
        file: as the interpreter knows it, `BUILT_IN` for a function that is not written in Python.
        line: where the function begins; 0 for a built-in one.
    """

    function: str
    file: str
    line: int


Stack = tuple[Frame, ...]
"""The calls of a thread, the outermost first."""

Saw = Callable[[Stack, float], None]
"""Told of a sample: the stack, and the seconds that it stands for."""


class Profiler(ABC):
    """Samples the stack of the thread that starts it, in time that passes on the clock, waiting included."""

    @abstractmethod
    def start(self, saw: Saw) -> None:
        """Begin to sample the calling thread.

        Args:
            saw: called with each sample, on that thread or on another one. It is quick and never raises. The
                seconds of all samples together are the time that passed.
        """

    @abstractmethod
    def stop(self) -> None:
        """End it, from the thread that started it; nothing is told any more. Stopping twice does nothing."""


class ProfileSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How the workers of a pool are profiled.

    Attributes:
        plugin: reference of the plugin that declares the profiler, for `tiergate.hooks.find_plugin`.
        profiler: its name.
        interval_s: between two samples, at the least.
        folder: where each worker hands over what it saw, a file for each process.
    """

    plugin: str
    profiler: str
    interval_s: float
    folder: str
