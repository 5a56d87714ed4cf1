"""Progress, expansion, balance, flow and plan, through a service on a real store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.hooks import OperationDeclaration
from tiergate.model import Session, Status, Task
from tiergate.operation import Request, Scope
from tiergate.resident import ResidentStore
from tiergate.store import Store
from tiergate.worker import Service
from tiergate_plugins.operations import balance, expand, flow, flow_arguments, plan, progress
from tiergate_plugins.operations.tasks import ATTEMPTS
from tiergate_plugins.storage.sqlite_store import SqliteStore

MODULES = (progress, expand, balance, flow, plan)
NOW, LATER = "2027-01-15T08:00:00Z", "2027-01-15T09:00:00Z"


def declared() -> dict[str, OperationDeclaration]:
    return {one.name: one for module in MODULES for one in module.tiergate_operations()}


def task(name: str, weight: float = 1.0, *waits_for: str, **fields: Any) -> Task:
    return Task(id=name, title=f"Task {name}", weight=weight, dependencies=waits_for, **fields)


TASKS = (
    task("a", 8, notes="begun"),
    task("b", 2, "a"),
    task("c", 3, "a", status=Status.ACTIVE),
    task("d", 1, "b", "c", "gone"),
    task("e", 9, status=Status.BLOCKED),
    task("f", 1, status=Status.ACTIVE, extra={"colour": "red"}),
)


class Raced(SqliteStore):
    """A store where somebody else adds a task to the session before each of the first `races` writes."""

    races = 0

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        """Write something else first, as another process would."""
        if self.races:
            self.races -= 1
            version = self.version(session_id)
            super().upsert_tasks(session_id, [task(f"other-{self.races}", 0)], expected_version=version)
        return super().upsert_tasks(session_id, tasks, expected_version=expected_version)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Raced]:
    """A store with session ``s`` at version 1."""
    with Raced(tmp_path / "store.db", durable=False) as opened:
        opened.save(Session(id="s", tasks=TASKS))
        yield opened


class Asker:
    """Asks a service, and gives results as plain values, or the line of the failure."""

    def __init__(self, store: Store) -> None:
        self._service = Service(store, declared().values())

    def __call__(
        self, operation: str, key: str | None = None, session: str | None = "s", **arguments: Any
    ) -> Any:
        reply = self._service.handle(Request(1, operation, session, arguments, key))
        if reply.failure is not None:
            return f"{reply.failure.kind}: {reply.failure.message}"
        # What a client gets is JSON; it must be what the declared type of the result promises.
        return msgspec.json.decode(msgspec.json.encode(reply.result))


@pytest.fixture
def ask(store: Raced) -> Asker:
    """A service on the store."""
    return Asker(store)


def tasks_of(store: Store) -> dict[str, Task]:
    return {one.id: one for one in store.load("s").tasks}


def test_progress_is_written_and_raises_momentum(store: Raced, ask: Asker) -> None:
    found = ask("task_progress", task="a", amount=0.5, note="half of it", now=NOW)
    assert found == {"task": "a", "status": "active", "done": 0.5, "momentum": 0.5, "version": 2}
    assert tasks_of(store)["a"].notes == "begun\nhalf of it"
    assert tasks_of(store)["a"].status is Status.ACTIVE
    found = ask("task_progress", task="a", amount=0.25, half_life_s=3600, now=LATER)
    assert found["momentum"] == pytest.approx(0.25 + 0.25 * 0.75)
    found = ask("task_progress", task="a", done=True, now=LATER)
    assert (found["status"], found["done"], found["version"]) == ("completed", 1.0, 4)


def test_progress_under_one_key_counts_once(store: Raced, ask: Asker) -> None:
    first = ask("task_progress", key="k", task="a", amount=0.5, now=NOW)
    assert ask("task_progress", key="k", task="a", amount=0.5, now=NOW) == first
    assert store.version("s") == 2
    assert ask("task_progress", key="l", task="a", amount=0.5, now=NOW)["done"] == 1.0


def test_a_task_that_is_done_twice_is_written_once(store: Raced, ask: Asker) -> None:
    first = ask("task_progress", task="a", done=True, now=NOW)
    assert ask("task_progress", task="a", done=True, now=NOW) == first
    assert store.version("s") == 2


def test_progress_by_the_clock(ask: Asker) -> None:
    assert ask("task_progress", task="a", amount=1.0)["momentum"] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"task": "a"}, "OperationError: no progress is reported"),
        ({"task": "zz", "done": True}, "TaskNotFound: session 's' has no task 'zz'"),
        ({"task": "a", "amount": 1.5}, "OperationError: arguments of task_progress"),
        ({"task": "a", "amount": -0.1}, "OperationError: arguments of task_progress"),
        ({"task": "a", "amount": "half"}, "OperationError: arguments of task_progress"),
        ({"task": "", "done": True}, "OperationError: arguments of task_progress"),
        ({"task": "a", "done": True, "now": "noon"}, "OperationError: arguments of task_progress"),
        (
            {"task": "a", "done": True, "now": "2027-01-15T08:00:00"},
            "OperationError: arguments of task_progress",
        ),
        ({"task": "a", "done": True, "half_life_s": 0}, "OperationError: arguments of task_progress"),
        ({"task": "gone", "amount": 0.1}, "TaskNotFound"),
    ],
)
def test_progress_that_is_none_is_refused(
    store: Raced, ask: Asker, arguments: dict[str, Any], says: str
) -> None:
    assert ask("task_progress", **arguments).startswith(says)
    assert store.version("s") == 1


def test_progress_on_a_closed_task_is_refused(ask: Asker) -> None:
    ask("task_progress", task="a", done=True, now=NOW)
    assert "task 'a' is completed (set its status" in ask("task_progress", task="a", amount=0.1)


def test_balance_says_and_writes_nothing(store: Raced, ask: Asker) -> None:
    found = ask("balance", wip_limit=1, now=NOW)
    assert [one["task"] for one in found["active"]] == ["a"]
    assert [(one["task"], one["cause"]) for one in found["step_back"]] == [("c", "waits"), ("f", "displaced")]
    assert (found["ready"], found["waiting"], found["blocked"]) == (2, 3, 1)
    assert store.version("s") == 1


def test_balance_apply_writes_what_balance_says(store: Raced, ask: Asker) -> None:
    said = ask("balance", wip_limit=1, now=NOW)
    found = ask("balance_apply", wip_limit=1, now=NOW)
    assert (found["balance"], found["started"], found["queued"], found["version"]) == (
        said,
        ["a"],
        ["c", "f"],
        2,
    )
    active = [name for name, one in tasks_of(store).items() if one.status is Status.ACTIVE]
    assert active == ["a"]
    assert tasks_of(store)["f"].extra == {"colour": "red"}
    assert tasks_of(store)["a"].updated_at == NOW
    again = ask("balance_apply", wip_limit=1, now=NOW)
    assert (again["started"], again["queued"], again["version"]) == ([], [], 2)


def test_a_balance_that_lost_a_race_decides_again(store: Raced, ask: Asker) -> None:
    store.races = 2
    found = ask("balance_apply", wip_limit=1, now=NOW)
    assert (found["started"], found["version"]) == (["a"], 4)
    assert found["balance"]["ready"] == 4
    store.races = 10 * ATTEMPTS
    assert f"changed {ATTEMPTS} times while" in ask("balance_apply", wip_limit=0, now=NOW)


def test_expansion_is_written_once(store: Raced, ask: Asker) -> None:
    store.races = 1
    found = ask("task_expand", key="k", task="b", now=NOW)
    assert [one["task"] for one in found["subtasks"]] == ["b.plan", "b.implement", "b.test", "b.document"]
    assert found["subtasks"][0] == {
        "task": "b.plan",
        "title": "Plan: Task b",
        "weight": 0.25,
        "dependencies": ["a"],
    }
    assert ask("task_expand", key="k", task="b", now=NOW) == found
    assert "task 'b' was expanded before" in ask("task_expand", task="b", now=NOW)
    assert store.version("s") == found["version"] == 3
    assert tasks_of(store)["d"].dependencies == ("b", "c", "gone")
    assert tasks_of(store)["b"].dependencies == ("b.document",)
    assert ask("task_expand", task="zz").startswith("TaskNotFound")


def test_plan_and_its_layers(ask: Asker) -> None:
    assert ask("plan") == {
        "critical_path": ["a", "c", "d"],
        "weight": 12.0,
        "layers": [["a", "e", "f"], ["b", "c"], ["d"]],
        "open": 6,
    }


def test_flow_of_a_session_that_is_worked_on(store: Raced, ask: Asker) -> None:
    assert ask("flow", now=NOW)["state"] == "stalled"
    for name in "af":
        ask("task_progress", task=name, done=True, now=NOW)
    found = ask("flow", now=NOW)
    assert (found["state"], found["momentum"], found["trend"]) == ("deep", 0.75, "rising")
    assert [one["task"] for one in found["moving"]] == ["a", "f"]
    assert [one["task"] for one in found["soon_ready"]] == ["d"]
    assert found["prediction"]["at"] == LATER
    assert ask("flow", now=LATER, half_life_s=600)["state"] == "stalled"
    assert ask("flow", now="9999-12-31T23:59:59Z", horizon_s=1e9)["state"] == "stalled"
    assert ask("flow", now="0001-01-01T00:00:00Z", horizon_s=1)["state"] == "stalled"


@pytest.mark.parametrize("operation", ["balance", "balance_apply", "flow", "plan"])
def test_a_cycle_is_named_with_its_session(store: Raced, ask: Asker, operation: str) -> None:
    store.upsert_tasks("s", [task("a", 1, "d")], expected_version=1)
    assert ask(operation).startswith("DependencyCycle: session 's': dependency cycle a → d → ")


@pytest.mark.parametrize("operation", sorted(declared()))
def test_a_session_that_is_not_there(ask: Asker, operation: str) -> None:
    arguments = {"task": "a"} if operation.startswith("task_") else {}
    arguments |= {"done": True} if operation == "task_progress" else {}
    assert ask(operation, session="zz", **arguments).startswith("SessionNotFound")
    assert ask(operation, session=None, **arguments) == f"OperationError: {operation} needs a session"


def test_the_same_on_a_store_that_keeps_sessions_decoded(store: Raced) -> None:
    ask = Asker(ResidentStore(store, 1000))
    ask("plan")
    ask("task_progress", task="a", amount=0.5, now=NOW)
    assert ask("task_progress", task="a", amount=0.25, now=NOW)["done"] == 0.75
    assert store.load("s") == ResidentStore(store, 1000).load("s")
    assert ask("balance", now=NOW)["active"][0]["parts"]["momentum"] == pytest.approx(0.3 * 0.625)


def test_what_is_declared_for_routers() -> None:
    found = declared()
    assert {name: one.writes for name, one in found.items()} == {
        "task_progress": True,
        "task_expand": True,
        "balance": False,
        "balance_apply": True,
        "flow": False,
        "plan": False,
    }
    assert [name for name, one in found.items() if one.cached] == ["plan"]  # the others depend on the moment
    assert found["task_progress"].scope(None) is Scope.TASK
    assert {found[name].scope(None) for name in found if name != "task_progress"} == {Scope.SESSION}


def test_every_field_of_the_contract_is_described() -> None:
    structs = [
        kind
        for kind in vars(flow_arguments).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    ]
    _, definitions = msgspec.json.schema_components(structs)
    assert {"Balance", "FlowArguments", "Progressed", "Subtask"} <= definitions.keys()
    for name, definition in definitions.items():
        for field, schema in definition.get("properties", {}).items():
            assert "description" in schema, f"{name}.{field}"
