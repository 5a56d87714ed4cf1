"""Arguments and traces made from the schemas of tools."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tiergate.errors import UsageError
from tiergate.load.tool_arguments import CannotMake, draw_arguments
from tiergate.load.tool_trace import select_tools, trace_of_tools
from tiergate.load.trace_file import read_trace
from tiergate.load.trace_recording import TraceRecording
from tiergate.target import Tool

PROPERTIES: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "string", "minLength": 50, "maxLength": 51},
    {"type": "string", "maxLength": 3},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "uuid"},
    {"type": "string", "format": "email"},
    {"type": "string", "format": "ipv4"},
    {"type": "string", "pattern": "^[a-z]+$", "examples": ["abc"]},
    {"enum": ["a", 3, None]},
    {"type": ["string", "null"], "enum": ["a", "b", None]},
    {"const": {"deep": [1]}},
    {"type": "integer", "minimum": 3, "exclusiveMaximum": 5},
    {"type": "integer", "maximum": -7},
    {"type": "integer", "minimum": 1, "maximum": 100, "multipleOf": 7},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "number", "minimum": 2, "maximum": 2},
    {"type": "boolean"},
    {"type": ["integer", "null"], "default": 4},
    {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
    {"oneOf": [{"type": "string", "maxLength": 4}, {"type": "integer", "minimum": 5}]},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "integer"}}}]},
    {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 9},
        "minItems": 4,
        "uniqueItems": True,
    },
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    {"$ref": "#/$defs/node"},
]
NODE = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
    },
    "additionalProperties": False,
}


@pytest.mark.parametrize("inner", PROPERTIES, ids=str)
@pytest.mark.parametrize("required", [["x"], []], ids=["required", "optional"])
def test_what_is_drawn_is_accepted(inner: dict[str, Any], required: list[str]) -> None:
    schema = {
        "type": "object",
        "properties": {"x": inner},
        "required": required,
        "additionalProperties": False,
        "$defs": {"node": NODE},
    }
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    for seed in range(60):
        validator.validate(draw_arguments(schema, Random(seed)))


def test_the_same_seed_draws_the_same() -> None:
    schema = {"type": "object", "properties": {str(i): one for i, one in enumerate(PROPERTIES[:20])}}
    assert draw_arguments(schema, Random(5)) == draw_arguments(schema, Random(5))
    assert any(draw_arguments(schema, Random(5)) != draw_arguments(schema, Random(n)) for n in range(5))


@pytest.mark.parametrize(
    "inner",
    [
        {"type": "string", "pattern": "^x+$"},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"$ref": "https://elsewhere.example/schema"},
        {"$ref": "#/$defs/loop"},
        False,
    ],
    ids=str,
)
def test_what_cannot_be_made_is_said(inner: Any) -> None:
    loop = {"type": "object", "required": ["x"], "properties": {"x": {"$ref": "#/$defs/loop"}}}
    schema = {"type": "object", "required": ["x"], "properties": {"x": inner}, "$defs": {"loop": loop}}
    with pytest.raises(CannotMake):
        draw_arguments(schema, Random(1))


def tool(name: str, *, writes: bool = False, destroys: bool = False) -> Tool:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    return Tool(name=name, schema=schema, writes=writes, destroys=destroys)


TOOLS = [tool("get"), tool("add", writes=True), tool("drop", writes=True, destroys=True)]


@pytest.mark.parametrize(
    ("writes", "destroys", "called"),
    [(False, False, ["get"]), (True, False, ["get", "add"]), (False, True, ["get", "add", "drop"])],
)
def test_only_what_is_allowed_is_called(writes: bool, destroys: bool, called: list[str]) -> None:
    found = select_tools(TOOLS, (), writes=writes, destroys=destroys, seed=1)
    assert [one.name for one in found.called] == called
    assert set(found.left_out) == {one.name for one in TOOLS} - set(called)


def test_no_tool_left_or_known_is_refused() -> None:
    with pytest.raises(UsageError, match="no tool can be called"):
        select_tools(TOOLS[1:], (), writes=False, destroys=False, seed=1)
    with pytest.raises(UsageError, match="nope"):
        select_tools(TOOLS, ("nope",), writes=False, destroys=False, seed=1)


def test_a_trace_of_tools_is_read_as_it_was_written(tmp_path: Path) -> None:
    trace = trace_of_tools(TOOLS, 7, 50)
    assert trace.sha256 == trace_of_tools(TOOLS, 7, 50).sha256
    file = tmp_path / "trace.jsonl"
    file.write_bytes(trace.encode())
    assert read_trace(file, ()).requests == trace.requests


def test_tool_calls_are_recorded_whoever_declares_them() -> None:
    recording = TraceRecording(None)
    recording.line(b'{"op": "web_search", "args": {"q": "x"}}', 1.0)
    recording.line(b"no call", 2.0)
    assert (len(recording), recording.refused) == (1, 1)
    assert recording.trace("tools", 1).requests[0].operation == "web_search"
