"""What would make the driver late, put aside while it sends."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SET_TIMER_SLACK, _GET_TIMER_SLACK = 29, 30
"""Options of Linux's prctl(2)."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection, and timers that are not put off."""
    with _no_garbage_collection(), _prompt_timers():
        yield


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A collection in the driver would make it late, and the delay would look like the pool's."""
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _prompt_timers() -> Iterator[None]:
    """Linux may put every sleep of a thread off by its timer slack, 50 µs unless changed: every start would
    be late by as much. It is asked for one nanosecond instead, and the driver need not spin.
    """
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None).prctl
    before = prctl(_GET_TIMER_SLACK, 0, 0, 0, 0)
    prctl(_SET_TIMER_SLACK, ctypes.c_ulong(1), 0, 0, 0)
    try:
        yield
    finally:
        prctl(_SET_TIMER_SLACK, ctypes.c_ulong(max(before, 0)), 0, 0, 0)
