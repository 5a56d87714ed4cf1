"""What every worker does with a request, whatever pool it belongs to.

A pool plugin opens a `Service` in each of its workers and gives it requests; times and errors
then mean the same in every pool.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from time import perf_counter_ns
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from tiergate.binding import NamedOpener
from tiergate.errors import TiergateError, unknown_name
from tiergate.hooks import (
    CacheDeclaration,
    Declaration,
    OperationDeclaration,
    StoreDeclaration,
    find_plugin,
)
from tiergate.operation import Failure, OperationError, Reply, Request, Scope
from tiergate.resident import ResidentStore
from tiergate.store import Capability, Store
from tiergate.timed_store import TimedStore

if TYPE_CHECKING:
    from tiergate.profiler import ProfileSpec
    from tiergate.sampling.in_worker import Sampling

_Declaration = TypeVar("_Declaration", bound=Declaration)

_KEYS = msgspec.json.Encoder(order="sorted")


class Service:
    """A store, and the operations that are served on it. Belongs to one thread.

    Args:
        store: an open store; the service closes it.
        operations: what can be asked for.
        worker: name that replies carry.
        timed: measures the part of the store, behind or as `store`; None where nobody does.
        sampling: ties samples to requests, where this worker is profiled; the service closes it.
    """

    def __init__(
        self,
        store: Store,
        operations: Iterable[OperationDeclaration],
        *,
        worker: str = "",
        timed: TimedStore | None = None,
        sampling: Sampling | None = None,
    ) -> None:
        self._store = store
        self._operations = {operation.name: operation for operation in operations}
        self._worker = worker
        self._marks = {found.name: _mark(found) for found in self._operations.values() if found.cached}
        self._knows_keys = Capability.ONCE in store.capabilities
        self._timed = timed
        self._sampling = sampling

    @property
    def knows_keys(self) -> bool:
        """Whether a write that carries a key takes effect once, however often it is sent."""
        return self._knows_keys

    def writing(self) -> list[str]:
        """The names of the operations that change the store."""
        return [operation.name for operation in self._operations.values() if operation.writes]

    def handle(self, request: Request) -> Reply:
        """Serve one request. Whatever the operation raises becomes a reply with a failure."""
        sampling = self._sampling
        if sampling is None:
            return self._serve(request)
        number = sampling.begin(request)
        reply = self._serve(request)
        sampling.end(number, request, reply)
        return reply

    def _serve(self, request: Request) -> Reply:
        timed = self._timed
        before = timed.spent_ns if timed is not None else 0
        start = perf_counter_ns()
        try:
            result = self._run(request)
            failure = None
        except TiergateError as error:
            result, failure = None, Failure(type(error).__name__, str(error))
        except Exception as error:
            message = " ".join(f"{request.operation} failed: {error!r}".split())
            result, failure = None, Failure("OperationCrashed", message)
        took = perf_counter_ns() - start
        in_store = timed.spent_ns - before if timed is not None else 0
        return Reply(request.id, result, failure, took, self._worker, in_store)

    def _run(self, request: Request) -> Any:
        operation = self._operations.get(request.operation)
        if operation is None:
            raise unknown_name("operation", request.operation, self._operations)
        if operation.needs_session and request.session is None:
            raise OperationError(f"{request.operation} needs a session")
        try:
            arguments = msgspec.convert(request.arguments, operation.arguments)
        except msgspec.ValidationError as error:
            raise OperationError(str(error), where=f"arguments of {request.operation}") from error
        session = request.session or ""
        if operation.writes and request.key is not None and self._knows_keys:
            return self._store.once(request.key, lambda: operation.run(self._store, session, arguments))
        if not operation.cached:
            return operation.run(self._store, session, arguments)
        reads = None if operation.scope(arguments) is Scope.STORE else session
        return self._store.remember(
            b"\0".join((self._marks[operation.name], _KEYS.encode((session, arguments)))),
            reads,
            lambda: operation.run(self._store, session, arguments),
        )

    def close(self) -> None:
        """Close the store."""
        if self._sampling is not None:
            self._sampling.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_service(
    store: str,
    store_plugins: Sequence[str],
    operation_plugins: Iterable[str],
    *,
    worker: str = "",
    resident_tasks: int = 0,
    profiling: ProfileSpec | None = None,
) -> Service:
    """Open a store and gather operations by the references of the plugins that declare them.

    Args:
        worker: name that replies carry.
        resident_tasks: tasks that are kept decoded between requests, by whole sessions; 0 for none.
        profiling: how the calling thread is profiled; None for not at all.

    Raises:
        ImportError: a reference leads nowhere; so does an AttributeError.
        UsageError: no store plugin declares the address's scheme, or a cache of it.
        StoreError: the store cannot be opened.
    """
    opener = NamedOpener.of(
        _declared(store_plugins, "tiergate_stores", StoreDeclaration),
        _declared(store_plugins, "tiergate_caches", CacheDeclaration),
    )
    operations = list(_declared(operation_plugins, "tiergate_operations", OperationDeclaration))
    timed = TimedStore(opener.open(store))
    front = ResidentStore(timed, resident_tasks) if resident_tasks else timed
    return Service(front, operations, worker=worker, timed=timed, sampling=_sampling(profiling, worker))


def _sampling(profiling: ProfileSpec | None, worker: str) -> Sampling | None:
    if profiling is None:
        return None
    # Imported here: a worker that is not profiled has no use for it.
    from tiergate.sampling.in_worker import Sampling

    return Sampling(profiling, worker)


def _declared(references: Iterable[str], hook: str, kind: type[_Declaration]) -> Iterator[_Declaration]:
    """What plugins yield from one hook, where they have it; the host checked it before any worker started."""
    for reference in references:
        for declaration in getattr(find_plugin(reference), hook, tuple)():
            if isinstance(declaration, kind):
                yield declaration


def _mark(operation: OperationDeclaration) -> bytes:
    """Names an operation and the source of its module: another version must not get results of this one."""
    module = operation.run.__module__
    path = getattr(sys.modules.get(module), "__file__", None)
    source = Path(path).read_bytes() if path else b""
    return f"{operation.name} {module} {sha256(source).hexdigest()}".encode()
