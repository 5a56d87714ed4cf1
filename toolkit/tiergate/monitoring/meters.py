"""Counts and times of calls, cheap enough to be always on.

Two kinds of histogram of the same calls: one of fixed limits, which a scraper can add up over servers, and
HdrHistograms, from which percentiles are read, since the start and of the last minute.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from time import monotonic

import msgspec
from hdrh.histogram import HdrHistogram

from tiergate.dispatch import Call, Outcome

LIMITS_S = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
"""Upper limits of the histograms that a scraper reads, in seconds; above is one more."""

NO_TIER = "none"
"""The tier of calls for which none was chosen."""

SLOT_S = 10.0
SLOTS = 6
"""The last minute is kept in so many parts."""

_LONGEST_US = 3_600_000_000
_DIGITS = 2
_BITS = 8
"""Leading bits by which an HdrHistogram of two digits tells values apart."""

_Counts = dict[int, int]
"""Calls by the lower limit of their bucket, in microseconds."""


class Histogram:
    """Counts by `LIMITS_S`, and their sum in seconds."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(LIMITS_S) + 1)
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(LIMITS_S, seconds)] += 1
        self.sum_s += seconds


class Percentiles(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds; None where nothing was counted."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class Recent:
    """Response times of the last minute and since the start, with a relative error below 1 %.

    A call only counts up the number of its bucket; histograms are made of these when somebody looks.

    Args:
        clock: seconds since some moment.
        began: when counting began, by that clock.
    """

    def __init__(self, clock: Callable[[], float], began: float) -> None:
        self._clock = clock
        self._began = began
        self._before = _histogram()
        self._slots: deque[tuple[int, _Counts]] = deque()
        self._number = -1
        self._counts: _Counts = {}

    def add(self, seconds: float) -> None:
        """Count one."""
        microseconds = min(_LONGEST_US, max(1, int(seconds * 1e6)))
        shift = microseconds.bit_length() - _BITS
        if shift > 0:
            microseconds = microseconds >> shift << shift
        number = int(self._clock() / SLOT_S)
        if number != self._number:
            self._begin(number)
        counts = self._counts
        counts[microseconds] = counts.get(microseconds, 0) + 1

    @property
    def total(self) -> HdrHistogram:
        """Those since the start."""
        found = merged([self._before])
        for _, counts in self._slots:
            _fold(counts, found)
        return found

    def last_minute(self) -> HdrHistogram:
        """Those of the last minute, as far as it is divided into slots."""
        self._forget(int(self._clock() / SLOT_S))
        found = _histogram()
        for _, counts in self._slots:
            _fold(counts, found)
        return found

    def rate(self) -> float:
        """Calls a second in the last minute, or since the start where that is shorter."""
        now = self._clock()
        self._forget(int(now / SLOT_S))
        count = sum(sum(counts.values()) for _, counts in self._slots)
        oldest = max(self._began, (int(now / SLOT_S) - SLOTS + 1) * SLOT_S)
        return count / max(1.0, now - oldest)

    def _begin(self, number: int) -> None:
        self._forget(number)
        self._number, self._counts = number, {}
        self._slots.append((number, self._counts))

    def _forget(self, number: int) -> None:
        while self._slots and self._slots[0][0] <= number - SLOTS:
            _fold(self._slots.popleft()[1], self._before)


class Meters:
    """A watcher that counts and times every call.

    Attributes:
        calls: how many by operation, tier and outcome.
        response, service, store: seconds by operation and tier; the latter two of answered calls only.
        tiers: response times of answered calls by tier.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.calls: Counter[tuple[str, str, str]] = Counter()
        self.response: dict[tuple[str, str], Histogram] = defaultdict(Histogram)
        self.service: dict[tuple[str, str], Histogram] = defaultdict(Histogram)
        self.store: dict[tuple[str, str], Histogram] = defaultdict(Histogram)
        self.tiers: dict[str, Recent] = {}
        self._clock = clock
        self._began = clock()

    def began(self, call: Call) -> None:
        """Nothing is counted before it has its outcome."""

    def ended(self, call: Call) -> None:
        """Count the call."""
        operation, tier = call.request.operation, tier_of(call)
        self.calls[operation, tier, str(call.outcome)] += 1
        key = (operation, tier)
        self.response[key].add(call.response_s)
        if call.reply is None:
            return
        self.service[key].add(call.service_s)
        self.store[key].add(call.reply.store_ns / 1e9)
        recent = self.tiers.get(tier)
        if recent is None:
            recent = self.tiers[tier] = Recent(self._clock, self._began)
        recent.add(call.response_s)

    def by_operation(self) -> Mapping[str, Mapping[str, int]]:
        """Calls by operation and outcome."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for (operation, _, outcome), number in self.calls.items():
            found[operation][outcome] += number
        return found

    def lost(self) -> int:
        """Calls that got no answer although they were let in."""
        without = {Outcome.OVERLOADED, Outcome.TIMED_OUT, Outcome.FAILED}
        return sum(number for (_, _, outcome), number in self.calls.items() if outcome in without)


def tier_of(call: Call) -> str:
    """The tier in which a call was served, or for which it was meant."""
    return (call.choice.tier if call.choice is not None else None) or NO_TIER


def merged(histograms: Iterable[HdrHistogram]) -> HdrHistogram:
    """All of them in one."""
    found = _histogram()
    for histogram in histograms:
        found.add(histogram)
    return found


def percentiles(histogram: HdrHistogram) -> Percentiles:
    """Of a histogram of microseconds."""
    if not histogram.get_total_count():
        return Percentiles()
    found = histogram.get_percentile_to_value_dict([50, 95, 99])
    largest = histogram.get_max_value()
    return Percentiles(*(round(min(found[share], largest) / 1e3, 3) for share in (50, 95, 99)))


def _fold(counts: _Counts, into: HdrHistogram) -> None:
    for microseconds, count in counts.items():
        into.record_value(microseconds, count)


def _histogram() -> HdrHistogram:
    return HdrHistogram(1, _LONGEST_US, _DIGITS)
