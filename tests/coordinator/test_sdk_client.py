"""The SDK's own client lists and calls everything, over both transports and in both eras of the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import jsonschema
import pytest
from listener import Listener
from mcp import Client, StdioServerParameters
from mcp_types import PromptReference

pytestmark = pytest.mark.integration

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("session_create", {"title": "a work", "tasks": [{"task": "a", "title": "first"}]}),
    ("task_add", {"task": "b", "title": "second", "dependencies": ["a"], "weight": 2}),
    ("task_update", {"task": "b", "status": "blocked"}),
    ("task_progress", {"task": "a", "amount": 0.5, "note": "half of it"}),
    ("task_expand", {"task": "b"}),
    ("balance", {"wip_limit": 2}),
    ("balance_apply", {}),
    ("flow", {}),
    ("plan", {}),
    ("session_get", {}),
    ("session_archive", {}),
)
"""Tools of one session, in an order in which each finds what it needs."""

GLOBAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("session_list", {"archived": True}),
    ("task_query", {"text": "second"}),
    ("search", {"text": "second"}),
    ("health", {}),
    ("metrics", {}),
)

# The slow operation of the tests stands where a further plugin's would.
FOREIGN = {"reconcile": {"seconds": 0.0}}

Connect = Callable[[str], AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module", params=["stdio", "http"])
def connect(
    request: pytest.FixtureRequest,
    environment: dict[str, str],
    command_line: Callable[..., list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Connect]:
    """Connects a client in an era, over the transport that is asked for."""
    folder = tmp_path_factory.mktemp("sdk")
    line = command_line(folder / "work.db")
    if request.param == "stdio":
        target = StdioServerParameters(command=line[0], args=line[1:], env=environment)
        yield lambda mode: Client(target, mode=mode, read_timeout_seconds=30.0)
        return
    listener = Listener(line, environment, folder / "errors")
    yield lambda mode: Client(listener.url, mode=mode, read_timeout_seconds=30.0)
    assert listener.end() == 0
    assert "Traceback" not in listener.errors.read_text()


async def everything(client: Client, session: str) -> None:
    """Call each tool that is listed, and check what it says against its schema."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    calls = [(name, {"session": session, **arguments}) for name, arguments in CALLS]
    calls += [*GLOBAL, *FOREIGN.items()]
    assert {name for name, _ in calls} == set(tools)
    for name, arguments in calls:
        tool = tools[name]
        jsonschema.validate(arguments, tool.input_schema)
        result = await client.call_tool(name, arguments)
        assert not result.is_error, (name, result.content)
        assert tool.output_schema is not None, name
        assert result.structured_content is not None, name
        jsonschema.validate(result.structured_content, tool.output_schema)


async def resources_and_prompts(client: Client, session: str) -> None:
    """Read what stands beside the tools."""
    await client.call_tool("session_archive", {"session": session, "archived": False})
    listed = (await client.list_resources()).resources
    assert f"session://{session}" in {str(found.uri) for found in listed}
    assert len((await client.list_resource_templates()).resource_templates) == 2
    (content,) = (await client.read_resource(f"session://{session}/tasks/a")).contents
    assert '"first"' in content.text
    (prompt,) = (await client.list_prompts()).prompts
    text = (await client.get_prompt(prompt.name, {"session": session})).messages[0].content.text
    assert "first" in text
    found = await client.complete(
        PromptReference(type="ref/prompt", name=prompt.name), {"name": "session", "value": session[:3]}
    )
    assert session in found.completion.values


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_every_tool_resource_and_prompt(connect: Connect, mode: str) -> None:
    async def run() -> None:
        async with connect(mode) as client:
            await everything(client, f"work-{mode}")
            await resources_and_prompts(client, f"work-{mode}")

    asyncio.run(run())


async def all_pages(client: Client, tool: str, rows: str, **arguments: Any) -> list[list[Any]]:
    """The rows of every page."""
    pages: list[list[Any]] = []
    cursor: str | None = None
    while cursor is not None or not pages:
        result = await client.call_tool(tool, {**arguments, "limit": 4, "cursor": cursor})
        assert result.structured_content is not None, result.content
        pages.append(result.structured_content[rows])
        cursor = result.structured_content["next_cursor"]
    return pages


def test_pages_hold_everything_once(connect: Connect) -> None:
    sessions = [f"page-{number}" for number in range(9)]
    tasks = [{"task": f"t{number}", "title": f"uniquely {number}"} for number in range(10)]

    async def run() -> None:
        async with connect("auto") as client:
            for session in sessions:
                made = {"session": session, "tasks": tasks if session == sessions[0] else []}
                assert not (await client.call_tool("session_create", made)).is_error
            pages = await all_pages(client, "session_list", "sessions", prefix="page-")
            assert [len(page) for page in pages] == [4, 4, 1]
            assert [row["session"] for page in pages for row in page] == sessions
            pages = await all_pages(client, "session_get", "tasks", session=sessions[0])
            assert [len(page) for page in pages] == [4, 4, 2]
            assert [row["id"] for page in pages for row in page] == [task["task"] for task in tasks]
            pages = await all_pages(client, "task_query", "tasks", text="uniquely")
            assert [len(page) for page in pages] == [4, 4, 2]
            assert {row["id"] for page in pages for row in page} == {task["task"] for task in tasks}

    asyncio.run(run())
