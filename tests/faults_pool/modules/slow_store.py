"""A store that takes its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tiergate.hooks import StoreDeclaration, hookimpl
from tiergate.model import Session
from tiergate.store import StoreAddress
from tiergate.testing.pool_parts import OneFileStore


class SlowStore(OneFileStore):
    """Every load takes a third of a second."""

    def load(self, session_id: str) -> Session:
        time.sleep(0.3)
        return super().load(session_id)


@hookimpl
def tiergate_stores() -> Iterator[StoreDeclaration]:
    def opened(address: StoreAddress) -> SlowStore:
        return SlowStore(Path(address.path))

    yield StoreDeclaration(
        name="slow", summary="a slow store", open=opened, capabilities=SlowStore.capabilities
    )
