"""The page: sections built from records, templates, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
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

if TYPE_CHECKING:
    from collections.abc import Mapping


_FLAME = "flame.js"


def render(records: Sequence[Record]) -> str:
    """The page of a run, of a run with its gate, of a gate alone, of a migration, of a reconciliation, of a
    profile, of the difference between two, of advice, or of any number of areas of benchmarks.

    The same records give the same page.

    Raises:
        UsageError: any other selection of records.
    """
    match list(records):
        case [RunRecord() as run]:
            page = _run_page(run, None)
        case [RunRecord() as run, GateRecord() as gate]:
            page = _run_page(run, gate)
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
        "one page shows one run record and the gate record that judges it, or one record of another kind, or"
        f" an earlier and a later profile record, or benchmark records, not {_listed(records)}",
        hint="give RUN.json, RUN.json GATE.json, OLD-PROFILE.json PROFILE.json, BENCH.json…, or one record",
    )


def content_security_policy(style: str, script: str = "") -> str:
    """A policy that allows this very style and script and pictures within the page, and nothing else."""
    scripts = f"script-src {_hashed(script)}; " if script else ""
    return (
        f"default-src 'none'; style-src {_hashed(style)}; {scripts}img-src data:; base-uri 'none';"
        " form-action 'none'"
    )


def _hashed(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _run_page(run: RunRecord, gate: GateRecord | None) -> str:
    key = [
        (v.name, Markup(swatch(index, bound=v.is_oracle)), v.is_oracle)
        for index, v in enumerate(run.variants)
    ]
    sections = [(section, section.build(run, gate)) for section in SECTIONS if section.applies(run)]
    word = gates.WORDS[gate.verdict] if gate else "Not judged"
    return _page(
        "load.html",
        {
            "title": f"{word}: {run.configured_router}, tiergate load report",
            "run": run,
            "plural": figures.plural,
            "sections": sections,
            "key": key,
        },
    )


def _gate_page(gate: GateRecord) -> str:
    return _page(
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


def _migration_page(record: MigrationRecord) -> str:
    values = migration.build(record)
    return _page(
        "migration.html", {"title": f"{values['word']}: tiergate migration {record.id}".rstrip(), **values}
    )


def _reconcile_page(record: ReconcileRecord) -> str:
    values = reconcile.build(record)
    return _page("reconcile.html", {"title": f"{values['word']}: {values['heading']}, tiergate", **values})


def _advice_page(record: AdviceRecord) -> str:
    values = advice.build(record)
    return _page("advice.html", {"title": f"{values['word']}: {values['heading']}, tiergate", **values})


def _bench_page(records: Sequence[BenchRecord]) -> str:
    values = bench.build(records)
    return _page("bench.html", {"title": f"{values['word']}: {values['heading']}, tiergate", **values})


def _profile_page(record: ProfileRecord) -> str:
    values = profiles.build(record)
    shown = {"title": f"{values['heading']}, tiergate", "made": record.created_at}
    return _page("profile.html", {**shown, "command": shlex.join(record.command), **values}, _FLAME)


def _difference_page(record: ProfileRecord, base: ProfileRecord) -> str:
    values = differing.build(record, base)
    return _page("profile_difference.html", {"title": f"{values['heading']}, tiergate", **values}, _FLAME)


def _page(template: str, values: Mapping[str, object], script: str = "") -> str:
    environment = _environment()
    style = environment.get_template("style.css").render().strip()
    code = environment.get_template(script).render().strip() if script else ""
    page = environment.get_template(template).render(
        **values,
        style=Markup(style),
        script=Markup(code),
        policy=content_security_policy(style, code),
    )
    return page.rstrip() + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tiergate_reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _listed(records: Sequence[object]) -> str:
    kinds = [getattr(record, "schema", type(record).__name__) for record in records]
    return ", ".join(kinds) if kinds else "no record at all"
