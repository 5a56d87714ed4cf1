"""The journal of ``json:``: cut short, with bits flipped, folded into the files, and killed in the middle."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tiergate.model import Session, encode
from tiergate.store import SessionNotFound, Store, StoreDamaged, StoreError
from tiergate.testing import make_session, make_task
from tiergate_plugins.storage import json_state
from tiergate_plugins.storage.file_names import file_name

OpenAt = Callable[[str], Store]


@pytest.fixture
def folds_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fold the journal into the files after a few writes."""
    monkeypatch.setattr(json_state, "_FOLD_AT", 2000)


def written(open_at: OpenAt, tmp_path: Path) -> tuple[Path, list[int], list[dict[str, Session]]]:
    """A journal of six writes: its path, where each record ends, and what the store held after each."""
    store = open_at("json:{}/work")
    path = tmp_path / "work" / "journal"
    writes: list[Callable[[], object]] = [
        lambda: store.save(make_session("s", "a", "b")),
        lambda: store.save(make_session("t", "a")),
        lambda: store.upsert_tasks("s", [make_task("b", title="changed")], expected_version=1),
        lambda: store.delete("t", expected_version=1),
        lambda: store.upsert_tasks("s", [make_task("c")], expected_version=2),
        lambda: store.save(make_session("u", make_task("a", notes="last"))),
    ]
    ends, states = [32], [dict[str, Session]()]
    for write in writes:
        write()
        ends.append(int(store.stats().details["journal_used_bytes"]) + 0)
        states.append({name: store.load(name) for name in store.ids()})
    store.close()
    return path, ends, states


def held(store: Store) -> dict[str, Session]:
    return {name: store.load(name) for name in store.ids()}


def test_a_journal_cut_at_any_byte_keeps_every_whole_record(open_at: OpenAt, tmp_path: Path) -> None:
    path, ends, states = written(open_at, tmp_path)
    whole = path.read_bytes()
    for cut in range(ends[-3], ends[-1] + 1):
        for file in path.parent.glob("*.json"):  # of the round before
            file.unlink()
        path.write_bytes(whole[:cut])
        records = sum(end <= cut for end in ends) - 1
        left = whole[ends[records] : cut]
        raised = 1 << 20
        states_after = {
            name: replace(session, version=session.version + raised)
            for name, session in states[records].items()
        }
        with open_at("json:{}/work") as store:
            assert held(store) == states[records], cut
            store.save(make_session("after"))  # what is left can be written to
        with open_at("json:{}/work") as store:
            assert held(store) == {**states_after, "after": make_session("after", version=raised + 1)}
            kept = list(path.parent.glob("journal.damaged-*"))
            assert [file.read_bytes() for file in kept] == ([left.rstrip(b"\0")] if left else [])
            assert [damage.where for damage in store.verify()] == [str(file) for file in kept]
        for file in kept:
            file.unlink()


@pytest.mark.parametrize("option", ["", "?durability=normal"])
def test_a_record_that_was_seen_half_written_is_read_when_it_is_whole(
    open_at: OpenAt, tmp_path: Path, option: str
) -> None:
    writer, reader = open_at(f"json:{{}}/work{option}"), open_at(f"json:{{}}/work{option}")
    writer.save(make_session("s", "a"))
    assert reader.ids() == ["s"]
    path = tmp_path / "work" / "journal"
    before = path.read_bytes()
    for number in range(3):
        writer.save(make_session(f"t{number}", make_task("t", notes="x" * 10_000)))
    whole = path.read_bytes()
    first = next(place for place in range(len(before)) if before[place] != whole[place])
    torn = whole[: first + 4096] + bytes(len(whole) - first - 4096)
    with path.open("r+b") as file:  # in place: it must stay the same file
        file.write(torn)
    assert reader.ids() == ["s"]
    with path.open("r+b") as file:
        file.write(whole)
    assert reader.save(make_session("u", "a")) == 1
    assert reader.ids() == ["s", "t0", "t1", "t2", "u"]
    with open_at("json:{}/work") as store:
        assert store.ids() == ["s", "t0", "t1", "t2", "u"]
        assert store.verify() == []


def test_records_behind_a_damaged_one_survive(open_at: OpenAt, tmp_path: Path) -> None:
    path, ends, _ = written(open_at, tmp_path)
    whole = bytearray(path.read_bytes())
    whole[ends[2] + 30] ^= 1  # the change of task b of session s
    path.write_bytes(whole)
    store = open_at("json:{}/work")
    assert store.load("u").tasks[0].notes == "last"
    with pytest.raises(StoreDamaged, match="changes of session 's' are missing in the journal"):
        store.load("s")
    with pytest.raises(SessionNotFound):
        store.load("t")  # its deletion came later
    places = [damage.where for damage in store.verify()]
    assert f"{path}, byte {ends[2]}" in places
    assert any(where.endswith("s.json") for where in places)
    # The way out: what is known to be right is saved in its place.
    assert store.save(make_session("s", "a", version=3)) == 4
    assert store.load("s") == make_session("s", "a", version=4)
    assert open_at("json:{}/work").load("s") == make_session("s", "a", version=4)


@pytest.mark.usefixtures("folds_early")
def test_a_damaged_journal_is_never_folded(open_at: OpenAt, tmp_path: Path) -> None:
    """In the files, what is in doubt would look as certain as all else."""
    path, ends, _ = written(open_at, tmp_path)
    whole = bytearray(path.read_bytes())
    whole[ends[3] + 30] ^= 1  # the deletion of t
    path.write_bytes(whole)
    with open_at("json:{}/work") as store:
        for number in range(1, 21):
            task = make_task("a", title=str(number), notes="x" * 200)
            assert store.upsert_tasks("u", [task], expected_version=number) == number + 1
    assert path.read_bytes()[: ends[-1]] == whole[: ends[-1]]
    assert list(path.parent.glob("*.json")) == []
    with open_at("json:{}/work") as store:
        assert store.load("u").version == 21
        with pytest.raises(StoreDamaged, match=f"byte {ends[3]}: .* are no record, and records follow"):
            store.load("t")


@pytest.mark.usefixtures("folds_early")
def test_folding_changes_nothing_for_any_instance(open_at: OpenAt, tmp_path: Path) -> None:
    writer, reader = open_at("json:{}/work"), open_at("json:{}/work")
    draw = random.Random(2)
    expected: dict[str, Session] = {}
    deleted: dict[str, int] = {}
    folds = 0
    for number in range(150):
        name = f"s{draw.randrange(8)}"
        now = expected.get(name)
        before = (tmp_path / "work" / "journal").stat().st_ino if number else 0
        if now is None:
            version = writer.save(make_session(name, "a"))
            assert version == deleted.get(name, 0) + 1
            expected[name] = make_session(name, "a", version=version)
        elif draw.random() < 0.15:
            writer.delete(name, expected_version=now.version)
            deleted[name] = now.version + 1
            del expected[name]
        else:
            task = make_task(draw.choice("abc"), title=str(number))
            version = writer.upsert_tasks(name, [task], expected_version=now.version)
            by_id = {one.id: one for one in now.tasks} | {task.id: task}
            expected[name] = msgspec.structs.replace(now, version=version, tasks=tuple(by_id.values()))
        folds += bool(before) and (tmp_path / "work" / "journal").stat().st_ino != before
        assert held(reader) == expected
        assert reader.versions() == {name: expected[name].version for name in sorted(expected)}
        assert reader.changes() == writer.changes() == number + 1
    assert folds > 3
    assert reader.verify() == []
    assert held(open_at("json:{}/work")) == expected


def test_a_kill_between_files_and_journal_does_no_harm(
    open_at: OpenAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every prefix of the steps of a fold leaves the same sessions."""
    store = open_at("json:{}/work")
    store.save(make_session("s", "a"))
    store.save(make_session("t", "a"))
    store.upsert_tasks("s", [make_task("b")], expected_version=1)
    store.delete("t", expected_version=1)
    store.save(make_session("u", "a"))
    expected = held(store)
    before = tmp_path / "before"
    shutil.copytree(tmp_path / "work", before)
    steps = count_steps(monkeypatch, None, store)
    assert steps >= 4
    for stop in range(steps):
        shutil.rmtree(tmp_path / "work")
        shutil.copytree(before, tmp_path / "work")
        with open_at("json:{}/work") as again:
            count_steps(monkeypatch, stop, again)
        with open_at("json:{}/work") as after:
            expected_now = {**expected, "more": make_session("more", make_task("a", notes="x"), version=1)}
            assert held(after) == expected_now, stop
            assert after.verify() == []
            assert after.save(make_session("t")) == 3, "a version is never used twice"


def count_steps(monkeypatch: pytest.MonkeyPatch, stop: int | None, store: Store) -> int:
    """Write once so that the journal is folded, failing at the `stop`-th change of a name; count them."""
    steps = 0

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            nonlocal steps
            if stop is not None and steps >= stop:
                raise OSError(5, "stopped")
            steps += 1
            return call(*arguments, **options)

        return step

    with monkeypatch.context() as patched:
        for name in ("replace", "unlink", "rename"):
            patched.setattr(os, name, counted(getattr(os, name)))
        patched.setattr(store, "_state", store._state)  # type: ignore[attr-defined]
        store._state._fold_at = 0  # type: ignore[attr-defined]
        store.save(make_session("more", make_task("a", notes="x")))
    return steps


def test_a_folder_from_before_there_was_a_journal(open_at: OpenAt, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for session in (make_session("s", "a", version=7), make_session("y" * 500, "a", version=1)):
        (folder / file_name(session.id)).write_bytes(encode(session))
    store = open_at("json:{}/work")
    assert store.versions() == {"s": 7, "y" * 500: 1}
    assert store.upsert_tasks("s", [make_task("b")], expected_version=7) == 8
    assert held(open_at("json:{}/work"))["s"] == make_session("s", "a", "b", version=8)


def test_a_file_that_went_away_is_named(open_at: OpenAt, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "s.json").write_bytes(encode(make_session("s", "a", version=1)))
    store = open_at("json:{}/work")
    store.upsert_tasks("s", [make_task("b")], expected_version=1)
    (folder / "s.json").unlink()
    with pytest.raises(StoreDamaged, match="the file of session 's' is missing"):
        store.load("s")
    assert [damage.what for damage in store.verify()] == ["the file of session 's' is missing"]


def test_a_journal_of_a_newer_tiergate_is_refused(open_at: OpenAt, tmp_path: Path) -> None:
    import struct
    import zlib

    (tmp_path / "work").mkdir()
    check = zlib.crc32(struct.pack("<IQ", 99, 0))
    header = struct.pack("<16sIIQ", b"tiergate journal", 99, check, 0)
    (tmp_path / "work" / "journal").write_bytes(header.ljust(4096, b"\0"))
    with pytest.raises(StoreError, match="a newer tiergate has written the journal"):
        open_at("json:{}/work")
