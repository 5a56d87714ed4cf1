"""The router suite finds what is wrong with broken routers, and says which promise they break."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUTERS = """
import itertools, math, random
from zlib import crc32
import pytest
from msgspec.structs import replace
from tiergate.hooks import RouterDeclaration
from tiergate.routing import Choice, Explanation, Router
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

class Stretched(Sound):
    keeps_sessions = True
    def order(self, facts, pool):
        if not pool.workers:
            raise LookupError("no worker")
        return sorted(pool.workers, key=lambda found: crc32(f"{facts.session!r}{found.name}".encode()))
    def choose(self, facts, pool):
        worker = self.order(facts, pool)[0]
        return Choice(worker.tier, worker.name)

class Reshuffles(Stretched):
    def choose(self, facts, pool):
        self.order(facts, pool)
        worker = pool.workers[crc32(repr(facts.session).encode()) % len(pool.workers)]
        return Choice(worker.tier, worker.name)

class Wanders(Stretched):
    turn = 0
    def choose(self, facts, pool):
        self.turn += 1
        order = self.order(facts, pool)
        worker = order[self.turn // 7 % len(order)]
        return Choice(worker.tier, worker.name)

class KeepsNothing(Stretched):
    def choose(self, facts, pool):
        return Choice(self.order(facts, pool)[0].tier)

class Clings(Stretched):
    def choose(self, facts, pool):
        self.seen = getattr(self, "seen", {})
        name = self.seen.setdefault(facts.session, self.order(facts, pool)[0])
        return Choice(name.tier, name.name)

class SaysOtherwise(Sound):
    def explain(self, facts, pool):
        return replace(super().explain(facts, pool), worker="another")

class DrawsToExplain(Sound):
    def __init__(self, setup):
        super().__init__(setup)
        self.draw = random.Random(1)
    def choose(self, facts, pool):
        if not pool.workers:
            raise LookupError("no worker")
        worker = self.draw.choice(pool.workers)
        return Choice(worker.tier, worker.name)
    def explain(self, facts, pool):
        choice = self.choose(facts, pool)
        return Explanation(features={"a": 1}, estimate_s=0.0, uncertainty=None, tier=choice.tier,
                           worker=choice.worker, reason="Drawn.")

class Mute(Sound):
    def explain(self, facts, pool):
        return replace(super().explain(facts, pool), reason="")

class TooSure(Sound):
    def explain(self, facts, pool):
        return replace(super().explain(facts, pool), uncertainty=0.5)

class Rambles(Sound):
    def notices(self):
        return ["first" + chr(10) + "second"]

class OneText(Sound):
    def notices(self):
        return "stepped back"

class Chokes(Sound):
    def completed(self, facts, choice, service_s):
        math.log(service_s)

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
    "Reshuffles": "sessions of other workers moved too",
    "Wanders": "requests of one session go to one worker of a tier",
    "KeepsNothing": "it named no worker",
    "Clings": "it chose one that is not",
    "SaysOtherwise": "why `choose`, called now with the same arguments, would choose",
    "DrawsToExplain": "no later choice differs because of it",
    "Mute": "Explanation.reason: one sentence; it is empty",
    "TooSure": "Explanation.uncertainty: a factor, at least 1",
    "Rambles": "Router.notices: one line each",
    "OneText": "Router.notices: what it has to say, as a sequence of texts",
    "Chokes": "ValueError: math domain error",
}
SOUND = ("Sound", "Stretched")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a plugin author sees, by router: one run of pytest over all of them."""
    folder = tmp_path_factory.mktemp("author")
    suites = [f"class Test{name}(Suite): pass\n" for name in (*SOUND, *BREAKS)]
    (folder / "test_author.py").write_text(ROUTERS + "\n".join(suites))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfEp", "--tb=line", "-q"]
    wide = {**os.environ, "COLUMNS": "1000"}
    run = subprocess.run(
        [*command, str(folder)], cwd=folder, env=wide, capture_output=True, text=True, check=False
    )
    return {name: _lines(run.stdout, name) for name in (*SOUND, *BREAKS)}


def _lines(output: str, name: str) -> str:
    return "\n".join(line for line in output.splitlines() if f"::Test{name}::" in line)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_router_passes(reports: dict[str, str], name: str) -> None:
    assert "PASSED" in reports[name]
    assert "FAILED" not in reports[name]
    assert "ERROR" not in reports[name]


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
