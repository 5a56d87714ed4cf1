"""Texts as vectors: TF-IDF of byte trigrams inside words.

Cavnar and Trenkle, "N-gram-based text categorization" (1994); weights of Spärck Jones (1972), with the
logarithm of a count in place of it. The grams are cut by arithmetic on the bytes of many texts at once, which
takes a tenth of the time of cutting strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_matrix

    Numbers = np.ndarray[tuple[int], Any]

_BLOCK = 5_000
"""Texts that are cut at once."""

_SPACE = 0x20
_GRAMS = 1 << 24
_MANY = 1_000_000
"""Codes from which on a table of all grams is faster than sorting."""


def vectors(texts: Sequence[str], said: Callable[[int], None] = lambda _: None) -> csr_matrix:
    """One row of length 1 for each text, or of length 0 for one that has no gram.

    Args:
        texts: folded: words with one blank between them.
        said: told how many were cut.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    rows, codes, counts = (np.concatenate(part) for part in zip(*_cut(texts, said), strict=True))
    often, columns = _numbered(codes)
    weights = 1 + np.log(counts.astype(np.float32))
    weights *= (np.log((1 + len(texts)) / (1 + often)) + 1).astype(np.float32)[columns]
    lengths = np.sqrt(np.bincount(rows, weights=weights.astype(np.float64) ** 2, minlength=len(texts)))
    weights /= lengths.astype(np.float32)[rows]
    starts = np.searchsorted(rows, np.arange(len(texts) + 1))
    return csr_matrix((weights, columns, starts), shape=(len(texts), max(len(often), 1)))


def _numbered(codes: Numbers) -> tuple[Numbers, Numbers]:
    """How often each gram stands, and for each code the number of its gram."""
    import numpy as np

    if len(codes) < _MANY:
        _, columns, often = np.unique(codes, return_inverse=True, return_counts=True)
        return often, columns.astype(np.int32)
    often = np.bincount(codes, minlength=_GRAMS)
    used = often > 0
    return often[used], (np.cumsum(used, dtype=np.int32) - 1)[codes]


def _cut(texts: Sequence[str], said: Callable[[int], None]) -> Iterator[tuple[Any, Any, Any]]:
    """Rows, grams and counts, sorted, of a block of texts after the other."""
    import numpy as np

    for start in range(0, len(texts) or 1, _BLOCK):
        encoded = [f" {text} ".encode() for text in texts[start : start + _BLOCK]]
        data = np.frombuffer(b"".join([*encoded, b"  "]), np.uint8)
        sizes = np.array([len(one) for one in encoded], np.int64)
        row_of = np.repeat(np.arange(start, start + len(encoded), dtype=np.int64), sizes)
        first, middle, last = (data[at : at + len(row_of)].astype(np.int64) for at in range(3))
        # A gram may begin or end with the blank beside its word, and crosses none; two blanks part two texts.
        inside = (middle != _SPACE) & ((first != _SPACE) | (last != _SPACE))
        gram = first << 16 | middle << 8 | last
        found, counts = np.unique((row_of << 24 | gram)[inside], return_counts=True)
        yield found >> 24, (found & (_GRAMS - 1)).astype(np.int32), counts
        said(min(len(texts), start + _BLOCK))
