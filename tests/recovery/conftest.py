"""Lets the tests of this folder import what those of monitoring are made of."""

import os
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent

sys.path.insert(0, str(FOLDER / "monitoring"))


@pytest.fixture
def faulty_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets workers find operations and stores that misbehave."""
    paths = (FOLDER / "pools" / "modules", FOLDER / "recovery" / "modules")
    found = filter(None, (*map(str, paths), os.environ.get("PYTHONPATH")))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(found))
