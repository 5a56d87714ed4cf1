"""The local pool keeps every promise of the contract."""

from __future__ import annotations

import os
import signal

import pytest

from tiergate.hooks import PoolDeclaration
from tiergate.pool import Pool
from tiergate.testing import PoolContract
from tiergate.testing.pool_fixtures import KillWorker
from tiergate_plugins.pools.local import tiergate_pools

pytestmark = pytest.mark.integration

(LOCAL,) = tiergate_pools()


def kill(pool: Pool, name: str) -> None:
    spawned = [event.detail for event in pool.events() if event.kind == "spawn" and event.worker == name]
    os.kill(int(spawned[-1].removeprefix("pid ")), signal.SIGKILL)


class TestLocalPool(PoolContract):
    @pytest.fixture
    def declaration(self) -> PoolDeclaration:
        return LOCAL

    @pytest.fixture
    def kill_worker(self) -> KillWorker | None:
        return kill
