"""The check that a JSON, TOML or YAML file has a key, and what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from tiergate.errors import SourceError
from tiergate.evidence import Found, Root
from tiergate.hooks import EvidenceCheckDeclaration, hookimpl
from tiergate_plugins.reconcile.checks.looking import Seen, look, read_options, text_of

_MISSING = object()
_LONGEST_YAML = 1_000_000


class KeyOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`path`: relative to the root; `key`: with dots between levels, and numbers for places of a list;
    `value`: what must stand there, or anything."""

    path: str
    key: str
    value: Any = msgspec.UNSET


def key(options: dict[str, Any], root: Root) -> list[Found]:
    """Whether a key is there, with a value where one is asked for."""
    asked = read_options(options, KeyOptions)

    def find(content: bytes) -> Seen:
        value = _at(_parsed(asked.path, content), asked.key)
        if value is _MISSING:
            return Seen(False, f"has no key {asked.key}")
        if asked.value is not msgspec.UNSET and value != asked.value:
            return Seen(False, f"has {_shown(value)} at {asked.key}, and {_shown(asked.value)} is wanted")
        return Seen(True, f"has {_shown(value)} at {asked.key}")

    return look(asked.path, root, find, f"{asked.path}, key {asked.key}")


def _parsed(path: str, content: bytes) -> Any:
    import tomllib  # listing plugins must not pay for it

    import yaml

    suffix = PurePosixPath(path).suffix.lower()
    try:
        if suffix == ".json":
            return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
        if suffix == ".toml":
            return tomllib.loads(text_of(content))
        if suffix in (".yaml", ".yml"):
            if len(content) > _LONGEST_YAML:
                raise SourceError("is too long a YAML file", where=path)
            return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (
        msgspec.DecodeError,
        tomllib.TOMLDecodeError,
        yaml.YAMLError,
        RecursionError,
        ValueError,
    ) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"cannot be read as {suffix[1:].upper()}: {reason}", where=path) from error
    raise SourceError("is neither JSON, TOML nor YAML by its name", where=path, hint="use the check pattern")


def _at(value: Any, path: str) -> Any:
    """What stands at a path. A key that has dots itself is found by the longest name that fits."""
    if not path:
        return value
    if isinstance(value, list):
        first, _, rest = path.partition(".")
        place = int(first) if first.isdecimal() else len(value)
        return _at(value[place], rest) if place < len(value) else _MISSING
    if isinstance(value, dict):
        names = path.split(".")
        for many in range(len(names), 0, -1):
            name = ".".join(names[:many])
            if name in value:
                return _at(value[name], ".".join(names[many:]))
    return _MISSING


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


@hookimpl
def tiergate_evidence_checks() -> Iterator[EvidenceCheckDeclaration]:
    """The check ``key``."""
    yield EvidenceCheckDeclaration(
        name="key",
        summary="a JSON, TOML or YAML file has a key",
        check=key,
        options={
            "path": "relative to the root",
            "key": "with dots between the levels, such as scripts.test",
            "value": "what must stand there; without it, anything",
        },
    )
