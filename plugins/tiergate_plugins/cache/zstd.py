"""The cache ``zstd``."""

from __future__ import annotations

from collections.abc import Iterable

from tiergate.hooks import CacheDeclaration, hookimpl


@hookimpl
def tiergate_caches() -> Iterable[CacheDeclaration]:
    """The cache ``zstd``."""
    return ()
