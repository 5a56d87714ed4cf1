"""Sources written on the spot, and the importers by name."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.hooks import ImporterDeclaration
from tiergate.plugins import PluginHost

Write = Callable[[str, str | bytes], Path]
Files = dict[str, bytes]
Case = tuple[str, Files, Files | None]

_KEPT = runpy.run_path(str(Path(__file__).with_name("samples.py")))
SAMPLES: dict[str, list[Files]] = _KEPT["SAMPLES"]
DAMAGED: dict[str, Files] = _KEPT["DAMAGED"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a ``case`` on every sample, with its format and a damaged source of the same."""
    if "case" in metafunc.fixturenames:
        cases = {
            f"{name}-{number}": (name, files, DAMAGED.get(name))
            for name, samples in SAMPLES.items()
            for number, files in enumerate(samples)
        }
        metafunc.parametrize("case", cases.values(), ids=cases)


@pytest.fixture(scope="session")
def samples() -> dict[str, list[Files]]:
    """The samples by format."""
    return SAMPLES


@pytest.fixture(scope="session")
def importers() -> list[ImporterDeclaration]:
    """What the built-in plugins declare."""
    return PluginHost().all(ImporterDeclaration)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the test's folder, with the folders on the way, and return its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file
