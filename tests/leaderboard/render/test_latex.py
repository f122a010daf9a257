r"""LaTeX tables: what they hold, and that LaTeX sets them without an overfull box in one column and in two."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.leaderboard.render.test_renderings import HOSTILE, fixed_board
from tests.support.board_records import CODES, GROUPS, board_of, run_of, runs
from tests.support.commands import Command
from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.render.latex import ROWS_OF_A_PAGE, LatexOptions, breakable, latex

ONE, TWO = r"\documentclass{article}", r"\documentclass[twocolumn]{article}"


def body_of(text: str) -> list[str]:
    """The lines of the first tabular's rows."""
    match = re.search(r"\\midrule\n(.*?)\n\\bottomrule", text, re.DOTALL)
    assert match is not None
    return match[1].splitlines()


def plain_board() -> BoardContent:
    return board_of([*runs(0.9, label="XPE"), *runs(0.89, label="DUAL"), *runs(0.4, label="SPT")])


def test_a_row_has_its_number_letters_and_interval() -> None:
    board = plain_board()
    (section,) = board.sections
    first = section.rows[0]
    lines = body_of(latex(board))
    assert len(lines) == 2 * len(section.rows)
    name = next(iter(section.groups))
    score = first.scores[name]
    assert f"{100 * score.value:.1f}" in lines[0]
    assert rf"\textsuperscript{{{score.letters}}}" in lines[0]
    assert score.two_way is not None
    assert f"{100 * score.two_way.low:.1f}--{min(100 * score.two_way.high, 100):.1f}" in lines[1]
    assert f"{len(first.seeds)} seeds" in lines[1]
    assert lines[0].count("&") == lines[1].count("&") == len(section.groups)


def test_the_best_is_bold_and_so_is_what_is_not_told_apart_from_it() -> None:
    board = plain_board()
    (section,) = board.sections
    numbers = body_of(latex(board))[::2]
    for row, line in zip(section.rows, numbers, strict=True):
        ranks = [row.scores[name].rank for name in section.groups]
        assert line.count(r"\textbf") == ranks.count(1)
    assert sum(r"\textbf" in line for line in numbers) == 2, "XPE and DUAL tie, SPT does not"
    assert "Bold: no row of the table is shown to be better" in latex(board)


def test_columns_groups_caption_and_label() -> None:
    board = plain_board()
    names = list(board.sections[0].groups)
    options = LatexOptions(("sources", "runs"), (names[1],), "All of 50% & more", "tab:main_1", "column")
    text = latex(board, options)
    assert r"\begin{table}[t]" in text
    assert r"\caption{All of 50\% \& more}\label{tab:main-1}" in text
    head = next(line for line in text.splitlines() if line.startswith("Method"))
    assert head.startswith("Method & Sources & Runs & ")
    assert head.count("&") == 3
    assert f"& {len(board.sections[0].rows[0].seeds)} seeds &" in body_of(text)[0]
    with pytest.raises(ConfigError, match="no group 'unsen'; did you mean 'unseen'"):
        latex(board, LatexOptions(groups=("unsen",)))
    with pytest.raises(ConfigError, match="no column 'source'; did you mean 'sources'"):
        latex(board, LatexOptions(columns=("source",)))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="leave no room for a group in --width column; give fewer columns"):
        latex(board, LatexOptions(columns=("sources", "runs", "evidence", "selected"), width="column"))


def test_groups_that_do_not_fit_stand_in_a_further_table() -> None:
    groups = {f"group-{number}": CODES[2:] for number in range(9)}
    board = board_of(runs(0.9, groups=groups))
    tables = latex(board, LatexOptions(width="column")).split(r"\begin{tabular}")[1:]
    assert len(tables) >= 3
    heads = [re.findall(r"group-(?:\\allowbreak\{\})?(\d)", table.split(r"\midrule")[0]) for table in tables]
    assert [number for head in heads for number in head] == [str(number) for number in range(9)]


def test_a_long_board_goes_on_over_pages() -> None:
    rows = [run for number in range(ROWS_OF_A_PAGE + 1) for run in runs(0.5, 1, label=f"m{number}")]
    text = latex(board_of(rows))
    assert text.count(r"\begin{longtable}") == 1
    assert r"\endhead" in text
    assert r"\begin{table" not in text
    assert r"\begin{longtable}" not in latex(board_of(rows), LatexOptions(width="column"))


def test_long_words_may_be_broken() -> None:
    assert breakable("low_rank.py") == r"low\_\allowbreak{}rank.\allowbreak{}py"
    assert breakable("low_rank") == r"low\_rank"
    assert breakable("x" * 25).count(r"\allowbreak{}") == 2
    assert breakable("one two") == "one two"
    assert breakable("Austronesian") == r"\hspace{0pt}Austronesian"


def test_the_command(program: Command, tmp_path: Path) -> None:
    said = program("leaderboard", "--caption", "x")
    assert (said.code, said.err) == (2, "error: --caption is of LaTeX tables; add --format latex, or leave it out\n")
    output = tmp_path / "board.tex"
    words = ("--task", "sib200", "--columns", "sources", "--width", "page", "--label", "tab:b", "-o", output)
    assert program("leaderboard", *words).code == 0
    assert r"\label{tab:b}" in output.read_text(encoding="utf-8")
    assert "no column 'source'" in program("leaderboard", "--format", "latex", "--columns", "source").err


def log_of(tables: str, document: str, folder: Path) -> str:
    """What pdflatex says of a document with these tables."""
    source = "\n".join([
        document, r"\usepackage[T1]{fontenc}\usepackage{textcomp,array,booktabs,longtable}",
        r"\begin{document}", tables, r"\end{document}",
    ])  # fmt: skip
    (folder / "table.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / "table.log").read_text(encoding="latin-1")
    assert finished.returncode == 0, log[-2000:]
    return log


def wide_board() -> BoardContent:
    names = {"low_rank.py:LowRankPromptOfLength": "seen", "DUAL, 24000 steps, preset released": "joshi5+kat_Geor"}
    groups = {**GROUPS, "low-performing": CODES[3:], "all of Austronesian": CODES[2:], "enarzho": CODES[2:4]}
    return board_of([
        run
        for number, (label, sources) in enumerate(names.items())
        for run in runs(0.9 - 0.2 * number, label=label, sources_label=sources, groups=groups)
    ])  # fmt: skip


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex; apt install texlive-latex-recommended")
@pytest.mark.parametrize(
    ("document", "options"),
    [
        (ONE, LatexOptions()),
        (ONE, LatexOptions(("sources", "runs", "parameters"))),
        (TWO, LatexOptions(width="column")),
        (TWO, LatexOptions(("sources",), width="column")),
    ],
)
def test_latex_sets_it_without_an_overfull_box(document: str, options: LatexOptions, tmp_path: Path) -> None:
    hostile = board_of([run for text in HOSTILE[:4] for run in runs(0.6, label=text)], [run_of(None, label="failed")])
    boards = [plain_board(), wide_board(), fixed_board(), hostile]
    tables = "\n".join(latex(board, options) for board in boards)
    assert "Overfull" not in log_of(tables, document, tmp_path)
