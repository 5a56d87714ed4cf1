"""A name moves to the new store in one step, losing nothing, and back only where that is safe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tiergate.binding import Bindings
from tiergate.errors import RunError, UsageError
from tiergate.migrate import engine
from tiergate.migrate.cutover import UndoRefused, undo
from tiergate.migrate.job import resolved
from tiergate.migrate.journal import Journals
from tiergate.migrate.naming import bind_first, unbind
from tiergate.model import Session, Task
from tiergate.store import StaleBinding


@pytest.fixture
def bound(stores: Any, work: list[Session]) -> Any:
    """``store:work`` is bound to ``json:here``, which holds the sessions."""
    stores.fill("json:here", *work)
    bind_first(stores.opener, "work", resolved(stores.opener, "json:here", role="target"))
    return stores


def address_of(stores: Any, name: str = "work") -> str:
    found = Bindings(stores.state).find(name)
    return found.address if found else "nothing"


def test_a_name_is_bound_to_the_new_store(bound: Any, tmp_path: Path) -> None:
    with bound.opener.open("store:work") as store:
        record = bound.move("store:work", "sqlite:there.db", bind="work")
        assert (record.state, record.binding, record.epoch) == ("cut-over", "work", 2)
        with pytest.raises(StaleBinding, match=r"there\.db"):
            store.save(Session(id="late"))
    assert address_of(bound) == f"sqlite:{tmp_path}/there.db"
    assert len(bound.content("store:work")) == 12
    assert "late" not in bound.content("json:here")


def test_a_name_that_is_new(stores: Any, work: list[Session], tmp_path: Path) -> None:
    stores.fill("json:here", *work)
    assert stores.move("json:here", "sqlite:there.db", bind="fresh").epoch == 2
    assert undo(stores.opener, "fresh").epoch == 3
    assert address_of(stores, "fresh") == f"json:{tmp_path}/here"


def test_a_name_that_is_bound_elsewhere(bound: Any) -> None:
    bound.fill("json:other", Session(id="s"))
    with pytest.raises(UsageError, match=r"bound to json:.*not to the source"):
        bound.move("json:other", "sqlite:there.db", bind="work")
    assert not Path("there.db").exists()


def test_binding_a_name_by_hand(bound: Any) -> None:
    again = bind_first(bound.opener, "work", resolved(bound.opener, "json:here", role="target"))
    assert again.epoch == 1
    with pytest.raises(UsageError, match="tiergate migrate store:work"):
        bind_first(bound.opener, "work", resolved(bound.opener, "json:other", role="target"))


def test_what_is_written_while_a_live_migration_copies_comes_along(stores: Any, work: list[Session]) -> None:
    stores.fill("memory:here", *work)
    bind_first(stores.opener, "work", resolved(stores.opener, "memory:here", role="target"))
    writes = iter(range(100))

    def write(_: Session) -> None:
        number = next(writes)
        with stores.opener.open("store:work") as store:
            if number < 8:
                store.save(Session(id=f"new{number}", title="written meanwhile"))
                store.upsert_tasks("s3", [Task(id=f"n{number}", title="N")], expected_version=number + 1)
            elif number == 8:
                store.delete("s5", expected_version=1)

    stores.shelf("there").before_save = write
    record = stores.move("store:work", "memory:there", bind="work", live=True)
    assert record.state == "cut-over"
    assert record.root_hash.source == record.root_hash.target == stores.root("memory:here")
    moved = stores.content("store:work")
    assert moved == stores.content("memory:here")
    assert "s5" not in moved
    assert {f"new{number}" for number in range(8)} < moved.keys()
    assert len(moved["s3"].tasks) == 3 + 8
    assert record.sessions == len(moved)


def test_a_write_between_verifying_and_cut_over_stops_it(bound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_over = engine.cut_over

    def late(*arguments: Any) -> Any:
        bound.fill("store:work", Session(id="late"))
        return cut_over(*arguments)

    monkeypatch.setattr(engine, "cut_over", late)
    with pytest.raises(RunError, match="1 session was written"):
        bound.move("store:work", "sqlite:there.db", bind="work")
    assert address_of(bound).endswith("here")
    monkeypatch.setattr(engine, "cut_over", cut_over)
    assert bound.move("store:work", "sqlite:there.db", bind="work", resume=True).state == "cut-over"
    assert "late" in bound.content("store:work")


def test_the_last_changes_are_verified_too(
    stores: Any, work: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.fill("memory:here", *work)
    cut_over = engine.cut_over

    def late(*arguments: Any) -> Any:
        stores.fill("memory:here", Session(id="late", title="right"))
        stores.shelf("there").after_load = lambda session: (
            replace(session, title="wrong") if session.id == "late" else session
        )
        return cut_over(*arguments)

    monkeypatch.setattr(engine, "cut_over", late)
    with pytest.raises(RunError, match="1 difference"):
        stores.move("memory:here", "memory:there", bind="work", live=True)
    assert address_of(stores) == "nothing"
    record = Journals(stores.state).all()[0].record
    assert (record.state, record.differences[0].target) == ("failed", '"wrong"')


def test_resuming_what_is_done_says_so(bound: Any) -> None:
    done = bound.move("store:work", "sqlite:there.db", bind="work")
    for source in ("store:work", "json:here"):
        again = bound.move(source, "sqlite:there.db", bind="work", resume=True)
        assert (again.id, again.state, again.binding) == (done.id, "cut-over", "work")
        assert again.remarks[-1] == engine.ENDED_BEFORE
    assert len(Journals(bound.state).all()) == 1


def test_resuming_what_is_done_does_not_claim_a_name_that_was_set_free(bound: Any, tmp_path: Path) -> None:
    bound.move("store:work", "sqlite:there.db", bind="work")
    unbind(bound.opener, "work")
    again = bound.move("json:here", "sqlite:there.db", resume=True)
    assert (again.state, again.binding, again.epoch) == ("cut-over", None, None)
    assert again.remarks[-1] == "store:work is bound to nothing any more."
    bind_first(bound.opener, "work", resolved(bound.opener, "json:here", role="target"))
    again = bound.move("json:here", "sqlite:there.db", resume=True)
    assert again.remarks[-1] == f"store:work is bound to json:{tmp_path}/here since then."
    record = bound.move("store:work", "sqlite:there.db", bind="work", resume=True)
    assert (record.state, record.binding, record.epoch) == ("cut-over", "work", 4)
    assert address_of(bound) == f"sqlite:{tmp_path}/there.db"


def test_undo_binds_back(bound: Any, tmp_path: Path) -> None:
    moved = bound.move("store:work", "sqlite:there.db", bind="work")
    with bound.opener.open("store:work") as store:
        record = undo(bound.opener, moved.id)
        assert (record.state, record.epoch) == ("undone", 3)
        assert address_of(bound) == f"json:{tmp_path}/here"
        with pytest.raises(StaleBinding):
            store.save(Session(id="late"))
    with pytest.raises(UsageError, match="nothing to undo: it is undone"):
        undo(bound.opener, "work")


@pytest.mark.parametrize("target", ["sqlite:there.db", "json:there", "memory:there"])
def test_undo_refuses_when_the_new_store_was_written(bound: Any, target: str) -> None:
    bound.move("store:work", target, bind="work")
    with bound.opener.open("store:work") as store:
        store.save(Session(id="new"))
        store.upsert_tasks("s3", [Task(id="n", title="N")], expected_version=store.version("s3"))
        store.delete("s4", expected_version=store.version("s4"))
    with pytest.raises(UndoRefused, match="3 sessions since the cut-over") as caught:
        undo(bound.opener, "work")
    assert caught.value.exit_code == 1
    assert ("3 writes to 3 sessions" in str(caught.value)) == (target != "memory:there")
    assert address_of(bound).endswith(target.partition(":")[2])
    assert Journals(bound.state).all()[0].record.state == "cut-over"


def test_undo_says_that_the_old_store_was_written_too(bound: Any) -> None:
    bound.move("store:work", "sqlite:there.db", bind="work")
    bound.fill("json:here", Session(id="aside"))
    assert any("1 session." in remark for remark in undo(bound.opener, "work").remarks)


def test_undo_of_a_name_that_has_moved_on(bound: Any) -> None:
    first = bound.move("store:work", "sqlite:there.db", bind="work")
    bound.move("store:work", "json:third", bind="work")
    with pytest.raises(UsageError, match=r"bound to json:.*since migration"):
        undo(bound.opener, first.id)
    assert undo(bound.opener, "work").state == "undone"
    assert address_of(bound).endswith("there.db")


def test_after_an_undo_it_can_be_resumed(bound: Any) -> None:
    bound.move("store:work", "sqlite:there.db", bind="work")
    undo(bound.opener, "work")
    bound.fill("store:work", Session(id="since"))
    record = bound.move("store:work", "sqlite:there.db", bind="work", resume=True)
    assert (record.state, record.epoch) == ("cut-over", 4)
    assert "since" in bound.content("store:work")


def test_undo_knows_only_what_there_is(bound: Any) -> None:
    with pytest.raises(UsageError, match="unknown migration 'other'"):
        undo(bound.opener, "other")
    bound.move("json:here", "sqlite:plain.db")
    with pytest.raises(UsageError, match="it is verified"):
        undo(bound.opener, Journals(bound.state).all()[0].record.id)


def test_a_crash_between_binding_and_state_is_seen(bound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tiergate.migrate.journal import Journal

    update = Journal.update

    def stop(self: Journal, **changes: Any) -> Any:
        if changes.get("state") == "cut-over":
            raise KeyboardInterrupt
        return update(self, **changes)

    monkeypatch.setattr(Journal, "update", stop)
    with pytest.raises(KeyboardInterrupt):
        bound.move("store:work", "sqlite:there.db", bind="work")
    monkeypatch.setattr(Journal, "update", update)
    record = Journals(bound.state).all()[0].record
    assert (record.state, record.epoch) == ("cut-over", 2)
    assert bound.move("store:work", "sqlite:there.db", bind="work", resume=True).state == "cut-over"
    assert undo(bound.opener, "work").state == "undone"
