"""An index of the texts of tasks by SQLite's FTS5 (``?text=fts5``), brought up to date by searches.

Titles and notes are indexed by trigrams, since `TaskQuery.text` may be any part of a text. The index holds no
text itself, and only narrows down where to look: each task that it names is read and compared. So writes do
not pay for it, old entries do no harm, and whoever writes without knowing of the index breaks nothing:
`indexed` says at which version each session stands in it, and a session at another one is indexed anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from tiergate.model import Task

_TABLES = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS texts
        USING fts5(text, content = '', columnsize = 0, detail = none, tokenize = 'trigram')""",
    """CREATE TABLE IF NOT EXISTS indexed (
        session INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        times INTEGER NOT NULL
    )""",
)
# The row of session 0 holds the store's change counter, and how many entries were made in all.
_STATE = "SELECT version, times FROM indexed WHERE session = 0"
_STALE = """
    SELECT s.key, s.id, s.version, COALESCE(i.times, 0)
    FROM sessions s LEFT JOIN indexed i ON i.session = s.key
    WHERE i.version IS NOT s.version OR i.id != s.id
"""
_POSITION_BITS = 40
_POSITION = (1 << _POSITION_BITS) - 1
"""An entry is numbered by its task's position and, above, how often its session has been indexed."""

_WASTE = 4
_SPARE = 1000
"""The index is made anew when it has so many times more entries than there are tasks, and these."""

_MOST_TRIGRAMS = 16


class TextIndex:
    """Finds tasks by trigrams.

    Args:
        writable: whether the index may be made and brought up to date.
        read: the tasks of a session in their order, by the key of its row.
        writing: begins a transaction that writes.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        writable: bool,
        read: Callable[[int, str], Iterable[Task]],
        writing: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._connection = connection
        self._writable = writable
        self._read = read
        self._writing = writing

    def condition(self, text: str) -> tuple[str, list[str]] | None:
        """A condition that leaves out tasks without a text, with its values; None where there can be none.

        Raises:
            StoreDamaged: a session that has to be indexed cannot be read.
        """
        wanted = _trigrams(text)
        if not self._writable or not wanted:
            return None
        self._catch_up()
        match = " AND ".join('"' + gram.replace('"', '""') + '"' for gram in wanted)
        return f"t.position IN (SELECT rowid & {_POSITION} FROM texts WHERE texts MATCH ?)", [match]

    def _catch_up(self) -> None:
        for statement in _TABLES:
            self._connection.execute(statement)
        if self._state()[0] == self._changes():
            return
        with self._writing():
            changes, entries = self._changes(), self._state()[1]
            tasks = self._connection.execute("SELECT COUNT(*) FROM tasks").fetchone()[0]
            if entries > _WASTE * tasks + _SPARE:
                self._connection.execute("INSERT INTO texts (texts) VALUES ('delete-all')")
                self._connection.execute("DELETE FROM indexed")
                entries = 0
            for key, name, version, times in self._connection.execute(_STALE).fetchall():
                entries += self._index(key, name, version, times + 1)
            self._connection.execute("REPLACE INTO indexed VALUES (0, '', ?, ?)", (changes, entries))

    def _index(self, key: int, name: str, version: int, times: int) -> int:
        positions = self._connection.execute(
            "SELECT position FROM tasks WHERE session = ? ORDER BY position", (key,)
        ).fetchall()
        rows = [
            (position + (times << _POSITION_BITS), _readable(f"{task.title}\n{task.notes}"))
            for (position,), task in zip(positions, self._read(key, name), strict=True)
        ]
        self._connection.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", rows)
        self._connection.execute("REPLACE INTO indexed VALUES (?, ?, ?, ?)", (key, name, version, times))
        return len(rows)

    def _state(self) -> tuple[int, int]:
        return self._connection.execute(_STATE).fetchone() or (-1, 0)

    def _changes(self) -> int:
        changes: int = self._connection.execute("SELECT changes FROM counter").fetchone()[0]
        return changes


def _readable(text: str) -> str:
    """FTS5 reads up to the first NUL."""
    return text.replace("\0", " ")


def _trigrams(text: str) -> list[str]:
    """Trigrams that a text must have to hold this one; none for one that is too short or cannot be stored."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return []
    grams = sorted({text[start : start + 3] for start in range(min(len(text), 1000) - 2)})
    return [gram for gram in grams if "\0" not in gram][:_MOST_TRIGRAMS]
