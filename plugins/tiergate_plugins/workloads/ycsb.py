"""The core workloads of YCSB on sessions of tasks: what the files ``ycsb_a`` to ``ycsb_f`` share.

Cooper et al., Benchmarking cloud serving systems with YCSB, 2010, table 2. A record is a task with 1000 bytes
of notes. Its operations become:

==================  ====================================================================================
read                ``task_get``
update              ``task_update`` that sets the weight: one field is written, whatever it held before
insert              ``task_add`` of a new record to a session that is drawn uniformly
scan                ``tasks_query`` within the session of the key that was drawn: as many tasks as a number
                    drawn uniformly from 1 to 100, at most those that the session has, in the order of ids
read-modify-write   ``task_update`` that appends to the notes: the worker reads the task, changes it, and
                    writes under the version that it read, which YCSB's client does in two calls
==================  ====================================================================================

Keys are drawn with Zipf's law (exponent 0.99, popular records spread over all sessions), or, for "latest",
with that law over recency. YCSB reads no record before its insert was acknowledged; a trace that is fixed
beforehand cannot know that, so it leaves an inserted record alone until `SETTLED` requests have followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Literal

from tiergate.hooks import WorkloadDeclaration
from tiergate.model import Session
from tiergate.operation import Request
from tiergate_plugins.workloads.records import Key, equal_sessions, keys_of, notes, zipf_rank
from tiergate_plugins.workloads.text import sentences, title

Step = Literal["read", "update", "insert", "scan", "read-modify-write"]
Popularity = Literal["zipfian", "latest"]

SETTLED = 200
LONGEST_SCAN = 100


def workload(
    letter: str, mix: Mapping[Step, int], popularity: Popularity, about: str
) -> Iterator[WorkloadDeclaration]:
    """The declaration of one core workload.

    Args:
        mix: percent of each operation.
    """

    def requests(seed: int, sessions: Sequence[Session], count: int) -> list[Request]:
        return generate(Random(f"ycsb-{letter} requests {seed}"), sessions, count, mix, popularity)

    yield WorkloadDeclaration(
        name=f"ycsb-{letter}",
        summary=f"YCSB core workload {letter.upper()}: {about}",
        sessions=equal_sessions,
        requests=requests,
    )


def generate(
    random: Random, sessions: Sequence[Session], count: int, mix: Mapping[Step, int], popularity: Popularity
) -> list[Request]:
    """`count` requests on the sessions.

    Raises:
        ValueError: no session has a task.
    """
    keys = keys_of(sessions)
    names = sorted({session for session, _ in keys})
    inserted: list[tuple[int, Key]] = []
    draw = _chooser(random, keys, popularity)
    steps = random.choices(list(mix), weights=list(mix.values()), k=count)
    found: list[Request] = []
    for number, step in enumerate(steps):
        while inserted and inserted[0][0] <= number - SETTLED:
            keys.append(inserted.pop(0)[1])
        if step == "insert":
            key = (random.choice(names), f"new-{number}")
            inserted.append((number, key))
        else:
            key = draw()
        found.append(_request(random, number, step, key))
    return found


def _chooser(random: Random, keys: list[Key], popularity: Popularity) -> Callable[[], Key]:
    """Draws from a list that may grow at its end."""
    rank = zipf_rank(random, len(keys))
    if popularity == "latest":
        return lambda: keys[-1 - rank()]
    spread = random.sample(range(len(keys)), k=len(keys))
    return lambda: keys[spread[rank()]]


def _request(random: Random, number: int, step: Step, key: Key) -> Request:
    session, task = key
    match step:
        case "read":
            return Request(number, "task_get", session, {"task": task})
        case "update":
            weight = random.randrange(1, 9) + random.random()
            return Request(number, "task_update", session, {"task": task, "weight": round(weight, 3)})
        case "read-modify-write":
            added = sentences(random, 4)
            return Request(number, "task_update", session, {"task": task, "append_notes": added})
        case "insert":
            arguments = {"task": task, "title": title(random), "notes": notes(random)}
            return Request(number, "task_add", session, arguments)
        case "scan":
            limit = random.randint(1, LONGEST_SCAN)
            return Request(
                number, "tasks_query", session, {"within": "session", "order": "id", "limit": limit}
            )
