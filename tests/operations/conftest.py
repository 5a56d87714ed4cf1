"""A store to run operations on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tiergate.store import Store, StoreAddress
from tiergate_plugins.storage.sqlite import open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty SQLite store."""
    with open_store(StoreAddress.parse(f"sqlite:{tmp_path / 'store.db'}?durability=normal")) as opened:
        yield opened
