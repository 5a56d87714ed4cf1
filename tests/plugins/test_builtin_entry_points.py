"""Every built-in that declares something is reached through an entry point, as anyone's plugin is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import tiergate_plugins
import tiergate_reports

NAMED_BY_HAND = {"tiergate_plugins.benchmarks.pool_operations"}
"""Operations for benchmarks alone, which name their module to the workers that they start."""


def _declaring(package: Path) -> Iterator[str]:
    for file in package.rglob("*.py"):
        names = [node.name for node in ast.parse(file.read_bytes()).body if isinstance(node, ast.FunctionDef)]
        if any(name.startswith("tiergate_") for name in names):
            yield ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")


def test_every_module_that_implements_a_hook_has_an_entry_point() -> None:
    declared = {one.value for one in distribution("tiergate").entry_points if one.group == "tiergate"}
    roots = [Path(str(package.__file__)).parent for package in (tiergate_plugins, tiergate_reports)]
    implementing = {module for root in roots for module in _declaring(root)}

    assert implementing, "no built-in was found"
    assert implementing - NAMED_BY_HAND == declared
