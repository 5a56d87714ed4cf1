"""Which migrations run right now: who holds the lock of a target, by the lock itself and not by a guess."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tiergate.state_files import Busy, is_locked, locked, make_folder, state_errors
from tiergate.store import StoreAddress
from tiergate.store_places import place_of, short_name

_SUFFIX = ".lock"
_PATIENCE_S = 0.5
"""How long to wait for the lock: whoever asks for the state of a migration holds it for a moment."""


class Running(Busy):
    """Another migration to the same target is at work."""


class Holder(msgspec.Struct, kw_only=True, frozen=True):
    """Who holds the lock of a target, as its file says.

    Attributes:
        since: RFC 3339, UTC.
        source_place, target_place: where the stores are.
        binding: name that is to be bound at the end.
    """

    pid: int
    since: str
    source_place: str
    target_place: str
    binding: str | None = None

    def __str__(self) -> str:
        return f"pid {self.pid}, since {self.since}"


class TargetLocks:
    """The locks of all targets of a state folder.

    Args:
        folder: of the migrations.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, source: StoreAddress, target: StoreAddress, binding: str | None) -> Iterator[None]:
        """Keep other migrations from writing to a target.

        Raises:
            Running: one is at it; says which process.
        """
        make_folder(self._folder)
        lock, held = self._path(target), False
        try:
            with locked(lock, wait_s=_PATIENCE_S, busy=""):
                held = True
                holder = Holder(
                    pid=os.getpid(),
                    since=datetime.now(UTC).isoformat(timespec="seconds"),
                    source_place=place_of(source),
                    target_place=place_of(target),
                    binding=binding,
                )
                with state_errors("write the lock", lock):
                    lock.write_bytes(msgspec.json.encode(holder))
                yield
        except Busy as error:
            if held:
                raise
            raise _running(target, _read(lock)) from error

    def require_free(self, target: StoreAddress) -> None:
        """Refuse a target that a migration writes to, without making a file.

        Raises:
            Running: it does.
        """
        lock = self._path(target)
        if is_locked(lock):
            raise _running(target, _read(lock))

    def running(self) -> list[Holder]:
        """Every migration that runs now, the longest first."""
        if not self._folder.is_dir():
            return []
        held = [_read(lock) for lock in self._folder.glob(f"*{_SUFFIX}") if is_locked(lock)]
        return sorted((one for one in held if one is not None), key=lambda one: one.since)

    def _path(self, target: StoreAddress) -> Path:
        return self._folder / f"{short_name(place_of(target))}{_SUFFIX}"


def _read(lock: Path) -> Holder | None:
    """What a lock's file says; None where its holder was about to write it."""
    try:
        return msgspec.json.decode(lock.read_bytes(), type=Holder)
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return None


def _running(target: StoreAddress, holder: Holder | None) -> Running:
    return Running(
        f"a migration to it is running, {holder or 'which has just begun'}",
        where=str(target),
        hint="wait for it to end, or stop it; `tiergate migrate status` shows it",
    )
