"""Declares the store ``jsonfile:FILE``: everything in one JSON file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tiergate.hooks import StoreDeclaration, hookimpl
from tiergate.store import Capability, Store, StoreAddress

CAPABILITIES = frozenset(Capability) - {Capability.ONCE}
_SCHEMA = b'"tiergate.sessions/1"'
_HEAD_BYTES = 100


def open_store(address: StoreAddress) -> Store:
    """Open the file at an address; it is made by the first write.

    Raises:
        UsageError: the address has no path, or an option that is not known.
        StoreError: it is a folder, or its folder is missing.
        StoreDamaged: the file holds something else.
    """
    from tiergate_plugins.storage.jsonfile_store import JsonFileStore
    from tiergate_plugins.storage.options import read_options

    options = read_options(address, "FILE")
    return JsonFileStore(options.path, durable=options.durable, writable=not options.read_only)


def holds(path: Path) -> bool:
    """Whether a file begins as the document of such a store."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return _SCHEMA in file.read(_HEAD_BYTES)
    except (OSError, ValueError):
        return False


@hookimpl
def tiergate_stores() -> Iterable[StoreDeclaration]:
    """The store ``jsonfile``."""
    yield StoreDeclaration(
        name="jsonfile",
        summary="one JSON file, written anew by every change; simple, and slow as soon as it is large",
        open=open_store,
        capabilities=CAPABILITIES,
        holds=holds,
    )
