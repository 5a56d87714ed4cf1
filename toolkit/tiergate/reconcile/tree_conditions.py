"""The conditions of a decision tree: checks that hold, fail or are unknown, joined by all, any and not.

A condition on a check that is unknown is unknown itself, and so is what it decides: Kleene's strong logic of
three values (Introduction to Metamathematics, 1952, section 64). Only ``unknown`` always has an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from tiergate.errors import UsageError, counted
from tiergate.proof import Outcome

OUTCOMES = get_args(Outcome)
_JOINS = ("all", "any", "not")
HINT = 'write a check\'s name, or { holds | fails | unknown = "check" }, { all | any = [ … ] }, { not = … }'


@dataclass(frozen=True, slots=True)
class Is:
    """A check has an outcome."""

    check: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Joined:
    """``all``, ``any`` or ``not`` of other conditions; ``not`` has one."""

    join: str
    parts: tuple[Condition, ...]


Condition = Is | Joined


def parse(value: Any) -> Condition:
    """Read a condition as TOML gives it.

    Raises:
        UsageError: it is none; the place is for the caller to add.
    """
    if isinstance(value, str) and value:
        return Is(value, "holds")
    if not isinstance(value, Mapping) or len(value) != 1:
        raise UsageError(f"{value!r} is no condition", hint=HINT)
    [(key, inner)] = value.items()
    if key in OUTCOMES and isinstance(inner, str) and inner:
        return Is(inner, key)
    if key == "not":
        return Joined(key, (parse(inner),))
    if key in _JOINS and isinstance(inner, list) and inner:
        return Joined(key, tuple(map(parse, inner)))
    if key in (*OUTCOMES, *_JOINS):
        raise UsageError(f"{inner!r} cannot stand after {key!r}", hint=HINT)
    raise UsageError(f"unknown condition {key!r}", hint=HINT)


def checks_of(condition: Condition) -> Iterator[str]:
    """The names of the checks in it, as often as they stand there."""
    if isinstance(condition, Is):
        yield condition.check
    else:
        for part in condition.parts:
            yield from checks_of(part)


def applies(condition: Condition, outcomes: Mapping[str, Outcome]) -> bool | None:
    """Whether it is true; None where an unknown check leaves that open."""
    if isinstance(condition, Is):
        outcome = outcomes[condition.check]
        if condition.outcome != "unknown" and outcome == "unknown":
            return None
        return outcome == condition.outcome
    told = [applies(part, outcomes) for part in condition.parts]
    if condition.join == "not":
        return None if told[0] is None else not told[0]
    decides = condition.join == "any"
    if decides in told:
        return decides
    return None if None in told else not decides


def describe(condition: Condition) -> str:
    """The condition in words."""
    if isinstance(condition, Is):
        return (
            f"{condition.check} is unknown"
            if condition.outcome == "unknown"
            else (f"{condition.check} {condition.outcome}")
        )
    if condition.join == "not":
        return f"not ({describe(condition.parts[0])})"
    word = " and " if condition.join == "all" else " or "
    parts = [
        f"({describe(part)})" if isinstance(part, Joined) and part.join != "not" else describe(part)
        for part in condition.parts
    ]
    return word.join(parts)


def outcomes_in_words(outcomes: Mapping[str, Outcome]) -> str:
    """Which check has which outcome, as in ``a holds, b fails``."""
    if not outcomes:
        return counted(0, "check")
    return ", ".join(
        f"{name} is unknown" if outcome == "unknown" else f"{name} {outcome}"
        for name, outcome in outcomes.items()
    )
