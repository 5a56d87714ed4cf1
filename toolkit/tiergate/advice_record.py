"""The record of advice: what was measured of somebody's own sessions and requests, and what follows."""

from __future__ import annotations

from typing import Literal

import msgspec

from tiergate.run_record import Environment, Interval, PluginVersion, Source

AdviceVerdict = Literal["justified", "not yet", "inconclusive"]


class AdviceMetric(msgspec.Struct, kw_only=True, frozen=True):
    """One figure that advice rests on.

    Attributes:
        name: as triggers name it.
        title: in words.
        value: None where it could not be measured; `note` says why then, and how it could be.
        interval: 95 %; equal ends for what was counted.
        unit: such as ``tasks``, ``x`` or ``share``; empty for a bare number.
        source: where it comes from: ``counted``, ``measured``, ``simulated``, or the file of a record.
    """

    name: str
    title: str
    value: float | None = None
    interval: Interval | None = None
    unit: str = ""
    source: str = ""
    note: str = ""


class AdviceClause(msgspec.Struct, kw_only=True, frozen=True):
    """A condition on a metric, and whether it holds: yes, no, or None where the interval cannot say."""

    metric: str
    condition: str
    holds: bool | None


class AdviceStep(msgspec.Struct, kw_only=True, frozen=True):
    """What is advised about one optional step.

    Attributes:
        step: its name in the file of triggers.
        title: what the step is.
        verdict: ``justified`` only where a trigger and the gain are both measured and hold.
        triggers: when the step is worth thinking of: one that holds is enough.
        gain: what it has to gain on these very sessions and requests; empty where nothing here measures it.
        why: the verdict in one sentence, with its figures.
        effort: what the step takes.
        cost: what it costs once it is done.
        next: the command that comes next.
    """

    step: str
    title: str
    verdict: AdviceVerdict
    triggers: list[AdviceClause]
    gain: list[AdviceClause]
    why: str
    effort: str
    cost: str
    next: str


class AdviceRecord(msgspec.Struct, kw_only=True, frozen=True):
    """What is worth doing, and what is not.

    Attributes:
        current: the kind of store that the sessions are taken to lie in now.
        measured_tasks: of the sessions that stores were measured with; fewer than all where there are many.
        trace: file of the requests; empty where a workload made them.
        sha256: of the trace.
    """

    schema: Literal["tiergate.advice/1"] = "tiergate.advice/1"
    created_at: str
    duration_s: float
    command: list[str]
    environment: Environment
    sources: list[Source]
    plugins: list[PluginVersion]
    current: str
    measured_tasks: int
    requests: int
    trace: str
    sha256: str
    metrics: list[AdviceMetric]
    advice: list[AdviceStep]
    remarks: list[str] = []
