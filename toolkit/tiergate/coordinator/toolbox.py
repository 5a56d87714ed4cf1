"""The tools that are offered: what each asks for, with its schemas, made once at the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import mcp_types as types
import msgspec
from msgspec import NODEFAULT, Meta

from tiergate.coordinator.monitor import Monitor
from tiergate.coordinator.schemas import Schema, result_type, schema_of, with_fields
from tiergate.coordinator.tool_texts import TOOL_TEXTS, ToolText
from tiergate.hooks import OperationDeclaration

SessionId = Annotated[str, Meta(min_length=1, description="id of the session")]
MaybeSessionId = Annotated[str | None, Meta(description="id of a session; null for none")]
RequestKey = Annotated[
    str | None,
    Meta(
        description="a text of your own that names this write: a second call with the same key and the same"
        " arguments changes nothing and returns the first result. Send a lost call again with its key."
    ),
]
Cursor = Annotated[
    str | None, Meta(description="next_cursor of the page before; leave it out for the first page")
]
NextCursor = Annotated[
    str | None, Meta(description="give it as cursor for the next page; null where this is the last one")
]


@dataclass(frozen=True, slots=True)
class OperationTool:
    """A tool that has an operation done.

    Attributes:
        tool: as it is listed.
        text: the words about it.
        operation: what it asks for.
    """

    tool: types.Tool
    text: ToolText
    operation: OperationDeclaration


@dataclass(frozen=True, slots=True)
class OwnTool:
    """A tool that the coordinator answers itself; it takes no arguments.

    Attributes:
        tool: as it is listed.
        answer: gives the result, an object.
    """

    tool: types.Tool
    answer: Callable[[], Any]


AnyTool = OperationTool | OwnTool


def operation_tools(operations: Iterable[OperationDeclaration]) -> list[AnyTool]:
    """The tools whose operation is declared, in the order of the table."""
    declared = {operation.name: operation for operation in operations}
    return [
        OperationTool(_tool(text, declared[text.operation]), text, declared[text.operation])
        for text in TOOL_TEXTS
        if text.operation in declared
    ]


def monitor_tools(monitor: Monitor) -> list[AnyTool]:
    """The tools that the coordinator answers."""
    return [
        _own_tool(
            "health",
            "Health of the service",
            "Whether the service is ready, or degraded and why. Look here when calls fail or are slow.",
            monitor.health_type,
            monitor.health,
        ),
        _own_tool(
            "metrics",
            "Metrics of the service",
            "Calls by operation and outcome, what waits, and what happened to workers, since the start.",
            monitor.metrics_type,
            monitor.metrics,
        ),
    ]


def by_name(tools: Iterable[AnyTool]) -> Mapping[str, AnyTool]:
    """The tools by their names."""
    return {found.tool.name: found for found in tools}


def _own_tool(name: str, title: str, description: str, result: Any, answer: Callable[[], Any]) -> OwnTool:
    return OwnTool(
        types.Tool(
            name=name,
            title=title,
            description=description,
            input_schema={"type": "object", "properties": {}, "additionalProperties": False},
            output_schema=schema_of(result),
            annotations=types.ToolAnnotations(title=title, read_only_hint=True, open_world_hint=False),
        ),
        answer,
    )


def _tool(text: ToolText, operation: OperationDeclaration) -> types.Tool:
    return types.Tool(
        name=text.name,
        title=text.title,
        description=text.description,
        input_schema=_input_schema(text, operation),
        output_schema=_output_schema(text, operation),
        annotations=types.ToolAnnotations(
            title=text.title,
            read_only_hint=not operation.writes,
            destructive_hint=text.destructive if operation.writes else None,
            # Only a hint without a key; with one, a write that is sent again never takes effect twice.
            idempotent_hint=text.idempotent if operation.writes else None,
            open_world_hint=False,
        ),
    )


def _input_schema(text: ToolText, operation: OperationDeclaration) -> Schema:
    extra: list[tuple[str, Any, Any]] = []
    if operation.needs_session:
        extra.append(("session", SessionId, NODEFAULT))
    elif text.may_name_session:
        extra.append(("session", MaybeSessionId, None))
    if text.paged:
        extra.append(("cursor", Cursor, None))
    if operation.writes:
        extra.append(("request_key", RequestKey, None))
    schema = schema_of(with_fields(operation.arguments, text.name, extra))
    if text.paged:
        schema["properties"].pop("skip", None)
    schema.pop("title", None)
    return schema


def _output_schema(text: ToolText, operation: OperationDeclaration) -> Schema | None:
    result = result_type(operation)
    if text.rows:
        described = Annotated[result, Meta(description=f"the {text.rows} that were found")]
        fields: list[Any] = [(text.rows, described)]
        if text.paged:
            fields.append(("next_cursor", NextCursor))
        result = msgspec.defstruct(text.name, fields)
    schema = schema_of(result)
    return schema if schema.get("type") == "object" else None
