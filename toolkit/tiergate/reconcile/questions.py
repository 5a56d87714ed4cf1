"""What plans do not agree on: one question for each field of each piece of work.

Statuses are compared among all tasks that are one piece of work. Titles, notes and weights are compared among
versions of one record only: two plans may word the same work in two ways, and neither is wrong. Labels and
dependencies of another record are a question where the task that carries on lacks some of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tiergate.deciding import Inquiry, Option, Question, evidence_about, folded
from tiergate.model import Status, Task
from tiergate.proof import weigh
from tiergate.reconcile.bases import Bases
from tiergate.reconcile.following import follow_merged
from tiergate.reconcile.grouping import Known, Pair, Tasks, as_json, components, doubtful, links, records
from tiergate.reconcile.homes import Home, Homes
from tiergate.reconcile_record import Match, MatchKind, TaskRef

TEXT_FIELDS = ("title", "notes", "weight")
FIELDS = ("status", *TEXT_FIELDS, "dependencies", "labels")
"""Fields that are compared, in the order of the questions."""

SAME, APART = "same", "apart"
"""The answers to a question about the field ``same``."""


class Group(msgspec.Struct, frozen=True):
    """Tasks that are one piece of work, sorted, and the one of them that carries on."""

    tasks: tuple[TaskRef, ...]
    home: Home


class Asking:
    """Asks about one inquiry; what several questions need is prepared once."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.tasks = Tasks(inquiry)
        self.inquiry = follow_merged(inquiry, self.tasks)
        self.links = links(inquiry, self.tasks)
        self._bases = Bases(inquiry)
        self._homes = Homes(inquiry, self.tasks)
        self._members: dict[TaskRef, tuple[TaskRef, ...]] = {}
        self._settled: Collection[TaskRef] = ()
        self._merged: Mapping[TaskRef, TaskRef] = {}

    def leave(self, settled: Collection[TaskRef], merged: Mapping[TaskRef, TaskRef]) -> None:
        """Ask no more about tasks whose status is settled, and take those as one that somebody has merged."""
        kept = [one for one in self.links if not {one.a, one.b} & set(settled)]
        said = [
            Match(
                a=min(pair),
                b=max(pair),
                kind=MatchKind.SAME,
                score=1,
                probability=1,
                reason="they were merged",
            )
            for pair in merged.items()
            if not set(pair) & set(settled)
        ]
        self.links = sorted([*kept, *said], key=lambda one: (one.a, one.b))
        self._settled, self._merged = settled, merged

    def group(
        self,
        joined: Collection[Pair] = (),
        apart: Collection[Pair] = (),
        homes: Mapping[TaskRef, str] | None = None,
    ) -> list[Group]:
        """The groups, where these pairs are joined or kept apart whatever their match says.

        Args:
            homes: tasks that a person wants to carry on, and by which words.
        """
        found = [Group(one, self._home(one, homes or {})) for one in components(self.links, joined, apart)]
        self._members = {ref: group.tasks for group in found for ref in group.tasks}
        return found

    def _home(self, group: tuple[TaskRef, ...], named: Mapping[TaskRef, str]) -> Home:
        """What a person has named, else what others were merged into, else what the rule of homes says."""
        for ref in group:
            if ref in named:
                return Home(ref, named[ref])
        carrying = {self._merged[ref] for ref in group if ref in self._merged} & set(group) - set(
            self._merged
        )
        return self._homes.choose(sorted(carrying) or group)

    def about_links(self, joined: Collection[Pair] = ()) -> list[tuple[Match, Question]]:
        """Of every pair whose match is not sure, whether it is one piece of work."""
        return [
            (one, self._question("same", [self.tasks[one.a], self.tasks[one.b]], [], titles=True))
            for one in doubtful(self.links, joined)
        ]

    def about_fields(self, groups: Sequence[Group]) -> Iterator[tuple[Group, Question]]:
        """Of every group the fields that it does not agree on, and each status that evidence doubts."""
        alone = self._in_doubt(groups)
        for group in sorted([*groups, *alone], key=lambda one: one.tasks):
            known = [self.tasks[ref] for ref in group.tasks]
            statuses = {one.task.status for one in known}
            if len(statuses) > 1 or self._is_doubted(group.tasks, known[0].task.status):
                yield group, self._question("status", known, self._bases.of(known))
            for record in records(group.tasks, self.tasks):
                for name in TEXT_FIELDS:
                    if self._differ(name, record):
                        yield group, self._question(name, record, self._bases.of(record))
            for name in ("dependencies", "labels"):
                question = self._about_set(name, known, self.tasks[group.home.ref])
                if question is not None:
                    yield group, question

    def _in_doubt(self, groups: Sequence[Group]) -> list[Group]:
        """Each task of no group that declared evidence speaks against."""
        grouped = {ref for group in groups for ref in group.tasks}
        about = {one.task for one in self.inquiry.evidence if one.declared and one.task is not None}
        return [
            Group((ref,), Home(ref, "there is no other"))
            for ref in sorted(about - grouped - set(self._settled) - set(self._merged))
            if ref in self.tasks and self._is_doubted((ref,), self.tasks[ref].task.status)
        ]

    def _is_doubted(self, tasks: Sequence[TaskRef], status: Status) -> bool:
        """Whether evidence that a person asked for contradicts a status that all tasks agree on.

        Inferred evidence does not: that a text names a file is no promise about it.
        """
        found = evidence_about(self.inquiry, tasks)
        if not found or status == Status.ABANDONED:
            return False
        proof = weigh(found)
        if not proof.declared:
            return False
        return proof.of in ("begun", "missing") if status == Status.COMPLETED else proof.of == "done"

    @staticmethod
    def _differ(name: str, known: Sequence[Known]) -> bool:
        said = {getattr(one.task, name) for one in known}
        return len(said) > 1 and len({folded(name, one) for one in said}) > 1

    def _about_set(self, name: str, known: Sequence[Known], home: Known) -> Question | None:
        if len({getattr(one.task, name) for one in known}) == 1 and (
            not getattr(home.task, name) or all(one.session.id == home.session.id for one in known)
        ):
            return None
        values = {one.ref: self._as_at(name, one, one.task, home) for one in known}
        kept = {
            folded(name, values[one.ref])
            for one in known
            if (one.ref.session, one.ref.task) == (home.ref.session, home.ref.task)
        }
        lacking = any(folded(name, value) - folded(name, values[home.ref]) for value in values.values())
        if len(kept) == 1 and not lacking:
            return None
        base = [(one, self._as_at(name, one, task, home)) for one, task in self._bases.of(known)]
        options = tuple(
            Option(task=one.ref, value=values[one.ref], updated_at=one.task.updated_at) for one in known
        )
        return _with_base(name, known, options, [value for _, value in base])

    def _as_at(self, name: str, one: Known, task: Task, home: Known) -> list[str]:
        """A set of a task as the home would have it: dependencies become ids of the home's session.

        A dependency on a task that the home's session does not have is left out, and so is one on the work
        itself; the task that is merged keeps both.
        """
        if name != "dependencies" or (one.ref.session, one.ref.task) == (home.ref.session, home.ref.task):
            return list(getattr(task, name))
        itself = {ref.task for ref in self._members.get(home.ref, ()) if ref.session == home.ref.session}
        found = (self._at_home(needed, one.ref, home.ref) for needed in task.dependencies)
        return list(dict.fromkeys(ref for ref in found if ref is not None and ref not in itself))

    def _at_home(self, needed: str, ref: TaskRef, home: TaskRef) -> str | None:
        """The id in the home's session of what another task needs; None where it has no such task."""
        if ref.session == home.session:
            return needed
        for near in self._members.get(TaskRef(ref.source, ref.session, needed), ()):
            if near.session == home.session:
                return near.task
        twin = TaskRef(home.source, home.session, needed)
        return needed if not needed.isdecimal() and twin in self.tasks else None

    def _question(
        self, name: str, known: Sequence[Known], base: Sequence[tuple[Known, Task]], *, titles: bool = False
    ) -> Question:
        said = "title" if titles else name
        options = tuple(
            Option(task=one.ref, value=as_json(getattr(one.task, said)), updated_at=one.task.updated_at)
            for one in known
        )
        return _with_base(name, known, options, [as_json(getattr(task, said)) for _, task in base])


def questions(inquiry: Inquiry) -> list[Question]:
    """Everything that the plans leave open before anybody has answered, in the order of the tasks.

    Pairs come first of which it is not sure whether they are one piece of work. Their fields are no questions
    until somebody says that they are.
    """
    asking = Asking(inquiry)
    found = [question for _, question in asking.about_links()]
    return [*found, *(question for _, question in asking.about_fields(asking.group()))]


def _with_base(
    name: str, known: Sequence[Known], options: tuple[Option, ...], values: Sequence[Any]
) -> Question:
    """A question, with the base where all that was found there is the same."""
    agreed = len({folded(name, value) for value in values}) == 1
    return Question(
        id=question_id(name, known),
        field=name,
        options=options,
        base=values[0] if agreed else None,
        has_base=agreed,
    )


def question_id(name: str, known: Sequence[Known]) -> str:
    """The field, the first task, and a digest of all: equal in every run, wherever the sources lie.

    Sources are left out, since their paths differ from machine to machine; titles are in, since an id is not
    an identity.
    """
    parts = sorted((one.ref.session, one.ref.task, folded("title", one.task.title)) for one in known)
    digest = hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:8]
    return f"{name}:{parts[0][0]}/{parts[0][1]}:{digest}"
