"""Sessions as resources: ``session://ID`` and ``session://ID/tasks/TASK``, with ids percent-encoded."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import mcp_types as types
import msgspec
from mcp.shared.exceptions import MCPError

from tiergate.coordinator.calling import Caller
from tiergate.dispatch import Shed
from tiergate.errors import TiergateError
from tiergate.pool import PoolError

SCHEME = "session://"
JSON = "application/json"

PAGE = 100
"""Sessions of a page of the list."""

MOST_TASKS = 1000
"""Tasks that a session is shown with; the tool session_get gives the others."""

TEMPLATES = types.ListResourceTemplatesResult(
    resource_templates=[
        types.ResourceTemplate(
            name="session",
            title="A session",
            uri_template="session://{session}",
            description=f"A session with its tasks, the first {MOST_TASKS} of them, as session_get gives it.",
            mime_type=JSON,
        ),
        types.ResourceTemplate(
            name="task",
            title="A task",
            uri_template="session://{session}/tasks/{task}",
            description="One task of a session.",
            mime_type=JSON,
        ),
    ]
)


def uri_of(session: str) -> str:
    """The URI of a session."""
    return SCHEME + quote(session, safe="")


async def list_sessions(caller: Caller, cursor: str | None) -> types.ListResourcesResult:
    """One page of the sessions that are not archived.

    Raises:
        MCPError: the store could not be asked.
    """
    page = await asked(caller, "session_list", None, {"cursor": cursor, "limit": PAGE})
    return types.ListResourcesResult(
        resources=[_resource(row) for row in page["sessions"]], next_cursor=page["next_cursor"]
    )


async def read(caller: Caller, uri: str) -> types.ReadResourceResult:
    """The JSON of a session or a task.

    Raises:
        MCPError: the URI names nothing.
    """
    session, slash, rest = uri.removeprefix(SCHEME).partition("/")
    word, _, task = rest.partition("/")
    if not uri.startswith(SCHEME) or not session or (slash and (word != "tasks" or not task or "/" in task)):
        raise MCPError(
            types.INVALID_PARAMS,
            f"no resource {uri!r} (known: session://SESSION and session://SESSION/tasks/TASK)",
            {"uri": uri},
        )
    operation, arguments = (
        ("task_get", {"task": unquote(task)}) if slash else ("session_get", {"limit": MOST_TASKS})
    )
    value = await asked(caller, operation, unquote(session), arguments)
    text = msgspec.json.encode(value).decode()
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=JSON, text=text)])


async def asked(caller: Caller, operation: str, session: str | None, arguments: dict[str, Any]) -> Any:
    """The result of an operation.

    Raises:
        MCPError: it refused its arguments, or there was no answer.
    """
    try:
        return await caller.operate(operation, session, arguments)
    except (Shed, PoolError) as error:
        raise MCPError(types.INTERNAL_ERROR, str(error)) from error
    except (TiergateError, msgspec.ValidationError) as error:
        raise MCPError(types.INVALID_PARAMS, " ".join(str(error).split())) from error


def _resource(row: dict[str, Any]) -> types.Resource:
    return types.Resource(
        name=row["session"],
        title=row["title"] or row["session"],
        uri=uri_of(row["session"]),
        description=f"{row['open']} of {row['tasks']} tasks are open",
        mime_type=JSON,
    )
