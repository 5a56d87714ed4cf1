"""Command lines run in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.cli import main
from tiergate.model import Session, Status, Task
from tiergate.plugins import PluginHost

Cli = Callable[..., tuple[int, str, str]]
Fill = Callable[..., None]

EVIL = "red \x1b[31m\x07 \u202etitle\nin two lines"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run ``tiergate WORDS`` there: its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    for variable in ("TIERGATE_DEBUG", "TIERGATE_DISABLE_PLUGINS", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        code = main(words)
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def fill(cli: Cli) -> Fill:
    """Save sessions in the store at an address."""

    def call(address: str, *sessions: Session) -> None:
        with PluginHost().opener().open(address) as store:
            for session in sessions:
                store.save(session)

    return call


@pytest.fixture
def work() -> list[Session]:
    """Two sessions: one with every status and a title that would act on a terminal, one with little."""
    tasks = [
        Task(id=f"t{number}", title=f"Task {number}", status=status, weight=float(number))
        for number, status in enumerate(Status)
    ]
    tasks[1] = Task(
        id="t1",
        title=EVIL,
        notes="first\n" + "long " * 100 + "end",
        status=Status.ACTIVE,
        weight=7.5,
        dependencies=("t0", "gone"),
        source_status="doing",
        extra={"estimate": 3},
    )
    return [
        Session(id="beta", title="日本語", tasks=tuple(tasks)),
        Session(id="alpha", title="First", tasks=(Task(id="t0", title="Only"),)),
    ]
