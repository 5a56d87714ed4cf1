"""Damage to the journal of ``json:``, at every place: no call of a store gives less without a word.

Either the answer is the one that was acknowledged, or the call raises, or `Store.doubts` names the place.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tiergate.store import ReadOnly, SessionNotFound, StaleVersion, Store, StoreDamaged, StoreError, TaskQuery
from tiergate.testing import make_session, make_task
from tiergate_plugins.storage import journal, json_verify

OpenAt = Callable[[str], Store]

KEPT_EVERY = 9
"""Bytes; writing waits for the disk, so that it is tried at some places only."""
LOST = "no complete record: a write that never returned, or damage"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of a few KiB, and nobody who might be writing to it at this moment."""
    monkeypatch.setattr(journal, "_AHEAD", 2048)
    monkeypatch.setattr(json_verify, "_IN_FLIGHT_S", 0.0)


def write_in_turn(store: Store) -> None:
    """Six writes, a record each."""
    store.save(make_session("s", "a", "b"))
    store.save(make_session("t", "a"))
    store.upsert_tasks("s", [make_task("b", title="changed")], expected_version=1)
    store.delete("t", expected_version=1)
    store.upsert_tasks("s", [make_task("c")], expected_version=2)
    store.save(make_session("u", make_task("a", notes="last")))


def write_at_once(store: Store) -> None:
    """One record, as an import writes it."""
    with store.transaction():
        for number in range(4):
            store.save(make_session(f"s{number}", make_task("a", notes="x" * 20)))


def write_and_fold(store: Store) -> None:
    """Session files, and a journal that goes on after them."""
    store.save(make_session("s", "a"))
    store.save(make_session("t", "a"))
    store._state._fold_at = 0  # type: ignore[attr-defined]
    store.save(make_session("u", "a"))
    store.upsert_tasks("s", [make_task("b")], expected_version=1)
    store.delete("t", expected_version=1)


WRITES = {
    "in turn": (write_in_turn, ""),
    "at once": (write_at_once, ""),
    "and fold": (write_and_fold, ""),
    "in turn, normal": (write_in_turn, "?durability=normal"),
}
EACH = pytest.mark.parametrize(("write", "option"), WRITES.values(), ids=WRITES.keys())


_HEADER = 32
"""Bytes of the header of a journal."""


class Damaged:
    """A store that is damaged again and again, and what it answered while it was whole."""

    def __init__(self, open_at: OpenAt, folder: Path, write: Callable[[Store], None], option: str) -> None:
        self.open_at = open_at
        self.folder = folder / "work"
        self.journal = self.folder / "journal"
        with open_at(f"json:{{}}/work{option}") as store:
            write(store)
            self.used = int(store.stats().details["journal_used_bytes"])
        shutil.copytree(self.folder, folder / "before")
        self.before = folder / "before"
        self.written = False
        self.whole = self.journal.read_bytes()
        with open_at("json:{}/work?mode=ro") as store:
            assert store.verify() == []
            assert store.doubts() == []
            self.truth = dict(answers(store))

    def become(self, content: bytes) -> None:
        """Put a journal in the place of the whole one; all else is as it was."""
        if self.written:
            shutil.rmtree(self.folder)
            shutil.copytree(self.before, self.folder)
            self.written = False
        self.journal.write_bytes(content)

    def require_told(self, what: str) -> None:
        """Hold every call, and what the next write does, against what was acknowledged."""
        with self.open_at("json:{}/work?mode=ro") as store:
            doubts = store.doubts()
            for call, answer in answers(store):
                told = answer == self.truth[call] or isinstance(answer, StoreDamaged) or doubts
                assert told, f"{what}: {call} gives {answer}, not {self.truth[call]}"
            assert store.verify(), what

    def require_kept(self, what: str) -> None:
        """The next write is refused, or the bytes in whose place it stands are in a file beside it."""
        damaged = self.journal.read_bytes()
        self.written = True
        with self.open_at("json:{}/work") as store:
            try:
                names = store.ids()
                store.save(make_session("after"))
            except StoreDamaged:
                assert self.journal.read_bytes() == damaged, what
                return
            assert store.ids() == sorted([*names, "after"]), what
        after = self.journal.read_bytes()
        begins_anew = after[:_HEADER] != damaged[:_HEADER]  # then the rest of the old one is in the files
        start = self.used_of(damaged) if begins_anew else first_difference(damaged, after)
        taken = damaged[start - start % 16 :].rstrip(b"\0")
        kept = list(self.folder.glob("journal.damaged-*"))
        assert not taken or any(taken in file.read_bytes() for file in kept), what
        with self.open_at("json:{}/work?mode=ro") as store:
            assert [damage.where for damage in store.verify()] == [str(file) for file in kept], what
            assert [doubt.where for doubt in store.doubts()] == [str(file) for file in kept], what

    def used_of(self, content: bytes) -> int:
        """Where the records of a journal end that can still be read."""
        alone = self.folder.with_name("alone")
        alone.mkdir(exist_ok=True)
        (alone / "journal").write_bytes(content)
        with self.open_at("json:{}/alone?mode=ro") as store:
            return int(store._state.journal.used)  # type: ignore[attr-defined]


def first_difference(before: bytes, after: bytes) -> int:
    return next((at for at, byte in enumerate(before) if after[at] != byte), len(before))


def answers(store: Store) -> Iterator[tuple[str, Any]]:
    """What every call that reads gives, or raises."""
    calls: dict[str, Callable[[], Any]] = {
        "ids": store.ids,
        "versions": store.versions,
        "sizes": store.sizes,
        "sessions": lambda: store.stats().sessions,
        "query": lambda: store.query(TaskQuery()),
        "outlines": lambda: store.outlines(TaskQuery()),
    }
    for name in ("s", "t", "u", "s0", "s3", "never"):
        calls[f"load {name}"] = lambda name=name: store.load(name)  # type: ignore[misc]
        calls[f"version {name}"] = lambda name=name: store.version(name)  # type: ignore[misc]
        calls[f"task of {name}"] = lambda name=name: store.load_task(name, "a")  # type: ignore[misc]
    for call, ask in calls.items():
        try:
            yield call, ask()
        except SessionNotFound as error:
            yield call, error.what
        except StoreDamaged as error:
            yield call, error


@EACH
def test_no_flipped_bit_goes_unseen(
    open_at: OpenAt, tmp_path: Path, write: Callable[[Store], None], option: str
) -> None:
    flip_bits(Damaged(open_at, tmp_path, write, option), bits=1)


@pytest.mark.soak
@EACH
def test_none_of_all_flipped_bits_goes_unseen(
    open_at: OpenAt, tmp_path: Path, write: Callable[[Store], None], option: str
) -> None:
    flip_bits(Damaged(open_at, tmp_path, write, option), bits=8)


def flip_bits(store: Damaged, *, bits: int) -> None:
    """Flip so many bits of every byte of the records, and of zeros behind them, one at a time."""
    draw = random.Random(1)
    for byte in [*range(store.used), store.used, store.used + 40, len(store.whole) - 1]:
        for bit in draw.sample(range(8), bits):
            what = f"bit {bit} of byte {byte} of {store.used}"
            damaged = bytearray(store.whole)
            damaged[byte] ^= 1 << bit
            store.become(bytes(damaged))
            store.require_told(what)
            if byte < store.used and (bits > 1 or byte % KEPT_EVERY == 0):
                store.require_kept(what)


@pytest.mark.parametrize("write", [write_in_turn, write_at_once, write_and_fold])
def test_no_cut_goes_unseen(open_at: OpenAt, tmp_path: Path, write: Callable[[Store], None]) -> None:
    """Not even one between two records: the zeros behind the last one are missing."""
    store = Damaged(open_at, tmp_path, write, "")
    for cut in range(store.used + 16):
        store.become(store.whole[:cut])
        store.require_told(f"cut at byte {cut} of {store.used}")
        if cut % KEPT_EVERY == 0:
            store.require_kept(f"cut at byte {cut} of {store.used}")
    store.become(store.whole[: store.used + 16])
    with open_at("json:{}/work?mode=ro") as whole:
        assert whole.verify() == []


def test_a_missing_journal_is_no_empty_store(open_at: OpenAt, tmp_path: Path) -> None:
    store = Damaged(open_at, tmp_path, write_in_turn, "")
    running = open_at("json:{}/work")
    store.journal.unlink()
    for opened in (running, open_at("json:{}/work"), open_at("json:{}/work?mode=ro")):
        for _ in range(2):
            for call, answer in answers(opened):
                assert isinstance(answer, StoreDamaged), call
                assert f"{store.journal}: the journal of the store is missing" in str(answer)
        with pytest.raises(StoreDamaged, match="the journal of the store is missing"):
            opened.changes()
        assert [damage.where for damage in opened.verify()] == [str(store.journal)]
    with pytest.raises(StoreDamaged):
        running.save(make_session("new"))
    with pytest.raises(StoreDamaged):
        running.once("key", dict)
    assert not store.journal.exists()


@pytest.mark.parametrize("beside", ["deleted", "results"])
def test_a_folded_store_without_its_journal(open_at: OpenAt, tmp_path: Path, beside: str) -> None:
    """As an earlier version left it, whose lock file says nothing."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".lock").touch()
    (tmp_path / "work" / beside).write_bytes(b"{}")
    with pytest.raises(StoreDamaged, match="the journal of the store is missing"):
        open_at("json:{}/work").ids()


def test_a_store_that_was_never_written_is_empty(open_at: OpenAt, tmp_path: Path) -> None:
    with open_at("json:{}/work") as store, pytest.raises(SessionNotFound), store.transaction():
        store.delete("s", expected_version=1)
    assert (tmp_path / "work" / ".lock").exists()
    with open_at("json:{}/work") as store:
        assert (store.ids(), store.verify(), store.doubts()) == ([], [], [])


def lose_the_third_record(store: Damaged) -> bytes:
    """Damage the change of task b of session s; what follows is whole."""
    damaged = bytearray(store.whole)
    damaged[damaged.index(b"changed")] ^= 1
    store.become(bytes(damaged))
    return bytes(damaged)


def test_what_a_lost_record_may_have_changed_is_not_read(open_at: OpenAt, tmp_path: Path) -> None:
    def write(store: Store) -> None:
        store.save(make_session("old", "a"))
        write_in_turn(store)

    damaged = Damaged(open_at, tmp_path, write, "")
    lose_the_third_record(damaged)
    with open_at("json:{}/work?mode=ro") as store:
        assert store.load("u") == make_session("u", make_task("a", notes="last"), version=1)
        for lost in ("old", "never"):
            with pytest.raises(StoreDamaged, match=r"journal, byte \d+: .*\?damage=skip"):
                store.load(lost)
            with pytest.raises(StoreDamaged):
                store.load_task(lost, "a")
        with pytest.raises(StoreDamaged, match="changes of session 's' are missing"):
            store.load("s")
        with pytest.raises(SessionNotFound):
            store.load("t")  # it was deleted after that


def test_what_is_left_is_read_when_the_address_says_so(open_at: OpenAt, tmp_path: Path) -> None:
    damaged = Damaged(open_at, tmp_path, write_in_turn, "")
    content = lose_the_third_record(damaged)
    store = open_at("json:{}/work?damage=skip")
    assert store.ids() == ["s", "u"]
    assert store.load("u").version == 1
    with pytest.raises(StoreDamaged, match="changes of session 's' are missing"):
        store.load("s")
    with pytest.raises(SessionNotFound):
        store.load("never")
    (doubt,) = store.doubts()
    assert doubt.accepted
    assert "are no record, and records follow" in doubt.what
    with pytest.raises(ReadOnly, match="damage=skip"):
        store.save(make_session("new"))
    assert damaged.journal.read_bytes() == content


def test_a_record_that_is_whole_and_means_nothing_is_lost(open_at: OpenAt, tmp_path: Path) -> None:
    with open_at("json:{}/work") as store:
        store.save(make_session("s", "a"))
        reader = open_at("json:{}/work")
        assert reader.ids() == ["s"]
        store._state.journal.append(b"\x91\xa1?", durable=True)  # type: ignore[attr-defined]
    for opened in (reader, open_at("json:{}/work")):
        for _ in range(2):
            with pytest.raises(StoreDamaged, match=r"journal, record 2: a record cannot be understood"):
                opened.ids()


@pytest.mark.parametrize("lost", ["end", "beginning", "middle"])
@pytest.mark.parametrize("notes", [700, 5000])
def test_a_write_that_was_cut_short_is_told_and_leaves_nothing_behind(
    open_at: OpenAt, tmp_path: Path, lost: str, notes: int
) -> None:
    """Whole sectors of it are missing, so it never returned: what is there of it is not worth keeping."""

    def write(store: Store) -> None:
        store.save(make_session("s", make_task("a", notes="y" * 100)))
        store.save(make_session("t", make_task("a", notes="x" * notes)))

    damaged = Damaged(open_at, tmp_path, write, "")
    begins = damaged.whole.index(b"x" * notes) // 512 * 512
    sector = {"end": begins + 512, "beginning": 0, "middle": begins + 512}[lost]
    torn = bytearray(damaged.whole)
    if lost == "beginning":
        first = damaged.whole.index(b"y" * 100) + 100
        start = next(at for at in range(first + -first % 16, len(torn), 16) if any(torn[at : at + 4]))
        sector, stop = start, begins + 512
    else:
        stop = damaged.used if lost == "end" else min(begins + 1024, damaged.used)
    torn[sector:stop] = bytes(stop - sector)
    damaged.become(bytes(torn))
    with open_at("json:{}/work") as store:
        (doubt,) = store.doubts()
        assert LOST in doubt.what
        assert store.ids() == ["s"]
        store.save(make_session("u", "a"))
        assert store.ids() == ["s", "u"]
        assert store.verify() == []
    assert list(damaged.folder.glob("journal.damaged-*")) == []


def test_what_was_set_aside_once_is_kept_once(
    open_at: OpenAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is killed when the bytes are safe and still in their place; later comes another damage."""
    damaged = Damaged(open_at, tmp_path, write_at_once, "")
    content = bytearray(damaged.whole)
    content[100] ^= 1
    damaged.become(bytes(content))
    with monkeypatch.context() as patched, open_at("json:{}/work") as store:
        patched.setattr(journal.Journal, "_write", fail)
        with pytest.raises(OSError, match="killed"):
            store._state.journal.append(b"", durable=True)  # type: ignore[attr-defined]
    with open_at("json:{}/work") as store:
        store.save(make_session("new"))
        assert store.stats().details["damaged_files_set_aside"] == 1
    content = bytearray(damaged.journal.read_bytes())
    content[60] ^= 1
    damaged.journal.write_bytes(content)
    with open_at("json:{}/work") as store:
        store.save(make_session("newer"))
    assert len(list(damaged.folder.glob("journal.damaged-32-*"))) == 2


def fail(*_: Any, **__: Any) -> None:
    """Instead of a write."""
    raise OSError(5, "killed")


def lose_the_last_record(folder: Path) -> None:
    """Flip a bit in the last record, which was acknowledged."""
    path = folder / "journal"
    content = bytearray(path.read_bytes())
    content[len(content.rstrip(b"\0")) - 2] ^= 1
    path.write_bytes(content)


def test_no_version_of_a_lost_write_is_used_again(open_at: OpenAt, tmp_path: Path) -> None:
    with open_at("json:{}/work") as store:
        for name in ("s", "t", "gone"):
            store.save(make_session(name, "a"))
        store.delete("gone", expected_version=1)
        before = store.changes()
        with store.transaction():
            lost = [
                store.save(make_session("s", "b", version=1)),
                store.save(make_session("gone", "b")),
                store.save(make_session("new", "b")),
            ]
    lose_the_last_record(tmp_path / "work")
    early = open_at("json:{}/work")
    assert (early.version("s"), early.ids(), early.changes()) == (1, ["s", "t"], before)
    with open_at("json:{}/work") as store:
        with store.transaction():  # who reads what is left can write it
            raised = store.upsert_tasks("s", [make_task("c")], expected_version=1)
            with pytest.raises(StaleVersion):
                store.upsert_tasks("s", [make_task("d")], expected_version=1)
        with pytest.raises(StaleVersion):  # who has read what is lost cannot
            store.save(make_session("s", "d", version=lost[0]))
        with pytest.raises(StaleVersion):
            early.save(make_session("t", "d", version=1))
        again = [raised, store.save(make_session("gone", "c")), store.save(make_session("new", "c"))]
        assert all(after > version for after, version in zip(again, lost, strict=True))
        assert store.changes() > before + 1
        assert [task.id for task in store.load("s").tasks] == ["a", "c"]
        assert early.changes() == store.changes()
    with open_at("json:{}/work") as store:
        assert {name: store.version(name) for name in ("s", "gone", "new")} == dict(
            zip(("s", "gone", "new"), again, strict=True)
        )


def test_versions_go_on_where_nothing_is_lost(open_at: OpenAt) -> None:
    for expected in range(4):
        with open_at("json:{}/work") as store:
            assert store.save(make_session("s", "a", version=expected)) == expected + 1


def test_where_more_is_damaged_the_journal_is_not_begun_anew(open_at: OpenAt, tmp_path: Path) -> None:
    """A session that cannot be read cannot be given another version."""
    with open_at("json:{}/work") as store:
        write_and_fold(store)
    (tmp_path / "work" / "u.json").write_text("{")
    lose_the_last_record(tmp_path / "work")
    start = (tmp_path / "work" / "journal").read_bytes()[:40]
    with open_at("json:{}/work") as store:
        assert store.save(make_session("new", "a")) == 1
        assert len(store.verify()) == 2, "the file, and what was set aside"
    assert (tmp_path / "work" / "journal").read_bytes()[:40] == start


def test_a_process_that_is_killed_while_it_raises_versions(
    open_at: OpenAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are there, the new journal is not: what was read can be written all the same."""
    with open_at("json:{}/work") as store:
        store.save(make_session("s", "a"))
        store.save(make_session("t", "a"))
        store.delete("t", expected_version=1)
        lost = store.upsert_tasks("s", [make_task("b")], expected_version=1)
    lose_the_last_record(tmp_path / "work")
    with monkeypatch.context() as patched, open_at("json:{}/work") as store:
        patched.setattr(journal.Journal, "create", fail)
        with pytest.raises(StoreError, match="killed"):
            store.save(make_session("u"))
    with open_at("json:{}/work") as store:
        assert store.ids() == ["s"]
        found = store.load("s")
        assert [task.id for task in found.tasks] == ["a"]
        assert store.upsert_tasks("s", [make_task("c")], expected_version=found.version) > lost
        assert store.save(make_session("t")) > 2
    with open_at("json:{}/work?mode=ro") as store:
        assert {name: [task.id for task in store.load(name).tasks] for name in store.ids()} == {
            "s": ["a", "c"],
            "t": [],
        }
        assert len(store.verify()) == 1, "what was set aside"
