"""What holds for every built-in workload: reproducible, well-formed, and all of it can be served."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.hooks import OperationDeclaration, WorkloadDeclaration
from tiergate.load.trace import generate
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.store import StoreAddress
from tiergate_plugins.storage.sqlite import open_store

HOST = PluginHost()
OPERATIONS = {operation.name: operation for operation in HOST.all(OperationDeclaration)}
WORKLOADS = {workload.name: workload for workload in HOST.all(WorkloadDeclaration)}

every_workload = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)


def test_these_are_built_in() -> None:
    assert set(WORKLOADS) >= {"agents", "bursts", "uniform", *(f"ycsb-{letter}" for letter in "abcdef")}


@every_workload
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 300), st.integers(0, 150))
def test_requests_are_well_formed_and_the_same_for_the_same_seed(
    workload: WorkloadDeclaration, seed: int, tasks: int, count: int
) -> None:
    made = workload.sessions(seed, tasks)
    assert sum(len(session.tasks) for session in made) == tasks
    assert len({session.id for session in made}) == len(made)
    known = {session.id: {task.id for task in session.tasks} for session in made}
    trace = generate(workload, seed, made, count, tasks)
    assert [request.id for request in trace.requests] == list(range(count))
    assert trace.sha256 == generate(workload, seed, workload.sessions(seed, tasks), count, tasks).sha256
    assert count < 5 or trace.sha256 != generate(workload, seed + 1, made, count, tasks).sha256
    for request in trace.requests:
        declared = OPERATIONS[request.operation]
        arguments = msgspec.convert(request.arguments, declared.arguments)
        assert request.session in known or (request.session is None and not declared.needs_session)
        assert (declared.scope(arguments).value == "store") == (request.session is None)
        if request.operation == "task_add":
            known[str(request.session)].add(request.arguments["task"])
        elif "task" in request.arguments:
            assert request.arguments["task"] in known[str(request.session)]


@every_workload
def test_every_request_can_be_served_in_the_order_of_the_trace(
    workload: WorkloadDeclaration, tmp_path: Path
) -> None:
    made = workload.sessions(3, 200)
    served: Counter[str] = Counter()
    with open_store(StoreAddress.parse(f"sqlite:{tmp_path / 'store.db'}?durability=normal")) as store:
        for session in made:
            store.save(session)
        for request in workload.requests(3, made, 300):
            operation = OPERATIONS[request.operation]
            arguments = msgspec.convert(request.arguments, operation.arguments)
            assert operation.run(store, request.session or "", arguments) is not None
            served[request.operation] += 1
        added = sum(len(store.load(session.id).tasks) for session in made) - 200
    assert added == served["task_add"]


@every_workload
def test_sessions_of_somebody_else_will_do(workload: WorkloadDeclaration) -> None:
    filled = Session(id="filled", tasks=tuple(Task(id=f"added-{n}", title="A task") for n in range(100)))
    made = [Session(id="empty"), filled, Session(id="hollow")]
    found = workload.requests(1, made, 200)
    assert {request.session for request in found} <= {"filled", None}
    added = [request.arguments["task"] for request in found if request.operation == "task_add"]
    assert len({*added, *(task.id for task in filled.tasks)}) == len(added) + 100


@every_workload
def test_without_any_task_there_is_nothing_to_ask_for(workload: WorkloadDeclaration) -> None:
    for made in ([], [Session(id="empty")]):
        with pytest.raises(ValueError, match="no session has a task"):
            workload.requests(1, made, 5)
