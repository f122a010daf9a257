"""What a run shows while it runs: named work with a position and a time, in a pipe, on a terminal and in a notebook."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

from rich.console import Console

from xlt_bench.method import Activity, Progress
from xlt_bench.progress import Tracker, console_display
from xlt_bench.progress.lines import ProgressLine, duration
from xlt_bench.progress.notebook import NotebookDisplay
from xlt_bench.progress.plain import PlainDisplay


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Kept:
    """A display that keeps what it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def changed(self) -> None:
        """Nothing to keep."""

    def evaluated(self, line: ProgressLine) -> None:
        """Nothing to keep."""

    def fitted(self, line: ProgressLine) -> None:
        self.texts.append(line.text(with_time_left=False))

    def note(self, text: str) -> None:
        self.texts.append(text)


def console(terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=120, force_terminal=terminal, markup=False, highlight=False), out


def two_runs(progress: Progress, seeds: tuple[int, int] = (0, 1)) -> None:
    """What the runner and a method tell of two runs."""
    for seed in seeds:
        progress.activity(Activity("training", f"seed {seed}"))
        progress.activity(Activity("encoding", "900 texts as tokens"))
        progress.activity(Activity("training"))
        for steps in (10, 20):
            progress.step(seed, steps, 20, 0.5, 32)
        progress.evaluated(seed, 20, 0.75)
        predicting = Activity("predicting", f"seed {seed}", total=2, unit="language")
        for languages in (0, 1, 2):
            progress.activity(Activity(**{**vars(predicting), "completed": languages, "items": 100 * languages}))
        progress.activity(Activity("writing", f"seed {seed}"))


def test_plain_lines_in_a_pipe() -> None:
    pipe, out = console(False)
    with console_display(pipe, "xpe", 2) as progress:
        two_runs(progress)
    lines = out.getvalue().splitlines()
    assert [line[: line.index(", dev")] for line in lines] == [
        "xpe training seed 0 (1 of 2): step 20 of 20, loss 0.500",
        "xpe training seed 1 (2 of 2): step 20 of 20, loss 0.500",
    ]
    assert "\x1b" not in out.getvalue()


def test_a_label_is_no_markup() -> None:
    pipe, out = console(False)
    with console_display(pipe, "[red]x[/red]") as progress:
        two_runs(progress)
    assert out.getvalue().startswith("[red]x[/red] training seed 0: step")


def test_silence_is_broken_by_what_goes_on() -> None:
    pipe, out = console(False)
    with PlainDisplay(pipe, "centroid", 1, first_silence=0.05, later_silence=0.1) as progress:
        progress.activity(Activity("predicting", "seed 0", 37, 198, "language", 7548))
        time.sleep(0.3)
    lines = out.getvalue().splitlines()
    assert 2 <= len(lines) <= 4
    assert all(line.startswith("centroid predicting seed 0: language 37 of 198, ") for line in lines)
    assert "items/s" in lines[0]
    assert lines[0].endswith(" left")


def test_a_terminal_keeps_a_line_for_every_fit_that_is_over() -> None:
    screen, out = console(True)
    with console_display(screen, "xpe", 2) as progress:
        two_runs(progress)
    for number in range(2):
        assert f"training seed {number} ({number + 1} of 2): step 20 of 20, loss 0.500, dev 75.0%" in out.getvalue()


def test_nothing_told_shows_nothing() -> None:
    pipe, out = console(False)
    with console_display(pipe, "xpe", 0):
        pass
    assert out.getvalue() == ""


def test_a_prediction_says_where_it_is_and_how_long_it_will_take() -> None:
    clock, kept = Clock(), Kept()
    tracker = Tracker(kept, 3, clock)
    tracker.activity(Activity("predicting", "seed 4", 0, 198, "language"))
    clock.now = 37.0
    tracker.activity(Activity("predicting", "seed 4", 37, 198, "language", 7548))
    (line,) = tracker.lines()
    assert line.text() == "predicting seed 4 (1 of 3): language 37 of 198, 204 items/s, 2:41 min left"
    clock.now = 198.0
    tracker.activity(Activity("predicting", "seed 4", 198, 198, "language", 40392))
    tracker.activity(Activity("writing", "seed 4"))
    assert kept.texts == ["predicted seed 4 (1 of 3): 198 languages, 40,392 items, 204 items/s, 3:18 min"]


def test_work_that_counts_nothing_says_since_when() -> None:
    clock = Clock()
    tracker = Tracker(Kept(), 1, clock)
    tracker.activity(Activity("loading", "backbone nano"))
    clock.now = 12.0
    assert [line.text() for line in tracker.lines()] == ["loading backbone nano: 12 s so far"]


def test_rate_and_time_of_a_fit_count_from_its_first_step() -> None:
    clock = Clock()
    tracker = Tracker(Kept(), 1, clock)
    for now, steps in ((100.0, 10), (102.0, 20), (104.0, 30)):
        clock.now = now
        tracker.step(0, steps, 100, 0.25, 32)
    (line,) = tracker.lines()
    assert line.text() == "training seed 0: step 30 of 100, loss 0.250, 160 ex/s, 14 s left"


def test_a_step_ends_the_encoding_that_was_told_before() -> None:
    tracker = Tracker(Kept(), 1)
    tracker.activity(Activity("training", "seed 3"))
    tracker.activity(Activity("encoding", "", 64, 64, "text", 64))
    assert tracker.lines()[0].name == "encoding seed 3"
    tracker.step(3, 1, 5, 0.5, 64)
    assert tracker.lines()[0].name == "training seed 3"


def shown_fits(tell: Callable[[Tracker], None], runs: int) -> list[str]:
    kept = Kept()
    tracker = Tracker(kept, runs)
    tell(tracker)
    tracker.close()
    return [text.split(":")[0].removeprefix("training ") for text in kept.texts]


def test_a_pack_has_a_line_for_each_of_its_fits() -> None:
    def pack(progress: Tracker) -> None:
        progress.activity(Activity("training", "seeds 0, 1"))
        for steps in (10, 20):
            for seed in (0, 1):
                progress.step(seed, steps, 20, 0.5, 32)
        for seed in (0, 1):
            progress.activity(Activity("writing", f"seed {seed}"))
        progress.activity(Activity("training", "seeds 2, 3"))
        progress.step(2, 10, 20, 0.5, 32)

    assert shown_fits(pack, 4) == ["seed 0 (1 of 4)", "seed 1 (2 of 4)", "seed 2 (3 of 4)"]


def test_adapting_names_the_target_and_does_not_count_the_fit_on_the_sources() -> None:
    def full(progress: Tracker) -> None:
        for subject, writes in (("sources, seed 0", False), ("seed 0, yor_Latn", True), ("seed 0, swa_Latn", True)):
            progress.activity(Activity("training", subject))
            progress.step(0, 20, 20, 0.5, 32)
            if writes:
                progress.activity(Activity("writing", subject))

    assert shown_fits(full, 2) == ["sources, seed 0", "seed 0, yor_Latn (1 of 2)", "seed 0, swa_Latn (2 of 2)"]


def test_a_notebook_gets_bars_and_escaped_text() -> None:
    display = NotebookDisplay("<xpe>", 1)
    tracker = display._tracker
    display._drawn = float("inf")  # no kernel to draw in
    tracker.activity(Activity("predicting", "seed 0", 37, 198, "language", 7548))
    html = display.html()
    assert "<b>&lt;xpe&gt;</b>" in html
    assert '<progress value="37" max="198">' in html
    assert "predicting seed 0" in html


def test_durations() -> None:
    assert [duration(seconds) for seconds in (0.4, 59.4, 59.6, 125, 11_400)] == [
        "0 s", "59 s", "1:00 min", "2:05 min", "3:10 h",
    ]  # fmt: skip
