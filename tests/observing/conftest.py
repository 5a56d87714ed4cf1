"""What the tests of a watched server share: the server itself, over HTTP, with calls made to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from served import Server

from tiergate.hooks import StoreDeclaration
from tiergate.model import Session, Status, Task
from tiergate.plugins import PluginHost
from tiergate.store import StoreAddress

# The browser and the server are modules; that of the server is shared with the chaos tests.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "chaos")]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that was called: three reads, a write, a refusal."""
    pytest.importorskip("mcp", reason="needs tiergate[serve]")
    from asking_client import Client
    from served import Server, free_port

    folder = tmp_path_factory.mktemp("watched")
    address = StoreAddress.parse(f"sqlite:{folder / 'work.db'}")
    tasks = (
        Task(id="a", title="done", status=Status.COMPLETED),
        Task(id="b", title="begun", status=Status.ACTIVE),
        Task(id="<b>&", title="<script>alert(1)</script>", dependencies=("b",)),
    )
    with PluginHost().get(StoreDeclaration, address.scheme).open(address) as store:
        store.save(Session(id="<i>work</i>", tasks=tasks))
    server = Server(str(address), free_port(), folder / "errors")
    client = Client(server.port, 20.0)
    try:
        for _ in range(3):
            client.call("session_get", {"session": "<i>work</i>"})
        client.call("task_progress", {"session": "<i>work</i>", "task": "b", "amount": 0.5})
        with pytest.raises(Exception, match="no task"):
            client.call("task_update", {"session": "<i>work</i>", "task": "nobody", "weight": 1})
        yield server
    finally:
        client.close()
        assert server.stop() == 0
