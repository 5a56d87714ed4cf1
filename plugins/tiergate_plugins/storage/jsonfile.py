"""The store ``jsonfile:FILE``."""

from __future__ import annotations

from collections.abc import Iterable

from tiergate.hooks import StoreDeclaration, hookimpl


@hookimpl
def tiergate_stores() -> Iterable[StoreDeclaration]:
    """The store ``jsonfile:FILE``."""
    return ()
