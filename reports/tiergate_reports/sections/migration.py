"""What a migration moved, whether it is the same, and how long each step took."""

from __future__ import annotations

from tiergate.record import FieldDifference, MigrationRecord
from tiergate_reports import figures
from tiergate_reports.plain import plain
from tiergate_reports.table import Cell, Column, Table, text_column

_KINDS = {"verified": "pass", "cut-over": "pass", "failed": "fail", "undone": "same", "planned": "same"}
WORDS = {
    "planned": "Planned",
    "copying": "Not finished",
    "copied": "Copied, not verified",
    "verified": "Nothing lost",
    "cut-over": "Moved, nothing lost",
    "undone": "Undone",
    "failed": "Not the same",
}
_STEPS = {
    "read": "Every session of the source was read, hashed, and checked for what no store could keep.",
    "check again": "What an earlier run had copied was read back and compared.",
    "copy": "Sessions were written, a chunk at a time.",
    "catch up": "What was written to the source meanwhile was copied after it.",
    "verify": "The target was opened anew and its sessions were read back.",
    "cut over": "Writers waited: the last changes, and the binding.",
}


def build(record: MigrationRecord) -> dict[str, object]:
    """Everything that the page shows."""
    return {
        "kind": _KINDS.get(record.state, "inconclusive"),
        "word": WORDS[record.state],
        "meaning": meaning(record),
        "heading": f"{plain(record.source)} → {plain(record.target)}",
        "made": record.updated_at or record.created_at,
        "facts": _facts(record),
        "hashes": _hashes(record),
        "steps": _steps(record),
        "differences": _differences(record),
        "remarks": [plain(remark) for remark in record.remarks],
    }


def meaning(record: MigrationRecord) -> str:
    """The state in one sentence."""
    if record.state == "planned":
        return "Nothing was written. Every session of the source can be kept as it is: nothing would be lost."
    if record.state == "failed":
        found = figures.plural(len(record.differences), "difference")
        return f"The target does not hold what the source holds: {found} below. No name was bound to it."
    if record.state in {"copying", "copied"}:
        return "The migration has stopped before its end; it goes on with --resume."
    if record.state == "undone":
        return f"store:{record.binding} is bound to the source again; the target was left as it is."
    bound = f" store:{record.binding} is bound to it." if record.state == "cut-over" else ""
    if record.verify == "sample":
        return (
            f"{figures.count(record.verified)} of {figures.plural(record.sessions, 'session')} were read back"
            f" from the target and are the same.{bound}"
        )
    return f"Every session was read back from the target and is the same.{bound}"


def _facts(record: MigrationRecord) -> list[tuple[str, str, str]]:
    taken = sum(record.seconds.values())
    facts = [
        ("Source", plain(record.source), "Opened to read only."),
        ("Target", plain(record.target), ""),
        ("Sessions", figures.count(record.sessions), ""),
        ("Tasks", figures.count(record.tasks), ""),
        ("Size", figures.size(record.bytes), "Of the canonical form, that hashes are taken of."),
        (
            "Read back",
            figures.plural(record.verified, "session"),
            "A random sample." if record.verify == "sample" else "",
        ),
        ("Took", figures.seconds(taken), "All runs together, where it was resumed."),
    ]
    if record.estimate_s is not None:
        facts.append(("Will take about", figures.seconds(record.estimate_s), "By a timed sample."))
    if record.binding is not None:
        facts.append(
            ("Bound name", f"store:{record.binding}", f"Epoch {record.epoch}." if record.epoch else "")
        )
    if record.id:
        facts.append(("Migration", record.id, "What undo and status call it."))
    return facts


def _hashes(record: MigrationRecord) -> list[tuple[str, str]]:
    root = record.root_hash
    missing = "not computed: only a sample was read back" if record.verify == "sample" else "not computed"
    return [("Source", root.source or missing), ("Target", root.target or missing)]


def _steps(record: MigrationRecord) -> Table:
    return Table(
        caption="Time a step",
        columns=(
            text_column("Step"),
            Column("Took"),
            Column("Rate", help="Bytes of all sessions, in canonical form, over the time of the step."),
            text_column("What happened"),
        ),
        rows=[
            (
                Cell(step),
                Cell(figures.seconds(seconds)),
                Cell(_rate(record, step, seconds)),
                Cell(_STEPS.get(step, "")),
            )
            for step, seconds in record.seconds.items()
        ],
        empty="No time was recorded.",
        stacked=True,
    )


def _rate(record: MigrationRecord, step: str, seconds: float) -> str:
    whole = step in {"read", "copy"} or (step == "verify" and record.verify == "full")
    return f"{figures.size(record.bytes / seconds)}/s" if whole and seconds > 0 else "—"


def _differences(record: MigrationRecord) -> Table:
    return Table(
        caption="Differences",
        columns=(
            text_column("Session"),
            text_column("Task"),
            text_column("Field"),
            text_column("In the source"),
            text_column("In the target"),
        ),
        rows=[_difference(one) for one in record.differences],
        empty="No difference was found."
        if record.state in {"verified", "cut-over", "undone"}
        else "Nothing was compared.",
        stacked=True,
    )


def _difference(one: FieldDifference) -> tuple[Cell, ...]:
    return (
        Cell(plain(one.session)),
        Cell("—" if one.task is None else plain(one.task)),
        Cell(plain(one.field) or "all of it"),
        Cell("missing" if one.source is None else plain(one.source)),
        Cell("missing" if one.target is None else plain(one.target)),
    )
