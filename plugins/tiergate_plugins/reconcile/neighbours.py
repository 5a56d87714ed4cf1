"""The nearest texts of each text: character n-gram TF-IDF and a sparse product that keeps the top n.

TF-IDF of character n-grams inside words: Cavnar and Trenkle, "N-gram-based text categorization" (1994),
with the weights of Spärck Jones (1972).
"""

from __future__ import annotations

from collections.abc import Sequence

from tiergate_plugins.reconcile.texts import Item, shortened

Neighbours = list[list[tuple[int, float]]]
"""Of each item, positions of other items with the cosine, nearest first."""

_NEAREST = 12  # more than twice the five ranks that a person is shown
_LEAST = 0.2  # of cosine; below it two texts share common syllables only


def nearest(items: Sequence[Item], *, threads: int = 2) -> Neighbours:
    """Each item's nearest others by cosine."""
    if len(items) < 2:
        return [[] for _ in items]
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sparse_dot_topn import sp_matmul_topn

    # A gram in over a tenth of a big input tells little and costs the square of its count.
    most = 0.1 if len(items) > 5000 else 1.0
    vectors = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(3, 4) if len(items) <= 5000 else (4, 4),
        max_df=most,
        sublinear_tf=True,
        dtype=np.float32,
    )
    try:
        matrix = vectors.fit_transform([shortened(item) for item in items])
    except ValueError:  # no text has a single gram
        return [[] for _ in items]
    product = sp_matmul_topn(
        matrix, matrix.T.tocsr(), top_n=_NEAREST + 1, threshold=_LEAST, sort=True, n_threads=threads
    )
    return [
        sorted(
            (
                (int(column), min(1.0, float(value)))
                for column, value in zip(product.indices[start:end], product.data[start:end], strict=True)
                if column != row
            ),
            key=lambda found: (-round(found[1], 5), found[0]),
        )
        for row, (start, end) in enumerate(zip(product.indptr[:-1], product.indptr[1:], strict=True))
    ]
