"""Find tasks that resemble a text."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log, sqrt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tiergate.hooks import OperationDeclaration, hookimpl
from tiergate.operation import OperationError, Scope
from tiergate.store import Store, TaskHit, TaskQuery

_WORD = re.compile(r"\w+")


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
    counts = [Counter(_WORD.findall(document.casefold())) for document in documents]
    frequency: Counter[str] = Counter()
    for count in counts:
        frequency.update(count.keys())
    rarity = {word: log(1 + len(documents) / found) for word, found in frequency.items()}
    wanted = {
        word: (1 + log(times)) * rarity[word]
        for word, times in Counter(_WORD.findall(text.casefold())).items()
        if word in rarity
    }
    length = sqrt(sum(weight * weight for weight in wanted.values()))
    return [_cosine(count, rarity, wanted, length) for count in counts]


def _cosine(count: Counter[str], rarity: dict[str, float], wanted: dict[str, float], length: float) -> float:
    shared = wanted.keys() & count.keys()
    if not shared:
        return 0.0
    product = sum(wanted[word] * (1 + log(count[word])) * rarity[word] for word in shared)
    own = sqrt(sum(((1 + log(times)) * rarity[word]) ** 2 for word, times in count.items()))
    # Rounding can take the cosine of a text with itself past 1.
    return min(1.0, product / (own * length))


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
