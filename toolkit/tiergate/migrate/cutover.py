"""Binding a name to the new store in one step, and back."""

from __future__ import annotations

from tiergate.binding import SCHEME, Binding, Bindings, NamedOpener
from tiergate.errors import EXIT_FAILED, RunError, TiergateError, UsageError, counted
from tiergate.migrate.copying import Copier
from tiergate.migrate.job import Clock, Job
from tiergate.migrate.journal import Journal, Journals, Versions
from tiergate.migrate.progress import Pace
from tiergate.migrate.rounds import catch_up, catch_up_once, require_unchanged
from tiergate.migrate.verify import Verified
from tiergate.record import MigrationRecord, RootHashes
from tiergate.store import Capability, Store, StoreAddress
from tiergate.store_places import place_of


class UndoRefused(TiergateError):
    """The new store was written since the cut-over, and binding back would lose that."""

    exit_code = EXIT_FAILED


def cut_over(job: Job, copier: Copier, verified: Verified, clock: Clock) -> MigrationRecord:
    """Bind the name to the target, with all writers that go through it kept out meanwhile.

    Raises:
        RunError: the source was written since it was copied, and this is not live; or what was written
            since differs. The name is bound as it was.
        Busy: a writer does not end its transaction.
        UsageError: the name was bound to another store meanwhile.
    """
    name, journal = job.bind or "", copier.journal
    touched: set[str] = set()
    if job.live:
        with clock.step("catch up"), job.opener.open(job.plain_target) as copier.target:
            touched = catch_up(copier, job.progress)
    with clock.step("cut over"), job.bindings.changing(name):
        before = job.bound_now()
        if job.live:
            with job.opener.open(job.plain_target) as copier.target:
                touched |= catch_up_once(copier, job.progress)
        with job.open_written(empty=not copier.survey.facts) as target:
            _verify_again(job, copier, verified, target, touched)
            journal.keep_versions(_versions(copier, target))
        require_unchanged(copier.source, copier.survey, str(job.source))
        journal.update(binding=name, root_hash=_roots(job, copier, verified))
        first = before or Binding(name=name, address=str(job.source), epoch=1)
        bound = job.bindings.put(name, job.target, before=first, migration=journal.record.id)
    survey = copier.survey
    return journal.update(
        state="cut-over",
        epoch=bound.epoch,
        sessions=len(survey.facts),
        tasks=survey.tasks,
        bytes=survey.size,
        seconds=clock.seconds,
    )


def _verify_again(job: Job, copier: Copier, verified: Verified, target: Store, touched: set[str]) -> None:
    if touched:
        job.progress.begin("verifying the last changes", len(touched), None)
        verified.check(target, copier.survey, sorted(touched), Pace(None), job.progress)
        job.progress.end()
    verified.check_names(target, copier.survey)
    if verified.wrong:
        found, total = verified.differences(copier.source, target)
        copier.journal.update(state="failed", differences=found)
        raise RunError(f"{counted(total, 'difference')} in what was written last", where=str(job.target))


def _roots(job: Job, copier: Copier, verified: Verified) -> RootHashes:
    target = verified.root() if job.verify == "full" else None
    return RootHashes(source=copier.survey.root(), target=target)


def _versions(copier: Copier, target: Store) -> Versions:
    counted = Capability.CHANGE_COUNTER in target.capabilities
    return Versions(
        source={name: facts.version for name, facts in copier.survey.facts.items()},
        target=target.versions(),
        changes=target.changes() if counted else None,
    )


def undo(opener: NamedOpener, name: str) -> MigrationRecord:
    """Bind a name back to the store that a migration moved away from.

    Args:
        name: id of the migration, or the bound name.

    Raises:
        UsageError: there is no such migration, it bound no name, or the name has been bound anew since.
        UndoRefused: the new store was written since.
        StoreError: a store cannot be read.
    """
    journals, bindings = Journals(opener.state), Bindings(opener.state)
    journal = journals.named(name)
    record = journal.record
    if record.binding is None or record.state != "cut-over":
        raise UsageError(
            f"migration {record.id} has nothing to undo: it is {record.state}",
            hint="only a cut-over can be undone; `tiergate migrate status` shows them",
        )
    source, target = StoreAddress.parse(record.source), StoreAddress.parse(record.target)
    with bindings.changing(record.binding):
        before = _require_bound(bindings, journal)
        remarks = [*record.remarks, *_require_unwritten(opener, journal, source, target)]
        bound = bindings.put(record.binding, source, before=before, migration=record.id)
    return journal.update(state="undone", epoch=bound.epoch, remarks=remarks)


def _require_bound(bindings: Bindings, journal: Journal) -> Binding:
    record = journal.record
    binding = bindings.read(record.binding or "")
    if binding.migration != record.id or place_of(StoreAddress.parse(binding.address)) != journal.places[1]:
        raise UsageError(
            f"{SCHEME}:{binding.name} has been bound to {binding.address} since migration {record.id}",
            hint="undo what was last",
        )
    return binding


def _require_unwritten(
    opener: NamedOpener, journal: Journal, source: StoreAddress, target: StoreAddress
) -> list[str]:
    """Refuse when the target was written; says what is worth knowing of the source."""
    known = journal.versions()
    with opener.open_read_only(target.without_caches()) as store:
        now = store.versions()
        writes = _writes_since(store, known)
    differing = _differing(known.target, now)
    if differing or writes:
        count = f"{counted(writes, 'write')} to " if writes is not None else ""
        raise UndoRefused(
            f"{count}{counted(differing, 'session')} since the cut-over would be lost; nothing was changed",
            where=f"{target}",
            hint=f"migrate back instead: tiergate migrate {SCHEME}:{journal.record.binding} NEW"
            f" --bind {journal.record.binding}",
        )
    with opener.open_read_only(source) as store:
        changed = _differing(known.source, store.versions())
    return [f"The old store was written too since then: {counted(changed, 'session')}."] if changed else []


def _writes_since(store: Store, known: Versions) -> int | None:
    if known.changes is None or Capability.CHANGE_COUNTER not in store.capabilities:
        return None
    return store.changes() - known.changes


def _differing(before: dict[str, int], now: dict[str, int]) -> int:
    return sum(before.get(name) != now.get(name) for name in {*before, *now})
