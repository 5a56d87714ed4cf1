"""Declares the store ``sqlite:FILE``: one SQLite database with a row a task."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tiergate.hooks import StoreDeclaration, hookimpl
from tiergate.store import Capability, Store, StoreAddress

CAPABILITIES = frozenset(Capability)
# The header of SQLite's file format: its first bytes, its length, and where the application's number is.
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_APPLICATION_ID_AT = 68


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


def holds(path: Path) -> bool:
    """Whether a file is an SQLite database that bears the number of such a store."""
    from tiergate_plugins.storage.sqlite_schema import APPLICATION_ID

    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except (OSError, ValueError):
        return False
    number = head[_APPLICATION_ID_AT:][:4]
    return head.startswith(_MAGIC) and int.from_bytes(number, "big") == APPLICATION_ID


@hookimpl
def tiergate_stores() -> Iterable[StoreDeclaration]:
    """The store ``sqlite``."""
    yield StoreDeclaration(
        name="sqlite",
        summary="one SQLite file; fast updates of single tasks, indexed queries, transactions",
        open=open_store,
        capabilities=CAPABILITIES,
        holds=holds,
    )
