"""A bound name leads to one store at a time, and a write through an earlier epoch is refused."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tiergate import binding as binding_module
from tiergate.binding import Bindings, NamedOpener
from tiergate.bound_store import EPOCH_SPAN, BoundStore
from tiergate.errors import UsageError
from tiergate.hooks import StoreDeclaration
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.state_files import Busy, StateError
from tiergate.store import (
    Capability,
    SessionNotFound,
    StaleBinding,
    StaleVersion,
    StoreAddress,
    Unsupported,
)
from tiergate.testing.stores import StoreContract

WRITER = """
import sys
from tiergate.model import Session
from tiergate.plugins import PluginHost
from tiergate.store import StaleBinding

with PluginHost().opener().open("store:work") as store:
    number = 0
    try:
        while True:
            store.save(Session(id=f"w{number}"))
            print(number, flush=True)
            number += 1
    except StaleBinding as error:
        print(f"stale: {error}", flush=True)
"""


def rebind(stores: Any, address: str) -> None:
    bindings = Bindings(stores.state)
    with bindings.changing("work"):
        bindings.put("work", StoreAddress.parse(address), before=bindings.find("work"))


def test_a_name_leads_to_its_store(stores: Any) -> None:
    rebind(stores, "sqlite:one.db")
    stores.fill("store:work", Session(id="s"))
    assert list(stores.content("sqlite:one.db")) == ["s"]
    with stores.opener.open("store:work") as store:
        assert store.load("s").version == 1
        assert store.capabilities == frozenset(Capability)


def test_every_write_of_an_old_epoch_is_refused(stores: Any) -> None:
    rebind(stores, "sqlite:one.db")
    with stores.opener.open("store:work") as store:
        store.save(Session(id="s"))
        rebind(stores, "json:two")
        for write in (
            lambda: store.save(Session(id="new")),
            lambda: store.upsert_tasks("s", [Task(id="t", title="T")], expected_version=1),
            lambda: store.delete("s", expected_version=1),
        ):
            with pytest.raises(StaleBinding, match=r"bound to json:two since .*open store:work again"):
                write()
        with pytest.raises(StaleBinding), store.transaction():
            pytest.fail("the block was entered")
        assert store.load("s").version == 1  # reading what is there is no harm
    assert list(stores.content("sqlite:one.db")) == ["s"]


def test_a_session_of_an_old_epoch_cannot_be_saved_over_a_new_one(stores: Any) -> None:
    rebind(stores, "sqlite:one.db")
    stores.fill("store:work", Session(id="s", title="old"))
    with stores.opener.open("store:work") as store:
        loaded = store.load("s")
    stores.fill("json:two", Session(id="s", title="new"))
    rebind(stores, "json:two")
    with stores.opener.open("store:work") as store:
        with pytest.raises(StaleVersion, match=f"is at version {EPOCH_SPAN + 1}, not 1"):
            store.save(loaded)
        with pytest.raises(StaleVersion):
            store.upsert_tasks("s", [], expected_version=1)
        with pytest.raises(StaleVersion):
            store.delete("s", expected_version=1)
        with pytest.raises(SessionNotFound):
            store.delete("none", expected_version=1)
        now = store.load("s")
        assert store.version("s") == store.versions()["s"] == now.version == EPOCH_SPAN + 1
        assert store.save(now) == EPOCH_SPAN + 2
        assert store.upsert_tasks("s", [Task(id="t", title="T")], expected_version=EPOCH_SPAN + 2)
        assert store.load_task("s", "t")[1] == EPOCH_SPAN + 3
        assert store.save(Session(id="fresh")) == EPOCH_SPAN + 1
    assert stores.content("json:two")["s"].title == "new"


def test_caches_before_a_name_and_behind_it(stores: Any) -> None:
    rebind(stores, "zstd+sqlite:one.db")
    stores.fill("store:work", Session(id="s"))
    opener: NamedOpener = stores.opener
    for address in ("store:work", "zstd+store:work"):
        assert opener.resolve(StoreAddress.parse(address)) == StoreAddress.parse("zstd+sqlite:one.db")
        with opener.open(address) as store:
            assert isinstance(store, BoundStore)
            assert store.load("s").id == "s"


def test_a_name_opened_to_read_makes_nothing(stores: Any, tmp_path: Path) -> None:
    rebind(stores, "json:one")
    stores.fill("store:work", Session(id="s"))
    before = sorted(tmp_path.rglob("*"))
    with stores.opener.open_read_only(StoreAddress.parse("store:work")) as store:
        assert store.ids() == ["s"]
        with pytest.raises(Exception, match="read-only"):
            store.save(Session(id="t"))
    assert sorted(tmp_path.rglob("*")) == before


def test_names_that_are_bound_to_nothing(stores: Any) -> None:
    with pytest.raises(UsageError, match="tiergate migrate bind work STORE"):
        stores.opener.open("store:work")
    rebind(stores, "json:one")
    with pytest.raises(UsageError, match="did you mean 'work'"):
        stores.opener.open("store:wrok")


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "x" * 65, "nul\0", "ä"])
def test_what_cannot_be_a_name(stores: Any, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a bound name"):
        stores.opener.open(f"store:{name}")


def test_a_damaged_binding_is_named(stores: Any) -> None:
    rebind(stores, "json:one")
    path = stores.state / "bindings" / "work.json"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(StateError, match=r"work\.json: not a binding"):
        stores.opener.open("store:work")


def test_a_store_without_transactions_says_so(stores: Any) -> None:
    rebind(stores, "plain:one")
    with stores.opener.open("store:work") as store:
        assert Capability.TRANSACTIONS not in store.capabilities
        with pytest.raises(Unsupported), store.transaction():
            pytest.fail("the block was entered")


def test_a_change_waits_for_a_transaction_and_says_when_it_takes_too_long(
    stores: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding_module, "WAIT_S", 0.05)
    rebind(stores, "sqlite:one.db")
    with stores.opener.open("store:work") as store:
        with store.transaction():
            store.save(Session(id="s"))
            with pytest.raises(Busy, match="writes through store:work have not ended"):
                rebind(stores, "json:two")
        rebind(stores, "json:two")
    assert list(stores.content("sqlite:one.db")) == ["s"]


def test_the_state_folder_is_named_by_a_variable(
    stores: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERGATE_STATE", str(tmp_path / "elsewhere"))
    opener = PluginHost().opener()
    bindings = Bindings(opener.state)
    with bindings.changing("work"):
        bindings.put("work", StoreAddress.parse("json:one"), before=None)
    assert (tmp_path / "elsewhere" / "bindings" / "work.json").exists()
    with opener.open("store:work") as store:
        assert store.ids() == []


@pytest.mark.integration
def test_writers_in_other_processes_are_fenced(stores: Any, tmp_path: Path) -> None:
    rebind(stores, "sqlite:one.db")
    stores.fill("sqlite:one.db")
    with _writer(tmp_path) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "0\n"
        began = time.monotonic()
        rebind(stores, "json:two")
        assert time.monotonic() - began < binding_module.WAIT_S / 2  # writers cannot keep it out
        at_the_change = len(stores.content("sqlite:one.db"))
        lines = writer.stdout.read().splitlines()
    assert lines[-1].startswith("stale: store:work: bound to json:two")
    # Not one write came through after the change, and every one that returned before is there.
    assert len(stores.content("sqlite:one.db")) == at_the_change == len(lines)


def _writer(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER], cwd=folder, stdout=subprocess.PIPE, text=True)


class TestBoundStore(StoreContract):
    """A bound store keeps the contract of the store that it is bound to."""

    @pytest.fixture
    def declaration(self, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> StoreDeclaration:
        opener = PluginHost().opener()
        named = NamedOpener(opener.stores, opener.caches, state=tmp_path_factory.mktemp("state"))
        bindings = Bindings(named.state)
        address = StoreAddress.parse(f"sqlite:{tmp_path}/bound.db")
        with bindings.changing("work"):
            bindings.put("work", address, before=None)
        return StoreDeclaration(
            name="store", summary="", open=named.open, capabilities=named.declaration(address).capabilities
        )

    @pytest.fixture
    def address(self) -> StoreAddress:
        return StoreAddress("store", "work")
