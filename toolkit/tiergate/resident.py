"""A store that keeps the sessions it met last decoded, and gives them only while they are the newest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec

from tiergate.model import Session, Task
from tiergate.store import SessionNotFound, Store, task_not_found
from tiergate.store_front import StoreFront

PROMOTE_AFTER = 2
"""Reads of single tasks of one session after which the whole of it is loaded and kept."""

TOO_LARGE_FOR = 10_000
"""Reads of single tasks before a session that was too large to keep is loaded as a whole again."""

_GLIMPSES_KEPT = 1024


class Resident:
    """A decoded session and where its tasks are.

    A caller may change an ``extra`` in place, so nobody gets one that is kept: see `hand_out`.
    """

    __slots__ = ("extras", "places", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.places = {task.id: place for place, task in enumerate(session.tasks)}
        self.extras = dict.fromkeys(place for place, task in enumerate(session.tasks) if task.extra)

    def hand_out(self) -> Session | None:
        """The session for a caller, with its own copy of every ``extra`` that holds something.

        None when a caller filled one that was empty and therefore shared: a dictionary for each of thousands
        of tasks would cost more than decoding them.
        """
        session = self.session
        if sum(1 for task in session.tasks if task.extra) != len(self.extras):
            return None
        tasks = session.tasks
        if self.extras:
            own = list(tasks)
            for place in self.extras:
                own[place] = with_own_extra(own[place])
            tasks = tuple(own)
        return msgspec.structs.replace(session, tasks=tasks, extra=_copy(session.extra))

    def hand_out_task(self, place: int) -> Task | None:
        """One task for a caller; None when a caller filled its ``extra``, as in `hand_out`."""
        task = self.session.tasks[place]
        return with_own_extra(task) if bool(task.extra) == (place in self.extras) else None

    def written(self, tasks: Iterable[Task], version: int) -> Resident:
        """This session after `Store.upsert_tasks`."""
        now = list(self.session.tasks)
        for task in tasks:
            place = self.places.get(task.id)
            if place is None:
                now.append(with_own_extra(task))
            else:
                now[place] = with_own_extra(task)
        return Resident(msgspec.structs.replace(self.session, tasks=tuple(now), version=version))


class ResidentStore(StoreFront):
    """Keeps whole sessions decoded, those used last.

    Every read first asks the store for the version of the session now. As a version is never used twice, what
    is given is what the store holds at that moment, whichever process wrote it. Own writes go to the store,
    and then to what is kept. Inside a transaction nothing is given and nothing is kept, as it may be undone.

    Args:
        store: what it stands in front of; it is closed with this.
        limit: tasks that are kept, over all sessions; a larger session is not.
    """

    def __init__(self, store: Store, limit: int) -> None:
        super().__init__(store)
        self._limit = limit
        self._held = 0
        self._kept: OrderedDict[str, Resident] = OrderedDict()
        self._glimpses: OrderedDict[str, int] = OrderedDict()

    @property
    def held_tasks(self) -> int:
        """Tasks that are kept now; a session counts one more."""
        return self._held

    def load(self, session_id: str) -> Session:
        if self._inside:
            return self._store.load(session_id)
        kept = self._newest(session_id)
        if kept is not None:
            session = kept.hand_out()
            if session is not None:
                return session
        session = self._store.load(session_id)
        self._keep(session)
        return session

    def load_task(self, session_id: str, task_id: str) -> tuple[Task, int]:
        if self._inside:
            return self._store.load_task(session_id, task_id)
        kept = self._newest(session_id)
        if kept is None:
            if not self._is_worth_loading(session_id):
                return self._store.load_task(session_id, task_id)
            kept = self._keep(self._store.load(session_id))
            if kept is None:
                self._glimpses[session_id] = -TOO_LARGE_FOR
                return self._store.load_task(session_id, task_id)
        place = kept.places.get(task_id)
        if place is None:
            raise task_not_found(session_id, task_id)
        task = kept.hand_out_task(place)
        if task is None:
            self._drop(session_id)
            return self._store.load_task(session_id, task_id)
        return task, kept.session.version

    def save(self, session: Session) -> int:
        version = self._store.save(session)
        if self._inside:
            self._drop(session.id)
        else:
            self._keep(msgspec.structs.replace(session, version=version))
        return version

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> int:
        written = tuple(tasks)
        kept = self._drop(session_id)
        version = self._store.upsert_tasks(session_id, written, expected_version=expected_version)
        # The store took it at that version, so that nobody else wrote between.
        if kept is not None and not self._inside and kept.session.version == expected_version:
            self._put(session_id, kept.written(written, version))
        return version

    def delete(self, session_id: str, *, expected_version: int) -> None:
        self._drop(session_id)
        self._store.delete(session_id, expected_version=expected_version)

    def _newest(self, session_id: str) -> Resident | None:
        """What is kept of a session, if it is still what the store holds."""
        kept = self._kept.get(session_id)
        if kept is None:
            return None
        try:
            version = self._store.version(session_id)
        except SessionNotFound:
            self._drop(session_id)
            raise
        if kept.session.version != version:
            self._drop(session_id)
            return None
        self._kept.move_to_end(session_id)
        return kept

    def _is_worth_loading(self, session_id: str) -> bool:
        """Whether single tasks of a session are read so often that the whole of it should be kept."""
        seen = self._glimpses.pop(session_id, 0) + 1
        if seen > PROMOTE_AFTER:
            return True
        self._glimpses[session_id] = seen
        if len(self._glimpses) > _GLIMPSES_KEPT:
            self._glimpses.popitem(last=False)
        return False

    def _keep(self, session: Session) -> Resident | None:
        """Keep a session that a caller has; None when it is too large."""
        self._drop(session.id)
        if len(session.tasks) >= self._limit:
            return None
        own = Resident(session).hand_out()
        assert own is not None
        kept = Resident(own)
        self._put(session.id, kept)
        return kept

    def _put(self, session_id: str, kept: Resident) -> None:
        self._kept[session_id] = kept
        self._held += len(kept.session.tasks) + 1
        while self._held > self._limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, session_id: str) -> Resident | None:
        kept = self._kept.pop(session_id, None)
        if kept is not None:
            self._held -= len(kept.session.tasks) + 1
        return kept


def with_own_extra(task: Task) -> Task:
    """The same task; an ``extra`` that holds something is copied."""
    return msgspec.structs.replace(task, extra=_copy(task.extra)) if task.extra else task


def _copy(value: Any) -> Any:
    """A copy of plain JSON values; several times as fast as `copy.deepcopy`."""
    if isinstance(value, dict):
        return {name: _copy(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_copy(part) for part in value]
    return value
