"""What the page of two profiles shows: what became slower, what faster, in time for a thousand requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tiergate.profile_record import ProfileRecord
from tiergate_reports import figures
from tiergate_reports.plain import plain
from tiergate_reports.profile import graphs, section, tree
from tiergate_reports.table import Cell, Column, Table, text_column

CHANGES = 20
"""Functions that are listed."""

THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """Times before and after, in milliseconds for a thousand requests."""

    name: str
    place: str
    before: float
    after: float

    @property
    def more(self) -> float:
        """How much longer it takes now."""
        return self.after - self.before


def build(record: ProfileRecord, base: ProfileRecord) -> dict[str, object]:
    """Everything that the page shows. `base` is the earlier one."""
    parts, spots = part_changes(record, base), function_changes(record, base)
    before, after = (sum(getattr(one, name) for one in parts) for name in ("before", "after"))
    return {
        "heading": f"{section.heading(record)}, before and after",
        "sentences": list(_sentences(before, after, spots)),
        "warnings": list(warnings(record, base)),
        "facts": [
            ("Before", base.created_at, base.environment.git_commit or ""),
            ("After", record.created_at, record.environment.git_commit or ""),
        ],
        "components": _table("Parts of the system", "Part", parts),
        "functions": _table("Functions that changed most", "Function", spots[:CHANGES]),
        "graph": section.figure(
            graphs.compared(tree.difference(record, base), "What changed, by operation", "difference"),
            "After, by its time; warm where it takes longer than before, cool where less.",
        ),
    }


def part_changes(record: ProfileRecord, base: ProfileRecord) -> list[Change]:
    """By part of the system, the largest change first."""
    return _changes(
        {(one.name, ""): one.self_s for one in record.components},
        {(one.name, ""): one.self_s for one in base.components},
        record,
        base,
    )


def function_changes(record: ProfileRecord, base: ProfileRecord) -> list[Change]:
    """By function, the largest change first; of all functions, not only of those that are hot."""
    return _changes(_own_times(record), _own_times(base), record, base)


def _own_times(record: ProfileRecord) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for stack in record.stacks:
        if stack.component != tree.IDLE:
            frame = record.frames[stack.frames[-1]]
            key = (frame.function, frame.file)
            found[key] = found.get(key, 0.0) + stack.seconds
    return found


def _changes(
    after: Mapping[tuple[str, str], float],
    before: Mapping[tuple[str, str], float],
    record: ProfileRecord,
    base: ProfileRecord,
) -> list[Change]:
    now, then = (1000 * THOUSAND / tree.served(one) for one in (record, base))
    found = [
        Change(name, place, then * before.get((name, place), 0.0), now * after.get((name, place), 0.0))
        for name, place in {**before, **after}
    ]
    return sorted(found, key=lambda one: -abs(one.more))


def _sentences(before: float, after: float, spots: list[Change]) -> Iterator[str]:
    if not before:
        yield "The earlier profile saw nothing at work."
        return
    yield (
        f"A thousand requests take {figures.milliseconds(after)} of work, before"
        f" {figures.milliseconds(before)}: {figures.ratio(after / before)}."
    )
    for word, way in (("shrank", -1), ("grew", 1)):
        most = max(spots, key=lambda one: way * one.more, default=None)
        if most is not None and way * most.more > 0:
            yield f"What {word} most is {plain(most.name)} ({plain(most.place)}): {_signed(most.more)}."


def warnings(record: ProfileRecord, base: ProfileRecord) -> Iterator[str]:
    """Why the two may not be comparable."""
    compared = (
        ("trace", base.workload.sha256[:12], record.workload.sha256[:12]),
        ("router", base.router, record.router),
        ("store", base.store, record.store),
        ("profiler", base.profiler, record.profiler),
        ("interval", f"{base.interval_ms:g} ms", f"{record.interval_ms:g} ms"),
        ("operation", base.operation or "all", record.operation or "all"),
        ("Python", base.environment.python, record.environment.python),
        ("processor", base.environment.cpu, record.environment.cpu),
        ("number of cores", str(base.environment.cores), str(record.environment.cores)),
    )
    for what, before, after in compared:
        if before != after:
            yield f"The {what} differs: {plain(before)} before, {plain(after)} after."


def _table(caption: str, what: str, changes: list[Change]) -> Table:
    return Table(
        caption=f"{caption}, in time of their own for a thousand requests",
        columns=(
            text_column(what),
            Column("Before"),
            Column("After"),
            Column("Change", help="After less before. Two profiles of the same code differ too, by chance."),
        ),
        rows=[
            (
                Cell(plain(one.name), plain(one.place)),
                Cell(figures.milliseconds(one.before)),
                Cell(figures.milliseconds(one.after)),
                Cell(_signed(one.more)),
            )
            for one in changes
        ],
        empty="Nothing was seen at work.",
    )


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{figures.milliseconds(abs(value))}"
