"""What the decisions say about each task of the merged plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tiergate.errors import UsageError
from tiergate.model import Status, Task
from tiergate.reconcile_record import Change, Decision, TaskRef

ASK = "ask"
"""The rule of a decision that a person has to take."""

MERGED_INTO = "merged_into"
UNDECIDED = "undecided"

Key = tuple[str, str]
"""Session and task of the merged plan."""

_FIELDS = frozenset(Task.__struct_fields__) - {"id", "extra"}


@dataclass(slots=True)
class Verdict:
    """What was decided about one task, and what was not.

    Attributes:
        values: decided values, by field; what is no field of a task is a key of its `extra`.
        settled: fields in question on which a rule has ruled, changing something or not.
        questions: ids of the questions that were ruled on.
        open: questions for a person, as they stand in ``extra["undecided"]``.
        merged_into: the task that carries it on.
    """

    values: dict[str, Any] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    questions: set[str] = field(default_factory=set)
    open: list[dict[str, Any]] = field(default_factory=list)
    merged_into: Key | None = None


NOTHING = Verdict()


def verdicts(
    decisions: Iterable[Decision],
    home: Callable[[TaskRef], Key | None],
    translated: Callable[[TaskRef, list[str]], list[str]],
) -> dict[Key, Verdict]:
    """What is said of each task; tasks of which nothing is said are left out.

    Where decisions contradict each other, none of them holds: the field is open. So are tasks that are said
    to be carried on by each other in a circle, since nobody would do the work.

    Args:
        home: where a task of a source stands in the merged plan; None for one that is not in it.
        translated: ids of dependencies as the session of a task means them, to ids of the merged plan.

    Raises:
        UsageError: a decision sets what no task can have.
    """
    found: defaultdict[Key, Verdict] = defaultdict(Verdict)
    said: defaultdict[tuple[Key, str], list[Any]] = defaultdict(list)
    for decision in decisions:
        for place in dict.fromkeys(filter(None, map(home, decision.tasks))):
            _note(found[place], decision)
        for change in decision.changes:
            if (at := home(change.task)) is not None:
                said[at, _field_of(change, decision)].append(_value(change, decision, home, translated))
    for (place, name), values in said.items():
        different = [value for number, value in enumerate(values) if value not in values[:number]]
        if len(different) > 1:
            found[place].open.append({"field": name, "options": list(map(_plain, different))})
        elif name == MERGED_INTO:
            found[place].merged_into = different[0] if different[0] != place else None
        else:
            found[place].values[name] = different[0]
            found[place].settled.add(name)
    for place in _in_circles(found):
        into, found[place].merged_into = found[place].merged_into, None
        found[place].open.append({"field": MERGED_INTO, "options": [_plain(into)]})
    for verdict in found.values():
        if verdict.merged_into is not None:
            verdict.settled |= {"status", MERGED_INTO}
    return dict(found)


def decided(task: Task, verdict: Verdict) -> Task:
    """The task with what was decided.

    Raises:
        UsageError: a value is none that its field can have.
    """
    values = dict(verdict.values)
    if verdict.merged_into is not None:
        values["status"] = Status.ABANDONED
        values[MERGED_INTO] = _plain(verdict.merged_into)
    if not values:
        return task
    plain = msgspec.to_builtins(task)
    extra = dict(task.extra)
    for name, value in values.items():
        if name in _FIELDS:
            plain[name] = value
        elif value is None:
            extra.pop(name, None)
        else:
            extra[name] = value
    try:
        return msgspec.convert({**plain, "extra": extra}, Task)
    except msgspec.ValidationError as error:
        raise UsageError(f"a decision about task {task.id!r} gives what no task can have: {error}") from error


def _note(verdict: Verdict, decision: Decision) -> None:
    if decision.rule == ASK:
        verdict.open.append(
            {"question": decision.question, "field": decision.field, "options": list(decision.options)}
        )
        return
    if decision.field:
        verdict.settled.add(decision.field)
    if decision.question:
        verdict.questions.add(decision.question)


def _field_of(change: Change, decision: Decision) -> str:
    if change.field in {"id", "extra"}:
        raise UsageError(
            f"rule {decision.rule!r} sets {change.field!r} of task {change.task}, which cannot be decided",
            hint="name a field such as status, or a key of `extra`",
        )
    return change.field.removeprefix("extra.")


def _value(
    change: Change,
    decision: Decision,
    home: Callable[[TaskRef], Key | None],
    translated: Callable[[TaskRef, list[str]], list[str]],
) -> Any:
    if change.after is None:
        return None
    try:
        if change.field == "dependencies":
            return translated(change.task, msgspec.convert(change.after, list[str]))
        if change.field != MERGED_INTO:
            return change.after
        target = msgspec.convert(change.after, TaskRef)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"rule {decision.rule!r} gives task {change.task} a wrong {change.field}: {error}"
        ) from error
    return home(target) or (target.session, target.task)


def _plain(value: Any) -> Any:
    """A place as it stands in ``extra``; other values as they are."""
    return {"session": value[0], "task": value[1]} if isinstance(value, tuple) else value


def _in_circles(found: dict[Key, Verdict]) -> Iterator[Key]:
    """Tasks from which following `merged_into` leads back to them."""
    ends: set[Key] = set()  # of which it is known that they are in no circle, or in which
    circles: list[Key] = []
    for start in found:
        way: dict[Key, None] = {}
        place: Key | None = start
        while place is not None and place not in way and place not in ends:
            way[place] = None
            place = found[place].merged_into if place in found else None
        if place in way:
            passed = list(way)
            circles += passed[passed.index(place) :]
        ends.update(way)
    yield from circles
