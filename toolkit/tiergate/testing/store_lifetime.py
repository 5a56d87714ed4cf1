"""The store contract: opening, closing, several instances, and transactions."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tiergate.errors import UsageError
from tiergate.hooks import StoreDeclaration
from tiergate.store import (
    Capability,
    ReadOnly,
    SessionNotFound,
    StaleVersion,
    Store,
    StoreAddress,
    StoreError,
    TaskQuery,
    Unsupported,
)
from tiergate.testing.expect import must_raise
from tiergate.testing.samples import make_session, make_task
from tiergate.testing.store_fixtures import OpenStore, StoreFixtures


class _Stop(Exception):
    """Ends a transaction from inside."""


class LifetimeChecks(StoreFixtures):
    """Declaration, address, instances and transactions."""

    def test_capabilities_are_those_declared(self, store: Store, declaration: StoreDeclaration) -> None:
        contract = "StoreDeclaration.capabilities: what it can do beyond the base contract"
        assert store.capabilities == declaration.capabilities, contract

    def test_an_unknown_option_is_refused(self, declaration: StoreDeclaration, address: StoreAddress) -> None:
        options = {**address.options, "no-such-option": "1"}
        with must_raise(UsageError, "StoreAddress.require_options: refuse options that are not known"):
            declaration.open(StoreAddress(address.scheme, address.path, options)).close()

    def test_a_new_store_is_empty(self, store: Store) -> None:
        assert store.ids() == [], "StoreDeclaration.open: creating it where nothing is there yet"

    def test_closing_twice(self, store: Store) -> None:
        store.save(make_session("s"))
        store.close()
        store.close()  # Store.close: closing twice does nothing

    def test_a_with_block_closes(self, open_store: OpenStore) -> None:
        with open_store() as store:
            store.save(make_session("s"))
        store.close()

    def test_what_was_written_is_there_after_opening_again(self, open_store: OpenStore) -> None:
        with open_store() as store:
            store.save(make_session("s", "a", "b"))
            store.save(make_session("gone"))
            store.upsert_tasks("s", [make_task("a", title="changed")], expected_version=1)
            store.delete("gone", expected_version=1)
            before = store.load("s")
        with open_store() as again:
            contract = "Store: a write that returned is durable"
            assert again.ids() == ["s"], contract
            assert again.load("s") == before, contract
            assert again.verify() == [], contract

    def test_a_second_instance_sees_the_writes_of_the_first(
        self, open_store: OpenStore, is_multi_process: bool
    ) -> None:
        if not is_multi_process:
            pytest.skip("the store does not serve several processes at once")
        first, second = open_store(), open_store()
        contract = "Capability.MULTI_PROCESS: every instance sees what another one wrote"
        first.save(make_session("s", "a"))
        assert second.load("s") == make_session("s", "a", version=1), contract
        second.upsert_tasks("s", [make_task("b")], expected_version=1)
        assert first.load_task("s", "b") == (make_task("b"), 2), contract
        with must_raise(StaleVersion, "Store.upsert_tasks: StaleVersion: the store holds another version"):
            first.upsert_tasks("s", [make_task("c")], expected_version=1)
        first.delete("s", expected_version=2)
        assert second.ids() == [], contract

    def test_every_write_is_counted(self, store: Store, declaration: StoreDeclaration) -> None:
        if Capability.CHANGE_COUNTER not in declaration.capabilities:
            with must_raise(Unsupported, "Store.changes: the store lacks `Capability.CHANGE_COUNTER`"):
                store.changes()
            return
        contract = "Store.changes: a counter that every write raises, and nothing else"
        counts = [store.changes()]
        store.save(make_session("s", "a"))
        counts.append(store.changes())
        store.upsert_tasks("s", [make_task("a", title="new")], expected_version=1)
        counts.append(store.changes())
        store.delete("s", expected_version=2)
        counts.append(store.changes())
        assert counts == sorted(set(counts)), contract
        with must_raise(StaleVersion, "Store.save: StaleVersion: or none while `session.version` is above 0"):
            store.save(make_session("s", version=2))
        store.ids()
        assert store.changes() == counts[-1], contract

    def test_a_write_with_a_key_takes_effect_once(
        self, open_store: OpenStore, declaration: StoreDeclaration
    ) -> None:
        store = open_store()
        store.save(make_session("s", "a"))
        done: list[str] = []

        def write(target: Store, title: str) -> dict[str, object]:
            done.append(title)
            version = target.load("s").version
            return {
                "version": target.upsert_tasks("s", [make_task("a", title=title)], expected_version=version)
            }

        if Capability.ONCE not in declaration.capabilities:
            with must_raise(Unsupported, "Store.once: the store lacks `Capability.ONCE`"):
                store.once("k", lambda: write(store, "first"))
            assert not done, "Store.once: Unsupported, before anything is written"
            return
        contract = (
            "Store.once: where the key was used before, nothing is written and the kept result comes back"
        )
        assert store.once("k", lambda: write(store, "first")) == {"version": 2}
        assert store.once("k", lambda: write(store, "again")) == {"version": 2}, contract
        store.close()
        other = open_store()
        assert other.once("k", lambda: write(other, "elsewhere")) == {"version": 2}, contract
        assert (done, other.load_task("s", "a")) == (["first"], (make_task("a", title="first"), 2)), contract
        assert other.once("another", lambda: write(other, "second")) == {"version": 3}
        assert other.verify() == []

    def test_a_write_with_a_key_that_fails_is_undone_and_not_kept(
        self, store: Store, declaration: StoreDeclaration
    ) -> None:
        if Capability.ONCE not in declaration.capabilities:
            pytest.skip("the store cannot keep results")
        store.save(make_session("s", "a"))

        def fail() -> None:
            store.upsert_tasks("s", [make_task("a", title="half")], expected_version=1)
            raise StoreError("the write went wrong half-way")

        contract = "Store.once: what `write` raises is not kept, and its writes are undone"
        with must_raise(StoreError, contract):
            store.once("k", fail)
        assert store.load_task("s", "a") == (make_task("a"), 1), contract
        assert store.once("k", lambda: None) is None
        assert store.once("k", fail) is None, "Store.once: also a result of None is kept"

    def test_versions(self, store: Store) -> None:
        for name in ("t", "s"):
            store.save(make_session(name, "a"))
        store.upsert_tasks("s", [], expected_version=1)
        assert list(store.versions().items()) == [("s", 2), ("t", 1)], (
            "Store.versions: the version of every session, by id in sorted order"
        )
        assert store.version("s") == 2, "Store.version: the version of a session now"
        with must_raise(SessionNotFound, "Store.version: SessionNotFound: there is none of that id"):
            store.version("none")

    def test_read_only(
        self, store: Store, declaration: StoreDeclaration, address: StoreAddress, tmp_path: Path
    ) -> None:
        if Capability.READ_ONLY not in declaration.capabilities:
            pytest.skip("the store cannot be opened read-only")
        store.save(make_session("s", "a"))
        store.close()
        before = _contents(tmp_path)
        contract = "Capability.READ_ONLY: every write raises `ReadOnly`"
        with declaration.open(address.with_options(mode="ro")) as reader:
            assert reader.load("s") == make_session("s", "a", version=1)
            with must_raise(ReadOnly, contract):
                reader.save(make_session("t"))
            with must_raise(ReadOnly, contract):
                reader.upsert_tasks("s", [], expected_version=1)
            with must_raise(ReadOnly, contract):
                reader.delete("s", expected_version=1)
            assert reader.verify() == [], "Store.verify: an empty list when nothing is damaged"
        after = _contents(tmp_path)
        assert {path: after.get(path) for path in before} == before, (
            "Capability.READ_ONLY: opens the store without changing a file"
        )

    def test_read_only_makes_nothing(
        self, declaration: StoreDeclaration, address: StoreAddress, tmp_path: Path
    ) -> None:
        if Capability.READ_ONLY not in declaration.capabilities:
            pytest.skip("the store cannot be opened read-only")
        with must_raise(StoreError, "Capability.READ_ONLY: it must be there"):
            declaration.open(address.with_options(mode="ro")).close()
        assert _contents(tmp_path) == {}, "Capability.READ_ONLY: makes no file"

    def test_without_transactions(self, store: Store, has_transactions: bool) -> None:
        if has_transactions:
            pytest.skip("the store has transactions")
        contract = "Store.transaction: Unsupported: the store lacks `Capability.TRANSACTIONS`"
        with must_raise(Unsupported, contract), store.transaction():
            store.save(make_session("s"))
        assert store.ids() == [], contract

    def test_a_transaction_is_one_write(
        self, store: Store, open_store: OpenStore, has_transactions: bool
    ) -> None:
        _require(has_transactions)
        contract = "Store.transaction: all of them durable at its end"
        store.save(make_session("s", "a"))
        with store.transaction():
            version = store.upsert_tasks("s", [make_task("b")], expected_version=1)
            store.upsert_tasks("s", [make_task("c")], expected_version=version)
            store.save(make_session("t", "a"))
            assert store.load("s").version == 3, "Store.transaction: its own writes are seen inside it"
        store.close()
        again = open_store()
        assert again.ids() == ["s", "t"], contract
        assert again.load("s") == make_session("s", "a", "b", "c", version=3), contract

    def test_a_transaction_that_fails_writes_nothing(self, store: Store, has_transactions: bool) -> None:
        _require(has_transactions)
        store.save(make_session("s", "a"))
        before = store.load("s")
        with suppress(_Stop), store.transaction():
            store.upsert_tasks("s", [make_task("a", title="lost")], expected_version=1)
            store.save(make_session("t", "a"))
            store.delete("s", expected_version=2)
            raise _Stop
        contract = "Store.transaction: all of them, or none"
        assert store.ids() == ["s"], contract
        assert store.load("s") == before, contract
        assert store.save(make_session("t")) == 1, (
            "Store.transaction: the store can be used after a failed one"
        )

    def test_an_error_inside_a_transaction_can_be_survived(
        self, store: Store, has_transactions: bool
    ) -> None:
        _require(has_transactions)
        with store.transaction():
            store.save(make_session("s", "a"))
            with must_raise(StaleVersion, "Store.save: StaleVersion: the store holds another version"):
                store.save(make_session("s", "x"))
            with must_raise(SessionNotFound, "Store.delete: SessionNotFound: there is none of that id"):
                store.delete("t", expected_version=1)
            store.save(make_session("u"))
        assert store.ids() == ["s", "u"], "Store.transaction: all of them durable at its end"
        assert store.load("s") == make_session("s", "a", version=1), "Store: a stale write writes nothing"

    def test_filling_changes_nothing_that_can_be_seen(
        self, declaration: StoreDeclaration, address: StoreAddress
    ) -> None:
        def fill_and_fail(store: Store) -> None:
            with store.filling():
                for number in range(3):
                    store.save(make_session(f"s{number}", make_task("t", weight=float(number))))
                    found = store.query(TaskQuery(min_weight=float(number)))
                    assert [hit.session for hit in found] == [f"s{number}"], contract
                raise KeyError

        contract = "Store.filling: each write is durable when it returns, queries find it"
        for _ in range(2):
            with declaration.open(address) as store:
                if "s0" in store.ids():
                    for name in store.ids():
                        store.delete(name, expected_version=store.version(name))
                with pytest.raises(KeyError):
                    fill_and_fail(store)
                assert store.ids() == ["s0", "s1", "s2"], contract
            with declaration.open(address) as store:
                found = store.query(TaskQuery(min_weight=1.0))
                assert [hit.session for hit in found] == ["s1", "s2"], contract
                assert store.verify() == [], contract


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _require(has_transactions: bool) -> None:
    if not has_transactions:
        pytest.skip("the store has no transactions")
