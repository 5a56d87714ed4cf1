"""A circuit breaker for each operation (Nygard, Release It!, 2nd ed. 2018, section 5.2).

Closed, it counts. Once most calls of the last seconds failed for which the caller is not to blame, it opens
and refuses at once. After a pause it lets one call through; that closes it, or opens it for twice as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from tiergate.dispatch import Call, Outcome, Shed
from tiergate.recovery.policy import Failed, Note, one_line

WINDOW_S = 30.0
MIN_FAILURES = 5
SHARE = 0.5
"""It opens at so many failures within the window, if they are that share of its calls."""

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0


class _State:
    """Of one operation."""

    def __init__(self) -> None:
        self.recent: deque[tuple[float, bool]] = deque()
        self.open_until: float | None = None
        self.pause_s = FIRST_PAUSE_S
        self.probe: str | None = None
        self.cause = ""


class Breaker:
    """The breakers of all operations.

    Args:
        note: told when one opens, tries and closes.
        clock: seconds since some moment.
    """

    def __init__(self, note: Note, clock: Callable[[], float] = monotonic) -> None:
        self._note = note
        self._clock = clock
        self._states: dict[str, _State] = {}

    def admit(self, call: Call) -> None:
        """Let it run where the breaker of its operation is closed, or as the one that tries.

        Raises:
            Shed: the breaker is open.
        """
        state = self._states.get(call.request.operation)
        if state is None or state.open_until is None:
            return
        left = state.open_until - self._clock()
        if left > 0 or state.probe is not None:
            raise Shed(
                f"{call.request.operation} is turned away: it kept failing ({state.cause})",
                hint=f"try again in {max(1.0, left):.0f} s",
            )
        state.probe = call.id
        self._note("breaker-half-open", call.request.operation, state.cause, "one call tries")

    def learn(self, call: Call) -> None:
        """Count it; close or open."""
        state = self._states.setdefault(call.request.operation, _State())
        failed = is_failure(call)
        if state.probe is not None:
            if state.probe == call.id:
                self._tried(call, state, failed)
            return
        if state.open_until is not None:
            return  # it was let in before
        now = self._clock()
        state.recent.append((now, failed))
        while state.recent[0][0] < now - WINDOW_S:
            state.recent.popleft()
        failures = sum(bad for _, bad in state.recent)
        if failed and failures >= MIN_FAILURES and failures >= SHARE * len(state.recent):
            state.pause_s = FIRST_PAUSE_S
            self._open(call, state, f"{failures} of {len(state.recent)} calls failed")

    def troubles(self) -> Sequence[str]:
        """The operations that are turned away."""
        return [
            f"{operation} is turned away: {state.cause}"
            for operation, state in sorted(self._states.items())
            if state.open_until is not None
        ]

    def _tried(self, call: Call, state: _State, failed: bool) -> None:
        state.probe = None
        if call.outcome in {Outcome.CANCELLED, Outcome.OVERLOADED, Outcome.SHED}:
            state.open_until = self._clock()  # it says nothing; the next one tries
            return
        if failed:
            state.pause_s = min(LONGEST_PAUSE_S, 2 * state.pause_s)
            self._open(call, state, "the call that tried failed too")
            return
        state.open_until = None
        state.recent.clear()
        self._note("breaker-closed", call.request.operation, "the call that tried was answered", "calls run")

    def _open(self, call: Call, state: _State, why: str) -> None:
        failure = call.reply.failure if call.reply is not None else None
        state.cause = f"{why}, the last with {one_line(failure, call.error)}"
        state.open_until = self._clock() + state.pause_s
        effect = f"its calls are turned away for {state.pause_s:.0f} s"
        self._note("breaker-open", call.request.operation, state.cause, effect)


def is_failure(call: Call) -> bool:
    """Whether a call failed for which the caller is not to blame; a full queue is another matter."""
    if call.outcome in {Outcome.FAILED, Outcome.TIMED_OUT}:
        return True
    failure = call.reply.failure if call.reply is not None else None
    return failure is not None and failure.kind in Failed
