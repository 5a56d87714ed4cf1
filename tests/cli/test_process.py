"""The command line as a process: what it imports, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("tiergate.hooks", "tiergate.plugins", "tiergate.config", "tiergate_plugins", "tiergate_reports")
COMMANDS = ("tiergate.cli.load", "tiergate.cli.gate", "tiergate.cli.report", "tiergate.cli.plugins")
PACKAGES = ("rich", "msgspec", "numpy", "pluggy", "jinja2", "yaml", "asyncio", "importlib.metadata")

IMPORTED = """
import sys
from tiergate.cli import main
code = main({words!r})
print("\\n".join(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def python(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIERGATE_")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def modules_after(words: list[str], cwd: Path) -> set[str]:
    done = python("-c", IMPORTED.format(words=words), cwd=cwd)
    assert done.returncode in {0, 2}, done.stderr
    return set(done.stderr.splitlines())


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_help_imports_no_command_no_plugin_and_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    modules = modules_after(words, tmp_path)
    assert "tiergate.cli" in modules
    assert modules.isdisjoint({*HEAVY, *COMMANDS, *PACKAGES})


def test_listing_plugins_imports_nothing_that_only_running_needs(tmp_path: Path) -> None:
    modules = modules_after(["plugins", "list"], tmp_path)
    assert "tiergate_plugins" in modules
    assert modules.isdisjoint({"rich", "numpy", "jinja2", "yaml", "asyncio", "sqlite3", "hdrh"})


def test_json_is_all_that_stands_on_standard_output(tmp_path: Path) -> None:
    (tmp_path / "tiergate.toml").write_text("disable_plugins = ['nobody']\n")
    (tmp_path / "pyproject.toml").write_text("[tool.tiergate]\n")
    for words, schema in (
        (["plugins", "list"], "tiergate.plugins/1"),
        (["config", "show"], "tiergate.config/1"),
    ):
        done = python("-m", "tiergate", *words, "--json", cwd=tmp_path)
        assert json.loads(done.stdout)["schema"] == schema
        assert done.stderr.startswith("tiergate: warning: ")


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tiergate", "config", "show"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 128 + signal.SIGPIPE
    assert complaint == b""


def test_an_interrupt_while_a_plugin_loads_ends_the_program(tmp_path: Path) -> None:
    script = """
import os, signal
import tiergate.plugins
from tiergate.cli import main
tiergate.plugins.find_plugin = lambda reference: os.kill(os.getpid(), signal.SIGINT)
raise SystemExit(main(["plugins", "list"]))
"""
    done = python("-c", script, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "tiergate: interrupted\n")


def test_the_shell_can_complete_commands_and_options(tmp_path: Path) -> None:
    def completed(line: str) -> list[str]:
        words = line.split(" ")
        done = python(
            "-m",
            "tiergate",
            cwd=tmp_path,
            _TIERGATE_COMPLETE="bash_complete",
            COMP_WORDS=line,
            COMP_CWORD=str(len(words) - 1),
        )
        return [word.partition(",")[2] for word in done.stdout.splitlines()]

    assert completed("tiergate plug") == ["plugins"]
    assert completed("tiergate plugins c") == ["check"]
    assert "--no-plugin" in completed("tiergate --no")
    assert "--json" in completed("tiergate plugins list --js")
