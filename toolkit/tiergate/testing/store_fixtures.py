"""What the checks of the store contract are given; a plugin author overrides the first two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tiergate.hooks import StoreDeclaration
from tiergate.store import Capability, Store, StoreAddress

OpenStore = Callable[[], Store]


class StoreFixtures:
    """Fixtures of a store contract."""

    @pytest.fixture
    def declaration(self) -> StoreDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the StoreDeclaration to test")

    @pytest.fixture
    def address(self, declaration: StoreDeclaration, tmp_path: Path) -> StoreAddress:
        """Where a new and empty store is. Override it when a path in a fresh folder will not do."""
        return StoreAddress(declaration.name, str(tmp_path / "store"))

    @pytest.fixture
    def open_store(self, declaration: StoreDeclaration, address: StoreAddress) -> Iterator[OpenStore]:
        """Opens instances of the store at the address; all of them are closed after the test."""
        opened: list[Store] = []

        def open_another() -> Store:
            opened.append(declaration.open(address))
            return opened[-1]

        yield open_another
        for store in opened:
            store.close()

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Store:
        """One open store, empty."""
        return open_store()

    @pytest.fixture
    def has_transactions(self, declaration: StoreDeclaration) -> bool:
        """Whether the store declares transactions."""
        return Capability.TRANSACTIONS in declaration.capabilities

    @pytest.fixture
    def has_text_search(self, declaration: StoreDeclaration) -> bool:
        """Whether the store declares text search."""
        return Capability.TEXT_SEARCH in declaration.capabilities

    @pytest.fixture
    def is_multi_process(self, declaration: StoreDeclaration) -> bool:
        """Whether the store declares that several processes may use it at once."""
        return Capability.MULTI_PROCESS in declaration.capabilities
