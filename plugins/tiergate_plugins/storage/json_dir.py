"""Declares the store ``json:DIR``: one readable JSON file a session, and a journal of changes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tiergate.hooks import StoreDeclaration, hookimpl
from tiergate.store import Capability, Store, StoreAddress

CAPABILITIES = frozenset(Capability)


def open_store(address: StoreAddress) -> Store:
    """Open the folder at an address, making it where it is missing.

    Raises:
        UsageError: the address has no path, or an option that is not known.
        StoreError: the folder cannot be made or is a file.
    """
    from tiergate_plugins.storage.json_store import JsonStore
    from tiergate_plugins.storage.options import choice, read_options

    options = read_options(address, "DIR", known=("damage",))
    return JsonStore(
        options.path,
        durable=options.durable,
        writable=not options.read_only,
        skips_damage=choice(address, "damage", "refuse", {"refuse": False, "skip": True}),
    )


def holds(path: Path) -> bool:
    """Whether a folder has the journal of such a store."""
    from tiergate_plugins.storage.json_state import JOURNAL

    try:
        return (path / JOURNAL).is_file()
    except (OSError, ValueError):
        return False


@hookimpl
def tiergate_stores() -> Iterable[StoreDeclaration]:
    """The store ``json``."""
    yield StoreDeclaration(
        name="json",
        summary="a folder with one JSON file a session and a journal; easy to read, quick to update",
        open=open_store,
        capabilities=CAPABILITIES,
        holds=holds,
    )
