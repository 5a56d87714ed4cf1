"""JSON schemas of tools, made once from the types of operations and fit for MCP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_type_hints

import msgspec

from tiergate.hooks import OperationDeclaration

_PREFIX = "#/$defs/"

Schema = dict[str, Any]


def schema_of(kind: Any) -> Schema:
    """The JSON schema of a type: an object at the top, types that it refers to under ``$defs``.

    MCP wants ``"type": "object"`` at the top, where msgspec puts a reference.
    """
    (top,), definitions = msgspec.json.schema_components([kind], ref_template=_PREFIX + "{name}")
    name = top.get("$ref", "").removeprefix(_PREFIX)
    schema = dict(definitions.pop(name)) if name and not _refers(definitions, name) else dict(top)
    if "$ref" in schema:  # it refers to itself: the definition has to stay
        schema = {"type": "object", **definitions[name]}
    if definitions:
        schema["$defs"] = definitions
    return schema


def _refers(definitions: Schema, name: str) -> bool:
    return f'"{_PREFIX}{name}"'.encode() in msgspec.json.encode(definitions)


def result_type(operation: OperationDeclaration) -> Any:
    """What an operation says that it returns; `Any` where it says nothing."""
    return get_type_hints(operation.run, include_extras=True).get("return", Any)


def with_fields(kind: type[msgspec.Struct], name: str, extra: Sequence[tuple[str, Any, Any]]) -> Any:
    """A struct type that has further fields before those of another one.

    Args:
        extra: name, type and default of each; `msgspec.NODEFAULT` for one that must be given.
    """
    fields: list[Any] = [_field(*one) for one in extra]
    fields += [
        (field.encode_name, field.type, _default(field)) if not field.required else (field.name, field.type)
        for field in msgspec.structs.fields(kind)
    ]
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _field(name: str, kind: Any, default: Any) -> Any:
    return (name, kind) if default is msgspec.NODEFAULT else (name, kind, default)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default
