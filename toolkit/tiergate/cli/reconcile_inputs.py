"""What ``tiergate reconcile`` reads: sources as plans, checks, decisions and answers, and the plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiergate.cli.state import State
    from tiergate.matching import Plan
    from tiergate.reconcile.engine import Question, Tools
    from tiergate.record import Source


def prepared(
    state: State, sources: Sequence[Path], store: str | None, now: datetime, options: Mapping[str, Any]
) -> tuple[Question, Tools, list[Source], Mapping[str, int] | None]:
    """Read everything that is reconciled, and find the plugins that do it."""
    from tiergate.deciding import Inquiry
    from tiergate.hooks import DecisionRuleDeclaration, EvidenceCheckDeclaration, MatcherDeclaration
    from tiergate.reconcile.answers import read_answers
    from tiergate.reconcile.decision_tree import read_tree
    from tiergate.reconcile.engine import Question, Tools
    from tiergate.reconcile.evidence_file import read_checks
    from tiergate.reconcile.findings import STALE_DAYS
    from tiergate.reconcile.grouping import Tasks
    from tiergate.reconcile.root import Folder

    host = state.host()
    tools = Tools(
        matcher=host.get(MatcherDeclaration, options["matcher"]),
        checks={one.name: one for one in host.all(EvidenceCheckDeclaration)},
        rules=host.all(DecisionRuleDeclaration),
    )
    read = _versions(state, sources, store, dry_run=options["dry_run"])
    how = {"source_format": options["source_format"], "lenient": options["lenient"]}
    plans, facts = read_plans(state, sources, **how)
    wishes, wished = read_plans(state, options["wishes"], "auto", lenient=options["lenient"])
    base, _ = read_plans(state, options["base"], **how)
    evidence: Path | None = options["evidence"]
    tasks = Tasks(Inquiry(plans=tuple(plans), now=now))
    question = Question(
        plans=plans,
        wishes=wishes,
        base=base,
        now=now,
        root=Folder(options["root"] or Path.cwd(), allow_commands=options["allow_commands"]),
        checks=() if evidence is None else read_checks(evidence, tasks, tools.checks),
        infers=not options["no_infer"],
        tree=None if options["decisions"] is None else read_tree(options["decisions"]),
        answers=() if options["answers"] is None else read_answers(options["answers"]),
        stale_days=STALE_DAYS if options["stale_days"] is None else options["stale_days"],
    )
    return question, tools, [*facts, *wished], read


def read_plans(
    state: State, paths: Sequence[Path], source_format: str, *, lenient: bool
) -> tuple[list[Plan], list[Source]]:
    """One plan for each source, under the path that it was given by.

    Raises:
        As `tiergate.sources.read_source`.
    """
    from tiergate.cli.from_sources import importers_of
    from tiergate.matching import Plan
    from tiergate.sources import read_source

    importers = importers_of(state.host())
    plans, sources = [], []
    for path in paths:
        imported, source = read_source(path, source_format, importers, lenient=lenient)
        plans.append(Plan(source=source.path, sessions=tuple(imported.sessions)))
        sources.append(source)
    return plans, sources


def _versions(
    state: State, sources: Sequence[Path], store: str | None, *, dry_run: bool
) -> Mapping[str, int] | None:
    """The versions of what the target holds, where it is one of the sources; else None.

    A reconciliation into it that was interrupted is settled first, so that what is read is one state.
    """
    if store is None:
        return None
    from tiergate.reconcile.applying import reading, recover
    from tiergate.store_source import address_of

    opener = state.host().opener()
    opener.require_known(opener.resolve(state.store_address(store)))
    if not dry_run:
        for line in recover(opener, store):
            state.warn(line)
    place = Path(opener.resolve(state.store_address(store)).path).resolve()
    for source in sources:
        address = address_of(source, opener)
        if address is not None and Path(opener.resolve(address).path).resolve() == place:
            return reading(opener, store)
    return None
