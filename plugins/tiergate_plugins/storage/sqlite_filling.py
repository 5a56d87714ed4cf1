"""Filling a database that has no tasks yet: what makes each write fast would make the many slower.

The index of outlines is made once, at the end. There is no write-ahead log, which would be written first and
copied into the database then: a rollback journal holds pages as they were, of which there are next to none.
Commits are as durable as with the log; until the end, readers in other processes wait for them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from tiergate_plugins.storage.sqlite_errors import SqliteErrors
from tiergate_plugins.storage.sqlite_schema import (
    drop_index,
    make_index,
    use_log,
    use_rollback_journal,
)
from tiergate_plugins.storage.sqlite_transactions import Transactions


@contextmanager
def filling(
    connection: sqlite3.Connection, transactions: Transactions, where: str, *, durable: bool
) -> Iterator[None]:
    """What `Store.filling` promises; nothing is done about a database that has tasks."""
    with transactions.writing():
        with SqliteErrors(where):
            dropped = drop_index(connection)
        alone = not transactions.inner
    if not dropped:
        yield
        return
    try:
        if alone:
            with SqliteErrors(where):
                transactions.set_logged(use_rollback_journal(connection, durable=durable))
        yield
    finally:
        with transactions.writing(), SqliteErrors(where):
            make_index(connection)
        if alone:
            with SqliteErrors(where):
                transactions.set_logged(use_log(connection, durable=durable))
