"""The programs of ``package.json``, and a Node that is new enough, in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

PACKAGES = Path(__file__).parent.parent / "package.json"
NODE_AT_LEAST = (22, 19)
_INSTALL_TIMEOUT_S = 600.0


class Unavailable(Exception):
    """The programs cannot be had here; the message is one line that says why, and what to do."""


class Programs(msgspec.Struct, frozen=True):
    """Where the programs are.

    Attributes:
        node: the program that runs the others.
        suite: the script of the conformance suite.
        inspector: the script of the Inspector.
    """

    node: Path
    suite: Path
    inspector: Path

    def environment(self) -> dict[str, str]:
        """That of this process, with this Node in front, and without colours."""
        path = os.pathsep.join([str(self.node.parent), os.environ.get("PATH", "")])
        return {**os.environ, "PATH": path, "NO_COLOR": "1"}


def find(folder: Path) -> Programs:
    """The programs that `install` put into a folder.

    Raises:
        Unavailable: they are not there, are not the versions of ``package.json``, or Node is too old.
    """
    modules = folder / "node_modules"
    for name, version in json.loads(PACKAGES.read_text())["dependencies"].items():
        if not _installed(modules / name, version):
            raise Unavailable(f"{name}@{version} is not in {folder}: run `nox -s conformance`")
    node = modules / ".bin" / "node"
    _check_node(node)
    return Programs(
        node,
        _script(modules / "@modelcontextprotocol" / "conformance", "conformance"),
        _script(modules / "@modelcontextprotocol" / "inspector", "mcp-inspector"),
    )


def install(folder: Path) -> Programs:
    """Have npm put the programs into a folder, unless they are there.

    Raises:
        Unavailable: there is no npm, or it failed.
    """
    try:
        return find(folder)
    except Unavailable:
        pass
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable(
            "npm is not installed: install Node.js with npm, of any version, and run this again"
        )
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PACKAGES, folder / "package.json")
    words = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    # Its own patience with a registry that is not there is minutes.
    words += ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    try:
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"npm install in {folder} took over {_INSTALL_TIMEOUT_S:.0f} s: is the registry up?"
        ) from None
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise Unavailable(f"npm install in {folder} failed: {said[0] if said else 'it says nothing'}")
    return find(folder)


def _installed(package: Path, version: str) -> bool:
    try:
        found = str(json.loads((package / "package.json").read_text())["version"])
    except (OSError, ValueError, KeyError):
        return False
    return found == version or found.startswith(f"{version}.")


def _script(package: Path, name: str) -> Path:
    programs = json.loads((package / "package.json").read_text())["bin"]
    return package / (programs if isinstance(programs, str) else programs[name])


def _check_node(node: Path) -> None:
    try:
        said = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        # npm can be told to run no script of a package, and this one fetches the program by a script.
        raise Unavailable(
            f"{node} does not run ({error}): let npm run install scripts, or delete the folder"
        ) from None
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < NODE_AT_LEAST:
        raise Unavailable(f"{node} is Node {said.strip()}: 22.19 or newer is needed, delete its folder")
