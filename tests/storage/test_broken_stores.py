"""The store suite finds what is wrong with broken stores, and says which promise they break."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Each store is the built-in one with one promise broken.
STORES = """
import msgspec, pytest
from pathlib import Path
from tiergate.hooks import StoreDeclaration
from tiergate.store import Capability, Unsupported
from tiergate.testing import StoreContract
from tiergate_plugins.storage.json_store import JsonStore as Sound
from tiergate_plugins.storage.sqlite_store import SqliteStore

class IgnoresVersion(Sound):
    def upsert_tasks(self, session_id, tasks, *, expected_version):
        return super().upsert_tasks(session_id, tasks, expected_version=self.load(session_id).version)

class SavesStale(Sound):
    def save(self, session):
        held = self.load(session.id).version if session.id in self.ids() else 0
        return super().save(msgspec.structs.replace(session, version=held))

class LosesExtra(Sound):
    def load(self, session_id):
        session = super().load(session_id)
        tasks = tuple(msgspec.structs.replace(task, extra={}) for task in session.tasks)
        return msgspec.structs.replace(session, tasks=tasks)

class Reorders(Sound):
    def load(self, session_id):
        session = super().load(session_id)
        return msgspec.structs.replace(session, tasks=tuple(sorted(session.tasks, key=lambda task: task.id)))

class Forgets(Sound):
    def __init__(self, folder, *, durable=True, writable=True):
        for file in folder.iterdir() if folder.is_dir() else ():
            file.unlink()
        super().__init__(folder, durable=durable, writable=writable)

class KeyError_(Sound):
    def load(self, session_id):
        return {name: super(KeyError_, self).load(name) for name in self.ids()}[session_id]

class Unsorted(Sound):
    def ids(self):
        return super().ids()[::-1]

class IgnoresLimit(Sound):
    def query(self, query):
        return super().query(msgspec.structs.replace(query, limit=None))

class IgnoresOrder(Sound):
    def query(self, query):
        return super().query(msgspec.structs.replace(query, order="id"))

class CasesMatter(Sound):
    def query(self, query):
        text = query.text or ""
        return [hit for hit in super().query(query) if text in hit.task.title or text in hit.task.notes]

class CriesWolf(Sound):
    def verify(self):
        return [self]

class Boasts(Sound):
    def transaction(self):
        raise Unsupported("Boasts does not support transactions")

class Rewinds(Sound):
    def save(self, session):
        version = super().save(session)
        if session.version == 0 and version > 1:
            self.load = lambda name: msgspec.structs.replace(Sound.load(self, name), version=1)
            return 1
        return version

class StandsStill(Sound):
    def changes(self):
        return 7

class WritesAnyway(Sound):
    def __init__(self, folder, *, durable=True, writable=True):
        super().__init__(folder, durable=durable)

class Searches(Sound):
    capabilities = Sound.capabilities - {Capability.TEXT_SEARCH}

class DoesItAgain(Sound):
    def kept_result(self, key):
        return None

class HalfTransaction(SqliteStore):
    def transaction(self):
        from contextlib import nullcontext
        return nullcontext()

class Suite(StoreContract):
    @pytest.fixture
    def declaration(self, request):
        build = globals()[request.cls.__name__.removeprefix("Test")]

        def open_store(address):
            address.require_options(("mode",))
            return build(Path(address.path), durable=False, writable=address.options.get("mode") != "ro")

        return StoreDeclaration(name="s", summary="", open=open_store, capabilities=build.capabilities)
"""

FINE = "test_closing_twice"
"""What none of them breaks."""

BREAKS = {
    "IgnoresVersion": (
        "test_a_stale_write_writes_nothing",
        "Store.upsert_tasks: StaleVersion: the store holds another version; it raised nothing",
    ),
    "SavesStale": (
        "test_a_stale_write_writes_nothing",
        "Store.save: StaleVersion: the store holds another version; it raised nothing",
    ),
    "LosesExtra": ("test_everything_comes_back", "Store.load: one session with all its tasks"),
    "Reorders": ("test_tasks_keep_their_order", "Store.load: tasks in the order in which they were saved"),
    "Forgets": (
        "test_what_was_written_is_there_after_opening_again",
        "Store: a write that returned is durable",
    ),
    "KeyError_": ("test_what_is_not_there", "SessionNotFound: there is none of that id; it raised KeyError"),
    "Unsorted": ("test_ids_are_sorted", "Store.ids: the ids of all sessions, sorted"),
    "IgnoresLimit": ("test_order_and_limit", "TaskQuery.limit: at most that many"),
    "IgnoresOrder": ("test_order_and_limit", "TaskQuery.order: - in front for descending"),
    "CasesMatter": ("test_text", "TaskQuery.text: title or notes contain this text, ignoring ASCII case"),
    "CriesWolf": ("test_a_good_store_has_no_damage", "Store.verify: an empty list when nothing is damaged"),
    "Boasts": ("test_a_transaction_is_one_write", "Boasts does not support transactions"),
    "Rewinds": ("test_delete", "Store: a version is never used twice"),
    "StandsStill": ("test_every_write_is_counted", "Store.changes: a counter that every write raises"),
    "WritesAnyway": (
        "test_read_only",
        "Capability.READ_ONLY: every write raises `ReadOnly`; it raised nothing",
    ),
    "Searches": ("test_text", "Unsupported: the store lacks `Capability.TEXT_SEARCH`; it raised nothing"),
    "DoesItAgain": (
        "test_a_write_with_a_key_takes_effect_once",
        "Store.once: where the key was used before, nothing is written",
    ),
    "HalfTransaction": (
        "test_a_transaction_that_fails_writes_nothing",
        "Store.transaction: all of them, or none",
    ),
}
"""The test that catches each, and what it says."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a plugin author sees, by store: one run of pytest over all of them."""
    folder = tmp_path_factory.mktemp("author")
    suites = [f"class Test{name}(Suite): pass\n" for name in ("Sound", *BREAKS)]
    (folder / "test_author.py").write_text(STORES + "\n".join(suites))
    cases = ["TestSound", *(f"Test{name}::{test}" for name, (test, _) in BREAKS.items())]
    cases += [f"Test{name}::{FINE}" for name in BREAKS]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfEp", "--tb=line", "-q"]
    run = subprocess.run(
        [*command, *(f"test_author.py::{case}" for case in cases)],
        cwd=folder,
        env={**os.environ, "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
    )
    return {name: _lines(run.stdout, name) for name in ("Sound", *BREAKS)}


def _lines(output: str, name: str) -> str:
    return "\n".join(line for line in output.splitlines() if f"::Test{name}::" in line)


def test_a_sound_store_passes(reports: dict[str, str]) -> None:
    assert "PASSED" in reports["Sound"]
    assert "FAILED" not in reports["Sound"]
    assert "ERROR" not in reports["Sound"]


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_store_fails_with_the_promise_it_breaks(reports: dict[str, str], name: str) -> None:
    test, promise = BREAKS[name]
    lines = reports[name].splitlines()
    assert any(line.startswith("FAILED") and f"::{test}" in line and promise in line for line in lines), lines
    assert f"PASSED test_author.py::Test{name}::{FINE}" in lines, "only what is broken fails"
