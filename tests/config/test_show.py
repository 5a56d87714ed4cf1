"""``tiergate config show``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiergate.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("TIERGATE_SEED", "TIERGATE_DISABLE_PLUGINS", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_every_value_has_its_origin(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tiergate.toml").write_text("tiers.hot = 3\n")
    monkeypatch.setenv("TIERGATE_SEED", "12")
    assert main(["config", "show", "--no-plugin", "some-plugin"]) == 0
    rows = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["KEY", "VALUE", "ORIGIN"]
    assert ["seed", "12", "environment TIERGATE_SEED"] in rows
    assert ["tiers.hot", "3", "tiergate.toml"] in rows
    assert ["tiers.warm", "1", "default"] in rows
    assert ["disable_plugins", "some-plugin", "command line"] in rows


def test_json_carries_values_origins_and_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tiergate.toml").write_text("seed = 3\n")
    (folder / "pyproject.toml").write_text("[tool.tiergate]\nseed = 4\n")
    assert main(["config", "show", "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["config"]["seed"] == 3
    assert document["origins"]["seed"] == "tiergate.toml"
    assert document["file"] == str(folder / "tiergate.toml")
    [note] = document["notes"]
    assert captured.err == f"tiergate: warning: {note}\n"


def test_quiet_says_no_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tiergate.toml").write_text("seed = 3\n")
    (folder / "pyproject.toml").write_text("[tool.tiergate]\n")
    assert main(["config", "show", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_mistake_is_one_line_and_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tiergate.toml").write_text("ruoter = 'oracle'\n")
    assert main(["config", "show"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "tiergate: error: tiergate.toml: unknown key 'ruoter' (did you mean 'router'?)\n"
