"""Looking for text in an index: it finds what reading everything finds, whoever wrote, and is really used."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.store import Store, TaskQuery
from tiergate.testing import make_session, make_task
from tiergate.testing.samples import AWKWARD_TEXTS
from tiergate_plugins.storage import sqlite_text
from tiergate_plugins.storage.sqlite_store import SqliteStore

OpenAt = Callable[[str], Store]
INDEXED = "sqlite:{}/store.db?text=fts5"
PLAIN = "sqlite:{}/store.db"


def found(store: Store, text: str) -> list[tuple[str, str]]:
    """Sessions and tasks in which a text is found."""
    return [(hit.session, hit.task.id) for hit in store.query(TaskQuery(text=text))]


def entries(store: Any) -> int:
    """How many entries were made."""
    return int(store._connection.execute("SELECT times FROM indexed WHERE session = 0").fetchone()[0])


def test_the_index_follows_every_writer(open_at: OpenAt) -> None:
    indexed, plain = open_at(INDEXED), open_at(PLAIN)
    plain.save(make_session("s", make_task("a", notes="an apple"), make_task("b", title="Bananas")))
    assert found(indexed, "BANANA") == [("s", "b")]
    assert entries(indexed) == 2
    plain.upsert_tasks("s", [make_task("a", notes="a cherry")], expected_version=1)
    assert found(indexed, "apple") == []
    assert found(indexed, "cherry") == [("s", "a")]
    plain.delete("s", expected_version=2)
    plain.save(
        make_session("other", make_task("a", notes="nothing"))
    )  # which may get the key of the other's row
    plain.save(make_session("s", make_task("a", notes="the cherry is back")))
    assert found(indexed, "cherry") == [("s", "a")]
    assert found(indexed, "nothing") == [("other", "a")]


def test_a_search_reads_only_what_the_index_names(open_at: OpenAt) -> None:
    store: Any = open_at(INDEXED)
    with store.transaction():
        for number in range(50):
            store.save(
                make_session(f"s{number}", make_task("t", notes=f"common text {number} needle{number}"))
            )
    assert found(store, "needle17") == [("s17", "t")]
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    assert found(store, "needle17") == [("s17", "t")]
    store._connection.set_trace_callback(None)
    (statement,) = (sql for sql in seen if "LIKE" in sql)
    plan = " ".join(row[-1] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
    assert "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)" in plan
    assert "VIRTUAL TABLE INDEX" in plan


def test_what_is_out_of_date_is_thrown_away(open_at: OpenAt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_text, "_SPARE", 10)
    store = open_at(INDEXED)
    store.save(make_session("s", *(make_task(str(number), notes="text") for number in range(5))))
    counts = []
    for version in range(1, 20):
        store.upsert_tasks("s", [make_task("0", notes=f"text {version}.")], expected_version=version)
        assert found(store, f"text {version}.") == [("s", "0")]
        counts.append(entries(store))
    assert max(counts) <= 4 * 5 + 10 + 5
    assert counts != sorted(counts), "the index was made anew at least once"


def test_a_store_that_may_not_be_written_to_is_read_through(open_at: OpenAt) -> None:
    open_at(PLAIN).save(make_session("s", make_task("a", notes="an apple")))
    assert found(open_at("sqlite:{}/store.db?mode=ro&text=fts5"), "apple") == [("s", "a")]


def test_a_search_in_a_transaction_that_fails_leaves_nothing_wrong(open_at: OpenAt) -> None:
    store = open_at(INDEXED)

    def search_and_fail() -> None:
        with store.transaction():
            store.save(make_session("s", make_task("a", notes="an apple")))
            assert found(store, "apple") == [("s", "a")]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        search_and_fail()
    assert found(store, "apple") == []
    store.save(make_session("s", make_task("a", notes="a pear")))
    assert found(store, "pear") == [("s", "a")]


ALPHABET = st.text(alphabet='abAB"\0%_!\\é😀 \n*', max_size=12)


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(ALPHABET, min_size=1, max_size=8), wanted=ALPHABET)
def test_the_index_finds_what_a_scan_finds(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], wanted: str
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    tasks = [make_task(str(number), title="-", notes=text) for number, text in enumerate(texts)]
    with SqliteStore(folder / "store.db", index_text=True) as store:
        store.save(make_session("s", *tasks, make_task("awkward", notes="".join(AWKWARD_TEXTS.values()))))
        with SqliteStore(folder / "store.db") as plain:
            draw = random.Random(wanted)
            part = draw.choice(texts)[draw.randrange(3) :]
            for text in (wanted, part, part.upper()):
                assert found(store, text) == found(plain, text)
