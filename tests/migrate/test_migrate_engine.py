"""Sessions move from any store to any other, whole or not at all, and what stops it can be resumed."""

from __future__ import annotations

import itertools
import os
import time
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tiergate.errors import RunError, TiergateError, UsageError
from tiergate.migrate import copying
from tiergate.migrate.journal import Journals
from tiergate.migrate.plan import plan
from tiergate.migrate.progress import Rate
from tiergate.migrate.running import Running
from tiergate.migrate.survey import NotKept
from tiergate.model import Session, Task
from tiergate.store import StoreError
from tiergate.testing.samples import AWKWARD_TEXTS

REAL = ("json:{}", "sqlite:{}", "jsonfile:{}")
TEXTS = st.sampled_from([*AWKWARD_TEXTS.values()]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=8
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
EXTRA = st.dictionaries(st.sampled_from(["estimate", "x y", "\N{ROCKET}", ""]), VALUES, max_size=2)
TASKS = st.builds(
    Task,
    id=TEXTS,
    title=TEXTS,
    notes=TEXTS,
    weight=st.floats(0, 1e300),
    dependencies=st.lists(TEXTS, max_size=2).map(tuple),
    updated_at=st.none() | TEXTS,
    extra=EXTRA,
)
SESSIONS = st.lists(
    st.builds(
        Session,
        id=TEXTS,
        title=TEXTS,
        tasks=st.lists(TASKS, max_size=4, unique_by=lambda task: task.id).map(tuple),
        extra=EXTRA,
    ),
    max_size=5,
    unique_by=lambda session: session.id,
)


@pytest.mark.parametrize(("source", "target"), [*itertools.permutations(REAL, 2), ("json:{}", "plain:{}")])
def test_every_pair_of_stores(stores: Any, work: list[Session], source: str, target: str) -> None:
    here, there = source.format("here"), target.format("there")
    stores.fill(here, *work)
    record = stores.move(here, there)
    assert record.state == "verified"
    assert stores.content(there) == stores.content(here) == {one.id: one for one in work}
    assert record.root_hash.source == record.root_hash.target == stores.root(here)
    assert (record.sessions, record.tasks, record.verified) == (12, 66, 12)
    assert record.differences == []
    assert record.bytes > 1000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SESSIONS, st.sampled_from(REAL))
def test_awkward_sessions_come_through_unchanged(
    stores: Any, tmp_path_factory: pytest.TempPathFactory, sessions: list[Session], target: str
) -> None:
    there = target.format(tmp_path_factory.mktemp("target") / "store")
    shelf = stores.shelf(there)
    shelf.sessions = {one.id: replace(one, version=1) for one in sessions}
    record = stores.move(f"memory:{there}", there)
    assert record.state == "verified"
    assert stores.content(there) == {one.id: one for one in sessions}
    assert record.root_hash.source == record.root_hash.target


def test_an_empty_source(stores: Any) -> None:
    stores.fill("json:here")
    record = stores.move("json:here", "sqlite:there.db")
    assert (record.state, record.sessions, record.tasks) == ("verified", 0, 0)
    assert stores.content("sqlite:there.db") == {}


def test_large_numbers_come_through(stores: Any) -> None:
    task = Task(id="t", title="T", extra={"huge": 2**70, "tuple": (1, 2)})
    stores.shelf("here").sessions = {"s": Session(id="s", tasks=(task,), version=1)}
    assert stores.move("memory:here", "sqlite:there.db").state == "verified"
    assert stores.content("sqlite:there.db")["s"].tasks[0].extra == {"huge": 2**70, "tuple": [1, 2]}


def test_whole_numbers_become_what_stores_give_back(stores: Any) -> None:
    task = Task(id="t", title="T", weight=3)
    stores.shelf("here").sessions = {"s": Session(id="s", tasks=(task,), version=1)}
    assert stores.move("memory:here", "sqlite:there.db").state == "verified"


@pytest.mark.parametrize(
    ("task", "named"),
    [
        (Task(id="bad", title="T", weight=nan), "task 'bad': weight = nan"),
        (Task(id="bad", title="T", momentum=inf), "task 'bad': momentum = inf"),
        (Task(id="bad", title="lone \ud800"), "task 'bad' of session 's'"),
        (Task(id="bad", title="T", extra={"deep": {"er": [nan]}}), "task 'bad': extra.deep"),
        (Task(id="bad", title="T", extra={"raw": b"bytes"}), "task 'bad': extra.raw"),
        (Task(id="good", title="again"), "two tasks with the id 'good'"),
    ],
)
def test_what_cannot_be_kept_is_named_before_anything_is_written(
    stores: Any, tmp_path: Path, task: Task, named: str
) -> None:
    fine = Task(id="good", title="T")
    stores.shelf("here").sessions = {
        "a": Session(id="a", tasks=(fine,), version=1),
        "s": Session(id="s", tasks=(fine, task), version=1),
    }
    with pytest.raises(NotKept, match="nothing was written") as caught:
        stores.move("memory:here", "sqlite:there.db")
    assert named in str(caught.value)
    assert not (tmp_path / "there.db").exists()
    assert Journals(stores.state).all() == []


def test_a_target_that_holds_sessions_is_refused(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    stores.fill("sqlite:there.db", work[1], work[2])
    with pytest.raises(UsageError, match="not empty, it holds 2 sessions"):
        stores.move("json:here", "sqlite:there.db")
    assert len(stores.content("sqlite:there.db")) == 2


@pytest.mark.parametrize("target", ["json:here", "json:./here/", "json:link", "sqlite:here/there.db"])
def test_a_target_that_is_the_source_is_refused(
    stores: Any, tmp_path: Path, work: list[Session], target: str
) -> None:
    stores.fill("json:here", *work)
    (tmp_path / "link").symlink_to("here")
    with pytest.raises(UsageError, match=r"same store|lies in the source"):
        stores.move("json:here", target)
    assert len(stores.content("json:here")) == 12


def test_the_source_is_opened_to_read_only(stores: Any, work: list[Session], tmp_path: Path) -> None:
    stores.fill("json:here", *work)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "here").iterdir()}
    stores.move("json:here", "sqlite:there.db")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "here").iterdir()} == before


def test_a_full_disk_stops_it_and_resume_goes_on(
    stores: Any, work: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CHUNK_SESSIONS", 2)
    stores.fill("json:here", *work)

    def full(session: Session) -> None:
        if session.id == "s5":
            raise StoreError("cannot write: No space left on device", where="there")

    stores.shelf("there").before_save = full
    with pytest.raises(StoreError, match="No space left"):
        stores.move("json:here", "memory:there")
    some = set(stores.shelf("there").sessions)
    assert 0 < len(some) < 12
    saved: list[str] = []
    stores.shelf("there").before_save = lambda session: saved.append(session.id)
    record = stores.move("json:here", "memory:there", resume=True)
    assert record.state == "verified"
    assert set(saved) == {one.id for one in work} - some  # what was there and equal was not written again
    assert stores.root("memory:there") == stores.root("json:here")


def test_a_chunk_is_a_transaction(stores: Any, work: list[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "CHUNK_SESSIONS", 5)
    stores.fill("json:here", *work)
    stores.move("json:here", "memory:there")
    assert stores.shelf("there").commits == 3


def test_resume_mends_what_is_marked_done_and_is_not_the_same(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    stores.move("json:here", "memory:there")
    held = stores.shelf("there").sessions
    held["s3"] = replace(held["s3"], title="spoilt", version=2)
    del held["s7"]
    assert stores.move("json:here", "memory:there", resume=True).state == "verified"
    assert stores.root("memory:there") == stores.root("json:here")


def test_resume_does_not_touch_sessions_of_others(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    stores.move("json:here", "memory:there")
    stores.fill("memory:there", Session(id="theirs"))
    with pytest.raises(UsageError, match="did not write, such as 'theirs'"):
        stores.move("json:here", "memory:there", resume=True)
    assert "theirs" in stores.shelf("there").sessions


def test_differences_are_named_field_by_field(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)

    def spoil(session: Session) -> Session:
        if session.id != "s4":
            return session
        first = replace(session.tasks[0], title="other", extra={"more": 1})
        return replace(session, title="", tasks=(first, *session.tasks[1:-1]))

    stores.shelf("there").after_load = spoil
    record = stores.move("json:here", "memory:there", bind="work")
    assert record.state == "failed"
    assert [(one.session, one.task, one.field) for one in record.differences] == [
        ("s4", None, "title"),
        ("s4", "t0", "title"),
        ("s4", "t0", "extra.more"),
        ("s4", "t3", ""),
    ]
    assert (record.differences[0].source, record.differences[0].target) == ('"Session 4"', '""')
    assert record.differences[2].source is None
    assert record.root_hash.source != record.root_hash.target
    assert stores.job("json:here", "memory:there").bindings.find("work") is None


def test_a_sample_is_read_back(stores: Any, monkeypatch: pytest.MonkeyPatch, work: list[Session]) -> None:
    monkeypatch.setattr("tiergate.migrate.verify._SAMPLE", 3)
    stores.fill("json:here", *work)
    record = stores.move("json:here", "sqlite:there.db", verify="sample")
    assert (record.state, record.verified, record.root_hash.target) == ("verified", 3, None)
    assert any("sample" in remark for remark in record.remarks)


def test_a_sample_still_misses_no_session(
    stores: Any, monkeypatch: pytest.MonkeyPatch, work: list[Session]
) -> None:
    monkeypatch.setattr("tiergate.migrate.verify._SAMPLE", 0)
    stores.fill("json:here", *work)

    class Forgetful(dict[str, Session]):
        def __setitem__(self, name: str, session: Session) -> None:
            if name != "s9":
                super().__setitem__(name, session)

    stores.shelf("there").sessions = Forgetful()
    record = stores.move("json:here", "plain:there", verify="sample")
    assert record.state == "failed"
    assert [(one.session, one.field, one.target) for one in record.differences] == [("s9", "", None)]


def test_a_source_that_is_written_meanwhile_is_noticed(stores: Any, work: list[Session]) -> None:
    stores.fill("memory:here", *work)
    here = stores.shelf("here").sessions

    def write(_: Session) -> None:
        here["s1"] = replace(here["s1"], title="new", version=here["s1"].version + 1)

    stores.shelf("there").before_save = write
    with pytest.raises(RunError, match=r"1 session was written while.*--live"):
        stores.move("memory:here", "memory:there")


def test_two_migrations_to_one_target(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    refused: list[TiergateError] = []

    def second(_: Session) -> None:
        try:
            stores.move("json:here", "memory:there", resume=bool(refused))
        except Running as error:
            refused.append(error)

    stores.shelf("there").before_save = second
    stores.move("json:here", "memory:there")
    assert len(refused) == 12
    assert f"a migration to it is running, pid {os.getpid()}, since " in str(refused[0])
    assert {str(error) for error in refused} == {str(refused[0])}, "with resume too"


@pytest.mark.parametrize("text", ["", "3", "3/s", "0MiB/s", "-1MiB/s", "3 s", "nanMiB/s", "5sessions"])
def test_a_rate_needs_a_unit(text: str) -> None:
    with pytest.raises(UsageError, match="50sessions/s or 2MiB/s"):
        Rate.parse(text)


def test_a_rate_is_kept(stores: Any, work: list[Session]) -> None:
    stores.fill("json:here", *work)
    began = time.monotonic()
    record = stores.move("json:here", "sqlite:there.db", rate=Rate.parse("100sessions/s"))
    assert time.monotonic() - began >= 3 * 11 / 100  # three steps that handle every session
    assert record.state == "verified"


def test_a_plan_says_how_much_and_changes_nothing(stores: Any, work: list[Session], tmp_path: Path) -> None:
    stores.fill("json:here", *work)
    before = _tree(tmp_path)
    record = plan(stores.job("json:here", "sqlite:there.db"))
    assert _tree(tmp_path) == before
    assert (record.state, record.sessions, record.tasks) == ("planned", 12, 66)
    assert record.root_hash.source == stores.root("json:here")
    assert record.estimate_s is not None
    assert record.estimate_s > 0


def test_a_plan_of_a_resumption_changes_nothing(stores: Any, work: list[Session], tmp_path: Path) -> None:
    stores.fill("json:here", *work)
    stores.move("json:here", "json:there")
    with stores.opener.open("json:there") as store:
        store.save(replace(store.load("s2"), title="spoilt"))
    before = _tree(tmp_path)
    record = plan(stores.job("json:here", "json:there", resume=True))
    assert _tree(tmp_path) == before
    assert any("1 to copy" in remark for remark in record.remarks)


def test_a_plan_names_what_cannot_be_kept(stores: Any) -> None:
    from tiergate.store import Unsupported

    stores.shelf("here").sessions = {"s": Session(id="s", tasks=(Task(id="t", title="T", weight=nan),))}
    with pytest.raises(Unsupported, match="read-only"):
        plan(stores.job("memory:here", "sqlite:there.db"))


def _tree(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in [folder, *folder.rglob("*")]
    }
