"""The newest time: what was written last was written by somebody who could know the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tiergate.deciding import Inquiry, Option, Question, Ruling, folded
from tiergate.hooks import DecisionRuleDeclaration, hookimpl

WITHOUT_OFFSET = timedelta(hours=14)
"""How far a time without an offset may be from what it says: offsets go from -12 to +14 hours."""

CLOCKS = timedelta(days=1)
"""A time that lies further in the future is wrong."""


class _Timed(NamedTuple):
    at: datetime
    sure: bool
    option: Option


def rule(question: Question, inquiry: Inquiry) -> Ruling:
    """Rule on any field by `updated_at`. Equal, missing, unreadable and impossible times are passed on.

    So are times without an offset that lie so near to the newest that the missing offset could turn them,
    unless both stand in one source.
    """
    times = []
    for option in question.options:
        timed = _timed(option, inquiry.now)
        if isinstance(timed, str):
            return Ruling(reason=f"{option.task} {timed}")
        times.append(timed)
    newest = max(times, key=lambda one: one.at)
    says = folded(question.field, newest.option.value)
    others = [one for one in times if folded(question.field, one.option.value) != says]
    if not others:
        return Ruling(reason="all say the same")
    return _compared(newest, max(others, key=lambda one: one.at))


def _compared(newest: _Timed, second: _Timed) -> Ruling:
    winner, other = newest.option, second.option
    if newest.at == second.at:
        return Ruling(reason=f"{winner.task} and {other.task} were changed at the same moment")
    missing = (not newest.sure) + (not second.sure)
    one_clock = missing == 2 and winner.task.source == other.task.source
    if not one_clock and newest.at - second.at <= WITHOUT_OFFSET * missing:
        return Ruling(reason=f"{winner.updated_at} and {other.updated_at}: an offset is missing")
    reason = f"{winner.task} was changed last, at {winner.updated_at}; {other.task} at {other.updated_at}"
    return Ruling(decided=True, value=winner.value, reason=reason)


def _timed(option: Option, now: datetime) -> _Timed | str:
    """When an option was written, or why that cannot be told."""
    if option.updated_at is None:
        return "does not say when it was changed"
    try:
        time = datetime.fromisoformat(option.updated_at)
    except ValueError:
        return f"was changed at {option.updated_at!r}, which is no time"
    timed = _Timed(time if time.tzinfo else time.replace(tzinfo=UTC), time.tzinfo is not None, option)
    return (
        timed if timed.at <= now + CLOCKS else f"was changed at {option.updated_at}, which is still to come"
    )


@hookimpl
def tiergate_decision_rules() -> Iterator[DecisionRuleDeclaration]:
    """The rule of this module."""
    yield DecisionRuleDeclaration(
        name="newest", summary="what was changed last, offsets parsed", rank=400, rule=rule
    )
