"""A circuit breaker for each operation (Nygard, Release It!, 2nd ed. 2018, section 5.2).

Closed, it counts. Once most calls of the last seconds failed for which the caller is not to blame, it opens
and refuses at once. After a pause it lets one call through; that closes it, or opens it for twice as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from tiergate.dispatch import Call, Outcome, Shed
from tiergate.pool import PoolError
from tiergate.recovery.policy import Failed, Note, one_line

WINDOW_S = 30.0
MIN_FAILURES = 5
SHARE = 0.5
"""It opens at so many failures within the window, if they are that share of its calls."""

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0


class _Tally:
    """Calls and failures of the last `WINDOW_S` by seconds, so that many calls cost no more each."""

    def __init__(self) -> None:
        self.calls = self.failures = 0
        self._seconds: deque[list[int]] = deque()

    def add(self, now: float, *, failed: bool) -> None:
        """Count one, and forget those that are too old."""
        second = int(now)
        seconds = self._seconds
        if not seconds or seconds[-1][0] != second:
            seconds.append([second, 0, 0])
            while seconds[0][0] <= second - WINDOW_S:
                _, calls, failures = seconds.popleft()
                self.calls -= calls
                self.failures -= failures
        seconds[-1][1] += 1
        seconds[-1][2] += failed
        self.calls += 1
        self.failures += failed


class _State:
    """Of one operation."""

    def __init__(self) -> None:
        self.recent = _Tally()
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
        state = self._states.get(call.request.operation)
        if state is None:
            state = self._states[call.request.operation] = _State()
        failed = is_failure(call)
        if state.probe is not None:
            if state.probe == call.id:
                self._tried(call, state, failed)
            return
        if state.open_until is not None:
            return  # it was let in before
        recent = state.recent
        recent.add(self._clock(), failed=failed)
        if failed and recent.failures >= MIN_FAILURES and recent.failures >= SHARE * recent.calls:
            state.pause_s = FIRST_PAUSE_S
            self._open(call, state, f"{recent.failures} of {recent.calls} calls failed")

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
        state.recent = _Tally()
        self._note("breaker-closed", call.request.operation, "the call that tried was answered", "calls run")

    def _open(self, call: Call, state: _State, why: str) -> None:
        failure = call.reply.failure if call.reply is not None else None
        state.cause = f"{why}, the last with {one_line(failure, call.error)}"
        state.open_until = self._clock() + state.pause_s
        effect = f"its calls are turned away for {state.pause_s:.0f} s"
        self._note("breaker-open", call.request.operation, state.cause, effect)


def is_failure(call: Call) -> bool:
    """Whether a call failed for which the caller is not to blame; a full queue is another matter."""
    if call.outcome is Outcome.TIMED_OUT:
        return True
    if call.outcome is Outcome.FAILED:
        # A plain `PoolError` is a request that cannot be sent, or a pool without workers: turning others away
        # would mend neither.
        return type(call.error) is not PoolError
    failure = call.reply.failure if call.reply is not None else None
    return failure is not None and failure.kind in Failed
