"""``tiergate migrate``: what it says, what it writes, and with which exit code it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tiergate.binding import Bindings
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.record import MigrationRecord, read_record

Cli = Callable[..., tuple[int, str, str]]
Fill = Callable[..., None]


@pytest.fixture
def many() -> list[Session]:
    """Thirty small sessions."""
    return [Session(id=f"s{number:02}", tasks=(Task(id="t", title="T"),)) for number in range(30)]


@pytest.fixture
def moved(cli: Cli, fill: Fill, work: list[Session], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """``json:work`` was moved to ``sqlite:work.db``, and ``store:work`` with it."""
    monkeypatch.delenv("TIERGATE_STATE", raising=False)
    fill("json:work", *work)
    assert cli("migrate", "bind", "work", "json:work")[0] == 0
    assert cli("migrate", "store:work", "sqlite:work.db", "--bind", "work")[0] == 0
    return cli


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in [folder, *folder.rglob("*")]
    }


def test_it_moves_and_says_what(cli: Cli, fill: Fill, work: list[Session], tmp_path: Path) -> None:
    fill("json:work", *work)
    code, out, err = cli("migrate", "json:work", "sqlite:work.db")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith(f"json:{tmp_path}/work → sqlite:{tmp_path}/work.db: 2 sessions, 6 tasks, ")
    assert lines[1].startswith("verified: every session read back and the same; root hash ")
    assert "copying: 2 sessions in" in err
    assert cli("sessions", "export", "json:work")[1] == cli("sessions", "export", "sqlite:work.db")[1]


def test_a_dry_run_writes_nothing(cli: Cli, fill: Fill, work: list[Session], tmp_path: Path) -> None:
    fill("json:work", *work)
    before = tree(tmp_path)
    code, out, _ = cli("migrate", "json:work", "sqlite:work.db", "--dry-run")
    assert code == 0
    assert "nothing is lost: every session can be kept as it is" in out
    assert "by a timed sample" in out
    assert out.splitlines()[-1] == "nothing was written"
    assert tree(tmp_path) == before
    code, out, _ = cli("migrate", "json:work", "sqlite:work.db", "--dry-run", "--resume")
    assert "Nothing had been copied that could be gone on with" in out
    assert code == 0
    assert tree(tmp_path) == before


def test_a_dry_run_of_what_is_resumed_writes_nothing(
    cli: Cli, fill: Fill, work: list[Session], tmp_path: Path
) -> None:
    fill("json:work", *work)
    cli("migrate", "json:work", "json:there")
    before = tree(tmp_path)
    code, out, _ = cli("migrate", "json:work", "json:there", "--dry-run", "--resume")
    assert code == 0
    assert "There already and equal: 2 sessions; 0 to copy" in out
    assert tree(tmp_path) == before


def test_the_record_and_the_page(cli: Cli, fill: Fill, work: list[Session], tmp_path: Path) -> None:
    fill("json:work", *work)
    words = ("--json", "-o", "record.json", "--html", "page.html", "-q")
    code, out, err = cli("migrate", "json:work", "sqlite:work.db", *words)
    assert (code, err) == (0, "")
    record = read_record(tmp_path / "record.json")
    assert isinstance(record, MigrationRecord)
    assert json.loads(out) == json.loads((tmp_path / "record.json").read_bytes())
    page = (tmp_path / "page.html").read_text()
    assert str(record.root_hash.target) in page
    assert cli("report", "record.json", "-o", "again.html")[0] == 0
    assert (tmp_path / "again.html").read_text() == page


def test_outputs_are_not_written_into_the_stores(cli: Cli, fill: Fill, work: list[Session]) -> None:
    fill("json:work", *work)
    assert cli("migrate", "json:work", "sqlite:work.db", "-o", "work/record.json")[0] == 2
    assert cli("migrate", "json:work", "sqlite:work.db", "--html", "work.db")[0] == 2
    assert cli("migrate", "json:work", "sqlite:work.db", "--html", "x", "-o", "x")[0] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["json:work", "json:./work/"], "same store"),
        (["json:work", "nosuch:x"], "unknown store 'nosuch'"),
        (["json:gone", "sqlite:x.db"], "no store"),
        (["store:gone", "sqlite:x.db"], "no store is bound to 'gone'"),
        (["json:work", "store:work"], "must be a store, not a name"),
        (["json:work", "sqlite:x.db", "--bind", "../x"], "cannot be a bound name"),
        (["json:work", "sqlite:x.db", "--throttle", "5"], "50sessions/s or 2MiB/s"),
        (["json:work", "sqlite:no/folder/x.db"], "folder"),
        (["json:work"], "missing argument"),
        (["staus"], "did you mean 'status'"),
        (["undo", "what"], "unknown migration 'what'"),
    ],
)
def test_wrong_usage_is_one_line(
    cli: Cli, fill: Fill, work: list[Session], words: list[str], said: str
) -> None:
    fill("json:work", *work)
    code, out, err = cli("migrate", "-q", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_help_names_both_forms(cli: Cli) -> None:
    code, out, _ = cli("migrate", "--help")
    assert code == 0
    for word in ("SRC DST", "--dry-run", "--throttle", "undo", "status", "bind"):
        assert word in out
    assert "  run " not in out
    assert cli("migrate")[0] == 2


def test_a_target_that_is_not_empty(cli: Cli, fill: Fill, work: list[Session]) -> None:
    fill("json:work", *work)
    fill("sqlite:work.db", work[0])
    code, _, err = cli("migrate", "json:work", "sqlite:work.db")
    assert (code, "it holds 1 session " in err) == (2, True)


def test_status(moved: Cli, tmp_path: Path) -> None:
    code, out, _ = moved("migrate", "status", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["schema"] == "tiergate.migrations/1"
    assert [one["state"] for one in document["migrations"]] == ["cut-over"]
    assert [(one["name"], one["epoch"]) for one in document["bindings"]] == [("work", 2)]
    _, out, _ = moved("migrate", "status")
    assert document["migrations"][0]["id"] in out
    assert f"sqlite:{tmp_path}/work.db" in out


def test_status_shows_the_rest_of_what_cannot_be_read(moved: Cli, tmp_path: Path) -> None:
    state = tmp_path / ".tiergate"
    whole = json.loads(moved("migrate", "status", "--json")[1])
    moved("migrate", "bind", "other", "json:work")
    moved("migrate", "json:work", "sqlite:second.db")
    (state / "bindings" / "work.json").write_text("{")
    migrations = state / "migrations"
    (second,) = set(migrations.glob("2*-*")) - {migrations / whole["migrations"][0]["id"]}
    (second / "state.json").write_text("{")
    code, out, err = moved("migrate", "status")
    assert (code, err) == (1, "")
    assert [line for line in out.splitlines() if line.startswith("store:other  ")]
    assert f"cannot be read: {state}/bindings/work.json: not a binding: Input data was truncated" in out
    assert f"cannot be read: {second}/state.json: not the state of a migration" in out
    assert out.count("cannot be read") == 2
    code, out, _ = moved("migrate", "status", "--json")
    document = json.loads(out)
    assert (code, document["migrations"]) == (1, whole["migrations"])
    assert {one["where"] for one in document["damage"]} == {
        f"{second}/state.json",
        f"{state}/bindings/work.json",
    }
    assert moved("migrate", "undo", "work")[0] == 3, "nothing is changed by what cannot be read"


def test_status_of_nothing(cli: Cli, tmp_path: Path) -> None:
    assert cli("migrate", "status") == (0, "no migrations\n", "")
    assert list(tmp_path.iterdir()) == []


def test_the_name_leads_to_the_new_store(moved: Cli) -> None:
    assert moved("sessions", "export", "store:work")[1] == moved("sessions", "export", "sqlite:work.db")[1]
    code, out, _ = moved("migrate", "store:work", "sqlite:work.db", "--bind", "work", "--resume")
    assert (code, "store:work is bound to it (epoch 2)" in out) == (0, True)


def test_undo(moved: Cli, tmp_path: Path) -> None:
    code, out, _ = moved("migrate", "undo", "work")
    assert code == 0
    assert out.startswith(f"store:work is bound to json:{tmp_path}/work again (epoch 3)")
    assert moved("migrate", "undo", "work")[0] == 2


def test_undo_refuses_with_1(moved: Cli, fill: Fill) -> None:
    fill("store:work", Session(id="new"))
    code, _, err = moved("migrate", "undo", "work", "--json")
    assert (code, "1 write to 1 session since" in err) == (1, True)


def test_differences_exit_with_1(
    cli: Cli, fill: Fill, work: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiergate_plugins.storage.sqlite_store import SqliteStore

    load = SqliteStore.load
    monkeypatch.setattr(SqliteStore, "load", lambda self, name: replace(load(self, name), title="\x1b[31m"))
    fill("json:work", *work)
    code, out, _ = cli("migrate", "json:work", "sqlite:work.db", "--bind", "work", "--html", "page.html")
    assert code == 1
    assert "NOT the same: 2 differences" in out
    assert 'session beta, title: source "日本語", target "\\u001b[31m"' in out
    assert "Not the same" in Path("page.html").read_text()
    assert "\x1b" not in out
    monkeypatch.undo()
    assert Bindings(PluginHost().opener().state).find("work") is None


@pytest.mark.integration
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_130_and_says_how_to_go_on(
    cli: Cli, fill: Fill, many: list[Session], tmp_path: Path, number: signal.Signals
) -> None:
    fill("json:work", *many)
    words = ["migrate", "json:work", "sqlite:work.db", "--throttle", "60sessions/s"]
    command = [sys.executable, "-m", "tiergate", *words]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("reading: 30 sessions")
        give_up = time.monotonic() + 20
        while not list(tmp_path.glob(".tiergate/migrations/*/ids.jsonl")) and time.monotonic() < give_up:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    resume = "tiergate migrate json:work sqlite:work.db --throttle 60sessions/s --resume"
    assert said.count("\n") == 1
    assert said.startswith("tiergate: interrupted; ")
    assert resume in said
    code, out, _ = cli("migrate", "json:work", "sqlite:work.db", "--resume")
    assert (code, "verified: every session" in out) == (0, True)


def test_a_name_can_be_set_free(moved: Cli, tmp_path: Path) -> None:
    code, out, _ = moved("migrate", "unbind", "work")
    assert (code, out) == (0, f"store:work is bound to nothing; sqlite:{tmp_path}/work.db is left as it is\n")
    code, out, err = moved("migrate", "unbind", "work")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_what_stopped_is_shown_with_the_command_that_goes_on(
    cli: Cli, fill: Fill, work: list[Session], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tiergate.migrate.copying import Copier
    from tiergate.store import StoreFailed

    def fail(*_: object) -> None:
        raise StoreFailed("the disk is full", hint="free some space and repeat")

    fill("json:work", *work)
    with monkeypatch.context() as patched:
        patched.setattr(Copier, "_note_progress", fail)
        code, _, err = cli("migrate", "-q", "json:work", "json:there", "--verify", "sample")
    assert code == 3
    again = "tiergate migrate json:work json:there --verify sample --resume"
    assert err == (
        "tiergate: error: the disk is full (free some space and repeat; what was copied is kept,"
        f" go on with: {again})\n"
    )
    _, out, _ = cli("migrate", "status")
    assert "interrupted (copying)" in out
    assert f"go on with: tiergate migrate json:{tmp_path}/work json:{tmp_path}/there --verify sample" in out
    code, out, _ = cli("migrate", "status", "--json")
    document = json.loads(out)
    assert [one["activity"] for one in document["migrations"]] == ["interrupted"]
    assert document["running"] == []


def test_a_folder_for_the_record_must_be_there_before_anything_is_copied(
    cli: Cli, fill: Fill, work: list[Session], tmp_path: Path
) -> None:
    fill("json:work", *work)
    for option in ("-o", "--html"):
        code, out, err = cli("migrate", "json:work", "sqlite:work.db", option, "no/file")
        assert (code, out) == (2, "")
        assert err == f"tiergate: error: {tmp_path}/no: the folder does not exist (create it first)\n"
    assert not (tmp_path / "work.db").exists()
    assert not (tmp_path / "no").exists()
