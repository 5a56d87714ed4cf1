"""How long work takes: what texts state, and what weights suggest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tiergate.model import Session, Task
from tiergate.reconcile_record import Estimate

DAY_H = 8.0
QUICK_H = 2.0
"""Work that is likely to take no longer is a quick win."""

GUESS_H = 4.0
"""A task of middling weight is guessed to take so long, half of it at least and twice as long at most."""

_UNITS = {"m": 1 / 60, "h": 1.0, "d": DAY_H, "w": 5 * DAY_H}
_RANGE = re.compile(
    r"(?<![\w.,-])[~≈]?\s?(?P<low>\d{1,4}(?:[.,]\d+)?)\s*(?:(?:-|–|to)\s*(?P<high>\d{1,4}(?:[.,]\d+)?)\s*)?-?"
    r"(?P<unit>min(?:ute)?s?|h(?:ours?|rs?)?|d(?:ays?)?|w(?:eeks?|ks?)?)\b",
    re.IGNORECASE,
)
_ISO = re.compile(r"^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$")
_FIELDS = ("estimate", "estimated", "estimated_time", "effort", "duration")
_LONGEST = 2_000


def parse(text: str) -> Estimate | None:
    """The first span of time in a text, such as ``1-2 h``, ``~3 days`` or ``PT2H``; None where there is none.

    Without a range, it may take half as long again.
    """
    text = text[:_LONGEST].strip()
    iso = _ISO.match(text)
    if iso and any(iso.groups()):
        weeks, days, hours, minutes = (float(part or 0) for part in iso.groups())
        total = weeks * _UNITS["w"] + days * _UNITS["d"] + hours + minutes / 60
        return _spanning(total, total * 1.5)
    found = _RANGE.search(text)
    if found is None:
        return None
    unit = _UNITS[found["unit"][0].lower()]
    low = float(found["low"].replace(",", ".")) * unit
    high = float(found["high"].replace(",", ".")) * unit if found["high"] else low * 1.5
    return _spanning(*sorted((low, high)))


def _spanning(low: float, high: float) -> Estimate:
    return Estimate(low_h=low, likely_h=(low + high) / 2, high_h=high, stated=True)


def stated(extra: dict[str, Any], *texts: str) -> Estimate | None:
    """What is stated in the fields of a task or session, or in its texts."""
    for field in _FIELDS:
        value = extra.get(field)
        found = parse(value) if isinstance(value, str) else None
        if found is not None:
            return found
    return next(filter(None, map(parse, texts)), None)


def of_task(task: Task, usual_weight: float) -> Estimate:
    """What a task states, or a guess by its weight over the usual one."""
    found = stated(task.extra, task.title, task.notes)
    if found is not None:
        return found
    likely = GUESS_H * (task.weight / usual_weight if usual_weight > 0 else 1.0)
    return Estimate(low_h=likely / 2, likely_h=likely, high_h=likely * 2)


def of_session(session: Session) -> Estimate | None:
    """What a session as a whole states."""
    return stated(session.extra, session.title)


def total(parts: Iterable[Estimate]) -> Estimate | None:
    """One after the other: the sums of the lowest, the likely and the highest, which is wider than chance
    would have it. None for nothing."""
    found = list(parts)
    if not found:
        return None
    return Estimate(
        low_h=sum(one.low_h for one in found),
        likely_h=sum(one.likely_h for one in found),
        high_h=sum(one.high_h for one in found),
        stated=all(one.stated for one in found),
    )
