"""Reading a target back and comparing it with what was read from the source."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from tiergate.canonical import root_hash, session_hash
from tiergate.migrate.differences import compare
from tiergate.migrate.progress import Pace, Progress
from tiergate.migrate.survey import Survey
from tiergate.model import Session
from tiergate.record import FieldDifference
from tiergate.store import SessionNotFound, Store

MOST_DIFFERENCES = 200
"""More are counted, not named."""

_SAMPLE = 1000
_SAMPLE_SHARE = 0.01


def sample_of(ids: Iterable[str], seed: str) -> list[str]:
    """1,000 sessions or 1 %, whichever is more, chosen at random; the same seed chooses the same."""
    names = sorted(ids)
    size = min(len(names), max(_SAMPLE, int(len(names) * _SAMPLE_SHARE)))
    return sorted(random.Random(seed).sample(names, size))


@dataclass(slots=True)
class Verified:
    """What was read back.

    Attributes:
        digests: canonical hash by session, of what the target holds.
        wrong: sessions that are not the same, on one side only among them.
    """

    digests: dict[str, bytes] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)

    def check(
        self, target: Store, survey: Survey, ids: Iterable[str], pace: Pace, progress: Progress
    ) -> None:
        """Read sessions back and compare; what was found of them before is forgotten.

        Raises:
            StoreDamaged: one cannot be read.
        """
        for name in ids:
            facts = survey.facts.get(name)
            self.digests.pop(name, None)
            self.wrong.discard(name)
            try:
                self.digests[name] = digest = session_hash(target.load(name))
            except SessionNotFound:
                digest = None
            if digest != (facts.digest if facts else None):
                self.wrong.add(name)
            progress.advance(facts.size if facts else 0)
            pace.wait(facts.size if facts else 0)

    def check_names(self, target: Store, survey: Survey) -> None:
        """Find the sessions that stand on one side only."""
        self.wrong |= set(target.ids()) ^ survey.facts.keys()

    def root(self) -> str:
        """The root hash over what was read back."""
        return root_hash(self.digests.items())

    def differences(self, source: Store, target: Store) -> tuple[list[FieldDifference], int]:
        """The differences field by field, at most `MOST_DIFFERENCES`, and how many there are in all."""
        found: list[FieldDifference] = []
        total = 0
        for name in sorted(self.wrong):
            here = compare(_load(source, name), _load(target, name)) or [_changed_since(name)]
            total += len(here)
            found += here[: MOST_DIFFERENCES - len(found)]
        return found, total


def _changed_since(session_id: str) -> FieldDifference:
    """For a session that was not the same when it was verified, and is now."""
    return FieldDifference(session=session_id, task=None, field="written meanwhile", source=None, target=None)


def _load(store: Store, session_id: str) -> Session | None:
    try:
        return store.load(session_id)
    except SessionNotFound:
        return None
