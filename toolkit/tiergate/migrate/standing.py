"""How the migrations of a state folder stand: which run, and which are to be gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tiergate.migrate.journal import Journal, Journals
from tiergate.migrate.running import Holder
from tiergate.record import MigrationRecord
from tiergate.state_files import StateError

Activity = Literal["running", "interrupted", "never began", "superseded"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One migration.

    Attributes:
        activity: what goes on with it; None for one that has come to its end. ``superseded``: another one
            between the same stores was begun after it. ``never began``: it wrote nothing to its target.
        options: with which it was begun or resumed last.
        holder: the process that runs it.
    """

    record: MigrationRecord
    activity: Activity | None
    options: list[str]
    holder: Holder | None = None


def standings(journals: Journals) -> tuple[list[Standing], list[Holder], list[StateError]]:
    """Every migration, the oldest first; those that run, but still read their source; what cannot be read."""
    # Locks first: one that ends in between has then come to its end, and is not called interrupted.
    holders = journals.locks.running()
    every, damaged = journals.readable()
    latest = {journal.places: journal for journal in every}
    found = [_standing(journal, latest[journal.places], holders) for journal in every]
    shown = [one.holder for one in found]
    return found, [holder for holder in holders if holder not in shown], damaged


def _standing(journal: Journal, latest: Journal, holders: Sequence[Holder]) -> Standing:
    record, options = journal.record, journal.options
    holder = next((one for one in holders if (one.source_place, one.target_place) == journal.places), None)
    if journal.is_done or record.state == "failed":
        return Standing(record, None, options)
    if journal is not latest:
        return Standing(record, "superseded", options)
    if holder is not None:
        return Standing(record, "running", options, holder)
    return Standing(record, "interrupted" if journal.has_written else "never began", options)
