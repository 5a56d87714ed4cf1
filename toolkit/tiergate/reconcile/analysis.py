"""What each session is: its role among the others, and its claimed against its counted progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from tiergate.model import Session
from tiergate.reconcile.findings.statuses import claimed_progress, counted_progress
from tiergate.reconcile.findings.view import Place, View
from tiergate.reconcile_record import Finding, FindingKind, Progress, SessionAnalysis

Role = Literal["primary", "secondary", "duplicate", "obsolete"]
_ROLES: dict[str, Role] = {
    "primary": "primary", "main": "primary", "secondary": "secondary", "duplicate": "duplicate",
    "obsolete": "obsolete",
}  # fmt: skip
_RANKS = {"critical": 4, "highest": 4, "high": 3, "medium": 2, "normal": 2, "low": 1, "lowest": 0}


def analyse(view: View, findings: Sequence[Finding]) -> list[SessionAnalysis]:
    """Every session of every source, in the order given.

    The role is, by the first that applies: ``obsolete`` and ``duplicate`` where a finding about the whole
    session says so; what the source says; ``primary`` for the session of the highest priority, and among
    those for the one with most tasks; ``secondary`` for the rest.
    """
    about = {one.session: one for one in reversed(findings) if one.session and one.kind in _TELLING}
    stated = {place: _stated_role(view.session(place)) for place in view.sessions}
    first = _first(view, [place for place in view.sessions if place not in about])
    has_primary = "primary" in stated.values()
    found = []
    for place in view.sessions:
        role: Role = "primary" if place == first and not has_primary else "secondary"
        why = _WHY[role]
        own = stated[place]
        if place in about:
            role, why = _TELLING[about[place].kind], about[place].message
        elif own is not None:
            role, why = own, "its source says so"
        found.append(_analysis(view, place, role, why))
    return found


_TELLING: dict[FindingKind, Role] = {FindingKind.DUPLICATE: "duplicate", FindingKind.OBSOLETE: "obsolete"}
_WHY = {"primary": "of the highest priority, and the largest of those", "secondary": "another one is primary"}


def _first(view: View, places: Sequence[Place]) -> Place | None:
    def weight(place: Place) -> tuple[int, int]:
        return _RANKS.get(_priority(view.session(place)).casefold(), 2), len(view.sessions[place])

    return max(
        places, key=lambda place: (weight(place), [-ord(sign) for sign in "".join(place)]), default=None
    )


def _analysis(view: View, place: Place, role: Role, why: str) -> SessionAnalysis:
    session = view.session(place)
    counts = Counter(str(known.task.status) for known in view.sessions[place])
    return SessionAnalysis(
        source=place[0],
        id=place[1],
        title=session.title,
        role=role,
        why=why,
        claimed=claimed_progress(view, place),
        actual=counted_progress(view, place),
        priority=_priority(session),
        counts=Progress(**counts),
    )


def _stated_role(session: Session) -> Role | None:
    return _ROLES.get(_word(session.extra.get("role")).casefold())


def _priority(session: Session) -> str:
    return _word(session.extra.get("priority"))


def _word(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
