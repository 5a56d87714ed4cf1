"""What is known of a request before it runs: its arguments, and the sizes in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tiergate.errors import unknown_name
from tiergate.hooks import OperationDeclaration
from tiergate.operation import Request, Scope
from tiergate.routing import RequestFacts
from tiergate.store import SessionSize


def bare_facts(request: Request) -> RequestFacts:
    """What is known of a request whose operation nobody here declares: next to nothing."""
    return RequestFacts(
        request=request.id,
        operation=request.operation,
        session=request.session,
        arguments=request.arguments,
        payload_bytes=len(msgspec.json.encode(request.arguments)),
        scope=Scope.STORE,
        read_tasks=0,
        read_bytes=0,
        writes=True,
    )


class Catalogue:
    """Sizes of the sessions of a store at one moment, and the operations that are served on it."""

    def __init__(self, sizes: Iterable[SessionSize], operations: Iterable[OperationDeclaration]) -> None:
        self._sizes: Mapping[str, SessionSize] = {size.session: size for size in sizes}
        self._operations = {operation.name: operation for operation in operations}
        self._tasks = sum(size.tasks for size in self._sizes.values())
        self._bytes = sum(size.bytes for size in self._sizes.values())

    def facts(self, request: Request) -> RequestFacts:
        """The facts of one request.

        Raises:
            UsageError: nobody declares its operation.
            msgspec.ValidationError: its arguments are not those of the operation.
        """
        operation = self._operations.get(request.operation)
        if operation is None:
            raise unknown_name("operation", request.operation, self._operations)
        arguments = msgspec.convert(request.arguments, operation.arguments)
        scope = operation.scope(arguments)
        tasks, size = self._extent(scope, request.session)
        return RequestFacts(
            request=request.id,
            operation=request.operation,
            session=request.session,
            arguments=request.arguments,
            payload_bytes=len(msgspec.json.encode(request.arguments)),
            scope=scope,
            read_tasks=tasks,
            read_bytes=size,
            writes=operation.writes,
        )

    def all_facts(self, requests: Sequence[Request]) -> list[RequestFacts]:
        """The facts of each request, in order."""
        return [self.facts(request) for request in requests]

    def _extent(self, scope: Scope, session: str | None) -> tuple[int, int]:
        if scope is Scope.STORE:
            return self._tasks, self._bytes
        size = self._sizes.get(session or "")
        if size is None:
            return 0, 0
        if scope is Scope.SESSION:
            return size.tasks, size.bytes
        return 1, size.bytes // max(1, size.tasks)
