"""The pool plugin for worker processes on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.hooks import PoolDeclaration, hookimpl
from tiergate.pool import Pool, PoolSpec


def _build(spec: PoolSpec) -> Pool:
    # Imported here: asyncio would make every listing of plugins slower.
    from tiergate_plugins.pools.local_pool import LocalPool

    return LocalPool(spec)


@hookimpl
def tiergate_pools() -> Iterator[PoolDeclaration]:
    """The pool of this module."""
    yield PoolDeclaration(name="local", summary="worker processes on this machine", build=_build)
