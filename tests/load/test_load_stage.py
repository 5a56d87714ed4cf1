"""The stage: a fresh store every time, and nothing of it left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.errors import RunError, TiergateError, UsageError
from tiergate.hooks import StoreDeclaration
from tiergate.load.stage import make_stage
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.store import StoreAddress

OneLine = Callable[[TiergateError], str]


@pytest.mark.parametrize("scheme", ["sqlite", "json"])
def test_every_copy_is_fresh_and_gone_afterwards(
    host: PluginHost, sessions: list[Session], tmp_path: Path, scheme: str
) -> None:
    folder = tmp_path / "stage"
    declared = host.get(StoreDeclaration, scheme)
    addresses: list[StoreAddress] = []
    with make_stage(host, f"{scheme}:{folder}", "local") as stage:
        for _ in range(2):
            with stage.filled(sessions) as filled:
                address = StoreAddress.parse(filled.address)
                addresses.append(address)
                with declared.open(address) as store:
                    assert [store.load(name).version for name in store.ids()] == [1, 1]
                    assert [store.load(name).tasks for name in "ab"] == [one.tasks for one in sessions]
                    store.upsert_tasks("a", [Task(id="new", title="new")], expected_version=1)
                assert [(size.session, size.tasks) for size in filled.sizes] == [("a", 3), ("b", 1)]
            assert not Path(address.path).exists()
            assert list(folder.iterdir()) == []
    assert len({address.path for address in addresses}) == 2
    assert not folder.exists()


def test_options_of_the_address_reach_every_copy(
    host: PluginHost, sessions: list[Session], tmp_path: Path
) -> None:
    with (
        make_stage(host, f"sqlite:{tmp_path / 'new'}?durability=normal", "local") as stage,
        stage.filled(sessions) as filled,
    ):
        assert filled.address.endswith("?durability=normal")


def test_a_version_of_another_store_does_not_matter(
    host: PluginHost, sessions: list[Session], tmp_path: Path
) -> None:
    old = [Session(id="a", version=17, tasks=sessions[0].tasks)]
    with make_stage(host, f"sqlite:{tmp_path / 'new'}", "local") as stage, stage.filled(old) as filled:
        assert filled.sizes[0].tasks == 3


def test_without_a_path_it_works_in_a_temporary_folder(
    host: PluginHost, sessions: list[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with make_stage(host, "sqlite:", "local") as stage, stage.filled(sessions) as filled:
        assert Path(StoreAddress.parse(filled.address).path).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_stage_is_cleared_after_an_error_too(
    host: PluginHost, sessions: list[Session], tmp_path: Path
) -> None:
    def fail() -> None:
        with make_stage(host, f"sqlite:{tmp_path / 'new'}", "local") as stage, stage.filled(sessions):
            raise LookupError("in the middle")

    with pytest.raises(LookupError, match="in the middle"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_the_user_stays_and_is_left_empty(
    host: PluginHost, sessions: list[Session], tmp_path: Path
) -> None:
    with make_stage(host, f"sqlite:{tmp_path}", "local") as stage, stage.filled(sessions):
        assert list(tmp_path.iterdir())
    assert tmp_path.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused_and_left_alone(
    host: PluginHost, tmp_path: Path, one_line: OneLine
) -> None:
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(UsageError) as caught, make_stage(host, f"sqlite:{tmp_path}", "local"):
        pytest.fail("a folder in use must not become a stage")
    assert one_line(caught.value) == f"{tmp_path}: the folder is not empty (name an empty or a new one)"
    assert (tmp_path / "mine").read_text() == "keep"


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_file_is_no_folder(host: PluginHost, tmp_path: Path, below: str, one_line: OneLine) -> None:
    (tmp_path / "file").write_text("keep")
    path = f"{tmp_path / 'file'}{below}"
    with pytest.raises(UsageError) as caught, make_stage(host, f"sqlite:{path}", "local"):
        pytest.fail("a file must not become a stage")
    assert one_line(caught.value).startswith(f"{path}: cannot be used as a folder: ")


def test_a_stage_that_cannot_be_written_says_where(
    host: PluginHost, sessions: list[Session], tmp_path: Path, one_line: OneLine
) -> None:
    folder = tmp_path / "stage"
    with make_stage(host, f"sqlite:{folder}", "local") as stage:
        folder.rmdir()
        folder.write_text("somebody put a file here")
        with pytest.raises(RunError) as caught, stage.filled(sessions):
            pytest.fail("there is no place for a store")
        assert one_line(caught.value).startswith(f"{folder / 'copy-1'}: cannot make a store: ")
        assert caught.value.exit_code == 3


@pytest.mark.parametrize("address", ["sqlite:{}?durabilty=normal", "sqlite:{}?durability=sometimes"])
def test_a_copy_that_could_not_be_filled_is_removed(
    host: PluginHost, sessions: list[Session], tmp_path: Path, address: str
) -> None:
    with make_stage(host, address.format(tmp_path), "local") as stage:
        with pytest.raises(TiergateError), stage.filled(sessions):
            pytest.fail("the address must be refused")
        assert list(tmp_path.iterdir()) == []


def test_two_sessions_of_one_id_cannot_fill_a_store(
    host: PluginHost, sessions: list[Session], tmp_path: Path
) -> None:
    with make_stage(host, f"sqlite:{tmp_path}", "local") as stage:
        with pytest.raises(RunError, match="cannot fill the store: "), stage.filled([sessions[0]] * 2):
            pytest.fail("the second save must be refused")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("store", "pool", "message"),
    [
        ("sqlight:", "local", "unknown store 'sqlight' (did you mean 'sqlite'?)"),
        ("sqlite:", "locl", "unknown pool 'locl' (did you mean 'local'?)"),
        ("nonsense", "local", "'nonsense' is not a store address"),
    ],
)
def test_unknown_names_are_refused(host: PluginHost, store: str, pool: str, message: str) -> None:
    with pytest.raises(UsageError) as caught, make_stage(host, store, pool):
        pytest.fail("the names must be refused")
    assert message in str(caught.value)
