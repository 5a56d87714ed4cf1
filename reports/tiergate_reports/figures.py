"""How figures are written: sensible digits, always a unit, and never a blank."""

from __future__ import annotations

import math
from collections.abc import Callable

from tiergate.record import Interval

NOT_AVAILABLE = "n/a"

_BYTE_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def number(value: float, digits: int = 3) -> str:
    """A number with that many significant digits; whole digits are never rounded away.

    >>> number(0.04213), number(41.27), number(41270.0)
    ('0.0421', '41.3', '41,270')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}") if abs(value) < 10**digits else round(value)
    magnitude = math.floor(math.log10(abs(rounded)))
    decimals = max(digits - 1 - magnitude, 0)
    return f"{rounded:,.{min(decimals, 6)}f}"


def count(value: float) -> str:
    """A count, with separators."""
    return f"{value:,.0f}" if math.isfinite(value) else NOT_AVAILABLE


def milliseconds(value: float) -> str:
    """A time given in milliseconds."""
    return _with_unit(value, "ms")


def seconds(value: float) -> str:
    """A time given in seconds."""
    return _with_unit(value, "s")


def per_second(value: float) -> str:
    """A rate of requests."""
    return _with_unit(value, "requests/s")


def score(value: float) -> str:
    """A score from 0 to 1, with three decimals, as budgets write it."""
    return f"{value:.3f}" if math.isfinite(value) else NOT_AVAILABLE


def percent(value: float) -> str:
    """A share from 0 to 1, in percent; what is not quite none or all is not rounded to it.

    >>> percent(0.034), percent(1.0), percent(0.0), percent(0.99999)
    ('3.4 %', '100 %', '0 %', '> 99.9 %')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    if value in {0, 1}:
        return f"{value * 100:.0f} %"
    if 0 < value < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= value < 1:
        return "> 99.9 %"
    return f"{value * 100:.1f} %"


def ratio(value: float) -> str:
    """A ratio to 1, with a multiplication sign."""
    return f"×{number(value)}" if math.isfinite(value) else NOT_AVAILABLE


def size(value: float) -> str:
    """A size given in bytes, in binary units."""
    if not math.isfinite(value):
        return NOT_AVAILABLE
    step = 0
    while abs(value) >= 1024 and step < len(_BYTE_UNITS) - 1:
        value /= 1024
        step += 1
    return f"{number(value)} {_BYTE_UNITS[step]}"


def span(interval: Interval | None, write: Callable[[float], str] = number) -> str:
    """A confidence interval, or nothing where there is none or its ends are equal (a count)."""
    if interval is None or interval[0] == interval[1]:
        return ""
    return f"{write(interval[0])} to {write(interval[1])}"


def compact_span(interval: Interval | None, write: Callable[[float], str] = number) -> str:
    """The same for narrow columns: with a dash, unless an end is negative."""
    if interval is not None and min(interval) >= 0:
        return span(interval, write).replace(" to ", "–")
    return span(interval, write)


def plural(amount: int, word: str, many: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "round"), plural(2, "try", "tries")
    ('1 round', '2 tries')
    """
    return f"{count(amount)} {word if amount == 1 else many or word + 's'}"


def hours(low: float, high: float) -> str:
    """A range of working time, in hours or in days of 8 hours.

    >>> hours(1, 2), hours(24, 40), hours(0.5, 0.5)
    ('1–2 h', '3–5 days', '0.5 h')
    """
    unit, name = (8.0, "days") if low >= 8 else (1.0, "h")
    ends = [f"{value / unit:.1f}".removesuffix(".0") for value in (low, high)]
    return f"{ends[0] if ends[0] == ends[1] else '–'.join(ends)} {name}"


def joined(words: list[str]) -> str:
    """Words as prose: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}" if math.isfinite(value) else NOT_AVAILABLE
