"""The figures of the benchmark: known answers for matchers that are perfect, blind, or wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiergate.matching import Match, Matched, MatchKind, Plan
from tiergate.model import Status

pytest.importorskip("sparse_dot_topn", reason="tiergate[reconcile] is not installed")

from tiergate_plugins.reconcile.bench import lists, lookups, merges, sizes, snapshots
from tiergate_plugins.reconcile.bench.data import Issue, hidden
from tiergate_plugins.reconcile.bench.lists import Unit, f1, threshold
from tiergate_plugins.reconcile.bench.resampling import interval, share
from tiergate_plugins.reconcile.fit import Example

TEXTS = (
    "Parse the file",
    "Draw a chart of load",
    "Send mail to users",
    "Compress the old logs",
    "Fix GH#7 crash",
)
MINE = [Issue(f"id-{n}", text, "", Status.QUEUED) for n, text in enumerate(TEXTS)]


def test_what_is_hidden_is_not_in_the_plan() -> None:
    plan, real = hidden("a", MINE, 1)
    assert {real[task.id] for task in plan.sessions[0].tasks} == {issue.id for issue in MINE}
    assert "id-" not in json.dumps([task.id for task in plan.sessions[0].tasks])


def test_equal_snapshots_are_matched_perfectly() -> None:
    judged = snapshots.judge(MINE, MINE)
    assert snapshots.precision(judged) == snapshots.recall(judged) == 1.0


def test_wrong_matches_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(plans: list[Plan]) -> Matched:
        """Every task with the next one of the other side, by their texts."""
        sides = [sorted(plan.sessions[0].tasks, key=lambda task: task.title) for plan in plans]
        refs = [
            [(plan.source, plan.source, task.id) for task in side]
            for plan, side in zip(plans, sides, strict=True)
        ]
        from tiergate.matching import TaskRef

        return Matched(
            matches=tuple(
                Match(a=TaskRef(*a), b=TaskRef(*b), kind=MatchKind.SAME, score=1, probability=0.9, reason="")
                for a, b in zip(refs[0], [*refs[1][1:], refs[1][0]], strict=True)
            )
        )

    monkeypatch.setattr(snapshots, "match", shifted)
    judged = snapshots.judge(MINE, MINE)
    assert snapshots.precision(judged) == snapshots.recall(judged) == 0.0
    monkeypatch.setattr(snapshots, "match", lambda _: Matched())
    assert snapshots.recall(snapshots.judge(MINE, MINE)) == 0.0


def test_an_issue_that_was_entered_twice_is_told() -> None:
    theirs = [*MINE[:4], Issue("other", "Fix GH#7: crash", "", Status.QUEUED)]
    judged = snapshots.judge(MINE, theirs)
    assert snapshots.precision(judged) == 0.8
    assert snapshots.corrected(judged) == 1.0


@pytest.mark.parametrize(
    ("units", "figure"),
    [
        ([Unit(True, True, True)] * 3, 1.0),
        ([Unit(True, True, True), Unit(True, False, True)], 0.5),
        ([Unit(True, True, True), Unit(False, False, True)], 2 / 3),
        ([Unit(False, False, False)], 0.0),
    ],
)
def test_f1(units: list[Unit], figure: float) -> None:
    assert f1(units) == pytest.approx(figure)


def test_a_threshold_parts_what_can_be_parted() -> None:
    pairs = [Example(str(n), str(n), (n / 10, 0.0, 0.0), n >= 6) for n in range(10)]
    limit = threshold(pairs, 0.0, (1.0, 0.0, 0.0))
    taken = [lists.probability(pair.values, 0.0, (1.0, 0.0, 0.0)) >= limit for pair in pairs]
    assert taken == [pair.same for pair in pairs]


def test_no_fold_is_judged_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [Example(str(n), str(n), (0.5, 0.0, 0.5), n % 2 == 0) for n in range(40)]
    seen: list[set[str]] = []

    def fit(some: list[Example], _weights: list[float]) -> tuple[float, tuple[float, float, float]]:
        seen.append({one.left for one in some})
        return 0.0, (1.0, 1.0, 1.0)

    monkeypatch.setattr(lists, "fit", fit)
    lists.cross_fitted(pairs, [str(n) for n in range(40)], 4)
    left_out = [{str(n) for n in range(40)} - names for names in seen]
    assert sorted(name for part in left_out for name in part) == sorted(str(n) for n in range(40))


def test_an_interval_covers_what_it_should() -> None:
    covered = 0
    for seed in range(60):
        import random

        draw = random.Random(seed)
        units = [draw.random() < 0.7 for _ in range(200)]
        low, high = interval(units, share, seed)
        covered += low <= 0.7 <= high
    assert 50 <= covered <= 60


def test_conflicts_are_read_and_judged(tmp_path: Path) -> None:
    def conflict(**fields: object) -> str:
        row = {
            "merge": "m",
            "kind": "one-side",
            "field": "status",
            "base": "open",
            "ours": "open",
            "theirs": "closed",
            "merged": "closed",
            "ours_updated": "2026-01-01T00:00:00Z",
            "theirs_updated": "2026-01-02T00:00:00Z",
        }
        return json.dumps({**row, **fields})

    lines = [conflict(), conflict(merged="open"), conflict(ours="hooked", theirs="in_progress")]
    (tmp_path / "beads").mkdir()
    (tmp_path / "beads" / "git_merge_conflicts.jsonl").write_text("\n".join(lines))
    [row] = merges.rows(tmp_path)
    assert (row.value, row.details["always ours"]) == (0.5, 0.5)
    assert "1 said theirs, kept base" in row.note


def test_ranks_and_collisions(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = [
        {
            "id": "1",
            "id_kind": "numeric",
            "title_a": "Parse the file",
            "title_b": "Send mail",
            "desc_a": None,
        },
        {
            "id": "2",
            "id_kind": "numeric",
            "title_a": "Draw a chart",
            "title_b": "Draw the chart",
            "desc_a": "",
        },
    ]
    assert lookups.collided(changed, "numeric") == [True, False]
    assert lookups.collided(changed, "hash") == []


def test_a_large_input_is_made_and_measured() -> None:
    plans = sizes.make_plans(400)
    assert sum(len(session.tasks) for plan in plans for session in plan.sessions) == 400
    assert plans == sizes.make_plans(400)
    assert sizes.measure(400)["matches"] > 50
