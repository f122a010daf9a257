"""Renderings: what a terminal of 80 columns shows, files that others read back, texts that cannot inject anything."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.board_records import CODES, GROUPS, answers, board_of, floor, only, run_of, runs, shown
from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.boards import boards_of
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.render.latex import latex, latex_text
from xlt_bench.leaderboard.render.markup import markdown, markdown_text
from xlt_bench.leaderboard.render.output import format_of, text_of
from xlt_bench.leaderboard.render.output import only as only_board
from xlt_bench.leaderboard.render.plain_data import as_csv, as_json, safe_cell
from xlt_bench.leaderboard.render.words import letters
from xlt_bench.records.store import Store

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = (
    "[red]x[/red] [/]",
    "<script>alert(1)</script>",
    "a | b\n| c",
    r"\input{/etc/passwd} & 100% $x$ #1 ~_^ {}",
    '=HYPERLINK("http://evil")',
    "[click](javascript:alert(1)) ![x](http://evil/x.png)",
    "\x1b[31mred\x1b[0m\x07",
    "\u202egnihton\u202c \u2066x",
    "`code` **bold** <b>@user</b> &amp;",
    "\ud800 lone",
)


def fixed_board() -> BoardContent:
    """Every kind of row: ranked, one run, failed, with missing languages, at chance, of weaker evidence, skipped."""
    part = answers(0.55, codes=CODES[2:5])
    broken = answers(0.9)
    gold = broken.gold.copy()
    gold[1] = "town"
    told = {"setting": "zero-shot prompt", "sources": (), "sources_label": "none"}
    published = run_of(answers(0.4), label="LLM", evidence="per_language", source="a paper", licence="CC0", **told)
    mean = replace(
        run_of(answers(0.4), label="LLM 2", evidence="aggregate", source="a paper", **told),
        accuracy={},
        group_accuracy={"unseen": 0.375},
        caveats=("Printed without interval.",),
    )
    odd = replace(broken, gold=gold)
    return board_of(
        [
            *runs(0.9, 5),
            *runs(0.6, 5, label="SPT"),
            *floor(),
            (run_of(part, label="part", targets=CODES[2:5]), part),
            (run_of(odd, label="odd"), odd),
        ],
        [run_of(None, seed=9), run_of(None, label="broken"), published, mean],
        bootstrap=True,
        reference="SPT",
    )


@pytest.mark.parametrize("name", ["board.json", "board.md", "board.tex", "board.csv", "board.txt"])
def test_a_board_is_rebuilt_byte_for_byte(name: str) -> None:
    board = fixed_board()
    text = shown(board) if name.endswith("txt") else text_of([board], format_of(None, Path(name)))
    if os.environ.get("XLT_WRITE_GOLDEN"):
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="\n")
    assert text.encode() == (GOLDEN / name).read_bytes()


def test_the_order_of_records_changes_nothing(tmp_path: Path) -> None:
    found = [*runs(0.9), *runs(0.6, label="SPT"), *floor()]
    assert as_json([board_of(found, bootstrap=True)]) == as_json([board_of(found[::-1], bootstrap=True)])
    texts = []
    for name, order in (("a", found), ("b", found[::-1])):
        store = Store(tmp_path / name)
        for record, predictions in order:
            store.write(record, predictions)
        texts.append(as_json(boards_of(store, Filter(task="toy"), Options())))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_four_groups_fit_the_terminal_and_nothing_is_cut(width: int) -> None:
    groups = dict.fromkeys(("all-wo-joshi5", "seen-wo-joshi5", "low-performing"), CODES[2:])
    groups["unseen"] = CODES[3:]
    label = "a-method-with-a-long-name (hidden=128, dropout=0.25), preset released, 12000 steps, bf16"
    text = shown(board_of([*runs(groups=groups), *runs(0.5, label=label, groups=groups)], reference="XPE"), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert text.count("method ") == 1
    assert all(word in text for word in label.split() if len(word) < 24)


def test_languages_that_stand_for_a_group_are_whole_in_the_head_of_their_column() -> None:
    name = "swh_Latn+kat_Geor+hin_Deva+yor_Latn"
    lines = shown(board_of(runs(groups={name: CODES[2:]}))).splitlines()
    assert all(any(line.rstrip("+ ").endswith(code) for line in lines) for code in name.split("+"))


def test_more_groups_than_fit_follow_in_another_table() -> None:
    groups = {f"group-{n}": CODES[2 + n % 3 :] for n in range(8)}
    text = shown(board_of(runs(groups=groups)))
    assert text.count("languages ") >= 2
    assert all(name in text for name in groups)
    assert max(map(len, text.splitlines())) <= 80


def test_what_the_table_says_of_each_row() -> None:
    text = " ".join(shown(fixed_board()).split())
    assert "5 seeds, 1 failed" in text
    assert "Failed: XPE, seed 9." in text
    assert "Checkpoint selected on source dev: " in text
    assert "*: part: without fff_Latn." in text
    assert "unseen: ranked on the 3 of 4 languages that all ranked rows have." in text
    assert "One run: part." in text
    assert "Evidence per language (published figures by language): LLM." in text
    assert "LLM 2: Printed without interval." in text
    assert "Skipped, and not in any number above: 1 Record." in text
    assert "odd, seed 0): its items or gold labels are not the task's in ccc_Cyrl" in text
    assert "!: not shown to be above always answering the most frequent class, by a paired test" in text
    assert "point values: no interval, no test, no rank" in text


def test_runs_of_letters_are_shortened() -> None:
    def told(text: str) -> str:
        return letters(replace(score, letters=text, rank=2, worst_rank=9))

    score = next(iter(only(board_of(runs())).rows[0].scores.values()))
    assert [told(text) for text in ("", "a", "ab", "abc", "abcdf", "acde", "ab'", "acegikmoq")] == [
        "", "a", "ab", "a-c", "a-df", "ac-e", "#2-9", "#2-9",
    ]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_text_in_every_format(text: str) -> None:
    name = {"label": text, "sources_label": text, "method": "hostile"}
    groups = {**GROUPS, text: CODES[2:4]}
    board = board_of([*runs(0.9, groups=groups, **name), *runs(0.5, label="SPT")], [run_of(None, error=text, **name)])
    plain = board_of([*runs(0.9, groups={**GROUPS, "x": CODES[2:4]}), *runs(0.5, label="SPT")], [run_of(None)])
    printed = shown(board, 200)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", printed)
    assert clean(text) in printed
    rows = [line for line in markdown(board).splitlines() if line.startswith("|")]
    assert len(rows) == len([line for line in markdown(plain).splitlines() if line.startswith("|")])
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows}) == 1
    assert not re.search(r"<(?!br)|(?<!\\)\[|(?<!\\)`|://", markdown(board))
    tabulars = re.findall(r"\\midrule\n(.*?)\\bottomrule", latex(board), re.DOTALL)
    assert tabulars
    for tabular in tabulars:
        assert len({len(re.findall(r"(?<!\\)&", line)) for line in tabular.splitlines()}) == 1
    assert r"\input" not in latex(board)
    for line in csv.DictReader(io.StringIO(as_csv([board]))):
        assert all(not cell.startswith(("=", "+", "@", "\t")) for cell in line.values())
        assert line["method"] in (safe_cell(text), "SPT")
    assert json.loads(as_json([board]))["boards"][0]["task"] == "toy"
    page = text_of([board], "html")
    assert "<script>alert" not in page
    assert page.count("<tr") == text_of([plain], "html").count("<tr")


def test_escapes_by_hand() -> None:
    assert markdown_text("a|b_c*<i>") == r"a\|b\_c\*&lt;i&gt;"
    assert latex_text(r"50% of $x_1$ & \foo{#}~^") == (
        r"50\% of \$x\_1\$ \& \textbackslash{}foo\{\#\}\textasciitilde{}\textasciicircum{}"
    )
    assert [safe_cell(text) for text in ("=1+1", "-x", "+x", "@x", "x=1", " =1")] == [
        "'=1+1", "'-x", "'+x", "'@x", "x=1", "'=1",
    ]  # fmt: skip


def test_a_name_begins_no_list_among_the_notes() -> None:
    for label, escaped in (("- x", r"\- x"), ("12. x", r"12\. x"), ("1.5", "1.5"), ("-x", "-x")):
        one = answers(0.6)
        assert f"\n- {escaped}: y\n" in markdown(board_of([(run_of(one, label=label, caveats=("y",)), one)]))


def test_csv_gives_every_number_back() -> None:
    board = fixed_board()
    lines = list(csv.DictReader(io.StringIO(as_csv([board]))))
    scores = {(row.key, group): one for s in board.sections for row in s.rows for group, one in row.scores.items()}
    assert len([line for line in lines if line["group"]]) == len(scores)
    for line in lines:
        if line["group"]:
            score = scores[line["configuration"], line["group"]]
            assert float(line["value"]) == pytest.approx(score.value, abs=1e-6)
            assert line["letters"] == score.letters
            assert (line["two_way_low"] == "") == (score.two_way is None)
    assert {line["note"] for line in lines if not line["group"]} == {"no run succeeded", "no score"}


def test_json_has_both_intervals_and_the_languages() -> None:
    (board,) = json.loads(as_json([fixed_board()]))["boards"]
    row = next(row for row in board["sections"][0]["rows"] if row["label"] == "XPE")
    score = row["scores"]["unseen"]
    assert set(score["two_way"]) == set(score["bootstrap"]) == {"low", "high"}
    assert set(row["by_language"]) == set(CODES[2:])
    assert score["against"]["reference"] == "SPT, sources seen"


def test_the_format_follows_from_the_files_name() -> None:
    assert format_of(None, None) == "table"
    assert format_of("csv", Path("x.md")) == "csv"
    assert [format_of(None, Path(f"x{end}")) for end in (".md", ".tex", ".html", ".txt")] == [
        "md", "latex", "html", "table",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="the ending tells no format"):
        format_of(None, Path("board.docx"))


def test_a_page_is_of_one_task() -> None:
    board = board_of(runs())
    with pytest.raises(ConfigError, match="--task toy@0123"):
        only_board([board, board], "an HTML page is")


def test_no_variance_is_said() -> None:
    right = answers(1.0)
    same = replace(right, predicted=np.where(right.language == CODES[2], "sea", right.gold).astype(object))
    board = board_of([(run_of(same, seed=seed), same) for seed in range(3)])
    assert "no variance" in shown(board)
    assert only(board).rows[0].scores["unseen"].note == "no variance"
