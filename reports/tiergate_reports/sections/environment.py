"""Where and how the run was made, and what the words mean."""

from __future__ import annotations

import shlex

from tiergate.record import GateRecord, RunRecord
from tiergate_reports import figures
from tiergate_reports.table import Cell, Table, text_column

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Affinity", "Requests of one session go to the worker that holds it."),
    (
        "Ambiguous",
        "A request whose measured range crosses a cut-off between tiers; it has no sure label and is"
        " not judged.",
    ),
    ("Balanced accuracy", "The share of right choices in each tier, averaged over the tiers."),
    (
        "Bound",
        "What the oracle reaches: it is told the service times that no router can know, so it is never"
        " judged.",
    ),
    ("Control", "A way to choose that needs no skill; a router must beat it."),
    (
        "Interval",
        "95 % confidence: a range found in a way that holds the true value 95 times of 100. Its unit"
        " is the round.",
    ),
    ("Macro-F1", "The harmonic mean of precision and recall in each tier, averaged over the tiers."),
    ("Open arrivals", "Requests start at their own times and do not wait for earlier answers, as users do."),
    ("Oracle", "The router that is told the sealed service time of each request."),
    ("p50, p95, p99", "Percentiles: 50, 95 or 99 of 100 requests took at most this long."),
    (
        "Regret",
        "(router − oracle) / (shared queue − oracle), of the mean log slowdown; undefined where the"
        " two do not differ for sure.",
    ),
    ("Response time", "From the intended start to the answer, also when the generator was late."),
    ("Round", "One pass of the trace through every router, each on a fresh copy of the store."),
    (
        "Sealed service time",
        "The median time of a request that ran alone in a reference worker; no router sees it, except"
        " the oracle.",
    ),
    ("Service time", "Time in the worker."),
    ("Slowdown", "Response time over sealed service time: how many times longer than alone."),
    (
        "Tier",
        "hot: resident workers for short requests; warm: resident, grows and shrinks; cold: started on"
        " demand, for heavy requests.",
    ),
)


def build(run: RunRecord, _gate: GateRecord | None) -> dict[str, object]:
    """Machine, command, plugins, remarks and glossary."""
    return {
        "facts": facts(run),
        "command": shlex.join(run.command),
        "plugins": Table(
            caption="Plugins that took part",
            columns=(text_column("Plugin"), text_column("Version")),
            rows=[(Cell(plugin.name), Cell(plugin.version)) for plugin in run.plugins],
            empty="The record names no plugin.",
        ),
        "remarks": run.remarks,
        "glossary": GLOSSARY,
    }


def facts(run: RunRecord) -> list[tuple[str, str, str]]:
    """Name, value and meaning of each fact."""
    place = run.environment
    return [
        ("Made", run.created_at, ""),
        ("Took", figures.seconds(run.duration_s), "The whole run, calibration included."),
        ("Python", place.python, ""),
        ("Platform", place.platform, ""),
        ("Processor", f"{place.cpu}, {figures.plural(place.cores, 'core')}", ""),
        (
            "Load average",
            figures.number(place.load_avg),
            "Of the last minute before the run; near 0 means nothing else was running.",
        ),
        ("Commit", place.git_commit or "n/a: not in a git repository", ""),
    ]
