"""The MCP server: which request of the protocol is answered by what."""

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

import tiergate
from tiergate.coordinator.calling import Caller
from tiergate.coordinator.monitor import Monitor
from tiergate.coordinator.toolbox import by_name, operation_tools, own_tool
from tiergate.dispatch import Dispatcher
from tiergate.errors import TiergateError
from tiergate.hooks import OperationDeclaration

INSTRUCTIONS = (
    "Sessions hold tasks; each belongs to one piece of work. Use session_list and session_get to see where"
    " work stands, balance to choose what to do next, task_progress to report what was done, and plan for the"
    " order of what is left. Every write is durable when its result comes back."
)

Context = ServerRequestContext[Any, Any]


def build_server(
    dispatcher: Dispatcher, operations: list[OperationDeclaration], monitor: Monitor
) -> Server[Any]:
    """The server of the protocol on a dispatcher that runs."""
    tools = operation_tools(operations) + _monitor_tools(monitor)
    caller = Caller(dispatcher, by_name(tools))
    listed = types.ListToolsResult(tools=[found.tool for found in tools])

    async def list_tools(_ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        if params is not None and params.cursor is not None:
            raise MCPError(types.INVALID_PARAMS, "the cursor is none that a page gave")
        return listed

    async def call_tool(_ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            return await caller.call(params.name, params.arguments or {})
        except TiergateError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from error

    return Server(
        "tiergate",
        version=tiergate.__version__,
        title="tiergate: sessions of tasks",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _monitor_tools(monitor: Monitor) -> list[Any]:
    async def health() -> Any:
        return monitor.health()

    async def metrics() -> Any:
        return monitor.metrics()

    return [
        own_tool(
            "health",
            "Health of the service",
            "Whether the service is ready, or degraded and why. Look here when calls fail or are slow.",
            monitor.health_type,
            health,
        ),
        own_tool(
            "metrics",
            "Metrics of the service",
            "Calls by operation and outcome, what waits, and what happened to workers, since the start.",
            monitor.metrics_type,
            metrics,
        ),
    ]
