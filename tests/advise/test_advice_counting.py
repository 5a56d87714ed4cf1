"""What sessions and requests say of themselves, and what tiers would be worth to them."""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import Any

import pytest

from tiergate.advice_record import AdviceMetric
from tiergate.advise.counting import count_requests, count_sessions
from tiergate.advise.tiering import tier_metrics
from tiergate.hooks import OperationDeclaration
from tiergate.load.trace import Trace, make_trace
from tiergate.model import Session, Task
from tiergate.operation import Request
from tiergate.plugins import PluginHost

OPERATIONS = {one.name: one for one in PluginHost().all(OperationDeclaration)}
WORKERS = {"hot": 2, "warm": 1, "cold": 2}


def by_name(metrics: Any) -> dict[str, AdviceMetric]:
    return {one.name: one for one in metrics}


def asked(*requests: tuple[str, str | None, dict[str, Any]], every_s: float = 1.0) -> Trace:
    made = [
        Request(id=0, operation=name, session=session, arguments=args) for name, session, args in requests
    ]
    return make_trace("agents", 1, made, [every_s * number for number in range(len(made))])


def values(trace: Trace, *, is_recorded: bool = True) -> dict[str, float | None]:
    found = by_name(count_requests(trace, OPERATIONS, is_recorded=is_recorded))
    return {name: one.value for name, one in found.items()}


def test_sessions_are_counted() -> None:
    sessions = [
        Session(id="a", tasks=tuple(Task(id=str(n), title="x") for n in range(3))),
        Session(id="b", tasks=(Task(id="1", title="y"),)),
        Session(id="c"),
    ]
    found = by_name(count_sessions(sessions))
    assert found["sessions"].value == 3
    assert found["tasks"].value == 4
    assert found["tasks_per_session.max"].value == 3
    assert found["bytes"].value == found["bytes"].interval[1]  # type: ignore[index]
    assert found["bytes"].value > 100  # type: ignore[operator]
    assert by_name(count_sessions([]))["tasks_per_session.max"].value == 0


SEARCH = ("search", None, {"text": "parser"})
GET = ("task_get", "a", {"task": "1"})


def test_requests_across_sessions_are_told_from_those_of_one() -> None:
    inside = ("search", "a", {"text": "parser", "within": "session"})
    assert values(asked(SEARCH, GET, inside, GET))["requests.cross_session"] == 0.25


def test_a_repeated_read_counts_until_something_is_written() -> None:
    update_a = ("task_update", "a", {"task": "1", "status": "active"})
    update_b = ("task_update", "b", {"task": "1", "status": "active"})
    assert values(asked(GET, GET))["requests.repeated"] == 0.5
    assert values(asked(GET, update_a, GET))["requests.repeated"] == 0
    assert values(asked(GET, update_b, GET))["requests.repeated"] == pytest.approx(1 / 3)
    assert values(asked(SEARCH, update_b, SEARCH))["requests.repeated"] == 0
    assert values(asked(SEARCH, GET, SEARCH))["requests.repeated"] == pytest.approx(1 / 3)


def test_sessions_of_one_minute_are_concurrent() -> None:
    requests = [("task_get", f"s{number % 40}", {"task": "1"}) for number in range(80)]
    assert values(asked(*requests, every_s=1.0))["sessions.concurrent"] == 40
    assert values(asked(*requests, every_s=6.0))["sessions.concurrent"] == 10
    assert values(asked(*requests), is_recorded=False)["sessions.concurrent"] is None


def test_load_is_known_of_recorded_times_only() -> None:
    passes = [[0.1] * 10, [0.12] * 10]
    starts = [0.5 * number for number in range(10)]
    found = by_name(tier_metrics(passes, starts, WORKERS, 2, is_recorded=True))
    assert found["requests.offered_load"].value == pytest.approx((1.0 + 1.2) / 2 / 4.5 / 2)
    found = by_name(tier_metrics(passes, starts, WORKERS, 2, is_recorded=False))
    assert found["requests.offered_load"].value is None
    assert "record your own" in found["requests.offered_load"].note


def test_tiers_gain_where_few_requests_are_long_and_nothing_where_all_are_alike() -> None:
    random = Random(3)
    mixed = [0.5 if random.random() < 0.05 else random.uniform(0.001, 0.002) for _ in range(1000)]
    starts = list(accumulate(random.expovariate(100.0) for _ in mixed))
    found = by_name(tier_metrics([mixed, mixed], starts, WORKERS, 2, is_recorded=False))
    assert found["requests.variability"].value > 1  # type: ignore[operator]
    assert found["tiers.short_slowdown"].value < 0.5  # type: ignore[operator]
    assert found["tiers.short_slowdown"].source == "simulated"
    alike = [[0.01] * 1000, [0.01] * 1000]
    found = by_name(tier_metrics(alike, starts, WORKERS, 2, is_recorded=False))
    assert found["requests.variability"].value == pytest.approx(0.0, abs=1e-9)
    assert found["tiers.short_slowdown"].value is None
    assert found["tiers.short_slowdown"].note == "the requests take about the same time"
