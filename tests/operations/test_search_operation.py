"""Search by similarity of words."""

from __future__ import annotations

import re
from math import isclose, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.model import Session, Task
from tiergate.operation import OperationError, Scope
from tiergate.store import SessionNotFound, Store
from tiergate_plugins.operations.search import Search, search, similarity, tiergate_operations, words_of

TEXTS = st.lists(st.sampled_from("parser store cache Router the THE a é größe x1".split()), max_size=12).map(
    " ".join
)


@pytest.fixture
def filled(store: Store) -> Store:
    """Two sessions, in both of which parsers occur."""
    store.save(
        Session(
            id="one",
            tasks=(
                Task(id="a", title="Fix the parser", notes="It fails on empty input."),
                Task(id="b", title="Paint the fence", notes="Green, if there is paint."),
                Task(id="c", title="Parser fails on empty input"),
            ),
        )
    )
    store.save(Session(id="two", tasks=(Task(id="a", title="Write a parser"), Task(id="d", title="Rest"))))
    return store


def test_the_most_similar_task_comes_first(filled: Store) -> None:
    found = search(filled, "", Search(text="parser fails on EMPTY input!"))
    assert [(hit.session, hit.id) for hit in found] == [("one", "c"), ("one", "a"), ("two", "a")]
    assert found[0].title == "Parser fails on empty input"
    assert found[0].score == 1.0
    assert 1.0 > found[1].score > found[2].score > 0.0


def test_tasks_that_share_no_word_are_left_out(filled: Store) -> None:
    assert [hit.id for hit in search(filled, "", Search(text="fence zebra"))] == ["b"]
    assert search(filled, "", Search(text="zebra")) == []
    assert search(filled, "", Search(text="")) == []
    assert search(filled, "", Search(text="?!")) == []


def test_notes_count_as_the_title_does(filled: Store) -> None:
    assert [hit.id for hit in search(filled, "", Search(text="green"))] == ["b"]


def test_search_within_one_session(filled: Store) -> None:
    found = search(filled, "two", Search(text="parser", within="session"))
    assert [(hit.session, hit.id) for hit in found] == [("two", "a")]
    with pytest.raises(SessionNotFound):
        search(filled, "three", Search(text="parser", within="session"))
    with pytest.raises(OperationError, match="needs a session"):
        search(filled, "", Search(text="parser", within="session"))


def test_search_in_an_empty_store_and_an_empty_session(store: Store) -> None:
    assert search(store, "", Search(text="parser")) == []
    store.save(Session(id="empty"))
    assert search(store, "empty", Search(text="parser", within="session")) == []


@pytest.mark.parametrize(("limit", "expected"), [(0, 0), (1, 1), (2, 2), (50, 3)])
def test_limit(filled: Store, limit: int, expected: int) -> None:
    everything = search(filled, "", Search(text="parser empty input"))
    assert len(everything) == 3
    assert search(filled, "", Search(text="parser empty input", limit=limit)) == everything[:expected]


def test_the_measure_by_hand() -> None:
    scores = similarity("cache cache store", ["cache store", "cache", "router"])
    rare, common = log(1 + 3 / 1), log(1 + 3 / 2)
    twice = (1 + log(2)) * common
    length = sqrt(twice**2 + rare**2)
    first = (twice * common + rare * rare) / (length * sqrt(common**2 + rare**2))
    assert scores == pytest.approx([first, twice / length, 0.0])


@given(st.one_of(st.text(), st.text(st.characters(max_codepoint=127))))
def test_words_are_what_the_regular_expression_finds(text: str) -> None:
    assert words_of(text) == re.findall(r"\w+", text.casefold())


@given(TEXTS, st.lists(TEXTS, max_size=6))
def test_scores_are_cosines(text: str, documents: list[str]) -> None:
    scores = similarity(text, documents)
    assert len(scores) == len(documents)
    for score, document in zip(scores, documents, strict=True):
        assert 0.0 <= score <= 1.0
        assert (score > 0) == bool(set(text.lower().split()) & set(document.lower().split()))


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=6))
def test_a_text_is_most_similar_to_itself(documents: list[str]) -> None:
    scores = similarity(documents[0].upper(), documents)
    assert isclose(scores[0], 1.0, abs_tol=1e-12)
    assert max(scores) <= 1.0


def test_what_is_declared_for_routers() -> None:
    (declared,) = tiergate_operations()
    assert declared.scope(Search(text="x")) is Scope.STORE
    assert declared.scope(Search(text="x", within="session")) is Scope.SESSION
    assert not declared.writes
    assert not declared.needs_session
