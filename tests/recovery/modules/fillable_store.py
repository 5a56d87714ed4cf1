"""A store on a disk that is full for as long as a file ``full`` lies beside it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tiergate.hooks import StoreDeclaration, hookimpl
from tiergate.store import StoreAddress, StoreFailed
from tiergate.testing.pool_parts import OneFileStore


class FillableStore(OneFileStore):
    """Refuses to write while that file is there, in the words of the built-in stores."""

    @contextmanager
    def _changing(self) -> Iterator[Any]:
        if self._path.with_name("full").exists():
            raise StoreFailed(os.strerror(errno.ENOSPC), where=str(self._path), hint="free some space")
        with super()._changing() as contents:
            yield contents


@hookimpl
def tiergate_stores() -> Iterator[StoreDeclaration]:
    yield StoreDeclaration(
        name="fillable",
        summary="a store whose disk can be filled",
        open=lambda address: FillableStore(Path(StoreAddress.parse(str(address)).path)),
        capabilities=FillableStore.capabilities,
    )
