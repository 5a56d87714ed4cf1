"""Work that stands twice, ids that stand for two tasks, and tasks that another one replaces."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from tiergate.model import Status
from tiergate.reconcile.findings.view import OPEN, Place, View, listed, named, words_of
from tiergate.reconcile.grouping import one_record
from tiergate.reconcile_record import Finding, FindingKind, Match, MatchKind, Severity

MOST_OF_A_SESSION = 0.5
"""From this share of its tasks on, a session is one that another session has already."""

_REPLACED = re.compile(
    r"\b(?:superseded|replaced|obsoleted|subsumed)\s+(?:by|in)\s+[`'\"]?#?(?P<by>[\w.:/-]*[\w/-])",
    re.IGNORECASE,
)


def duplicates(view: View) -> Iterator[Finding]:
    """Tasks of one session that are one, and sessions or tasks that another session has too."""
    for one in view.matches(MatchKind.DUPLICATE):
        if one.a in view.tasks and one.b in view.tasks:
            yield from _inside(view, one)
    pairs: dict[tuple[Place, Place], list[Match]] = defaultdict(list)
    for one in view.links:
        if one.kind is MatchKind.SAME and not one_record(view[one.a], view[one.b]):
            places = (one.a.source, one.a.session), (one.b.source, one.b.session)
            if places[0] != places[1]:
                pairs[places].append(one)
    living = {place: _living(view, place) for place in {place for both in pairs for place in both}}
    for (first, second), matches in sorted(pairs.items()):
        yield from _across(view, first, second, matches, living)


def _inside(view: View, one: Match) -> Iterator[Finding]:
    first, second = view[one.a], view[one.b]
    if view.is_settled(first) or view.is_settled(second):
        return
    both = first.task.status in OPEN and second.task.status in OPEN
    yield Finding(
        kind=FindingKind.DUPLICATE,
        severity="medium" if both else "low",
        tasks=(one.a, one.b),
        message=f"{named(first)} and {named(second)} are one task: {one.reason}",
        hint="keep one, and merge the other into it" if both else "",
    )


def _across(
    view: View, first: Place, second: Place, matches: list[Match], living: Mapping[Place, int]
) -> Iterator[Finding]:
    """One finding where most of the smaller session is in the other, else one for each pair of tasks."""
    small, big = sorted((first, second), key=lambda place: (living[place], place))
    mine = {ref for one in matches for ref in (one.a, one.b) if (ref.source, ref.session) == small}
    of = living[small]
    whole = len(matches) > 1 and (len(mine) >= MOST_OF_A_SESSION * of or _says_so(view, small))
    worst: Severity = max((_weight(view, one) for one in matches), key=_RANK.index)
    if not whole:
        for one in matches:
            yield Finding(
                kind=FindingKind.DUPLICATE,
                severity=_weight(view, one),
                tasks=(one.a, one.b),
                message=f"{named(view[one.a])} is planned again as {named(view[one.b])}: {one.reason}",
                hint="decide which session carries it on",
            )
        return
    yield Finding(
        kind=FindingKind.DUPLICATE,
        severity="critical" if worst == "high" else worst,
        tasks=tuple(ref for one in matches for ref in (one.a, one.b)),
        session=small,
        message=f"session {small[1]!r} repeats {big[1]!r}: {len(mine)} of its {of} tasks stand there too",
        hint=f"carry on one of the two, and merge {listed(sorted(ref.task for ref in mine))} into it",
    )


_RANK = ("low", "medium", "high")


def _weight(view: View, one: Match) -> Severity:
    """High where somebody works twice, or where one side thinks that the work is done."""
    statuses = {view[one.a].task.status, view[one.b].task.status}
    if statuses <= OPEN or (statuses & OPEN and Status.COMPLETED in statuses):
        return "high"
    return "low"


def _living(view: View, place: Place) -> int:
    """How many tasks are not abandoned, without the parts that one of them was divided into."""
    ids = {known.ref.task for known in view.sessions[place]}
    return sum(
        known.task.status != Status.ABANDONED and known.ref.task.rpartition(".")[0] not in ids
        for known in view.sessions[place]
    )


def _says_so(view: View, place: Place) -> bool:
    """Whether a session calls itself a duplicate."""
    session = view.session(place)
    said = " ".join(
        [session.title, *(str(session.extra.get(name, "")) for name in ("role", "state", "note"))]
    )
    return "duplicate" in said[:2000].casefold()


def collisions(view: View) -> Iterator[Finding]:
    """One id on two tasks, or one number on two items of lists."""
    for one in view.matches(MatchKind.COLLISION):
        in_plans = one.a in view.tasks and one.b in view.tasks
        in_wishes = one.a in view.wishes and one.b in view.wishes
        if not in_plans and not in_wishes:
            continue  # a task and an item of a list are numbered apart
        known = view.tasks if in_plans else view.wishes
        yield Finding(
            kind=FindingKind.COLLISION,
            severity="high" if in_plans else "medium",
            tasks=(one.a, one.b),
            message=f"the id {one.a.task!r} stands for {named(known[one.a])} and for {named(known[one.b])}",
            hint="refer to them by their titles; merging gives the second a new id",
        )


def superseded(view: View) -> Iterator[Finding]:
    """Tasks that say what replaces them: open ones still, or of a successor that is not there."""
    for known in view.tasks.values():
        found = _REPLACED.search(words_of(known))
        if found is None or view.is_settled(known) or found["by"] in _NO_NAME:
            continue
        by = found["by"]
        place = (known.ref.source, known.ref.session)
        there = any(by == other.ref.task for other in view.sessions[place]) or any(
            by == session for _, session in view.sessions
        )
        is_open = known.task.status in OPEN
        if not is_open and there:
            continue
        yield Finding(
            kind=FindingKind.SUPERSEDED,
            severity="medium" if is_open else "low",
            tasks=(known.ref,),
            message=f"{named(known)} says that {by!r} replaces it"
            + (", and is still open" if is_open else "")
            + ("" if there else ", which is in no plan"),
            hint="abandon it" if is_open and there else "name the successor, or plan it",
        )


_NO_NAME = frozenset({"a", "an", "the", "this", "that", "it", "new", "another", "one"})
