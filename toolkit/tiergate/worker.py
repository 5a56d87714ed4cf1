"""What every worker does with a request, whatever pool it belongs to.

A pool plugin opens a `Service` in each of its workers and gives it requests; times and errors
then mean the same in every pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from tiergate.errors import TiergateError, unknown_name
from tiergate.hooks import Declaration, OperationDeclaration, StoreDeclaration, find_plugin
from tiergate.operation import Failure, OperationError, Reply, Request
from tiergate.store import Store, StoreAddress

_Declaration = TypeVar("_Declaration", bound=Declaration)


class Service:
    """A store, and the operations that are served on it. Belongs to one thread.

    Args:
        store: an open store; the service closes it.
        operations: what can be asked for.
        worker: name that replies carry.
    """

    def __init__(self, store: Store, operations: Iterable[OperationDeclaration], *, worker: str = "") -> None:
        self._store = store
        self._operations = {operation.name: operation for operation in operations}
        self._worker = worker

    def handle(self, request: Request) -> Reply:
        """Serve one request. Whatever the operation raises becomes a reply with a failure."""
        start = perf_counter_ns()
        try:
            result = self._run(request)
            failure = None
        except TiergateError as error:
            result, failure = None, Failure(type(error).__name__, str(error))
        except Exception as error:
            message = " ".join(f"{request.operation} failed: {error!r}".split())
            result, failure = None, Failure("OperationCrashed", message)
        return Reply(request.id, result, failure, perf_counter_ns() - start, self._worker)

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
        return operation.run(self._store, request.session or "", arguments)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_service(
    store: str, store_plugin: str, operation_plugins: Iterable[str], *, worker: str = ""
) -> Service:
    """Open a store and gather operations by the references of the plugins that declare them.

    Raises:
        ImportError, AttributeError: a reference leads nowhere.
        UsageError: the store plugin does not declare the address's scheme.
        StoreError: the store cannot be opened.
    """
    address = StoreAddress.parse(store)
    stores = {found.name: found for found in _declared(store_plugin, "tiergate_stores", StoreDeclaration)}
    if address.scheme not in stores:
        raise unknown_name("store", address.scheme, stores, where=store_plugin)
    operations = [
        operation
        for reference in operation_plugins
        for operation in _declared(reference, "tiergate_operations", OperationDeclaration)
    ]
    return Service(stores[address.scheme].open(address), operations, worker=worker)


def _declared(reference: str, hook: str, kind: type[_Declaration]) -> Iterator[_Declaration]:
    """What one plugin yields from one hook; the host checked it before any worker started."""
    for declaration in getattr(find_plugin(reference), hook)():
        if isinstance(declaration, kind):
            yield declaration
