"""What the flow balancer answers with. The descriptions are those of the JSON schemas of its operations."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tiergate.model import Status

Share = Annotated[float, Meta(ge=0, le=1)]


class FlowState(StrEnum):
    """How a session is getting on, see `tiergate.flow.state`."""

    IDLE = "idle"
    WARMING = "warming"
    FLOWING = "flowing"
    DEEP = "deep"
    STALLED = "stalled"
    DONE = "done"


class ScoreParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a score is made of; the parts add up to it."""

    path: Annotated[float, Meta(description="for the heaviest chain of open tasks that waits for this one")]
    momentum: Annotated[float, Meta(description="for recent progress on the task")]
    age: Annotated[float, Meta(description="for how long the task has been there")]
    running: Annotated[float, Meta(description="for being active already, so that trifles displace nothing")]


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A task that should be active now."""

    task: Annotated[str, Meta(description="id of the task")]
    title: Annotated[str, Meta(description="its title")]
    action: Annotated[
        Literal["start", "keep"], Meta(description="start it, or keep it active where it is already")
    ]
    score: Annotated[float, Meta(description="what the tasks are ranked by, the highest first")]
    parts: Annotated[ScoreParts, Meta(description="what the score is made of")]
    path_weight: Annotated[
        float, Meta(description="weight of the heaviest chain of open tasks from this one to its end")
    ]
    reason: Annotated[str, Meta(description="why it was chosen, in a sentence")]


class SteppedBack(msgspec.Struct, frozen=True, kw_only=True):
    """An active task that should not be active now."""

    task: Annotated[str, Meta(description="id of the task")]
    title: Annotated[str, Meta(description="its title")]
    cause: Annotated[
        Literal["waits", "displaced", "over_limit"],
        Meta(description="it waits for open tasks; others have a higher score; or no more may be active"),
    ]
    score: Annotated[
        float | None, Meta(description="what it was ranked by; null for one that waits and was not ranked")
    ]
    waits_for: Annotated[
        list[str], Meta(description="ids of the open tasks that it waits for, the first few, sorted")
    ]
    reason: Annotated[str, Meta(description="why it should step back, in a sentence")]


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks of a session should be active now."""

    active: Annotated[
        list[Chosen], Meta(description="the tasks that should be active, the highest score first")
    ]
    step_back: Annotated[
        list[SteppedBack], Meta(description="active tasks that should go back to the queue, by id")
    ]
    wip_limit: Annotated[int, Meta(description="how many tasks may be active at once")]
    ready: Annotated[int, Meta(description="tasks that could be active: they wait for nothing")]
    waiting: Annotated[int, Meta(description="open tasks that wait for another one")]
    blocked: Annotated[int, Meta(description="tasks with the status blocked; they are never chosen")]
    now: Annotated[str, Meta(description="the moment that this is about, RFC 3339")]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """In which order the open tasks of a session can be done."""

    critical_path: Annotated[
        list[str], Meta(description="ids of the heaviest chain of open tasks, from first to last")
    ]
    weight: Annotated[float, Meta(description="sum of the weights along the critical path")]
    layers: Annotated[
        list[list[str]],
        Meta(
            description="ids of the open tasks, sorted, by layer: each waits for one of the layer before, so"
            " that the tasks of a layer can be done side by side"
        ),
    ]
    open: Annotated[int, Meta(description="how many open tasks there are")]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of a session at a later moment."""

    state: Annotated[FlowState, Meta(description="the flow state that is expected")]
    momentum: Annotated[Share, Meta(description="the momentum that is expected")]
    at: Annotated[str, Meta(description="the moment that the prediction is about, RFC 3339")]
    basis: Annotated[str, Meta(description="what it rests on, in a sentence")]


class SoonReady(msgspec.Struct, frozen=True, kw_only=True):
    """A task that waits, and will probably not wait for long."""

    task: Annotated[str, Meta(description="id of the task")]
    title: Annotated[str, Meta(description="its title")]
    score: Annotated[Share, Meta(description="how near it is to being ready, beside others; no probability")]
    waits_for: Annotated[list[str], Meta(description="ids of the open tasks that it waits for, sorted")]


class Moving(msgspec.Struct, frozen=True, kw_only=True):
    """A task with momentum."""

    task: Annotated[str, Meta(description="id of the task")]
    title: Annotated[str, Meta(description="its title")]
    momentum: Annotated[Share, Meta(description="its momentum now")]


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """How a session is getting on now, and what is expected next."""

    state: Annotated[FlowState, Meta(description="the flow state now")]
    momentum: Annotated[Share, Meta(description="of the session: recent progress on any of its tasks")]
    trend: Annotated[
        Literal["rising", "steady", "falling"],
        Meta(description="how momentum now compares with what it was one half-life ago"),
    ]
    since: Annotated[
        str | None, Meta(description="when the session came into this state, RFC 3339; null if it always was")
    ]
    tasks: Annotated[dict[Status, int], Meta(description="how many tasks have each status")]
    moving: Annotated[list[Moving], Meta(description="tasks with the most momentum, at most ten")]
    prediction: Annotated[Prediction, Meta(description="what is expected at the end of the horizon")]
    soon_ready: Annotated[
        list[SoonReady], Meta(description="tasks that are about to be ready, at most ten, nearest first")
    ]
    now: Annotated[str, Meta(description="the moment that this is about, RFC 3339")]
