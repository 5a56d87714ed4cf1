"""What every matcher's answer has to be, whatever it means by alike: pairs of tasks that there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from tiergate.errors import RunError
from tiergate.matching import Matched, MatchKind, Plan, TaskRef, tasks_of


def unsound(matched: Matched, plans: Sequence[Plan]) -> str | None:
    """The first thing that is wrong with a matcher's answer to these plans; None where it is sound."""
    return next(chain(_wrong_pairs(matched, plans), _wrong_lists(matched)), None)


def require_sound(matched: Matched, plans: Sequence[Plan], name: str) -> None:
    """Refuse an answer that findings and decisions could not rest on.

    Raises:
        RunError: something is wrong with it; the matcher of this name is to be mended.
    """
    wrong = unsound(matched, plans)
    if wrong is not None:
        raise RunError(
            wrong,
            where=f"matcher {name}",
            hint="its plugin has to be mended; MatcherContract of tiergate.testing finds such mistakes",
        )


def _wrong_pairs(matched: Matched, plans: Sequence[Plan]) -> Iterator[str]:
    known = {ref for ref, _, _ in tasks_of(plans)}
    for one in (*matched.matches, *matched.review):
        both = f"{_named(one.a)} and {_named(one.b)}"
        for ref in (one.a, one.b):
            if ref not in known:
                yield f"it names a task that there is not: {_named(ref)}"
        if one.a == one.b:
            yield f"it matches a task with itself: {_named(one.a)}"
        if one.b < one.a:
            yield f"the references of a pair are not in order: {both}"
        is_inside = (one.a.source, one.a.session) == (one.b.source, one.b.session)
        if is_inside != (one.kind is MatchKind.DUPLICATE):
            yield f"{both} are matched as {one.kind.value}"
        for word, value in (("score", one.score), ("probability", one.probability)):
            if not 0 <= value <= 1:
                yield f"the {word} of {both} is {value}, not within 0 and 1"
        if not one.reason.strip() or "\n" in one.reason:
            yield f"the reason for {both} is not one line: {one.reason!r}"


def _wrong_lists(matched: Matched) -> Iterator[str]:
    seen: set[tuple[TaskRef, TaskRef]] = set()
    partners: set[tuple[TaskRef, str]] = set()
    for one in (*matched.matches, *matched.review):
        if (one.a, one.b) in seen:
            yield f"it gives a pair twice: {_named(one.a)} and {_named(one.b)}"
        seen.add((one.a, one.b))
        if one.kind is MatchKind.SAME:
            for ref, other in ((one.a, one.b), (one.b, one.a)):
                if (ref, other.source) in partners:
                    yield f"it gives {_named(ref)} two partners in {other.source}"
                partners.add((ref, other.source))
    for one in matched.review:
        if one.kind is not MatchKind.DUPLICATE:
            yield f"its review list has two sessions: {_named(one.a)} and {_named(one.b)}"


def _named(ref: TaskRef) -> str:
    return f"{ref.source}: {ref.session}/{ref.task}"
