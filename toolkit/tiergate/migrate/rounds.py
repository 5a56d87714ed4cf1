"""Following a source that is written while it is copied."""

from __future__ import annotations

import time

from tiergate.errors import RunError
from tiergate.migrate.copying import Copier
from tiergate.migrate.progress import Progress
from tiergate.migrate.survey import Survey
from tiergate.store import Store

MOST_ROUNDS = 20
SHORT_S = 0.25
"""A round that took no longer leaves little to the last one, during which writers wait."""


def changed(source: Store, survey: Survey) -> tuple[list[str], list[str]]:
    """The sessions that were written since they were read, or are new; and those that are gone."""
    versions = source.versions()
    written = [
        name
        for name, version in versions.items()
        if (facts := survey.facts.get(name)) is None or facts.version != version
    ]
    return written, [name for name in survey.facts if name not in versions]


def catch_up_once(copier: Copier, progress: Progress) -> set[str]:
    """Copy what has changed, remove what is gone; returns the sessions that this concerns.

    Raises:
        As `Copier.copy`.
    """
    written, gone = changed(copier.source, copier.survey)
    for name in gone:
        copier.survey.take(name)
        del copier.survey.facts[name]
    copier.delete(gone)
    if written:
        progress.begin("catching up", len(written), None)
        for name in written:
            copier.survey.take(name)
        copier.copy(written, progress)
        progress.end()
    return {*written, *gone}


def catch_up(copier: Copier, progress: Progress) -> set[str]:
    """Catch up until a round is short, or as often as makes sense. Returns and raises as one round."""
    touched: set[str] = set()
    for _ in range(MOST_ROUNDS):
        began = time.monotonic()
        found = catch_up_once(copier, progress)
        touched |= found
        if not found or time.monotonic() - began < SHORT_S:
            break
    return touched


def require_unchanged(source: Store, survey: Survey, where: str) -> None:
    """Refuse to go on when the source was written.

    Raises:
        RunError: it was; says how many sessions.
    """
    written, gone = changed(source, survey)
    count = len(written) + len(gone)
    if count:
        raise RunError(
            f"{count} session{' was' if count == 1 else 's were'} written while the source was copied",
            where=where,
            hint="go on with --resume, and with --live while it is being written",
        )
