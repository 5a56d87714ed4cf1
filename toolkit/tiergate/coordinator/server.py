"""The MCP server: which request of the protocol is answered by what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

import tiergate
from tiergate.coordinator import prompts, resources
from tiergate.coordinator.calling import Caller
from tiergate.coordinator.service import Service
from tiergate.coordinator.toolbox import by_name, monitor_tools, operation_tools
from tiergate.coordinator.watching import Context, watched
from tiergate.errors import UsageError
from tiergate.hooks import OperationDeclaration

INSTRUCTIONS = (
    "Sessions hold tasks; each session is one piece of work. Use session_list and session_get to see where"
    " work stands, balance to choose what to do next, task_progress to report what was done, and plan for the"
    " order of what is left. A write is durable when its result comes back. Where an answer was lost, send"
    " the same call again with the same request_key: it takes effect once."
)


def build_server(service: Service, operations: Sequence[OperationDeclaration]) -> Server[Any]:
    """The server of the protocol on a service whose pool runs."""
    tools = by_name([*operation_tools(operations), *monitor_tools(service.monitor)])
    answers = Answers(Caller(service.dispatcher, tools))
    server: Server[Any] = Server(
        "tiergate",
        version=tiergate.__version__,
        title="tiergate: sessions of tasks",
        instructions=INSTRUCTIONS,
        on_list_tools=answers.list_tools,
        on_list_resources=answers.list_resources,
        on_list_resource_templates=answers.list_templates,
        on_read_resource=answers.read_resource,
        on_list_prompts=answers.list_prompts,
        on_get_prompt=answers.get_prompt,
        on_completion=answers.complete,
        # No tool takes arguments from headers, so no call has to look up its schema.
        get_tool_input_schema=lambda _name: None,
    )
    # Registered this way a handler may give a plain object, which spares a model for each call.
    server.add_request_handler("tools/call", types.CallToolRequestParams, answers.call_tool)
    return server


class Answers:
    """One method for each request of the protocol."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._tools = types.ListToolsResult(tools=[found.tool for found in caller.tools.values()])

    async def list_tools(
        self, _context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """All tools, on one page."""
        _require_first_page(params)
        return self._tools

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> dict[str, Any]:
        """Call a tool."""
        name = params.name
        try:
            return await watched(context, name, self._caller.call(name, params.arguments or {}))
        except UsageError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from error

    async def list_resources(
        self, _context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """One page of the sessions."""
        return await resources.list_sessions(self._caller, params.cursor if params else None)

    async def list_templates(
        self, _context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """The forms of the URIs, on one page."""
        _require_first_page(params)
        return resources.TEMPLATES

    async def read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """A session or a task."""
        return await watched(context, "resources/read", resources.read(self._caller, str(params.uri)))

    async def list_prompts(
        self, _context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        """All prompts, on one page."""
        _require_first_page(params)
        return prompts.PROMPTS

    async def get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        """The prompt for a session."""
        made = prompts.resume(self._caller, params.name, params.arguments or {})
        return await watched(context, "prompts/get", made)

    async def complete(self, context: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        """Ids of sessions."""
        found = prompts.completed(self._caller, params.argument.name, params.argument.value)
        return await watched(context, "completion/complete", found)


def _require_first_page(params: types.PaginatedRequestParams | None) -> None:
    if params is not None and params.cursor is not None:
        raise MCPError(types.INVALID_PARAMS, "the cursor is none that a page gave (leave it out)")
