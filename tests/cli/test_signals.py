"""Signals that end a command."""

from __future__ import annotations

import signal

import pytest

from tiergate.cli.signals import stopped_by_sigterm


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_sigterm_stops_a_command_in_the_background_too(handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt), stopped_by_sigterm():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
