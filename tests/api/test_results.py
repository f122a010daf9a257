"""What a notebook gets back: runs, a board and a comparison, with the numbers that the store holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import xlt_bench
from tests.support.commands import process_environment
from tests.support.plugins import GOOD, write_plugin
from xlt_bench.errors import ConfigError

FAILS_WITH_SEED_1 = "if seed == 1:\n    raise RuntimeError('<boom>')\n" + GOOD


pytestmark = pytest.mark.usefixtures("toy_installed")


@pytest.fixture
def runs(plugin: str) -> xlt_bench.Runs:
    return xlt_bench.run(plugin, "joshi5", task="toy", seeds=2, device="cpu", store="s")


def test_runs_are_a_sequence_of_records(runs: xlt_bench.Runs) -> None:
    assert [record.cell.seed for record in runs] == [0, 1]
    assert runs[0].cell.seed == 0
    assert [record.cell.seed for record in runs[1:]] == [1]
    assert not runs.failed


def test_their_text_is_short_and_says_the_means(runs: xlt_bench.Runs) -> None:
    text = repr(runs)
    assert text.startswith("2 runs of ")
    assert "on toy, sources joshi5, seeds 0, 1: " in text
    assert len(text) < 200
    for group, codes in runs[0].groups.items():
        expected = np.mean([record.accuracy[code] for record in runs for code in codes])
        assert runs.accuracy()[group] == pytest.approx(expected)
        assert f"{group} {100 * expected:.1f}%" in text


def test_accuracies_as_a_table(runs: xlt_bench.Runs) -> None:
    frame = runs.to_pandas()
    assert len(frame) == sum(len(record.accuracy) for record in runs)
    row = frame[(frame.seed == 1) & (frame.language == "tha_Thai")].iloc[0]
    assert row.accuracy == runs[1].accuracy["tha_Thai"]


def test_predictions_give_the_accuracies_back(runs: xlt_bench.Runs) -> None:
    answers = runs.predictions()
    assert len(answers) == 2 * 12 * len(runs[0].accuracy)
    means = answers.groupby(["seed", "language"]).correct.mean()
    for record in runs:
        for code, accuracy in record.accuracy.items():
            assert means[record.cell.seed, code] == pytest.approx(accuracy)


def test_failed_runs_are_told(tmp_path: Path) -> None:
    runs = xlt_bench.run(write_plugin(tmp_path, FAILS_WITH_SEED_1), "joshi5", task="toy", seeds=2, store="s")
    assert [record.cell.seed for record in runs.failed] == [1]
    assert "1 failed: predict raises RuntimeError: <boom>" in repr(runs)
    assert set(runs.predictions().seed) == {0}
    assert runs.to_pandas().error.notna().sum() == 1
    assert "&lt;boom&gt;" in runs._repr_html_()
    assert "<boom>" not in runs._repr_html_()


def test_the_board_as_text_table_latex_page_and_figure(runs: xlt_bench.Runs, tmp_path: Path) -> None:
    board = xlt_bench.leaderboard("s")
    assert repr(board).startswith("Board of toy (data ")
    label = runs[0].row_label
    assert label in str(board)
    frame = board.to_pandas()
    row = frame[frame.group == "unseen"].iloc[0]
    assert row.value == pytest.approx(runs.accuracy()["unseen"], abs=1e-6)
    assert "\\begin{table*}" in board.to_latex()
    assert r"\label{tab:x}" in board.to_latex(label="tab:x", width="column", columns=["runs"])
    assert board.to_markdown().startswith("# ")
    page = board.to_html(tmp_path / "board.html")
    assert (tmp_path / "board.html").read_text(encoding="utf-8") == page
    assert "<html" in page
    assert '"bootstrap":[' in page  # all that `leaderboard -o board.html` shows, which the board itself does not hold
    assert board._repr_html_().startswith("<pre")


def test_a_figure_of_the_board(runs: xlt_bench.Runs, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    board = xlt_bench.leaderboard("s")
    for kind in ("intervals", "languages"):
        board.plot(kind).savefig(tmp_path / f"{kind}.png")  # type: ignore[arg-type]
        assert (tmp_path / f"{kind}.png").stat().st_size > 1000
    with pytest.raises(ConfigError, match="no section 2; there are: 1 Cross-lingual"):
        board.plot(section=2)
    with pytest.raises(ConfigError, match="no figure 'pie'; there are: intervals, languages"):
        board.plot("pie")  # type: ignore[arg-type]


def test_two_rows_are_compared_by_runs_or_by_name(runs: xlt_bench.Runs, plugin: str) -> None:
    other = xlt_bench.run("majority", "joshi5", task="toy", seeds=2, store="s")
    comparison = xlt_bench.compare(runs, other)
    assert comparison == xlt_bench.compare(runs.configuration[:8], "majority", "s")
    (group,) = [row for row in comparison.to_pandas().itertuples() if row.group == "unseen"]
    assert group.difference == pytest.approx(runs.accuracy()["unseen"] - other.accuracy()["unseen"])
    assert len(comparison.by_language()) == len(runs[0].accuracy)
    assert "majority" in str(comparison)
    assert repr(comparison).startswith(f"A: {runs[0].row_label}; B: majority.")
    with pytest.raises(ConfigError, match="these are no runs, and make no row"):
        xlt_bench.compare(runs.failed, other)


def test_a_board_is_of_one_task(runs: xlt_bench.Runs, tmp_path: Path) -> None:
    xlt_bench.run("majority", "eng_Latn", task="cldr", targets="deu_Latn", seeds=1, store="s")
    with pytest.raises(ConfigError, match=r"there are 2; choose one: task='cldr@\w{4}', task='toy@\w{4}'"):
        xlt_bench.leaderboard("s")
    assert repr(xlt_bench.leaderboard("s", task="cldr")).startswith("Board of cldr")


def test_leaderboard_can_be_called_whatever_was_imported_before(tmp_path: Path) -> None:
    """The package of boards bears the same name."""
    code = (
        "import xlt_bench.leaderboard.board.model\nimport xlt_bench\n"
        "try:\n    xlt_bench.leaderboard('none')\nexcept xlt_bench.XltBenchError as error:\n    print(error)\n"
        "from xlt_bench import leaderboard\nassert callable(leaderboard)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=process_environment()
    )
    assert finished.returncode == 0, finished.stderr


def test_runs_of_several_rows_have_no_mean_in_common(plugin: str) -> None:
    weak, strong = (
        xlt_bench.run(plugin, "joshi5", task="toy", seeds=1, device="cpu", store="s", settings={"strength": strength})
        for strength in (1, 2)
    )
    both = xlt_bench.Runs((*weak, *strong), weak.store)
    assert repr(both) == "2 runs of 2 rows on toy, seeds 0"
    with pytest.raises(ConfigError, match="make 2 rows; take those of one"):
        both.accuracy()


def test_python_takes_what_the_commands_take(runs: xlt_bench.Runs) -> None:
    assert xlt_bench.leaderboard("s", languages="random", superseded=True)
    with pytest.raises(ConfigError, match="no languages 'some'"):
        xlt_bench.leaderboard("s", languages="some")
    with pytest.raises(ConfigError, match="languages='random' needs the bootstrap"):
        xlt_bench.compare(runs, runs, languages="random", interval="seeds")


def test_a_width_that_there_is_not(runs: xlt_bench.Runs) -> None:
    board = xlt_bench.leaderboard("s")
    with pytest.raises(ConfigError, match="no width 'wide'"):
        board.to_latex(width="wide")
    with pytest.raises(ConfigError, match="names no group"):
        board.to_latex(groups=[])
