"""Pools of real worker processes, on a store of one session."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tiergate.model import Session, Task
from tiergate.pool import PoolSpec, TierSpec
from tiergate.store import StoreAddress
from tiergate_plugins.storage.sqlite import open_store

MODULES = Path(__file__).parent / "modules"
TASKS = "tiergate_plugins.operations.tasks"
FAULTY = "faulty_operations"

SpecMaker = Callable[..., PoolSpec]


@pytest.fixture
def address(tmp_path: Path) -> str:
    """The address of a SQLite store with session ``s`` of tasks ``a`` and ``b``."""
    text = f"sqlite:{tmp_path / 'store.db'}"
    with open_store(StoreAddress.parse(text)) as store:
        store.save(Session(id="s", tasks=(Task(id="a", title="first"), Task(id="b", title="second"))))
    return text


@pytest.fixture
def make_spec(address: str, monkeypatch: pytest.MonkeyPatch) -> SpecMaker:
    """Makes a `PoolSpec`; workers find the modules of this folder."""
    paths = (str(MODULES), os.environ.get("PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))

    def make(
        tiers: Sequence[TierSpec] = (TierSpec("hot", 1),),
        *,
        store: str = address,
        store_plugins: Sequence[str] = ("tiergate_plugins.storage.sqlite",),
        operations: Sequence[str] = (TASKS, FAULTY),
        queue_limit: int = 1000,
        start_timeout_s: float = 60.0,
        heartbeat_s: float = 1.0,
    ) -> PoolSpec:
        return PoolSpec(
            tiers=tiers,
            store=store,
            store_plugins=store_plugins,
            operation_plugins=operations,
            queue_limit=queue_limit,
            start_timeout_s=start_timeout_s,
            heartbeat_s=heartbeat_s,
        )

    return make


@pytest.fixture
def no_children() -> Callable[[], bool]:
    """Tells whether this process has no child at all, neither running nor waiting to be reaped."""

    def check() -> bool:
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        return False

    return check
