"""Suites of other projects, from their source distributions: the same passes, slower code is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.soak


@dataclass(frozen=True)
class Project:
    """A project, where to find its benchmarks, and a line that makes some of them slower.

    Attributes:
        after: the line of `file` behind which `injected` is put.
        slower: part of the names of the benchmarks that this makes slower.
    """

    name: str
    version: str
    paths: tuple[str, ...]
    install: tuple[str, ...]
    file: str
    after: str
    injected: str
    slower: str


PROJECTS = [
    Project(
        name="base58",
        version="2.1.1",
        paths=("test_base58.py",),
        install=("PyHamcrest",),
        file="base58/__init__.py",
        after="        string = alphabet[idx:idx+1] + string\n",
        injected="        for _ in range(2): pass\n",
        slower="test_encode_random",
    ),
    Project(
        name="cattrs",
        version="26.2.1",
        paths=("bench/test_attrs_nested.py",),
        install=(),
        file="src/cattrs/converters.py",
        after="    def unstructure(self, obj: Any, unstructure_as: Any = None) -> Any:\n",
        injected="        for _ in range(20): pass\n",
        slower="test_unstructure_attrs_nested",
    ),
]


def unpacked(project: Project, folder: Path) -> Path:
    """The source distribution, from the package index."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:"]
    done = subprocess.run(
        [*pip, "-d", str(folder), f"{project.name}=={project.version}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"the package index does not give {project.name}: {done.stderr.strip()[-200:]}")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (tree,) = [path for path in folder.iterdir() if path.is_dir()]
    return tree


def verdicts(project: Project, base: Path, new: Path, cache: Path) -> tuple[int, dict[str, str]]:
    """Exit code, and verdict by benchmark."""
    install = [word for name in project.install for word in ("--install", name)]
    command = [sys.executable, "-m", "tiergate", "-q", "gate", "paired", "--json", *install]
    done = subprocess.run(
        [*command, "--base", str(base), "--new", str(new), *project.paths],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TIERGATE_CACHE": str(cache)},
    )
    assert done.stdout, done.stderr
    return done.returncode, {one["name"]: one["verdict"] for one in json.loads(done.stdout)["benchmarks"]}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_a_foreign_suite_is_judged_as_it_is(project: Project, tmp_path: Path) -> None:
    trees = []
    for name in ("base", "same", "slow"):
        (tmp_path / name).mkdir()
        trees.append(unpacked(project, tmp_path / name))
    base, same, slow = trees
    source = slow / project.file
    text = source.read_text()
    assert project.after in text
    source.write_text(text.replace(project.after, project.after + project.injected))

    code, found = verdicts(project, base, same, tmp_path / "cache")
    assert found
    assert "regressed" not in found.values()
    assert code in {0, 4}, "a busy machine may leave some undecided"

    code, found = verdicts(project, base, slow, tmp_path / "cache")
    assert code == 1
    for name, verdict in found.items():
        assert (verdict == "regressed") == (project.slower in name), name
