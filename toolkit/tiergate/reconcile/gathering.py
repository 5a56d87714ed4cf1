"""Carrying out checks: each once, however many tasks it speaks for, and none that fails stops the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from tiergate.errors import TiergateError
from tiergate.evidence import Check, Found, Root
from tiergate.hooks import EvidenceCheckDeclaration
from tiergate.matching import Progress
from tiergate.reconcile_record import Evidence, TaskRef

_key = msgspec.json.Encoder(order="sorted", enc_hook=str).encode
_OUTCOMES = ("holds", "fails", "unknown")


def gather(
    checks: Sequence[Check],
    root: Root,
    kinds: Mapping[str, EvidenceCheckDeclaration],
    progress: Progress | None = None,
) -> list[Evidence]:
    """What the checks found, in their order.

    A check that cannot be carried out has the outcome ``unknown``, and its message says why.

    Args:
        kinds: the kinds of check by name, of which there is one for each check.
    """
    said = progress or (lambda _step, _done, _total: None)
    known: dict[bytes, list[Found]] = {}
    gathered: list[Evidence] = []
    for number, check in enumerate(checks):
        said("evidence", number, len(checks))
        key = _key([check.kind, check.options])
        if key not in known:
            known[key] = _carried_out(kinds[check.kind], check.options, root)
        gathered += _tied(check, known[key])
    said("evidence", len(checks), len(checks))
    return gathered


def _carried_out(kind: EvidenceCheckDeclaration, options: dict[str, Any], root: Root) -> list[Found]:
    try:
        found = list(kind.check(options, root))
    except TiergateError as error:
        return [Found(_subject(options), "unknown", str(error))]
    except Exception as error:
        return [
            Found(_subject(options), "unknown", f"check {kind.name!r} broke: {type(error).__name__}: {error}")
        ]
    return found or [Found(_subject(options), "unknown", f"check {kind.name!r} said nothing")]


def _subject(options: Mapping[str, Any]) -> str:
    return ", ".join(str(value) for value in options.values())[:200]


def _tied(check: Check, found: Iterable[Found]) -> Iterator[Evidence]:
    tasks: Sequence[TaskRef | None] = check.tasks or (None,)
    for one in found:
        outcome = one.outcome if one.outcome in _OUTCOMES else "unknown"
        for task in tasks:
            yield Evidence(
                check=check.kind,
                subject=one.subject,
                outcome=cast("Any", outcome),
                message=" ".join(one.message.split()),
                task=task,
                name=check.name,
                where=cast("Any", one.where if one.where in ("tree", "history") else ""),
                place=one.place,
                declared=check.declared,
            )
