"""Which page records make: its template, and everything that the template shows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tiergate.errors import UsageError
from tiergate.record import (
    AdviceRecord,
    BenchRecord,
    GateRecord,
    MigrationRecord,
    ProfileRecord,
    ReconcileRecord,
    Record,
    RunRecord,
)
from tiergate_reports import figures
from tiergate_reports.charts import swatch
from tiergate_reports.profile import differing
from tiergate_reports.profile import section as profiles
from tiergate_reports.sections import SECTIONS, advice, bench, migration, reconcile
from tiergate_reports.sections import gate as gates

_FLAME = ("flame.js",)


@dataclass(frozen=True, slots=True)
class Page:
    """What a page is made from.

    Attributes:
        values: what the template of that name shows.
        scripts: besides the one that every page has.
    """

    template: str
    values: Mapping[str, object]
    scripts: tuple[str, ...] = ()


def page_of(records: Sequence[Record]) -> Page:
    """The page of a run (with its gate, advice and a profile, where they are given behind it), of a gate
    alone, of a migration, of a reconciliation, of a profile, of the difference between two, of advice, or of
    any number of areas of benchmarks.

    Raises:
        UsageError: any other selection of records.
    """
    match list(records):
        case [RunRecord() as run, *others] if _each_once(others):
            page = _run_page(run, others)
        case [GateRecord() as gate]:
            page = _gate_page(gate)
        case [MigrationRecord() as moved]:
            page = _migration_page(moved)
        case [ReconcileRecord() as reconciled]:
            page = _reconcile_page(reconciled)
        case [ProfileRecord() as profiled]:
            page = _profile_page(profiled)
        case [ProfileRecord() as base, ProfileRecord() as profiled]:
            page = _difference_page(profiled, base)
        case [AdviceRecord() as advised]:
            page = _advice_page(advised)
        case [BenchRecord(), *_] if all(isinstance(record, BenchRecord) for record in records):
            page = _bench_page([record for record in records if isinstance(record, BenchRecord)])
        case _:
            raise _no_page(records)
    return page


def _no_page(records: Sequence[Record]) -> UsageError:
    return UsageError(
        "one page shows one run record with its gate, advice and profile, or one record of another kind, or"
        f" an earlier and a later profile record, or benchmark records, not {_listed(records)}",
        hint="give RUN.json first, OLD-PROFILE.json PROFILE.json, BENCH.json…, or one record",
    )


def _each_once(others: Sequence[Record]) -> bool:
    """Whether these go with a run: the gate that judges it, advice, a profile; one of each at most."""
    kinds = [type(record) for record in others]
    return set(kinds) <= {GateRecord, AdviceRecord, ProfileRecord} and len(set(kinds)) == len(kinds)


def _run_page(run: RunRecord, others: Sequence[Record]) -> Page:
    gate = next((one for one in others if isinstance(one, GateRecord)), None)
    advised = next((one for one in others if isinstance(one, AdviceRecord)), None)
    profiled = next((one for one in others if isinstance(one, ProfileRecord)), None)
    key = [
        (v.name, Markup(swatch(index, bound=v.is_oracle)), v.is_oracle)
        for index, v in enumerate(run.variants)
    ]
    sections = [
        (section.name, section.title, section.build(run, gate))
        for section in SECTIONS
        if section.applies(run)
    ]
    if advised is not None:
        sections.insert(1, ("advised", "Advice", advice.build(advised)))  # after the verdict
    if profiled is not None:
        sections.insert(-1, ("profiled", "Profile", profiles.build(profiled)))  # before the environment
    word = gates.WORDS[gate.verdict] if gate else "Not judged"
    return Page(
        "load.html",
        {
            "title": f"{word}: {run.configured_router}, tiergate load report",
            "run": run,
            "plural": figures.plural,
            "sections": sections,
            "key": key,
        },
        scripts=_FLAME if profiled is not None else (),
    )


def _gate_page(gate: GateRecord) -> Page:
    return Page(
        "gate.html",
        {
            "title": f"{gates.WORDS[gate.verdict]}: tiergate gate report",
            "verdict": gate.verdict,
            "word": gates.WORDS[gate.verdict],
            "meaning": (gates.COMPARED_MEANINGS if gate.benchmarks else gates.MEANINGS)[gate.verdict],
            "subject": gate.subject,
            "promise": gates.promise(gate.rules) if gate.rules else "",
            "remarks": gate.remarks,
            "unpaired": gates.unpaired_table(gate.unpaired) if gate.unpaired else None,
            "checks": gates.checks_table(gate.checks) if gate.checks or not gate.benchmarks else None,
            "benchmarks": gates.benchmarks_table(gate.benchmarks) if gate.benchmarks else None,
        },
    )


def _migration_page(record: MigrationRecord) -> Page:
    values = migration.build(record)
    return Page(
        "migration.html", {"title": f"{values['word']}: tiergate migration {record.id}".rstrip(), **values}
    )


def _reconcile_page(record: ReconcileRecord) -> Page:
    values = reconcile.build(record)
    return Page("reconcile.html", {"title": f"{values['word']}: {values['heading']}, tiergate", **values})


def _advice_page(record: AdviceRecord) -> Page:
    values = advice.build(record)
    return Page("advice.html", {"title": f"{values['word']}: {values['heading']}, tiergate", **values})


def _bench_page(records: Sequence[BenchRecord]) -> Page:
    values = bench.build(records)
    return Page("bench.html", {"title": f"{values['word']}: {values['heading']}, tiergate", **values})


def _profile_page(record: ProfileRecord) -> Page:
    values = profiles.build(record)
    shown = {"title": f"{values['heading']}, tiergate", "made": record.created_at}
    return Page("profile.html", {**shown, "command": shlex.join(record.command), **values}, scripts=_FLAME)


def _difference_page(record: ProfileRecord, base: ProfileRecord) -> Page:
    values = differing.build(record, base)
    return Page(
        "profile_difference.html", {"title": f"{values['heading']}, tiergate", **values}, scripts=_FLAME
    )


def _listed(records: Sequence[object]) -> str:
    kinds = [getattr(record, "schema", type(record).__name__) for record in records]
    return ", ".join(kinds) if kinds else "no record at all"
