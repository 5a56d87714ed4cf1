"""Files of ``pytest --benchmark-json``: of each benchmark what a comparison needs, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from tiergate.errors import SourceError, UsageError

_MACHINE = {"python_version": "python", "system": "system", "release": "release", "machine": "machine"}


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds a call of one benchmark, over its rounds."""

    min_s: float
    q1_s: float
    median_s: float
    iqr_s: float
    rounds: int

    def marks(self) -> tuple[float, float, float]:
        """Minimum, lower quartile, median."""
        return self.min_s, self.q1_s, self.median_s


@dataclass(frozen=True, slots=True)
class Results:
    """A file: results by full name, and what is known of the machine."""

    results: Mapping[str, Result]
    machine: Mapping[str, str]


def read_results(file: Path) -> Results | None:
    """Read a file; None where it is JSON, but none of pytest-benchmark's.

    Raises:
        SourceError: it cannot be read, or is no JSON.
        UsageError: a figure is missing, negative or no number; or it holds no benchmark.
    """
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot be read: {error}", where=str(file)) from error
    if not isinstance(document, dict) or "benchmarks" not in document or "machine_info" not in document:
        return None
    found = {
        str(one["fullname"]): _result(one, f"{file}: {one['fullname']}") for one in document["benchmarks"]
    }
    if not found:
        raise UsageError("it holds no benchmark", where=str(file))
    return Results(found, _machine(document["machine_info"]))


def _result(one: Mapping[str, Any], where: str) -> Result:
    stats = one.get("stats", {})
    values = [stats.get(name) for name in ("min", "q1", "median", "iqr", "rounds")]
    for name, value in zip(("min", "q1", "median", "iqr", "rounds"), values, strict=True):
        is_number = isinstance(value, int | float) and isfinite(value)
        if not is_number or value < 0 or (value == 0 and name != "iqr"):
            raise UsageError(
                f"its {name} is {value}, which is no {'count' if name == 'rounds' else 'time'}", where=where
            )
    low, quarter, middle, spread, rounds = (float(value) for value in values)
    return Result(low, quarter, middle, spread, int(rounds))


def _machine(info: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(info.get(key, "")) for key, name in _MACHINE.items()}
    cpu = info.get("cpu")
    return {**found, "cpu": str(cpu.get("brand_raw", "")) if isinstance(cpu, dict) else ""}
