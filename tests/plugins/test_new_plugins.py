"""``tiergate plugins new``: every kind makes a distribution that passes its own tests untouched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tiergate.cli import main
from tiergate.hooks import KINDS
from tiergate.plugins import PluginStatus
from tiergate.scaffold.distribution import distribution, example

ALL = [kind.name for kind in KINDS]
HOOKS = {kind.name: kind.hook for kind in KINDS}
PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "hooks"
OWN_TEMPLATE = {"pool"}
"""Documented is a process for each request; a plugin better begins in front of a pool that works."""

QUICK = ["operation", "router", "workload", "rule", "exporter", "benchmark", "target"]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A distribution of every kind."""
    for kind in ALL:
        assert main(["plugins", "new", f"my-{kind}", "--kind", kind, "--into", str(tmp_path)]) == 0
    return tmp_path


def run(folder: Path, kinds: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python on the distributions of these kinds."""
    sources = os.pathsep.join(str(folder / f"tiergate-my-{kind}" / "src") for kind in kinds)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TIERGATE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": sources, "MYPYPATH": sources},
        capture_output=True,
        text=True,
        check=False,
    )


def own_tests(folder: Path, kinds: list[str]) -> subprocess.CompletedProcess[str]:
    paths = [f"tiergate-my-{kind}/tests" for kind in kinds]
    return run(folder, kinds, "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", *paths)


@pytest.mark.integration
def test_its_own_tests_pass(made: Path) -> None:
    done = own_tests(made, QUICK)
    assert done.returncode == 0, done.stdout[-2000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) > 40


@pytest.mark.soak
@pytest.mark.parametrize("kind", ALL)
def test_its_own_tests_and_types_pass(made: Path, kind: str) -> None:
    done = own_tests(made, [kind])
    assert done.returncode == 0, done.stdout[-2000:]
    typed = run(made, [kind], "mypy", "--strict", f"tiergate-my-{kind}/src")
    assert typed.returncode == 0, typed.stdout


def test_the_host_finds_each_and_nothing_is_wrong_with_it(made: Path, site: Any) -> None:
    for kind in ALL:
        folder = made / f"tiergate-my-{kind}"
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        source = (folder / "src" / f"tiergate_my_{kind}" / "plugin.py").read_text()
        [(name, reference)] = project["entry-points"]["tiergate"].items()
        assert reference == f"tiergate_my_{kind}.plugin"
        module = reference.replace(".", "_")
        site.install(project["name"], {name: module}, {module: source})
    host = site.host()
    assert host.problems() == []
    assert {plugin.status for plugin in host.plugins} == {PluginStatus.ACTIVE}
    declared = {one.kind: one.declaration.name for plugin in host.plugins for one in plugin.declares}
    assert declared == {kind: f"my-{kind}" for kind in ALL}


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in OWN_TEMPLATE])
def test_it_begins_as_the_documented_example(kind: str) -> None:
    text = (PAGES / f"{HOOKS[kind]}.md").read_text(encoding="utf-8")
    block, *_ = re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    [name] = re.findall(r'Declaration\(\s*name="([^"]+)"', block)
    assert example(kind, name) == block


def test_every_file_is_filled_in() -> None:
    for kind in ALL:
        for path, text in distribution("tiergate-my-own", kind).items():
            if path != ".github/workflows/tests.yml":
                assert "{{" not in text, (kind, path)
    assert 'name = "tiergate-my-own"' in distribution("my-own", "store")["pyproject.toml"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["new", "x", "--kind", "stor"], "unknown kind of plugin 'stor' (did you mean 'store'?)"),
        (["new", "My Store", "--kind", "store"], "'My Store' cannot be the name of a plugin"),
        (["new", "../up", "--kind", "store"], "cannot be the name of a plugin"),
        (["new", "tiergate-", "--kind", "store"], "cannot be the name of a plugin"),
        (["new", "x"], "missing option '--kind'"),
        (["new", "x", "--kind", "store", "--into", "gone"], "gone"),
        (["new", "there", "--kind", "store"], "tiergate-there: it is there already"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_nothing_is_written(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiergate-there").mkdir()
    assert main(["plugins", *words]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["tiergate-there"]
    assert list((tmp_path / "tiergate-there").iterdir()) == []
