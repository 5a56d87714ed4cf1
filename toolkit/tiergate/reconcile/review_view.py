"""How a question is shown: its tasks side by side, the evidence, what each rule has said, the choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tiergate.deciding import Inquiry, evidence_about
from tiergate.reconcile.grouping import Known, Tasks
from tiergate.reconcile_record import Decision
from tiergate.terminal_text import visible

NARROWEST = 26
"""Cells that a task needs to stand beside others; where there are fewer, tasks stand below each other."""

MOST_NOTES = 400
"""Signs of the notes that are shown."""

_STYLES = {"holds": "green", "fails": "red", "unknown": "yellow"}


def show(console: Console, question: Decision, place: str, inquiry: Inquiry, tasks: Tasks) -> None:
    """Print a question.

    Args:
        place: such as ``2 of 7``.
    """
    console.rule(Text(f"{place}  {question.field}"), align="left")
    console.print(Text(visible(question.outcome), style="bold"))
    known = [tasks[ref] for ref in question.tasks if ref in tasks]
    if known:
        console.print(_side_by_side(known, question.field, console.width))
    for one in evidence_about(inquiry, question.tasks):
        where = f" in {one.where}" if one.where else ""
        said = Text(f"  {one.outcome}{where}: ", style=_STYLES[one.outcome])
        console.print(said.append(visible(one.message), style="default"))
    for step in question.trace:
        console.print(Text(f"  {step.rule}: ", style="cyan").append(visible(step.said), style="default"))
    for number, value in enumerate(question.options, 1):
        console.print(Text(f"  {number}  ", style="bold").append(visible(_words(value)), style="default"))


def _side_by_side(known: Sequence[Known], name: str, width: int) -> Table:
    """A column for each task, or a block for each where the terminal is too narrow."""
    beside = width // NARROWEST >= len(known)
    table = Table(show_header=False, expand=True, show_lines=not beside, padding=(0, 1))
    for _ in known if beside else [None]:
        table.add_column(overflow="fold", ratio=1)
    blocks = [Text("\n").join(_lines(one, name)) for one in known]
    if beside:
        table.add_row(*blocks)
    else:
        for block in blocks:
            table.add_row(block)
    return table


def _lines(one: Known, name: str) -> Iterator[Text]:
    """What a task says; the field in question stands out."""
    yield Text(visible(f"{one.ref.session}/{one.ref.task}"), style="bold")
    yield Text(visible(one.ref.source), style="dim")
    facts = {
        "title": one.task.title,
        "status": one.task.source_status or one.task.status.value,
        "weight": one.task.weight,
        "dependencies": one.task.dependencies,
        "labels": one.task.labels,
        "updated_at": one.task.updated_at,
        "notes": " ".join(one.task.notes[:MOST_NOTES].split()) + "…" * (len(one.task.notes) > MOST_NOTES),
    }
    for key, value in facts.items():
        if key in ("title", "status", name) or value not in ("", None, (), 1.0):
            yield Text(f"{key}: ").append(
                visible(_words(value)), style="reverse" if key == name else "default"
            )


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in ("", None) else str(value)
