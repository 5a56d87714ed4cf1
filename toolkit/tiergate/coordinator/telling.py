"""Logs and traces as extensions of a service; they come after the one that watches it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tiergate.coordinator.service import Service
from tiergate.monitoring.json_log import JsonLog
from tiergate.monitoring.tracing import traced
from tiergate.monitoring.watching import Watching

_ERRORS = 2


@asynccontextmanager
async def logged(service: Service) -> AsyncIterator[None]:
    """Write a line of JSON to standard error for each call, and for each happening where they are kept."""
    log = JsonLog(_write)
    with log.running():
        service.dispatcher.watchers.append(log)
        if isinstance(service.monitor, Watching):
            service.monitor.happenings.subscribe(log.happened)
        yield


@asynccontextmanager
async def traced_by_environment(service: Service) -> AsyncIterator[None]:
    """Trace the calls where the variables of OpenTelemetry ask for it.

    Raises:
        UsageError: they ask for what cannot be had.
    """
    with traced() as tracing:
        if tracing is not None:
            service.dispatcher.watchers.append(tracing)
        yield


def _write(lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(_ERRORS, rest) :]
