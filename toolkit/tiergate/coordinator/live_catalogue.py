"""A catalogue of session sizes that follows the store while it is served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from tiergate.catalogue import Catalogue
from tiergate.errors import TiergateError
from tiergate.hooks import OperationDeclaration
from tiergate.operation import Request
from tiergate.routing import RequestFacts
from tiergate.store import Capability, SessionSize, Store

REFRESH_S = 1.0
"""How old the sizes may be; routers only estimate by them."""

_SPARING = 20
"""Reading the sizes may take one part in so many of the time."""


class LiveCatalogue:
    """The facts of requests, with sizes that are read anew whenever the store has changed.

    The store is opened, read and closed in one thread of its own, as a store belongs to one.

    Args:
        open_store: opens it.
        operations: those that are served.
        on_fault: told in one line when the sizes could not be read; the last ones stay.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        operations: Iterable[OperationDeclaration],
        on_fault: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._open_store = open_store
        self._operations = list(operations)
        self._on_fault = on_fault
        self._catalogue = Catalogue((), self._operations)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tiergate-catalogue")
        self._store: Store | None = None
        self._changes = -1
        self._following: asyncio.Task[None] | None = None

    def facts(self, request: Request) -> RequestFacts:
        """As `tiergate.catalogue.Catalogue.facts`."""
        return self._catalogue.facts(request)

    async def start(self) -> None:
        """Open the store, read the sizes once, and go on reading them.

        Raises:
            UsageError: the address names an unknown store.
            StoreError: the store cannot be opened.
        """
        loop = asyncio.get_running_loop()
        try:
            sizes = await loop.run_in_executor(self._thread, self._read)
        except BaseException:
            await self.close()
            raise
        self._take(sizes)
        self._following = loop.create_task(self._follow())

    async def close(self) -> None:
        """Stop reading and close the store. Closing twice does nothing."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None
        if self._store is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)
            self._store = None
        self._thread.shutdown(wait=False)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        pause = REFRESH_S
        while True:
            await asyncio.sleep(pause)
            began = perf_counter()
            try:
                self._take(await loop.run_in_executor(self._thread, self._read))
            except (TiergateError, OSError) as error:
                self._on_fault(f"the sizes of the sessions are not up to date: {error}")
            pause = max(REFRESH_S, _SPARING * (perf_counter() - began))

    def _take(self, sizes: list[SessionSize] | None) -> None:
        if sizes is not None:
            self._catalogue = Catalogue(sizes, self._operations)

    def _read(self) -> list[SessionSize] | None:
        """The sizes; None where nothing has changed since they were read. Runs in the thread."""
        if self._store is None:
            self._store = self._open_store()
        if Capability.CHANGE_COUNTER in self._store.capabilities:
            changes = self._store.changes()
            if changes == self._changes:
                return None
            self._changes = changes
        return self._store.sizes()
