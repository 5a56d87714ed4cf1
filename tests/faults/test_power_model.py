"""The harness of the lost syncs itself: what it takes for durable, and that it notices a missing sync."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from powerloss import disk
from powerloss.disk import WHOLE, Name, Operation, Part, Sync, Write
from powerloss.exploring import Explorer, choices
from powerloss.recording import record
from powerloss.trace import Reader

from tiergate.store import Store

OpenAt = Callable[[str], Store]


@pytest.mark.integration
@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize(
    ("address", "sabotage"),
    [
        ("json:{}/work", "no_sync_of_writes"),
        ("json:{}/work", "no_sync_of_folders"),
        ("json:{}/work", "no_sync_before_rename"),
        ("json:{}/work", "no_sync_of_session_files"),
        ("jsonfile:{}/work.json", "no_sync_of_folders"),
        ("jsonfile:{}/work.json", "no_sync_before_rename"),
        ("sqlite:{}/work.db", "no_sync_of_writes"),
        ("sqlite:{}/work.db", "unsynced_checkpoints"),
    ],
)
def test_a_missing_sync_is_noticed(open_at: OpenAt, fast_folder: Path, address: str, sabotage: str) -> None:
    recording = record(address, seed=1, count=24, sabotages=(sabotage,))
    findings = Explorer(recording, open_at, fast_folder).explore(limit=60)
    lost = [loss for loss in findings.losses if loss.acknowledged]
    assert lost, f"{findings.states} states, and nothing that was acknowledged was lost"


def test_only_what_was_synced_must_be_there() -> None:
    operations: list[Operation] = [
        Name(0, "f", 7),
        Write(7, 0, b"old"),
        Sync(7, 2),
        Sync(0, 3),
        Write(7, 3, b"new"),
        Write(7, 6, b"now", synced=True),
        Name(0, "g", 7, "f"),
    ]
    assert disk.unsynced(operations, len(operations)) == [4, 6]
    assert disk.tree_after(operations, 7, {}) == {"f": b"old\0\0\0now"}
    assert disk.tree_after(operations, 7, {4: WHOLE, 6: WHOLE}) == {"g": b"oldnewnow"}
    assert disk.tree_after(operations, 7, {4: Part(0, 1)}) == {"f": b"oldn\0\0now"}
    assert disk.tree_after(operations, 5, {4: Part(0, 0, extends=True)}) == {"f": b"old\0\0\0"}
    assert disk.tree_after(operations, 2, {0: WHOLE}) == {"f": b""}


def test_what_a_failed_sync_forgot_no_later_one_brings_back() -> None:
    operations: list[Operation] = [Write(7, 0, b"a"), disk.FailedSync(7, 1), Write(7, 1, b"b"), Sync(7, 3)]
    assert disk.unsynced(operations, 4) == [0]


def test_a_failed_sync_of_a_folder_is_made_good_by_a_later_one() -> None:
    operations: list[Operation] = [Name(0, "f", 7), disk.FailedSync(0, 1), Sync(0, 2)]
    assert disk.unsynced(operations, 2) == [0], "but until then the name may be lost"
    assert disk.unsynced(operations, 3) == []


def test_all_ways_are_tried_where_they_are_few() -> None:
    operations: list[Operation] = [Name(0, "f", 7), Write(7, 0, bytes(2000)), Name(0, "g", 8)]
    found = list(choices(operations, 3, random.Random(1), 50))
    assert {tuple(sorted(one)) for one in found} == {
        (),
        (0,),
        (1,),
        (2,),
        (0, 1),
        (0, 2),
        (1, 2),
        (0, 1, 2),
    }
    assert disk.boundaries(Write(7, 100, bytes(1000))) == [412, 924]
    assert any(part != WHOLE for one in found for part in one.values())


def as_hex(text: str) -> str:
    """A text as ``strace -xx`` writes it."""
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def test_a_trace_is_read() -> None:
    root, file, notes = as_hex("/r"), as_hex("/r/f"), as_hex("/notes")
    reader = Reader("/r", "/notes")
    reader.read(
        [
            f'1 openat(AT_FDCWD<{root}>, "{notes}", O_WRONLY|O_CREAT, 0777) = 3<{notes}>',
            f'1 openat(AT_FDCWD<{root}>, "{file}", O_RDWR|O_CREAT, 0666) = 4<{file}>',
            f'1 pwrite64(4<{file}>, "{as_hex("abc")}", 3, 5) = 2',
            f"2 fsync(4<{file}> <unfinished ...>",
            f'1 pwritev2(4<{file}>, [{{iov_base="{as_hex("de")}", iov_len=2}}], 1, 9, RWF_DSYNC) = 2',
            "2 <... fsync resumed>)            = 0",
            f"1 fdatasync(4<{file}>) = -1 EIO (Input/output error) (INJECTED)",
            f'1 pwrite64(4<{file}>, "{as_hex("abc")}", 3, 5) = -1 ENOSPC (No space left on device)',
            f'1 writev(3<{notes}>, [{{iov_base="{as_hex("acknowledged ")}", iov_len=13}},'
            f' {{iov_base="{as_hex("4")}", iov_len=1}}], 2) = 14',
            "1 +++ killed by SIGKILL +++",
        ]
    )
    (file_number,) = (one.file for one in reader.operations if isinstance(one, Name) and one.file)
    assert reader.operations == [
        Name(0, "f", file_number),
        Write(file_number, 5, b"ab"),
        Write(file_number, 9, b"de", synced=True),
        Sync(file_number, 2),
        disk.FailedSync(file_number, 4),
        disk.Acknowledged(4),
    ]


def test_a_call_that_the_model_does_not_know_is_refused() -> None:
    link = f'1 link("{as_hex("/r/f")}", "{as_hex("/r/g")}") = 0'
    with pytest.raises(ValueError, match="the model knows no link"):
        Reader("/r", "/notes").read([link])
