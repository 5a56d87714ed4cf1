"""Arguments of a tool, drawn from the JSON Schema of its input; the same seed gives the same ones.

What a schema says of a value is kept: types, `enum`, `const`, bounds, lengths, `multipleOf`, `required`,
arrays and objects within each other, `anyOf`, `oneOf` and `allOf`, references within the schema, and common
formats. A text with a `pattern` takes an example or the default; without one it cannot be made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from random import Random
from typing import Any
from uuid import UUID

from tiergate.errors import RunError

MOST_ITEMS = 3
"""Beyond what the schema asks for, in an array, and properties that nothing names in an object."""

DEEPEST = 12
"""Schemas within each other; a recursive one takes the shortest way out before that."""

GIVEN_OPTIONAL = 0.5
"""How often a property is given that need not be."""

NUMBERS = 100
"""Width of the range of a number that a schema leaves open."""

WORDS = ("alpha", "beta", "gamma", "delta", "report", "plan", "notes", "item", "42", "naïve", "日本")

Schema = Mapping[str, Any]


class CannotMake(RunError):
    """A value for a schema cannot be made here."""


def draw_arguments(schema: Schema, random: Random) -> dict[str, Any]:
    """Arguments that the schema accepts.

    Raises:
        CannotMake: it asks for something that cannot be made, such as a text of a pattern; says what.
    """
    made = _Maker(schema, random).value(schema, 0)
    if not isinstance(made, dict):
        raise CannotMake("its input is no object")
    return made


@dataclass(frozen=True, slots=True)
class _Maker:
    """Draws values of one schema document."""

    root: Schema
    random: Random

    def value(self, schema: Any, depth: int) -> Any:
        """A value of a schema within the document."""
        if schema is True or schema == {}:
            return self.random.choice(WORDS)
        if not isinstance(schema, Mapping):
            raise CannotMake("it accepts no value at all")
        if depth > DEEPEST:
            raise CannotMake("its schema goes too deep, or has no way out of itself")
        schema = self._plain(schema, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(self._fitting(schema))
        known = self._known(schema)
        if known and ("pattern" in schema or self.random.random() < GIVEN_OPTIONAL):
            return self.random.choice(known)
        return self._of_kind(self._kind(schema, depth), schema, depth)

    def _plain(self, schema: Schema, depth: int) -> Schema:
        """The schema without references and alternatives: one is chosen, near the bottom the simplest."""
        for _ in range(DEEPEST):
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = _merged(self._referred(str(schema["$ref"])), rest)
            elif "allOf" in schema:
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                for part in schema["allOf"]:
                    rest = dict(_merged(rest, self._plain(part, depth)))
                schema = rest
            elif "anyOf" in schema or "oneOf" in schema:
                word = "anyOf" if "anyOf" in schema else "oneOf"
                rest = {key: value for key, value in schema.items() if key != word}
                schema = _merged(rest, self._alternative(schema[word], depth))
            else:
                return schema
        raise CannotMake("its schema refers to itself without end")

    def _alternative(self, choices: Sequence[Any], depth: int) -> Schema:
        simple = [one for one in choices if not _is_deep(one)] if depth > 1 else []
        chosen = self.random.choice(simple or list(choices))
        return chosen if isinstance(chosen, Mapping) else {}

    def _referred(self, reference: str) -> Schema:
        found: Any = self.root
        if not reference.startswith("#"):
            raise CannotMake(f"its schema refers to another document: {reference}")
        for part in filter(None, reference[1:].split("/")):
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                raise CannotMake(f"its schema refers to what is not there: {reference}")
            found = found[name]
        return found if isinstance(found, Mapping) else {}

    def _fitting(self, schema: Schema) -> Sequence[Any]:
        choices = [one for one in schema["enum"] if _is_of(schema.get("type"), one)]
        if not choices:
            raise CannotMake("its enumeration is empty")
        return choices

    def _known(self, schema: Schema) -> list[Any]:
        """Default and examples: what the author of the schema finds sensible."""
        found = [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else [])]
        # Only where they need no check of their own.
        return [
            one for one in found if isinstance(one, str | int | float) and _is_of(schema.get("type"), one)
        ]

    def _kind(self, schema: Schema, depth: int) -> str:
        kinds = schema.get("type")
        if kinds is None:
            return next((kind for word, kind in _TOLD_BY.items() if word in schema), "string")
        if isinstance(kinds, str):
            return kinds
        simple = [kind for kind in kinds if kind not in ("object", "array")] if depth > 1 else []
        return str(self.random.choice(simple or list(kinds)))

    def _of_kind(self, kind: str, schema: Schema, depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        simple: dict[str, Callable[[], Any]] = {
            "string": lambda: _text(schema, self.random),
            "integer": lambda: _number(schema, self.random, whole=True),
            "number": lambda: _number(schema, self.random, whole=False),
            "boolean": lambda: self.random.random() < 0.5,
            "null": lambda: None,
        }
        if kind not in simple:
            raise CannotMake(f"its schema has a type that is not known: {kind!r}")
        return simple[kind]()

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties: Schema = schema.get("properties", {})
        required = set(schema.get("required", ()))
        made: dict[str, Any] = {}
        for name, inner in properties.items():
            if name in required:
                made[name] = self.value(inner, depth + 1)
            elif depth <= 1 and self.random.random() < GIVEN_OPTIONAL:
                try:
                    made[name] = self.value(inner, depth + 1)
                except CannotMake:
                    continue  # it need not be given
        further = schema.get("additionalProperties", True)
        for name in sorted(required - set(properties)):
            made[name] = self.value(further, depth + 1)
        for number in range(len(made), schema.get("minProperties", 0)):
            made[f"further{number}"] = self.value(further, depth + 1)
        return made

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        ahead = schema.get("prefixItems", [])
        least = schema.get("minItems", 0)
        most = min(schema.get("maxItems", least + MOST_ITEMS), least + MOST_ITEMS)
        length = least if depth > 1 else self.random.randint(least, max(least, most))
        made: list[Any] = []
        for _ in range(20 * (length + 1)):
            if len(made) >= length:
                break
            inner = ahead[len(made)] if len(made) < len(ahead) else schema.get("items", True)
            one = self.value(inner, depth + 1)
            if not schema.get("uniqueItems") or one not in made:
                made.append(one)
        if len(made) < least:
            raise CannotMake(f"it wants {least} items that differ")
        return made


_TOLD_BY = {
    "properties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minimum": "number",
    "maximum": "number",
}
"""What kind a schema without a type is of, by the words that only that kind has."""


def _is_deep(schema: Any) -> bool:
    return isinstance(schema, Mapping) and ("$ref" in schema or schema.get("type") in ("object", "array"))


def _is_of(kinds: Any, value: Any) -> bool:
    if kinds is None:
        return True
    names = [kinds] if isinstance(kinds, str) else kinds
    return any(_KINDS[name](value) for name in names if name in _KINDS)


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


def _merged(first: Schema, second: Schema) -> Schema:
    """What both say; of properties and required names the union, of anything else what the second says."""
    both = {**first, **second}
    if "properties" in first and "properties" in second:
        both["properties"] = {**first["properties"], **second["properties"]}
    if "required" in first and "required" in second:
        both["required"] = [*first["required"], *second["required"]]
    return both


def _number(schema: Schema, random: Random, *, whole: bool) -> float:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    step = schema.get("multipleOf") or (1 if whole else None)
    least = max((one for one in (low, above) if one is not None), default=None)
    most = min((one for one in (high, below) if one is not None), default=None)
    if least is None:
        least = 0 if most is None or most >= 0 else most - NUMBERS
    if most is None:
        most = least + NUMBERS * (step or 1)
    if step is None:
        drawn = least + (most - least) * random.uniform(0.05, 0.95)
        return drawn if least < drawn < most else least
    first, last = ceil(least / step), floor(most / step)
    first += above is not None and first * step <= above
    last -= below is not None and last * step >= below
    if first > last:
        raise CannotMake(f"no number lies between {least:g} and {most:g}")
    drawn = random.randint(first, last) * step
    return int(drawn) if whole else drawn


def _text(schema: Schema, random: Random) -> str:
    if "pattern" in schema:
        raise CannotMake(f"it wants a text like {schema['pattern']!r}, and the schema gives no example")
    made = _FORMATS.get(schema.get("format", ""))
    if made is not None:
        return made(random)
    least = schema.get("minLength", 0)
    most = schema.get("maxLength", max(least, 40))
    text = " ".join(random.choice(WORDS) for _ in range(random.randint(1, 4)))
    while len(text) < least:
        text += " " + random.choice(WORDS)
    return text[:most]


def _moment(random: Random) -> str:
    return f"20{random.randint(10, 30)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def _clock(random: Random) -> str:
    return f"{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}Z"


_FORMATS: Mapping[str, Callable[[Random], str]] = {
    "date": _moment,
    "time": _clock,
    "date-time": lambda random: f"{_moment(random)}T{_clock(random)}",
    "duration": lambda random: f"PT{random.randint(1, 90)}M",
    "email": lambda random: f"user{random.randint(1, 999)}@example.com",
    "hostname": lambda random: f"host{random.randint(1, 999)}.example.com",
    "ipv4": lambda random: f"192.0.2.{random.randint(1, 254)}",
    "ipv6": lambda random: f"2001:db8::{random.randint(1, 9999)}",
    "uri": lambda random: f"https://example.com/{random.randint(1, 999)}",
    "uri-reference": lambda random: f"/{random.randint(1, 999)}",
    "uuid": lambda random: str(UUID(int=random.getrandbits(128), version=4)),
}
