"""Whether a recorded history of a counter could have happened one operation at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import msgspec


class Seen(msgspec.Struct, frozen=True):
    """One operation on a counter, as the one who asked for it saw it.

    Attributes:
        began: when it was asked for, by any clock that all share.
        ended: when its answer came; infinite when none did, so that it may have happened at any time, or not.
        adds: 1 for an increment, 0 for a read.
        value: the count that came back, for an increment the one after it; None when no answer came.
    """

    began: float
    ended: float
    adds: int
    value: int | None


def linearize(history: Sequence[Seen], initial: int = 0) -> list[Seen] | None:
    """An order of these operations that explains every answer; None when there is none.

    In it an operation stands before every other that began after it had ended, and each answer is what the
    counter held at that place. The search of Wing & Gong (Testing and verifying concurrent objects, 1993)
    with the memory of Lowe (Testing for linearizability, 2017): a set of operations that led nowhere with a
    count is not tried again.
    """
    calls = sorted(history, key=lambda call: call.began)
    failed: set[tuple[int, int]] = set()
    done = 0
    required = sum(1 << place for place, call in enumerate(calls) if call.ended < inf)
    count = initial
    order: list[int] = []
    stack = [iter(_next(calls, done))]
    while True:
        if done & required == required:
            return [calls[place] for place in order]
        for place in stack[-1]:
            after = _after(calls[place], count)
            if after is not None and (done | 1 << place, after) not in failed:
                order.append(place)
                done, count = done | 1 << place, after
                stack.append(iter(_next(calls, done)))
                break
        else:
            stack.pop()
            if not order:
                return None
            failed.add((done, count))
            undone = order.pop()
            done, count = done & ~(1 << undone), count - calls[undone].adds


def _next(calls: Sequence[Seen], done: int) -> list[int]:
    """Those that may come next: they began before any other that is left had ended.

    Of those without an answer only the one that began first: whatever order another explains, it explains
    too. To try them all would be to try every set of them.
    """
    found: list[int] = []
    unanswered: set[int] = set()
    first_end = inf
    first_left = (~done & (done + 1)).bit_length() - 1
    for place in range(first_left, len(calls)):
        call = calls[place]
        if call.began > first_end:
            break
        if not done >> place & 1:
            if call.value is None and call.adds in unanswered:
                continue
            if call.value is None:
                unanswered.add(call.adds)
            found.append(place)
            first_end = min(first_end, call.ended)
    return found


def _after(call: Seen, count: int) -> int | None:
    """The count after a call; None when its answer would have been another one."""
    after = count + call.adds
    return after if call.value in (None, after) else None
