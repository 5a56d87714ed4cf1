"""Find tasks that resemble a text."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from math import log, sqrt
from operator import mul
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.operation import OperationError, Scope
from tiergate.store import Store, TaskHit, TaskQuery

_WORD = re.compile(r"\w+")

_ASCII_WORDS = bytes(code if _WORD.fullmatch(chr(code)) else ord(" ") for code in range(128)).ljust(256)
"""What is no part of a word becomes a space."""


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments of ``search``: a text, where to look, and how many tasks to return at most."""

    text: Annotated[str, Meta(description="what the tasks should resemble")]
    within: Annotated[Literal["session", "store"], Meta(description="search one session, or all of them")] = (
        "store"
    )
    limit: Annotated[int, Meta(ge=0, le=10_000, description="how many tasks are found at most")] = 10


class Similar(msgspec.Struct, frozen=True):
    """One task that was found; `score` is 0..1."""

    session: Annotated[str, Meta(description="id of the session")]
    id: Annotated[str, Meta(description="id of the task")]
    title: Annotated[str, Meta(description="its title")]
    score: Annotated[float, Meta(description="0 to 1: 1 has the same words")]


def search(store: Store, session: str, arguments: Search) -> list[Similar]:
    """The tasks whose words are most like the text's, best first; none that shares no word."""
    if arguments.within == "session":
        if not session:
            raise OperationError("search within a session needs a session")
        hits = [TaskHit(session, task) for task in store.load(session).tasks]
    else:
        hits = store.query(TaskQuery())
    scores = similarity(arguments.text, [f"{hit.task.title}\n{hit.task.notes}" for hit in hits])
    best = heapq.nlargest(
        arguments.limit,
        (item for item in zip(scores, hits, strict=True) if item[0] > 0),
        key=lambda item: (item[0], item[1].session, item[1].task.id),
    )
    return [Similar(hit.session, hit.task.id, hit.task.title, round(score, 6)) for score, hit in best]


def similarity(text: str, documents: Sequence[str]) -> list[float]:
    """Cosine similarity of a text to each document.

    Terms are weighted ``(1 + ln tf) * ln(1 + N / df)`` (Salton & Buckley, Term-weighting approaches in
    automatic text retrieval, 1988). Only terms of the text can contribute to the product, but every term of
    a document counts for its length.
    """
    counts = [Counter(words_of(document)) for document in documents]
    frequency = Counter(chain.from_iterable(counts))
    rarity = {word: log(1 + len(documents) / found) for word, found in frequency.items()}
    wanted = {
        word: (1 + log(times)) * rarity[word]
        for word, times in Counter(words_of(text)).items()
        if word in rarity
    }
    length = sqrt(sum(weight * weight for weight in wanted.values()))
    squares = {word: weight * weight for word, weight in rarity.items()}
    return [_cosine(count, rarity, squares, wanted, length) for count in counts]


def words_of(text: str) -> list[str]:
    """The words of a text, without regard to case: what ``\\w+`` finds.

    Text of ASCII alone, which most is, is cut a third as fast by the regular expression.
    """
    folded = text.casefold()
    if folded.isascii():
        return folded.encode().translate(_ASCII_WORDS).decode().split()
    return _WORD.findall(folded)


def _cosine(
    count: Counter[str],
    rarity: dict[str, float],
    squares: dict[str, float],
    wanted: dict[str, float],
    length: float,
) -> float:
    shared = wanted.keys() & count.keys()
    if not shared:
        return 0.0
    product = sum([wanted[word] * (1 + log(count[word])) * rarity[word] for word in shared])
    # By functions that are built in alone: a step of Python's for each word takes several times as long.
    own = sum(map(mul, map(squares.__getitem__, count), map(_TIMES.__getitem__, count.values())))
    # Rounding can take the cosine of a text with itself past 1.
    return min(1.0, product / (sqrt(own) * length))


class _Times(dict[int, float]):
    """The square of ``1 + ln tf`` by tf, each worked out once."""

    def __missing__(self, times: int) -> float:
        found = self[times] = (1 + log(times)) ** 2
        return found


_TIMES = _Times()


def _scope(arguments: Search) -> Scope:
    return Scope.SESSION if arguments.within == "session" else Scope.STORE


@hookimpl
def tiergate_operations() -> Iterator[OperationDeclaration]:
    """The operation of this module."""
    yield OperationDeclaration(
        name="search",
        summary="find tasks that resemble a text, in a session or everywhere",
        arguments=Search,
        run=search,
        scope=_scope,
        needs_session=False,
    )
