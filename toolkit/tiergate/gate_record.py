"""The record of a gate: what was judged, by which figures, and the verdict.

Names are a contract: fields may be added, none renamed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tiergate.run_record import Environment, Interval

GateVerdict = Literal["pass", "fail", "inconclusive"]
BenchmarkVerdict = Literal["regressed", "improved", "same", "inconclusive"]
SideName = Literal["base", "new"]


class GateSide(msgspec.Struct, kw_only=True, frozen=True):
    """One of the two things that were compared.

    Attributes:
        label: what it was called by: a git reference, a folder, or a file.
        commit: its git commit, where it has one; empty otherwise.
        python: the version of the interpreter that ran it; empty where none was run.
    """

    label: str
    commit: str = ""
    python: str = ""


class GatePair(msgspec.Struct, array_like=True, frozen=True):
    """Seconds a call in two neighbouring blocks, one of each side."""

    base_s: float
    new_s: float


class GateBenchmark(msgspec.Struct, kw_only=True, frozen=True):
    """One benchmark of a comparison.

    Attributes:
        ratio: time of the new side over that of the base; 1.05 is 5 % slower.
        interval: 95 % confidence.
        seconds: what judging it took, without installing and collecting.
        verdict: by `decision_interval` and not by `interval`, which is narrower.
        decision_interval: at the confidence that the error budget of the whole suite leaves; the low end for
            a slowdown, the high end for a speed-up.
        reason: how the verdict came about, one sentence.
        p_value: of there being no slowdown beyond the tolerance; None where none was computed.
        base_s: median seconds a call on the base side.
        new_s: likewise on the new side.
        samples: the pairs of each generation of processes, in order.
        accepted: why a slowdown was accepted, as a person wrote it; empty where nobody did.
    """

    name: str
    ratio: float
    interval: Interval
    verdict: BenchmarkVerdict
    seconds: float
    decision_interval: Interval | None = None
    reason: str = ""
    p_value: float | None = None
    base_s: float | None = None
    new_s: float | None = None
    samples: list[list[GatePair]] = []
    accepted: str = ""


class GateUnpaired(msgspec.Struct, kw_only=True, frozen=True):
    """A benchmark that only one side has, or that a side did not run to its end.

    Attributes:
        side: where it is missing or fails; the base, where both skip it.
        problem: ``missing``, ``failed``, or ``skipped`` by the test itself.
        detail: what is known: the error, or the name that it may have now.
    """

    name: str
    side: SideName
    problem: Literal["missing", "failed", "skipped"]
    detail: str = ""


class GateRules(msgspec.Struct, kw_only=True, frozen=True):
    """What a paired comparison promised before it began.

    Attributes:
        tolerance: share by which a benchmark may be slower before that counts as a slowdown.
        same_within: share within which a benchmark counts as the same once that is sure.
        false_alarms: chance that any benchmark of an unchanged suite is called regressed.
        missed: chance, a benchmark, that one as slow as `same_within` is called the same.
        looks: numbers of generations after which it was judged.
        budget_s: seconds of calls, of both sides together and without waiting for a core, after which a
            benchmark that is not decided is left so.
    """

    tolerance: float
    same_within: float
    false_alarms: float
    missed: float
    looks: list[int]
    budget_s: float


class GateCheck(msgspec.Struct, kw_only=True, frozen=True):
    """One budget, judged by the interval of what it limits.

    Attributes:
        metric: dotted name in the configured router's variant, or name of a bench record's row.
        budget: as written, for example ``< 100 ms``.
        interval: equal ends for what was counted and not estimated; None where nothing was measured.
    """

    metric: str
    value: float | None
    interval: Interval | None
    budget: str
    verdict: GateVerdict
    title: str = ""
    reason: str = ""


class GateRecord(msgspec.Struct, kw_only=True, frozen=True):
    """What a gate decided, and by which benchmarks and checks.

    Attributes:
        subject: what was judged, for people.
        rules: of a paired comparison.
        unpaired: benchmarks that could not be compared.
        remarks: what a reader should know before trusting the figures, such as differing environments.
        command: what made the record, as a person would type it.
    """

    schema: Literal["tiergate.gate/1"] = "tiergate.gate/1"
    verdict: GateVerdict
    benchmarks: list[GateBenchmark] = []
    checks: list[GateCheck] = []
    subject: str = ""
    base: GateSide | None = None
    new: GateSide | None = None
    rules: GateRules | None = None
    unpaired: list[GateUnpaired] = []
    remarks: list[str] = []
    environment: Environment | None = None
    command: str = ""
    created_at: str = ""
    duration_s: float = 0.0
