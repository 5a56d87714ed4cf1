"""The record of a profile: every stack that was seen, and what the stacks add up to."""

from __future__ import annotations

from typing import Literal

import msgspec

from tiergate.run_record import Environment, Interval, PluginVersion, Source, WorkloadFacts


class ProfileFrame(msgspec.Struct, kw_only=True, frozen=True):
    """A function that was on a stack.

    Attributes:
        file: below the folder that it is imported from; ``<built-in>`` for one that is not written in Python.
        line: where it begins; 0 for a built-in one.
        component: the part of the system in whose folder it lies; empty for a library.
    """

    function: str
    file: str
    line: int
    component: str = ""


class ProfileStack(msgspec.Struct, kw_only=True, frozen=True):
    """A stack, and how long its innermost call was seen to work.

    Attributes:
        process: index into `ProfileRecord.processes`.
        operation: that was being served; empty between two requests and in the coordinator.
        frames: indices into `ProfileRecord.frames`, the outermost first.
        component: the part of the system that it counts for.
        seconds: the sum over its samples.
        tail_s: those of `seconds` that belong to requests of the slowest twentieth.
    """

    process: int
    operation: str
    frames: list[int]
    component: str
    samples: int
    seconds: float
    tail_s: float = 0.0


class ProfileProcess(msgspec.Struct, kw_only=True, frozen=True):
    """A worker of all profiled rounds together, or the coordinator.

    Attributes:
        tier: of the worker; empty for the coordinator.
        samples: how often its stack was seen.
        busy_s: seconds of them in which it did not wait for something to do.
        idle_s: the other ones.
        cut_short: how many of its processes were killed; what they did in their last moment is not known.
    """

    name: str
    tier: str = ""
    samples: int
    busy_s: float
    idle_s: float
    cut_short: int = 0


class ComponentTime(msgspec.Struct, kw_only=True, frozen=True):
    """What a part of the system took, in workers and coordinator.

    Attributes:
        name: of the part.
        self_s: seconds in which it worked itself, libraries that it calls included.
        total_s: seconds in which it was on the stack.
        share: of `self_s` in all the time that was not idle.
        share_of_p95: its part of the response time of the slowest twentieth of the requests, in workers; None
            where none was seen.
    """

    name: str
    self_s: float
    total_s: float
    share: float
    share_of_p95: float | None = None


class HotSpot(msgspec.Struct, kw_only=True, frozen=True):
    """A function that took long.

    Attributes:
        component: the part of the system that it mostly worked for.
        self_s: seconds in which it was the innermost call.
        total_s: seconds in which it was on the stack; once where it calls itself.
        share, share_of_p95: of `self_s`, as in `ComponentTime`.
    """

    function: str
    file: str
    line: int
    component: str
    self_s: float
    total_s: float
    share: float
    share_of_p95: float | None = None


class ProfiledOperation(msgspec.Struct, kw_only=True, frozen=True):
    """One operation.

    Attributes:
        requests: that were served in profiled rounds.
        service_s: their time in workers.
        overhead: `service_s` over that of the same requests in rounds without a profiler; None where there is
            nothing to compare.
    """

    name: str
    requests: int
    service_s: float
    overhead: float | None = None


class ProfileOverhead(msgspec.Struct, kw_only=True, frozen=True):
    """What sampling cost, from rounds with and without a profiler in turn.

    Attributes:
        service: service time of all requests that both rounds of a pair completed, with over without.
        service_interval: 95 %, a pair of rounds as the unit; None from a single pair.
        response_p95: 95th percentile of the response time, with over without.
        response_p95_interval: likewise.
        pairs: of rounds.
    """

    service: float
    service_interval: Interval | None
    response_p95: float
    response_p95_interval: Interval | None
    pairs: int


class ProfileTail(msgspec.Struct, kw_only=True, frozen=True):
    """The slowest twentieth of the requests of the profiled rounds, by response time.

    Attributes:
        p95_ms: where it begins: the 95th percentile.
        requests: how many there are.
        waiting: share of their response time outside of a worker: queue, wire, routing.
        unseen: share of it in a worker of which there is no sample. Below 0 where samples stand for more
            than the time that the workers measured: those that fall on the edge of a request.
    """

    p95_ms: float
    requests: int
    waiting: float
    unseen: float


class ProfileRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A profile of a load run. It is never gated: sampling slows down what it looks at.

    Attributes:
        command: as the user gave it.
        profiler: what sampled.
        interval_ms: between two samples, at the least.
        operation: the only one that was sent; empty for all of the workload.
        components: in the order of `self_s`.
        hot_spots: functions in the order of `self_s`, the first ones.
        remarks: what a reader must know.
    """

    schema: Literal["tiergate.profile/1"] = "tiergate.profile/1"
    created_at: str
    duration_s: float
    command: list[str]
    environment: Environment
    workload: WorkloadFacts
    sources: list[Source]
    plugins: list[PluginVersion]
    router: str
    store: str
    profiler: str
    interval_ms: float
    operation: str = ""
    overhead: ProfileOverhead
    tail: ProfileTail | None
    processes: list[ProfileProcess]
    operations: list[ProfiledOperation]
    components: list[ComponentTime]
    hot_spots: list[HotSpot]
    frames: list[ProfileFrame]
    stacks: list[ProfileStack]
    remarks: list[str] = []
