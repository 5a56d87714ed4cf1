"""The router suite finds what is wrong with broken routers, and says which promise they break."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUTERS = """
import itertools, random
import pytest
from tiergate.hooks import RouterDeclaration
from tiergate.routing import Choice, Router
from tiergate.testing import RouterContract

class Sound(Router):
    def choose(self, facts, pool):
        if not pool.workers:
            raise LookupError("no worker")
        return Choice(pool.workers[0].tier, pool.workers[0].name, 0.1)

class UnknownWorker(Router):
    def choose(self, facts, pool):
        return Choice("hot", "nobody")

class MissingTier(Router):
    def choose(self, facts, pool):
        return Choice("hot")

class WrongTier(Router):
    def choose(self, facts, pool):
        return Choice(pool.workers[0].tier, pool.workers[-1].name)

class NoTier(Router):
    def choose(self, facts, pool):
        return Choice()

class Endless(Sound):
    def choose(self, facts, pool):
        tier = super().choose(facts, pool).tier
        return Choice(tier, None, float("inf"))

class Unseeded(Sound):
    def choose(self, facts, pool):
        worker = random.choice(pool.workers)
        return Choice(worker.tier, worker.name)

class Shared(Sound):
    count = itertools.count()
    def choose(self, facts, pool):
        if not pool.workers:
            raise LookupError("no worker")
        worker = pool.workers[next(self.count) % len(pool.workers)]
        return Choice(worker.tier, worker.name)

class Raises(Sound):
    def choose(self, facts, pool):
        len(facts.session)
        return super().choose(facts, pool)

class Peeks(Sound):
    def choose(self, facts, pool):
        self.setup.sealed[facts.request]
        return super().choose(facts, pool)

@pytest.fixture
def build(request):
    return globals()[request.cls.__name__.removeprefix("Test")]

class Suite(RouterContract):
    @pytest.fixture
    def declaration(self, build):
        return RouterDeclaration(name="r", summary="", build=build)
"""

BREAKS = {
    "UnknownWorker": "there is no 'nobody'",
    "MissingTier": "a tier of the pool; 'hot' has no worker in it",
    "WrongTier": "Choice.worker: a worker of the tier",
    "NoTier": "True for a policy that names a tier for every request",
    "Endless": "Choice.estimate_s: expected service time in seconds, finite",
    "Unseeded": "must not depend on anything but its arguments",
    "Shared": "must not depend on anything but its arguments",
    "Raises": "TypeError",
    "Peeks": "TypeError",
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a plugin author sees, by router: one run of pytest over all of them."""
    folder = tmp_path_factory.mktemp("author")
    suites = [f"class Test{name}(Suite): pass\n" for name in ("Sound", *BREAKS)]
    (folder / "test_author.py").write_text(ROUTERS + "\n".join(suites))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfEp", "--tb=line", "-q"]
    wide = {**os.environ, "COLUMNS": "1000"}
    run = subprocess.run(
        [*command, str(folder)], cwd=folder, env=wide, capture_output=True, text=True, check=False
    )
    return {name: _lines(run.stdout, name) for name in ("Sound", *BREAKS)}


def _lines(output: str, name: str) -> str:
    return "\n".join(line for line in output.splitlines() if f"::Test{name}::" in line)


def test_a_sound_router_passes(reports: dict[str, str]) -> None:
    assert "PASSED" in reports["Sound"]
    assert "FAILED" not in reports["Sound"]
    assert "ERROR" not in reports["Sound"]


@pytest.mark.parametrize(("name", "promise"), BREAKS.items())
def test_a_broken_router_fails_with_the_promise_it_breaks(
    reports: dict[str, str], name: str, promise: str
) -> None:
    failures = [line for line in reports[name].splitlines() if line.startswith("FAILED")]
    assert any(promise in line for line in failures), reports[name]


def test_the_fixture_that_must_be_overridden_says_so(tmp_path: Path) -> None:
    (tmp_path / "test_author.py").write_text(
        "from tiergate.testing import RouterContract, StoreContract\n"
        "class TestRouter(RouterContract): pass\nclass TestStore(StoreContract): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-k", "builds or new_store"]
    run = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    for kind in ("RouterDeclaration", "StoreDeclaration"):
        assert f"override the fixture `declaration`: return the {kind} to test" in run.stdout
