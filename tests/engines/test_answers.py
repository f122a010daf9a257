"""What workers say: Records at once, what they are doing now and then, and their last words."""

from __future__ import annotations

import io
import signal

import pytest

from tests.support.records import predictions, record
from xlt_bench.engines.answers import Answer, Speaker, complaint
from xlt_bench.io.stop_signals import Stopped, StopSignals
from xlt_bench.method import Activity


def test_records_and_notes_are_said_at_once_and_activities_now_and_then() -> None:
    stream, now = io.StringIO(), [0.0]
    speaker = Speaker(stream, seconds=5.0, clock=lambda: now[0])
    made = record(predictions())
    speaker.activity(Activity("loading", "backbone nano"))
    speaker.answer(made)
    speaker.note("seed 3 goes on from its checkpoint at step 100 of 400")
    now[0] = 6.0
    speaker.step(3, 200, 400, 0.5, 32)
    speaker.step(3, 201, 400, 0.5, 32)
    now[0] = 12.0
    speaker.activity(Activity("predicting", "seed 3", completed=2, total=41, unit="language"))
    answers = [Answer.from_line(line) for line in stream.getvalue().splitlines()]
    assert answers == [
        Answer(made.cell.fingerprint, "complete"),
        Answer(note="seed 3 goes on from its checkpoint at step 100 of 400"),
        Answer(doing="seed 3, step 200 of 400"),
        Answer(doing="predicting seed 3 2 of 41"),
    ]


class Unread(io.StringIO):
    """A pipe whose reader is gone."""

    def flush(self) -> None:
        raise BrokenPipeError


def test_where_nobody_reads_a_worker_stops_as_by_a_signal_and_no_error_reaches_the_fit() -> None:
    speaker = Speaker(Unread(), seconds=0.0)
    with pytest.raises(Stopped) as stop, StopSignals():
        speaker.step(3, 200, 400, 0.5, 32)
    assert stop.value.stop_signal is signal.SIGTERM


def test_a_line_of_anything_else_says_nothing() -> None:
    for line in ("submitit INFO", "[1]", '{"unknown": 1}', ""):
        assert Answer.from_line(line) == Answer()


def test_last_words() -> None:
    assert (
        complaint("a warning\nerror: the plan is of version 2\nsrun: error: Exited\n\n")
        == "error: the plan is of version 2"
    )
    assert complaint("a warning\nkilled\n") == "killed"
    assert complaint(" \n") == ""
