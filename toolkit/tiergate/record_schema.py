"""The JSON Schemas of the records."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec

from tiergate.record import Record


def json_schema(kind: type[Record]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind of record."""
    schema: dict[str, Any] = _uniform(msgspec.json.schema(kind))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _uniform(schema: Any) -> Any:
    """The same schema from every version of Python and msgspec.

    Python 3.13 strips the indentation of docstrings, earlier ones keep it; the order of alternatives differs
    between versions of msgspec.
    """
    if isinstance(schema, list):
        return [_uniform(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _uniform(part) for name, part in schema.items()}
    if isinstance(found.get("description"), str):
        found["description"] = cleandoc(found["description"])
    if "anyOf" in found:
        found["anyOf"] = sorted(found["anyOf"], key=msgspec.json.Encoder(order="sorted").encode)
    return found
