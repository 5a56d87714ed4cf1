"""Several processes that apply to one store at once: one of them does, and the others are refused."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from apply_desk import Desk, made, with_state

DRIVER = Path(__file__).with_name("apply_at_once.py")
NAMES = ("first", "second", "third")

pytestmark = pytest.mark.integration


def outcomes(folder: Path, scheme: str, states: list[Path]) -> list[str]:
    """What each of the processes says that began at once, by the order of their names."""
    running = [
        subprocess.Popen(
            [sys.executable, str(DRIVER), str(folder), scheme, str(state), name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, state in zip(NAMES, states, strict=True)
    ]
    try:
        while not all((folder / f"ready-{name}").exists() for name in NAMES):
            assert all(one.poll() is None for one in running), [one.communicate() for one in running]
            time.sleep(0.01)
        (folder / "go").touch()
        said = [one.communicate(timeout=120) for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert all(one.returncode == 0 for one in running), said
    return [out.strip() for out, _ in said]


@pytest.mark.parametrize("shared", [True, False], ids=["one state folder", "a state folder each"])
@pytest.mark.parametrize("scheme", ["json", "jsonfile", "sqlite"])
def test_one_of_three_is_applied(tmp_path: Path, scheme: str, *, shared: bool) -> None:
    states = [tmp_path / "state" if shared else tmp_path / f"state-{name}" for name in NAMES]
    Desk(tmp_path, scheme).save(*(made(f"s{number}", "one") for number in range(20)))
    said = outcomes(tmp_path, scheme, states)
    assert said.count("applied") == 1
    assert all("nothing was written" in line for line in said if line != "applied")
    winner = said.index("applied")
    desk = with_state(Desk(tmp_path, scheme), states[winner])
    assert desk.content() == {f"s{n}": made(f"s{n}", "one", NAMES[winner]) for n in range(20)}
    assert [step.outcome for step in desk.history() if step.outcome != "cancelled"] == ["applied"]
    desk.undo()
    assert desk.content() == {f"s{n}": made(f"s{n}", "one") for n in range(20)}
