"""What a run shows while it runs: plain lines in a pipe, a display of bounded height on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from xlt_bench.cli.progress import LiveProgress


def told(terminal: bool, fits: list[int], pack: int = 1, label: str = "xpe", stop: int = 20) -> str:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=terminal, markup=False, highlight=False)
    with LiveProgress(console, label, len(fits), pack) as progress:
        for start in range(0, len(fits), pack):
            for done in range(10, stop + 1, 10):
                for seed in fits[start : start + pack]:
                    progress.step(seed, done, 20, 0.5, 32)
            for seed in fits[start : start + pack]:
                progress.evaluated(seed, stop, 0.75)
    return out.getvalue()


def test_plain_lines_in_a_pipe() -> None:
    lines = told(False, [0, 1]).splitlines()
    assert [line[: line.index(" dev")] for line in lines] == [
        "xpe seed 0 (1 of 2): step 20 of 20, loss 0.500",
        "xpe seed 1 (2 of 2): step 20 of 20, loss 0.500",
    ]
    assert "\x1b" not in "".join(lines)


def test_fits_of_one_seed_one_after_the_other() -> None:
    assert [line.split(":")[0] for line in told(False, [0, 0, 0]).splitlines()] == [
        "xpe seed 0 (1 of 3)",
        "xpe seed 0 (2 of 3)",
        "xpe seed 0 (3 of 3)",
    ]


def test_a_label_is_no_markup() -> None:
    assert told(False, [0], label="[red]x[/red]").startswith("[red]x[/red] seed 0")


def test_a_terminal_keeps_a_line_for_every_fit_that_is_over() -> None:
    for pack, stop in ((1, 20), (3, 20), (1, 10), (3, 10)):
        shown = told(True, [0, 1, 2, 3, 4], pack, stop=stop)
        for number in range(5):
            assert f"seed {number} ({number + 1} of 5): step {stop} of 20, loss 0.500 dev 75.0%" in shown


def test_nothing_to_run_shows_nothing() -> None:
    assert told(True, []) == ""
