"""Falling back to reading when the store cannot be written: a full disk, a folder without permission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from tiergate.dispatch import Call, Outcome, Shed
from tiergate.recovery.policy import Note, one_line

KINDS = frozenset({"StoreFailed", "ReadOnly"})
"""Kinds of failure of a write that any other write would meet too; damage may be that of one session."""

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 30.0


class ReadOnlyFallback:
    """Refuses writes by name once one has failed for the store's sake; reads go on.

    After a pause one write is let through. If that succeeds all are again, else the pause is doubled.

    Args:
        note: told when it begins and ends.
        clock: seconds since some moment.
    """

    def __init__(self, note: Note, clock: Callable[[], float] = monotonic) -> None:
        self._note = note
        self._clock = clock
        self._cause = ""
        self._until = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._probe: str | None = None

    def admit(self, call: Call) -> None:
        """Let it run if it reads, if the store can be written, or as the write that tries.

        Raises:
            Shed: it writes, and the store cannot be written.
        """
        if not self._cause or not call.facts.writes:
            return
        left = self._until - self._clock()
        if left <= 0 and self._probe is None:
            self._probe = call.id
            return
        raise Shed(
            f"{call.request.operation} is turned away: the store cannot be written ({self._cause})",
            hint=f"reads go on; try again in {max(1.0, left):.0f} s",
        )

    def learn(self, call: Call) -> None:
        """Notice that a write failed, or that one succeeded again."""
        if not call.facts.writes:
            return
        failure = call.reply.failure if call.reply is not None else None
        tried = self._probe == call.id
        if tried:
            self._probe = None
        if failure is not None and failure.kind in KINDS:
            self._fail(one_line(failure, None), tried)
        elif tried and call.outcome is Outcome.ANSWERED:
            # Only the one that tried tells: others may have begun before the first one failed.
            self._cause, self._pause_s = "", FIRST_PAUSE_S
            self._note("writable", "", "a write succeeded", "writes run")

    def troubles(self) -> Sequence[str]:
        """That it is read-only."""
        return [f"read-only: {self._cause}"] if self._cause else []

    def _fail(self, cause: str, tried: bool) -> None:
        if tried:
            self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
        elif self._cause:
            return  # it was let in before the first one failed
        else:
            self._note("read-only", "", cause, "writes are turned away, reads go on")
        self._cause = cause
        self._until = self._clock() + self._pause_s
