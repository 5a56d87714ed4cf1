"""``tiergate sessions export|verify``: the same bytes from every store, and damage by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tiergate.canonical import session_bytes
from tiergate.model import Session, decode_session, encode

Cli = Callable[..., tuple[int, str, str]]
Fill = Callable[..., None]


def files_with_beta_damaged(folder: Path, sessions: list[Session]) -> None:
    """The files of a store ``json:``, that of the session ``beta`` cut short."""
    folder.mkdir()
    for session in sessions:
        data = encode(msgspec.structs.replace(session, version=1))
        (folder / f"{session.id}.json").write_bytes(data[:-20] if session.id == "beta" else data)


def test_every_store_exports_the_same_bytes(
    cli: Cli, fill: Fill, work: list[Session], tmp_path: Path
) -> None:
    fill("json:work", *work)
    fill("sqlite:work.db", *reversed(work))
    fill("jsonfile:work.json", *work)
    expected = b"".join(session_bytes(session) + b"\n" for session in sorted(work, key=lambda one: one.id))
    assert cli("sessions", "export", "json:work")[1].encode() == expected
    assert cli("sessions", "export", "sqlite:work.db")[1].encode() == expected
    assert cli("sessions", "export", "jsonfile:work.json")[1].encode() == expected
    code, out, _ = cli("sessions", "export", "sqlite:work.db", "-o", "out.jsonl")
    assert (code, out.split(",")[0]) == (0, "wrote out.jsonl: 2 sessions")
    assert (tmp_path / "out.jsonl").read_bytes() == expected
    again = [decode_session(line) for line in expected.splitlines()]
    assert again == sorted(work, key=lambda one: one.id)


def test_quiet_says_nothing(cli: Cli, fill: Fill, work: list[Session]) -> None:
    fill("json:work", *work)
    assert cli("-q", "sessions", "export", "json:work", "-o", "out.jsonl") == (0, "", "")


def test_a_folder_cannot_be_the_output(cli: Cli, fill: Fill, work: list[Session], tmp_path: Path) -> None:
    fill("json:work", *work)
    (tmp_path / "place").mkdir()
    code, out, err = cli("sessions", "export", "json:work", "-o", "place")
    assert (code, out) == (2, "")
    assert "it is a folder; name another path" in err


def test_a_damaged_session_leaves_the_old_file_alone(cli: Cli, work: list[Session], tmp_path: Path) -> None:
    files_with_beta_damaged(tmp_path / "work", work)
    (tmp_path / "out.jsonl").write_text("{old")
    code, out, err = cli("sessions", "export", "json:work", "-o", "out.jsonl")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert (tmp_path / "out.jsonl").read_text() == "{old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "work"]


@pytest.mark.parametrize(
    ("address", "output"),
    [("sqlite:work.db", "work.db"), ("sqlite:work.db", "link"), ("json:work", "work/out")],
)
def test_an_export_does_not_replace_its_store(
    cli: Cli, fill: Fill, work: list[Session], tmp_path: Path, address: str, output: str
) -> None:
    fill(address, *work)
    if output == "link":
        (tmp_path / "link").hardlink_to(tmp_path / "work.db")
    before = cli("sessions", "export", address)[1]
    code, _, err = cli("sessions", "export", address, "-o", output)
    assert code == 2
    assert "the store" in err
    assert cli("sessions", "export", address)[1] == before


def test_an_export_does_not_replace_another_store(
    cli: Cli, fill: Fill, work: list[Session], tmp_path: Path
) -> None:
    fill("json:work", *work)
    fill("sqlite:other.db", *work)
    fill("json:second", *work)
    before = (tmp_path / "other.db").read_bytes()
    for target in ("other.db", "second/journal"):
        code, _, err = cli("sessions", "export", "json:work", "-o", target)
        assert code == 2
        assert "the file is there and is no export" in err
    assert (tmp_path / "other.db").read_bytes() == before
    assert cli("sessions", "export", "json:work", "-o", "out.jsonl")[0] == 0
    assert cli("sessions", "export", "json:work", "-o", "out.jsonl")[0] == 0, "an earlier export is replaced"


@pytest.mark.parametrize("address", ["json:work", "sqlite:work.db"])
def test_verify_says_how_much_it_checked(cli: Cli, fill: Fill, work: list[Session], address: str) -> None:
    fill(address, *work)
    code, out, err = cli("sessions", "verify", address)
    assert (code, err) == (0, "")
    assert out == f"{address}: checked 2 sessions with 6 tasks; nothing is damaged\n"
    document = json.loads(cli("sessions", "verify", address, "--json")[1])
    assert (document["ok"], document["sessions"], document["tasks"], document["damage"]) == (True, 2, 6, [])


def test_damage_is_named_and_the_rest_is_listed(cli: Cli, work: list[Session], tmp_path: Path) -> None:
    files_with_beta_damaged(tmp_path / "work", work)
    code, out, _ = cli("sessions", "verify", "json:work")
    assert (code, "beta" in out, "1 place damaged" in out) == (1, True, True)
    code, out, _ = cli("sessions", "verify", "json:work", "--json")
    document = json.loads(out)
    assert (code, document["ok"], len(document["damage"])) == (1, False, 1)
    code, out, _ = cli("sessions", "list", "json:work")
    assert code == 1
    assert "alpha" in out
    assert "damaged: " in next(line for line in out.splitlines() if line.startswith("beta"))


def test_a_database_that_is_damaged_is_said_to_be(
    cli: Cli, fill: Fill, work: list[Session], tmp_path: Path
) -> None:
    fill("sqlite:work.db", *work)
    data = bytearray((tmp_path / "work.db").read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    (tmp_path / "work.db").write_bytes(data)
    code, out, err = cli("sessions", "verify", "sqlite:work.db", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["damage"]
