"""The prompt that lets an agent take up a session where it was left, and the completion of session ids."""

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from tiergate.coordinator.calling import Caller
from tiergate.coordinator.resources import asked

RESUME = "resume_session"
MOST_COMPLETIONS = 100
MOST_TASKS = 50
"""Open tasks that the prompt names."""

PROMPTS = types.ListPromptsResult(
    prompts=[
        types.Prompt(
            name=RESUME,
            title="Resume this session",
            description="Where a session stands, what is open, and how to go on with it.",
            arguments=[types.PromptArgument(name="session", description="id of the session", required=True)],
        )
    ]
)


async def resume(caller: Caller, name: str, arguments: dict[str, str]) -> types.GetPromptResult:
    """The prompt for one session.

    Raises:
        MCPError: there is no such prompt or session, or the session is not named.
    """
    if name != RESUME:
        raise MCPError(types.INVALID_PARAMS, f"unknown prompt {name!r} (known: {RESUME})")
    session = arguments.get("session", "")
    if not session:
        raise MCPError(types.INVALID_PARAMS, "argument session is missing (session_list shows the sessions)")
    open_ones = ["active", "blocked", "queued"]
    view = await asked(caller, "session_get", session, {"statuses": open_ones, "limit": MOST_TASKS})
    text = "\n".join([*_standing(view), "", *_steps(caller, session)])
    return types.GetPromptResult(
        description=f"Resume {session}",
        messages=[types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))],
    )


async def completed(caller: Caller, argument: str, begun: str) -> types.CompleteResult:
    """The ids of sessions that begin with what was typed; none for another argument."""
    if argument != "session":
        return types.CompleteResult(completion=types.Completion(values=[], has_more=False))
    page = await asked(caller, "session_list", None, {"prefix": begun, "limit": MOST_COMPLETIONS})
    values = [row["session"] for row in page["sessions"]]
    return types.CompleteResult(
        completion=types.Completion(values=values, has_more=page["next_cursor"] is not None)
    )


def _standing(view: dict[str, Any]) -> list[str]:
    counts = ", ".join(f"{number} {status}" for status, number in view["by_status"].items() if number)
    lines = [
        f"Resume the session {view['session']!r}" + (f": {view['title']}" if view["title"] else ""),
        f"Tasks: {counts or 'none yet'}.",
    ]
    if view["archived_at"]:
        lines.append(f"It was archived at {view['archived_at']}; session_archive brings it back.")
    if view["tasks"]:
        lines += ["", "Open tasks, active ones first:"]
        ranked = sorted(view["tasks"], key=lambda task: task["status"] != "active")
        lines += [_line(task) for task in ranked]
    if view["next_cursor"]:
        lines.append("There are more: session_get gives them.")
    return lines


def _line(task: dict[str, Any]) -> str:
    waits = f" (after {', '.join(task['dependencies'])})" if task["dependencies"] else ""
    return f"- [{task['status']}] {task['id']}: {task['title']}{waits}"


def _steps(caller: Caller, session: str) -> list[str]:
    """What to do, with the tools that there are."""
    steps = [
        ("session_get", "Read what the tasks say"),
        ("balance", "Ask which tasks should be active now"),
        ("task_progress", "Report each piece of progress on a task"),
        ("task_update", "Set the status of a task when it is done, blocked or given up"),
        ("task_add", "Add what turns out to be missing"),
    ]
    offered = [(tool, what) for tool, what in steps if tool in caller.tools]
    return [
        f"{number}. {what}: {tool}, session {session!r}." for number, (tool, what) in enumerate(offered, 1)
    ]
