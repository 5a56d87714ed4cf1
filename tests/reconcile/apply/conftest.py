"""Desks with stores of every kind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from apply_desk import Desk


@pytest.fixture(params=["json", "jsonfile", "sqlite", "plain"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A desk for every kind of store."""
    return Desk(tmp_path, request.param)


@pytest.fixture
def sqlite_desk(tmp_path: Path) -> Desk:
    """A desk with one kind of store, for what does not depend on the kind."""
    return Desk(tmp_path, "sqlite")
