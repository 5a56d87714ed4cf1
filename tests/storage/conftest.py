"""What the tests of the stores share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tiergate.hooks import StoreDeclaration
from tiergate.plugins import PluginHost
from tiergate.store import Store, StoreAddress


@pytest.fixture
def open_at(tmp_path: Path) -> Iterator[Callable[[str], Store]]:
    """Opens the store at an address, ``{}`` standing for a fresh folder; all are closed after the test."""
    host = PluginHost()
    opened: list[Store] = []

    def open_address(text: str) -> Store:
        address = StoreAddress.parse(text.replace("{}", str(tmp_path)))
        opened.append(host.get(StoreDeclaration, address.scheme).open(address))
        return opened[-1]

    yield open_address
    for store in opened:
        store.close()
