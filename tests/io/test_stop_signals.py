"""Signals to leave: obeyed once, repeated ones ignored, and never ignored for good."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest

from xlt_bench.io import stop_signals
from xlt_bench.io.stop_signals import STOPPED_EXIT_CODE, Stopped, StopSignals


def receive(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2])
def test_a_signal_stops_at_once_and_what_a_scheduler_repeats_changes_nothing(number: signal.Signals) -> None:
    with StopSignals():
        with pytest.raises(Stopped) as stopped:
            receive(number)
        receive(number)
        receive(signal.SIGTERM)
    assert (stopped.value.code, stopped.value.stop_signal) == (STOPPED_EXIT_CODE, number)


def test_where_it_is_deferred_it_waits_for_the_end() -> None:
    requested = []

    def step(signals: StopSignals) -> None:
        with signals.deferred():
            receive(signal.SIGTERM)
            requested.append(signals.requested)

    with StopSignals() as signals, pytest.raises(Stopped):
        step(signals)
    assert requested == [True]


def test_code_that_swallows_it_does_not_make_the_process_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_signals, "_REPEATS_SECONDS", 0.0)
    with StopSignals():
        with suppress(BaseException):
            receive(signal.SIGTERM)
        with pytest.raises(Stopped):
            receive(signal.SIGTERM)
