"""The MCP Inspector's command line lists and calls every tool, over stdio and over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from mcpsuite.node import Programs, Unavailable, find
from mcpsuite.serving import command, served

FOLDER = "TIERGATE_NPM"
"""Names the folder in which `nox -s conformance` put the Inspector."""

TIMEOUT_S = 120.0

CALLS: Sequence[tuple[str, dict[str, Any]]] = (
    ("session_create", {"session": "s", "title": "a work", "tasks": [{"task": "a", "title": "first"}]}),
    ("task_add", {"session": "s", "task": "b", "title": "second", "dependencies": ["a"], "weight": 2}),
    ("task_add", {"session": "s", "task": "c", "title": "third"}),
    ("task_get", {"session": "s", "task": "c"}),
    ("task_update", {"session": "s", "task": "c", "status": "blocked"}),
    ("task_progress", {"session": "s", "task": "a", "amount": 0.5, "note": "half of it"}),
    ("task_expand", {"session": "s", "task": "b"}),
    ("task_query", {"text": "second", "limit": 5}),
    ("balance", {"session": "s", "wip_limit": 2}),
    ("balance_apply", {"session": "s"}),
    ("flow", {"session": "s"}),
    ("plan", {"session": "s"}),
    ("reconcile", {"limit": 5}),
    ("search", {"text": "second"}),
    ("session_get", {"session": "s", "limit": 10}),
    ("session_list", {}),
    ("session_archive", {"session": "s"}),
    ("health", {}),
    ("metrics", {}),
)
"""Every tool with arguments that it takes, in an order in which each finds what it needs."""

Inspect = Callable[..., Any]


@pytest.fixture(scope="module")
def inspect(tmp_path_factory: pytest.TempPathFactory) -> Inspect:
    """Runs the Inspector once; gives what it prints, decoded."""
    programs = _programs()
    # It keeps files of its own at home.
    environment = {**programs.environment(), "HOME": str(tmp_path_factory.mktemp("home"))}

    def run(target: Sequence[str], method: str, *words: str) -> Any:
        line = [programs.node, programs.inspector, "--cli", "--format", "json", "--quiet", "--method", method]
        done = subprocess.run(
            [*line, *words, *target],
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{method} {words}: {done.stdout} {done.stderr}"
        return json.loads(done.stdout)["result"]

    return run


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server answers over HTTP."""
    with served(tmp_path_factory.mktemp("http")) as server:
        yield server.url


@pytest.mark.integration
def test_every_tool_over_stdio(inspect: Inspect, tmp_path: Path) -> None:
    """Each call starts a server of its own on the same store: what one wrote the next one reads."""
    call_every_tool(inspect, over_stdio("legacy", tmp_path))


@pytest.mark.integration
def test_every_tool_over_http(inspect: Inspect, url: str) -> None:
    call_every_tool(inspect, over_http("modern", url))


@pytest.mark.integration
def test_the_tools_are_the_same_in_the_other_era(inspect: Inspect, tmp_path: Path, url: str) -> None:
    """A program takes over a second to start, so the tools are called in one era of each transport."""
    stdio = inspect(over_stdio("modern", tmp_path), "tools/list")
    http = inspect(over_http("legacy", url), "tools/list")
    assert stdio["tools"] == http["tools"] != []


def over_stdio(era: str, folder: Path) -> list[str]:
    """The words that have the Inspector start a server."""
    return ["--protocol-era", era, "--", *command(folder / "sessions.db")]


def over_http(era: str, url: str) -> list[str]:
    """The words that have the Inspector ask a server that runs."""
    return ["--protocol-era", era, "--transport", "http", "--server-url", url]


def call_every_tool(inspect: Inspect, target: Sequence[str]) -> None:
    """List the tools, with the Inspector's check of their schemas, and call each."""
    listed = {tool["name"] for tool in inspect(["--strict", *target], "tools/list")["tools"]}
    unknown = listed - {name for name, _ in CALLS}
    assert not unknown, f"write a call for {sorted(unknown)}"
    for name, arguments in CALLS:
        if name in listed:
            words = ["--tool-name", name, "--tool-args-json", json.dumps(arguments)]
            result = inspect([*words, *target], "tools/call")
            assert not result.get("isError"), f"{name}: {result}"
            assert isinstance(result["structuredContent"], dict), name
            assert result["content"][0]["text"], name


def _programs() -> Programs:
    named = os.environ.get(FOLDER)
    if named is None:
        pytest.skip(f"the Inspector comes from npm: run `nox -s conformance`, which sets {FOLDER}")
    try:
        return find(Path(named))
    except Unavailable as why:
        pytest.skip(str(why))
