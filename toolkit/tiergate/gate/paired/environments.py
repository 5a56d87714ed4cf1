"""An environment of its own for each tree, kept for later runs until what it was made from changes."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tiergate.errors import UsageError
from tiergate.gate.paired.cache import made_once
from tiergate.gate.paired.trees import Tree

NEEDED = ("pytest", "pytest-benchmark")
DESCRIPTIONS = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "uv.lock", "poetry.lock")
"""Files that say what a project needs; a change of one makes a new environment."""


@dataclass(frozen=True, slots=True)
class SideEnvironment:
    """How the code of a tree is run.

    Attributes:
        python: the interpreter.
        environ: variables that make it find the tree's code, where nothing was installed.
    """

    python: Path
    environ: dict[str, str]


def shared_environment(tree: Tree, python: Path, paths: Sequence[str] = ()) -> SideEnvironment:
    """One interpreter for both sides, which finds the code in the tree.

    Args:
        paths: folders of the tree that hold packages; none takes `src`, or the tree itself where it has none.
    """
    source = tree.root / "src"
    roots = [tree.root / path for path in paths] or [source if source.is_dir() else tree.root]
    rest = os.environ.get("PYTHONPATH")
    return SideEnvironment(
        python, {"PYTHONPATH": os.pathsep.join([*map(str, roots), *([rest] if rest else [])])}
    )


def own_environment(
    tree: Tree, install: Sequence[str], cache: Path, progress: Callable[[str], None]
) -> SideEnvironment:
    """An environment into which the tree is installed, made now or kept from an earlier run.

    Args:
        install: arguments of ``pip install``, run in the tree. Where none of them is the tree itself, that is
            installed too, editable.

    Raises:
        UsageError: it does not install.
    """
    names_tree = any(re.match(r"(-e)?\.", word) for word in install)
    words = [*install] if names_tree else [*_default_install(tree.root), *install]
    folder = cache / "environments" / _key(tree, words)
    python = folder / "bin" / "python"
    with made_once(folder) as is_missing:
        if is_missing:
            progress(f"install {tree.label}")
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(folder)], tree, folder)
            _run([str(python), "-m", "pip", "install", "-q", "--upgrade", "pip"], tree, folder)
            _run([str(python), "-m", "pip", "install", "-q", *NEEDED, *words], tree, folder)
    return SideEnvironment(
        python, {"VIRTUAL_ENV": str(folder), "PATH": f"{folder / 'bin'}:{os.environ.get('PATH', '')}"}
    )


def _default_install(root: Path) -> list[str]:
    """Editable, so that the tree that is worked on is measured as it is now."""
    is_project = any((root / name).exists() for name in ("pyproject.toml", "setup.py"))
    return ["-e", "."] if is_project else []


def _key(tree: Tree, words: Sequence[str]) -> str:
    """A name for an environment that changes with whatever it was made from."""
    digest = sha256("\0".join([str(tree.root), sys.executable, platform.python_version(), *words]).encode())
    for name in DESCRIPTIONS:
        file = tree.root / name
        digest.update(b"\0" + name.encode() + (file.read_bytes() if file.is_file() else b""))
    return digest.hexdigest()[:20]


def _run(command: Sequence[str], tree: Tree, folder: Path) -> None:
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")] or lines or ["no reason given"]
        log = folder.parent / f"{folder.name}.log"
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
        raise UsageError(
            f"it does not install: {errors[0]}", where=tree.label, hint=f"all of pip's output: {log}"
        )
