"""What the benchmarks work on: sessions that the workload `agents` makes, always the same."""

from __future__ import annotations

import pytest

from tiergate.hooks import WorkloadDeclaration
from tiergate.model import Session
from tiergate.plugins import PluginHost

SEED = 20
TASKS = 1500


@pytest.fixture(scope="session")
def host() -> PluginHost:
    """The plugins that are installed."""
    return PluginHost()


@pytest.fixture(scope="session")
def sessions(host: PluginHost) -> list[Session]:
    """Some sessions, the largest first."""
    made = host.get(WorkloadDeclaration, "agents").sessions(SEED, TASKS)
    return sorted(made, key=lambda session: -len(session.tasks))
