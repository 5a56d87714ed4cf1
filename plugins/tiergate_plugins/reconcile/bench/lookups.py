"""Duplicates that people named, and ids that were given again: looked up in what the matcher says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tiergate.matching import Match, MatchKind, Plan
from tiergate.model import Session, Task
from tiergate.record import BenchRow
from tiergate_plugins.reconcile.bench.data import SNAPSHOTS, issues, load_json
from tiergate_plugins.reconcile.bench.resampling import interval, row, share
from tiergate_plugins.reconcile.matcher import match


def rows(folder: Path) -> Iterator[BenchRow]:
    """The worst rank of a duplicate, and how many ids are told apart."""
    ranks = list(duplicate_ranks(folder))
    yield row(
        "explicit duplicates: worst rank of a partner in its task's list",
        float(max(ranks)),
        (float(max(ranks)), float(max(ranks))),
        most=5,
        unit="rank",
        note=f"of {len(ranks) // 2} pairs, from both sides: {', '.join(map(str, ranks))}",
    )
    for kind, least in (("numeric", 0.95), ("hash", None)):
        told = collided(load_json(folder / "beads" / "same_id_title_changed.json"), kind)
        what = "reported as collisions" if kind == "numeric" else "that were reworded, reported as the same"
        hits = told if kind == "numeric" else [not one for one in told]
        yield row(
            f"{kind} ids {what}", share(hits), interval(hits, share), least=least, note=f"of {len(hits)} ids"
        )


def duplicate_ranks(folder: Path) -> Iterator[int]:
    """The rank of each partner in the list of the other, both ways; a pair that is not listed counts 99."""
    tasks = {issue.id: issue for issue in issues(folder, SNAPSHOTS[-1])}
    for pair in load_json(folder / "beads" / "explicit_duplicate_pairs.json"):
        shown = [
            Task(id=one.id, title=one.title, notes=one.notes, status=one.status) for one in tasks.values()
        ]
        for side in "ab":
            if pair[f"id_{side}"] not in tasks:
                notes = pair[f"desc_{side}"] or ""
                shown.append(Task(id=pair[f"id_{side}"], title=pair[f"title_{side}"], notes=notes))
        found = match([Plan(source="one", sessions=(Session(id="s", tasks=tuple(shown)),))])
        listed = sorted(
            [*found.review, *(one for one in found.matches if one.kind is MatchKind.DUPLICATE)],
            key=lambda one: -one.probability,
        )
        yield _rank(listed, pair["id_a"], pair["id_b"])
        yield _rank(listed, pair["id_b"], pair["id_a"])


def _rank(listed: Sequence[Match], task: str, partner: str) -> int:
    mine = [{one.a.task, one.b.task} for one in listed if task in (one.a.task, one.b.task)]
    return mine.index({task, partner}) + 1 if {task, partner} in mine else 99


def collided(changed: Sequence[dict[str, Any]], kind: str) -> list[bool]:
    """By id of a kind, whether the two texts that it had are told to be two tasks."""
    of_kind = {one["id"]: one for one in changed if one["id_kind"] == kind}
    plans = [
        Plan(
            source=side,
            sessions=(
                Session(
                    id="s",
                    tasks=tuple(
                        Task(id=name, title=one[f"title_{side}"], notes=one.get(f"desc_{side}") or "")
                        for name, one in of_kind.items()
                    ),
                ),
            ),
        )
        for side in "ab"
    ]
    told = {one.a.task for one in match(plans).matches if one.kind is MatchKind.COLLISION}
    return [name in told for name in of_kind]
