"""``tiergate import``: what it writes, what it refuses, and that it can be repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.cli import import_plan
from tiergate.model import Session
from tiergate.plugins import PluginHost
from tiergate.store import Capability, StoreAddress
from tiergate_plugins.storage.json_store import JsonStore

Cli = Callable[..., tuple[int, str, str]]
Fill = Callable[..., None]
STORES = ("json:work", "sqlite:work.db")
BEADS = (
    '{"id": "a", "title": "A", "status": "open", "estimate": 3}\n'
    '{"id": "b", "title": "B\\u001b[31m", "status": "in_progress"}\n'
)


@pytest.fixture
def source(cli: Cli, tmp_path: Path) -> Path:
    path = tmp_path / "issues.jsonl"
    path.write_text(BEADS)
    return path


def tags(*names: str) -> str:
    """A source of one session a tag, for stores without transactions."""
    return json.dumps({name: {"tasks": [{"id": 1, "title": f"of {name}"}]} for name in names})


@pytest.mark.parametrize("address", STORES)
def test_sessions_are_written_and_the_words_are_said(cli: Cli, source: Path, address: str) -> None:
    code, out, err = cli("import", source.name, address)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "issues.jsonl: 2 tasks in 1 session (beads)",
        "  in_progress → active: 1 task",
        "  open → queued: 1 task",
        f"{address}: 1 session written",
        f"next: tiergate sessions list {address}",
    ]
    shown = json.loads(cli("sessions", "show", address, "issues", "--json")[1])["session"]
    assert [task["status"] for task in shown["tasks"]] == ["queued", "active"]
    assert shown["tasks"][0]["extra"] == {"estimate": 3}
    assert source.read_text() == BEADS


def test_a_quiet_import_says_what_it_would_do_and_nothing_of_what_it_did(cli: Cli, source: Path) -> None:
    dry = cli("-q", "import", source.name, "json:work", "--dry-run")
    assert dry == (0, "json:work: 1 session would be written\n", "")
    assert cli("import", "-q", source.name, "json:work") == (0, "", "")
    assert json.loads(cli("import", "-q", source.name, "json:work", "--json")[1])["skipped"] == ["issues"]


@pytest.mark.parametrize("address", STORES)
def test_what_is_there_and_equal_is_skipped(cli: Cli, source: Path, address: str) -> None:
    cli("import", source.name, address)
    code, out, _ = cli("import", source.name, address)
    assert (code, "1 session skipped (there already, and equal)" in out) == (0, True)
    document = json.loads(cli("import", source.name, address, "--json")[1])
    assert (document["schema"], document["written"], document["skipped"]) == (
        "tiergate.import/1",
        [],
        ["issues"],
    )
    assert json.loads(cli("sessions", "list", address, "--json")[1])["sessions"][0]["version"] == 1


@pytest.mark.parametrize("address", STORES)
def test_what_differs_is_refused_before_anything_is_written(
    cli: Cli, source: Path, tmp_path: Path, address: str
) -> None:
    (tmp_path / "old.json").write_text(tags("one", "two"))
    (tmp_path / "new.json").write_text(tags("zero", "one").replace("of one", "changed"))
    cli("import", "old.json", address)
    before = cli("sessions", "export", address)[1]
    code, out, err = cli("import", "new.json", address)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "'one'; nothing was written" in err
    assert "--replace" in err
    assert cli("sessions", "export", address)[1] == before
    code, out, _ = cli("import", "new.json", address, "--replace", "-v")
    assert code == 0
    assert f"{address}: 1 session written, 1 session replaced" in out
    assert {"  written zero", "  replaced one"} <= set(out.splitlines())
    listed = json.loads(cli("sessions", "list", address, "--json")[1])["sessions"]
    assert [(one["id"], one["version"]) for one in listed] == [("one", 2), ("two", 1), ("zero", 1)]
    assert source.exists()


def test_a_prefix_keeps_both(cli: Cli, source: Path) -> None:
    cli("import", source.name, "json:work")
    source.write_text(BEADS.replace('"A"', '"changed"'))
    assert cli("import", source.name, "json:work", "--session-prefix", "new/")[0] == 0
    listed = json.loads(cli("sessions", "list", "json:work", "--json")[1])["sessions"]
    assert [one["id"] for one in listed] == ["issues", "new/issues"]


@pytest.mark.parametrize("address", STORES)
def test_a_dry_run_makes_and_changes_nothing(cli: Cli, source: Path, tmp_path: Path, address: str) -> None:
    declaration = PluginHost().opener().declaration(StoreAddress.parse(address))
    if Capability.READ_ONLY not in declaration.capabilities:
        pytest.skip(f"{address} cannot be opened read-only")
    code, out, _ = cli("import", source.name, address, "--dry-run")
    assert (code, out.splitlines()[-1]) == (0, f"{address}: 1 session would be written")
    assert list(tmp_path.iterdir()) == [source]
    cli("import", source.name, address)
    before = cli("sessions", "export", address)[1]
    source.write_text(BEADS.replace('"A"', '"changed"'))
    assert cli("import", source.name, address, "--dry-run")[0] == 2
    assert "1 session would be replaced" in cli("import", source.name, address, "--dry-run", "--replace")[1]
    assert cli("sessions", "export", address)[1] == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["missing.jsonl", "json:work"], "no such file or folder"),
        (["issues.jsonl", "json:work", "--format", "bead"], "did you mean 'beads'?"),
        (["issues.jsonl", "work"], "is not a store address"),
        (["issues.jsonl", "jsn:work"], "did you mean 'json'?"),
        (["issues.jsonl", "sqlite:issues.jsonl"], "this is the store"),
        (["issues.jsonl", "json:."], "this lies in the store"),
    ],
    ids=" ".join,
)
def test_mistakes_are_named_and_change_nothing(
    cli: Cli, source: Path, tmp_path: Path, words: list[str], says: str
) -> None:
    code, out, err = cli("import", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert list(tmp_path.iterdir()) == [source]
    assert source.read_text() == BEADS


@pytest.mark.parametrize(("address", "left"), [("json:work", ["one"]), ("sqlite:work.db", [])])
def test_an_import_that_stops_says_what_is_there_and_can_be_repeated(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, left: list[str]
) -> None:
    (tmp_path / "tasks.json").write_text(tags("one", "two", "three"))
    with monkeypatch.context() as patched:
        patched.setattr(JsonStore, "capabilities", JsonStore.capabilities - {Capability.TRANSACTIONS})
        patched.setattr(import_plan, "progress_of", Stopping)
        code, out, err = cli("import", "tasks.json", address)
    assert (code, out) == (130, "")
    assert ("1 of 3 sessions" if left else "together or not at all") in err
    listed = json.loads(cli("sessions", "list", address, "--json")[1])["sessions"]
    assert [one["id"] for one in listed] == left
    assert cli("import", "tasks.json", address)[0] == 0
    again = json.loads(cli("import", "tasks.json", address, "--json")[1])
    assert sorted(again["skipped"]) == ["one", "three", "two"]


class Stopping:
    """Progress during which somebody presses Ctrl-C after the first step."""

    def __init__(self, *_words: object, **_options: object) -> None:
        pass

    def __enter__(self) -> Stopping:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def step(self) -> None:
        raise KeyboardInterrupt


def test_beads_issues_come_through_every_store_alike(cli: Cli, shared_data: Path) -> None:
    source = str(shared_data / "beads" / "session-2025-12-28.jsonl")
    exports = []
    for address in STORES:
        assert cli("import", source, address)[0] == 0
        sums = json.loads(cli("sessions", "list", address, "--json")[1])["totals"]
        assert (sums["sessions"], sums["tasks"], sums["statuses"]["abandoned"]) == (1, 695, 251)
        hits = json.loads(cli("sessions", "query", address, "--status", "abandoned", "--json")[1])["tasks"]
        assert len(hits) == 251
        assert {hit["task"]["source_status"] for hit in hits} == {"tombstone"}
        exports.append(cli("sessions", "export", address)[1])
    assert exports[0] == exports[1]
    assert exports[0].count("\n") == 1


def test_sessions_with_the_number_types_of_an_importer_count_as_equal(
    cli: Cli, fill: Fill, work: list[Session]
) -> None:
    from msgspec.structs import replace

    fill("json:work", *work)
    whole = replace(work[0], tasks=tuple(replace(task, weight=task.weight) for task in work[0].tasks))
    integer = replace(whole, tasks=(replace(whole.tasks[0], weight=0), *whole.tasks[1:]))
    with PluginHost().opener().open("json:work") as store:
        plan = import_plan.plan_import(store, "json:work", [integer], replace=False)
    assert (plan.equal, cli("sessions", "verify", "json:work")[0]) == (["beta"], 0)


def test_damage_is_refused_and_with_lenient_left_out_and_said(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "issues.jsonl"
    path.write_text(BEADS + '{"id": "c"\n' + "3\n")
    code, out, err = cli("import", "issues.jsonl", "json:work")
    assert (code, out) == (2, "")
    assert err.startswith("tiergate: error: issues.jsonl:3:11: not JSON")
    assert err.endswith("(and 1 more; --lenient leaves them out)\n")
    code, out, err = cli("import", "issues.jsonl", "json:work", "--lenient")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "issues.jsonl: 2 tasks in 1 session (beads)"
    assert [line for line in lines if line.startswith("  note: left out: issues.jsonl:")] == lines[3:5]
    assert path.read_text() == BEADS + '{"id": "c"\n' + "3\n"


def test_two_formats_that_claim_a_file_are_named_and_one_can_be_chosen(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "todo.txt").write_text("- [ ] one\n- [x] two\n")
    code, _, err = cli("import", "todo.txt", "json:work")
    assert code == 2
    assert "could be markdown or todotxt (say which with --format NAME)" in err
    assert cli("import", "todo.txt", "json:work", "--format", "markdown")[0] == 0


def test_a_store_is_imported_by_its_address_and_by_its_path(cli: Cli, source: Path) -> None:
    cli("import", source.name, "sqlite:one.db")
    for address in ("sqlite:one.db", "one.db"):
        code, out, _ = cli("import", address, f"json:from-{len(address)}")
        assert (code, out.splitlines()[0]) == (0, f"{address}: 2 tasks in 1 session (store)")
    cli("sessions", "export", "sqlite:one.db", "-o", "one.jsonl")
    assert "one.jsonl: 2 tasks in 1 session (tiergate)" in cli("import", "one.jsonl", "json:again")[1]


def test_a_store_is_not_imported_into_itself(cli: Cli, source: Path) -> None:
    cli("import", source.name, "sqlite:one.db")
    for address in ("sqlite:one.db", "one.db"):
        code, _, err = cli("import", address, "sqlite:one.db")
        assert code == 2
        assert "this is the store sqlite:one.db" in err
