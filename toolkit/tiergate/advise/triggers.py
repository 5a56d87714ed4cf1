"""The file of triggers: which steps there are, when each is worth thinking of, and what it has to gain."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from tiergate.errors import SourceError, unknown_name

_CONDITION = re.compile(r"^\s*([\w.+-]+)\s*(<=|>=|<|>)\s*([0-9.eE+-]+)\s*$")


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"applies": "for"}):
    """One step of the file, as it is written there.

    Attributes:
        applies: kinds of store in which the sessions may lie now; empty for any.
    """

    title: Annotated[str, Meta(min_length=1)]
    applies: list[str] = []
    when: Annotated[list[str], Meta(min_length=1)]
    gain: list[str] = []
    effort: str
    cost: str
    next: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A metric, an operator and a number."""

    metric: str
    operator: str
    bound: float


def default_text() -> str:
    """The triggers that ship."""
    return files("tiergate.advise").joinpath("triggers.toml").read_text(encoding="utf-8")


def read_triggers(path: Path | None, metrics: Sequence[str]) -> dict[str, Step]:
    """The steps of a file by their names; those that ship without one.

    Args:
        metrics: that conditions may name.

    Raises:
        SourceError: the file cannot be read or is not what it should be.
        UsageError: a condition names a metric that there is not.
    """
    where = str(path) if path is not None else "triggers.toml"
    try:
        text = default_text() if path is None else path.read_text(encoding="utf-8")
        steps = msgspec.convert(tomllib.loads(text), dict[str, Step])
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", where=where) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        hint = "`tiergate advise --print-triggers` prints a file to begin with"
        raise SourceError(f"no file of triggers: {error}", where=where, hint=hint) from error
    _require_known(steps, metrics, where)
    return steps


def condition(text: str, where: str) -> Condition:
    """Read a condition.

    Raises:
        SourceError: it is none.
    """
    found = _CONDITION.match(text)
    try:
        assert found is not None
        return Condition(found[1], found[2], float(found[3]))
    except (AssertionError, ValueError):
        raise SourceError(
            f"{text!r} is no condition", where=where, hint="write METRIC < NUMBER, with < <= > or >="
        ) from None


def _require_known(steps: Mapping[str, Step], metrics: Sequence[str], where: str) -> None:
    for name, step in steps.items():
        for text in (*step.when, *step.gain):
            metric = condition(text, f"{where}, {name}").metric
            if metric not in metrics:
                raise unknown_name("metric", metric, metrics, where=f"{where}, {name}")
