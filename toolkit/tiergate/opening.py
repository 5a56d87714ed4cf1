"""Opening a store by its address: the store itself, and the caches in front of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from tiergate.errors import UsageError, unknown_name
from tiergate.hooks import CacheDeclaration, StoreDeclaration
from tiergate.store import Capability, Store, StoreAddress


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens stores with the kinds of store and cache that are known to it.

    Attributes:
        stores: kinds of store by scheme.
        caches: kinds of cache by name.
        missing: what would make others available, a pip command by scheme or name.
    """

    stores: Mapping[str, StoreDeclaration]
    caches: Mapping[str, CacheDeclaration]
    missing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        stores: Iterable[StoreDeclaration],
        caches: Iterable[CacheDeclaration],
        missing: Mapping[str, str] | None = None,
    ) -> Self:
        """An opener of these kinds."""
        return cls(
            {found.name: found for found in stores}, {found.name: found for found in caches}, missing or {}
        )

    def open(self, address: StoreAddress | str) -> Store:
        """Open the store at an address, with its caches.

        Raises:
            UsageError: the address is none, or names a store, a cache or an option that is not known.
            StoreError: the store cannot be opened.
        """
        if isinstance(address, str):
            address = StoreAddress.parse(address)
        declaration = self.declaration(address)
        caches = [self._cache(name, address) for name in reversed(address.caches)]
        store = declaration.open(address.without_caches())
        try:
            for cache in caches:
                store = cache.wrap(store, address)
        except BaseException:
            store.close()
            raise
        return store

    def open_read_only(self, address: StoreAddress) -> Store:
        """Open the store itself so that no file is made or changed, where it can do that.

        Raises:
            As `open`.
        """
        plain = address.without_caches()
        if Capability.READ_ONLY in self.declaration(plain).capabilities:
            plain = plain.to_be_read()
        return self.open(plain)

    def require_known(self, address: StoreAddress) -> None:
        """Refuse an address that names what is not known, its caches among it.

        Raises:
            UsageError: it does.
        """
        self.declaration(address)
        for name in address.caches:
            self._cache(name, address)

    def declaration(self, address: StoreAddress) -> StoreDeclaration:
        """The kind of store that an address names.

        Raises:
            UsageError: it is not known.
        """
        if address.scheme not in self.stores:
            raise self._unknown("store", address.scheme, self._schemes(), address)
        return self.stores[address.scheme]

    def _schemes(self) -> list[str]:
        """What an address may begin with, caches in front of a store among it."""
        return [*self.stores, *(f"{name}+" for name in self.caches)]

    def _cache(self, name: str, address: StoreAddress) -> CacheDeclaration:
        if name not in self.caches:
            raise self._unknown("cache", name, self.caches, address)
        known = self.caches[name].options
        for option in address.cache_options(name):
            if option not in known:
                names = ", ".join(f"{name}.{one}" for one in known) or "none"
                raise UsageError(
                    f"unknown option {name}.{option!s}", where=str(address), hint=f"known: {names}"
                )
        return self.caches[name]

    def _unknown(self, kind: str, name: str, known: Iterable[str], address: StoreAddress) -> UsageError:
        if name in self.missing:
            return UsageError(
                f"{kind} {name!r} is not available", where=str(address), hint=self.missing[name]
            )
        if kind == "store" and name in self.caches:
            return UsageError(
                f"{name!r} is a cache, not a store", where=str(address), hint=f"write {name}+SCHEME:PATH"
            )
        return unknown_name(kind, name, known, where=str(address))
