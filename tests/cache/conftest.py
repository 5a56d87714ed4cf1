"""What the tests of the cache share."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tiergate.model import Session
from tiergate.plugins import PluginHost
from tiergate.store import Store
from tiergate.testing import make_session, make_task

FILES = {"sqlite": "store.db", "json": "work", "jsonfile": "work.json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of every cache that `open_cached` opens."""
    return tmp_path / "cache"


@pytest.fixture
def open_cached(tmp_path: Path, folder: Path) -> Iterator[Callable[..., Store]]:
    """Opens the store of a kind with the cache in front of it; options are those of the cache."""
    opener = PluginHost().opener()
    opened: list[Store] = []

    def open_one(kind: str = "sqlite", **options: object) -> Store:
        given = {"dir": folder, **options}
        rest = "".join(f"&zstd.{name}={value}" for name, value in given.items())
        opened.append(opener.open(f"zstd+{kind}:{tmp_path}/{FILES[kind]}?durability=normal{rest}"))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def forward(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock forward by some seconds."""
    now = time.time
    ahead = [0.0]
    monkeypatch.setattr(time, "time", lambda: now() + ahead[0])

    def move(seconds: float) -> None:
        ahead[0] += seconds

    return move


@pytest.fixture
def noise() -> Callable[[str, int], Session]:
    """Makes a session whose content takes about so many bytes, however well it is compressed."""

    def make(name: str, size: int) -> Session:
        return make_session(name, make_task("t", notes=random.Random(name).randbytes(size // 2).hex()))

    return make


@pytest.fixture
def prose() -> Callable[[int], Session]:
    """Makes the session of a number, of words that sessions share."""

    def make(number: int) -> Session:
        draw = random.Random(number)
        words = "plan store cache session worker tier router balance momentum queue copy verify".split()
        tasks = [make_task(f"t{n}", notes=" ".join(draw.choices(words, k=60))) for n in range(2)]
        return make_session(f"s{number}", *tasks)

    return make
