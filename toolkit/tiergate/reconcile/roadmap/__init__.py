"""One plan of all open work: phases, a critical path, estimates with ranges, and what to run next."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from tiergate.errors import counted
from tiergate.matching import Plan
from tiergate.model import Session
from tiergate.reconcile.roadmap import estimates
from tiergate.reconcile.roadmap.graph import Key, Work
from tiergate.reconcile.roadmap.phases import Part, in_order, is_quick, parts_of
from tiergate.reconcile.roadmap.wished import wished_phases, wishes_left
from tiergate.reconcile_record import (
    Decision,
    Estimate,
    Finding,
    FindingKind,
    MatrixEntry,
    NextCommand,
    Phase,
    PlannedTask,
    Roadmap,
    TaskRef,
)

_PER_QUESTION = Estimate(low_h=0.1, likely_h=0.2, high_h=0.4)
_LEAST_SETTLING = Estimate(low_h=1.0, likely_h=1.5, high_h=2.0)
_STARTS = 3


def make_roadmap(
    sessions: Sequence[Session],
    origins: Mapping[Key, Sequence[TaskRef]],
    *,
    decisions: Sequence[Decision] = (),
    findings: Sequence[Finding] = (),
    wishes: Sequence[Plan] = (),
    matrix: Sequence[MatrixEntry] = (),
    roles: Mapping[str, str] | None = None,
) -> tuple[Roadmap, list[str]]:
    """The roadmap of a merged plan, and remarks about it.

    Args:
        sessions: of the merged plan.
        origins: by session and task, where they come from.
        matrix: how tasks stand to the items of `wishes`; items that no task covers become phases.
        roles: by session, as `SessionAnalysis.role` has it.
    """
    work = Work(sessions)
    names = _Names(origins)
    asked = tuple(dict.fromkeys(ref for one in decisions if one.rule == "ask" for ref in one.tasks))
    left = wishes_left(wishes, matrix)
    parts, last = parts_of(work, sessions, roles or {}, len(left))
    carried_on = [_phase(part, work, names) for part in parts]
    phases = [*_settling(asked, findings), *carried_on]
    phases += wished_phases(left, [phase.name for phase in carried_on])
    phases += [_phase(last, work, names)] if last is not None else []
    broken = [pair for one in (work, *(wished.work for wished in left)) for pair in one.broken]
    remarks = []
    if broken:
        (one, other), *more = broken
        rest = f", and {len(more)} more" if more else ""
        remarks.append(
            f"the roadmap passes over what {one[0]}/{one[1]} needs of {other[1]}, which closes a circle{rest}"
        )
    return (
        Roadmap(
            phases=tuple(phases),
            critical_path=tuple(names[key] for key in work.critical_path()),
            undecided=asked,
            estimate=estimates.total(phase.estimate for phase in phases if phase.estimate is not None),
        ),
        remarks,
    )


class _Names:
    """The references by which tasks of the merged plan are shown: where each stood first."""

    def __init__(self, origins: Mapping[Key, Sequence[TaskRef]]) -> None:
        self._origins = origins

    def __getitem__(self, key: Key) -> TaskRef:
        refs = self._origins.get(key)
        return refs[0] if refs else TaskRef("", *key)


def _settling(asked: Sequence[TaskRef], findings: Sequence[Finding]) -> list[Phase]:
    """The phase before all work: what stands twice, and what a person is asked."""
    twice = [
        one for one in findings if one.kind is FindingKind.DUPLICATE and one.severity in ("critical", "high")
    ]
    if not twice and not asked:
        return []
    many = len(twice) + len(asked)
    guess = Estimate(
        low_h=max(_LEAST_SETTLING.low_h, many * _PER_QUESTION.low_h),
        likely_h=max(_LEAST_SETTLING.likely_h, many * _PER_QUESTION.likely_h),
        high_h=max(_LEAST_SETTLING.high_h, many * _PER_QUESTION.high_h),
    )
    parts = [
        counted(len(twice), "duplication") if twice else "",
        counted(len(asked), "task") if asked else "",
    ]
    said = " and ".join(filter(None, [parts[0], f"open questions about {parts[1]}" if asked else ""]))
    return [
        Phase(name="Resolve duplication", tasks=(), why=f"{said}: nobody should work twice", estimate=guess)
    ]


def _phase(part: Part, work: Work, names: _Names) -> Phase:
    order = in_order(work, part.tasks)
    layers: dict[int, list[TaskRef]] = defaultdict(list)
    for key in order:
        layers[work.layer[key]].append(names[key])
    whole = [found for found in map(estimates.of_session, part.sessions) if found is not None]
    return Phase(
        name=part.name,
        why=part.why,
        tasks=tuple(
            PlannedTask(
                task=names[key],
                title=work.tasks[key].title,
                status=work.tasks[key].status,
                blocked_by=tuple(names[one] for one in work.waits_for[key]),
                quick_win=is_quick(work, key),
                estimate=work.estimates[key],
            )
            for key in order
        ),
        estimate=estimates.total(whole or [work.estimates[key] for key in order]),
        side_by_side=tuple(tuple(group) for group in layers.values() if len(group) > 1),
    )


def next_commands(
    command: Sequence[str],
    roadmap: Roadmap,
    decisions: Sequence[Decision],
    sessions: Collection[str],
    *,
    applied: bool,
) -> list[NextCommand]:
    """What to run now: answer what is open, write what is decided, begin what is free.

    Args:
        command: the words of this run, to be repeated with an option more.
        sessions: ids of the merged plan's; an item of a list is in none of them yet.
    """
    asked = sum(one.rule == "ask" for one in decisions)
    again = shlex.join(command)
    found = []
    if asked:
        found.append(
            NextCommand(command=f"{again} --review", why=f"{counted(asked, 'question')} for a person")
        )
    if not applied:
        changes = sum(len(one.changes) for one in decisions)
        decided = f", with {counted(changes, 'decided change')}" if changes else " as it is"
        found.append(
            NextCommand(
                command=f"{again} --apply sqlite:merged.db", why=f"writes the plan{decided}; can be undone"
            )
        )
    undecided, path = frozenset(roadmap.undecided), frozenset(roadmap.critical_path)
    free = [
        task
        for phase in roadmap.phases
        for task in phase.tasks
        if not task.blocked_by and task.task not in undecided and task.task.session in sessions
    ]
    for task in _first_of(free, path):
        named = f"session={task.task.session!r} task={task.task.task!r}"
        is_active = task.status == "active"
        words = f"task_progress {named}" if is_active else f"task_update {named} status='active'"
        on_path = task.task in path
        state = "under way" if is_active else "free to begin"
        why = f"{task.title}: {state}" + (", and on the critical path" if on_path else "")
        found.append(NextCommand(command=words, why=why + (", a quick win" if task.quick_win else "")))
    return found


def _first_of(free: Sequence[PlannedTask], path: frozenset[TaskRef]) -> list[PlannedTask]:
    """The few to begin with: what is under way, quick wins, then what is on the critical path."""
    return sorted(free, key=lambda one: (one.status != "active", not one.quick_win, one.task not in path))[
        :_STARTS
    ]
