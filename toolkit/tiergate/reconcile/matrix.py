"""How the tasks of sessions stand to the items of lists of wishes."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from tiergate.reconcile.findings.view import OPEN, View, words_of
from tiergate.reconcile.grouping import Known
from tiergate.reconcile_record import MatchKind, MatrixEntry, TaskRef

OVERLAP = 0.5
"""Share, by weight, of the words of a title in the text of an item, from which on both touch the same."""

_WORD = re.compile(r"[^\W_]{4,}")
_MOST_OVERLAPS = 5
"""Tasks that an item is shown beside, those that share most."""


def covering(view: View) -> dict[TaskRef, list[tuple[TaskRef, float, str]]]:
    """By item of a list, the tasks that are the same work, with probability and reason."""
    found: dict[TaskRef, list[tuple[TaskRef, float, str]]] = defaultdict(list)
    for one in view.matches(MatchKind.SAME):
        for item, task in ((one.a, one.b), (one.b, one.a)):
            if item in view.wishes and task in view.tasks:
                found[item].append((task, one.probability, one.reason))
    return dict(found)


def matrix(view: View) -> list[MatrixEntry]:
    """Every item with the tasks that cover it or overlap with it; one that has none stands alone."""
    if not view.wishes:
        return []
    covers, overlaps = covering(view), _Overlaps(view)
    entries: list[MatrixEntry] = []
    for item in view.wishes.values():
        mine = [_covers(view, item, *found) for found in covers.get(item.ref, ())]
        taken = {entry.task for entry in mine}
        mine += [entry for entry in overlaps.of(item) if entry.task not in taken]
        entries += mine or [
            MatrixEntry(task=None, item=item.ref, relation="none", action="add", probability=1.0)
        ]
    return entries


def _covers(view: View, item: Known, task: TaskRef, probability: float, reason: str) -> MatrixEntry:
    return MatrixEntry(
        task=task,
        item=item.ref,
        relation="covers",
        action="merge" if view[task].task.status in OPEN else "keep",
        probability=probability,
        why=reason,
    )


class _Overlaps:
    """Finds tasks that share rare words with an item."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._titles = {ref: _words(known.task.title) for ref, known in view.tasks.items()}
        often = Counter(word for words in self._titles.values() for word in words)
        self._weights = {word: math.log((1 + len(self._titles)) / count) for word, count in often.items()}
        self._having: dict[str, list[TaskRef]] = defaultdict(list)
        for ref, words in self._titles.items():
            for word in words:
                self._having[word].append(ref)

    def of(self, item: Known) -> Iterator[MatrixEntry]:
        """The open tasks whose titles an item's text touches, those that share most first."""
        text = _words(words_of(item))
        shared: Counter[TaskRef] = Counter()
        for word in text & self._weights.keys():
            for ref in self._having[word]:
                shared[ref] += self._weights[word]  # type: ignore[assignment]
        found = [
            (weight / sum(self._weights[word] for word in self._titles[ref]), ref)
            for ref, weight in shared.items()
            if self._view[ref].task.status in OPEN
        ]
        found.sort(key=lambda one: (self._is_part(one[1]), -one[0], one[1]))
        for part, ref in [one for one in found if one[0] >= OVERLAP][:_MOST_OVERLAPS]:
            common = sorted(text & self._titles[ref])
            yield MatrixEntry(
                task=ref,
                item=item.ref,
                relation="overlaps",
                action="extend",
                probability=min(part, 1.0),
                why=f"both speak of {', '.join(common[:5])}",
            )

    def _is_part(self, ref: TaskRef) -> bool:
        """Whether a task is a part of another one, which stands for it."""
        return TaskRef(ref.source, ref.session, ref.task.rpartition(".")[0]) in self._titles


def _words(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in _WORD.findall(text.casefold()))


def _stem(word: str) -> str:
    """A word without the ending of a plural."""
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
