"""The sentence of what is known says what the letters say, no more and no less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import ROOT
from tests.support.page_boards import sample_board
from xlt_bench.leaderboard.board.boards import boards_of
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.model import BoardContent, BoardSection
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.render.page.findings import finding
from xlt_bench.records.store import Store

REFERENCE = ROOT / "leaderboard" / "reference"


def sentence(letters: tuple[str, ...], *, one_run: tuple[int, ...] = (), at_chance: bool = False) -> str:
    """On unseen languages, of rows with these letters, best first."""
    board = sample_board(rows=len(letters), count=20)
    section = board.sections[0]
    rows = []
    for number, (row, of_row) in enumerate(zip(section.rows, letters, strict=True)):
        inference = "one run" if number in one_run else "runs"
        score = replace(
            row.scores["unseen"],
            letters=of_row,
            inference=inference,
            at_chance=at_chance,
            ranked_value=0.9 - 0.1 * number,
        )  # type: ignore[arg-type]
        rows.append(replace(row, scores={"unseen": score}))
    return finding(board, replace(section, rows=tuple(rows)), "unseen")


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        (("a", "a"), "XPE and DUAL-70 are not told apart on unseen languages."),
        (("a", "b"), "XPE is better than DUAL-70 on unseen languages."),
        (("a", "a", "b"), "XPE and DUAL-70 are not told apart on unseen languages; XPE is better than DUAL-30."),
        (("a", "a", "a"), "The 3 rows are not told apart on unseen languages."),
        (("a", "ab", "b"), "XPE and DUAL-70 are not told apart on unseen languages; XPE is better than DUAL-30."),
        (("ab", "a", "b"), "XPE is not told apart from DUAL-70 and DUAL-30 on unseen languages."),
        (("a", "b", "b"), "XPE is better than DUAL-70 and DUAL-30 on unseen languages."),
        (("a", "b", "b", "b", "b"), "XPE is better than all 4 other rows on unseen languages."),
        (
            ("ab", "a", "b", "c"),
            "XPE is not told apart from DUAL-70 and DUAL-30 on unseen languages; it is better than SPT.",
        ),
        (("a", "a'", "a'"), "XPE is better than DUAL-70 and DUAL-30 on unseen languages."),
        (("Z", "Za'", "a'"), "XPE and DUAL-70 are not told apart on unseen languages; XPE is better than DUAL-30."),
    ],
)
def test_what_letters_say(letters: tuple[str, ...], expected: str) -> None:
    assert sentence(letters) == expected


def test_one_run_gets_no_verdict() -> None:
    assert sentence(("ab", "a", "b"), one_run=(0,)) == (
        "DUAL-70 is better than DUAL-30 on unseen languages. 1 row of one run gets no verdict."
    )
    assert "no two rows have runs enough to be told apart" in sentence(("a", "a"), one_run=(1,))


def test_a_name_with_a_comma_is_quoted() -> None:
    board = sample_board(rows=2, count=20)
    section = board.sections[0]
    rows = (replace(section.rows[0], label="XPE, bf16"), section.rows[1])
    text = finding(board, replace(section, rows=rows), "unseen")
    assert text == "\u201cXPE, bf16\u201d and DUAL-70 are not told apart on unseen languages."


def test_chance_is_said() -> None:
    assert sentence(("a", "a"), at_chance=True).endswith(
        "No row is shown to be above always answering the most frequent class."
    )


def test_what_was_published_is_not_tested() -> None:
    board = sample_board(count=20)
    published = board.sections[2]
    assert finding(board, published, "unseen").startswith(
        "Only \u201cDUAL XPE-70, published\u201d has a number on unseen languages"
    )
    second = replace(published.rows[0], key="other", label="SPT, published")
    assert finding(board, replace(published, rows=(*published.rows, second)), "unseen").endswith(
        "%; nothing is tested."
    )
    assert finding(board, replace(published, rows=()), "low-performing") == (
        "No row has a number on low-performing languages."
    )


@pytest.fixture(scope="module")
def reference() -> BoardContent:
    if not REFERENCE.is_dir():
        pytest.skip("no reference Records here")
    (board,) = boards_of(Store(REFERENCE), Filter(task="cldr"), Options(detailed=True))
    return board


def test_pairs_are_those_that_the_letters_follow_from(reference: BoardContent) -> None:
    """Two rows share a letter exactly when their corrected test tells nothing."""
    for section in reference.sections:
        assert section.detail is not None
        assert section.detail.pairs.keys() == section.tests.keys()
        for group in section.tests:
            _check_letters(section, group)


def _check_letters(section: BoardSection, group: str) -> None:
    assert section.detail is not None
    pairs = section.detail.pairs[group]
    numbers = iter(zip(pairs.differences, pairs.p, strict=True))
    for position, first in enumerate(pairs.rows):
        for second in pairs.rows[position + 1 :]:
            difference, p = next(numbers)
            a, b = section.rows[first].scores[group], section.rows[second].scores[group]
            assert a.ranked_value is not None
            assert b.ranked_value is not None
            assert difference == pytest.approx(a.ranked_value - b.ranked_value, abs=1e-9)
            assert bool(set(a.letters) & set(b.letters)) == (p is None or p > 0.05)
    assert not list(numbers)


def test_the_reference_board(reference: BoardContent) -> None:
    text = finding(reference, reference.sections[0], "unseen")
    assert text == (
        "full-finetuning (seen) is not told apart from full-finetuning (joshi5) and full-finetuning (enarzho) on "
        "unseen languages; it is better than the 21 other rows."
    )
