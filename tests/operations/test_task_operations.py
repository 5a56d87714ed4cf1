"""Reading and updating one task."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from tiergate.hooks import OperationDeclaration
from tiergate.model import Session, Status, Task
from tiergate.operation import OperationError, Scope
from tiergate.store import SessionNotFound, StaleVersion, Store, StoreAddress, TaskNotFound, stale
from tiergate_plugins.operations.tasks import (
    ATTEMPTS,
    TaskAdd,
    TaskGet,
    TaskUpdate,
    Updated,
    task_add,
    task_get,
    task_update,
    tiergate_operations,
)
from tiergate_plugins.storage.sqlite import open_store
from tiergate_plugins.storage.sqlite_store import SqliteStore

TASK = Task(id="a", title="first", notes="begun", status=Status.ACTIVE, weight=3.0, extra={"colour": "red"})


@pytest.fixture
def filled(store: Store) -> Store:
    """The store with one session of two tasks."""
    store.save(Session(id="s", tasks=(TASK, Task(id="b", title="second"))))
    return store


class Raced(SqliteStore):
    """A store where somebody else writes the session before each of the first `races` updates."""

    races = 0
    updates = 0

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        """Write the title of the task first, as another process would."""
        self.updates += 1
        if self.updates <= self.races:
            task, version = self.load_task(session_id, "a")
            other = Task(id="a", title=f"{task.title}!", notes=task.notes)
            super().upsert_tasks(session_id, [other], expected_version=version)
        return super().upsert_tasks(session_id, tasks, expected_version=expected_version)


@pytest.fixture
def raced(tmp_path: Path) -> Raced:
    """A raced store with session ``s`` at version 1."""
    store = Raced(tmp_path / "raced.db", durable=False)
    store.save(Session(id="s", tasks=(Task(id="a", title="first", notes="begun"),)))
    return store


def test_get_reads_the_task_as_it_was_saved(filled: Store) -> None:
    assert task_get(filled, "s", TaskGet("a")) == TASK


def test_get_names_what_is_missing(filled: Store) -> None:
    with pytest.raises(TaskNotFound, match="session 's' has no task 'zz'"):
        task_get(filled, "s", TaskGet("zz"))
    with pytest.raises(SessionNotFound, match="no session 'zz'"):
        task_get(filled, "zz", TaskGet("a"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (TaskUpdate(task="a"), {}),
        (TaskUpdate(task="a", status=Status.COMPLETED), {"status": Status.COMPLETED}),
        (TaskUpdate(task="a", weight=0.0), {"weight": 0.0}),
        (TaskUpdate(task="a", append_notes="ended"), {"notes": "begun\nended"}),
        (
            TaskUpdate(task="a", status=Status.BLOCKED, weight=5.0, append_notes="waits"),
            {"status": Status.BLOCKED, "weight": 5.0, "notes": "begun\nwaits"},
        ),
    ],
)
def test_update_changes_what_it_is_told_and_keeps_the_rest(
    filled: Store, arguments: TaskUpdate, expected: dict[str, object]
) -> None:
    assert task_update(filled, "s", arguments) == Updated(2)
    session = filled.load("s")
    assert session.version == 2
    assert session.tasks[1] == Task(id="b", title="second")
    changed = session.tasks[0]
    found = {name: getattr(changed, name) for name in Task.__struct_fields__}
    assert found == {name: getattr(TASK, name) for name in Task.__struct_fields__} | expected


def test_the_first_note_has_no_empty_line_before_it(filled: Store) -> None:
    task_update(filled, "s", TaskUpdate(task="b", append_notes="one"))
    assert filled.load_task("s", "b")[0].notes == "one"


def test_update_names_what_is_missing(filled: Store) -> None:
    with pytest.raises(TaskNotFound):
        task_update(filled, "s", TaskUpdate(task="zz", weight=1.0))
    with pytest.raises(SessionNotFound):
        task_update(filled, "zz", TaskUpdate(task="a", weight=1.0))
    assert filled.load("s").version == 1


def test_a_lost_race_is_run_again_on_what_the_winner_wrote(raced: Raced) -> None:
    raced.races = 3
    with raced:
        assert task_update(raced, "s", TaskUpdate(task="a", append_notes="ended")) == Updated(5)
        assert raced.updates == 4
        task, version = raced.load_task("s", "a")
    assert (task.title, task.notes, version) == ("first!!!", "begun\nended", 5)


def test_an_update_that_always_loses_gives_up(raced: Raced) -> None:
    raced.races = 10 * ATTEMPTS
    with raced:
        with pytest.raises(
            OperationError, match=rf"session 's' changed {ATTEMPTS} times while task 'a' of it"
        ):
            task_update(raced, "s", TaskUpdate(task="a", append_notes="ended"))
        assert raced.updates == ATTEMPTS
        assert raced.load_task("s", "a")[0].notes == "begun"


def test_add_appends_the_task_and_keeps_the_others(filled: Store) -> None:
    before = filled.load("s").tasks
    arguments = TaskAdd(task="c", title="third", notes="new", weight=2.0, dependencies=("a", "b"))
    assert task_add(filled, "s", arguments) == Updated(2)
    added = Task(id="c", title="third", notes="new", weight=2.0, dependencies=("a", "b"))
    assert filled.load("s").tasks == (*before, added)


def test_add_refuses_an_id_that_is_there_and_changes_nothing(filled: Store) -> None:
    before = filled.load("s")
    with pytest.raises(OperationError) as caught:
        task_add(filled, "s", TaskAdd(task="a", title="another"))
    assert str(caught.value) == (
        "session 's' has a task 'a' already (choose another id, or send task_update)"
    )
    assert filled.load("s") == before
    with pytest.raises(SessionNotFound, match="no session 'zz'"):
        task_add(filled, "zz", TaskAdd(task="a", title="another"))


@pytest.mark.parametrize("wrong", [{"task": ""}, {"task": "x", "weight": -1}, {"task": "x", "state": "new"}])
def test_add_takes_no_arguments_that_make_no_task(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"title": "T", **wrong}, TaskAdd)


def test_an_add_that_lost_a_race_is_run_again(raced: Raced) -> None:
    raced.races = 3
    with raced:
        assert task_add(raced, "s", TaskAdd(task="c", title="third")) == Updated(5)
        assert [task.id for task in raced.load("s").tasks] == ["a", "c"]


def test_of_two_adds_of_one_id_the_one_that_loses_the_race_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = StoreAddress.parse(f"sqlite:{tmp_path / 'store.db'}?durability=normal")
    with open_store(address) as one, open_store(address) as two:
        one.save(Session(id="s"))
        look = one.load_task

        def overtaken(session: str, task: str) -> tuple[Task, int]:
            try:
                return look(session, task)
            finally:
                if two.version("s") == 1:
                    task_add(two, "s", TaskAdd(task="a", title="theirs"))

        monkeypatch.setattr(one, "load_task", overtaken)
        with pytest.raises(OperationError, match="has a task 'a' already"):
            task_add(one, "s", TaskAdd(task="a", title="ours"))
        assert [task.title for task in two.load("s").tasks] == ["theirs"]


def test_an_add_that_always_loses_gives_up(raced: Raced) -> None:
    raced.races = 10 * ATTEMPTS
    with raced:
        with pytest.raises(OperationError, match="while task 'c' of it was being added"):
            task_add(raced, "s", TaskAdd(task="c", title="third"))
        assert [task.id for task in raced.load("s").tasks] == ["a"]


def test_two_writers_lose_no_update(tmp_path: Path) -> None:
    address = StoreAddress.parse(f"sqlite:{tmp_path / 'store.db'}?durability=normal")
    with open_store(address) as one, open_store(address) as two:
        one.save(Session(id="s", tasks=(Task(id="a", title="first"),)))
        for number in range(10):
            task_update((one, two)[number % 2], "s", TaskUpdate(task="a", append_notes=str(number)))
        assert one.load_task("s", "a")[0].notes.split() == [str(number) for number in range(10)]
        with pytest.raises(StaleVersion, match=str(stale("s", expected=1, found=11).what)):
            two.upsert_tasks("s", [], expected_version=1)


def test_what_is_declared_for_routers() -> None:
    declared: dict[str, OperationDeclaration] = {found.name: found for found in tiergate_operations()}
    assert {name: found.writes for name, found in declared.items()} == {
        "task_get": False,
        "task_update": True,
        "task_add": True,
    }
    assert declared["task_get"].scope(TaskGet("a")) is Scope.TASK
    assert declared["task_update"].scope(TaskUpdate(task="a")) is Scope.TASK
    assert declared["task_add"].scope(TaskAdd(task="a", title="A")) is Scope.TASK
    assert all(found.needs_session for found in declared.values())
