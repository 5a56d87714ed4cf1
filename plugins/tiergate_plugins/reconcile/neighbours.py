"""The nearest texts of each text: a sparse product of which the best of each row are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tiergate_plugins.reconcile.grams import vectors

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_matrix

    Numbers = np.ndarray[tuple[int], Any]

NEAREST = 12
"""More than twice the five ranks that a person is shown."""

_FEW_SOURCES, _FEWEST = 3, 3
"""With more sources fewer are kept of each."""

LEAST = 0.1
"""Of the cosine; below it two texts share common syllables only."""

_PRODUCTS = 5e8
"""Multiplications that a comparison may take. The commonest grams, which tell least and cost the square of
their count, do not take part in the search beyond that; what it finds is weighed by all grams."""

_ROWS = 10_000


class Near(NamedTuple):
    """Pairs of positions, each once with the lower position first, and their cosines, the highest first."""

    ones: Numbers
    others: Numbers
    cosines: Numbers


def nearest(
    texts: Sequence[str],
    sources: Sequence[str],
    said: Callable[[int], None] = lambda _: None,
    *,
    threads: int = 2,
) -> Near:
    """Each text's nearest others by cosine, in each source.

    Args:
        texts: folded; those that are equal should have been settled before.
        sources: where each was read from. One that holds many near texts must not hide those of another.
        said: told of how many the neighbours were found.
    """
    import numpy as np

    if len(texts) < 2:
        nothing = np.zeros(0, np.int64)
        return Near(nothing, nothing, np.zeros(0, np.float32))
    weighed = vectors(texts)
    telling = _telling(weighed)
    groups = _positions(sources)
    most = max(_FEWEST, NEAREST // len(groups)) if len(groups) > _FEW_SOURCES else NEAREST
    found: list[tuple[Numbers, Numbers]] = []
    for number, group in enumerate(groups):
        found += _candidates(telling, group, most, threads)
        said(len(texts) * (number + 1) // len(groups))
    rows, columns = (np.concatenate(part) for part in zip(*found, strict=True))
    lower, upper = np.minimum(rows, columns), np.maximum(rows, columns)
    pairs = _distinct(lower * len(texts) + upper)
    ones, others = np.divmod(pairs, len(texts))
    cosines = _cosines(weighed, ones, others)
    order = np.lexsort((others, ones, -np.round(cosines, 5)))
    return Near(ones[order], others[order], cosines[order])


def _distinct(numbers: Numbers) -> Numbers:
    """Each number once, sorted. `numpy.unique` hashes them, which takes fifty times as long as sorting."""
    import numpy as np

    ordered = np.sort(numbers)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered


def _candidates(
    telling: csr_matrix, group: Numbers, most: int, threads: int
) -> Iterator[tuple[Numbers, Numbers]]:
    """Positions of texts, and of those of a group that are near them."""
    import numpy as np
    from sparse_dot_topn import sp_matmul_topn

    turned = telling[group].T.tocsr()
    for start in range(0, telling.shape[0], _ROWS):
        block = telling[start : start + _ROWS]
        found = sp_matmul_topn(block, turned, top_n=most + 1, threshold=LEAST / 2, n_threads=threads)
        row = np.repeat(np.arange(start, start + block.shape[0]), np.diff(found.indptr))
        column = group[found.indices]
        yield row[row != column], column[row != column]


def _positions(sources: Sequence[str]) -> list[Numbers]:
    import numpy as np

    names, numbers = np.unique(np.array(sources, dtype=object).astype(str), return_inverse=True)
    return [np.flatnonzero(numbers == number) for number in range(len(names))]


def _telling(weighed: csr_matrix) -> csr_matrix:
    """The vectors without the grams that are too common to search by."""
    import numpy as np

    often = np.bincount(weighed.indices, minlength=weighed.shape[1]).astype(np.float64)
    rarest_first = np.argsort(often, kind="stable")
    within = np.cumsum(often[rarest_first] ** 2) <= _PRODUCTS
    if within.all():
        return weighed
    return weighed[:, np.sort(rarest_first[within])].tocsr()


def _cosines(weighed: csr_matrix, ones: Numbers, others: Numbers) -> Numbers:
    import numpy as np

    found = [
        np.asarray(weighed[ones[at : at + _ROWS]].multiply(weighed[others[at : at + _ROWS]]).sum(axis=1))
        for at in range(0, len(ones), _ROWS)
    ]
    return np.minimum(np.concatenate(found).ravel() if found else np.zeros(0), 1.0).astype(np.float32)
