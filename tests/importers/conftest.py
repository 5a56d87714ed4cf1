"""Sources written on the spot, and the importers by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.hooks import ImporterDeclaration
from tiergate_plugins.importers import backlog, beads, taskmaster

Write = Callable[[str, str | bytes], Path]


@pytest.fixture(scope="session")
def importers() -> list[ImporterDeclaration]:
    """What the three built-in plugins declare."""
    return [found for module in (beads, taskmaster, backlog) for found in module.tiergate_importers()]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the test's folder, with the folders on the way, and return its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file
