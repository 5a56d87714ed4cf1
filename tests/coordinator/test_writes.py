"""What a write promises: once for each key, durable when it is answered, and nobody else's is lost."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from listener import Listener, call_body

pytestmark = pytest.mark.integration

Until = Callable[[Callable[[], bool], str], None]


def tasks_of(server: Any, session: str) -> list[str]:
    view = server.call("session_get", session=session, limit=1000)["structuredContent"]
    return [task["id"] for task in view["tasks"]]


def test_a_key_takes_effect_once_for_the_same_arguments(server: Any) -> None:
    server.call("session_create", session="keys", tasks=[{"task": "a", "title": "x"}])
    write = {"session": "keys", "task": "b", "title": "x", "request_key": "one"}
    first, again = server.call("task_add", **write), server.call("task_add", **write)
    assert not first["isError"]
    assert again == first
    other = server.call("task_add", **{**write, "task": "c"})
    assert not other["isError"]
    assert server.call("task_add", **{**write, "request_key": "two"})["isError"]
    assert tasks_of(server, "keys") == ["a", "b", "c"]
    moved = {"session": "keys", "task": "a", "amount": 0.2, "request_key": "one"}
    assert server.call("task_progress", **moved) == server.call("task_progress", **moved)


def test_a_key_holds_across_a_killed_server(start: Any) -> None:
    first = start()
    write = {"session": "s", "title": "kept", "tasks": [{"task": "a", "title": "x"}], "request_key": "k"}
    answer = first.call("session_create", **write)
    first.process.kill()  # it has said yes: nothing of it may be lost
    first.process.wait()
    second = start()
    assert tasks_of(second, "s") == ["a"]
    assert second.call("session_create", **write) == answer
    assert second.end() == 0


def test_two_servers_on_one_store_lose_nothing(start: Any) -> None:
    servers = [start(), start()]
    servers[0].call("session_create", session="both")
    failed: list[Any] = []

    def write(server: Any, prefix: str) -> None:
        for number in range(15):
            answer = server.call("task_add", session="both", task=f"{prefix}{number}", title="x")
            if answer["isError"]:
                failed.append(answer)

    threads = [threading.Thread(target=write, args=pair) for pair in zip(servers, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    expected = {f"{prefix}{number}" for prefix in "ab" for number in range(15)}
    for server in servers:
        assert set(tasks_of(server, "both")) == expected
        assert server.end() == 0


def test_input_that_ends_after_a_call_still_gets_its_answer(start: Any, tmp_path: Path) -> None:
    server = start()
    number = server.begin("tools/call", {"name": "reconcile", "arguments": {"seconds": 0.3}})
    server.process.stdin.close()
    answer = server.read()
    assert (answer["id"], answer["result"]["isError"]) == (number, False), answer
    assert server.process.wait(30) == 0


def test_a_client_that_vanishes_over_stdio_takes_its_call_with_it(
    start: Any, tmp_path: Path, until: Until
) -> None:
    server = start()
    slow = {"name": "reconcile", "arguments": {"seconds": 60, "folder": str(tmp_path)}}
    server.begin("tools/call", slow)
    until((tmp_path / "begun").exists, "the call never began")
    workers = server.workers()
    server.output.close()
    server.process.stdin.close()
    assert server.process.wait(30) == 0
    assert not (tmp_path / "done").exists()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "a worker was left")


@pytest.fixture(scope="module")
def listener(
    environment: dict[str, str],
    command_line: Callable[..., list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Listener]:
    """A server over HTTP."""
    folder = tmp_path_factory.mktemp("writes")
    found = Listener(command_line(folder / "work.db"), environment, folder / "errors")
    yield found
    assert found.end() == 0
    assert "Traceback" not in found.errors.read_text()


def test_a_client_that_vanishes_over_http_takes_its_call_with_it(
    listener: Listener, tmp_path: Path, until: Until
) -> None:
    body, headers = call_body("reconcile", {"seconds": 60, "folder": str(tmp_path)})
    head = [f"{name}: {text}" for name, text in headers.items()]
    first = ["POST /mcp HTTP/1.1", f"Host: 127.0.0.1:{listener.port}", f"Content-Length: {len(body)}"]
    with socket.create_connection(("127.0.0.1", listener.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*first, *head, "", ""]).encode() + body)
        until((tmp_path / "begun").exists, "the call never began")
        assert running(listener) == 1

    until(lambda: running(listener) == 0, "the call was not cancelled")
    assert not (tmp_path / "done").exists()
    assert not listener.call("reconcile", seconds=0)["isError"]
    assert listener.call("session_create", session="after")["structuredContent"]["tasks"] == 0


def running(listener: Listener) -> int:
    """The calls that are under way."""
    return int(json.loads(listener.call("metrics")["content"][0]["text"])["running"])


def test_sigterm_lets_a_call_finish(start: Any, tmp_path: Path, until: Until) -> None:
    server = start()
    number = server.begin(
        "tools/call", {"name": "reconcile", "arguments": {"seconds": 0.5, "folder": str(tmp_path)}}
    )
    until((tmp_path / "begun").exists, "the call never began")
    server.process.send_signal(signal.SIGTERM)
    answer = server.read()
    assert (answer["id"], answer["result"]["isError"]) == (number, False)
    assert server.process.wait(30) == 0


def test_sigterm_lets_a_call_over_http_finish(
    environment: dict[str, str], command_line: Callable[..., list[str]], tmp_path: Path, until: Until
) -> None:
    listener = Listener(command_line(tmp_path / "work.db"), environment, tmp_path / "errors")
    answers: list[Any] = []
    slow = {"seconds": 0.5, "folder": str(tmp_path)}
    asking = threading.Thread(target=lambda: answers.append(listener.call("reconcile", **slow)))
    asking.start()
    until((tmp_path / "begun").exists, "the call never began")
    assert listener.end(signal.SIGTERM) == 0
    asking.join(30)
    assert [answer["isError"] for answer in answers] == [False]


def test_a_second_signal_ends_it_at_once(start: Any, tmp_path: Path, until: Until) -> None:
    server = start()
    server.begin("tools/call", {"name": "reconcile", "arguments": {"seconds": 60, "folder": str(tmp_path)}})
    until((tmp_path / "begun").exists, "the call never began")
    workers = server.workers()
    server.process.send_signal(signal.SIGINT)
    until(lambda: refuses(server), "the first signal was not heard")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 130
    assert not (tmp_path / "done").exists()
    assert "Traceback" not in server.said()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "a worker was left")


def refuses(server: Any) -> bool:
    """Whether it takes no more work."""
    return bool(server.call("session_list")["isError"])
