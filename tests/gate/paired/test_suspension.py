"""A machine that sleeps while it is measured: noticed, and said."""

from __future__ import annotations

import time

import pytest

from tiergate.gate.paired.suspension import remarks, suspended_s


def test_what_passes_while_awake_is_no_sleep() -> None:
    before = suspended_s()
    time.sleep(0.01)
    assert abs(suspended_s() - before) < 0.5
    assert remarks(before, suspended_s()) == []


def test_a_sleep_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(time, "CLOCK_BOOTTIME"):
        pytest.skip("this system has no clock that goes on while it sleeps")
    before, real = suspended_s(), time.clock_gettime
    monkeypatch.setattr(
        time, "clock_gettime", lambda clock: real(clock) + (90 if clock == time.CLOCK_BOOTTIME else 0)
    )
    assert remarks(before, suspended_s()) == ["the machine slept for 90 s meanwhile"]
