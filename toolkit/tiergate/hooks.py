"""Every hook that a plugin can implement, and the declarations that the hooks yield.

A plugin is a module (or any object) that an entry point of the group ``tiergate`` names. It
implements any of the hooks below with `hookimpl`. A hook takes no arguments and yields
declarations: small dataclasses with a name, one line about it, and a callable. Hooks are called
once, when a command needs the kind; the work itself never passes through pluggy.

Declare at import time as little as you can: import heavy packages inside the functions that use
them, so that listing your plugin stays fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pluggy

from tiergate.bench import BenchSetup
from tiergate.deciding import Rule
from tiergate.errors import SourceError
from tiergate.evidence import CheckFunction
from tiergate.matching import Matcher
from tiergate.model import Session, Status
from tiergate.operation import Request, Scope
from tiergate.pool import Pool, PoolSpec
from tiergate.profiler import Profiler
from tiergate.record import BenchRow, Record
from tiergate.routing import Router, RouterSetup
from tiergate.store import Capability, Store, StoreAddress
from tiergate.target import Target, TargetSetup, Tool

ENTRY_POINT_GROUP = "tiergate"

hookspec = pluggy.HookspecMarker("tiergate")
hookimpl = pluggy.HookimplMarker("tiergate")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package that a declaration needs and that the base installation does not bring.

    Attributes:
        module: top-level module to look for.
        install: what to give to ``pip install``, for example ``tiergate[reconcile]``.
    """

    module: str
    install: str

    def is_met(self) -> bool:
        """Whether the module can be imported; it is looked for, not imported."""
        return find_spec(self.module) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What every declaration has.

    Attributes:
        name: unique among its kind: lower-case letters, digits, ``-`` and ``_``.
        summary: one line, for lists.
        requires: packages without which it is listed as unavailable.
    """

    name: str
    summary: str
    requires: tuple[Requirement, ...] = ()


def whole_store(_arguments: Any) -> Scope:
    """The scope of an operation that always reads across sessions."""
    return Scope.STORE


def one_session(_arguments: Any) -> Scope:
    """The scope of an operation that always reads one session."""
    return Scope.SESSION


def one_task(_arguments: Any) -> Scope:
    """The scope of an operation that always reads one task."""
    return Scope.TASK


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDeclaration(Declaration):
    """Something that the system can do with a store.

    Attributes:
        arguments: struct type of the arguments; what a request carries is converted to it, strictly.
        run: called in a worker as ``run(store, session_id, arguments)``; returns plain JSON values or
            structs, or raises a `TiergateError` for a request that cannot be served.
        scope: how much a request with these arguments will read, for routers.
        writes: whether it changes the store.
        needs_session: whether a request must name a session.
        cached: whether it only reads, depends on nothing but the store and its arguments, and costs enough
            that a cache in front of the store should keep its result.
    """

    arguments: type[msgspec.Struct]
    run: Callable[[Store, str, Any], Any]
    scope: Callable[[Any], Scope] = one_session
    writes: bool = False
    needs_session: bool = True
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDeclaration(Declaration):
    """A kind of store; the name is the scheme of its addresses.

    Attributes:
        open: opens the store at an address, creating it where nothing is there yet.
        capabilities: what it can do beyond the base contract.
        holds: whether a store of this kind lies at a path, so that the path alone can be given as a source;
            must be cheap and must not raise. None for one that has no path.
    """

    open: Callable[[StoreAddress], Store]
    capabilities: frozenset[Capability] = frozenset()
    holds: Callable[[Path], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDeclaration(Declaration):
    """A kind of cache in front of a store; the name stands before the scheme, as in ``zstd+sqlite:FILE``.

    Attributes:
        wrap: called as ``wrap(store, address)`` with an open store and its whole address; returns a store
            that answers from the cache where it can. Closing it closes the store.
        options: names of its options, without its own name before them.
    """

    wrap: Callable[[Store, StoreAddress], Store]
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkDeclaration(Declaration):
    """An area of benchmarks; the name is what ``tiergate bench`` is given.

    Attributes:
        run: measures and yields one row after another.
    """

    run: Callable[[BenchSetup], Iterable[BenchRow]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterDeclaration(Declaration):
    """A routing policy.

    Attributes:
        build: makes a fresh router for one run.
        chooses_tier: False for a policy that treats all workers alike; it is run on a pool of as many
            equal workers, and has latency and affinity but no tier accuracy.
        is_oracle: whether it is given the measured service time of the very requests it routes. Such a
            router bounds what can be reached; it is never gated.
    """

    build: Callable[[RouterSetup], Router]
    chooses_tier: bool = True
    is_oracle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolDeclaration(Declaration):
    """A kind of worker pool.

    Attributes:
        build: makes a pool that has not been started.
    """

    build: Callable[[PoolSpec], Pool]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadDeclaration(Declaration):
    """What generates work. The same arguments must always give the same values.

    Attributes:
        sessions: called as ``sessions(seed, tasks)``: sessions with about that many tasks in all.
        requests: called as ``requests(seed, sessions, count)``: `count` requests on these sessions, with
            ids from 0 on. The parameters of the mix are drawn from the seed too.
        arrivals: called as ``arrivals(seed, count)``: the start times of `count` requests in seconds,
            ascending, at a nominal 100 requests a second; see `tiergate.arrivals`. None is Poisson.
    """

    sessions: Callable[[int, int], Sequence[Session]]
    requests: Callable[[int, Sequence[Session], int], Sequence[Request]]
    arrivals: Callable[[int, int], Sequence[float]] | None = None


def _no_check(_setup: TargetSetup) -> None:
    """Any argument will do, or is looked at when the target is opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTargetDeclaration(Declaration):
    """Something that load can be sent to; the name is the first word of ``--target NAME:ARGUMENT``.

    Attributes:
        open: makes a target that has not been started, or raises a `UsageError` for a wrong argument.
        check: raises a `UsageError` for a wrong argument or option; called with a setup that has nothing
            else, before anything is measured.
        routed: whether it is given a pool and a router, and runs with each router of the run. Any other
            target runs once, and has response times but no tiers and so no tier accuracy.
        tools: of a target that defines its own operations, lists them, or raises a `UsageError` for a wrong
            argument and a `RunError` where it cannot be asked. Such a target takes a trace of tools too.
    """

    open: Callable[[TargetSetup], Target]
    check: Callable[[TargetSetup], None] = _no_check
    routed: bool = False
    tools: Callable[[TargetSetup], Sequence[Tool]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an importer read.

    Attributes:
        sessions: the sessions, with ids that are unique in the source.
        statuses: how each status word of the source was mapped.
        notes: what a reader should know, such as files that were no tasks.
        damage: what could not be read and was left out, with file, line and column. A command refuses the
            source because of it, unless it was told to be lenient.
    """

    sessions: Sequence[Session]
    statuses: Mapping[str, Status]
    notes: Sequence[str] = ()
    damage: Sequence[SourceError] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImporterDeclaration(Declaration):
    """Reads another tool's task store, and may write changes back. It changes no file itself.

    Attributes:
        detect: whether the file or folder looks like this format; must be cheap and must not raise.
        read: reads it all, or raises `SourceError` with file, line and column of what is wrong. A damaged
            record that the others can do without goes into `Imported.damage` instead.
        write: called as ``write(path, sessions)``; returns the new content of each file that has to change,
            by its path, or raises `SourceError` where the format cannot say what is asked for. A session or
            task that is not given stays as it is. Bytes that say nothing that changed stay as they are;
            a status that stays keeps its word. None for a format that cannot be written.
        writes: which fields of a task `write` compares and writes; it passes over all others.
    """

    detect: Callable[[Path], bool]
    read: Callable[[Path], Imported]
    write: Callable[[Path, Sequence[Session]], Mapping[Path, bytes]] | None = None
    writes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatcherDeclaration(Declaration):
    """Finds tasks that are one piece of work, and ids that stand for several."""

    match: Matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCheckDeclaration(Declaration):
    """A kind of check that evidence is gathered by. Its name is the ``kind`` of a check.

    Attributes:
        check: looks at the working tree and its history through the `tiergate.evidence.Root` it is given.
        options: the options that it takes, by name, each with a line about it.
        is_command: whether it runs commands, which a person has to allow.
    """

    check: CheckFunction
    options: Mapping[str, str]
    is_command: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRuleDeclaration(Declaration):
    """A rule that settles what plans do not agree on, or passes the question on.

    Attributes:
        rank: rules are asked in this order, the lowest first; the built-in ones are at 100 (evidence),
            200 (three-way merge), 300 (most advanced status) and 400 (newest).
        rule: called with one question and everything that is known.
    """

    rank: int
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilerDeclaration(Declaration):
    """Samples the stack of a thread.

    Attributes:
        build: called in the process that is looked at, with the seconds between two samples; makes a profiler
            that has not been started.
    """

    build: Callable[[float], Profiler]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterDeclaration(Declaration):
    """Writes records in a form for people or other tools.

    Attributes:
        suffix: of the files that it writes, with the dot.
        render: the whole file as text. A gate record that judges a run record stands beside it.
    """

    suffix: str
    render: Callable[[Sequence[Record]], str]


class HookSpecs:
    """The hooks, by what they add."""

    @hookspec
    def tiergate_operations(self) -> Iterable[OperationDeclaration]:  # type: ignore[empty-body]
        """Add operations. Fires when a command needs operations, and once in every worker."""

    @hookspec
    def tiergate_stores(self) -> Iterable[StoreDeclaration]:  # type: ignore[empty-body]
        """Add kinds of store. Fires when a command opens a store, and once in every worker."""

    @hookspec
    def tiergate_caches(self) -> Iterable[CacheDeclaration]:  # type: ignore[empty-body]
        """Add kinds of cache. Fires when a command opens a store, and once in every worker."""

    @hookspec
    def tiergate_routers(self) -> Iterable[RouterDeclaration]:  # type: ignore[empty-body]
        """Add routing policies. Fires when a load run is planned."""

    @hookspec
    def tiergate_pools(self) -> Iterable[PoolDeclaration]:  # type: ignore[empty-body]
        """Add kinds of worker pool. Fires when a load run is planned."""

    @hookspec
    def tiergate_workloads(self) -> Iterable[WorkloadDeclaration]:  # type: ignore[empty-body]
        """Add generators of work. Fires when a load run is planned."""

    @hookspec
    def tiergate_targets(self) -> Iterable[LoadTargetDeclaration]:  # type: ignore[empty-body]
        """Add things that load can be sent to. Fires when a load run is planned."""

    @hookspec
    def tiergate_importers(self) -> Iterable[ImporterDeclaration]:  # type: ignore[empty-body]
        """Add readers of other tools' task stores. Fires when a command is given a source."""

    @hookspec
    def tiergate_matchers(self) -> Iterable[MatcherDeclaration]:  # type: ignore[empty-body]
        """Add ways of matching tasks. Fires when plans are reconciled."""

    @hookspec
    def tiergate_evidence_checks(self) -> Iterable[EvidenceCheckDeclaration]:  # type: ignore[empty-body]
        """Add kinds of evidence. Fires when plans are reconciled."""

    @hookspec
    def tiergate_decision_rules(self) -> Iterable[DecisionRuleDeclaration]:  # type: ignore[empty-body]
        """Add rules that decide. Fires when plans are reconciled."""

    @hookspec
    def tiergate_profilers(self) -> Iterable[ProfilerDeclaration]:  # type: ignore[empty-body]
        """Add profilers. Fires when a profile is planned, and once in every worker that is profiled."""

    @hookspec
    def tiergate_exporters(self) -> Iterable[ExporterDeclaration]:  # type: ignore[empty-body]
        """Add writers of records. Fires when a record is rendered."""

    @hookspec
    def tiergate_benchmarks(self) -> Iterable[BenchmarkDeclaration]:  # type: ignore[empty-body]
        """Add areas of benchmarks. Fires when benchmarks are run or listed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of declaration: the hook that yields it, and its type."""

    name: str
    hook: str
    declaration: type[Declaration] = field(repr=False)


KINDS: tuple[Kind, ...] = (
    Kind("operation", "tiergate_operations", OperationDeclaration),
    Kind("store", "tiergate_stores", StoreDeclaration),
    Kind("cache", "tiergate_caches", CacheDeclaration),
    Kind("router", "tiergate_routers", RouterDeclaration),
    Kind("pool", "tiergate_pools", PoolDeclaration),
    Kind("workload", "tiergate_workloads", WorkloadDeclaration),
    Kind("target", "tiergate_targets", LoadTargetDeclaration),
    Kind("importer", "tiergate_importers", ImporterDeclaration),
    Kind("matcher", "tiergate_matchers", MatcherDeclaration),
    Kind("evidence", "tiergate_evidence_checks", EvidenceCheckDeclaration),
    Kind("rule", "tiergate_decision_rules", DecisionRuleDeclaration),
    Kind("profiler", "tiergate_profilers", ProfilerDeclaration),
    Kind("exporter", "tiergate_exporters", ExporterDeclaration),
    Kind("benchmark", "tiergate_benchmarks", BenchmarkDeclaration),
)


def find_plugin(reference: str) -> Any:
    """Import a plugin by ``module`` or ``module:attribute``, as entry points name it.

    Workers use it to reach the operations and the store they serve without discovering every plugin.

    Raises:
        ImportError: there is no such module.
        AttributeError: the module has no such attribute.
    """
    module, _, attribute = reference.partition(":")
    found: Any = import_module(module)
    for name in filter(None, attribute.split(".")):
        found = getattr(found, name)
    return found
