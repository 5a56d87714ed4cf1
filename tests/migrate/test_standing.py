"""What is told of migrations: which run, which were interrupted, which never began; names set free."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tiergate.binding import Bindings
from tiergate.errors import UsageError
from tiergate.migrate.engine import migrate
from tiergate.migrate.job import resolved
from tiergate.migrate.journal import Journals
from tiergate.migrate.naming import bind_first, unbind
from tiergate.migrate.running import Running
from tiergate.migrate.standing import Standing, standings
from tiergate.model import Session
from tiergate.store import StaleBinding, StoreError


def only(stores: Any) -> Standing:
    """The one migration of the state folder."""
    found, reading, _ = standings(Journals(stores.state))
    assert reading == []
    (one,) = found
    return one


def stop(_: Session) -> None:
    raise KeyboardInterrupt


def test_one_that_runs_is_told_by_its_lock(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    seen: list[Standing] = []
    stores.shelf("there").before_save = lambda _: seen.append(only(stores))
    stores.move("json:here", "memory:there")
    assert {one.activity for one in seen} == {"running"}
    assert seen[0].holder is not None
    assert only(stores).activity is None


def test_one_that_reads_is_told_too(stores: Any, work: list[Session]) -> None:
    stores.fill("memory:here", *work)
    seen = []

    def look(session: Session) -> Session:
        seen.append(standings(Journals(stores.state)))
        return session

    stores.shelf("here").after_load = look
    stores.move("memory:here", "json:there")
    found, reading, _ = seen[0]
    assert found == []
    assert [one.source_place for one in reading] == ["memory:here"]


def test_one_that_was_interrupted_says_how_to_go_on(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    stores.shelf("there").before_save = stop
    with pytest.raises(KeyboardInterrupt):
        stores.move("json:here", "memory:there", bind="work", verify="sample")
    one = only(stores)
    assert one.activity == "interrupted"
    assert one.options == ["--bind", "work", "--verify", "sample"]
    stores.shelf("there").before_save = lambda _: None
    stores.move("json:here", "memory:there", resume=True)
    assert only(stores).activity is None


def test_what_stops_while_it_reads_leaves_no_trace_and_can_be_resumed(
    stores: Any, work: list[Session]
) -> None:
    stores.fill("memory:here", *work)

    def broken(_: Session) -> Session:
        raise KeyboardInterrupt

    stores.shelf("here").after_load = broken
    with pytest.raises(KeyboardInterrupt):
        stores.move("memory:here", "json:there")
    assert standings(Journals(stores.state)) == ([], [], [])
    stores.shelf("here").after_load = lambda session: session
    record = stores.move("memory:here", "json:there", resume=True)
    assert record.state == "verified"
    assert record.remarks[0].startswith("Nothing had been copied")


def test_a_target_that_cannot_be_opened_leaves_no_trace(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    with pytest.raises(StoreError, match="folder"):
        stores.move("json:here", "sqlite:no/there.db")
    assert standings(Journals(stores.state)) == ([], [], [])


def test_one_that_never_began_is_gone_on_with_by_the_next(
    stores: Any, work: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.fill("json:here", *work)
    with monkeypatch.context() as patched:
        patched.setattr("tiergate.migrate.engine.Copier.copy", lambda *_: stop(Session(id="")))
        with pytest.raises(KeyboardInterrupt):
            stores.move("json:here", "sqlite:there.db")
    assert only(stores).activity == "never began"
    stores.move("json:here", "sqlite:there.db")
    assert only(stores).activity is None


def test_one_that_was_begun_anew_is_superseded(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    stores.shelf("there").before_save = stop
    with pytest.raises(KeyboardInterrupt):
        stores.move("json:here", "memory:there")
    stores.shelf("there").before_save = lambda _: None
    stores.move("json:here", "memory:there")
    found, _, _ = standings(Journals(stores.state))
    assert [one.activity for one in found] == ["superseded", None]


def test_a_name_is_bound_to_what_is_there(stores: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    for address in ("sqlite:gone.db", "json:gone", "sqlite:empty.db"):
        with pytest.raises(UsageError, match="no store here to bind a name to"):
            bind_first(stores.opener, "work", resolved(stores.opener, address, role="target"))
    assert not Path("gone.db").exists()
    assert Bindings(stores.state).names() == []


def test_a_name_is_set_free_for_good(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    stores.fill("json:there", *work)
    bind_first(stores.opener, "work", resolved(stores.opener, "json:here", role="target"))
    with stores.opener.open("store:work") as store:
        assert unbind(stores.opener, "work").epoch == 1
        with pytest.raises(StaleBinding, match="bound to nothing any more"):
            store.save(Session(id="late"))
        again = bind_first(stores.opener, "work", resolved(stores.opener, "json:there", role="target"))
        assert again.epoch == 2, "or the store that was opened before would pass for the new one"
        with pytest.raises(StaleBinding):
            store.save(Session(id="late"))
    with pytest.raises(UsageError, match="did you mean 'work'"):
        unbind(stores.opener, "wrok")


def test_a_name_stays_bound_while_a_migration_of_it_runs(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    bind_first(stores.opener, "work", resolved(stores.opener, "json:here", role="target"))
    refused: list[Running] = []

    def free(_: Session) -> None:
        try:
            unbind(stores.opener, "work")
        except Running as error:
            refused.append(error)

    stores.shelf("there").before_save = free
    migrate(stores.job("store:work", "memory:there"))
    assert len(refused) == 12
    assert "store:work: a migration of it is running (pid " in str(refused[0])
    assert unbind(stores.opener, "work").name == "work"
