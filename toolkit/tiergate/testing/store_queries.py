"""The store contract: queries, sizes and the state of the whole store."""

from __future__ import annotations

from typing import Any

import pytest

from tiergate.errors import UsageError
from tiergate.model import Status
from tiergate.store import SessionSize, Store, TaskQuery, Unsupported
from tiergate.testing.expect import must_raise
from tiergate.testing.samples import AWKWARD_TEXTS, make_session, make_task
from tiergate.testing.store_fixtures import StoreFixtures

_CONDITIONS: list[tuple[dict[str, Any], str]] = [
    ({}, "p/a p/b p/c q/a q/d"),
    ({"statuses": (Status.ACTIVE,)}, "p/a q/a"),
    ({"statuses": (Status.ACTIVE, Status.COMPLETED)}, "p/a p/c q/a"),
    ({"statuses": (Status.ACTIVE, Status.ACTIVE)}, "p/a q/a"),
    ({"statuses": (Status.ABANDONED,)}, ""),
    ({"min_weight": 2.0}, "p/b p/c q/a"),
    ({"max_weight": 2.0}, "p/a p/b q/d"),
    ({"min_weight": 2.0, "max_weight": 2.0}, "p/b"),
    ({"min_weight": 3, "max_weight": 1}, ""),
    ({"session": "q"}, "q/a q/d"),
    ({"session": "nobody"}, ""),
    ({"session": "\ud800"}, ""),
    ({"session": "p", "statuses": (Status.ACTIVE,), "max_weight": 1.5}, "p/a"),
]
_ORDERS = [
    ("id", "p/a q/a p/b p/c q/d"),
    ("-id", "q/d p/c p/b p/a q/a"),
    ("weight", "q/d p/a p/b p/c q/a"),
    ("-weight", "p/c q/a p/b p/a q/d"),
    ("title", "p/c p/a q/d q/a p/b"),
    ("-title", "p/b q/a q/d p/a p/c"),
    ("updated_at", "p/b q/a q/d p/a p/c"),
    ("-updated_at", "p/c p/a p/b q/a q/d"),
]


def fill(store: Store) -> None:
    """Two sessions of five tasks that differ in everything a query looks at."""
    store.save(
        make_session(
            "q",
            make_task("d", title="beta", weight=0.0, notes="nothing"),
            make_task("a", title="gamma", weight=7.5, status=Status.ACTIVE, notes="Find THE needle"),
        )
    )
    store.save(
        make_session(
            "p",
            make_task("c", title="Alpha", weight=7.5, status=Status.COMPLETED, updated_at="2025-02-02"),
            make_task("b", title="\u00c4 needle", weight=2.0, status=Status.BLOCKED),
            make_task("a", title="alpha", weight=1.0, status=Status.ACTIVE, updated_at="2025-01-01"),
        )
    )


def found(store: Store, query: TaskQuery) -> str:
    """The hits in their order, as ``session/task`` words."""
    return " ".join(f"{hit.session}/{hit.task.id}" for hit in store.query(query))


class QueryChecks(StoreFixtures):
    """Query, sizes, stats and verify."""

    @pytest.mark.parametrize(("conditions", "expected"), _CONDITIONS, ids=repr)
    def test_conditions(self, store: Store, conditions: dict[str, Any], expected: str) -> None:
        fill(store)
        hits = " ".join(sorted(found(store, TaskQuery(**conditions)).split()))
        assert hits == expected, "Store.query: the tasks that meet every condition"

    @pytest.mark.parametrize(("order", "expected"), _ORDERS)
    def test_order_and_limit(self, store: Store, order: str, expected: str) -> None:
        fill(store)
        contract = "TaskQuery.order: - in front for descending; ties by session and task id"
        assert found(store, TaskQuery(order=order)) == expected, contract
        for limit in (0, 1, 3, 5, 2**70):
            hits = found(store, TaskQuery(order=order, limit=limit))
            assert hits.split() == expected.split()[:limit], (
                "TaskQuery.limit: at most that many, the first ones"
            )

    def test_an_unknown_order(self, store: Store) -> None:
        for order in ("", "notes", "--id", "weight; DROP TABLE tasks"):
            with must_raise(UsageError, "Store.query: UsageError: `query.order` is none of `ORDERS`"):
                store.query(TaskQuery(order=order))

    def test_hits_are_whole_tasks(self, store: Store) -> None:
        task = make_task("t", notes="long", labels=("x",), extra={"kept": [1, 2]})
        store.save(make_session("s", task))
        (hit,) = store.query(TaskQuery())
        assert (hit.session, hit.task) == ("s", task), "TaskHit: a task, and the session it is in"

    def test_queries_see_every_write(self, store: Store) -> None:
        fill(store)
        store.upsert_tasks("p", [make_task("a", status=Status.COMPLETED, weight=99.0)], expected_version=1)
        contract = "Store.query: the tasks that meet every condition, as last written"
        assert found(store, TaskQuery(statuses=(Status.ACTIVE,))) == "q/a", contract
        assert found(store, TaskQuery(min_weight=50.0)) == "p/a", contract
        store.delete("p", expected_version=2)
        assert found(store, TaskQuery()) == "q/a q/d", contract

    def test_text(self, store: Store, has_text_search: bool) -> None:
        fill(store)
        if not has_text_search:
            with must_raise(
                Unsupported, "Store.query: Unsupported: the store lacks `Capability.TEXT_SEARCH`"
            ):
                store.query(TaskQuery(text="needle"))
            return
        contract = "TaskQuery.text: title or notes contain this text, ignoring ASCII case"
        expectations = {
            "NEEDLE": "q/a p/b",
            "the Needle": "q/a",
            "\u00c4 needle": "p/b",
            "\u00e4 needle": "",
            "alpha": "p/a p/c",
            "": "p/a q/a p/b p/c q/d",
            "status": "",
            "\ud800": "",
            "x" * 100_000: "",
        }
        for text, expected in expectations.items():
            assert found(store, TaskQuery(text=text)) == expected, contract
        assert found(store, TaskQuery(text="a", order="-weight", limit=2)) == "p/c q/a", contract
        assert found(store, TaskQuery(text="needle", session="p")) == "p/b", contract

    def test_awkward_text_is_found(self, store: Store, has_text_search: bool) -> None:
        if not has_text_search:
            pytest.skip("the store has no text search")
        texts = {name: text for name, text in AWKWARD_TEXTS.items() if text.strip()}
        tasks = [make_task(name, title="-", notes=f"<{text}>") for name, text in texts.items()]
        store.save(make_session("s", *tasks))
        for name, text in texts.items():
            hits = [hit.task.id for hit in store.query(TaskQuery(text=f"<{text.upper()}>"))]
            expected = sorted(
                other
                for other, held in texts.items()
                if held.encode().lower() == text.upper().encode().lower()
            )
            assert hits == expected, f"TaskQuery.text: contain this text, each character for itself ({name})"

    def test_sizes(self, store: Store) -> None:
        assert store.sizes() == [], "Store.sizes: the size of every session"
        store.save(make_session("small", "a"))
        store.save(make_session("large", *(make_task(str(n), notes="x" * 1000) for n in range(20))))
        store.save(make_session("empty"))
        sizes = store.sizes()
        contract = "Store.sizes: the size of every session, sorted by id"
        assert [(size.session, size.tasks) for size in sizes] == [
            ("empty", 0),
            ("large", 20),
            ("small", 1),
        ], contract
        empty, large, small = (size.bytes for size in sizes)
        assert 0 <= empty < small < large, "SessionSize: the bytes of its body as stored"
        assert all(isinstance(size, SessionSize) for size in sizes), contract

    def test_stats(self, store: Store) -> None:
        empty = store.stats()
        assert (empty.sessions, empty.tasks) == (0, 0), "StoreStats: how much a store holds"
        fill(store)
        stats = store.stats()
        assert (stats.sessions, stats.tasks) == (2, 5), "StoreStats: how much a store holds"
        assert stats.disk_bytes >= 0, "StoreStats.disk_bytes: every file that belongs to the store"

    def test_a_good_store_has_no_damage(self, store: Store) -> None:
        assert store.verify() == [], "Store.verify: an empty list when nothing is damaged"
        fill(store)
        for text in AWKWARD_TEXTS.values():
            store.save(make_session(text, make_task(text, title=text, updated_at=text)))
        store.upsert_tasks("p", [make_task("a", weight=3), make_task("new")], expected_version=1)
        store.delete("q", expected_version=1)
        assert store.verify() == [], "Store.verify: an empty list when nothing is damaged"
