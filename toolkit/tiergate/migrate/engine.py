"""A migration from its first step to its last; after any interruption it goes on where it was."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from tiergate.binding import SCHEME, Bindings
from tiergate.canonical import session_hash
from tiergate.errors import UsageError, counted
from tiergate.migrate.copying import Copier
from tiergate.migrate.cutover import cut_over
from tiergate.migrate.job import Clock, Job
from tiergate.migrate.journal import Journal, Journals
from tiergate.migrate.places import open_source
from tiergate.migrate.progress import Pace
from tiergate.migrate.rounds import catch_up, require_unchanged
from tiergate.migrate.survey import Survey, read_all
from tiergate.migrate.verify import Verified, sample_of
from tiergate.record import MigrationRecord, RootHashes
from tiergate.store import Capability, Store, Unsupported
from tiergate.store_places import look_into, place_of

ENDED_BEFORE = "This migration had come to its end before; nothing was done now."
NOTHING_BEGUN = "Nothing had been copied that could be gone on with; this begins at the beginning."


def migrate(job: Job) -> MigrationRecord:
    """Copy every session, verify, and cut over where a name is to be bound.

    The source is only read. Nothing is written before all of it was read and can be kept.

    Returns:
        The record; its state is ``failed`` where source and target differ.

    Raises:
        UsageError: what is asked for makes no sense; nothing was written.
        NotKept: the source holds what no store keeps as it is; nothing was written.
        Running: another migration writes to the target.
        StoreError: a store cannot be read or written. What was copied is kept; ``resume`` goes on.
    """
    done = finished(job)
    if done is not None:
        return done
    job.require_sound()
    journals = Journals(job.state)
    journals.locks.require_free(job.target)
    if not job.resume or find_earlier(job, journals) is None:
        require_empty(job)
    with (
        _uncollected(),
        journals.locks.hold(job.source, job.target, job.bind),
        open_source(job.opener, job.source) as source,
    ):
        return _Run(job, source, journals, find_earlier(job, journals)).all()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles away: sessions have none, and looking for them takes long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def finished(job: Job) -> MigrationRecord | None:
    """The record of a migration that has come to its end already, when it is asked to go on.

    After the cut-over, the name that was the source leads to the target. Where the name was bound anew or set
    free since, the record names it no more; when it is to be bound again, that is still to be done.
    """
    if not job.resume:
        return None
    for journal in reversed(Journals(job.state).all()):
        source, target = journal.places
        if target != place_of(job.target) or journal.record.state != "cut-over":
            continue
        if place_of(job.source) in {source, target} and journal.record.binding == (
            job.bind or journal.record.binding
        ):
            return _as_it_is_now(journal.record, job)
    return None


def _as_it_is_now(record: MigrationRecord, job: Job) -> MigrationRecord | None:
    """The record of a cut-over, if its name is still bound by it, or need not be."""
    now = Bindings(job.state).find(record.binding or "")
    if now is not None and now.epoch == record.epoch:
        return replace(record, remarks=[*record.remarks, ENDED_BEFORE])
    if job.bind is not None:
        return None
    leads = f"bound to {now.address} since then" if now else "bound to nothing any more"
    remarks = [*record.remarks, ENDED_BEFORE, f"{SCHEME}:{record.binding} is {leads}."]
    return replace(record, binding=None, epoch=None, remarks=remarks)


def has_begun(job: Job) -> bool:
    """Whether there is something to go on with."""
    found = Journals(job.state).find(job.source, job.target)
    return found is not None and not found.is_done and found.has_written


def find_earlier(job: Job, journals: Journals) -> Journal | None:
    """The migration to go on with; None for a new one.

    One that was stopped before it wrote anything is gone on with in any case, so that it leaves no trace.
    """
    found = journals.find(job.source, job.target)
    if found is None or not (job.resume or not found.has_written):
        return None
    return found


def require_empty(job: Job, *, strictly: bool = False) -> None:
    """Refuse a target that holds sessions.

    Args:
        strictly: refuse one that cannot be looked into without being opened to write.

    Raises:
        UsageError: it does; says how many.
        Unsupported: it cannot be looked into.
    """
    try:
        there = look_into(job.opener, job.plain_target)
    except Unsupported:
        if strictly:
            raise
        with job.opener.open(job.plain_target) as target:
            there = target.versions()
    if there:
        raise _not_empty(job, len(there))


def _not_empty(job: Job, sessions: int) -> UsageError:
    begun = Journals(job.state).find(job.source, job.target)
    hint = "name an empty or new store"
    if begun is not None and begun.has_written and not job.resume:
        hint = f"--resume goes on with migration {begun.record.id}"
    held = counted(sessions, "session")
    return UsageError(f"the target is not empty, it holds {held}", where=str(job.target), hint=hint)


class _Run:
    """One run of a migration, with the source open and the target locked."""

    def __init__(self, job: Job, source: Store, journals: Journals, earlier: Journal | None) -> None:
        self.job = job
        self.source = source
        self.journals = journals
        self.earlier = earlier
        self.clock = Clock()
        self.remarks = [*_remarks(job, earlier), *accepted_losses(source)]

    def all(self) -> MigrationRecord:
        """Read, copy, verify, cut over."""
        job = self.job
        began_at = _changes(self.source)
        with self.clock.step("read"):
            survey = self._survey()
        survey.require_kept()
        # Opened before anything is written down: what cannot be opened was never begun.
        with job.opener.open(job.plain_target) as target:
            fresh = self.earlier is None or not job.resume
            if fresh and target.ids():  # filled since it was looked into
                raise _not_empty(job, len(target.ids()))
            journal = self._journal(survey)
            copier, wanted = self._begin(survey, target, journal)
            with self.clock.step("copy"), self._step("copying", wanted, survey), target.filling():
                copier.copy(wanted, job.progress)
            if job.live:
                with self.clock.step("catch up"):
                    catch_up(copier, job.progress)
            elif began_at is None or _changes(self.source) != began_at:
                require_unchanged(self.source, survey, str(job.source))
            _note(journal, survey, state="copied", seconds=self.clock.seconds)
        verified = self._verify(survey, journal)
        if journal.record.state == "failed" or job.bind is None:
            return journal.record
        return cut_over(job, copier, verified, self.clock)

    def _survey(self) -> Survey:
        ids = self.source.ids()
        self.job.progress.begin("reading", len(ids), None)
        survey = read_all(self.source, ids, Pace(self.job.rate), self.job.progress)
        self.job.progress.end()
        return survey

    def _journal(self, survey: Survey) -> Journal:
        fields: dict[str, Any] = {
            "state": "copying",
            "root_hash": RootHashes(source=survey.root(), target=None),
            "verify": self.job.verify,
            "remarks": self.remarks,
        }
        if self.earlier is None:
            job = self.job
            return self.journals.begin(
                job.source, job.target, options=job.options, sessions=0, tasks=0, **fields
            )
        spent = self.earlier.record.seconds
        self.clock.seconds = {**spent, "read": spent.get("read", 0.0) + self.clock.seconds["read"]}
        self.earlier.set_options(self.job.options)
        self.earlier.update(differences=[], binding=None, epoch=None, **fields)
        return self.earlier

    def _begin(self, survey: Survey, target: Store, journal: Journal) -> tuple[Copier, list[str]]:
        """What is still to be copied: what the target lacks, or holds otherwise than the source."""
        there = target.versions()
        copier = Copier(self.source, target, survey, there, journal, self.job.rate)
        if not there:
            return copier, list(survey.facts)
        require_own(there, journal, str(self.job.target))
        with self.clock.step("check again"), self._step("checking what is there", there, survey):
            equal = set(same_already(target, survey, there, self.job))
        copier.delete([name for name in there if name not in survey.facts])
        return copier, [name for name in survey.facts if name not in equal]

    def _verify(self, survey: Survey, journal: Journal) -> Verified:
        job, verified = self.job, Verified()
        names = sample_of(survey.facts, journal.record.id) if job.verify == "sample" else list(survey.facts)
        # Opened anew: what is compared comes from where it will be read, not from what the writer remembers.
        with (
            self.clock.step("verify"),
            job.open_written(empty=not survey.facts) as target,
            self._step("verifying", names, survey),
        ):
            verified.check(target, survey, names, Pace(job.rate), job.progress)
            verified.check_names(target, survey)
            found, total = verified.differences(self.source, target) if verified.wrong else ([], 0)
        remarks = list(self.remarks)
        if total > len(found):
            remarks.append(f"{total} differences were found; the first {len(found)} are named.")
        _note(
            journal,
            survey,
            state="failed" if verified.wrong else "verified",
            root_hash=RootHashes(
                source=survey.root(), target=verified.root() if job.verify == "full" else None
            ),
            verified=len(names),
            differences=found,
            remarks=remarks,
            seconds=self.clock.seconds,
        )
        return verified

    @contextmanager
    def _step(self, name: str, ids: Iterable[str], survey: Survey) -> Iterator[None]:
        facts = [survey.facts[one] for one in ids if one in survey.facts]
        self.job.progress.begin(name, len(facts), sum(one.size for one in facts))
        yield
        self.job.progress.end()


def require_own(there: Iterable[str], journal: Journal, where: str) -> None:
    """Refuse a target that holds sessions which a migration did not write.

    Raises:
        UsageError: it does.
    """
    marked = journal.marked()
    others = [name for name in there if name not in marked]
    if others:
        raise UsageError(
            f"the target holds {counted(len(others), 'session')} that migration {journal.record.id}"
            " did not write,"
            f" such as {others[0]!r}; nothing was written",
            where=where,
            hint="remove them, or migrate to a new store",
        )


def same_already(target: Store, survey: Survey, there: Iterable[str], job: Job) -> Iterator[str]:
    """The sessions that the target holds as the source does."""
    pace = Pace(job.rate)
    for name in there:
        facts = survey.facts.get(name)
        if facts is None:
            continue
        if session_hash(target.load(name)) == facts.digest:
            survey.take(name)
            yield name
        job.progress.advance(facts.size)
        pace.wait(facts.size)


def _note(journal: Journal, survey: Survey, **changes: Any) -> None:
    journal.update(sessions=len(survey.facts), tasks=survey.tasks, bytes=survey.size, **changes)


def _changes(source: Store) -> int | None:
    return source.changes() if Capability.CHANGE_COUNTER in source.capabilities else None


def accepted_losses(source: Store) -> Iterator[str]:
    """A remark for each thing that the source may have lost, where its address accepts that."""
    for one in source.doubts():
        yield f"The source may have lost writes, and what is left was taken: {one.where}: {one.what}."


def _remarks(job: Job, earlier: Journal | None) -> Iterator[str]:
    if job.resume and (earlier is None or not earlier.has_written):
        yield NOTHING_BEGUN
    if Capability.READ_ONLY not in job.opener.declaration(job.source).capabilities:
        yield "This kind of source cannot be opened read-only; it was opened as usual and only read."
    if Capability.TRANSACTIONS not in job.opener.declaration(job.target).capabilities:
        yield "The target has no transactions: each session was written by itself."
    if job.verify == "sample":
        yield "Only a sample was read back; the ids of all sessions were compared."
    if job.live and job.bind is None:
        yield "No name was bound, so the source may have been written since it was copied."
    elif job.live and job.bound_now() is None:
        yield "The name was not bound before, so writers of the source could not be kept out at the cut-over."
