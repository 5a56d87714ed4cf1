"""Values to test plugins with: tasks and sessions, facts of requests, pools."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tiergate.hooks import RouterDeclaration
from tiergate.model import Session, Task
from tiergate.operation import Scope
from tiergate.routing import TIERS, Cutoffs, Observation, PoolView, RequestFacts, RouterSetup, WorkerView

AWKWARD_TEXTS: Mapping[str, str] = {
    "empty": "",
    "spaces": "  \t\n ",
    "slashes": "a/b\\c",
    "climbing": "../../etc",
    "dot": ".",
    "quotes": 'it\'s "quoted"; DROP TABLE tasks; --',
    "wildcards": "100%_of*?[a-z]",
    "nul": "before\0after",
    "controls": "\x01\x1b[31m\x7f\r\n",
    "emoji": "\N{ROCKET}\N{FAMILY}\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}",
    "right-to-left": "\N{RIGHT-TO-LEFT OVERRIDE}\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "upper": "CASE",
    "lower": "case",
    "percent": "%2e%2e%2f",
    "long": "long " * 200,
}
"""Texts that have broken stores before, by what is awkward about them. All of them are valid Unicode."""


SHARED = "shared"
"""The tier of all workers in the pool of a router that chooses none."""


def make_task(task_id: str = "t", **changes: Any) -> Task:
    """A task with these fields, and a title where none is given."""
    return Task(**{"id": task_id, "title": f"Task {task_id}", **changes})


def make_session(session_id: str = "s", *tasks: Task | str, **changes: Any) -> Session:
    """A session with these tasks; a text stands for a task of that id."""
    made = tuple(make_task(task) if isinstance(task, str) else task for task in tasks)
    return Session(id=session_id, tasks=made, **changes)


def make_facts(request: int = 0, **changes: Any) -> RequestFacts:
    """The facts of a request that reads one small task, with these changes."""
    facts = RequestFacts(
        request=request,
        operation="task_get",
        session="s",
        arguments={"task": "t"},
        payload_bytes=12,
        scope=Scope.TASK,
        read_tasks=1,
        read_bytes=200,
        writes=False,
    )
    return msgspec.structs.replace(facts, **changes)


def varied_facts(seed: int, count: int) -> list[RequestFacts]:
    """Facts of `count` requests, ids from 0: every scope, sizes from nothing to a terabyte, odd names.

    The same seed gives the same facts.
    """
    draw = random.Random(seed)
    operations = ["task_get", "task_update", "search", "", "never heard of \N{ROCKET}"]
    arguments: list[dict[str, Any]] = [{}, {"task": "t"}, {"text": "x" * 500}, {"deep": {"er": [1, None]}}]
    return [
        make_facts(
            request,
            operation=draw.choice(operations),
            session=draw.choice([None, f"s{draw.randrange(5)}", draw.choice([*AWKWARD_TEXTS.values()])]),
            arguments=draw.choice(arguments),
            payload_bytes=draw.choice([0, 2, draw.randrange(10**4), 10**9]),
            scope=draw.choice([*Scope]),
            read_tasks=draw.choice([0, 1, draw.randrange(10**4), 10**7]),
            read_bytes=draw.choice([0, draw.randrange(10**6), 10**12]),
            writes=draw.random() < 0.3,
        )
        for request in range(count)
    ]


def make_pool(workers: Mapping[str, int], *, waiting: int = 0, work_left_s: float = 0.0) -> PoolView:
    """A pool with so many workers in each tier, all of them equally busy."""
    return PoolView(
        [
            WorkerView(f"{tier}-{number}", tier, waiting, work_left_s)
            for tier, count in workers.items()
            for number in range(count)
        ]
    )


def varied_pools(declaration: RouterDeclaration, seed: int) -> Iterator[PoolView]:
    """Pools as a router of this kind may see them, without end: whole, with tiers missing, of one worker.

    A router that chooses no tier sees equal workers of one tier, ``shared``.
    """
    draw = random.Random(seed)
    tiers: Sequence[str] = TIERS if declaration.chooses_tier else (SHARED,)
    while True:
        present = draw.sample(tiers, draw.randint(1, len(tiers)))
        view = make_pool({tier: draw.randint(1, 3) for tier in tiers if tier in present})
        yield PoolView(
            [
                WorkerView(worker.name, worker.tier, waiting, waiting * draw.random())
                for worker in view.workers
                for waiting in [draw.choice([0, 0, 1, 7, 10_000])]
            ]
        )


def make_setup(
    declaration: RouterDeclaration,
    facts: Sequence[RequestFacts],
    *,
    seed: int = 1,
    trained: bool = True,
    clock: Callable[[], float] = lambda: 0.0,
) -> RouterSetup:
    """What a router that will route these requests is built from.

    Only an oracle is given their service times. The training requests are others, and their service
    time grows with what they read; `trained` False leaves them out. The clock stands still unless one
    is given.
    """
    training = [Observation(one, _service_s(one)) for one in varied_facts(10**6 + seed, 200 * trained)]
    return RouterSetup(
        cutoffs=Cutoffs(hot_s=0.002, warm_s=0.05),
        training=training,
        sealed={one.request: _service_s(one) for one in facts} if declaration.is_oracle else None,
        seed=seed,
        clock=clock,
    )


def _service_s(facts: RequestFacts) -> float:
    return 0.0003 + min(facts.read_bytes, 10**9) * 1e-9 + (0.002 if facts.writes else 0.0)
