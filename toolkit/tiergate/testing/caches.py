"""The contract suite for caches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest

from tiergate.hooks import CacheDeclaration, StoreDeclaration
from tiergate.opening import Opener
from tiergate.store import Capability, SessionNotFound, Store, StoreAddress, StoreError
from tiergate.testing.samples import make_session, make_task
from tiergate.testing.stores import StoreContract


class CacheContract(StoreContract):
    """A cache in front of a store keeps the whole contract of the store, and never gives stale content.

    Subclass it, and override the fixtures ``cache`` and ``behind``::

        class TestMyCache(CacheContract):
            @pytest.fixture
            def cache(self) -> CacheDeclaration:
                return MY_CACHE

            @pytest.fixture
            def behind(self) -> StoreDeclaration:
                return SOME_STORE
    """

    @pytest.fixture
    def cache(self) -> CacheDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `cache`: return the CacheDeclaration to test")

    @pytest.fixture
    def behind(self) -> StoreDeclaration:
        """The store that the cache stands in front of. Override it."""
        pytest.fail("override the fixture `behind`: return the StoreDeclaration to put the cache before")

    @pytest.fixture
    def declaration(self, cache: CacheDeclaration, behind: StoreDeclaration) -> StoreDeclaration:
        """The store with the cache in front of it, as one store."""
        opener = Opener.of([behind], [cache])

        def open_both(address: StoreAddress) -> Store:
            return opener.open(replace(address, caches=(cache.name,)))

        return replace(behind, open=open_both)

    @pytest.fixture
    def open_behind(self, behind: StoreDeclaration, address: StoreAddress) -> Callable[[], Store]:
        """Opens the store itself, without the cache."""
        return lambda: behind.open(address.without_caches())

    def test_a_write_is_read_at_once(self, store: Store) -> None:
        version = 0
        for number in range(5):
            version = store.save(make_session("s", make_task("a", weight=number), version=version))
            for _ in range(2):
                assert store.load("s").tasks[0].weight == number, "CacheDeclaration: never a stale session"
                assert store.load("s").version == version, "CacheDeclaration: never a stale version"
            version = store.upsert_tasks("s", [make_task("b", weight=number)], expected_version=version)
            assert store.load("s").tasks[1].weight == number, "CacheDeclaration: never a stale session"

    def test_a_write_past_the_cache_is_seen(
        self, store: Store, open_behind: Callable[[], Store], is_multi_process: bool
    ) -> None:
        if not is_multi_process:
            pytest.skip("the store declares no multi-process")
        store.save(make_session("s", "a"))
        assert len(store.load("s").tasks) == 1
        with open_behind() as other:
            other.upsert_tasks("s", [make_task("b")], expected_version=1)
            assert len(store.load("s").tasks) == 2, "CacheDeclaration: never a stale session"
            other.delete("s", expected_version=2)
        with pytest.raises(SessionNotFound):
            store.load("s")

    def test_a_transaction_sees_its_writes_and_leaves_nothing(
        self, store: Store, has_transactions: bool
    ) -> None:
        if not has_transactions:
            pytest.skip("the store declares no transactions")
        store.save(make_session("s", "a"))
        store.load("s")

        class Undo(Exception):
            pass

        with suppress(Undo), store.transaction():
            store.upsert_tasks("s", [make_task("b", title="undone")], expected_version=1)
            assert len(store.load("s").tasks) == 2, "Store.transaction: reads see its own writes"
            store.remember(b"count", "s", lambda: len(store.load("s").tasks))
            raise Undo
        assert len(store.load("s").tasks) == 1, "CacheDeclaration: nothing uncommitted is kept"
        store.upsert_tasks("s", [make_task("b", title="done")], expected_version=1)
        assert store.load("s").tasks[1].title == "done", "CacheDeclaration: nothing uncommitted is kept"
        assert store.remember(b"count", "s", lambda: 99) == 99, (
            "CacheDeclaration: nothing uncommitted is kept"
        )

    def test_results_follow_the_store(self, store: Store) -> None:
        contract = "Store.remember: the result of a pure computation on what the store holds"

        def titles() -> list[str]:
            return [task.title for name in store.ids() for task in store.load(name).tasks]

        for number in range(4):
            store.save(make_session(f"s{number}", make_task("a", title=f"title {number}")))
            for _ in range(2):
                expected = [f"title {one}" for one in range(number + 1)]
                assert store.remember(b"titles", None, titles) == expected, contract
                one = store.remember(b"one", f"s{number}", lambda: [len(store.load("s0").tasks)])
                assert one == [1], contract
        assert store.remember(b"two", "s0", lambda: {"other": 1}) == {"other": 1}, contract

    def test_what_a_caller_changes_is_its_own(self, store: Store) -> None:
        contract = "CacheDeclaration: what one caller does to an `extra`, others do not see"
        full = make_task("a", extra={"list": [1], "deep": {"er": [2]}})
        store.save(make_session("s", full, "plain", extra={"own": {"x": 1}}))
        expected = msgspec.structs.replace(
            make_session("s", full, "plain", extra={"own": {"x": 1}}), version=1
        )
        for _ in range(3):
            found = store.load("s")
            assert found == expected, contract
            found.tasks[0].extra["deep"]["er"].append(3)
            found.tasks[1].extra["new"] = True
            found.extra["own"]["x"] = 2

    def test_errors_of_a_computation_are_not_kept(self, store: Store) -> None:
        store.save(make_session("s", "a"))

        def fail() -> None:
            raise StoreError("not today")

        with pytest.raises(StoreError, match="not today"):
            store.remember(b"k", "s", fail)
        assert store.remember(b"k", "s", lambda: [1]) == [1], "Store.remember: only results are kept"

    def test_capabilities_are_those_of_the_store(self, store: Store, behind: StoreDeclaration) -> None:
        assert store.capabilities == behind.capabilities, "CacheDeclaration.wrap: the same store, faster"
        if Capability.CHANGE_COUNTER in behind.capabilities:
            before = store.changes()
            store.save(make_session("s"))
            assert store.changes() > before, "Store.changes: a counter that every write raises"
