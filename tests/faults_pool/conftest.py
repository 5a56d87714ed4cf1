"""Local pools whose workers are ill-treated, on the store of the contract suite."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiergate.pool import PoolSpec, TierSpec
from tiergate.testing.pool_parts import REFERENCE, SCHEME

FOLDERS = (Path(__file__).parent / "modules", Path(__file__).parent.parent / "pools" / "modules")


@pytest.fixture
def make_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PoolSpec]:
    """Makes a `PoolSpec`; what is not named is that of two hot workers on an empty store."""
    paths = (*map(str, FOLDERS), os.environ.get("PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))

    def make(**changes: Any) -> PoolSpec:
        given = {
            "tiers": [TierSpec("hot", 2)],
            "store": f"{SCHEME}:{tmp_path / 'store.json'}",
            "store_plugins": [REFERENCE],
            "operation_plugins": [REFERENCE, "faulty_operations"],
            "start_timeout_s": 60.0,
        }
        return PoolSpec(**{**given, **changes})

    return make
