"""The reusable workflow: it parses, and the options that it uses exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tiergate.cli.gate_paired import command

FILE = Path(__file__).resolve().parents[2] / ".github" / "workflows" / "gate.yml"
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "gate-in-ci.md"


def options(text: str) -> set[str]:
    """The options of every call of ``gate paired`` in a text."""
    calls = re.findall(r"gate paired((?:[^\n]|\n\s+)*?)(?:\n\s*- |\n\s*artifacts|\n```|$)", text)
    assert calls
    return {word for call in calls for word in re.findall(r"(?<!\S)--?[a-z][a-z-]*", call)}


@pytest.mark.parametrize("file", [FILE, GUIDE], ids=lambda file: file.name)
def test_the_options_exist(file: Path) -> None:
    known = {name for parameter in command.params for name in parameter.opts}
    assert options(file.read_text()) <= known


def test_it_can_be_called_and_passes_no_input_to_the_shell_as_code() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    document = yaml.safe_load(FILE.read_text())
    inputs = document[True]["workflow_call"]["inputs"]  # YAML 1.1 reads the key `on` as true
    assert inputs["paths"]["required"] is True
    for step in document["jobs"]["gate"]["steps"]:
        assert "${{" not in step.get("run", "")
