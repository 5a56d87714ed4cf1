"""How a service is: whether it lives, takes calls, and why it is less well than it should be."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tiergate.pool import Pool
from tiergate.recovery.policy import Policy

LAG_S = 0.25
"""A loop that is later than that makes every call wait."""

FULL = 0.8
"""The part of the queue's limit from which on it is nearly full."""

_LOOK_S = 0.25
_LAGS_KEPT = 40

State = Literal["ready", "degraded", "starting", "draining"]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the service is."""

    state: Annotated[
        State,
        Meta(
            description="ready: all is well; degraded: it serves, see reasons; starting: it has no worker"
            " yet; draining: it is stopping"
        ),
    ]
    reasons: Annotated[list[str], Meta(description="why it is not ready, one sentence each")]
    workers: Annotated[dict[str, int], Meta(description="workers that are ready, by tier")]

    @property
    def takes_calls(self) -> bool:
        """Whether calls should be sent here."""
        return self.state in {"ready", "degraded"}


class LoopLag:
    """How late the event loop is: the largest delay of a timer in the last seconds, in seconds."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque([0.0], maxlen=_LAGS_KEPT)

    @property
    def largest_s(self) -> float:
        """Of the last ten seconds."""
        return max(self._lags)

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(_LOOK_S)
            self._lags.append(max(0.0, loop.time() - before - _LOOK_S))


def health_of(
    pool: Pool, resident: Mapping[str, int], queue_limit: int, policies: Sequence[Policy], lag_s: float
) -> Health:
    """How a service is at this moment.

    Args:
        resident: workers that each tier should always have.
        lag_s: how late the event loop is.
    """
    view = pool.view()
    workers = {tier: len(view.of_tier(tier)) for tier in {*resident, *view.capacity}}
    reasons = [
        f"the {tier} tier has {workers[tier]} of {wanted} workers"
        for tier, wanted in resident.items()
        if workers[tier] < wanted
    ]
    waiting = pool.unanswered()
    if waiting >= FULL * queue_limit:
        reasons.append(f"{waiting} requests wait, of {queue_limit} at most")
    if lag_s > LAG_S:
        reasons.append(f"the event loop was {1000 * lag_s:.0f} ms late")
    reasons += [trouble for policy in policies for trouble in policy.troubles()]
    return Health(state=_state(pool, workers, reasons), reasons=reasons, workers=workers)


def _state(pool: Pool, workers: Mapping[str, int], reasons: Sequence[str]) -> State:
    if pool.is_draining:
        return "draining"
    if not any(workers.values()):
        return "starting"
    return "degraded" if reasons else "ready"
