"""Every hook and every field of its declaration is documented, and every example does what its page says."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tiergate.bench import BenchSetup
from tiergate.errors import SourceError, UsageError
from tiergate.hooks import (
    KINDS,
    Declaration,
    HookSpecs,
    Imported,
    ImporterDeclaration,
    Requirement,
    StoreDeclaration,
)
from tiergate.load.driver import Timetable, drive_target
from tiergate.load.trace import generate
from tiergate.model import Session, Status, Task
from tiergate.operation import Request, Scope
from tiergate.plugins import PluginHost, PluginStatus
from tiergate.pool import DeadlineExceeded, Pool, PoolSpec, TierSpec, WorkerFailedToStart
from tiergate.reconcile.root import Folder
from tiergate.record import GateCheck, GateRecord
from tiergate.routing import Choice, Cutoffs, PoolView, RequestFacts, RouterSetup, WorkerView
from tiergate.sources import read_source
from tiergate.store import (
    Capability,
    Damage,
    StaleVersion,
    Store,
    StoreAddress,
    StoreDamaged,
    TaskQuery,
    Unsupported,
)
from tiergate.target import TargetSetup
from tiergate.testing import make_plan

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "hooks"
BY_HOOK = {kind.hook: kind for kind in KINDS}

SESSION = Session(
    id="s1",
    tasks=(
        Task(id="a", title="first", weight=0.0),
        Task(id="b", title="second", status=Status.COMPLETED, weight=2.0),
    ),
)


def page(hook: str) -> str:
    return (PAGES / f"{hook}.md").read_text(encoding="utf-8")


def example(hook: str) -> str:
    block, *_ = re.findall(r"^```python\n(.*?)^```$", page(hook), flags=re.DOTALL | re.MULTILINE)
    return str(block)


def documented_fields(text: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))


def names(kind: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def load(site: Any, hook: str) -> Any:
    """The one declaration of a page's example, as the host keeps it."""
    module = f"example_{hook}"
    site.install(f"docs-{hook}", {f"example-{hook}": module}, {module: example(hook)})
    host = site.host()
    assert host.problems() == []
    [plugin] = [plugin for plugin in host.plugins if plugin.reference == module]
    assert plugin.status is PluginStatus.ACTIVE
    [declared] = plugin.declares
    assert declared.kind == BY_HOOK[hook].name
    return host.get(BY_HOOK[hook].declaration, declared.declaration.name)


def open_store(site: Any) -> Store:
    store: Store = load(site, "tiergate_stores").open(StoreAddress("onefile", str(site.home / "work.jsonl")))
    return store


def test_every_hook_is_a_kind_and_has_a_page() -> None:
    hooks = {name for name in vars(HookSpecs) if name.startswith("tiergate_")}
    assert hooks == set(BY_HOOK)
    assert {path.stem for path in PAGES.glob("*.md")} == hooks | {"index"}


@pytest.mark.parametrize("hook", BY_HOOK)
def test_a_page_says_when_the_hook_fires_its_arguments_and_every_field(hook: str) -> None:
    text = page(hook)
    kind = BY_HOOK[hook]
    assert text.startswith(f"# {hook}\n")
    fires = re.search(r"^\*\*Fires\*\* (.+)\.$", text, flags=re.MULTILINE)
    assert fires is not None
    assert fires[1] in " ".join(str(getattr(HookSpecs, hook).__doc__).replace("Fires", "fires").split())
    assert "\n**Arguments**: none.\n" in text
    assert f"**Yields** `{kind.declaration.__name__}`" in text
    expected = names(kind.declaration) | (
        names(Imported) if kind.declaration is ImporterDeclaration else set()
    )
    assert documented_fields(text) == expected


def test_the_index_links_every_page_and_has_the_common_fields() -> None:
    text = page("index")
    for kind in KINDS:
        doc = str(getattr(HookSpecs, kind.hook).__doc__).split("Fires ")[1].rstrip(".")
        assert re.search(rf"^\| \[`{kind.hook}`\]\({kind.hook}\.md\) \| .+ \| {doc} \|$", text, re.MULTILINE)
    assert names(Declaration) <= documented_fields(text)
    for name in names(Requirement):
        assert f"`{name}`" in text
    for status in PluginStatus:
        assert f"| `{status}` |" in text


def test_the_operation_counts_tasks(site: Any) -> None:
    operation = load(site, "tiergate_operations")
    store = open_store(site)
    store.save(SESSION)
    assert operation.run(store, "s1", operation.arguments()) == {"tasks": 2}
    assert operation.run(store, "s1", operation.arguments(status=Status.COMPLETED)) == {"tasks": 1}
    assert operation.scope(operation.arguments()) is Scope.SESSION


def test_the_store_keeps_versions_and_survives_reopening(site: Any) -> None:
    store = open_store(site)
    assert store.save(SESSION) == 1
    with pytest.raises(StaleVersion):
        store.save(SESSION)
    with pytest.raises(StaleVersion):
        store.upsert_tasks("s1", [], expected_version=7)
    added = [Task(id="b", title="changed"), Task(id="c", title="third")]
    assert store.upsert_tasks("s1", added, expected_version=1) == 2
    again = type(store)(site.home / "work.jsonl")  # type: ignore[call-arg]
    session = again.load("s1")
    assert [(task.id, task.title) for task in session.tasks] == [
        ("a", "first"),
        ("b", "changed"),
        ("c", "third"),
    ]
    assert session.version == 2
    assert (again.stats().sessions, again.stats().tasks) == (1, 3)
    again.delete("s1", expected_version=2)
    assert again.ids() == []
    assert store.verify() == [Damage(str(site.home / "work.jsonl"), "somebody else wrote it")]


def test_the_store_queries_and_refuses_what_it_cannot(site: Any) -> None:
    store = open_store(site)
    store.save(SESSION)
    assert [hit.task.id for hit in store.query(TaskQuery(order="-weight"))] == ["b", "a"]
    assert [hit.task.id for hit in store.query(TaskQuery(statuses=(Status.COMPLETED,)))] == ["b"]
    assert [hit.task.id for hit in store.query(TaskQuery(max_weight=1, session="s1", limit=1))] == ["a"]
    assert store.query(TaskQuery(session="nobody")) == []
    with pytest.raises(Unsupported, match=Capability.TEXT_SEARCH.value):
        store.query(TaskQuery(text="first"))
    with pytest.raises(Unsupported, match=Capability.TRANSACTIONS.value):
        store.transaction()


def test_the_store_names_the_line_that_is_damaged(site: Any) -> None:
    (site.home / "work.jsonl").write_text('{}\n{"id": "s1"}\n{"id": \n')
    with pytest.raises(StoreDamaged, match=r"work\.jsonl:3: not a session"):
        open_store(site)


def test_the_cache_is_never_stale_and_holds_no_more_than_it_may(site: Any) -> None:
    declared = load(site, "tiergate_caches")
    assert declared.options == ("sessions",)
    behind = (
        PluginHost().get(StoreDeclaration, "sqlite").open(StoreAddress("sqlite", str(site.home / "a.db")))
    )
    address = StoreAddress("sqlite", "a.db", {"memory.sessions": "1"}, ("memory",))
    with declared.wrap(behind, address) as store:
        assert store.save(SESSION) == 1
        store.load("s1").tasks[0].extra["mine"] = True
        assert store.load("s1").tasks[0].extra == {}
        behind.upsert_tasks("s1", [Task(id="a", title="past the cache")], expected_version=1)
        assert store.load("s1").tasks[0].title == "past the cache"
        store.save(Session(id="s2"))
        store.load("s2")
        assert list(store._sessions) == ["s2"]
        with suppress(LookupError), store.transaction():
            store.upsert_tasks("s1", [Task(id="a", title="undone")], expected_version=2)
            assert store.load("s1").tasks[0].title == "undone"
            raise LookupError
        store.upsert_tasks("s1", [Task(id="a", title="done")], expected_version=2)
        assert store.load("s1").tasks[0].title == "done"


def test_the_benchmark_yields_a_ratio_with_its_interval(site: Any) -> None:
    setup = BenchSetup(folder=site.home, open=lambda address: open_store(site), quick=True, progress=str)
    [row] = load(site, "tiergate_benchmarks").run(setup)
    assert (row.unit, row.peer) == ("x", "str.join")
    assert 0 < row.interval[0] <= row.value <= row.interval[1]


def test_the_router_goes_by_scope_and_work_left(site: Any) -> None:
    router = load(site, "tiergate_routers").build(RouterSetup(cutoffs=Cutoffs(0.1, 1.0)))
    view = PoolView([WorkerView("hot-0", "hot", 1, 0.5), WorkerView("hot-1", "hot", 1, 0.2)])
    assert router.choose(facts(Scope.TASK), view) == Choice(tier="hot", worker="hot-1")
    assert router.choose(facts(Scope.STORE), view) == Choice(tier="hot", worker="hot-1")
    with pytest.raises(LookupError, match="the pool has no worker"):
        router.choose(facts(Scope.STORE), PoolView([]))


def facts(scope: Scope) -> RequestFacts:
    return RequestFacts(
        request=0,
        operation="task_get",
        session="s1",
        arguments={},
        payload_bytes=2,
        scope=scope,
        read_tasks=1,
        read_bytes=10,
        writes=False,
    )


def test_the_workload_is_the_same_for_the_same_seed(site: Any) -> None:
    workload = load(site, "tiergate_workloads")
    sessions = workload.sessions(3, 100)
    assert sum(len(session.tasks) for session in sessions) == 100
    assert sessions == workload.sessions(3, 100) != workload.sessions(4, 100)
    requests = workload.requests(3, sessions, 200)
    assert requests == workload.requests(3, sessions, 200) != workload.requests(4, sessions, 200)
    assert [request.id for request in requests] == list(range(200))
    assert {request.operation for request in requests} == {"task_get", "critical_path"}


def test_the_requests_of_the_workload_arrive_in_pairs(site: Any) -> None:
    workload = load(site, "tiergate_workloads")
    starts = generate(workload, 3, workload.sessions(3, 100), 201).starts
    assert starts[0:200:2] == starts[1:200:2]
    assert len(set(starts)) == 101
    assert starts[-1] == pytest.approx(2.0, rel=0.4)


def test_the_target_answers_after_its_pause_or_says_that_it_is_too_late(site: Any) -> None:
    declared = load(site, "tiergate_targets")
    assert not declared.routed
    with pytest.raises(UsageError, match=r"target pause: milliseconds must be a number, not 'soon'"):
        declared.open(TargetSetup(argument="soon"))
    timetable = Timetable(
        requests=[Request(number, "task_get", "s1", {}) for number in range(3)],
        facts=[facts(Scope.TASK)] * 3,
        starts=[0.0, 0.001, 0.002],
        warm_up=[],
        deadline_s=0.5,
    )
    target = declared.open(TargetSetup(argument="5"))
    in_time = asyncio.run(drive_target(target, timetable, 1))
    assert [(one.fate, one.service_s) for one in in_time.outcomes] == [("completed", 0.005)] * 3
    hasty = dataclasses.replace(timetable, deadline_s=0.004)
    too_late = asyncio.run(drive_target(declared.open(TargetSetup(argument="900")), hasty, 1))
    assert {one.fate for one in too_late.outcomes} == {"timed_out"}


def test_the_importer_reads_its_format_and_names_the_line_that_is_none(site: Any) -> None:
    importer = load(site, "tiergate_importers")
    path = site.home / "garden.todo"
    path.write_text("[ ] dig\n[x] buy a spade")
    assert importer.detect(path)
    assert not importer.detect(site.home)
    [session] = importer.read(path).sessions
    assert [(task.title, task.status) for task in session.tasks] == [
        ("dig", Status.QUEUED),
        ("buy a spade", Status.COMPLETED),
    ]
    path.write_text("[ ] dig\nwater")
    with pytest.raises(SourceError, match=r"garden\.todo:2:1: not a task"):
        read_source(path, "todo", [importer])


def test_the_suite_of_the_importers_page_passes(site: Any, tmp_path: Path) -> None:
    importer = load(site, "tiergate_importers")
    _, suite = re.findall(r"^```python\n(.*?)^```$", page("tiergate_importers"), re.DOTALL | re.MULTILINE)
    module = importer.read.__module__
    test = tmp_path / "test_todo.py"
    test.write_text(f"from {module} import tiergate_importers\n{suite}")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:benchmark",
        str(test),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


def test_the_exporter_writes_a_line_per_check(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = load(site, "tiergate_exporters")
    check = GateCheck(metric="requests.lost", value=0, interval=(0, 0), budget="= 0", verdict="pass")
    assert exporter.suffix == ".tsv"
    assert exporter.render([GateRecord(verdict="pass", checks=[check])]) == "requests.lost\t= 0\tpass\n"
    variant = SimpleNamespace(name="oracle", response_ms=SimpleNamespace(p50=1.5))
    monkeypatch.setattr("example_tiergate_exporters.RunRecord", SimpleNamespace)
    assert exporter.render([SimpleNamespace(variants=[variant])]) == "oracle\tresponse_ms.p50\t1.500\n"


@pytest.fixture
def pool_spec(site: Any, monkeypatch: pytest.MonkeyPatch) -> PoolSpec:
    """A store with one session, the operation of the operations page, and one slow operation."""
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    store = open_store(site)
    store.save(SESSION)
    load(site, "tiergate_operations")
    slow = """
import time, msgspec
from tiergate.hooks import OperationDeclaration, hookimpl

class Nothing(msgspec.Struct):
    pass

@hookimpl
def tiergate_operations():
    yield OperationDeclaration(name="sleep", summary="", arguments=Nothing, run=lambda *_: time.sleep(60))
"""
    (site.folder / "example_slow.py").write_text(slow)
    return PoolSpec(
        tiers=[TierSpec("hot", 2), TierSpec("cold", 1, nice=5)],
        store=f"onefile:{site.home / 'work.jsonl'}",
        store_plugins=["example_tiergate_stores"],
        operation_plugins=["example_tiergate_operations", "example_slow"],
    )


@pytest.mark.integration
def test_the_pool_serves_each_request_in_a_new_process(site: Any, pool_spec: PoolSpec) -> None:
    async def use(pool: Pool) -> None:
        count = Request(1, "task_count", "s1", {})
        async with pool:
            replies = await asyncio.gather(*(pool.submit(count, Choice(tier="hot")) for _ in range(3)))
            assert [reply.result for reply in replies] == [{"tasks": 2}] * 3
            assert {reply.worker for reply in replies} <= {"hot-0", "hot-1"}
            refused = await pool.submit(Request(2, "task_count", "nobody", {}), Choice(tier="cold"))
            assert refused.failure is not None
            assert (refused.failure.kind, refused.worker) == ("SessionNotFound", "cold-0")
            with pytest.raises(DeadlineExceeded):
                await pool.submit(Request(3, "sleep", "s1", {}), Choice(), deadline_s=1.5)
            assert [worker.waiting for worker in pool.view().workers] == [0, 0, 0]
        usage = await pool.close()
        assert usage.cpu_s > 0
        assert usage.peak_rss_bytes > 1_000_000

    asyncio.run(use(load(site, "tiergate_pools").build(pool_spec)))


@pytest.mark.integration
def test_the_pool_says_why_a_worker_cannot_start(site: Any, pool_spec: PoolSpec) -> None:
    broken = dataclasses.replace(pool_spec, store="nowhere:x")
    pool = load(site, "tiergate_pools").build(broken)
    with pytest.raises(WorkerFailedToStart, match="unknown store 'nowhere'"):
        asyncio.run(pool.start())


def test_the_example_matcher_holds_equal_titles_to_be_one(site: Any) -> None:
    matcher = load(site, "tiergate_matchers")
    plans = [make_plan(name, "s", [Task(id=name, title="Write it")]) for name in ("a", "b")]
    found = matcher.match(plans, None).matches
    assert [(one.a.source, one.b.source, str(one.kind)) for one in found] == [("a", "b", "same")]


def test_the_example_check_finds_unfinished_work(site: Any, tmp_path: Path) -> None:
    check = load(site, "tiergate_evidence_checks").check
    (tmp_path / "done.py").write_text("pass\n")
    (tmp_path / "begun.py").write_text("pass\n# FIXME\n")
    root = Folder(tmp_path)
    outcomes = [check({"path": name}, root)[0].outcome for name in ("done.py", "begun.py", "none.py")]
    assert outcomes == ["holds", "fails", "fails"]
    assert check({"path": "begun.py"}, root)[0].place == "begun.py:2"
    with pytest.raises(SourceError):
        check({}, root)
