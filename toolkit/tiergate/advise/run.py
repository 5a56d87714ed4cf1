"""Advice from sessions and requests to record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

from tiergate.advice_record import AdviceMetric, AdviceRecord
from tiergate.advise.counting import count_requests, count_sessions
from tiergate.advise.from_records import record_metrics
from tiergate.advise.judging import judge
from tiergate.advise.serving import Served, serve_all
from tiergate.advise.tiering import tier_metrics
from tiergate.advise.triggers import Step, condition
from tiergate.environment import environment, usable_cores
from tiergate.errors import UsageError, counted
from tiergate.hooks import CacheDeclaration, OperationDeclaration, StoreDeclaration, WorkloadDeclaration
from tiergate.load.facts import plugin_versions
from tiergate.load.plan import Progress
from tiergate.load.trace import Trace, generate, without
from tiergate.model import Session
from tiergate.plugins import PluginHost
from tiergate.record import Record
from tiergate.run_record import Source

SERVICE = "service."
CURRENT = "current"

ALWAYS = (
    *("sessions", "tasks", "tasks_per_session.max", "bytes"),
    *("requests.cross_session", "requests.repeated", "sessions.concurrent"),
    *("requests.offered_load", "requests.variability", "tiers.short_slowdown", "tiers.long_response"),
    *("run.balanced_accuracy", "profile.outside_workers", "profile.wire", "prediction.hits"),
)
"""Metrics that there always are, measured or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvicePlan:
    """What to advise on.

    Attributes:
        sessions: all of them.
        source: path or address that the next commands name.
        is_store: whether it is one of tiergate's own stores.
        current: the kind of store that they lie in now, and that others are compared with.
        trace: the requests; None has the workload make `requests` of them.
        trace_path: of the file that it was read from.
        tasks: of as many stores are measured at most; of more a sample of whole sessions is drawn.
        requests: as many are measured at most, the first ones.
        passes: how often each store serves them.
        records: other records that metrics are taken from, with their paths.
    """

    sessions: Sequence[Session]
    sources: Sequence[Source]
    source: str
    is_store: bool
    current: str
    steps: Mapping[str, Step]
    workload: WorkloadDeclaration
    seed: int
    trace: Trace | None
    trace_path: str
    tiers: Mapping[str, int]
    tasks: int
    requests: int
    passes: int
    records: Sequence[tuple[str, Record]] = ()
    command: Sequence[str] = ()


def metric_names(host: PluginHost) -> list[str]:
    """Every metric that a trigger may name: what is always there, and the service time on each store."""
    stores = [one.name for one in host.all(StoreDeclaration)]
    caches = [one.name for one in host.all(CacheDeclaration)]
    cached = [f"{cache}+{store}" for cache in caches for store in (*stores, CURRENT)]
    return [*ALWAYS, *(SERVICE + name for name in (*stores, *cached))]


def advise(plan: AdvicePlan, host: PluginHost, progress: Progress) -> AdviceRecord:
    """Measure, and say what follows. No file of it is left.

    Raises:
        UsageError: there is nothing to measure, or a record that says nothing here.
        RunError: a store cannot be measured.
    """
    if not any(session.tasks for session in plan.sessions):
        raise UsageError("there is no task to advise on", where=plan.source)
    began, created = perf_counter(), datetime.now(UTC)
    machine = environment()
    sample = _sample(plan.sessions, plan.tasks)
    trace = _trace(plan, sample)
    with TemporaryDirectory(prefix="tiergate-advise-") as folder:
        served = _serve(plan, host, sample, trace, Path(folder), progress)
    metrics = {one.name: one for one in _metrics(plan, host, trace, served)}
    words = {
        "source": plan.source,
        "move": f"tiergate {'migrate' if plan.is_store else 'import'} {plan.source}",
    }
    return AdviceRecord(
        created_at=created.isoformat(timespec="seconds"),
        duration_s=round(perf_counter() - began, 3),
        command=list(plan.command),
        environment=machine,
        sources=list(plan.sources),
        plugins=plugin_versions(host),
        current=plan.current,
        measured_tasks=sum(len(session.tasks) for session in sample),
        requests=len(served.served),
        trace=plan.trace_path,
        sha256=trace.sha256,
        metrics=list(metrics.values()),
        advice=[judge(name, step, metrics, plan.current, words) for name, step in plan.steps.items()],
        remarks=list(_remarks(plan, sample, len(trace.requests) - len(served.served))),
    )


def _sample(sessions: Sequence[Session], tasks: int) -> list[Session]:
    """Whole sessions with at most so many tasks in all, drawn where there are more; where each one has more,
    the smallest."""
    if sum(len(session.tasks) for session in sessions) <= tasks:
        return list(sessions)
    kept: list[Session] = []
    left = tasks
    for session in Random("sample of sessions").sample(list(sessions), k=len(sessions)):
        if 0 < len(session.tasks) <= left:
            kept.append(session)
            left -= len(session.tasks)
    return kept or [min((one for one in sessions if one.tasks), key=lambda one: len(one.tasks))]


def _trace(plan: AdvicePlan, sample: Sequence[Session]) -> Trace:
    """The requests to measure: the recorded ones that the sample can serve, or those of the workload."""
    if plan.trace is None:
        return generate(plan.workload, plan.seed, sample, plan.requests)
    names = {session.id for session in sample}
    known = [one for one in plan.trace.requests if one.session is None or one.session in names]
    dropped = frozenset(one.id for one in plan.trace.requests) - {one.id for one in known[: plan.requests]}
    if len(dropped) == len(plan.trace.requests):
        raise UsageError("no request of the trace is about these sessions", where=plan.trace_path)
    return without(plan.trace, dropped)


def _serve(
    plan: AdvicePlan,
    host: PluginHost,
    sample: Sequence[Session],
    trace: Trace,
    folder: Path,
    progress: Progress,
) -> Served:
    stores = list(dict.fromkeys([plan.current, *_stores(plan)]))
    progress.begin(f"measure {', '.join(stores)}", plan.passes * len(stores))
    return serve_all(host, stores, sample, trace.requests, plan.passes, folder, progress.step)


def _stores(plan: AdvicePlan) -> Iterator[str]:
    """The stores that the gains of steps name, where a step applies at all."""
    for name, step in plan.steps.items():
        if step.applies and plan.current not in step.applies:
            continue
        for text in (*step.when, *step.gain):
            metric = condition(text, name).metric
            if metric.startswith(SERVICE):
                yield _store_of(metric, plan.current)


def _store_of(metric: str, current: str) -> str:
    *caches, store = metric.removeprefix(SERVICE).split("+")
    return "+".join([*caches, current if store == CURRENT else store])


def _metrics(plan: AdvicePlan, host: PluginHost, trace: Trace, served: Served) -> Iterator[AdviceMetric]:
    operations = {one.name: one for one in host.all(OperationDeclaration)}
    is_recorded = plan.trace is not None
    yield from count_sessions(plan.sessions)
    yield from count_requests(trace, operations, is_recorded=is_recorded)
    current = served.times[plan.current]
    starts = [trace.starts[index] for index in served.served]
    yield from tier_metrics(current, starts, plan.tiers, usable_cores(), is_recorded=is_recorded)
    yield from _service(plan, host, served)
    yield from record_metrics(plan.records)
    yield AdviceMetric(
        name="prediction.hits",
        title="hits of the prediction over those of a naive guess",
        note="a store holds no history; `tiergate bench flow` measures it on generated ones",
    )


def _service(plan: AdvicePlan, host: PluginHost, served: Served) -> Iterator[AdviceMetric]:
    for name in metric_names(host):
        if not name.startswith(SERVICE):
            continue
        store = _store_of(name, plan.current)
        title = f"the service time of all requests on {store} over that on {plan.current}"
        if store not in served.times or store == plan.current:
            yield AdviceMetric(name=name, title=title, note=f"no step asks for it from {plan.current}")
            continue
        value, interval = served.ratio(store, plan.current)
        yield AdviceMetric(
            name=name, title=title, value=value, interval=interval, unit="x", source="measured"
        )


def _remarks(plan: AdvicePlan, sample: Sequence[Session], refused: int) -> Iterator[str]:
    if plan.trace is None:
        yield (
            f"No trace was given: the requests are those of the workload {plan.workload.name}, made on your"
            " sessions. Record your own with `tiergate trace record`, and give it with --trace."
        )
    tasks = sum(len(session.tasks) for session in sample)
    whole = sum(len(session.tasks) for session in plan.sessions)
    if tasks < whole:
        larger = sum(len(session.tasks) > plan.tasks for session in plan.sessions)
        yield (
            f"Stores were measured with {len(sample):,} of {len(plan.sessions):,} sessions, drawn at random:"
            f" {tasks:,} of {whole:,} tasks. What reads the whole store takes longer with all (--tasks)."
            + (
                f" {counted(larger, 'session')} with more tasks than that could not be drawn."
                if larger
                else ""
            )
        )
    if refused:
        yield f"{counted(refused, 'request')} of the trace are refused on these sessions and were left out."
