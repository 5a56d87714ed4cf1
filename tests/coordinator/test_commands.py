"""What ``tiergate mcp config`` prints works, and what ``tiergate serve`` cannot do is said in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiergate.cli.mcp import CLIENTS, TOKEN_VARIABLE

Cli = Callable[..., tuple[int, str, str]]


def snippet(cli: Cli, client: str, *words: str) -> dict[str, Any]:
    """What a client is to be told of the server."""
    code, printed, _ = cli("mcp", "config", "--client", client, *words)
    assert code == 0
    config = json.loads(printed)
    assert list(config) == [CLIENTS[client].key]
    (server,) = config[CLIENTS[client].key].values()
    assert isinstance(server, dict)
    return server


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_the_store_no_longer_depends_on_the_folder(cli: Cli, tmp_path: Path, client: str) -> None:
    server = snippet(cli, client, "--store", "sqlite:work.db")
    assert Path(server["command"]).is_absolute()
    assert server["args"][-2:] == ["--store", f"sqlite:{tmp_path / 'work.db'}"]
    assert (server.get("type") == "stdio") == CLIENTS[client].names_type


def test_every_client_is_told_of_the_same_command(cli: Cli) -> None:
    found = [snippet(cli, client, "--store", "sqlite:work.db") for client in sorted(CLIENTS)]
    assert len({(server["command"], *server["args"]) for server in found}) == 1


@pytest.mark.integration
def test_the_command_starts_a_server_that_answers(
    cli: Cli, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = snippet(cli, "claude-code", "--store", "sqlite:work.db")
    monkeypatch.chdir("/")
    server = start(line=[told["command"], *told["args"]])  # it shakes hands
    assert not server.call("session_create", session="s")["isError"]
    assert server.end() == 0
    assert Path(told["args"][-1].removeprefix("sqlite:")).is_file()


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_a_running_server_is_named_without_its_token(cli: Cli, client: str) -> None:
    url = "http://127.0.0.1:8765/mcp"
    if CLIENTS[client].token is None:
        code, printed, said = cli("mcp", "config", "--client", client, "--url", url)
        assert (code, printed) == (2, "")
        assert len(said.splitlines()) == 1
        return
    server = snippet(cli, client, "--url", url, "--token")
    assert server["url"] == url
    assert TOKEN_VARIABLE in server["headers"]["Authorization"]
    assert "command" not in server


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "there is no store to serve"),
        (("--store", "nowhere:x"), "nowhere"),
        (("--store", "sqlite:work.db", "--tier", "tepid=1"), "tepid"),
        (("--store", "sqlite:work.db", "--tier", "hot=some"), "hot=2"),
        (("--store", "sqlite:work.db", "--router", "none"), "none"),
        (("--store", "sqlite:work.db", "--allow-host", "box"), "needs --http"),
        (("--store", "sqlite:work.db", "--http", "127.0.0.1:port"), "127.0.0.1:8765"),
        (("--store", "sqlite:work.db", "--http", "127.0.0.1:0", "--token-file", "gone"), "gone"),
    ],
)
def test_wrong_usage_is_one_line(cli: Cli, words: tuple[str, ...], says: str) -> None:
    code, printed, said = cli("serve", *words)
    assert (code, printed) == (2, "")
    (line,) = said.splitlines()
    assert says in line


def test_a_file_that_is_no_store_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "work.db").write_text("no database " * 100)
    code, printed, said = cli("serve", "--store", "sqlite:work.db")
    assert code in (1, 2, 3)
    assert printed == ""
    assert "work.db" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


def test_a_missing_extra_comes_with_the_command_that_mends_it(tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as found; real = found.find_spec;"
        "found.find_spec = lambda name, *a: None if name == 'mcp' else real(name, *a);"
        "from tiergate.cli import main; sys.exit(main(['serve', '--store', 'sqlite:x.db']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "pip install 'tiergate[serve]'" in line
