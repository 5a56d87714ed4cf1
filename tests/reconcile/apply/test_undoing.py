"""Undoing what was applied, and what was applied at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from apply_desk import Desk, made

from tiergate.errors import EXIT_FAILED, UsageError
from tiergate.model import Session
from tiergate.reconcile.applying import reading
from tiergate.reconcile.undoing import ChangedSince, changes_of
from tiergate.state_files import StateError

BEFORE = (made("a", "one"), made("b", "three"))
PLAN = (made("a", "one", "two"), made("b", "three"), made("c", "new"))


def content(*sessions: Session) -> dict[str, Session]:
    return {session.id: session for session in sessions}


@pytest.fixture
def applied(desk: Desk) -> Desk:
    """A store that had two sessions, and to which a plan was applied that changed one and made one."""
    desk.save(*BEFORE)
    desk.apply(*PLAN, read=reading(desk.opener, desk.address))
    return desk


def test_what_was_before_is_restored(applied: Desk) -> None:
    done = applied.undo(command="tiergate reconcile undo store")
    assert applied.content() == content(*BEFORE)
    assert (done.restored, done.removed, done.overwritten) == (("a",), ("c",), ())
    assert "1 session restored, 1 session removed" in done.line
    first, second = applied.history()
    assert (first.undone_by, second.begun.undoes) == (second.id, first.id)
    assert second.begun.command == "tiergate reconcile undo store"
    assert {change.rule for change in changes_of(applied.opener, applied.address, second.id)} == {"undo"}


def test_undoing_twice_does_nothing_and_says_so(applied: Desk) -> None:
    first = applied.undo()
    again = applied.undo()
    assert again.id is None
    assert again.undoes == first.undoes
    assert "was undone before; nothing was done now" in again.line
    assert any(first.id in remark for remark in again.remarks if first.id)
    assert applied.content() == content(*BEFORE)


def test_the_last_one_is_undone_and_no_older_one_without_its_id(applied: Desk) -> None:
    applied.apply(made("d", "later"))
    older, later = applied.history()
    assert applied.undo().undoes == later.id
    assert applied.undo().id is None
    assert applied.content() == content(*PLAN)
    assert applied.undo(step_id=older.id).undoes == older.id
    assert applied.content() == content(*BEFORE)


def test_an_undoing_can_be_undone(applied: Desk) -> None:
    done = applied.undo()
    applied.undo(step_id=done.id)
    assert applied.content() == content(*PLAN)
    assert [step.undone_by is not None for step in applied.history()] == [False, True, False]
    applied.undo()
    assert applied.content() == content(*BEFORE)


def test_a_plan_can_be_applied_again_after_it_was_undone(applied: Desk) -> None:
    applied.undo()
    applied.apply(*PLAN, read=reading(applied.opener, applied.address))
    assert applied.content() == content(*PLAN)
    applied.undo()
    assert applied.content() == content(*BEFORE)


def test_sessions_that_somebody_has_changed_since_are_named(applied: Desk) -> None:
    applied.save(made("a", "one", "two", "by hand"), made("c", "new", "by hand"))
    before = applied.content()
    with pytest.raises(ChangedSince) as caught:
        applied.undo()
    line = str(caught.value)
    assert "2 sessions changed since reconciliation" in line
    assert "'a', 'c'" in line
    assert "--force" in line
    assert caught.value.exit_code == EXIT_FAILED
    assert applied.content() == before
    assert len(applied.history()) == 1


def test_a_session_that_somebody_has_deleted_is_named(applied: Desk) -> None:
    with applied.open() as store:
        store.delete("a", expected_version=store.version("a"))
    with pytest.raises(ChangedSince, match=r"1 session changed since .*: 'a'"):
        applied.undo()


def test_force_restores_all_and_loses_nothing(applied: Desk) -> None:
    by_hand = made("a", "one", "two", "by hand")
    applied.save(by_hand)
    done = applied.undo(force=True)
    assert done.overwritten == ("a",)
    assert applied.content() == content(*BEFORE)
    applied.undo(step_id=done.id)
    assert applied.content()["a"] == by_hand


def test_other_sessions_may_have_changed(applied: Desk) -> None:
    applied.save(made("b", "three", "by hand"), made("other", "theirs"))
    applied.undo()
    assert applied.content() == content(BEFORE[0], made("b", "three", "by hand"), made("other", "theirs"))


def test_a_session_that_is_as_before_already_is_left(applied: Desk) -> None:
    applied.save(BEFORE[0])
    done = applied.undo()
    assert (done.restored, done.removed) == ((), ("c",))
    assert applied.content() == content(*BEFORE)


def test_a_later_reconciliation_of_the_same_session_is_named(applied: Desk) -> None:
    applied.apply(made("c", "new", "newer"))
    older, later = applied.history()
    with pytest.raises(ChangedSince, match=f"'c'; nothing was changed .undo {later.id} before"):
        applied.undo(step_id=older.id)


def test_a_store_to_which_nothing_was_applied(desk: Desk) -> None:
    desk.save(*BEFORE)
    files = sorted(desk.folder.rglob("*"))
    with pytest.raises(UsageError, match="no reconciliation was applied to this store"):
        desk.undo()
    assert desk.history() == []
    assert sorted(desk.folder.rglob("*")) == files


def test_an_unknown_id(sqlite_desk: Desk) -> None:
    sqlite_desk.apply(*PLAN)
    [step] = sqlite_desk.history()
    with pytest.raises(UsageError, match=f"unknown reconciliation .*did you mean '{step.id}'"):
        sqlite_desk.undo(step_id=step.id[:-1])


@pytest.mark.parametrize("damage", ["lost", "cut", "changed", "garbage"])
def test_a_damaged_backup_is_refused(sqlite_desk: Desk, damage: str) -> None:
    sqlite_desk.save(*BEFORE)
    done = sqlite_desk.apply(*PLAN, read=reading(sqlite_desk.opener, sqlite_desk.address))
    path = Path(done.backup or "")
    data = path.read_bytes()
    if damage == "lost":
        path.unlink()
    else:
        path.write_bytes(
            {"cut": data[:-30], "changed": data.replace(b"one", b"two"), "garbage": b"\xff{"}[damage]
        )
    with pytest.raises(StateError) as caught:
        sqlite_desk.undo()
    assert str(path) in str(caught.value)
    assert sqlite_desk.content() == content(*PLAN)


def test_a_line_of_the_log_that_was_cut_is_passed_over(desk: Desk) -> None:
    desk.apply(*PLAN)
    log = desk.ledger / "log.jsonl"
    log.write_bytes(log.read_bytes() + b'{"event":"begun","id":"20')
    desk.apply(made("d", "more"))
    assert [step.outcome for step in desk.history()] == ["applied", "applied"]
    desk.undo()
    assert desk.content() == content(*PLAN)
