"""Matching and findings of 100,000 tasks, in a process of its own, as this module run with a number is.

Texts are drawn from a vocabulary by Zipf's law, with copies, rewordings, steps of a template, and long notes.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from tiergate.bench import BenchSetup
from tiergate.errors import RunError
from tiergate.matching import Plan
from tiergate.model import Session, Status, Task
from tiergate.record import BenchRow
from tiergate_plugins.reconcile.bench.resampling import row

TASKS, QUICK = 100_000, 10_000
_WORDS, _SESSIONS, _LONGEST = 20_000, 50, 250
_SYLLABLES = "ba co di fu ge hi jo ku la me ni po qua ro si ta ul ve wo xi ya zu st tr pl".split()


def make_plans(tasks: int, seed: int = 1) -> list[Plan]:
    """Two sources of so many tasks in all; most of the second are the first one's, some reworded."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4))) for _ in range(_WORDS)]
    weights = [1 / (rank + 1) for rank in range(_WORDS)]
    first = [_task(draw, words, weights, number) for number in range(tasks // 2)]
    second = []
    for number, task in enumerate(first):
        lot = draw.random()
        if lot < 0.65:
            second.append(Task(id=f"b{number}", title=task.title, notes=task.notes, status=Status.COMPLETED))
        elif lot < 0.75:
            title = " ".join([*task.title.split()[1:], draw.choice(words)])
            second.append(Task(id=f"b{number}", title=title, notes=task.notes))
        else:
            second.append(_task(draw, words, weights, number + tasks))
    return [_plan("one", first), _plan("two", second)]


def _task(draw: random.Random, words: list[str], weights: list[float], number: int) -> Task:
    if number % 20 == 0:
        return Task(id=f"a{number}", title=f"Run step {number % 400} of the release checklist")
    title = " ".join(draw.choices(words, weights, k=draw.randint(3, 10)))
    notes = " ".join(draw.choices(words, weights, k=int(draw.paretovariate(1.1)) % _LONGEST))
    needs = (f"a{number - 1}",) if number % 3 == 0 and number else ()
    return Task(
        id=f"a{number}", title=title, notes=notes, dependencies=needs, status=draw.choice(list(Status))
    )


def _plan(source: str, tasks: list[Task]) -> Plan:
    size = len(tasks) // _SESSIONS + 1
    return Plan(
        source=source,
        sessions=tuple(
            Session(id=f"s{at // size}", tasks=tuple(tasks[at : at + size]))
            for at in range(0, len(tasks), size)
        ),
    )


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """Seconds and memory of three processes; the median counts, the ends are the lowest and the highest."""
    tasks, times = (QUICK, 1) if setup.quick else (TASKS, 3)
    setup.progress(f"matching {tasks} tasks")
    found = [_measured(tasks) for _ in range(times)]
    took, held = [one["seconds"] for one in found], [one["peak_mib"] for one in found]
    yield row(
        f"{tasks:,} tasks: matching and findings",
        median(took),
        (min(took), max(took)),
        most=25.0,
        unit="s",
        note=f"{found[0]['matches']:.0f} matches, {found[0]['findings']:.0f} findings; {times} runs",
    )
    yield row(
        f"{tasks:,} tasks: largest memory of the process",
        median(held),
        (min(held), max(held)),
        most=1024.0,
        unit="MiB",
    )


def _measured(tasks: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(tasks)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RunError(
            f"the process failed: {done.stderr.strip().splitlines()[-1:]}", where="bench reconcile"
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(tasks: int) -> dict[str, float]:
    """Match and notice once, in this process."""
    from tiergate.deciding import Inquiry
    from tiergate.reconcile.findings import find
    from tiergate_plugins.reconcile.matcher import match

    plans = make_plans(tasks)
    began = time.perf_counter()
    matched = match(plans)
    inquiry = Inquiry(plans=tuple(plans), now=datetime(2026, 1, 1, tzinfo=UTC), matched=matched)
    findings = find(inquiry)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kib = peak / 1024 if sys.platform == "darwin" else peak
    return {
        "seconds": took,
        "peak_mib": kib / 1024,
        "matches": float(len(matched.matches)),
        "findings": float(len(findings)),
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
