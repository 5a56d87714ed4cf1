"""Statuses that contradict each other, progress that is not what is stated, and work that nobody touches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tiergate.errors import counted
from tiergate.model import Status
from tiergate.reconcile.findings.view import (
    OPEN,
    Place,
    View,
    listed,
    moment,
    named,
    place_of,
    share,
    words_of,
)
from tiergate.reconcile.grouping import Known, one_record
from tiergate.reconcile_record import Finding, FindingKind, Severity

STALE_DAYS = 14.0
"""An active task that nothing happened to for so long is stale, unless told otherwise."""

WRONG_BY = 0.05
"""Stated and counted progress may differ by so much."""

_FAR = 0.25
_DAY_S = 86_400.0
_OBSOLETE = re.compile(
    r"\b(?:obsolete|outdated|deprecated|no longer (?:needed|relevant|required)|not needed any ?more)\b",
    re.IGNORECASE,
)
_SAYS_PROGRESS = ("progress", "completion", "percent_complete", "percentage", "percent")


def status_conflicts(view: View) -> Iterator[Finding]:
    """Tasks that are one piece of work, completed in one place and not in another."""
    for group in view.groups:
        known = [view[ref] for ref in group]
        statuses = {one.task.status for one in known}
        done, given_up = Status.COMPLETED in statuses, Status.ABANDONED in statuses
        if len(statuses) == 1 or not (statuses & OPEN or (done and given_up)) or not (done or given_up):
            continue
        yield Finding(
            kind=FindingKind.STATUS_CONFLICT,
            severity=_weight(known, done=done),
            tasks=group,
            message=f"{named(known[0])} is "
            + listed([f"{one.task.status} in {place_of(one, known)}" for one in known]),
            hint="look for evidence of it, or answer the question that it leads to",
        )


def _weight(known: list[Known], *, done: bool) -> Severity:
    """Low where one is a later copy of the other, whose plan went on; that is what newest-wins is for."""
    if all(one_record(known[0], one) for one in known[1:]):
        times = {one.task.updated_at for one in known}
        return "low" if None not in times and len(times) > 1 else "medium"
    return "high" if done else "medium"


def contradictions(view: View) -> Iterator[Finding]:
    """Fields of which one source states two things."""
    for known in [*view.tasks.values(), *view.wishes.values()]:
        by_field: dict[str, dict[str, list[str]]] = {}
        for field, value, where in _statements(known.task.extra.get("statements")):
            by_field.setdefault(field, {}).setdefault(value, []).append(where)
        for field, values in sorted(by_field.items()):
            if len(values) > 1:
                said = "; ".join(f"{value} ({listed(places)})" for value, places in values.items())
                yield Finding(
                    kind=FindingKind.CONTRADICTION,
                    severity="medium",
                    tasks=(known.ref,),
                    message=f"{known.ref.source} says two things of the {field} of {named(known)}: {said}",
                    hint="mend the source, or answer which one holds",
                )


def _statements(value: Any) -> Iterator[tuple[str, str, str]]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict) and isinstance(one.get("field"), str):
            said = one.get("value")
            shown = listed(sorted(map(str, said)), 20) if isinstance(said, list | tuple) else str(said)
            yield one["field"], shown, str(one.get("where", ""))


def stale(view: View, days: float) -> Iterator[Finding]:
    """Active tasks that nothing happened to for long."""
    for known in view.tasks.values():
        at = moment(known.task.updated_at) or moment(known.task.created_at)
        if known.task.status is not Status.ACTIVE or at is None:
            continue
        age = (view.inquiry.now - at).total_seconds() / _DAY_S
        if age >= days:
            yield Finding(
                kind=FindingKind.STALE,
                severity="medium",
                tasks=(known.ref,),
                message=f"{named(known)} is active, and nothing happened to it for {age:.0f} days",
                hint="finish it, hand it on, or put it back into the queue",
            )


def obsolete(view: View) -> Iterator[Finding]:
    """Open tasks, and sessions with open tasks, that say that nobody needs them."""
    for place, members in view.sessions.items():
        open_ones = [known for known in members if known.task.status in OPEN]
        if not open_ones:
            continue
        session = open_ones[0].session
        about = " ".join([session.title, *(str(session.extra.get(name, "")) for name in _ABOUT)])
        if _OBSOLETE.search(about[:2000]):
            left = counted(len(open_ones), "open task")
            yield Finding(
                kind=FindingKind.OBSOLETE,
                severity="low",
                tasks=tuple(known.ref for known in open_ones),
                session=place,
                message=f"session {session.id!r} is said to be obsolete, and has {left}",
                hint="check whether its work is done, and close it",
            )
            continue
        for known in open_ones:
            found = _OBSOLETE.search(words_of(known))
            if found is not None and not _is_work(known, found[0]):
                yield Finding(
                    kind=FindingKind.OBSOLETE,
                    severity="low",
                    tasks=(known.ref,),
                    message=f"{named(known)} is open, and its text says {found[0]!r}",
                    hint="abandon it if nobody needs it",
                )


_ABOUT = ("state", "note", "notes", "description", "remark", "role", "status")


def _is_work(known: Known, word: str) -> bool:
    """Whether the word stands in the title, where removing what is obsolete is the task."""
    return word.casefold() in known.task.title.casefold()


def wrong_progress(view: View) -> Iterator[Finding]:
    """Sessions whose stated progress is not what is counted."""
    for place in view.sessions:
        claimed, actual = claimed_progress(view, place), counted_progress(view, place)
        if claimed is None or abs(claimed - actual) <= WRONG_BY:
            continue
        members = [known for known in view.sessions[place] if known.task.status is not Status.ABANDONED]
        done = sum(known.task.status is Status.COMPLETED for known in members)
        yield Finding(
            kind=FindingKind.WRONG_PROGRESS,
            severity="high" if abs(claimed - actual) >= _FAR else "medium",
            tasks=(),
            session=place,
            message=f"session {place[1]!r} claims {claimed:.0%}, and {done} of its {len(members)} tasks"
            f" are completed ({actual:.0%})",
            hint="count again; a plan that overstates itself is trusted for the wrong reasons",
        )


def claimed_progress(view: View, place: Place) -> float | None:
    """Progress that a session states, 0..1; None where it states none."""
    session = view.session(place)
    for name in _SAYS_PROGRESS:
        found = share(session.extra.get(name))
        if found is not None:
            return found
    stated = session.extra.get("stated_progress")
    for one in stated if isinstance(stated, list) else ():
        if isinstance(one, dict):
            found = share(f"{one.get('percent')} %") if "percent" in one else _ratio(one)
            if found is not None:
                return found
    return share(session.title) if "%" in session.title else None


def _ratio(one: dict[str, Any]) -> float | None:
    done, of = one.get("done"), one.get("of")
    if isinstance(done, int) and isinstance(of, int) and of > 0 and 0 <= done <= of:
        return done / of
    return None


def counted_progress(view: View, place: Place) -> float:
    """Completed tasks over all that are not abandoned, 0..1; 0 for none."""
    members = [known for known in view.sessions[place] if known.task.status is not Status.ABANDONED]
    done = sum(known.task.status is Status.COMPLETED for known in members)
    return done / len(members) if members else 0.0
