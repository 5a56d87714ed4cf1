"""Declares the store ``sqlite:FILE``: one SQLite database with a row a task."""

from __future__ import annotations

from collections.abc import Iterable

from tiergate.hooks import StoreDeclaration, hookimpl
from tiergate.store import Capability, Store, StoreAddress

CAPABILITIES = frozenset(Capability)


def open_store(address: StoreAddress) -> Store:
    """Open the database at an address, making it where it is missing.

    Raises:
        UsageError: the address has no path, or an option that is not known.
        StoreError: the file cannot be made, is a folder, or is no database of this store.
    """
    from tiergate_plugins.storage.options import choice, read_options
    from tiergate_plugins.storage.sqlite_store import SqliteStore

    options = read_options(address, "FILE", ("body", "text"))
    return SqliteStore(
        options.path,
        durable=options.durable,
        writable=not options.read_only,
        pack=choice(address, "body", "plain", {"plain": False, "zstd": True}),
        index_text=choice(address, "text", "scan", {"scan": False, "fts5": True}),
    )


@hookimpl
def tiergate_stores() -> Iterable[StoreDeclaration]:
    """The store ``sqlite``."""
    yield StoreDeclaration(
        name="sqlite",
        summary="one SQLite file; fast updates of single tasks, indexed queries, transactions",
        open=open_store,
        capabilities=CAPABILITIES,
    )
