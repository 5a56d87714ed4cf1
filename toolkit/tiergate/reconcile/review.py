"""The walk through open questions in a terminal: one at a time, each answer kept as soon as it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from tiergate.deciding import SET_FIELDS, Inquiry
from tiergate.errors import UsageError, counted
from tiergate.reconcile.answers import Answer, read_answers, write_answers
from tiergate.reconcile.grouping import Tasks
from tiergate.reconcile.review_view import show
from tiergate.reconcile.verdicts import ASK, invalid
from tiergate.reconcile_record import Decision
from tiergate.terminal_text import visible

CLOSED_QUESTIONS = ("same", "branch")
"""Fields whose answers are the choices alone."""


class _Quit(Exception):
    """The person has had enough, or the input has ended."""


@dataclass(slots=True)
class Reviewed:
    """What a review came to: how many questions were answered in it, and how many are open still."""

    answered: int
    left: int


@dataclass(slots=True)
class _Walk:
    inquiry: Inquiry
    tasks: Tasks
    path: Path
    source: TextIO
    console: Console
    by: str
    at: str
    answers: dict[str, Answer] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)

    def read(self, prompt: str) -> str:
        """What was typed, without the line end."""
        self.console.print(Text(prompt, style="bold"), end="")
        line = self.source.readline()
        if not line:
            raise _Quit
        return line.strip()

    def keep(self, question: Decision, value: Any) -> None:
        """Keep an answer in the file, at once, and then the reason, if there is one."""
        answer = Answer(id=question.question, value=value, by=self.by, at=self.at, seen=question.options)
        self._write(answer)
        self.console.print(Text(f"kept: {visible(str(value))}", style="green"))
        why = self.read("why (Enter for no reason): ")
        if why:
            self._write(msgspec.structs.replace(answer, why=why))

    def _write(self, answer: Answer) -> None:
        self.answers[answer.id] = answer
        write_answers(self.path, self.answers.values())
        self.given.add(answer.id)


def review(
    decisions: Sequence[Decision],
    inquiry: Inquiry,
    path: Path,
    *,
    source: TextIO,
    console: Console,
    by: str = "",
    now: datetime | None = None,
) -> Reviewed:
    """Ask every open question of some decisions, and keep the answers in a file.

    What has an answer is no open question, so a review that was left goes on where it was.

    Args:
        path: the file of answers; it may be absent.
        source: where the answers are typed.
        console: where the questions are shown, in its width.
        by: who is asked.
        now: when; the inquiry's moment unless given.

    Raises:
        UsageError: `source` is no terminal, or the file is no file of answers.
        StateError: the file cannot be written.
    """
    if not source.isatty():
        raise UsageError(
            "a review needs a terminal to type into",
            where="--review",
            hint=f"run it in a terminal, or write the answers into {path} by hand",
        )
    moment = (now or inquiry.now).isoformat(timespec="seconds")
    known = {one.id: one for one in read_answers(path)}
    walk = _Walk(inquiry, Tasks(inquiry), path, source, console, by, moment, known)
    pending = [one for one in decisions if one.rule == ASK and one.question]
    try:
        _go(walk, pending)
    except _Quit:
        console.print()
    left = len(pending) - len(walk.given)
    console.print(Text(f"{counted(len(walk.given), 'answer')} kept in {visible(str(path))}, {left} left"))
    return Reviewed(len(walk.given), left)


def _go(walk: _Walk, pending: Sequence[Decision]) -> None:
    place = 0
    while place < len(pending):
        question = pending[place]
        show(walk.console, question, f"{place + 1} of {len(pending)}", walk.inquiry, walk.tasks)
        step = _asked(walk, question)
        if step < 0 and place == 0:
            walk.console.print(Text("this is the first question", style="yellow"))
        place = max(0, place + step)


def _asked(walk: _Walk, question: Decision) -> int:
    """Ask until one key is understood: 1 to go on, -1 to go back."""
    own = question.field not in CLOSED_QUESTIONS
    keys = ["v own value"] * own + ["s skip", "b back", "q quit"]
    prompt = f"1-{len(question.options)} choose, {', '.join(keys)}: "
    while True:
        key = walk.read(prompt).casefold()
        if key == "q":
            raise _Quit
        if key in ("s", "b"):
            return 1 if key == "s" else -1
        if key.isdecimal() and 1 <= int(key) <= len(question.options):
            walk.keep(question, question.options[int(key) - 1])
            return 1
        if key == "v" and own:
            value = _typed(question.field, walk.read(f"{question.field}: "))
            wrong = invalid(question.field, value)
            if not wrong:
                walk.keep(question, value)
                return 1
            walk.console.print(Text(visible(wrong), style="red"))
        else:
            walk.console.print(Text(f"{visible(key)!r} is none of the keys", style="red"))


def _typed(name: str, text: str) -> Any:
    """A value as it is typed: a list with commas, a number where it has to be one."""
    if name in SET_FIELDS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if name == "weight":
        try:
            return float(text)
        except ValueError:
            return text
    return text
