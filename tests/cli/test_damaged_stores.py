"""What every command says of a store with a damaged journal, and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.model import Session
from tiergate_plugins.storage import json_verify

Cli = Callable[..., tuple[int, str, str]]
Fill = Callable[..., None]

LOOKING = {
    "list": ("sessions", "list", "json:work"),
    "show": ("sessions", "show", "json:work", "beta"),
    "query": ("sessions", "query", "json:work"),
    "stats": ("sessions", "stats", "json:work"),
}
MOVING = {
    "export": ("sessions", "export", "json:work"),
    "export to a file": ("sessions", "export", "json:work", "-o", "out.jsonl"),
    "migrate": ("migrate", "json:work", "sqlite:new.db"),
    "migrate --dry-run": ("migrate", "json:work", "sqlite:new.db", "--dry-run"),
}


@pytest.fixture(autouse=True)
def store(fill: Fill, work: list[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sessions, a record each: first ``beta``, then ``alpha``."""
    monkeypatch.setattr(json_verify, "_IN_FLIGHT_S", 0.0)
    fill("json:work", *work)


def flip_a_bit(tmp_path: Path, of: bytes) -> None:
    """Damage the journal at a text that it holds."""
    path = tmp_path / "work" / "journal"
    content = bytearray(path.read_bytes())
    content[content.index(of)] ^= 1
    path.write_bytes(content)


def damage_the_last(tmp_path: Path) -> None:
    flip_a_bit(tmp_path, of=b"First")


def damage_the_first(tmp_path: Path) -> None:
    flip_a_bit(tmp_path, of="日本語".encode())


def remove_the_journal(tmp_path: Path) -> None:
    (tmp_path / "work" / "journal").unlink()


def empty_the_journal(tmp_path: Path) -> None:
    (tmp_path / "work" / "journal").write_bytes(b"")


def journal_of(folder: Path) -> Path:
    return folder / "work" / "journal"


@pytest.mark.parametrize("words", LOOKING.values(), ids=LOOKING.keys())
@pytest.mark.parametrize("quiet", [False, True])
def test_who_looks_is_warned_of_a_doubtful_end(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], quiet: bool
) -> None:
    damage_the_last(tmp_path)
    code, out, err = cli(*(("-q",) if quiet else ()), *words)
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith(f"tiergate: warning: {journal_of(tmp_path)}, byte ")
    assert err.endswith("a write that never returned, or damage (see `tiergate sessions verify json:work`)\n")
    assert "alpha" not in out


@pytest.mark.parametrize("words", MOVING.values(), ids=MOVING.keys())
@pytest.mark.parametrize("damage", [damage_the_last, damage_the_first, remove_the_journal, empty_the_journal])
def test_nothing_doubtful_is_moved(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], damage: Callable[[Path], None]
) -> None:
    damage(tmp_path)
    code, out, err = cli(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"tiergate: error: {journal_of(tmp_path)}")
    assert "?damage=skip" in err
    assert not (tmp_path / "new.db").exists()
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("words", LOOKING.values(), ids=LOOKING.keys())
@pytest.mark.parametrize("damage", [damage_the_first, remove_the_journal, empty_the_journal])
def test_what_is_surely_lost_is_an_error(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], damage: Callable[[Path], None]
) -> None:
    damage(tmp_path)
    code, out, err = cli(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"tiergate: error: {journal_of(tmp_path)}")


def test_what_is_left_can_be_listed_and_moved(cli: Cli, tmp_path: Path) -> None:
    damage_the_first(tmp_path)
    code, out, err = cli("sessions", "list", "json:work?damage=skip")
    assert (code, out.splitlines()[1].split()[0], err.count("warning")) == (0, "alpha", 1)
    assert "(see `tiergate sessions verify 'json:work?damage=skip'`)" in err, "as a shell takes it"
    code, out, err = cli("sessions", "export", "json:work?damage=skip")
    assert (code, json.loads(out)["id"], err.count("warning")) == (0, "alpha", 1)
    code, out, _ = cli("migrate", "json:work?damage=skip", "sqlite:new.db", "--json")
    (remark,) = json.loads(out)["remarks"]
    assert (code, json.loads(out)["sessions"]) == (0, 1)
    assert remark.startswith(
        f"The source may have lost writes, and what is left was taken: {journal_of(tmp_path).parent}"
    )
    assert cli("sessions", "verify", "json:work?damage=skip")[0] == 1


def test_what_was_set_aside_is_told_until_it_is_removed(cli: Cli, fill: Fill, tmp_path: Path) -> None:
    damage_the_last(tmp_path)
    fill("json:work", Session(id="new"))
    (aside,) = (tmp_path / "work").glob("journal.damaged-*")
    code, out, err = cli("sessions", "stats", "json:work")
    assert (code, err.count(str(aside))) == (0, 1)
    assert "damaged files set aside  1" in out
    code, out, err = cli("sessions", "verify", "json:work")
    assert (code, err) == (1, "")
    assert out.startswith(f"{aside}: damaged bytes, perhaps of a write, were set aside here")
    assert cli("sessions", "export", "json:work")[0] == 1
    aside.unlink()
    assert cli("sessions", "export", "json:work")[0] == 0
    assert cli("sessions", "verify", "json:work")[0] == 0


@pytest.mark.parametrize("words", LOOKING.values(), ids=LOOKING.keys())
def test_documents_name_what_is_in_doubt(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert json.loads(cli(*words, "--json")[1])["doubts"] == []
    damage_the_last(tmp_path)
    code, out, _ = cli(*words, "--json")
    (doubt,) = json.loads(out)["doubts"]
    assert (code, set(doubt)) == (0, {"where", "what"})
    assert doubt["where"].startswith(f"{journal_of(tmp_path)}, byte ")
