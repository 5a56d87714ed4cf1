"""Fake distributions in a folder of their own, and the command line as a user with them installed sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from tiergate.plugins import PluginHost, PluginInfo

ROUTER = """
from tiergate.hooks import Requirement, RouterDeclaration, hookimpl
from tiergate.routing import Choice, Router


class Anywhere(Router):
    def choose(self, facts, pool):
        return Choice()


@hookimpl
def tiergate_routers():
    yield RouterDeclaration(name={name!r}, summary="anywhere", build=Anywhere, requires={requires})
"""


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home

    def install(
        self,
        distribution: str,
        plugins: Mapping[str, str],
        modules: Mapping[str, str],
        *,
        version: str = "1.0",
    ) -> None:
        """Write modules, and the metadata that names them as plugins."""
        for name, source in modules.items():
            (self.folder / f"{name}.py").write_text(source)
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = [f"{name} = {reference}" for name, reference in plugins.items()]
        (info / "entry_points.txt").write_text("\n".join(["[tiergate]", *lines, ""]))

    def host(self, disabled: Iterable[str] = ()) -> PluginHost:
        """A host of these distributions alone."""
        found = [
            point
            for distribution in distributions(path=[str(self.folder)])
            for point in distribution.entry_points
        ]
        return PluginHost(disabled=disabled, found=found)

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``tiergate`` where these distributions are installed beside the built-ins."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TIERGATE_")}
        kept.pop("COLUMNS", None)
        environment = {**kept, "PYTHONPATH": str(self.folder), **variables}
        return subprocess.run(
            [sys.executable, "-m", "tiergate", *words],
            cwd=self.home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def listed(self, *words: str, **variables: str) -> dict[str, Any]:
        """What ``tiergate plugins list --json`` says, by ``name@distribution``."""
        done = self.run("plugins", "list", "--json", *words, **variables)
        assert done.returncode == 0, done.stderr
        plugins = json.loads(done.stdout)["plugins"]
        return {f"{plugin['name']}@{plugin['distribution']}": plugin for plugin in plugins}

    def load(self, source: str) -> PluginInfo:
        """What a host makes of one plugin ``odd`` of the distribution ``acme``."""
        self.install("acme", {"odd": "acme_odd"}, {"acme_odd": source})
        [plugin] = self.host().plugins
        return plugin

    @staticmethod
    def router(name: str, *, requires: str = "()") -> str:
        """A module that declares one router."""
        return ROUTER.format(name=name, requires=requires)

    @staticmethod
    def hook(name: str, body: str, arguments: str = "", mark: str = "@hooks.hookimpl") -> str:
        """A module with one hook of this body."""
        return f"import tiergate.hooks as hooks\n\n\n{mark}\ndef {name}({arguments}):\n    {body}\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder, home = tmp_path / "site", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    monkeypatch.syspath_prepend(folder)
    known = set(sys.modules)
    yield Site(folder, home)
    for name in set(sys.modules) - known:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
