"""Requests of the workload `agents`, and what is known of them before they run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tiergate.bench import BenchSetup
from tiergate.catalogue import Catalogue
from tiergate.hooks import OperationDeclaration, WorkloadDeclaration
from tiergate.model import Session
from tiergate.operation import Request
from tiergate.routing import Observation, RequestFacts
from tiergate.store import SessionSize
from tiergate_plugins.benchmarks.pool_found import declared, named


def agents(seed: int, tasks: int, count: int) -> tuple[Sequence[Session], Sequence[Request]]:
    """Sessions of about so many tasks in all, and so many requests on them."""
    _, workload = named(WorkloadDeclaration, "agents")
    sessions = workload.sessions(seed, tasks)
    return sessions, workload.requests(seed, sessions, count)


def fill(setup: BenchSetup, path: Path, sessions: Sequence[Session]) -> tuple[str, list[SessionSize]]:
    """A SQLite store with these sessions: its address, and what its catalogue says."""
    address = f"sqlite:{path}"
    with setup.open(address) as store, store.filling(), store.transaction():
        for session in sessions:
            store.save(session)
    with setup.open(address) as store:
        return address, store.sizes()


def operations() -> dict[str, tuple[str, OperationDeclaration]]:
    """Installed operations by name, each with the reference of its plugin."""
    return {one.name: (reference, one) for reference, one in declared(OperationDeclaration)}


def all_facts(requests: Sequence[Request], sizes: Sequence[SessionSize]) -> list[RequestFacts]:
    """The facts of each request, from the sizes in the store."""
    return Catalogue(sizes, (one for _, one in operations().values())).all_facts(requests)


def supposed(facts: Sequence[RequestFacts]) -> list[Observation]:
    """A training trace for routers whose speed matters here and not their skill: 50 µs and 10 ns a byte."""
    return [Observation(one, 5e-5 + 1e-8 * one.read_bytes) for one in facts]
