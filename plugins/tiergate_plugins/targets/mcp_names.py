"""From requests of a trace to tool calls: the one table of what our own server calls otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tiergate.operation import Request

TOOL_OF = {"tasks_query": "task_query", "critical_path": "plan"}
"""Tools of our server whose names are not those of the operation. `plan` gives the critical path and more."""


def called(request: Request, tools: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and arguments of the tool call for a request.

    A tool of the operation's own name comes before the table, so that no foreign tool is renamed. Session and
    key become arguments where the request has them and the tool takes them.

    Args:
        tools: the input schemas of the server's tools by their names.
    """
    name = request.operation
    if name not in tools:
        name = TOOL_OF.get(name, name)
    takes: Collection[str] = tools.get(name, {}).get("properties", {})
    arguments = dict(request.arguments)
    if request.session is not None:
        arguments["session"] = request.session
    if request.key is not None and "request_key" in takes:
        arguments["request_key"] = request.key
    if "skip" in arguments and "skip" not in takes and "cursor" in takes:
        skip = arguments.pop("skip")
        if skip:
            arguments["cursor"] = str(skip)
    return name, arguments
