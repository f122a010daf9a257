"""Heat map, map, differences and curves: what they show follows from the board and from what is chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from tests.support.page_browser import Browser
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.render.page.document import page

BANDS = '[data-view="heatmap"] svg:not(.stays) .band'


def test_heat_map_of_the_group_in_bands(opened: Browser, board: BoardContent) -> None:
    section = board.sections[0]
    codes = section.groups["unseen"]
    families = {board.languages[code].family for code in codes}
    values = sum(code in row.by_language for row in section.rows for code in codes)
    assert opened.texts(BANDS)[0] == f"all {len(codes)} chosen"
    assert {text.rpartition(" (")[0] for text in opened.texts(BANDS)[1:]} == families
    lines = 1 + len(families)
    assert opened.count('[data-view="heatmap"] svg:not(.stays) rect') == values + lines * len(section.rows)
    mean = fmean(section.rows[0].by_language[code] for code in codes)
    assert opened.texts('[data-view="heatmap"] .cell.strong')[0] == f"{100 * mean:.1f}"
    assert "declared group: its intervals and tests stand in the ranking above" in opened.text(".selection")


def test_filters_rescore_means_only_and_say_so(opened: Browser, board: BoardContent) -> None:
    table = board.languages
    opened.choose('[data-state="scope"]', "all")
    opened.choose('[data-state="family"]', "Turkic")
    opened.choose('[data-state="script"]', "Arab")
    codes = [code for code, facts in table.items() if (facts.family, facts.script) == ("Turkic", "Arab")]
    row = board.sections[0].rows[0]
    assert opened.texts(BANDS)[0] == f"all {len(codes)} chosen"
    assert (
        opened.texts('[data-view="heatmap"] .cell.strong')[0] == f"{100 * fmean(row.by_language[c] for c in codes):.1f}"
    )
    sentence = opened.text(".selection")
    assert sentence.startswith(f"{len(codes)} languages of the task, family Turkic, script Arab.")
    assert "means only, no interval and no test" in sentence
    assert opened.count('[data-view="differences"] rect') == len(codes)
    opened.choose('[data-state="family"]', "")
    opened.choose('[data-state="script"]', "")
    opened.choose('[data-state="joshi"]', "class 2")
    opened.choose('[data-state="seen"]', "unseen")
    opened.choose('[data-state="area"]', "Africa")
    assert ", Joshi class 2, pre-training unseen, region Africa. " in opened.text(".selection")


def test_a_mean_over_fewer_languages_bears_a_star(browser: Browser, board: BoardContent, tmp_path: Path) -> None:
    section, codes = board.sections[0], board.sections[0].groups["unseen"]
    known = {code: value for code, value in section.rows[0].by_language.items() if code != codes[0]}
    rows = (replace(section.rows[0], by_language=known), *section.rows[1:])
    path = tmp_path / "board.html"
    sections = (replace(section, rows=rows, detail=None),)
    path.write_text(page(replace(board, sections=sections)), encoding="utf-8")
    browser.open(path)
    means = browser.texts('[data-view="heatmap"] .cell.strong')[: len(rows)]
    assert means[0] == f"{100 * fmean(known[code] for code in codes if code in known):.1f}*"
    lacking = [row for row in rows if not set(codes) <= row.by_language.keys()]
    assert sum("*" in text for text in means) == len(lacking) < len(rows)
    assert "*: of those alone that the row has" in browser.text('[data-view="heatmap"] figcaption')


@pytest.mark.parametrize("order", ["script", "joshi", "seen", "area", "mean", "name"])
def test_orders_of_the_heat_map(opened: Browser, board: BoardContent, order: str) -> None:
    opened.choose('[data-state="order"]', order)
    names = opened.texts('[data-view="heatmap"] .label')
    assert len(names) == len(board.sections[0].groups["unseen"])
    if order == "name":
        assert names == sorted(names)
    if order == "joshi":
        assert [text[:7] for text in opened.texts(BANDS)[1:]] == sorted(text[:7] for text in opened.texts(BANDS)[1:])
    if order == "mean":
        assert len(opened.texts(BANDS)) == 1


def test_difference_has_the_tests_of_the_board(opened: Browser, board: BoardContent) -> None:
    section = board.sections[0]
    a, b = section.rows[0], section.rows[7]
    opened.choose('[data-state="a"]', a.key)
    opened.choose('[data-state="b"]', b.key)
    codes = [code for code in section.groups["unseen"] if code in a.by_language and code in b.by_language]
    assert section.detail is not None
    tests = section.detail.by_language
    assert tests is not None
    pair = tests.rows.index(7) - 1  # pairs of the first row come first
    told = sum((q := tests.q[code][pair]) is not None and q <= 0.05 for code in codes)
    caption = opened.text('[data-view="differences"] figcaption')
    assert told > 0
    assert opened.count('[data-view="differences"] .apart') == told
    assert opened.count('[data-view="differences"] rect') == len(codes)
    assert f"A in {told}, B in 0." in caption
    assert f"A is ahead in {sum(a.by_language[c] > b.by_language[c] for c in codes)}," in caption


def test_rows_of_different_tables_are_no_controlled_comparison(opened: Browser) -> None:
    opened.choose('[data-state="b"]', "gpt-4")
    assert "no controlled comparison" in opened.text('[data-view="differences"] figcaption')
    assert opened.count('[data-view="differences"] .apart') == 0
    opened.choose('[data-state="b"]', "run-1")
    assert "no controlled comparison" not in opened.text('[data-view="differences"] figcaption')


def test_map_by_difference_and_by_score(opened: Browser, board: BoardContent) -> None:
    opened.choose('[data-state="scope"]', "all")
    opened.choose('[data-state="b"]', "run-7")
    placed = opened.count('[data-view="map"] .place')
    assert placed == len(board.languages)  # all of these have a place
    assert opened.count('[data-view="map"] .place.apart') > 0
    opened.choose('[data-state="show"]', "a")
    assert opened.count('[data-view="map"] .place.apart') == 0
    assert opened.text('[data-view="map"] figcaption').startswith("Accuracy of XPE, in per cent")
    places = opened.run(
        "[...document.querySelectorAll('[data-view=\"map\"] .place')]"
        ".map((c) => [c.cx.baseVal.value, c.cy.baseVal.value])"
    )
    assert len({tuple(place) for place in places}) == placed  # also those that share a point
    width, height = opened.run(
        "[document.querySelector('[data-view=\"map\"] svg').clientWidth,"
        " document.querySelector('[data-view=\"map\"] svg').clientHeight]"
    )
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_the_map_comes_closer_to_few_languages(opened: Browser) -> None:
    scale = "document.querySelector('.land').getAttribute('transform').match(/scale\\(([\\d.]+)/)[1]"
    opened.choose('[data-state="scope"]', "all")
    whole = float(opened.run(scale))
    opened.choose('[data-state="area"]', "Africa")
    assert float(opened.run(scale)) > 1.2 * whole


def test_curves_of_training(opened: Browser) -> None:
    assert opened.count('[data-view="curves"] path.curve') == 6  # three rows of two seeds
    assert opened.count('[data-view="curves"] path.c1') == opened.count('[data-view="curves"] path.c2') == 2
    assert opened.count('[data-view="curves"] circle.ring') == 4
    opened.choose('[data-state="table"]', "s2")
    assert opened.count('[data-view="curves"] path.curve') == 4
    opened.choose('[data-state="table"]', "s3")
    assert opened.count('[data-view="curves"] path') == 0
    assert "learned from few examples" in opened.texts('[data-view="curves"] .nothing')[0]


def test_few_shot_curves(browser: Browser, few_shot_file: Path) -> None:
    browser.open(few_shot_file)
    figure = '[data-view="curves"] figure:last-child'
    assert browser.count('[data-view="curves"] div:last-child path.curve') == 2
    labels = browser.texts('[data-view="curves"] div:last-child .small')
    assert [label for label in labels if label in ("0", "8", "all")] == ["0", "8", "all"]
    assert "along a line they are not" in browser.texts(f"{figure} figcaption")[-1]
