"""The guard of routers that choose a tier: it says when tiers do harm or no good, and steps back.

It holds the traffic of late against the pool, twice a second at most:

- *Starving*: a tier with an offered load of 0.9 or more hardly keeps up, and from 1 on its queue grows
  for ever. First the cut-offs are moved as little as it takes, within bounds. Where that does not help,
  the guard steps back: every request goes to the worker with the least work left, whatever its tier.
- *Low variability*: tiers keep short requests from waiting behind long ones. Where requests are alike
  there is nothing to keep apart, and parted workers are only less well used. Below a squared coefficient
  of variation of `LEAST_VARIABILITY` the guard steps back; docs/explanation/tiers.md shows the
  simulation that this comes from.
- *Long requests pay*: where their 95th percentile is expected to pass twice that of one shared queue, it
  says so, and goes on: short requests still gain.

What starves has to be seen for `LASTS_S`: a machine that pauses makes every request long for a moment.
It returns when the reason is gone by a margin, and no sooner than `HOLD_S` after it stepped back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from math import isfinite

from tiergate.routing import TIERS, Cutoffs, Tier
from tiergate.tiering import Traffic, balance, by_tier, long_ratio

STARVING = 0.9
"""Offered load of a tier from which on the guard steps back."""

RELIEVED = 0.8
"""Offered load below which it returns. Also how sure it has to be: a load counts as starving only if one
standard error below it is still above this."""

UNBALANCED = 0.85
"""Offered load of a tier from which on the cut-offs are searched anew."""

BALANCED = 0.75
"""Largest offered load that new cut-offs may leave."""

SETTLED = 0.65
"""Where the cut-offs of the training trace would leave no more than this, they are taken again."""

REACH = 8.0
"""Factor by which a cut-off may move from that of the training trace, either way."""

LEAST_VARIABILITY = 1.0
WORTHWHILE = 1.25
"""It returns to tiers when variability passes the least by this factor."""

OWED = 2.0
"""Times the 95th percentile of one shared queue that long requests may take."""

OWED_AGAIN = 1.6
"""The warning is over below this."""

HOLD_S = 2.0

LASTS_S = 2.0
"""So long, at every look, a tier has to have more than its share before anything is done about it: most
pauses of a machine or its disk, which no router can help, are over by then."""

KEPT_NOTICES = 50


class Guard:
    """Decides on cut-offs, and whether tiers are used at all.

    Args:
        trained: cut-offs of the training trace.
        variability: of the service time in the training trace; None when there is none.
    """

    def __init__(self, trained: Cutoffs, variability: float | None) -> None:
        self._trained = trained
        self.cutoffs = trained
        self.reason: str | None = None
        self._changed_at = float("-inf")
        self._pressed_since: float | None = None
        self._warned = False
        self._notices: deque[str] = deque(maxlen=KEPT_NOTICES)
        if variability is not None and variability < LEAST_VARIABILITY:
            self._step_back(None, _alike(variability))

    @property
    def has_stepped_back(self) -> bool:
        """Whether requests go to the worker with the least work left, whatever its tier."""
        return self.reason is not None

    def notices(self) -> Sequence[str]:
        """What it did so far, with the numbers that made it; the last `KEPT_NOTICES`."""
        return tuple(self._notices)

    def judge(self, traffic: Traffic, workers: Mapping[str, int], at_s: float) -> None:
        """Hold the traffic against the workers of each tier; `at_s` counts from the first request."""
        lasts = self._lasts(traffic, workers, at_s)
        if set(workers) == set(TIERS):
            self._move_cutoffs(traffic, workers, at_s, lasts)
        reason = self._why_back(traffic, workers, lasts)
        if self.reason is None and reason is not None:
            self._step_back(at_s, reason)
        elif self.reason is not None and reason is None and at_s - self._changed_at >= HOLD_S:
            self._return(traffic, workers, at_s)
        is_settled = lasts or self._pressed_since is None
        if (
            self.reason is None
            and is_settled
            and all(workers.get(tier) for tier in _in_use(traffic, self.cutoffs))
        ):
            self._warn(traffic, workers, at_s)

    def _lasts(self, traffic: Traffic, workers: Mapping[str, int], at_s: float) -> bool:
        """Whether some tier has had more than its share at every look for so long that it is no pause."""
        tier, load = _fullest(traffic, self.cutoffs, workers)
        if load < UNBALANCED or not _is_sure(traffic, self.cutoffs, workers, tier):
            self._pressed_since = None
            return False
        if self._pressed_since is None:
            self._pressed_since = at_s
        return at_s - self._pressed_since >= LASTS_S

    def _move_cutoffs(self, traffic: Traffic, workers: Mapping[str, int], at_s: float, lasts: bool) -> None:
        before = self.cutoffs
        tier, load = _fullest(traffic, before, workers)
        if lasts:
            found = balance(traffic, workers, self._trained, REACH, BALANCED)
            if _fullest(traffic, found, workers)[1] >= load:
                return
            self.cutoffs = found
            after = _fullest(traffic, found, workers)[1]
            self._note(
                at_s,
                f"moved the cut-offs from {_shown(before)} to {_shown(found)}: the {tier} tier's "
                f"offered load was {load:.2f}, the largest is now {after:.2f}",
            )
        elif before != self._trained and _fullest(traffic, self._trained, workers)[1] <= SETTLED:
            self.cutoffs = self._trained
            self._note(at_s, f"took the cut-offs of the training trace again, {_shown(self._trained)}")

    def _why_back(self, traffic: Traffic, workers: Mapping[str, int], lasts: bool) -> str | None:
        """Why tiers should not be used now; None when they should. Stricter while it has stepped back."""
        is_back = self.has_stepped_back
        variability = traffic.variability()
        if variability < LEAST_VARIABILITY * (WORTHWHILE if is_back else 1.0):
            return _alike(variability)
        tier, load = _fullest(traffic, self.cutoffs, workers)
        starving = lasts and load >= STARVING and _is_sure(traffic, self.cutoffs, workers, tier)
        if starving or (is_back and load >= RELIEVED):
            count = workers.get(tier, 0)
            return (
                f"the {tier} tier would starve: its offered load is {load:.2f} of {count} "
                f"worker{'s' * (count != 1)} (limit {STARVING:.2f})"
            )
        return None

    def _step_back(self, at_s: float | None, reason: str) -> None:
        self.reason = reason
        self._warned = False
        if at_s is not None:
            self._changed_at = at_s
        self._note(at_s, f"stepped back to the least work left over all workers: {reason}")

    def _return(self, traffic: Traffic, workers: Mapping[str, int], at_s: float) -> None:
        self.reason = None
        self._changed_at = at_s
        tier, load = _fullest(traffic, self.cutoffs, workers)
        self._note(
            at_s,
            f"returned to tiers: the largest offered load is {load:.2f} ({tier}), "
            f"squared coefficient of variation {traffic.variability():.1f}",
        )

    def _warn(self, traffic: Traffic, workers: Mapping[str, int], at_s: float) -> None:
        ratio = long_ratio(traffic, self.cutoffs, workers)
        if not self._warned and ratio > OWED:
            self._warned = True
            expected = (
                f"their p95 is expected at {ratio:.1f}x that of one shared queue (limit {OWED:.1f}x)"
                if isfinite(ratio)
                else "their tier cannot keep up, and one shared queue could"
            )
            self._note(at_s, f"long requests pay for short ones: {expected}; give their tier more workers")
        elif self._warned and ratio < OWED_AGAIN:
            self._warned = False
            self._note(at_s, f"long requests no longer pay: their p95 is expected at {ratio:.1f}x")

    def _note(self, at_s: float | None, text: str) -> None:
        when = "from the training trace" if at_s is None else f"at {at_s:.1f} s"
        self._notices.append(f"{when}: {text}")


def _in_use(traffic: Traffic, cutoffs: Cutoffs) -> list[Tier]:
    """The tiers in which requests belong."""
    return [tier for tier, part in by_tier(traffic, cutoffs).items() if part.work()]


def _fullest(traffic: Traffic, cutoffs: Cutoffs, workers: Mapping[str, int]) -> tuple[str, float]:
    """The tier with the largest offered load, and that load; a tier without workers serves nothing."""
    loads = {
        tier: part.work() / workers[tier] if workers.get(tier) else 0.0
        for tier, part in by_tier(traffic, cutoffs).items()
    }
    tier = max(loads, key=lambda name: loads[name])
    return tier, loads[tier]


def _is_sure(traffic: Traffic, cutoffs: Cutoffs, workers: Mapping[str, int], tier: str) -> bool:
    """Whether the load of a tier is more than the luck of a few requests."""
    part = {str(name): found for name, found in by_tier(traffic, cutoffs).items()}[tier]
    return (part.work() - part.work_error()) / workers[tier] >= RELIEVED


def _alike(variability: float) -> str:
    return (
        "tiers cannot pay, requests are too alike: the squared coefficient of variation of the service "
        f"time is {variability:.2f} (limit {LEAST_VARIABILITY:.2f})"
    )


def _shown(cutoffs: Cutoffs) -> str:
    return f"{1000 * cutoffs.hot_s:.3g}/{1000 * cutoffs.warm_s:.3g} ms"
