"""Plugins and records that the tests of the load run share; a pool that serves in this very process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import settings

from tiergate.errors import TiergateError
from tiergate.hooks import OperationDeclaration, PoolDeclaration, hookimpl
from tiergate.model import Session, Task
from tiergate.operation import OperationError, Reply, Request, Scope
from tiergate.plugins import PluginHost
from tiergate.pool import Pool, PoolEvent, PoolSpec, PoolUsage
from tiergate.routing import Choice, PoolView, RequestFacts, WorkerView
from tiergate.store import Store
from tiergate.worker import Service, open_service

# How fast an example runs depends on what else the machine does.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

INLINE = "tiergate_tests_inline_plugin"


class Expect(msgspec.Struct, frozen=True):
    """How many tasks the session must have."""

    tasks: int


class Nothing(msgspec.Struct, frozen=True):
    """No arguments."""


def grow(store: Store, session: str, _arguments: Nothing) -> int:
    """Add a task; the next request meets another state."""
    found = store.load(session)
    task = Task(id=f"grown-{len(found.tasks)}", title="grown")
    return store.upsert_tasks(session, [task], expected_version=found.version)


def expect(store: Store, session: str, arguments: Expect) -> int:
    """Refuse every state but one."""
    tasks = len(store.load(session).tasks)
    if tasks != arguments.tasks:
        raise OperationError(f"{tasks} tasks, not {arguments.tasks}")
    return tasks


class InlinePool(Pool):
    """Serves in the calling process, one request at a time."""

    served: list[int]

    def __init__(self, spec: PoolSpec) -> None:
        self._spec = spec
        self._service: Service | None = None

    async def start(self) -> None:
        spec = self._spec
        self._service = open_service(spec.store, spec.store_plugins, spec.operation_plugins)

    def view(self) -> PoolView:
        return PoolView(
            [
                WorkerView(f"{tier.name}-{number}", tier.name, 0, 0.0)
                for tier in self._spec.tiers
                for number in range(1, tier.workers + 1)
            ]
        )

    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        assert self._service is not None
        worker = choice.worker or f"{choice.tier or self._spec.tiers[0].name}-1"
        return msgspec.structs.replace(self._service.handle(request), worker=worker)

    def events(self) -> Sequence[PoolEvent]:
        return ()

    async def close(self) -> PoolUsage:
        if self._service is not None:
            self._service.close()
        return PoolUsage(cpu_s=0.0, peak_rss_bytes=0, worker_seconds=0.0)


@hookimpl
def tiergate_pools() -> Iterator[PoolDeclaration]:
    yield PoolDeclaration(name="inline", summary="serves in this process", build=InlinePool)


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    yield OperationDeclaration(name="grow", summary="add a task", arguments=Nothing, run=grow, writes=True)
    yield OperationDeclaration(name="expect", summary="refuse but one state", arguments=Expect, run=expect)


@pytest.fixture(scope="session")
def host() -> PluginHost:
    """The plugins that are installed."""
    return PluginHost()


@pytest.fixture(scope="session")
def inline_host() -> Iterator[PluginHost]:
    """The installed plugins, the pool ``inline``, and the operations ``grow`` and ``expect``."""
    module = ModuleType(INLINE)
    for found in (tiergate_pools, tiergate_operations):
        setattr(module, found.__name__, found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, INLINE, module)
        points = [*entry_points(group="tiergate"), EntryPoint("inline", INLINE, "tiergate")]
        made = PluginHost(found=points)
        assert not made.problems()
        yield made


@pytest.fixture
def sessions() -> list[Session]:
    """Two small sessions."""
    return [
        Session(id="a", title="first", tasks=tuple(Task(id=f"t{n}", title=f"task {n}") for n in range(3))),
        Session(id="b", title="second", tasks=(Task(id="t0", title="alone", notes="some notes"),)),
    ]


@pytest.fixture(scope="session")
def make_facts() -> Callable[..., RequestFacts]:
    """Facts of one request, with what matters given."""

    def make(request: int = 0, **values: Any) -> RequestFacts:
        usual: dict[str, Any] = {
            "operation": "task_get",
            "session": f"s{request}",
            "arguments": {},
            "payload_bytes": 10,
            "scope": Scope.TASK,
            "read_tasks": 1,
            "read_bytes": 100,
            "writes": False,
        }
        return RequestFacts(request=request, **{**usual, **values})

    return make


@pytest.fixture
def one_line() -> Callable[[TiergateError], str]:
    """The text of an error, which must be one line."""

    def check(error: TiergateError) -> str:
        text = str(error)
        assert text
        assert "\n" not in text
        return text

    return check
