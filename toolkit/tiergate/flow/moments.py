"""Moments: RFC 3339 text in tasks and results, seconds since 1970 (UTC) in formulas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_MICROSECONDS = 1e6


def seconds_of(text: object) -> float | None:
    """The moment that a text names; None for one that is no time. Without an offset it is UTC's."""
    if not isinstance(text, str):
        return None
    try:
        return moment_of(datetime.fromisoformat(text))
    except ValueError:
        return None


def moment_of(time: datetime) -> float:
    """Seconds since 1970 of a time; one without an offset is UTC's."""
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) / timedelta(seconds=1)


def text_of(seconds: float) -> str:
    """RFC 3339 text of a moment, in UTC, to the microsecond; beyond the calendar, its end."""
    try:
        time = _EPOCH + timedelta(microseconds=round(seconds * _MICROSECONDS))
    except OverflowError:
        time = _LAST if seconds > 0 else _FIRST
    return time.isoformat().replace("+00:00", "Z")
