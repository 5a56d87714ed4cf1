"""What `sqlite:` has chosen, and what it could have."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to set up a database.

    Attributes:
        name: the value of the setting.
        first: pragmas that only an empty file takes.
        pragmas: those of each connection.
        log_synced: whether the program syncs the log itself after a commit.
        cached_statements: how many prepared statements Python keeps.
        clustered: whether tasks lie in the order of session and id (``WITHOUT ROWID``).
    """

    name: str
    first: tuple[str, ...] = ()
    journal: str = "WAL"
    synchronous: str = "NORMAL"
    pragmas: tuple[str, ...] = ("journal_size_limit = 16777216", "wal_autocheckpoint = 4000")
    log_synced: bool = True
    cached_statements: int = 128
    clustered: bool = False


STORE = Choice(name="as the store has it")
"""What the store does: its pragmas, and for the rest what SQLite and Python do by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting: what the store has chosen, and the others.

    Attributes:
        writers: whether several writers at once are measured too.
    """

    name: str
    chosen: str
    others: tuple[Choice, ...]
    writers: bool = False


def _first(pragma: str, *values: str) -> tuple[Choice, ...]:
    return tuple(replace(STORE, name=value, first=(f"{pragma} = {value}",)) for value in values)


def _each(pragma: str, *values: str) -> tuple[Choice, ...]:
    return tuple(
        replace(STORE, name=value, pragmas=(*STORE.pragmas, f"{pragma} = {value}")) for value in values
    )


def _rollback(*journals: str) -> tuple[Choice, ...]:
    return tuple(
        replace(STORE, name=name, journal=name, synchronous="FULL", log_synced=False) for name in journals
    )


SETTINGS = (
    # What differs here is the noise of the run.
    Setting(name="control", chosen="nothing changed", others=(replace(STORE, name="the same again"),)),
    Setting(name="page_size", chosen="4096", others=_first("page_size", "1024", "8192", "16384")),
    Setting(name="cache_size", chosen="-2000", others=_each("cache_size", "-500", "-16000", "-64000")),
    Setting(name="mmap_size", chosen="0", others=_each("mmap_size", "67108864", "1073741824")),
    Setting(
        name="tasks",
        chosen="rowid",
        others=(replace(STORE, name="WITHOUT ROWID", clustered=True),),
    ),
    Setting(name="temp_store", chosen="DEFAULT", others=_each("temp_store", "MEMORY")),
    Setting(
        name="wal_autocheckpoint", chosen="4000", others=_each("wal_autocheckpoint", "100", "1000", "10000")
    ),
    Setting(name="journal_mode", chosen="WAL", others=_rollback("DELETE", "TRUNCATE")),
    Setting(
        name="synchronous",
        chosen="NORMAL and own fdatasync",
        others=(replace(STORE, name="FULL", synchronous="FULL", log_synced=False),),
        writers=True,
    ),
    Setting(name="locking_mode", chosen="NORMAL", others=_each("locking_mode", "EXCLUSIVE")),
    Setting(name="auto_vacuum", chosen="NONE", others=_first("auto_vacuum", "FULL", "INCREMENTAL")),
    Setting(
        name="cached_statements",
        chosen="128",
        others=tuple(replace(STORE, name=str(count), cached_statements=count) for count in (0, 4)),
    ),
)
