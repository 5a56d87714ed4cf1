"""``tiergate reconcile``: what of several plans is true, and what to do next."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from tiergate.cli.from_sources import lenient_option
from tiergate.cli.groups import DefaultGroup
from tiergate.cli.output import printable, write, write_json
from tiergate.cli.reconcile_inputs import prepared
from tiergate.cli.reconcile_outputs import record_of, require_outputs, save
from tiergate.cli.state import State
from tiergate.errors import EXIT_FAILED, EXIT_OK, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiergate.reconcile.applying import Applied
    from tiergate.reconcile.engine import Outcome, Question, Tools

_PATH = click.Path(path_type=Path)


@click.group(
    cls=DefaultGroup,
    usage="SRC... [OPTIONS]",
    short_help="Find out what of several plans is true, and decide.",
)
def command() -> None:
    """Reconcile the plans SRC...: match their tasks, look for evidence, name what is wrong, decide, and plan.

    A SRC is a file, folder or store that `tiergate import` reads; none of them is changed. What was found is
    written as a page (-o), as Markdown (--markdown) or as a record (--json); without any, a summary is shown.
    Nothing is decided without a reason; what is uncertain is left to a person (--review).

    \b
    Examples:
      tiergate reconcile .beads/issues.jsonl PLAN.md -o plans.html
      tiergate reconcile ours.json theirs.json --base base.json --review
      tiergate reconcile PLAN.md --evidence evidence.toml --fail-on unproven,cycle
      tiergate reconcile old.jsonl new.jsonl --apply sqlite:merged.db
      tiergate reconcile undo sqlite:merged.db
    """


@command.command(name=DefaultGroup.DEFAULT, hidden=True)
@click.argument("sources", nargs=-1, required=True, type=_PATH, metavar="SRC...")
@click.option(
    "--wishes", multiple=True, type=_PATH, metavar="LIST", help="Hold the sessions against this list."
)
@click.option(
    "--base", multiple=True, type=_PATH, metavar="SRC", help="An earlier state, for a three-way merge."
)
@click.option("--evidence", type=_PATH, metavar="FILE", help="Checks to carry out, in TOML.")
@click.option(
    "--root", type=_PATH, metavar="DIR", help="Where evidence is looked for (default: this folder)."
)
@click.option("--no-infer", is_flag=True, help="Do not look for what the texts of tasks name.")
@click.option("--allow-commands", is_flag=True, help="Let checks of kind `command` run.")
@click.option("--decisions", type=_PATH, metavar="FILE", help="The project's own decision tree, in TOML.")
@click.option("--answers", type=_PATH, metavar="FILE", help="Answers of a person, read and kept there.")
@click.option("--review", is_flag=True, help="Walk through the open questions; needs --answers.")
@click.option("--stale-days", type=click.FloatRange(min=0), metavar="N", help="Days without an update (14).")
@click.option("--format", "source_format", default="auto", show_default=True, metavar="NAME", help="Of SRC.")
@lenient_option
@click.option("--matcher", metavar="NAME", default="ngrams", show_default=True, help="Finds same tasks.")
@click.option("-o", "--output", type=_PATH, metavar="FILE", help="Write the page there.")
@click.option("--markdown", type=_PATH, metavar="FILE", help="Write the report as Markdown there.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Write the record; - is standard output.",
)
@click.option("--fail-on", metavar="KIND,...", help="Exit with 1 when there is such a finding; any for all.")
@click.option("--apply", "store", metavar="STORE", help="Write the merged plan there, in one transaction.")
@click.option("--dry-run", is_flag=True, help="With --apply: say what would be written.")
@click.pass_obj
def run(
    state: State,
    /,
    sources: tuple[Path, ...],
    fail_on: str | None,
    store: str | None,
    dry_run: bool,
    review: bool,
    **options: Any,
) -> int:
    """Reconcile plans; see `tiergate reconcile --help`."""
    began, created = perf_counter(), datetime.now(UTC)
    failing = _kinds(fail_on)
    require_outputs(sources, store=store, dry_run=dry_run, review=review, **options)
    question, tools, facts, read = prepared(state, sources, store, created, {**options, "dry_run": dry_run})
    outcome = _worked(state, question, tools)
    if review:
        outcome = _reviewed(state, outcome, question, tools, options["answers"])
    applied = None if store is None else _applied(state, store, outcome, read, dry_run=dry_run)
    record = record_of(state, outcome, facts, applied, created, began)
    save(state, record, options)
    if options["json_file"] == "-":
        write_json(record)
    else:
        from tiergate.cli.reconcile_lines import summary

        write(*summary(record, applied, verbose=state.verbose))
    found = [one for one in outcome.findings if failing and (str(one.kind) in failing or "any" in failing)]
    return EXIT_FAILED if found else EXIT_OK


@command.command()
@click.argument("store", metavar="STORE")
@click.option("--id", "step", metavar="ID", help="Undo this one, not the last; `reconcile log` names them.")
@click.option("--force", is_flag=True, help="Restore sessions that were changed since, too.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
@click.pass_obj
def undo(state: State, store: str, step: str | None, force: bool, as_json: bool) -> None:
    """Restore what was in STORE before a reconciliation was applied to it.

    Refuses when sessions were changed since, and names them; exit code 1. An undoing can be undone itself.

    \b
    Example:
      tiergate reconcile undo sqlite:merged.db
    """
    from tiergate.reconcile.undoing import undo as undo_step

    done = undo_step(state.host().opener(), store, step_id=step, force=force, command=_words())
    if as_json:
        write_json(done)
    else:
        write(done.line, *(f"  {remark}" for remark in done.remarks))


@command.command()
@click.argument("store", metavar="STORE")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
@click.pass_obj
def log(state: State, store: str, as_json: bool) -> None:
    """Show what was applied to STORE and undone, the oldest first; -v adds rule and reason of each change.

    \b
    Example:
      tiergate reconcile log sqlite:merged.db --json
    """
    from tiergate.cli.reconcile_lines import log_lines
    from tiergate.reconcile.undoing import changes_of, history

    opener = state.host().opener()
    steps = history(opener, store)
    shown = steps if as_json or state.verbose else []
    changes = {step.id: changes_of(opener, store, step.id) for step in shown}
    if as_json:
        write_json({"schema": "tiergate.audit/1", "steps": steps, "changes": changes})
    else:
        write(*log_lines(store, steps, changes))


def _words() -> str:
    import shlex

    return shlex.join(["tiergate", *map(printable, sys.argv[1:])])


def _kinds(fail_on: str | None) -> frozenset[str]:
    """The kinds of finding that are asked to fail."""
    from tiergate.reconcile_record import FindingKind

    known = [*map(str, FindingKind), "any"]
    kinds = frozenset(word.strip() for word in (fail_on or "").split(",") if word.strip())
    for kind in sorted(kinds):
        if kind not in known:
            raise unknown_name("kind of finding", kind, known, where="--fail-on")
    return kinds


def _worked(state: State, question: Question, tools: Tools) -> Outcome:
    from tiergate.cli.reconcile_progress import shown
    from tiergate.reconcile.engine import reconcile

    with shown(quiet=state.quiet) as progress:
        return reconcile(question, tools, progress)


def _reviewed(state: State, outcome: Outcome, question: Question, tools: Tools, answers: Path) -> Outcome:
    """Ask a person, and decide again with the answers."""
    from dataclasses import replace
    from getpass import getuser

    from rich.console import Console

    from tiergate.reconcile.answers import read_answers
    from tiergate.reconcile.review import review

    console = Console(stderr=True)
    review(outcome.decisions, outcome.inquiry, answers, source=sys.stdin, console=console, by=getuser())
    return _worked(state, replace(question, answers=read_answers(answers)), tools)


def _applied(
    state: State, store: str, outcome: Outcome, read: Mapping[str, int] | None, *, dry_run: bool
) -> Applied:
    from tiergate.cli.signals import stopped_by_sigterm
    from tiergate.reconcile.applying import apply

    opener = state.host().opener()
    with stopped_by_sigterm():
        applied = apply(
            opener, store, outcome.merged, outcome.decisions, read=read, command=_words(), dry_run=dry_run
        )
    for remark in applied.remarks:
        state.warn(remark)
    return applied
