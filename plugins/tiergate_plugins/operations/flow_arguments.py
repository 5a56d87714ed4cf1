"""Arguments and results of the operations on flow: the public contract of each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from tiergate.flow import DEFAULT_HALF_LIFE_S, Balance, Share
from tiergate.model import Status

TaskId = Annotated[str, Meta(min_length=1, description="id of a task of the session")]
Now = Annotated[
    Annotated[datetime, Meta(tz=True)] | None,
    Meta(description="the moment to answer for, RFC 3339 with an offset; null is the present. For replays."),
]
HalfLife = Annotated[
    float,
    Meta(ge=1, le=1e9, description="seconds in which momentum falls to a half where nothing progresses"),
]


class TaskProgress(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``task_progress``. At least one of `amount` and `done` says what was achieved."""

    task: TaskId
    amount: Annotated[
        Share | None, Meta(description="the share of the task that was done since the last report, 0 to 1")
    ] = None
    done: Annotated[bool, Meta(description="whether the task is completed with this")] = False
    note: Annotated[str | None, Meta(description="added to the task's notes, on a line of its own")] = None
    half_life_s: HalfLife = DEFAULT_HALF_LIFE_S
    now: Now = None


class Progressed(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``task_progress``."""

    task: Annotated[str, Meta(description="id of the task")]
    status: Annotated[Status, Meta(description="its status now")]
    done: Annotated[float, Meta(description="the share of it that was reported as done, 0 to 1")]
    momentum: Annotated[float, Meta(description="its momentum now, 0 to 1")]
    version: Annotated[int, Meta(description="the version that the session has now")]


class TaskExpand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``task_expand``."""

    task: TaskId
    now: Now = None


class Subtask(msgspec.Struct, frozen=True, kw_only=True):
    """A part that a task was expanded into."""

    task: Annotated[str, Meta(description="id of the subtask")]
    title: Annotated[str, Meta(description="its title")]
    weight: Annotated[float, Meta(description="its weight")]
    dependencies: Annotated[tuple[str, ...], Meta(description="ids of the tasks that it waits for")]


class Expanded(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``task_expand``."""

    task: Annotated[str, Meta(description="id of the task that was expanded; it waits for the last subtask")]
    subtasks: Annotated[list[Subtask], Meta(description="its parts, in the order in which they can be done")]
    version: Annotated[int, Meta(description="the version that the session has now")]


class BalanceArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``balance`` and ``balance_apply``."""

    wip_limit: Annotated[int, Meta(ge=0, le=100_000, description="how many tasks may be active at once")] = 3
    half_life_s: HalfLife = DEFAULT_HALF_LIFE_S
    now: Now = None


class BalanceApplied(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``balance_apply``."""

    balance: Annotated[Balance, Meta(description="what was decided")]
    started: Annotated[list[str], Meta(description="ids of the tasks that are active now and were not")]
    queued: Annotated[list[str], Meta(description="ids of the tasks that went back to the queue")]
    version: Annotated[int, Meta(description="the version that the session has now")]


class FlowArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``flow``."""

    half_life_s: HalfLife = DEFAULT_HALF_LIFE_S
    horizon_s: Annotated[
        float, Meta(ge=1, le=1e9, description="how many seconds ahead of the moment the prediction looks")
    ] = DEFAULT_HALF_LIFE_S
    now: Now = None


class PlanArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``plan`` takes no arguments."""
