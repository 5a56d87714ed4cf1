"""Fits the scorer's coefficients on labelled lists: ``python -m tiergate_plugins.reconcile.fit FOLDER``.

The folder holds ``abt_buy`` and ``fodors_zagats``. No task store takes part, so that task stores
can judge the result. Both lists weigh the same in all.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tiergate.matching import TaskRef
from tiergate_plugins.reconcile.neighbours import nearest
from tiergate_plugins.reconcile.pairing import assigned
from tiergate_plugins.reconcile.scorer import Features
from tiergate_plugins.reconcile.texts import Item


class Example(msgspec.Struct, frozen=True):
    """A pair of two lists, with its label and the record of the first list that it belongs to."""

    left: str
    right: str
    values: Features
    same: bool


def abt_buy(folder: Path) -> tuple[list[Item], set[tuple[str, str]]]:
    """Products of two shops; equal numbers are one product."""
    items = [
        _item(side, row["unique_id"], row["title"], row["description"])
        for side in ("Abt", "Buy")
        for row in _rows(folder / f"AbtBuy_{side}.csv")
    ]
    return items, {(item.ref.task, item.ref.task) for item in items}


def fodors_zagats(folder: Path) -> tuple[list[Item], set[tuple[str, str]]]:
    """Restaurants of two guides."""
    items = [
        _item(side, row["id"], row["name"], " ".join((row["addr"], row["city"], row["phone"], row["type"])))
        for side in ("fodors", "zagats")
        for row in _rows(folder / f"{side}.csv")
    ]
    pairs = _rows(folder / "matches_fodors_zagats.csv")
    return items, {(row["fodors_id"], row["zagats_id"]) for row in pairs}


def examples(items: list[Item], truth: set[tuple[str, str]]) -> list[Example]:
    """The pairs of the two lists that are assigned to each other, one to one."""
    first = items[0].ref.source
    found = []
    for one, other, values in assigned(
        items, nearest([item.compared for item in items], [item.ref.source for item in items])
    ):
        if one.ref.source != other.ref.source:
            left, right = (one, other) if one.ref.source == first else (other, one)
            key = (left.ref.task, right.ref.task)
            found.append(Example(*key, values, key in truth))
    return found


def fit(pairs: list[Example], weights: list[float]) -> tuple[float, Features]:
    """Intercept and coefficients of a logistic regression with the unit prior that scikit-learn sets."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000)
    model.fit([pair.values for pair in pairs], [pair.same for pair in pairs], sample_weight=weights)
    one, two, three = (float(value) for value in model.coef_[0])
    return float(model.intercept_[0]), (one, two, three)


def _item(source: str, identity: str, title: str, notes: str) -> Item:
    return Item(TaskRef(source, source, identity), title, notes)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return list(csv.DictReader(file))


def _lines(folder: Path) -> Iterator[str]:
    lists = [examples(*abt_buy(folder / "abt_buy")), examples(*fodors_zagats(folder / "fodors_zagats"))]
    pairs = [pair for one in lists for pair in one]
    weights = [len(pairs) / len(one) / len(lists) for one in lists for _ in one]
    intercept, coefficients = fit(pairs, weights)
    yield f"INTERCEPT = {intercept:.3f}"
    yield f"COEFFICIENTS: Features = ({', '.join(f'{value:.3f}' for value in coefficients)})"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in _lines(Path(sys.argv[1])))
