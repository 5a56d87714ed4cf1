"""Declares the matcher ``ngrams``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiergate.hooks import MatcherDeclaration, Requirement, hookimpl
from tiergate.matching import Matched, Plan, Progress

_EXTRA = "tiergate[reconcile]"


def match(plans: Sequence[Plan], progress: Progress | None = None) -> Matched:
    """See `tiergate.matching.Matcher`."""
    from tiergate_plugins.reconcile.matcher import match as match_all  # listing plugins must not pay for it

    return match_all(plans, progress)


@hookimpl
def tiergate_matchers() -> Iterator[MatcherDeclaration]:
    """The matcher of this module."""
    yield MatcherDeclaration(
        name="ngrams",
        summary="texts by their character n-grams, one to one in each source, ids checked by texts",
        match=match,
        requires=(
            Requirement(module="sparse_dot_topn", install=_EXTRA),
            Requirement(module="rapidfuzz", install=_EXTRA),
        ),
    )
