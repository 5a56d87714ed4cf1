"""The store ``sqlite:FILE``: a row a session and a row a task in one SQLite database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tiergate.model import Session, Task
from tiergate.store import (
    ONCE_KEPT,
    Damage,
    SessionSize,
    Store,
    StoreDamaged,
    StoreError,
    StoreStats,
    TaskHit,
    TaskOutline,
    TaskQuery,
    check_order,
    session_not_found,
    stale,
    task_not_found,
)
from tiergate_plugins.storage.bodies import (
    as_list,
    read_session,
    read_task,
    read_tasks,
    refuse_repeated_ids,
    session_body,
    task_bodies,
)
from tiergate_plugins.storage.sqlite import CAPABILITIES
from tiergate_plugins.storage.sqlite_checkpoints import Checkpoints
from tiergate_plugins.storage.sqlite_errors import SqliteErrors
from tiergate_plugins.storage.sqlite_filling import filling
from tiergate_plugins.storage.sqlite_packing import Packing, missing
from tiergate_plugins.storage.sqlite_query import as_key, run_outlines, run_query
from tiergate_plugins.storage.sqlite_read_only import connect_read_only, remove_log
from tiergate_plugins.storage.sqlite_schema import (
    STATUS_LETTERS,
    connect,
    uses_log,
)
from tiergate_plugins.storage.sqlite_text import TextIndex
from tiergate_plugins.storage.sqlite_transactions import Transactions
from tiergate_plugins.storage.sqlite_verify import find_damage
from tiergate_plugins.storage.sqlite_wal import LogSync

_INSERT = (
    "INSERT INTO tasks (session, id, title, status, weight, updated_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_UPSERT = f"""
    {_INSERT}
    ON CONFLICT (session, id) DO UPDATE SET title = excluded.title, status = excluded.status,
        weight = excluded.weight, updated_at = excluded.updated_at, body = excluded.body
"""
_RAISE = """
    UPDATE sessions SET version = version + 1, room = room - ?
    WHERE id = ? AND version = ? RETURNING key, room
"""
_MOST = 2**63 - 1
_FORGET_AT = 500
"""Results that are kept beyond those that must be, before they are removed together."""
_Row = tuple[str, str, str, float, str, bytes]
_COUNT = "UPDATE counter SET changes = changes + 1"
_SIZES = """
    SELECT s.id, COUNT(t.position),
        LENGTH(s.body) + COALESCE(SUM(LENGTH(t.body)), 0)
        + COALESCE((SELECT LENGTH(p.body) FROM packed p WHERE p.session = s.key), 0)
    FROM sessions s LEFT JOIN tasks t ON t.session = s.key GROUP BY s.key ORDER BY s.id
"""


class SqliteStore(Store):
    """Sessions and tasks as rows. The columns beside a body repeat what queries select and sort by.

    Args:
        path: made where it is missing; its folder must be there.
        durable: whether a write that returned survives the loss of power.
        writable: otherwise the database is not changed, and must be there.
        pack: whether tasks are compressed, see `sqlite_packing`.
        index_text: whether text is looked for in an index, see `sqlite_text`.

    Raises:
        StoreError: the file cannot be made, or is no database of this store.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        path: Path,
        *,
        durable: bool = True,
        writable: bool = True,
        pack: bool = False,
        index_text: bool = False,
    ) -> None:
        self._path = path
        self._where = str(path)
        self._errors = SqliteErrors(self._where)
        self._makes_log = not writable and not path.with_name(path.name + "-wal").exists()
        self._connection = connect(path, durable=durable) if writable else connect_read_only(path)
        with self._errors:
            logged = uses_log(self._connection)
        self._durable = durable
        self._log = LogSync(path, durable=durable and writable, logged=logged)
        self._checkpoints = Checkpoints(path, self._connection, durable=durable)
        self._transactions = Transactions(
            self._connection, self._where, self._log, self._checkpoints, writable=writable, logged=logged
        )
        self._names: dict[int, str] = {}
        self._packing = Packing(self._connection, self._where, active=pack)
        self._texts = TextIndex(
            self._connection,
            writable=index_text and writable,
            read=self._tasks,
            writing=self._writing_to_read,
        )

    def load(self, session_id: str) -> Session:
        with self._errors, self._transactions.reading():
            key, version, body = self._row(session_id)
            tasks = tuple(self._tasks(key, session_id))
        session = read_session(body, self._place(session_id))
        return msgspec.structs.replace(session, version=version, tasks=tasks)

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        place = self._place(session_id)
        with self._errors, self._transactions.reading():
            found = self._fetch(
                "SELECT s.key, s.version, t.body FROM sessions s"
                " LEFT JOIN tasks t ON t.session = s.key AND t.id = ? WHERE s.id = ?",
                task_id,
                session_id,
            )
            if found is None:
                raise session_not_found(session_id)
            key, version, body = found
            if body is None:
                raise task_not_found(session_id, task_id)
            if body:
                return read_task(body, f"{place}, task {task_id!r}"), version
            packed = self._packing.tasks(key, place)
        if task_id not in packed:
            raise missing(task_id, place)
        return packed[task_id], version

    def save(self, session: Session) -> int:
        refuse_repeated_ids(session.id, session.tasks)
        body = session_body(session)
        rows = _rows_of(session.id, session.tasks)
        with self._errors, self._transactions.writing(in_parts=self._packing.active):
            found = self._fetch("SELECT key, version FROM sessions WHERE id = ?", session.id)
            key, version = found or (None, 0)
            if version != session.version:
                raise stale(session.id, expected=session.version, found=version)
            self._connection.execute(_COUNT)
            if key is None:
                version = self._last_deleted(session.id)
                insert = (
                    "INSERT INTO sessions (key, id, version, body)"
                    " VALUES ((SELECT changes FROM counter), ?, ?, ?)"
                )
                key = self._connection.execute(insert, (session.id, version + 1, body)).lastrowid
            else:
                update = "UPDATE sessions SET version = version + 1, body = ? WHERE key = ?"
                self._connection.execute(update, (body, key))
                self._remove_tasks(key)
            if self._packing.active:
                self._packing.write(int(key or 0), [row[-1] for row in rows])
                rows = [(name, "", letter, weight, "", b"") for name, _, letter, weight, _, _ in rows]
            self._connection.executemany(_INSERT, [(key, *row) for row in rows])
        return version + 1

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        changed = list(tasks)
        refuse_repeated_ids(session_id, changed)
        rows = _rows_of(session_id, changed)
        with self._errors, self._transactions.writing(in_parts=self._packing.active):
            key, room = self._raise_version(session_id, expected_version, len(rows))
            self._connection.executemany(_UPSERT, [(key, *row) for row in rows])
            if self._packing.active and room <= 0:
                room = self._packing.look(key, self._place(session_id))
                self._connection.execute("UPDATE sessions SET room = ? WHERE key = ?", (room, key))
        return expected_version + 1

    def delete(self, session_id: str, *, expected_version: int) -> None:
        with self._errors, self._transactions.writing():
            key, _ = self._raise_version(session_id, expected_version)
            self._remove_tasks(key)
            self._connection.execute("DELETE FROM sessions WHERE key = ?", (key,))
            tombstone = "INSERT INTO deleted VALUES (?, ?)"
            self._connection.execute(tombstone, (session_id, expected_version + 1))

    def version(self, session_id: str) -> int:
        with self._asking():
            found = self._fetch("SELECT version FROM sessions WHERE id = ?", session_id)
        if found is None:
            raise session_not_found(session_id)
        version: int = found[0]
        return version

    def versions(self) -> dict[str, int]:
        with self._asking():
            return dict(self._connection.execute("SELECT id, version FROM sessions ORDER BY id"))

    def changes(self) -> int:
        with self._asking():
            changes: int = self._fetch("SELECT changes FROM counter")[0]
        return changes

    def ids(self) -> list[str]:
        with self._asking():
            return [name for (name,) in self._connection.execute("SELECT id FROM sessions ORDER BY id")]

    def query(self, query: TaskQuery) -> list[TaskHit]:
        with self._asking():
            return run_query(self._connection, query, self._where, self._packing, self._texts)

    def outlines(self, query: TaskQuery) -> list[TaskOutline]:
        with self._asking():
            by = check_order(query.order)[0]
            if query.text is None and by != "updated_at" and not self._packing.present():
                # What a transaction has not committed may be undone, and its keys used again.
                names = {} if self._connection.in_transaction else self._names
                return run_outlines(self._connection, query, self._texts, names)
        return super().outlines(query)  # it takes the bodies

    def transaction(self) -> AbstractContextManager[None]:
        return self._transactions.writing()

    def filling(self) -> AbstractContextManager[None]:
        self._checkpoints.close()
        return filling(self._connection, self._transactions, self._where, durable=self._durable)

    def kept_result(self, key: str) -> bytes | None:
        with self._errors:
            found = self._fetch("SELECT body FROM results WHERE key = ?", key)
        return found[0] if found else None

    def keep_result(self, key: str, result: bytes) -> None:
        insert = "INSERT INTO results (key, body) VALUES (?, ?)"
        with self._errors, self._transactions.writing():
            number = self._connection.execute(insert, (key, result)).lastrowid or 0
            if number % _FORGET_AT == 0:
                self._connection.execute("DELETE FROM results WHERE number <= ?", (number - ONCE_KEPT,))

    def sizes(self) -> list[SessionSize]:
        with self._asking():
            return [SessionSize(*row) for row in self._connection.execute(_SIZES)]

    def verify(self) -> list[Damage]:
        with self._errors, self._transactions.reading():
            return list(find_damage(self._connection, self._where, self._packing))

    def stats(self) -> StoreStats:
        with self._asking():
            sessions, tasks = self._connection.execute(
                "SELECT (SELECT COUNT(*) FROM sessions), (SELECT COUNT(*) FROM tasks)"
            ).fetchone()
        return StoreStats(sessions=sessions, tasks=tasks, disk_bytes=self._disk_bytes())

    def settle(self) -> None:
        self._checkpoints.settle()

    def close(self) -> None:
        with self._errors:
            self._checkpoints.close()
            self._connection.close()
        self._log.close()
        if self._makes_log:
            self._makes_log = False
            remove_log(self._path)

    def _asking(self) -> AbstractContextManager[None]:
        """What statements outside transactions stand in."""
        self._transactions.require_waiting()
        return self._errors

    @contextmanager
    def _writing_to_read(self) -> Iterator[None]:
        """Write something that is read right after."""
        with self._transactions.writing():
            yield
        self._transactions.require_waiting()

    def _fetch(self, sql: str, *ids: str) -> Any:
        """The only row of a look-up by id."""
        return self._connection.execute(sql, [as_key(name) for name in ids]).fetchone()

    def _row(self, session_id: str) -> tuple[int, int, bytes]:
        found: tuple[int, int, bytes] | None = self._fetch(
            "SELECT key, version, body FROM sessions WHERE id = ?", session_id
        )
        if found is None:
            raise session_not_found(session_id)
        return found

    def _tasks(self, key: int, session_id: str) -> list[Task]:
        """The tasks of a session in their order."""
        rows = self._connection.execute(
            "SELECT position, body FROM tasks WHERE session = ?", (key,)
        ).fetchall()
        rows.sort()  # the index that finds them has them by id
        bodies = [body for _, body in rows]
        if all(bodies):
            try:  # all at once, in a fifth less time
                return read_tasks(as_list(bodies), self._where)
            except StoreDamaged:
                pass  # one by one, to say which
        return list(self._tasks_one_by_one(key, session_id))

    def _tasks_one_by_one(self, key: int, session_id: str) -> Iterator[Task]:
        place = self._place(session_id)
        packed = self._packing.tasks(key, place)
        rows = self._connection.execute(
            "SELECT id, body FROM tasks WHERE session = ? ORDER BY position", (key,)
        ).fetchall()
        for name, body in rows:
            if body:
                yield read_task(body, f"{place}, task {name!r}")
            elif name in packed:
                yield packed[name]
            else:
                raise missing(name, place)

    def _remove_tasks(self, key: int) -> None:
        self._connection.execute("DELETE FROM tasks WHERE session = ?", (key,))
        self._packing.forget(key)

    def _place(self, session_id: str) -> str:
        return f"{self._where}: session {session_id!r}"

    def _raise_version(self, session_id: str, expected: int, tasks: int = 0) -> tuple[int, int]:
        """Count a write to a session that must have a version; return the key of its row and its room."""
        wanted = expected if 0 < expected <= _MOST else -1  # SQLite knows no larger numbers
        # fetched to its end: until then the statement has not come to its end either
        raised = self._connection.execute(_RAISE, (tasks, as_key(session_id), wanted)).fetchall()
        if not raised:
            found = self._fetch("SELECT version FROM sessions WHERE id = ?", session_id)
            if found is None:
                raise session_not_found(session_id)
            raise stale(session_id, expected=expected, found=found[0])
        self._connection.execute(_COUNT)
        key, room = raised[0]
        return key, room

    def _last_deleted(self, session_id: str) -> int:
        """The version at which a session was deleted, which is forgotten; 0 when it never was."""
        forget = "DELETE FROM deleted WHERE id = ? RETURNING version"
        found = self._connection.execute(forget, (session_id,)).fetchall()
        return int(found[0][0]) if found else 0

    def _disk_bytes(self) -> int:
        total = 0
        for suffix in ("", "-wal", "-shm", "-journal"):
            path = self._path.with_name(self._path.name + suffix)
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"cannot read its size: {error.strerror}", where=str(path)) from error
        return total


def _rows_of(session_id: str, tasks: Sequence[Task]) -> list[_Row]:
    """The columns of the tasks' rows after their session."""
    return [
        (
            stored.id,
            stored.title,
            STATUS_LETTERS[stored.status],
            stored.weight,
            stored.updated_at or "",
            body,
        )
        for body, stored in task_bodies(session_id, tasks)
    ]
