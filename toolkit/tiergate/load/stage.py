"""Where a run takes place: fresh copies of the store, and pools on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import msgspec

from tiergate.errors import RunError, UsageError
from tiergate.hooks import OperationDeclaration, PoolDeclaration
from tiergate.model import Session
from tiergate.plugins import PluginHost
from tiergate.pool import Pool, PoolSpec, TierSpec
from tiergate.profiler import ProfileSpec
from tiergate.store import Capability, SessionSize, Store, StoreAddress, StoreError


@dataclass(frozen=True, slots=True)
class Filled:
    """A fresh store that holds the sessions, and what its catalogue says."""

    address: str
    sizes: list[SessionSize]


class Stage:
    """Makes fresh stores in a folder of its own, and pools that serve them.

    Args:
        host: where stores, operations and pools are declared.
        store: address of the store to run on. Its path, where it has one, is the folder in which the
            fresh copies are made; it must not hold anything yet.
        pool: name of the kind of pool.
        folder: where to work when the address has no path.
    """

    def __init__(self, host: PluginHost, store: str, pool: str, folder: Path) -> None:
        self._host = host
        self._template = StoreAddress.parse(store)
        self._opener = host.opener()
        declaration = self._opener.declaration(self._template)
        if Capability.MULTI_PROCESS not in declaration.capabilities:
            raise UsageError(f"store {declaration.name!r} cannot be shared by several workers", where=store)
        self._pool = host.get(PoolDeclaration, pool)
        self._folder = folder
        self._numbers = count(1)
        self.operations = host.all(OperationDeclaration)

    @contextmanager
    def filled(self, sessions: Sequence[Session]) -> Iterator[Filled]:
        """A store that holds these sessions and nothing else; it is removed at the end.

        Raises:
            RunError: the store cannot be made or written.
        """
        place = self._folder / f"copy-{next(self._numbers)}"
        address = replace(self._template, path=str(place / "store"))
        try:
            yield Filled(str(address), self._fill(place, address, sessions))
        finally:
            rmtree(place, ignore_errors=True)

    def _fill(self, place: Path, address: StoreAddress, sessions: Sequence[Session]) -> list[SessionSize]:
        try:
            place.mkdir()
            with self._opener.open(address) as store:
                fill(store, sessions)
                return store.sizes()
        except OSError as error:
            raise RunError(f"cannot make a store: {error.strerror}", where=str(place)) from error
        except StoreError as error:
            raise RunError(f"cannot fill the store: {error}") from error

    def pool(self, filled: Filled, tiers: Sequence[TierSpec], profiling: ProfileSpec | None = None) -> Pool:
        """A pool, not yet started, whose workers open that store."""
        return self._pool.build(
            PoolSpec(
                tiers=tiers,
                store=filled.address,
                store_plugins=self._host.store_plugins(self._template),
                operation_plugins=self._operation_plugins(),
                profiling=profiling,
            )
        )

    def references(self) -> list[str]:
        """The plugins whose code a worker of the pool runs: those of store, operations and pool."""
        pool = self._host.plugin_of(PoolDeclaration, self._pool.name).reference
        return sorted({*self._host.store_plugins(self._template), *self._operation_plugins(), pool})

    def _operation_plugins(self) -> list[str]:
        operations = {
            self._host.plugin_of(OperationDeclaration, operation.name).reference
            for operation in self.operations
        }
        return sorted(operations)


@contextmanager
def make_stage(host: PluginHost, store: str, pool: str) -> Iterator[Stage]:
    """A stage whose folder is removed at the end.

    Raises:
        UsageError: the address names an unknown store, or a path that cannot be used.
    """
    address = StoreAddress.parse(store)
    if not address.path:
        with TemporaryDirectory(prefix="tiergate-") as temporary:
            yield Stage(host, store, pool, Path(temporary))
        return
    folder = Path(address.path)
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError("the folder is not empty", where=str(folder), hint="name an empty or a new one")
    except OSError as error:
        raise UsageError(f"cannot be used as a folder: {error.strerror}", where=str(folder)) from error
    try:
        yield Stage(host, store, pool, folder)
    finally:
        if not existed:
            rmtree(folder, ignore_errors=True)


def fill(store: Store, sessions: Sequence[Session]) -> None:
    """Save sessions into an empty store, in one transaction where the store has them."""
    fresh = [msgspec.structs.replace(session, version=0) for session in sessions]
    if Capability.TRANSACTIONS in store.capabilities:
        with store.transaction():
            for session in fresh:
                store.save(session)
    else:
        for session in fresh:
            store.save(session)
