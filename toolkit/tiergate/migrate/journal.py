"""What is written down of a migration, so that it can be resumed and undone."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from tiergate.binding import Bindings
from tiergate.errors import unknown_name
from tiergate.migrate.running import TargetLocks
from tiergate.record import MigrationRecord
from tiergate.state_files import (
    StateError,
    append_durably,
    replace_durably,
    state_errors,
)
from tiergate.store import StoreAddress
from tiergate.store_places import place_of

SAVE_EVERY_S = 1.0
"""Progress is written down no more often than this."""

_Kind = TypeVar("_Kind")

_STATE = "state.json"
_MARKS = "ids.jsonl"
_VERSIONS = "versions.json"


class MigrationState(msgspec.Struct, kw_only=True, frozen=True):
    """The state file of a migration.

    Attributes:
        source_place, target_place: where the stores are, links followed.
        options: words of the command that make a difference to how it ends.
    """

    schema: Literal["tiergate.migration-state/1"] = "tiergate.migration-state/1"
    source_place: str
    target_place: str
    options: list[str] = []
    record: MigrationRecord


class Versions(msgspec.Struct, kw_only=True, frozen=True):
    """Versions of the sessions of both stores at the cut-over; `changes` counts the target's writes."""

    source: dict[str, int]
    target: dict[str, int]
    changes: int | None = None


class Journal:
    """The folder of one migration: its state, the ids of what it may have written, versions.

    Ids are marked before the sessions are written, so a session in the target that is not marked is
    somebody else's.
    """

    def __init__(self, folder: Path, state: MigrationState) -> None:
        self._folder = folder
        self._state = state
        self._saved = 0.0

    @property
    def record(self) -> MigrationRecord:
        """What was moved so far."""
        return self._state.record

    @property
    def places(self) -> tuple[str, str]:
        """Where source and target are."""
        return self._state.source_place, self._state.target_place

    @property
    def options(self) -> list[str]:
        """The options with which it was begun or resumed last."""
        return self._state.options

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to go on with."""
        state = self.record.state
        return state in {"cut-over", "undone"} or (state == "verified" and "--bind" not in self.options)

    @property
    def has_written(self) -> bool:
        """Whether it may have written a session to the target."""
        return self.record.state != "copying" or (self._folder / _MARKS).exists()

    def settle(self, bindings: Bindings) -> None:
        """Take over what the binding says: a crash may have come after it and before the state.

        Raises:
            StateError: the binding cannot be read.
        """
        record = self.record
        binding = bindings.find(record.binding) if record.binding else None
        if binding is None or binding.migration != record.id:
            return
        place = place_of(StoreAddress.parse(binding.address))
        if place == self._state.target_place and record.state == "verified":
            record = replace(record, state="cut-over", epoch=binding.epoch)
        elif place == self._state.source_place and record.state == "cut-over":
            record = replace(record, state="undone", epoch=binding.epoch)
        self._state = replace(self._state, record=record)

    def set_options(self, options: list[str]) -> None:
        """Take note of other options; the next `update` writes them down."""
        self._state = replace(self._state, options=options)

    def update(self, **changes: Any) -> MigrationRecord:
        """Change fields of the record, and write it down before this returns."""
        record = replace(self._state.record, updated_at=_now(), **changes)
        self._state = replace(self._state, record=record)
        data = msgspec.json.format(msgspec.json.encode(self._state), indent=2) + b"\n"
        replace_durably(self._folder / _STATE, data)
        self._saved = time.monotonic()
        return record

    def update_now_and_then(self, **changes: Any) -> None:
        """As `update`, unless that was done a moment ago."""
        if time.monotonic() - self._saved >= SAVE_EVERY_S:
            self.update(**changes)

    def mark(self, ids: Iterable[str]) -> None:
        """Write down that these sessions are about to be written."""
        # A line end in front too: a crash may have cut the line before.
        lines = b"".join(b"\n" + msgspec.json.encode(name) for name in ids)
        append_durably(self._folder / _MARKS, lines + b"\n")

    def marked(self) -> set[str]:
        """Every session that this migration may have written. What a crash cut was not acted upon."""
        path = self._folder / _MARKS
        with state_errors("read", path):
            data = path.read_bytes() if path.exists() else b""
        return set(_marks(data.split(b"\n")))

    def keep_versions(self, versions: Versions) -> None:
        """Write down what both stores hold at the cut-over."""
        replace_durably(self._folder / _VERSIONS, msgspec.json.encode(versions))

    def versions(self) -> Versions:
        """What both stores held at the cut-over.

        Raises:
            StateError: the file is missing or damaged.
        """
        path = self._folder / _VERSIONS
        with state_errors("read", path):
            data = path.read_bytes()
        return _decoded(data, path, Versions)


def _marks(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        try:
            yield msgspec.json.decode(line, type=str)
        except (msgspec.MsgspecError, UnicodeError):
            continue


class Journals:
    """The migrations of a state folder."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "migrations"
        self._bindings = Bindings(state)
        self.locks = TargetLocks(self._folder)

    def begin(
        self, source: StoreAddress, target: StoreAddress, *, options: list[str], **fields: Any
    ) -> Journal:
        """Write down a new migration.

        Args:
            options: words of the command that make a difference to how it ends.
            fields: of its record.
        """
        now = datetime.now(UTC)
        migration = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        record = MigrationRecord(
            id=migration,
            source=str(source),
            target=str(target),
            differences=[],
            created_at=now.isoformat(timespec="microseconds"),
            **fields,
        )
        state = MigrationState(
            source_place=place_of(source), target_place=place_of(target), options=options, record=record
        )
        journal = Journal(self._folder / migration, state)
        journal.update()
        return journal

    def all(self) -> list[Journal]:
        """Every migration, the oldest first.

        Raises:
            StateError: the state of one cannot be read.
        """
        found, damaged = self.readable()
        if damaged:
            raise damaged[0]
        return found

    def readable(self) -> tuple[list[Journal], list[StateError]]:
        """Every migration that can be read, the oldest first, and what is wrong with the others.

        Where only the binding of its name cannot be read, a migration is given as it was written down.
        """
        found: list[Journal] = []
        damaged: list[StateError] = []
        if not self._folder.is_dir():
            return found, damaged
        with state_errors("read", self._folder):
            folders = [path for path in self._folder.iterdir() if (path / _STATE).is_file()]
        for folder in folders:
            try:
                journal = _open(folder)
                found.append(journal)
                journal.settle(self._bindings)
            except StateError as error:
                damaged.append(error)
        return sorted(found, key=lambda one: (one.record.created_at, one.record.id)), damaged

    def find(self, source: StoreAddress, target: StoreAddress) -> Journal | None:
        """The latest migration from one of these stores to the other."""
        wanted = (place_of(source), place_of(target))
        return next((one for one in reversed(self.all()) if one.places == wanted), None)

    def named(self, name: str) -> Journal:
        """The migration of an id, or that a name was bound by.

        Raises:
            UsageError: there is none.
        """
        journals = self.all()
        by_id = {one.record.id: one for one in journals}
        if name in by_id:
            return by_id[name]
        bound = next((one for one in reversed(journals) if one.record.binding == name), None)
        if bound is not None:
            return bound
        known = [*by_id, *{one.record.binding for one in journals if one.record.binding}]
        raise unknown_name("migration", name, known, where=str(self._folder))


def _open(folder: Path) -> Journal:
    path = folder / _STATE
    with state_errors("read", path):
        data = path.read_bytes()
    return Journal(folder, _decoded(data, path, MigrationState))


def _decoded(data: bytes, path: Path, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise StateError(
            f"not the state of a migration: {error}", where=str(path), hint="move the folder away"
        ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
