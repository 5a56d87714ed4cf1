"""The tools by name: which operation each one asks for, and what an agent is told about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolText:
    """One tool over one operation.

    Attributes:
        name: of the tool.
        operation: of the operation that it asks for; the tool is offered where one of that name is declared.
        title: for people.
        description: when to use it, what comes back, and what to do next.
        rows: under which name a result that is a list stands; empty for a result that is an object.
        paged: whether it gives one page after another. The operation then takes `skip` and `limit`.
        may_name_session: whether it takes a session although its operation needs none.
        destructive: whether it can take away what was there.
        idempotent: whether a second call with the same arguments changes nothing more.
    """

    name: str
    operation: str
    title: str
    description: str
    rows: str = ""
    paged: bool = False
    may_name_session: bool = False
    destructive: bool = False
    idempotent: bool = False


TOOL_TEXTS = (
    ToolText(
        name="session_create",
        operation="session_create",
        title="Create a session",
        description="Create a session: a named list of tasks that belong to one piece of work. Tasks can be"
        " given at once; more are added with task_add. Fails if a session of that id exists.",
    ),
    ToolText(
        name="session_get",
        operation="session_get",
        title="Read a session",
        description="Read a session and its tasks, one page at a time. Start here to see where the work"
        " stands. Where next_cursor is not null, call again with it as cursor for the next tasks.",
    ),
    ToolText(
        name="session_list",
        operation="session_list",
        title="List sessions",
        description="List the sessions with their titles and how many tasks each has, sorted by id, one page"
        " at a time. Archived ones are left out unless asked for.",
    ),
    ToolText(
        name="session_archive",
        operation="session_archive",
        title="Archive a session",
        description="Put a session away: it keeps its tasks, and session_list leaves it out from then on."
        " With archived=false it comes back.",
        idempotent=True,
    ),
    ToolText(
        name="task_add",
        operation="task_add",
        title="Add a task",
        description="Add one task at the end of a session. Choose a short id that is unique in the session;"
        " list as dependencies the ids of tasks that must be completed first. Fails if the id exists.",
    ),
    ToolText(
        name="task_get",
        operation="task_get",
        title="Read a task",
        description="Read one task with all of its notes. session_get shows the ids of a session's tasks.",
    ),
    ToolText(
        name="task_update",
        operation="task_update",
        title="Change a task",
        description="Change a task: its status, title, weight, labels or dependencies, or add to its notes."
        " What is not given stays as it is. To report progress on a task use task_progress instead.",
        destructive=True,
    ),
    ToolText(
        name="task_progress",
        operation="task_progress",
        title="Report progress",
        description="Report progress on a task, or that it is done. It raises the momentum that balance and"
        " flow look at. Call it whenever a part of a task is done.",
    ),
    ToolText(
        name="task_query",
        operation="tasks_query",
        title="Find tasks",
        description="Find tasks across all sessions by status, least weight and text in title or notes."
        " For tasks that resemble a description use search.",
        rows="tasks",
        paged=True,
    ),
    ToolText(
        name="task_expand",
        operation="task_expand",
        title="Expand a task",
        description="Split a large task into subtasks: plan, implement, test, document. The task then waits"
        " for the last of them.",
    ),
    ToolText(
        name="balance",
        operation="balance",
        title="Choose what to work on",
        description="Which tasks of a session should be active now under a work-in-progress limit, each with"
        " its reason, and which should step back. Changes nothing; balance_apply does it.",
    ),
    ToolText(
        name="balance_apply",
        operation="balance_apply",
        title="Apply the balance",
        description="Do what balance proposes: make the chosen tasks active and put others back into the"
        " queue. Returns what was changed.",
        idempotent=True,
    ),
    ToolText(
        name="flow",
        operation="flow",
        title="How a session is getting on",
        description="The flow state and momentum of a session, what is expected of it next, and which tasks"
        " are about to be ready.",
    ),
    ToolText(
        name="plan",
        operation="plan",
        title="Plan a session",
        description="The critical path of the open tasks of a session, and their layers: the tasks of one"
        " layer can be done side by side. Names the cycle where dependencies form one.",
    ),
    ToolText(
        name="search",
        operation="search",
        title="Find similar tasks",
        description="Find tasks whose words resemble a text, best first. Use it before adding a task, to see"
        " whether there is one like it already.",
        rows="tasks",
        may_name_session=True,
    ),
    ToolText(
        name="reconcile",
        operation="reconcile",
        title="Reconcile plans",
        description="Compare the sessions with each other: which tasks are one piece of work, which are"
        " planned twice, and what contradicts itself, with what to do about it.",
    ),
)
