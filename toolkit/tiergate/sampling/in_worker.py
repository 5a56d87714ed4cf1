"""Sampling in a worker: every sample is tied to the request that is being served."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from tiergate.hooks import ProfilerDeclaration, find_plugin
from tiergate.operation import Reply, Request
from tiergate.profiler import Profiler, ProfileSpec
from tiergate.sampling.gathering import Gatherer, ServedRequest
from tiergate.sampling.handing import SUFFIX, HandOver


class Sampling:
    """A profiler at work on the calling thread, whose samples go to a file.

    Args:
        name: of the worker; the file is called after it and after the process.
    """

    def __init__(self, spec: ProfileSpec, name: str) -> None:
        self._numbers = count()
        self._gatherer = Gatherer()
        path = Path(spec.folder) / f"{name}.{os.getpid()}{SUFFIX}"
        self._profiler = build_profiler(spec)
        self._hand_over = HandOver(self._gatherer, path)
        self._profiler.start(self._gatherer.saw)

    def begin(self, request: Request) -> int:
        """From now on samples belong to that request; its number here."""
        number = next(self._numbers)
        self._gatherer.served(ServedRequest(number, request.operation))
        self._gatherer.serving = number
        return number

    def end(self, number: int, request: Request, reply: Reply) -> None:
        """The request is answered."""
        self._gatherer.serving = None
        self._gatherer.served(ServedRequest(number, request.operation, reply.service_ns))

    def close(self) -> None:
        """Stop sampling, and hand over the rest."""
        self._profiler.stop()
        self._hand_over.close()


def build_profiler(spec: ProfileSpec) -> Profiler:
    """The profiler that a plugin declares under a name.

    Raises:
        ImportError: the reference leads nowhere.
        LookupError: the plugin declares no such profiler.
    """
    declarations = find_plugin(spec.plugin).tiergate_profilers()
    for declaration in declarations:
        if isinstance(declaration, ProfilerDeclaration) and declaration.name == spec.profiler:
            return declaration.build(spec.interval_s)
    raise LookupError(f"{spec.plugin} declares no profiler {spec.profiler!r}")
