"""The pool suite passes a pool that is nothing like the local one, and names what breaks the broken ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

MODULES = Path(__file__).parent / "modules"

AUTHOR = """
import os, signal
import pytest
import fork_pool
from tiergate.hooks import PoolDeclaration
from tiergate.testing import PoolContract

def kill(pool, name):
    (slot,) = [slot for slot in pool.slots if slot.name == name]
    os.kill(slot.pid, signal.SIGKILL)

class Suite(PoolContract):
    PATIENCE_S = 20.0

    @pytest.fixture
    def declaration(self, request):
        build = getattr(fork_pool, request.cls.__name__.removeprefix("Test"))
        return PoolDeclaration(name="fork", summary="", build=build)

    @pytest.fixture
    def kill_worker(self):
        return kill
"""

BREAKS = {
    "ForgetsTheWork": ("work_is_stopped", "DeadlineExceeded: … the work was stopped"),
    "TakesEverything": ("full_queue", "the queue is full; the request was not taken"),
    "RaisesRefusals": ("refused_is_a_reply", "an operation that refused it is a reply with a failure"),
    "NamesNobody": ("test_answers", "Reply.worker: name of the worker that answered"),
    "IgnoresChoices": ("choice_is_carried_out", "where this request goes"),
    "RepeatsWrites": ("write_without_a_key", "may not be repeated"),
    "TriesForEver": ("ends_workers", "Quarantined: two workers ended while they served it"),
    "ForgetsKeys": ("write_with_a_key", "so that it takes effect once"),
    "TellsNobody": ("events_and_counters", "each event is told as it happens"),
    "DrainsOnly": ("test_drain", "requests that come meanwhile raise WorkerDied"),
    "LastFirst": ("serves_in_order", "whichever is free first takes the oldest"),
    "ReadsOldCounts": ("one_history", "every tier reads its own writes and those of the others"),
}


def run_author(folder: Path, classes: list[str], words: str) -> str:
    suites = [f"class Test{name}(Suite): pass\n" for name in classes]
    (folder / "test_author.py").write_text(AUTHOR + "\n".join(suites))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfEp", "--tb=line", "-q"]
    environment = {**os.environ, "COLUMNS": "1000", "PYTHONPATH": str(MODULES)}
    run = subprocess.run(
        [*command, "-k", words, str(folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a plugin author sees, by pool: each broken one under the check that it should fail."""
    words = " or ".join(f"(Test{name} and {check})" for name, (check, _) in BREAKS.items())
    output = run_author(tmp_path_factory.mktemp("author"), list(BREAKS), words)
    return {
        name: "\n".join(line for line in output.splitlines() if f"::Test{name}::" in line) for name in BREAKS
    }


@pytest.mark.parametrize(("name", "promise"), [(name, promise) for name, (_, promise) in BREAKS.items()])
def test_a_broken_pool_fails_with_the_promise_it_breaks(
    reports: dict[str, str], name: str, promise: str
) -> None:
    failures = [line for line in reports[name].splitlines() if line.startswith("FAILED")]
    assert any(promise in line for line in failures), reports[name]


def test_a_sound_pool_of_another_kind_passes(tmp_path: Path) -> None:
    output = run_author(tmp_path, ["Sound"], "TestSound")
    lines = [line for line in output.splitlines() if "::TestSound::" in line]
    assert len([line for line in lines if line.startswith("PASSED")]) > 20, output
    assert not [line for line in lines if line.startswith(("FAILED", "ERROR"))], "\n".join(lines)
