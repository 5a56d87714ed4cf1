"""What a migration would do, without doing any of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from msgspec.structs import replace

from tiergate.canonical import session_hash
from tiergate.errors import counted
from tiergate.migrate.engine import (
    NOTHING_BEGUN,
    accepted_losses,
    find_earlier,
    finished,
    require_empty,
    require_own,
    same_already,
)
from tiergate.migrate.job import Clock, Job
from tiergate.migrate.journal import Journal, Journals
from tiergate.migrate.places import open_source
from tiergate.migrate.progress import Pace
from tiergate.migrate.survey import NotKept, Survey, examine, read_all
from tiergate.model import Session
from tiergate.record import MigrationRecord, RootHashes
from tiergate.store import Capability, Store, StoreAddress, StoreError
from tiergate.store_places import look_into

SAMPLE_SESSIONS = 100
SAMPLE_BYTES = 4 * 2**20


def plan(job: Job) -> MigrationRecord:
    """Read everything, and say how much it is, how long it will take and what could not be kept.

    Nothing is made or changed, but for a scratch store in the system's temporary folder: a sample is
    written to it to time it, and it is removed.

    Raises:
        NotKept: something would not be the same in the target; names it.
        UsageError: as `migrate`; so `Running`.
        StoreError: a store cannot be read, or not without being changed.
    """
    done = finished(job)
    if done is not None:
        return done
    job.require_sound()
    journals = Journals(job.state)
    journals.locks.require_free(job.target)
    earlier = find_earlier(job, journals) if job.resume else None
    if earlier is None:
        require_empty(job, strictly=True)
    clock = Clock()
    with open_source(job.opener, job.source, strictly=True) as source:
        with clock.step("read"):
            ids = source.ids()
            job.progress.begin("reading", len(ids), None)
            survey = read_all(source, ids, Pace(job.rate), job.progress)
            job.progress.end()
        survey.require_kept()
        remarks = [*accepted_losses(source)]
        if job.resume and earlier is None:
            remarks.append(NOTHING_BEGUN)
        left = len(survey.facts)
        if earlier is not None:
            left = _left(job, earlier, survey)
            remarks.append(
                f"There already and equal: {counted(len(survey.facts) - left, 'session')}; {left} to copy."
            )
        sample = _sample(source, survey)
    try:
        estimate = _estimate(job, survey, sample, clock.seconds["read"], left)
    except OSError as error:
        estimate = None
        remarks.append(f"No time could be estimated: {error.strerror}.")
    remarks += _on_target(job, timed=estimate is not None)
    return MigrationRecord(
        id=earlier.record.id if earlier else "",
        source=str(job.source),
        target=str(job.target),
        state="planned",
        sessions=len(survey.facts),
        tasks=survey.tasks,
        bytes=survey.size,
        root_hash=RootHashes(source=survey.root(), target=None),
        differences=[],
        verify=job.verify,
        seconds=clock.seconds,
        estimate_s=estimate,
        remarks=remarks,
    )


def _on_target(job: Job, *, timed: bool) -> Iterator[str]:
    if not timed:
        yield "Writing to this kind of target could not be timed beforehand."
    if not Path(job.target.path).absolute().parent.is_dir():
        yield f"The folder of {job.target} does not exist; create it first."


def _left(job: Job, journal: Journal, survey: Survey) -> int:
    """How many sessions the target lacks or holds otherwise."""
    there = look_into(job.opener, job.plain_target)
    if not there:
        return len(survey.facts)
    require_own(there, journal, str(job.target))
    with job.opener.open_read_only(job.plain_target) as target:
        job.progress.begin("checking what is there", len(there), None)
        equal = sum(1 for _ in same_already(target, survey, there, job))
        job.progress.end()
    return len(survey.facts) - equal


def _sample(source: Store, survey: Survey) -> Sequence[Session]:
    """A few sessions spread over the whole store."""
    names = list(survey.facts)
    found: list[Session] = []
    size = 0
    for name in names[:: max(1, len(names) // SAMPLE_SESSIONS)]:
        found.append(survey.kept[name] if name in survey.kept else examine(source.load(name))[0])
        size += survey.facts[name].size
        if size > SAMPLE_BYTES:
            break
    return found


def _estimate(job: Job, survey: Survey, sample: Sequence[Session], read_s: float, left: int) -> float | None:
    """Seconds for reading, copying and verifying; None where the target's kind cannot be timed.

    Raises:
        NotKept: the target's kind of store refuses a session of the sample or gives back another.
    """
    if Capability.READ_ONLY not in job.opener.declaration(job.target).capabilities:
        return None  # such a path may be no file's, and lead to the same store from anywhere
    size = sum(survey.facts[session.id].size for session in sample)
    share = survey.size / size if size else 1.0
    write_s, verify_s = _try_out(job, survey, sample)
    steps = [read_s, share * write_s * (left / max(1, len(survey.facts))), share * verify_s]
    if job.rate is not None:
        amount = survey.size if job.rate.of_bytes else len(survey.facts)
        steps = [max(step, amount / job.rate.per_second) for step in steps]
    return round(sum(steps), 3)


def _try_out(job: Job, survey: Survey, sample: Sequence[Session]) -> tuple[float, float]:
    """Write a sample to a scratch store of the target's kind and read it back; the seconds of both."""
    with tempfile.TemporaryDirectory(prefix="tiergate-plan-") as folder:
        plain = job.plain_target
        scratch = StoreAddress(plain.scheme, str(Path(folder) / "scratch"), plain.options)
        with job.opener.open(scratch) as store:
            began = time.monotonic()
            together = Capability.TRANSACTIONS in store.capabilities
            with store.transaction() if together else nullcontext():
                for session in sample:
                    _save(store, session)
            written = time.monotonic()
            for session in sample:
                if session_hash(store.load(session.id)) != survey.facts[session.id].digest:
                    raise NotKept(
                        f"session {session.id!r} would come back changed; nothing was written",
                        where=str(job.target),
                    )
            return written - began, time.monotonic() - written


def _save(store: Store, session: Session) -> None:
    try:
        store.save(replace(session, version=0))
    except StoreError as error:
        raise NotKept(
            f"the target would refuse session {session.id!r}: {error.what}; nothing was written"
        ) from error
