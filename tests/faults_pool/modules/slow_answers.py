"""``count`` whose answer comes long after the write, so that a worker can be killed between them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.store import Store
from tiergate.testing.pool_parts import Arguments, count, look

_once = Store.once


def _slow_once(self: Store, key: str, write: object) -> object:
    """As `Store.once`, and a pause after what it wrote is durable, the first time."""
    is_new = self.kept_result(key) is None
    result = _once(self, key, write)  # type: ignore[arg-type]
    if is_new:
        time.sleep(600)
    return result


Store.once = _slow_once  # type: ignore[method-assign,assignment]


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    yield OperationDeclaration(name="count_slowly", summary="", arguments=Arguments, run=count, writes=True)
    yield OperationDeclaration(name="look", summary="", arguments=Arguments, run=look)
