"""Fields that two sides of a merge have otherwise: how often the chain says what the repository kept.

What was kept is what the tool and people did, and no proof of truth. The unit of resampling is a merge.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tiergate.hooks import DecisionRuleDeclaration
from tiergate.model import Status
from tiergate.reconcile.conflicts import settle_conflict
from tiergate.record import BenchRow
from tiergate_plugins.reconcile.bench.data import status_of
from tiergate_plugins.reconcile.bench.resampling import interval, row
from tiergate_plugins.reconcile.rules import evidence, most_advanced, newest, three_way

NOW = datetime(2026, 6, 1, tzinfo=UTC)
_ADVANCE = (Status.QUEUED, Status.BLOCKED, Status.ACTIVE, Status.ABANDONED, Status.COMPLETED)


class Conflict(NamedTuple):
    """One field of one record in one merge, as the repository had it and kept it."""

    merge: str
    kind: str
    field: str
    base: Any
    ours: Any
    theirs: Any
    kept: Any
    ours_updated: str | None
    theirs_updated: str | None


def conflicts(path: Path) -> list[Conflict]:
    """Every conflict of a file; statuses are mapped, and those that agree then are left out."""
    found = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            raw = json.loads(line)
            base, ours, theirs, kept = (raw[name] for name in ("base", "ours", "theirs", "merged"))
            if raw["field"] == "status":
                base, ours, theirs, kept = map(_status, (base, ours, theirs, kept))
            if ours != theirs:
                times = raw["ours_updated"], raw["theirs_updated"]
                found.append(
                    Conflict(raw["merge"], raw["kind"], raw["field"], base, ours, theirs, kept, *times)
                )
    return found


def _status(word: str | None) -> Status | None:
    return None if word is None else status_of(word)


def rows(folder: Path) -> Iterator[BenchRow]:
    """By field and by whether one side changed it or both: the chain beside plainer ways."""
    rules = [
        one
        for module in (evidence, three_way, most_advanced, newest)
        for one in module.tiergate_decision_rules()
    ]
    groups: dict[tuple[str, str], list[Conflict]] = defaultdict(list)
    for one in conflicts(folder / "beads" / "git_merge_conflicts.jsonl"):
        groups[one.kind, one.field].append(one)
    for (kind, field), some in sorted(groups.items()):
        yield _row(f"merge conflicts, {kind}: {field}", some, rules)


def _row(name: str, some: Sequence[Conflict], rules: Sequence[DecisionRuleDeclaration]) -> BenchRow:
    ways: dict[str, Callable[[Conflict], Any]] = {
        "chain": lambda one: _chain(one, rules),
        "always ours": lambda one: one.ours,
        "newest": _newest,
        "three-way": _three_way,
        "most advanced": _most_advanced,
    }
    right = {way: [(one.merge, say(one) == one.kept) for one in some] for way, say in ways.items()}
    details = {way: _agreement(found) for way, found in right.items()}
    merges = defaultdict(list)
    for merge, hit in right["chain"]:
        merges[merge].append((merge, hit))
    span = interval(list(merges.values()), lambda units: _agreement([one for unit in units for one in unit]))
    best = max(value for way, value in details.items() if way != "chain")
    missed = Counter(_class(one, ways["chain"](one)) for one in some)
    missed.pop("", None)
    return row(
        name,
        details["chain"],
        span,
        note=f"of {len(some)} in {len(merges)} merges; best of the others {best:.3f}; disagrees: "
        + (", ".join(f"{count} {what}" for what, count in missed.most_common()) or "never"),
        details=details,
    )


def _agreement(found: Sequence[tuple[str, bool]]) -> float:
    return sum(hit for _, hit in found) / len(found) if found else 0.0


def _class(one: Conflict, said: Any) -> str:
    """What the chain said and what was kept, where they differ."""
    if said == one.kept:
        return ""
    names = {"base": one.base, "ours": one.ours, "theirs": one.theirs}
    kept = next((name for name, value in names.items() if value == one.kept), "another value")
    mine = next((name for name, value in names.items() if value == said), "nothing")
    without = " (no base: two tasks of one id)" if one.base is None else ""
    return f"said {mine}, kept {kept}{without}"


def _chain(one: Conflict, rules: Sequence[DecisionRuleDeclaration]) -> Any:
    verdict = settle_conflict(
        one.field, one.base, one.ours, one.theirs, ours_updated=one.ours_updated,
        theirs_updated=one.theirs_updated, rules=rules, now=NOW,
    )  # fmt: skip
    return None if verdict.rule == "ask" else verdict.value


def _newest(one: Conflict) -> Any:
    times = [_moment(one.ours_updated), _moment(one.theirs_updated)]
    return one.ours if times[0] >= times[1] else one.theirs


def _moment(text: str | None) -> float:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return 0.0
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _three_way(one: Conflict) -> Any:
    if one.base is None or one.base not in (one.ours, one.theirs):
        return None
    return one.theirs if one.ours == one.base else one.ours


def _most_advanced(one: Conflict) -> Any:
    if one.field != "status":
        return None
    return max(one.ours, one.theirs, key=_ADVANCE.index)
