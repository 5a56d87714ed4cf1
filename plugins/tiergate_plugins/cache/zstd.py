"""Declares the cache ``zstd+STORE``: compressed bodies and results, in a folder beside the store."""

from __future__ import annotations

from collections.abc import Iterable

from tiergate.hooks import CacheDeclaration, hookimpl
from tiergate.store import Store, StoreAddress

OPTIONS = ("ttl", "bytes", "memory", "level", "dir")


def wrap(store: Store, address: StoreAddress) -> Store:
    """A cache in front of an open store.

    Raises:
        UsageError: an option of the cache has no meaning.
    """
    from tiergate_plugins.cache.cached_store import CachedStore
    from tiergate_plugins.cache.options import read_options

    return CachedStore(store, read_options(address))


@hookimpl
def tiergate_caches() -> Iterable[CacheDeclaration]:
    """The cache ``zstd``."""
    yield CacheDeclaration(
        name="zstd",
        summary="sessions and results, compressed with a trained dictionary; rebuildable, never stale",
        wrap=wrap,
        options=OPTIONS,
    )
