"""What is being served, for whoever adds to it: the live page, monitoring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiergate.coordinator.monitor import Monitor
from tiergate.dispatch import Dispatcher

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

Say = Callable[[str], None]


@dataclass(slots=True)
class Service:
    """A service that is about to take calls.

    Attributes:
        dispatcher: carries them; watchers and gatekeepers are added to it.
        store: address of the store, as it is shown.
        say: tells the operator one line.
        monitor: answers the tools ``health`` and ``metrics``; whoever knows more puts itself here.
        routes: of the HTTP server, beside ``/mcp``; none is used over standard input and output.
    """

    dispatcher: Dispatcher
    store: str
    say: Say
    monitor: Monitor
    routes: list[BaseRoute] = field(default_factory=list)


Extension = Callable[[Service], AbstractAsyncContextManager[None]]
"""Adds to a service, and runs as long as it: entered after the pool has started and before the first call."""

Extensions = Sequence[Extension]
