"""Applying a merged plan to stores of every kind."""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path

import msgspec
import pytest
from apply_desk import Desk, made, merged_of
from msgspec.structs import replace

from tiergate.binding import Bindings, NamedOpener
from tiergate.errors import EXIT_BROKE, UsageError
from tiergate.matching import Matched, Plan
from tiergate.model import Session, Status, Task
from tiergate.reconcile import ledger as ledgers
from tiergate.reconcile.applying import apply, reading
from tiergate.reconcile.merging import merge
from tiergate.reconcile.undoing import changes_of
from tiergate.reconcile_record import Change, Decision, TaskRef
from tiergate.state_files import Busy, locked
from tiergate.store import Capability, ReadOnly, StaleVersion, StoreAddress, StoreFailed, Unsupported

PLAN = (made("a", "one", "two"), made("b", "three"), made("empty"))


def test_every_session_is_written(desk: Desk) -> None:
    done = desk.apply(*PLAN, command="tiergate reconcile plan.md --apply store")
    assert desk.content() == {session.id: session for session in PLAN}
    assert (done.made, done.changed, done.equal) == (("a", "b", "empty"), (), ())
    assert "3 sessions made" in done.line
    [step] = desk.history()
    assert (step.id, step.outcome) == (done.id, "applied")
    assert step.begun.command == "tiergate reconcile plan.md --apply store"
    assert step.begun.store == desk.address
    assert Path(done.backup or "").is_file()


def test_applying_twice_changes_nothing_and_says_so(desk: Desk) -> None:
    desk.apply(*PLAN)
    with desk.open() as store:
        before = store.versions()
    again = desk.apply(*PLAN)
    assert (again.id, again.made, again.changed) == (None, (), ())
    assert again.equal == ("a", "b", "empty")
    assert "nothing to change, 3 sessions equal already" in again.line
    assert len(desk.history()) == 1
    with desk.open() as store:
        assert store.versions() == before


def test_a_weight_that_is_stated_is_equal_to_one_that_is_not(desk: Desk) -> None:
    stated = tuple(replace(task, weight=float("1"), momentum=float("0")) for task in PLAN[0].tasks)
    desk.apply(*PLAN)
    assert desk.apply(replace(PLAN[0], tasks=stated), *PLAN[1:]).id is None


def test_sessions_that_the_plan_does_not_have_are_left_alone(desk: Desk) -> None:
    other = made("other", "theirs")
    desk.save(other)
    desk.apply(*PLAN)
    assert desk.content()["other"] == other


def test_a_store_that_was_read_as_a_source_is_changed(desk: Desk) -> None:
    desk.save(made("a", "one"), made("b", "three"))
    read = reading(desk.opener, desk.address)
    done = desk.apply(*PLAN, read=read)
    assert (done.made, done.changed, done.equal) == (("empty",), ("a",), ("b",))
    assert desk.content() == {session.id: session for session in PLAN}


def test_a_store_that_was_written_since_it_was_read_is_refused(desk: Desk) -> None:
    desk.save(made("a", "one"))
    read = reading(desk.opener, desk.address)
    desk.save(made("a", "one", "meanwhile"))
    before = desk.content()
    with pytest.raises(StaleVersion) as caught:
        desk.apply(*PLAN, read=read)
    line = str(caught.value)
    assert "session 'a' is at version 2, and was read at 1; nothing was written" in line
    assert desk.address in line
    assert "reconcile again" in line
    assert caught.value.exit_code == EXIT_BROKE
    assert desk.content() == before
    assert desk.history() == []


def test_a_session_that_came_or_went_since_the_reading_is_refused(desk: Desk) -> None:
    desk.save(made("a", "one"))
    read = reading(desk.opener, desk.address)
    with desk.open() as store:
        store.delete("a", expected_version=1)
    with pytest.raises(StaleVersion, match="session 'a' was deleted, and was read at 1"):
        desk.apply(*PLAN, read=read)
    desk.save(made("b", "theirs"))
    with pytest.raises(StaleVersion, match="session 'b' is at version 1, and was not there"):
        desk.apply(made("b", "three"), read=read)
    assert desk.content() == {"b": made("b", "theirs")}


def test_a_session_that_was_not_read_is_not_overwritten(desk: Desk) -> None:
    desk.save(made("a", "theirs"))
    with pytest.raises(UsageError) as caught:
        desk.apply(*PLAN)
    assert "holds another session of the same id, which would be lost: 'a'" in str(caught.value)
    assert "name the store as the first source" in str(caught.value)
    assert desk.content() == {"a": made("a", "theirs")}


def test_what_a_reconciliation_wrote_can_be_replaced_by_the_next_one(desk: Desk) -> None:
    """As when a person has answered what was undecided, and the same sources are merged again."""
    desk.apply(*PLAN)
    answered = replace(PLAN[0], tasks=(replace(PLAN[0].tasks[0], status=Status.COMPLETED), PLAN[0].tasks[1]))
    assert desk.apply(answered, *PLAN[1:]).changed == ("a",)
    assert desk.content()["a"] == answered
    with pytest.raises(UsageError, match="which would be lost"):  # a task of it is missing
        desk.apply(made("a", "one"))


def test_the_next_one_does_not_replace_what_somebody_has_changed(desk: Desk) -> None:
    desk.apply(*PLAN)
    desk.save(made("a", "one", "by hand"))
    with pytest.raises(UsageError, match="which would be lost: 'a'"):
        desk.apply(*PLAN)


def test_a_dry_run_makes_no_file(desk: Desk) -> None:
    before = sorted(desk.folder.rglob("*"))
    done = desk.apply(*PLAN, dry_run=True)
    assert done.dry_run
    assert (done.id, done.made) == (None, ("a", "b", "empty"))
    assert "would be made" in done.line
    assert sorted(desk.folder.rglob("*")) == before


def test_a_dry_run_says_what_applying_would_change(desk: Desk) -> None:
    desk.save(made("a", "one"))
    read = reading(desk.opener, desk.address)
    dry = desk.apply(*PLAN, read=read, dry_run=True)
    assert desk.content() == {"a": made("a", "one")}
    assert not (desk.folder / "state").exists()
    done = desk.apply(*PLAN, read=read)
    assert (dry.made, dry.changed, dry.equal, dry.changes) == (
        done.made,
        done.changed,
        done.equal,
        done.changes,
    )


def test_a_dry_run_refuses_as_applying_would(desk: Desk) -> None:
    desk.save(made("a", "theirs"))
    with pytest.raises(UsageError, match="which would be lost"):
        desk.apply(*PLAN, dry_run=True)


def test_a_dry_run_wants_a_store_that_can_be_opened_read_only(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "json")
    kind = desk.opener.stores["json"]
    able = kind.capabilities - {Capability.READ_ONLY}
    stores = {"json": dataclasses.replace(kind, capabilities=able)}
    desk.opener = NamedOpener(stores, {}, state=desk.opener.state)
    with pytest.raises(Unsupported, match="nothing can be tried"):
        desk.apply(*PLAN, dry_run=True)
    assert desk.apply(*PLAN).made == ("a", "b", "empty")
    assert set(reading(desk.opener, desk.address)) == {"a", "b", "empty"}


def test_the_log_says_what_changed_and_why(desk: Desk) -> None:
    here = Session(id="s", tasks=(Task(id="1", title="one"), Task(id="2", title="two")))
    there = Session(id="s", title="The plan", tasks=(Task(id="1", title="one"), Task(id="3", title="new")))
    desk.save(here)
    first = TaskRef("store", "s", "1")
    decision = Decision(
        tasks=(first,),
        rule="evidence",
        outcome="pool.py exists",
        trace=(),
        question="q1",
        field="status",
        changes=(Change(task=first, field="status", before="queued", after="completed"),),
    )
    onto = TaskRef("plan.md", "s", "3")
    moved = Decision(
        tasks=(TaskRef("store", "s", "2"),),
        rule="tree",
        outcome="3 carries it on",
        trace=(),
        changes=(
            Change(
                task=TaskRef("store", "s", "2"),
                field="merged_into",
                before=None,
                after=msgspec.to_builtins(onto),
            ),
        ),
    )
    plans = [Plan(source="store", sessions=(here,)), Plan(source="plan.md", sessions=(there,))]
    decisions = [decision, moved]
    apply(
        desk.opener,
        desk.address,
        merge(plans, Matched(), decisions),
        decisions,
        read=reading(desk.opener, desk.address),
    )
    [step] = desk.history()
    told = {(one.task, one.field): one for one in changes_of(desk.opener, desk.address, step.id)}
    assert set(told) == {
        ("", "title"),
        ("1", "status"),
        ("2", "status"),
        ("2", "extra.merged_into"),
        ("3", "task"),
    }
    status = told["1", "status"]
    assert (status.before, status.after) == ("queued", "completed")
    assert (status.rule, status.reason, status.question) == ("evidence", "pool.py exists", "q1")
    for field in ("status", "extra.merged_into"):
        assert (told["2", field].rule, told["2", field].reason) == ("tree", "3 carries it on")
    assert (told["3", "task"].rule, told["3", "task"].reason) == ("merge", "from s/3 (plan.md)")
    assert told["3", "task"].after["title"] == "new"
    lines = [json.loads(line) for line in (desk.ledger / "log.jsonl").read_bytes().split(b"\n") if line]
    assert [line["event"] for line in lines] == ["begun", *["change"] * 5, "ended"]
    with pytest.raises(UsageError, match="unknown reconciliation"):
        changes_of(desk.opener, desk.address, "none")


def test_a_store_is_known_by_its_place_and_not_by_its_address(sqlite_desk: Desk) -> None:
    sqlite_desk.apply(*PLAN)
    link = sqlite_desk.folder / "link"
    link.symlink_to(sqlite_desk.folder)
    sqlite_desk.address = f"sqlite:{link}/work.db?durability=normal"
    assert len(sqlite_desk.history()) == 1


@pytest.mark.parametrize("caches", ["", "zstd+"])
def test_a_bound_name_and_a_cache(sqlite_desk: Desk, caches: str) -> None:
    bindings = Bindings(sqlite_desk.opener.state)
    with bindings.changing("work"):
        address = StoreAddress.parse(caches + sqlite_desk.address)
        bound = bindings.put("work", address, before=None)
        bindings.put("work", address, before=bound)  # versions of the second epoch are shown with a base
    plain, sqlite_desk.address = sqlite_desk.address, "store:work"
    sqlite_desk.save(made("a", "one"))
    read = reading(sqlite_desk.opener, "store:work")
    assert sqlite_desk.apply(*PLAN, read=read).changed == ("a",)
    sqlite_desk.address = plain
    assert sqlite_desk.content() == {session.id: session for session in PLAN}
    assert sqlite_desk.undo().restored == ("a",)


def test_a_store_that_is_opened_to_be_read_is_not_written(sqlite_desk: Desk) -> None:
    sqlite_desk.save(made("a", "one"))
    sqlite_desk.address += "?mode=ro"
    with pytest.raises(ReadOnly):
        sqlite_desk.apply(made("b", "two"))
    assert [step.outcome for step in sqlite_desk.history()] == ["cancelled"]
    assert not list(sqlite_desk.ledger.glob("*.backup.jsonl"))


def test_a_write_by_another_just_before_the_transaction(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_desk.save(made("b", "three"))
    read = reading(sqlite_desk.opener, sqlite_desk.address)
    keep = ledgers.Ledger.keep_backup

    def keep_and_meddle(ledger: ledgers.Ledger, step_id: str, writes: list[ledgers.Write]) -> str:
        sqlite_desk.save(made("b", "theirs"))
        return keep(ledger, step_id, writes)

    monkeypatch.setattr(ledgers.Ledger, "keep_backup", keep_and_meddle)
    with pytest.raises(StaleVersion, match=r"changed since it was read.*nothing was written"):
        sqlite_desk.apply(made("a", "one"), made("b", "three", "four"), read=read)
    assert sqlite_desk.content() == {"b": made("b", "theirs")}
    assert [step.outcome for step in sqlite_desk.history()] == ["cancelled"]


def test_an_error_in_the_middle_leaves_the_old_state(tmp_path: Path) -> None:
    """Without transactions too, where what was written is put back."""
    desk = Desk(tmp_path, "plain")
    desk.save(made("a", "old"))
    read = reading(desk.opener, desk.address)

    def refuse(session: Session) -> None:
        if session.id == "empty":
            raise StoreFailed("the disk is on fire")

    desk.before_save = refuse
    with pytest.raises(StoreFailed, match="on fire"):
        desk.apply(*PLAN, read=read)
    assert desk.content() == {"a": made("a", "old")}
    assert [step.outcome for step in desk.history()] == ["cancelled"]
    desk.before_save = lambda session: None
    desk.apply(*PLAN, read=reading(desk.opener, desk.address))
    assert desk.content() == {session.id: session for session in PLAN}


def test_another_reconciliation_is_waited_for_and_then_named(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_desk.apply(*PLAN)
    monkeypatch.setattr(ledgers, "WAIT_S", 0.05)
    with locked(sqlite_desk.ledger / "lock", busy=""), pytest.raises(Busy) as caught:
        sqlite_desk.apply(made("c", "new"))
    assert f"another reconciliation into {sqlite_desk.address} is running" in str(caught.value)


def test_two_at_once_in_one_process(desk: Desk) -> None:
    """Both want to make the same sessions otherwise: one does, the other is refused."""
    outcomes: list[str] = []
    plans = [(made("a", "one"), made("b", "one")), (made("a", "two"), made("b", "two"))]

    def run(sessions: tuple[Session, ...]) -> None:
        try:
            apply(desk.opener, desk.address, merged_of(*sessions), read={})
            outcomes.append("applied")
        except StaleVersion:
            outcomes.append("refused")

    threads = [threading.Thread(target=run, args=(sessions,)) for sessions in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["applied", "refused"]
    assert desk.content() in ({one.id: one for one in sessions} for sessions in plans)
