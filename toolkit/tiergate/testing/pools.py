"""The contract suite for pools."""

from __future__ import annotations

from tiergate.testing.pool_faults import FaultChecks
from tiergate.testing.pool_serving import ServingChecks


class PoolContract(ServingChecks, FaultChecks):
    """Every method and error of `tiergate.pool.Pool`, tested against one implementation.

    Subclass it, and override the fixture ``declaration``. Nothing here assumes that the workers are on this
    machine: override ``store_address`` where they share no folder with the tests, and ``kill_worker`` to have
    them killed from outside. The workers must be able to import `tiergate.testing.pool_parts`::

        class TestMyPool(PoolContract):
            @pytest.fixture
            def declaration(self) -> PoolDeclaration:
                return MY_POOL
    """
