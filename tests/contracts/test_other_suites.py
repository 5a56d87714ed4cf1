"""The suites of operations, workloads, exporters and targets: what ships keeps them, broken ones do not."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import msgspec
import pytest

from tiergate.hooks import (
    ExporterDeclaration,
    LoadTargetDeclaration,
    OperationDeclaration,
    WorkloadDeclaration,
)
from tiergate.model import Task
from tiergate.plugins import PluginHost
from tiergate.record import GateRecord, Record
from tiergate.store import Store
from tiergate.target import Flight, Target, TargetSetup
from tiergate.testing import ExporterContract, OperationContract, TargetContract, WorkloadContract
from tiergate.testing.operations import SESSIONS

HOST = PluginHost()
PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "hooks"
GATE = GateRecord(verdict="pass", benchmarks=[], checks=[])

CALLS: dict[str, list[dict[str, Any]]] = {
    "task_get": [{"task": "a"}],
    "task_update": [{"task": "b", "status": "active"}],
    "task_add": [{"task": "d", "title": "Write the tests"}],
    "tasks_query": [{}, {"statuses": ["active"]}],
    "search": [{"text": "index"}, {"text": "index", "within": "session"}],
    "critical_path": [{}],
    "task_progress": [{"task": "b", "amount": 0.5}],
    "task_expand": [{"task": "c"}],
    "session_create": [{"title": "more", "tasks": [{"task": "x", "title": "first"}]}],
    "session_get": [{}, {"limit": 1}],
    "session_list": [{}, {"prefix": "o"}],
    "session_archive": [{}],
    "balance": [{"wip_limit": 2}],
    "balance_apply": [{"wip_limit": 1}],
    "flow": [{}],
    "plan": [{}],
    "reconcile": [{"limit": 5}],
}
"""Arguments of every operation that ships."""


def example(hook: str) -> Any:
    """What the example of a hook's page declares."""
    text = (PAGES / f"{hook}.md").read_text(encoding="utf-8")
    block, *_ = re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    module = ModuleType(f"example_{hook}")
    sys.modules[module.__name__] = module  # where a struct looks for the types of its fields
    exec(block, vars(module))
    [declared] = vars(module)[hook]()
    return declared


class TestOperations(OperationContract):
    @pytest.fixture(params=[*(one.name for one in HOST.all(OperationDeclaration)), "documented"])
    def declaration(self, request: pytest.FixtureRequest) -> OperationDeclaration:
        if request.param == "documented":
            found: OperationDeclaration = example("tiergate_operations")
            return found
        return HOST.get(OperationDeclaration, request.param)

    @pytest.fixture
    def calls(self, declaration: OperationDeclaration) -> list[dict[str, Any]]:
        return CALLS.get(declaration.name, [{}, {"status": "queued"}])

    @pytest.fixture
    def session(self, declaration: OperationDeclaration) -> str:
        return "fresh" if declaration.name == "session_create" else "one"


class TestWorkloads(WorkloadContract):
    @pytest.fixture(params=[*(one.name for one in HOST.all(WorkloadDeclaration)), "documented"])
    def declaration(self, request: pytest.FixtureRequest) -> WorkloadDeclaration:
        if request.param == "documented":
            found: WorkloadDeclaration = example("tiergate_workloads")
            return found
        return HOST.get(WorkloadDeclaration, request.param)


class TestExporters(ExporterContract):
    @pytest.fixture(params=["html", "documented"])
    def declaration(self, request: pytest.FixtureRequest) -> ExporterDeclaration:
        if request.param == "documented":
            found: ExporterDeclaration = example("tiergate_exporters")
            return found
        return HOST.get(ExporterDeclaration, request.param)

    @pytest.fixture
    def records(self, declaration: ExporterDeclaration) -> list[Record]:
        if declaration.name == "html":
            return [GATE]
        check = {"metric": "m", "value": 1.0, "interval": (0.5, 1.5), "budget": "< 2", "verdict": "pass"}
        return [msgspec.convert({"verdict": "pass", "benchmarks": [], "checks": [check]}, GateRecord)]


class TestTargets(TargetContract):
    @pytest.fixture
    def declaration(self) -> LoadTargetDeclaration:
        found: LoadTargetDeclaration = example("tiergate_targets")
        return found

    @pytest.fixture
    def setup(self) -> TargetSetup:
        return TargetSetup(argument="2")

    @pytest.fixture
    def wrong(self) -> TargetSetup:
        return TargetSetup(argument="soon")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No arguments."""


class Loose(msgspec.Struct, frozen=True):
    """Takes anything."""


def operation(run: Callable[[Store, str, Any], Any], **changes: Any) -> OperationDeclaration:
    one = OperationDeclaration(name="broken", summary="keeps no contract", arguments=Nothing, run=run)
    return replace(one, **changes)


def write(store: Store, session: str, _arguments: Any) -> int:
    return store.upsert_tasks(
        session, [Task(id="new", title="x")], expected_version=store.load(session).version
    )


OPERATIONS, WORKLOADS, EXPORTERS, TARGETS = (
    OperationContract(),
    WorkloadContract(),
    ExporterContract(),
    TargetContract(),
)


@pytest.mark.parametrize(
    ("check", "broken", "quote"),
    [
        ("test_one_that_only_reads_changes_nothing_and_answers_the_same_again", operation(write), "False"),
        (
            "test_one_that_writes_changes_something",
            operation(lambda *_: 1, writes=True),
            "True changes the store",
        ),
        (
            "test_one_that_only_reads_changes_nothing_and_answers_the_same_again",
            operation(lambda *_: Random().random(), cached=True),
            "cached",
        ),
    ],
)
def test_a_broken_operation_is_told_so(
    check: str, broken: OperationDeclaration, quote: str, tmp_path: Path
) -> None:
    with PluginHost().opener().open(f"sqlite:{tmp_path / 's.db'}") as opened:
        for session in SESSIONS:
            opened.save(session)
        with pytest.raises(AssertionError, match=quote):
            getattr(OPERATIONS, check)(broken, [{}], opened, "one")


def test_loose_arguments_and_a_scope_that_is_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception):
        OPERATIONS.test_arguments_are_converted_strictly(operation(write, arguments=Loose))
    with pytest.raises(AssertionError, match="a `Scope`"):
        OPERATIONS.test_how_much_is_read_is_told_beforehand(
            operation(write, scope=lambda _: "everything"), [{}]
        )


GOOD: WorkloadDeclaration = example("tiergate_workloads")


@pytest.mark.parametrize(
    ("check", "broken", "quote"),
    [
        (
            WORKLOADS.test_sessions_have_about_as_many_tasks_as_are_asked_for,
            replace(GOOD, sessions=lambda seed, _tasks: GOOD.sessions(seed, 20)),
            "about that many",
        ),
        (
            WORKLOADS.test_the_same_arguments_give_the_same_values,
            replace(GOOD, requests=lambda _, s, n: GOOD.requests(Random().randrange(10**9), s, n)),
            "same values",
        ),
        (
            WORKLOADS.test_another_seed_gives_other_requests,
            replace(GOOD, requests=lambda _, sessions, count: GOOD.requests(1, sessions, count)),
            "from the seed",
        ),
        (
            WORKLOADS.test_requests_are_numbered_and_can_be_served,
            replace(GOOD, requests=lambda seed, s, count: GOOD.requests(seed, s, count + 1)[1:]),
            "ids from 0 on",
        ),
        (
            WORKLOADS.test_arrivals_ascend,
            replace(GOOD, arrivals=lambda _seed, count: [float(count - number) for number in range(count)]),
            "ascending",
        ),
    ],
)
def test_a_broken_workload_is_told_so(
    check: Callable[[WorkloadDeclaration], None], broken: WorkloadDeclaration, quote: str
) -> None:
    with pytest.raises(AssertionError, match=quote):
        check(broken)


def test_a_broken_exporter_is_told_so() -> None:
    def exporter(render: Callable[[Sequence[Record]], Any], suffix: str = ".x") -> ExporterDeclaration:
        return ExporterDeclaration(name="broken", summary="keeps no contract", suffix=suffix, render=render)

    with pytest.raises(AssertionError, match="as text"):
        EXPORTERS.test_it_writes_text(exporter(lambda _: b"bytes"), [GATE])
    with pytest.raises(AssertionError, match="same text"):
        EXPORTERS.test_the_same_records_give_the_same_text(exporter(lambda _: str(Random().random())), [GATE])
    with pytest.raises(AssertionError, match="with the dot"):
        EXPORTERS.test_its_ending_begins_with_a_dot(exporter(str, "tsv"))


PAUSE: LoadTargetDeclaration = example("tiergate_targets")


class Twice(Target):
    """Lands each flight twice."""

    def __init__(self, good: Target) -> None:
        self._good = good
        self.start = good.start  # type: ignore[method-assign]
        self.warm_up = good.warm_up  # type: ignore[method-assign]
        self.close = good.close  # type: ignore[method-assign]

    async def start(self) -> None: ...

    async def warm_up(self, requests: Any) -> None: ...

    async def close(self) -> Any: ...

    def send(self, flight: Flight) -> None:
        self._good.send(flight)
        asyncio.get_running_loop().call_later(0.01, flight.landed, flight)


def test_a_broken_target_is_told_so() -> None:
    setup = TargetSetup(argument="1")
    requests = TargetContract.requests.__wrapped__(TARGETS)  # type: ignore[attr-defined]
    twice = replace(PAUSE, open=lambda setup: Twice(PAUSE.open(setup)))
    with pytest.raises(AssertionError, match="exactly once"):
        TARGETS.test_every_flight_lands_exactly_once(twice, setup, requests)
    anything = replace(PAUSE, open=lambda _: PAUSE.open(setup))
    with pytest.raises(pytest.fail.Exception):
        TARGETS.test_a_good_argument_is_taken_and_a_wrong_one_refused(
            anything, setup, TargetSetup(argument="x")
        )
