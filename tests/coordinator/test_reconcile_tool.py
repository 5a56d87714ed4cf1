"""The tool ``reconcile``: what an agent's own sessions say twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sparse_dot_topn", reason="tiergate[reconcile] is not installed")


def test_an_agent_learns_what_its_sessions_say_twice(
    environment: dict[str, str], start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(environment, "TIERGATE_DISABLE_PLUGINS")
    monkeypatch.setitem(environment, "PYTHONPATH", "")
    server = start().shake_hands()
    tasks = [
        {"task": "1", "title": "Write the importer for todo.txt"},
        {"task": "2", "title": "Draw the report"},
    ]
    server.call("session_create", session="mine", tasks=tasks)
    server.call("session_create", session="yours", tasks=tasks[:1])
    server.call("task_add", session="mine", task="3", title="Publish it", dependencies=["9"])
    found = server.call("reconcile")["structuredContent"]
    assert (found["sessions"], found["tasks"], found["same"]) == (2, 4, 1)
    kinds = {one["kind"]: one for one in found["findings"]}
    assert kinds["duplicate"]["tasks"] == ["mine/1", "yours/1"]
    assert kinds["bad-dependency"]["tasks"] == ["mine/3"]
    few = server.call("reconcile", sessions=["mine"], limit=0)["structuredContent"]
    assert (few["same"], few["found"], few["findings"]) == (0, 1, [])
    refused = server.call("reconcile", sessions=["nobody"])
    assert refused["isError"]
    assert "nobody" in refused["content"][0]["text"]
