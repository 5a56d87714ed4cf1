"""Names that are bound to stores: `store:NAME`.

A binding is a small file in the state folder. Binding a name to another store raises its epoch; a write
through a store that was opened at an earlier epoch is refused, so that nobody writes to the old store
unaware. Writes hold the name's lock together, a change of the binding holds it alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from tiergate.errors import UsageError, unknown_name
from tiergate.hooks import StoreDeclaration
from tiergate.opening import Opener
from tiergate.state_files import (
    StateError,
    locked,
    make_folder,
    remove_durably,
    replace_durably,
    state_errors,
    state_folder,
)
from tiergate.store import StaleBinding, Store, StoreAddress

SCHEME = "store"
WAIT_S = 60.0
"""How long a write waits for a cut-over, and a cut-over for writes that have begun."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SUFFIX = ".json"
_UNBOUND = ".unbound"


class Binding(msgspec.Struct, kw_only=True, frozen=True):
    """What a name is bound to.

    Attributes:
        address: of the store, with caches and options.
        epoch: 1 at first, raised by every change.
        previous: address that it was bound to before.
        migration: id of the migration that bound it; None where a person did.
        bound_at: RFC 3339, UTC.
    """

    schema: Literal["tiergate.binding/1"] = "tiergate.binding/1"
    name: str
    address: str
    epoch: int
    previous: str | None = None
    migration: str | None = None
    bound_at: str = ""


class Bindings:
    """The bindings of a state folder."""

    def __init__(self, state: Path) -> None:
        self.folder = state / "bindings"

    def find(self, name: str) -> Binding | None:
        """What a name is bound to, or None.

        Raises:
            UsageError: it cannot be a name.
            StateError: its file cannot be read.
        """
        path = self._path(require_name(name), _SUFFIX)
        with state_errors("read", path):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
        return _decoded(data, path)

    def read(self, name: str) -> Binding:
        """What a name is bound to.

        Raises:
            UsageError: to nothing.
            StateError: its file cannot be read.
        """
        found = self.find(name)
        if found is not None:
            return found
        known = self.names()
        if known:
            raise unknown_name("bound name", name, known, where=str(self.folder))
        raise UsageError(
            f"no store is bound to {name!r}",
            where=str(self.folder),
            hint=f"`tiergate migrate bind {name} STORE` binds one; TIERGATE_STATE names the state folder",
        )

    def readable(self) -> tuple[list[Binding], list[StateError]]:
        """What every name is bound to, and what is wrong with those of which it cannot be read."""
        found: list[Binding] = []
        damaged: list[StateError] = []
        for name in self.names():
            try:
                found.append(self.read(name))
            except StateError as error:
                damaged.append(error)
        return found, damaged

    def names(self) -> list[str]:
        """Every bound name, sorted."""
        if not self.folder.is_dir():
            return []
        with state_errors("read", self.folder):
            return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def put(
        self, name: str, address: StoreAddress, *, before: Binding | None, migration: str | None = None
    ) -> Binding:
        """Bind a name in one step; the caller holds it with `changing`.

        Args:
            before: what it is bound to now.

        Raises:
            StateError: the file cannot be written; the name is bound as it was.
        """
        binding = Binding(
            name=require_name(name),
            address=str(address),
            epoch=max(before.epoch if before else 0, self._last_epoch(name)) + 1,
            previous=before.address if before else None,
            migration=migration,
            bound_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        data = msgspec.json.format(msgspec.json.encode(binding), indent=2) + b"\n"
        replace_durably(self._path(name, _SUFFIX), data)
        return binding

    def remove(self, bound: Binding) -> None:
        """Bind a name to nothing; the caller holds it with `changing`.

        What was bound is kept aside, so that the epochs of the name go on: who has opened a store by it
        must not take a later binding for his own.

        Raises:
            StateError: a file cannot be written or removed; the name is bound as it was.
        """
        replace_durably(self._path(bound.name, _UNBOUND), msgspec.json.encode(bound))
        remove_durably(self._path(bound.name, _SUFFIX))

    def _last_epoch(self, name: str) -> int:
        """The epoch at which a name was set free; 0 where it never was."""
        path = self._path(name, _UNBOUND)
        with state_errors("read", path):
            return _decoded(path.read_bytes(), path).epoch if path.exists() else 0

    @contextmanager
    def writing(self, opened: Binding) -> Iterator[None]:
        """Keep a name bound as it is while something is written through it.

        Raises:
            StaleBinding: it was bound anew since the store was opened.
            Busy: it is being bound anew, for longer than `WAIT_S`.
        """
        gate, lock = self._path(opened.name, ".gate"), self._path(opened.name, ".lock")
        busy = f"store:{opened.name} is being bound to another store"
        with self._both(gate, lock, shared=True, busy=busy):
            now = self.find(opened.name)
            if now is None or now.epoch != opened.epoch:
                raise _stale_binding(opened, now)
            yield

    @contextmanager
    def changing(self, name: str) -> Iterator[None]:
        """Keep all writes through a name out, and other changes.

        Raises:
            UsageError: it cannot be a name.
            Busy: writes that have begun take longer than `WAIT_S`.
        """
        require_name(name)
        make_folder(self.folder)
        busy = f"writes through store:{name} have not ended for {WAIT_S:g} s"
        with self._both(self._path(name, ".gate"), self._path(name, ".lock"), shared=False, busy=busy):
            yield

    @contextmanager
    def _both(self, gate: Path, lock: Path, *, shared: bool, busy: str) -> Iterator[None]:
        """Hold the lock, having come through the gate.

        Writes hold the gate for no longer than it takes to get the lock. So a change that holds the gate
        lets no new write begin, and those that have begun end: many writers cannot keep it out for ever.
        """
        with ExitStack() as held:
            with ExitStack() as passing:
                passing.enter_context(locked(gate, shared=shared, wait_s=WAIT_S, busy=busy))
                held.enter_context(locked(lock, shared=shared, wait_s=WAIT_S, busy=busy))
                if not shared:
                    held.push(passing.pop_all())
            yield

    def _path(self, name: str, suffix: str) -> Path:
        return self.folder / f"{name}{suffix}"


def _decoded(data: bytes, path: Path) -> Binding:
    try:
        return msgspec.json.decode(data, type=Binding)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise StateError(
            f"not a binding: {error}",
            where=str(path),
            hint="restore the file, or remove it and bind the name again",
        ) from error


def require_name(name: str) -> str:
    """The name itself.

    Raises:
        UsageError: it cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a bound name",
            hint="use up to 64 letters, digits, - _ and ., beginning with a letter or digit",
        )
    return name


@dataclass(frozen=True)
class NamedOpener(Opener):
    """An opener that knows ``store:NAME`` besides.

    Attributes:
        state: the state folder, where the bindings are.
    """

    state: Path = field(default_factory=state_folder)

    def open(self, address: StoreAddress | str) -> Store:
        """Open the store at an address; a name opens what it is bound to now.

        Raises:
            As `Opener.open`, and UsageError for a name that is bound to nothing.
        """
        if isinstance(address, str):
            address = StoreAddress.parse(address)
        if address.scheme != SCHEME:
            return super().open(address)
        binding, behind = self._behind(address)
        return self._fenced(super().open(behind), binding)

    def open_read_only(self, address: StoreAddress) -> Store:
        """Open the store itself so that no file is made or changed, where it can do that.

        Raises:
            As `open`.
        """
        if address.scheme != SCHEME:
            return super().open_read_only(address)
        binding, behind = self._behind(address)
        return self._fenced(super().open_read_only(behind), binding)

    def declaration(self, address: StoreAddress) -> StoreDeclaration:
        """The kind of store that an address names, or that its name is bound to.

        Raises:
            As `open`.
        """
        return super().declaration(self.resolve(address))

    def resolve(self, address: StoreAddress) -> StoreAddress:
        """The address that a name is bound to, with the caches and options of both; others as they are.

        Raises:
            UsageError: the name is bound to nothing.
        """
        return resolve(address, self.state)

    def _schemes(self) -> list[str]:
        return [*super()._schemes(), SCHEME]

    def _behind(self, address: StoreAddress) -> tuple[Binding, StoreAddress]:
        """A binding, and the address that it stands for: read once, so that they belong together."""
        binding = Bindings(self.state).read(address.path)
        return binding, _through(binding, address)

    def _fenced(self, store: Store, binding: Binding) -> Store:
        from tiergate.bound_store import BoundStore  # most stores are opened without a name

        return BoundStore(store, binding, Bindings(self.state))


def resolve(address: StoreAddress, state: Path | None = None) -> StoreAddress:
    """The address that a name is bound to, with the caches and options of both; others as they are.

    Args:
        state: the state folder, where it is not the one that holds here.

    Raises:
        UsageError: the name is bound to nothing.
    """
    if address.scheme != SCHEME:
        return address
    return _through(Bindings(state or state_folder()).read(address.path), address)


def _through(binding: Binding, address: StoreAddress) -> StoreAddress:
    bound = StoreAddress.parse(binding.address)
    caches = tuple(dict.fromkeys((*address.caches, *bound.caches)))
    return StoreAddress(bound.scheme, bound.path, {**bound.options, **address.options}, caches)


def _stale_binding(opened: Binding, now: Binding | None) -> StaleBinding:
    where = f"{SCHEME}:{opened.name}"
    if now is None:
        return StaleBinding("the name is bound to nothing any more; nothing was written", where=where)
    return StaleBinding(
        f"bound to {now.address} since {now.bound_at}, and this was opened as {opened.address};"
        " nothing was written",
        where=where,
        hint=f"open {where} again, load the session again and repeat the change",
    )
