"""The snippet of `tiergate mcp config` starts a server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def snippet(*words: str, cwd: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tiergate", "-q", "mcp", "config", *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    (servers,) = json.loads(done.stdout).values()
    server: dict[str, Any] = servers["tiergate"]
    return server


def test_modules_of_the_folder_do_not_shadow_those_of_the_server(tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="serving needs tiergate[serve]")
    server = snippet("--store", "sqlite:work.db", cwd=tmp_path)
    for name in ("msgspec", "tiergate", "http"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('of the folder')")
    command = [server["command"], *server["args"]]
    subprocess.run(command, cwd=tmp_path, input=b"", check=True, timeout=60)
    assert (tmp_path / "work.db").exists()


def test_the_token_itself_is_in_no_snippet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERGATE_TOKEN", "the secret itself")
    server = snippet("--url", "http://127.0.0.1:8765/mcp", "--token", cwd=tmp_path)
    assert server["headers"] == {"Authorization": "Bearer ${TIERGATE_TOKEN}"}
