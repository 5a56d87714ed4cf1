"""What people have answered: a file that is committed beside the plans, and read in every run.

TOML, or JSON where its name ends so::

    [[answer]]
    id = "status:WORKER_POOL/3:1f0c9a2e"
    value = "completed"
    why = "the server ran at the demonstration"
    by = "Ada"
    at = "2025-11-18T09:30:00+01:00"
    seen = ["completed", "queued"]

Only ``id`` and ``value`` are needed. ``seen`` are the values that could be chosen from when it was given:
where they have changed since, the answer is outdated and the question is asked again.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tiergate.deciding import folded
from tiergate.errors import UsageError
from tiergate.reconcile.grouping import as_json
from tiergate.reconcile_record import Decision, TraceStep
from tiergate.state_files import replace_durably

RULE = "answer"
"""The name of the rule in traces and decisions."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a person has said to one question.

    Attributes:
        id: of the question.
        value: what was chosen or typed.
        why, by, at: for those who read it later.
        seen: the values that there were to choose from.
    """

    id: str
    value: Any
    why: str = ""
    by: str = ""
    at: str = ""
    seen: tuple[Any, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    answer: list[Answer] = []


def read_answers(path: Path) -> list[Answer]:
    """The answers of a file, in its order; none where there is no file yet.

    Raises:
        UsageError: it cannot be read, is not what it should be, or answers one question twice.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"cannot read the answers: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"is not UTF-8 at byte {error.start}", where=str(path)) from error
    try:
        found = msgspec.convert(_parsed(path, text), _File).answer
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, RecursionError) as error:
        hint = "a list `answer`, each with `id` and `value`, and maybe `why`, `by`, `at`, `seen`"
        raise UsageError(f"is no file of answers: {error}", where=str(path), hint=hint) from error
    ids = [one.id for one in found]
    twice = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise UsageError(
            f"question {twice[0]!r} is answered twice", where=str(path), hint="keep one of the answers"
        )
    return found


def write_answers(path: Path, answers: Iterable[Answer]) -> None:
    """Put the file in place of the old one as a whole, sorted by question, so that its history is short.

    Raises:
        UsageError: an answer cannot be written in TOML.
        StateError: the file cannot be written; the old one is there still.
    """
    ordered = sorted(answers, key=lambda one: one.id)
    if path.suffix == ".json":
        document = msgspec.json.format(msgspec.json.encode(_File(ordered)), indent=2) + b"\n"
    else:
        document = "\n".join(_as_toml(one, path) for one in ordered).encode()
    replace_durably(path.absolute(), document)


def answered(
    question: str, choices: Sequence[Any], answers: Mapping[str, Answer], name: str = ""
) -> tuple[Answer | None, TraceStep]:
    """The answer to a question, or None, with the step of the trace that says so.

    Args:
        choices: what there is to choose from now.
        name: of the field, whose values are compared as `tiergate.deciding.folded` does.
    """
    answer = answers.get(question)
    if answer is None:
        return None, TraceStep(rule=RULE, said="nobody has answered")
    if answer.seen and {folded(name, one) for one in answer.seen} != {folded(name, one) for one in choices}:
        said = f"outdated: it was given when there was {_list(answer.seen)} to choose, now {_list(choices)}"
        return None, TraceStep(rule=RULE, said=said)
    who = answer.by or "somebody"
    when = f" at {answer.at}" if answer.at else ""
    why = f": {' '.join(answer.why.split())}" if answer.why else ""
    return answer, TraceStep(rule=RULE, said=f"{who} has said {answer.value!r}{when}{why}", decided=True)


def unused(answers: Iterable[Answer], decisions: Iterable[Decision]) -> list[str]:
    """One line about each answer that decided nothing: nobody's word is dropped in silence."""
    last = {one.question: one for one in decisions if one.question}
    taken = {
        one.question for one in decisions if any(step.rule == RULE and step.decided for step in one.trace)
    }
    found = []
    for answer in answers:
        if answer.id in taken:
            continue
        decision = last.get(answer.id)
        steps = [step.said for step in decision.trace if step.rule == RULE] if decision else []
        why = (
            steps[0] if steps else "there is no such question any more: the plans have changed, or agree now"
        )
        found.append(f"answer to {answer.id}: not used; {why}")
    return found


def _parsed(path: Path, text: str) -> Any:
    return msgspec.json.decode(text) if path.suffix == ".json" else tomllib.loads(text)


def _list(values: Iterable[Any]) -> str:
    return " or ".join(repr(one) for one in values)


def _as_toml(answer: Answer, path: Path) -> str:
    """One answer as a table. JSON's texts, numbers, lists and booleans are TOML's too."""
    lines = ["[[answer]]"]
    fields = as_json(answer)
    for key, value in fields.items():
        text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        lines.append(f"{key} = {text}")
    written = "\n".join(lines) + "\n"
    try:
        written.encode()
        again = tomllib.loads(written)
    except (tomllib.TOMLDecodeError, UnicodeEncodeError) as error:
        raise UsageError(
            f"the answer to {answer.id!r} cannot be written in TOML", where=str(path), hint="name it *.json"
        ) from error
    if again["answer"] != [fields]:
        raise UsageError(
            f"the answer to {answer.id!r} would not be read as it is", where=str(path), hint="name it *.json"
        )
    return written
