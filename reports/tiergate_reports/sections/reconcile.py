"""What was found true of several plans: the verdict, the sessions, the findings, the decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from tiergate.reconcile_record import SEVERITIES, Decision, Evidence, Finding, Match, TaskRef
from tiergate.record import ReconcileRecord
from tiergate_reports import figures
from tiergate_reports.plain import plain
from tiergate_reports.sections import reconcile_roadmap
from tiergate_reports.table import Cell, Column, Table, text_column

FIRST, MOST = 25, 500
"""Rows that are shown at once, and at all; the record has the rest."""

_TONES = {"critical": "badge fail", "high": "badge fail", "medium": "badge inconclusive", "low": "badge same"}


class Names:
    """How a page calls tasks: by session and id, and by the source where several have that session."""

    def __init__(self, record: ReconcileRecord) -> None:
        self.titles = {ref: plain(title) for ref, title in record.titles}
        short = Counter(PurePath(source.path).name for source in record.sources)
        self._sources = {
            source.path: PurePath(source.path).name if short[PurePath(source.path).name] == 1 else source.path
            for source in record.sources
        }
        self._many = len({ref.source for ref in self.titles}) > 1

    def source(self, path: str) -> str:
        """A source, by its name where that tells it from the others."""
        return plain(self._sources.get(path, path))

    def task(self, ref: TaskRef) -> str:
        """A task by where it stands."""
        return plain(f"{ref.session}/{ref.task}")

    def cell(self, ref: TaskRef) -> Cell:
        """A task with its title, and its source where there are several."""
        note = self.titles.get(ref, "")
        return Cell(self.task(ref), note + (f" ({self.source(ref.source)})" if self._many else ""))


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as the page shows it; `trace` has rule, what it said, and whether it decided."""

    rule: str
    outcome: str
    about: str
    tasks: Sequence[Cell]
    trace: Sequence[tuple[str, str, bool]]
    options: Sequence[str]


def build(record: ReconcileRecord) -> dict[str, object]:
    """Everything that the page shows."""
    names = Names(record)
    kind, word, meaning = verdict(record)
    asked = [one for one in record.decisions if one.rule == "ask"]
    made = [one for one in record.decisions if one.rule != "ask"]
    return {
        "kind": kind,
        "word": word,
        "meaning": meaning,
        "heading": _heading(record),
        "made": record.created_at,
        "facts": _facts(record, asked, made),
        "next": [(plain(one.command), plain(one.why)) for one in record.next],
        "sessions": _sessions(record, names),
        "progress": [
            (plain(one.id), one.claimed, one.actual) for one in record.sessions if one.claimed is not None
        ],
        "findings": [
            (name, *_halved(name, [one for one in record.findings if one.severity == name], names))
            for name in SEVERITIES
            if any(one.severity == name for one in record.findings)
        ],
        "asked": [_decided(one, names) for one in asked[:MOST]],
        "decisions": [_decided(one, names) for one in made[:MOST]],
        "first": FIRST,
        "decisions_left": max(0, len(made) - MOST),
        "matrix": _matrix(record, names),
        "matches": _matches(record, names),
        "review": _review(record, names),
        "sources": _sources(record, names),
        "remarks": [plain(remark) for remark in record.remarks],
        **reconcile_roadmap.build(record, names.task),
    }


def verdict(record: ReconcileRecord) -> tuple[str, str, str]:
    """The colour of the banner, its word, and one sentence."""
    counts = Counter(one.severity for one in record.findings)
    asked = sum(one.rule == "ask" for one in record.decisions)
    questions = f" {figures.plural(asked, 'question is', 'questions are')} left to a person." if asked else ""
    if counts["critical"] or counts["high"]:
        grave = counts["critical"] + counts["high"]
        return "fail", "Contradictions", f"{figures.plural(grave, 'grave finding')} stand below.{questions}"
    if asked:
        return "inconclusive", "Open questions", f"Nothing grave was found.{questions}"
    if counts["medium"]:
        return "inconclusive", "Worth a look", "Nothing grave was found, and nothing is left to decide."
    return "pass", "In agreement", "The plans say one thing, and nothing of it is in doubt."


def _heading(record: ReconcileRecord) -> str:
    sessions, sources = len(record.sessions), len(record.sources)
    return f"{figures.plural(sessions, 'session')} of {figures.plural(sources, 'source')}, reconciled"


def _facts(
    record: ReconcileRecord, asked: Sequence[Decision], made: Sequence[Decision]
) -> list[tuple[str, str, str]]:
    tasks = sum(source.tasks for source in record.sources)
    kinds = Counter(str(one.kind) for one in record.matches)
    severities = Counter(one.severity for one in record.findings)
    said = figures.joined([f"{severities[name]} {name}" for name in SEVERITIES if severities[name]])
    rules = Counter(one.rule for one in made)
    facts = [
        ("Tasks", figures.count(tasks), "Of all sources; what several have counts in each."),
        ("Same work", figures.plural(kinds["same"], "pair"), "In several sessions or sources."),
        ("Findings", figures.count(len(record.findings)), said),
        (
            "Decided",
            figures.count(len(made)),
            figures.joined([f"{n} by {rule}" for rule, n in rules.most_common(4)]),
        ),
        ("Open questions", figures.count(len(asked)), "Nothing is decided without a reason."),
        ("Took", figures.seconds(record.duration_s), ""),
    ]
    if record.applied:
        facts.append(
            ("Written to", plain(record.applied), "In one transaction; `reconcile undo` takes it back.")
        )
    return facts


def _sessions(record: ReconcileRecord, names: Names) -> Table:
    return Table(
        caption="What each session claims, and what counts",
        columns=(
            text_column("Session"),
            text_column("Role", "What the session is among the others; the reason stands below it."),
            Column("Counted", help="Completed tasks over all that are not abandoned."),
            Column("Claimed", help="Progress that the source states."),
            text_column("Tasks"),
            text_column("Priority"),
        ),
        rows=[
            (
                Cell(plain(one.id), f"{plain(one.title)} {names.source(one.source)}".strip()),
                Cell(one.role, plain(one.why)),
                Cell(f"{one.actual:.0%}"),
                Cell(
                    "—" if one.claimed is None else f"{one.claimed:.0%}", tone=_claim(one.claimed, one.actual)
                ),
                Cell(
                    ", ".join(
                        f"{number} {status}"
                        for status in ("completed", "active", "queued", "blocked", "abandoned")
                        if (number := getattr(one.counts, status))
                    )
                ),
                Cell(plain(one.priority) or "—"),
            )
            for one in record.sessions[:MOST]
        ],
        empty="There is no session.",
        stacked=True,
    )


def _claim(claimed: float | None, actual: float) -> str:
    return "fail-text" if claimed is not None and abs(claimed - actual) > 0.05 else ""


def _halved(severity: str, findings: Sequence[Finding], names: Names) -> tuple[Table, Table | None, int]:
    """The first findings, those that are folded away, and how many are not on the page."""
    first = _findings(severity, findings[:FIRST], names)
    rest = (
        _findings(f"{severity}, the others", findings[FIRST:MOST], names) if len(findings) > FIRST else None
    )
    return first, rest, max(0, len(findings) - MOST)


def _findings(what: str, findings: Sequence[Finding], names: Names) -> Table:
    return Table(
        caption=f"{what.capitalize()}: {figures.plural(len(findings), 'finding')}",
        columns=(
            text_column("Kind"),
            text_column("What is wrong"),
            text_column("Evidence"),
            text_column("What to do"),
        ),
        rows=[
            (
                Cell(str(one.kind), tone=_TONES[one.severity]),
                Cell(plain(one.message), _at(one, names)),
                Cell(_evidence(one.evidence) or "—"),
                Cell(plain(one.hint) or "—"),
            )
            for one in findings
        ],
        stacked=True,
    )


def _at(one: Finding, names: Names) -> str:
    sources = dict.fromkeys([*(ref.source for ref in one.tasks), *([one.session[0]] if one.session else [])])
    return ", ".join(names.source(source) for source in sources)


def _evidence(evidence: Sequence[Evidence]) -> str:
    said = list(
        dict.fromkeys(f"{plain(one.place)}: {one.outcome}" if one.place else one.outcome for one in evidence)
    )
    return "; ".join(said[:3]) + (f"; {len(said) - 3} more" if len(said) > 3 else "")


def _decided(one: Decision, names: Names) -> Decided:
    return Decided(
        rule=plain(one.rule),
        outcome=plain(one.outcome),
        about=", ".join(map(names.task, one.tasks[:3]))
        + (f" and {len(one.tasks) - 3} more" if len(one.tasks) > 3 else ""),
        tasks=[names.cell(ref) for ref in one.tasks[:12]],
        trace=[(plain(step.rule), plain(step.said), step.decided) for step in one.trace],
        options=[plain(str(option)) for option in one.options],
    )


def _matrix(record: ReconcileRecord, names: Names) -> Table | None:
    if not record.matrix:
        return None
    return Table(
        caption="Tasks by items of the lists",
        columns=(
            text_column("Item"),
            text_column("Task"),
            text_column("Relation", "Covers: the same work; overlaps: both touch the same."),
            text_column("Action", "What follows: merge, extend the task, add it to a session, or keep it."),
            text_column("Why"),
        ),
        rows=[
            (
                names.cell(one.item),
                Cell("no session has it") if one.task is None else names.cell(one.task),
                Cell(one.relation),
                Cell(one.action),
                Cell(plain(one.why) or "—"),
            )
            for one in record.matrix[:MOST]
        ],
        stacked=True,
    )


def _matches(record: ReconcileRecord, names: Names) -> Table:
    sure_last = sorted(record.matches, key=lambda one: (one.kind == "same", one.probability))
    return _pairs("Held to be true", sure_last[:FIRST], names, "No two tasks were held to be one.")


def _review(record: ReconcileRecord, names: Names) -> Table:
    return _pairs("For a person to look at", record.review[:FIRST], names, "No pair is worth a look.")


def _pairs(caption: str, pairs: Sequence[Match], names: Names, empty: str) -> Table:
    return Table(
        caption=caption,
        columns=(
            text_column("One"),
            text_column("Other"),
            text_column("Kind"),
            Column(
                "Probability", help="That the two are one piece of work; of a collision, that they are not."
            ),
            text_column("Reason"),
        ),
        rows=[
            (
                names.cell(one.a),
                names.cell(one.b),
                Cell(str(one.kind)),
                Cell(f"{one.probability:.2f}"),
                Cell(plain(one.reason)),
            )
            for one in pairs
        ],
        empty=empty,
        stacked=True,
    )


def _sources(record: ReconcileRecord, names: Names) -> Table:
    return Table(
        caption="What was read",
        columns=(
            text_column("Source"),
            text_column("Format"),
            Column("Sessions"),
            Column("Tasks"),
            text_column("Notes"),
        ),
        rows=[
            (
                Cell(names.source(one.path), plain(one.path)),
                Cell(one.format),
                Cell(figures.count(one.sessions)),
                Cell(figures.count(one.tasks)),
                Cell(plain("; ".join(one.notes)) or "—"),
            )
            for one in record.sources
        ],
        stacked=True,
    )
