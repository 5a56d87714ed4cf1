"""Whatever arguments a tool is given, there is a result or one line of refusal, and every worker lives."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.integration

Schema = dict[str, Any]

TOOLS = (
    "session_create session_get session_list session_archive task_add task_update task_progress task_query"
    " task_expand balance balance_apply flow plan search health metrics"
).split()

# Half a character is refused as no JSON before any tool sees it, see the tests of the wire.
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 1e308, -0.0, 10**30, "", " ", "\0", "../..", "a" * 5000, [], [[]], {}, {"a": 1}]
)
NAMES = st.sampled_from(["s", "t", "a", "b", "ä", "a/b", "%s", "--help", ";", "*"])


def fitting(schema: Schema, definitions: Schema) -> st.SearchStrategy[Any]:
    """Values of a schema, as far as the schemas of tools go."""
    if "$ref" in schema:
        return fitting(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([fitting(one, definitions) for one in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "object":
        return of_object(schema, definitions)
    if kind == "array":
        return st.lists(nearly(schema.get("items", {}), definitions), max_size=4)
    low, high = schema.get("minimum", -(2**40)), schema.get("maximum", 2**40)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        "string": NAMES | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        "boolean": st.booleans(),
        "integer": st.integers(int(low), int(high)),
        "number": st.floats(float(low), float(high)) | st.floats(allow_nan=False, allow_infinity=False),
        "null": st.none(),
    }
    return plain.get(kind, ODD)


def nearly(schema: Schema, definitions: Schema) -> st.SearchStrategy[Any]:
    """Values of a schema; one in five is something else."""
    good = fitting(schema, definitions)
    return st.one_of(good, good, good, good, ODD)


def of_object(schema: Schema, definitions: Schema) -> st.SearchStrategy[Any]:
    """Objects with the fields of a schema; now and then one is missing, or one too many."""
    required = set(schema.get("required", ()))
    fields = {name: nearly(one, definitions) for name, one in schema.get("properties", {}).items()}
    must = {name: one for name, one in fields.items() if name in required}
    may = {name: one for name, one in fields.items() if name not in required}
    whole = st.fixed_dictionaries(must, optional=may)
    more = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), ODD, max_size=2)
    return st.one_of(whole, whole, whole, st.builds(lambda a, b: {**a, **b}, whole, more), more)


@cache
def arguments_of(server: Any, tool: str) -> st.SearchStrategy[Any]:
    listed = server.ask("tools/list", {})["result"]["tools"]
    schema = next(found for found in listed if found["name"] == tool)["inputSchema"]
    return of_object(schema, schema.get("$defs", {}))


def test_every_tool_is_tried(server: Any) -> None:
    listed = {found["name"] for found in server.ask("tools/list", {})["result"]["tools"]}
    assert listed - {"reconcile"} == set(TOOLS)


@pytest.mark.parametrize("tool", TOOLS)
def test_no_argument_harms(server: Any, tool: str) -> None:
    server.call("session_create", session="s", tasks=[{"task": "a", "title": "first"}])
    made = arguments_of(server, tool)

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(arguments=made)
    def check(arguments: dict[str, Any]) -> None:
        answer = server.ask("tools/call", {"name": tool, "arguments": arguments})
        text = answer["error"]["message"] if "error" in answer else answer["result"]["content"][0]["text"]
        assert "Traceback" not in text
        assert "\n" not in text
        if "error" not in answer and not answer["result"]["isError"]:
            assert isinstance(answer["result"]["structuredContent"], dict)

    check()
    metrics = server.call("metrics")["structuredContent"]
    assert metrics["happenings"].get("exit", 0) == 0, server.said()
    assert "Traceback" not in server.said()
