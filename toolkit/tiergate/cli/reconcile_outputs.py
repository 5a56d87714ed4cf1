"""What ``tiergate reconcile`` writes: the record, the page, and the Markdown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tiergate.cli.output import printable
from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.cli.state import State
    from tiergate.reconcile.applying import Applied
    from tiergate.reconcile.engine import Outcome
    from tiergate.record import ReconcileRecord, Source


def require_outputs(
    sources: Sequence[Path], *, store: str | None, dry_run: bool, review: bool, **options: Any
) -> None:
    """Refuse what could not be written before anything is worked on.

    Raises:
        UsageError: an output is missing its folder, or is a source or another output; or options that need
            each other are not together.
    """
    from tiergate.cli.files import require_folder, require_kept, same_file

    if review and options["answers"] is None:
        raise UsageError("--review needs --answers", hint="name the file where the answers are kept")
    if dry_run and store is None:
        raise UsageError("--dry-run needs --apply", hint="without --apply nothing is written to a store")
    json_file = options["json_file"]
    outputs = {"-o": options["output"], "--markdown": options["markdown"], "--answers": options["answers"]}
    outputs["--json"] = None if json_file in (None, "-") else Path(json_file)
    given = {name: path for name, path in outputs.items() if path is not None}
    read = [
        *sources,
        *options["wishes"],
        *options["base"],
        *filter(None, (options["evidence"], options["decisions"])),
    ]
    for name, path in given.items():
        require_folder(path)
        require_kept(name, path, read)
    pairs = list(given.items())
    for number, (name, path) in enumerate(pairs):
        for other, taken in pairs[:number]:
            if same_file(path, taken):
                raise UsageError(f"{other} and {name} name the same file", where=str(path), hint="name two")


def record_of(
    state: State,
    outcome: Outcome,
    sources: list[Source],
    applied: Applied | None,
    created: datetime,
    began: float,
) -> ReconcileRecord:
    """The record of a run that began at a moment of `perf_counter`."""
    from tiergate.environment import environment
    from tiergate.matching import tasks_of
    from tiergate.plugins import PluginStatus
    from tiergate.reconcile.roadmap import next_commands
    from tiergate.record import PluginVersion, ReconcileRecord

    inquiry = outcome.inquiry
    words = ["tiergate", *map(printable, sys.argv[1:])]
    written = applied is not None and not applied.dry_run
    return ReconcileRecord(
        created_at=created.isoformat(timespec="seconds"),
        duration_s=round(perf_counter() - began, 3),
        command=words,
        environment=environment(),
        sources=sources,
        sessions=list(outcome.sessions),
        matches=list(inquiry.matched.matches),
        review=list(inquiry.matched.review),
        evidence=list(inquiry.evidence),
        findings=list(outcome.findings),
        decisions=list(outcome.decisions),
        roadmap=outcome.roadmap,
        matrix=list(outcome.matrix),
        titles=[(ref, task.title) for ref, _, task in tasks_of([*inquiry.plans, *inquiry.wishes])],
        next=next_commands(
            words,
            outcome.roadmap,
            outcome.decisions,
            {session.id for session in outcome.merged.sessions},
            applied=written,
        ),
        plugins=[
            PluginVersion(name=plugin.name, version=plugin.version)
            for plugin in state.host().plugins
            if plugin.status is PluginStatus.ACTIVE
        ],
        remarks=list(outcome.remarks),
        applied=applied.store if applied is not None and written else None,
    )


def save(state: State, record: ReconcileRecord, options: Mapping[str, Any]) -> None:
    """Write every file that the options ask for.

    Raises:
        UsageError, RunError: one cannot be written.
    """
    from tiergate.cli.files import render, replace_file
    from tiergate.record import encode_record

    writers: dict[str, tuple[Path | None, Callable[[], bytes]]] = {
        "page": (options["output"], lambda: render(state.host(), "html", [record])),
        "report": (options["markdown"], lambda: render(state.host(), "markdown", [record])),
        "record": (
            Path(options["json_file"]) if options["json_file"] not in (None, "-") else None,
            lambda: encode_record(record),
        ),
    }
    for path, make in writers.values():
        if path is not None:
            replace_file(path, make())
