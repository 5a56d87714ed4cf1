"""The workload `agents`: reproducible, well-formed, heavy-tailed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.hooks import OperationDeclaration, WorkloadDeclaration
from tiergate.model import Session, Task, canonical
from tiergate.operation import Request
from tiergate.store import StoreAddress
from tiergate_plugins.operations import search as search_operations
from tiergate_plugins.operations import sessions as session_operations
from tiergate_plugins.operations import tasks as task_operations
from tiergate_plugins.storage.sqlite import open_store
from tiergate_plugins.workloads.agents import MIX, requests, sessions, tiergate_workloads

OPERATIONS: dict[str, OperationDeclaration] = {
    declared.name: declared
    for module in (task_operations, session_operations, search_operations)
    for declared in module.tiergate_operations()
}

DIGEST = """
from hashlib import sha256
import msgspec
from tiergate.model import canonical
from tiergate_plugins.workloads.agents import requests, sessions
made = sessions(7, 500)
found = sha256(b"".join(map(canonical, made)))
found.update(msgspec.json.encode(requests(7, made, 300)))
print(found.hexdigest())
"""


def digest(seed: int, tasks: int, count: int) -> str:
    made = sessions(seed, tasks)
    found = sha256(b"".join(map(canonical, made)))
    found.update(msgspec.json.encode(requests(seed, made, count)))
    return found.hexdigest()


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_the_same_seed_gives_the_same_bytes_in_every_process(hash_seed: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest(7, 500, 300)


def test_another_seed_gives_other_sessions_and_requests() -> None:
    assert len({digest(seed, 200, 100) for seed in range(10)}) == 10
    made = sessions(1, 200)
    assert requests(1, made, 100) != requests(2, made, 100)


@settings(max_examples=30)
@given(st.integers(0, 2**40), st.integers(0, 400))
def test_as_many_tasks_as_asked_for(seed: int, tasks: int) -> None:
    made = sessions(seed, tasks)
    assert sum(len(session.tasks) for session in made) == tasks
    assert len({session.id for session in made}) == len(made)
    assert all(session.tasks for session in made)


@settings(max_examples=15)
@given(st.integers(0, 2**40))
def test_tasks_wait_for_earlier_tasks_of_their_session(seed: int) -> None:
    for session in sessions(seed, 150):
        earlier: set[str] = set()
        for task in session.tasks:
            assert earlier.issuperset(task.dependencies)
            assert task.id not in earlier
            assert task.weight > 0
            assert task.title
            earlier.add(task.id)


@settings(max_examples=15)
@given(st.integers(0, 2**40), st.integers(0, 80))
def test_requests_are_well_formed(seed: int, count: int) -> None:
    made = sessions(seed, 120)
    known = {session.id: {task.id for task in session.tasks} for session in made}
    found = requests(seed, made, count)
    assert [request.id for request in found] == list(range(count))
    for request in found:
        declared = OPERATIONS[request.operation]
        arguments = msgspec.convert(request.arguments, declared.arguments)
        assert request.session in known or (request.session is None and not declared.needs_session)
        assert "task" not in request.arguments or request.arguments["task"] in known[str(request.session)]
        assert (declared.scope(arguments).value == "store") == (request.session is None)
        assert msgspec.json.decode(msgspec.json.encode(request), type=Request) == request


def test_every_request_can_be_served(tmp_path: Path) -> None:
    made = sessions(3, 150)
    declared, _ = tiergate_workloads()
    assert isinstance(declared, WorkloadDeclaration)
    address = StoreAddress.parse(f"sqlite:{tmp_path / 'store.db'}?durability=normal")
    with open_store(address) as store:
        for session in made:
            store.save(session)
        served: Counter[str] = Counter()
        for request in declared.requests(3, made, 150):
            operation = OPERATIONS[request.operation]
            arguments = msgspec.convert(request.arguments, operation.arguments)
            assert operation.run(store, request.session or "", arguments) is not None
            served[request.operation] += 1
    assert set(served) == set(MIX)


def test_the_mix_is_near_its_shares_and_varies_with_the_seed() -> None:
    made = sessions(1, 300)
    mixes = [Counter(request.operation for request in requests(seed, made, 4000)) for seed in range(4)]
    assert len({tuple(sorted(mix.items())) for mix in mixes}) == 4
    for mix in mixes:
        for name, share in MIX.items():
            assert share * 0.5 < 100 * mix[name] / 4000 < share * 1.8


@pytest.mark.parametrize("seed", range(5))
def test_sizes_of_sessions_are_heavy_tailed(seed: int) -> None:
    sizes = sorted((len(session.tasks) for session in sessions(seed, 5000)), reverse=True)
    tenth = sizes[: len(sizes) // 10]
    assert sum(tenth) > 0.3 * sum(sizes)
    assert sizes[0] > 10 * sizes[len(sizes) // 2]
    assert sizes[0] <= 5000 // 5


@pytest.mark.parametrize("seed", range(5))
def test_some_sessions_are_much_more_popular(seed: int) -> None:
    made = sessions(seed, 2000)
    asked = Counter(request.session for request in requests(seed, made, 3000) if request.session)
    counts = sorted(asked.values(), reverse=True)
    assert sum(counts[: len(made) // 10]) > 0.3 * sum(counts)


def test_sessions_without_tasks_are_never_asked_for() -> None:
    filled = Session(id="filled", tasks=(Task(id="only", title="The only one"),))
    made = [Session(id="empty"), filled, Session(id="hollow")]
    assert {request.session for request in requests(1, made, 200)} == {"filled", None}


def test_without_any_task_there_is_nothing_to_ask_for() -> None:
    for made in ([], [Session(id="empty")]):
        with pytest.raises(ValueError, match="no session has a task"):
            requests(1, made, 5)


def test_requests_leave_the_sessions_as_they_are() -> None:
    made = sessions(5, 100)
    order = [session.id for session in made]
    ask = partial(requests, 5, made, 50)
    assert ask() == ask()
    assert [session.id for session in made] == order
