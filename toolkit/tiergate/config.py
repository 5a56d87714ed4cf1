"""Configuration: command line > environment > file > default, and where each value came from.

The file is ``tiergate.toml`` or the table ``[tool.tiergate]`` of ``pyproject.toml``, in the nearest
folder upwards that has one. The variable of a key is ``TIERGATE_`` and the key in capitals; lists are
separated by commas, tables are written ``name=value,name=value``.

Two kinds of key do not simply replace what is weaker. A table (`tiers`, `budgets`) is laid over the
weaker one name by name. `disable_plugins` adds up: a plugin that is switched off anywhere is off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tiergate.errors import UsageError, unknown_name

VARIABLE_PREFIX = "TIERGATE_"
OTHER_VARIABLES = frozenset(
    {
        *("TIERGATE_DEBUG", "TIERGATE_STATE", "TIERGATE_TEST_DATA", "TIERGATE_TOKEN"),
        *("TIERGATE_PLUGINS_SAFE", "TIERGATE_PLUGINS_STRICT"),
    }
)
"""Variables that are no keys."""

DEFAULT = "default"
COMMAND_LINE = "command line"

_Text = Annotated[str, Meta(min_length=1, description="a text")]
_Names = Annotated[list[_Text], Meta(description="a list of names")]
_SomeNames = Annotated[list[_Text], Meta(min_length=1, description="a list of at least one name")]
_Tier = Literal["hot", "warm", "cold"]


class Config(msgspec.Struct, kw_only=True, frozen=True):
    """Every key. The description of a type completes the sentence "must be …".

    Attributes:
        store: address of the store that a run fills; a path left empty is made for the run.
        router: the one that the gate judges.
        routers: the ones that a run compares.
        workload: what makes the requests.
        seed: of workload and routers: the same seed gives the same requests.
        effort: how many requests and rounds.
        offered_load: offered work over what the workers can do; 1 saturates.
        pool: the kind of worker pool.
        deadline_s: after that many seconds a request has timed out.
        inconclusive: what a gate makes of what could not be decided.
        disable_plugins: plugins that are not loaded.
        tiers: worker processes by tier.
        budgets: by the metric's dotted name what the gate demands; an empty text drops the budget.
    """

    store: _Text = "sqlite:"
    router: _Text = "size-heuristic"
    routers: _SomeNames = msgspec.field(
        default_factory=lambda: ["shared-queue", "least-work-left", "size-heuristic", "oracle"]
    )
    workload: _Text = "agents"
    seed: Annotated[int, Meta(ge=0, description="a whole number, at least 0")] = 1
    effort: Annotated[
        Literal["quick", "default", "thorough"], Meta(description="quick, default or thorough")
    ] = "default"
    offered_load: Annotated[float, Meta(gt=0, lt=1, description="a number above 0 and below 1")] = 0.5
    pool: _Text = "local"
    deadline_s: Annotated[float, Meta(gt=0, le=86_400, description="seconds, above 0 and at most 86400")] = (
        30.0
    )
    inconclusive: Annotated[Literal["fail", "warn", "pass"], Meta(description="fail, warn or pass")] = "fail"
    disable_plugins: _Names = []
    tiers: Annotated[
        dict[_Tier, Annotated[int, Meta(ge=1)]],
        Meta(description="numbers of workers, at least 1, for hot, warm and cold"),
    ] = msgspec.field(default_factory=lambda: {"hot": 2, "warm": 1, "cold": 2})
    budgets: Annotated[dict[str, str], Meta(description="texts such as '< 100 ms' by metric")] = (
        msgspec.field(
            default_factory=lambda: {
                "by_length.short.response_ms.p95": "< 100 ms",
                "tier_accuracy.balanced_accuracy": "> 0.9",
                "requests.lost": "= 0",
            }
        )
    )


class Resolved(msgspec.Struct, frozen=True):
    """The configuration that holds, and why.

    Attributes:
        origins: by key, and by ``table.name`` inside a table, where the value came from: ``command line``,
            ``environment TIERGATE_SEED``, the path of a file from the working folder, or ``default``.
        file: the configuration file that was read, if any.
        notes: what looks like a mistake but is none for sure, one line each.
    """

    config: Config
    origins: Mapping[str, str]
    file: Path | None = None
    notes: tuple[str, ...] = ()


class _Stated(msgspec.Struct, frozen=True):
    """A value that somebody wrote, and where; text stands for any type in variables only."""

    key: str
    value: object
    origin: str
    from_text: bool = False


_FIELDS = {field.name: field for field in msgspec.structs.fields(Config)}
_TABLES = ("tiers", "budgets")
_LISTS = ("routers", "disable_plugins")


def resolve(directory: Path, environment: Mapping[str, str], overrides: Mapping[str, object]) -> Resolved:
    """Put the configuration together.

    Args:
        directory: where to look for a file, and then upwards.
        environment: variables.
        overrides: what the command line says, by key; None and empty tuples stand for "not given".

    Raises:
        UsageError: a file cannot be read or is no TOML, a key is unknown, or a value has the wrong type.
    """
    path, table, notes = _find_file(directory.absolute())
    origin = os.path.relpath(path, directory) if path else ""
    stated = [
        *(_Stated(key, value, origin) for key, value in table.items()),
        *_from_environment(environment),
        *(
            _Stated(key, value, COMMAND_LINE)
            for key, value in overrides.items()
            if value is not None and value != ()
        ),
    ]
    values: dict[str, Any] = msgspec.structs.asdict(Config())
    origins: dict[str, list[str]] = {key: [DEFAULT] for key in values}
    for key in _TABLES:
        origins.update({f"{key}.{name}": [DEFAULT] for name in values[key]})
    for one in stated:
        _lay(values, origins, one.key, _convert(one), one.origin)
    return Resolved(
        config=_finish(values, origins),
        origins={key: ", ".join(dict.fromkeys(places)) for key, places in origins.items()},
        file=path,
        notes=(*notes, *_doubtful_variables(environment)),
    )


def read_budgets(path: Path) -> dict[str, str]:
    """The table ``[budgets]`` of a TOML file, by metric.

    Raises:
        UsageError: the file cannot be read, is no TOML, or has no such table.
    """
    table = (_read_toml(path) or {}).get("budgets")
    if not isinstance(table, dict):
        reason = "has no table [budgets]" if path.exists() else "there is no such file"
        raise UsageError(
            reason, where=str(path), hint='write [budgets] and lines such as metric = "< 100 ms"'
        )
    budgets: dict[str, str] = _convert(_Stated("budgets", table, str(path)))
    return budgets


def variable_of(key: str) -> str:
    """The environment variable of a key."""
    return VARIABLE_PREFIX + key.upper()


def _lay(values: dict[str, Any], origins: dict[str, list[str]], key: str, value: Any, origin: str) -> None:
    """Lay a value over the weaker ones."""
    if key in _TABLES:
        values[key] = {**values[key], **value}
        origins.update({f"{key}.{name}": [origin] for name in value})
    elif key == "disable_plugins":
        origins[key] = [*origins[key], origin] if values[key] else [origin]
        values[key] = list(dict.fromkeys([*values[key], *value]))
    else:
        values[key] = value
        origins[key] = [origin]


def _finish(values: dict[str, Any], origins: dict[str, list[str]]) -> Config:
    """Drop the budgets that were emptied, and give each table the origins of what is in it."""
    for metric in [metric for metric, budget in values["budgets"].items() if not budget.strip()]:
        del values["budgets"][metric], origins[f"budgets.{metric}"]
    for key in _TABLES:
        places = [place for name in values[key] for place in origins[f"{key}.{name}"]]
        origins[key] = places or origins[key]
    return Config(**values)


def _convert(stated: _Stated) -> Any:
    key, value = stated.key, stated.value
    if key not in _FIELDS:
        raise unknown_name("key", key, _FIELDS, where=stated.origin)
    if key == "budgets" and isinstance(value, Mapping):
        value = dict(_flat(value))
    if key == "tiers" and isinstance(value, Mapping):
        _check_tiers(value, stated.origin)
    kind = _FIELDS[key].type
    try:
        return msgspec.convert(value, kind, strict=not stated.from_text)
    except msgspec.ValidationError as error:
        expected = kind.__metadata__[0].description
        raise UsageError(f"{key} must be {expected}, not {stated.value!r}", where=stated.origin) from error


def _check_tiers(table: Mapping[Any, object], origin: str) -> None:
    known = ("hot", "warm", "cold")
    for name in table:
        if name not in known:
            raise unknown_name("tier", str(name), known, where=f"{origin}: tiers")


def _flat(table: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted names of nested tables: TOML reads ``requests.lost = "= 0"`` as a table in a table."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _from_environment(environment: Mapping[str, str]) -> Iterator[_Stated]:
    """What the variables say; an empty one says nothing."""
    for key in _FIELDS:
        variable = variable_of(key)
        text = environment.get(variable, "").strip()
        if not text:
            continue
        origin = f"environment {variable}"
        value: object = text
        if key in _LISTS:
            value = _split(text)
        elif key in _TABLES:
            value = dict(_pair(part, origin) for part in _split(text))
        yield _Stated(key, value, origin, from_text=True)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pair(text: str, origin: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} is not name=value", where=origin, hint="write name=value,name=value")
    return name.strip(), value.strip()


def _doubtful_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """Variables that are no keys but look like one. Others may be meant for other programs."""
    known = [variable_of(key) for key in _FIELDS]
    for variable in sorted(environment):
        if variable.startswith(VARIABLE_PREFIX) and variable not in OTHER_VARIABLES.union(known):
            near = get_close_matches(variable, known, n=1, cutoff=0.85)
            if near:
                yield f"environment {variable}: no such key; did you mean {near[0]}?"


def _find_file(directory: Path) -> tuple[Path | None, Mapping[str, object], list[str]]:
    """The nearest file with a configuration, its table, and notes."""
    for folder in (directory, *directory.parents):
        own, shared = folder / "tiergate.toml", folder / "pyproject.toml"
        table, below = _read_toml(own), _read_tool_table(shared)
        if table is not None:
            note = f"{own}: is used; [tool.tiergate] of pyproject.toml beside it is not"
            return own, table, [] if below is None else [note]
        if below is not None:
            return shared, below, []
    return None, {}, []


def _read_tool_table(path: Path) -> dict[str, object] | None:
    """``[tool.tiergate]``, or None where the file has none."""
    document = _read_toml(path, only_if=b"tiergate")
    tools = (document or {}).get("tool")
    table = tools.get("tiergate") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError("tool.tiergate must be a table", where=str(path), hint="write [tool.tiergate]")
    return table


def _read_toml(path: Path, only_if: bytes = b"") -> dict[str, object] | None:
    """The document, or None where there is no file or it does not contain the bytes `only_if`.

    A file that does not speak of tiergate is not parsed: it may be large, and its mistakes are not ours.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"cannot read the configuration: {error.strerror}", where=str(path)) from error
    if only_if not in data:
        return None
    import tomllib  # where there is no file, nobody pays for it

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise UsageError(f"is not UTF-8 at byte {error.start}", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"is not valid TOML: {error}", where=str(path)) from error
