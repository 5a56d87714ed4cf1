"""``tiergate sessions list|show|query|stats`` on real stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.model import Session
from tiergate.plugins import PluginHost
from tiergate.store import Capability, StoreAddress

Cli = Callable[..., tuple[int, str, str]]
Fill = Callable[..., None]
STORES = ("json:work", "sqlite:work.db")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, fill: Fill, work: list[Session]) -> str:
    address: str = request.param
    fill(address, *work)
    return address


def require_read_only(address: str) -> None:
    declaration = PluginHost().opener().declaration(StoreAddress.parse(address))
    if Capability.READ_ONLY not in declaration.capabilities:
        pytest.skip(f"{address} cannot be opened read-only")


def test_list_is_sorted_and_sums_up(cli: Cli, store: str) -> None:
    code, out, err = cli("sessions", "list", store)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split() == (
        "ID TASKS QUEUED ACTIVE BLOCKED COMPLETED ABANDONED BYTES VERSION TITLE".split()
    )
    assert lines[1].split()[:7] == ["alpha", "1", "1", "0", "0", "0", "0"]
    assert lines[2].split()[:7] == ["beta", "5", "1", "1", "1", "1", "1"]
    assert lines[2].endswith("日本語")
    assert lines[-1].startswith(
        "2 sessions, 6 tasks (2 queued, 1 active, 1 blocked, 1 completed, 1 abandoned)"
    )


def test_list_as_json(cli: Cli, store: str) -> None:
    code, out, _ = cli("sessions", "list", store, "--json")
    document = json.loads(out)
    assert (code, document["schema"]) == (0, "tiergate.sessions/1")
    assert [(one["id"], one["title"], one["tasks"], one["version"]) for one in document["sessions"]] == [
        ("alpha", "First", 1, 1),
        ("beta", "日本語", 5, 1),
    ]
    assert document["totals"]["tasks"] == 6
    assert document["totals"]["bytes"] == sum(one["bytes"] for one in document["sessions"]) > 0


def test_an_empty_store_says_so(cli: Cli, fill: Fill) -> None:
    fill("sqlite:empty.db")
    assert cli("sessions", "list", "sqlite:empty.db")[:2] == (0, "sqlite:empty.db is empty: no sessions\n")
    assert json.loads(cli("sessions", "list", "sqlite:empty.db", "--json")[1])["sessions"] == []


@pytest.mark.parametrize("address", STORES)
@pytest.mark.parametrize(
    "words",
    [["list"], ["show", "s"], ["query"], ["export"], ["export", "-o", "out"], ["verify"], ["stats"]],
    ids=" ".join,
)
def test_a_store_that_is_not_there_is_an_error_and_is_not_made(
    cli: Cli, tmp_path: Path, address: str, words: list[str]
) -> None:
    require_read_only(address)
    code, out, err = cli("sessions", words[0], address, *words[1:])
    assert (code, out) == (2, "")
    assert err.startswith("tiergate: error: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("words", [["list"], ["show", "beta"], ["query"]], ids=" ".join)
def test_tables_fit_and_nothing_in_them_acts_on_the_terminal(
    cli: Cli, store: str, monkeypatch: pytest.MonkeyPatch, width: int, words: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = cli("sessions", words[0], store, *words[1:])[1]
    table = out if words != ["list"] else out.rsplit("\n\n", 1)[0]
    assert max(map(len, table.splitlines())) <= width
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
    if words != ["list"]:
        assert r"red \x1b[31m\x07" in out


def test_show_cuts_notes_and_a_task_has_them_whole(cli: Cli, store: str) -> None:
    code, out, _ = cli("sessions", "show", store, "beta")
    row = next(line for line in out.splitlines() if line.startswith("t1"))
    assert code == 0
    assert "5: 1 queued, 1 active" in out
    assert "t0, gone" in row
    assert row.endswith("…")
    whole = cli("sessions", "show", store, "beta", "--task", "t1")[1]
    assert "\n\nfirst\n" + "long " * 100 + "end\n" in whole
    assert "active (the source says 'doing')" in whole
    assert "t0 (queued), gone (no such task)" in whole
    assert '{"estimate":3}' in whole
    assert "needed by   t1 (active)" in cli("sessions", "show", store, "beta", "--task", "t0")[1]


def test_show_as_json_is_raw_and_has_every_field(cli: Cli, store: str, work: list[Session]) -> None:
    shown = json.loads(cli("sessions", "show", store, "beta", "--json")[1])["session"]
    assert shown["tasks"][1]["title"] == work[0].tasks[1].title
    assert shown["tasks"][0]["status"] == "queued"
    one = json.loads(cli("sessions", "show", store, "beta", "--task", "t1", "--json")[1])
    assert (one["session"], one["version"], one["task"]) == ("beta", 1, shown["tasks"][1])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["alpha/t0", "beta/t0", "beta/t1", "beta/t2", "beta/t3", "beta/t4"]),
        (["--status", "active", "--status", "blocked"], ["beta/t1", "beta/t2"]),
        (["--min-weight", "3", "--order", "-weight"], ["beta/t1", "beta/t4", "beta/t3"]),
        (["--max-weight", "0"], ["beta/t0"]),
        (["--session", "alpha"], ["alpha/t0"]),
        (["--text", "FIRST"], ["beta/t1"]),
        (["--order", "weight", "--limit", "1"], ["beta/t0"]),
        (["--status", "active", "--max-weight", "1"], []),
    ],
    ids=" ".join,
)
def test_query_finds_the_same_as_a_table_and_as_json(
    cli: Cli, store: str, words: list[str], found: list[str]
) -> None:
    code, out, err = cli("sessions", "query", store, *words)
    rows = [line.split() for line in out.splitlines()[1:-2]] if found else []
    assert (code, err) == (0, "")
    assert [f"{row[0]}/{row[1]}" for row in rows] == found
    assert out.splitlines()[-1].startswith(str(len(found)) if found else "no task meets this")
    hits = json.loads(cli("sessions", "query", store, *words, "--json")[1])["tasks"]
    assert [f"{hit['session']}/{hit['task']['id']}" for hit in hits] == found


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["query", "json:work", "--status", "actve"], "did you mean 'active'?"),
        (["query", "json:work", "--order", "wieght"], "did you mean 'weight'?"),
        (["query", "json:work", "--limit", "0"], "--limit"),
        (["query", "json:work", "--min-weight", "nan"], "--min-weight must be a number"),
        (["query", "json:work", "--min-weight", "3", "--max-weight", "2"], "no task could meet both"),
        (["query", "json:work", "--session", "bta"], "did you mean 'beta'?"),
        (["show", "json:work", "bta"], "did you mean 'beta'?"),
        (["show", "json:work", "beta", "--task", "t11"], "did you mean 't1'?"),
        (["list", "work"], "is not a store address"),
        (["list", "jsn:work"], "did you mean 'json'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_are_named_in_one_line(
    cli: Cli, fill: Fill, work: list[Session], words: list[str], says: str
) -> None:
    fill("json:work", *work)
    code, out, err = cli("sessions", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_stats(cli: Cli, store: str) -> None:
    code, out, _ = cli("sessions", "stats", store)
    figures = dict(line.split(maxsplit=1) for line in out.splitlines()[:2])
    assert (code, figures) == (0, {"sessions": "2", "tasks": "6"})
    document = json.loads(cli("sessions", "stats", store, "--json")[1])["stats"]
    assert (document["sessions"], document["tasks"]) == (2, 6)
    assert document["disk_bytes"] > 0
