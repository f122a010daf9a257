"""What the page opens on, its groups by tab, its tables, and the figure of the ranking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.page_boards import METHODS
from tests.support.page_browser import Browser
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.render.page.document import page

LABELS = "#s1 table.board tbody tr:not([hidden]) .row-link"
SHOWN = "document.querySelector('#s1 table.board')"


def column(name: str) -> str:
    """JavaScript for the sort button of a column that is shown."""
    matches = f"b.getClientRects().length && b.textContent === '{name}'"
    return f"[...{SHOWN}.querySelectorAll('th button')].find((b) => {matches})"


def labels(browser: Browser) -> list[str]:
    return browser.texts(LABELS)


def test_opens_on_the_primary_group_best_first(opened: Browser, board: BoardContent) -> None:
    section = board.sections[0]
    best_first = sorted(section.rows, key=lambda row: -(row.scores["unseen"].ranked_value or 0))
    assert opened.texts("[role=tab][aria-selected=true]") == [f"unseen{len(section.groups['unseen'])}, primary"]
    assert opened.text(".lead") == (
        "XPE is not told apart from DUAL-70, DUAL-30 and SPT on unseen languages; it is better than Full fine-tuning, "
        "Head only and Majority class. 1 row of one run gets no verdict."
    )
    assert opened.texts(".finding") == []  # the top of the page says it
    assert labels(opened) == [row.label for row in best_first]
    assert opened.count('[data-view="dots"] circle.dot') == len(METHODS)
    assert opened.count('[data-view="dots"] circle.seed') == 7 * 5  # one row has a single run
    assert opened.texts('[data-view="dots"] svg .strong') == [
        f"{100 * row.scores['unseen'].value:.1f}" for row in best_first
    ]


def test_tabs_by_click_and_by_key(opened: Browser) -> None:
    opened.run("document.querySelectorAll('[role=tab]')[0].click()")
    assert opened.run("[document.activeElement.role, document.activeElement.ariaSelected]") == ["tab", "true"]
    heads = "#s1 .group"
    assert opened.texts(heads) == ["all"]
    assert opened.texts(".finding")[0].startswith(
        "XPE is not told apart from DUAL-70, DUAL-30 and SPT on the languages of all;"
    )
    opened.press("ArrowRight", 39)
    assert opened.texts(heads) == ["seen"]
    opened.press("ArrowLeft", 37)
    opened.press("ArrowLeft", 37)
    assert opened.texts(heads) == ["low-performing"]
    assert opened.count("[role=tab][tabindex='0']") == 1
    opened.choose('[data-state="wide"]', "yes")
    assert opened.texts(heads) == ["all", "seen", "unseen", "low-performing"]


def test_one_table_at_a_time(opened: Browser) -> None:
    opened.choose('[data-state="table"]', "s3")
    assert opened.texts("section.settings h2") == ["Published means"]
    assert opened.texts(".finding")[0].startswith(
        "Only \u201cDUAL XPE-70, published\u201d has a number on unseen languages: "
    )
    assert opened.count('[data-view="dots"] circle.hollow') == 1
    assert opened.texts('[data-view="pairs"] .nothing') == ["No two rows are tested against each other on this group."]


def test_another_table_after_a_row_was_opened(opened: Browser) -> None:
    opened.run("document.querySelector('#s1 a[href=\"#row-run-2\"]').click()")
    opened.choose('[data-state="table"]', "s3")
    assert opened.texts("section.settings h2") == ["Published means"]
    assert "row" not in opened.run("location.hash")


def test_sorting(opened: Browser) -> None:
    opened.run(column("Accuracy") + ".click()")
    assert labels(opened) == list(reversed(METHODS))
    assert opened.run(f"[...{SHOWN}.querySelectorAll('[aria-sort]')].map((h) => h.ariaSort)") == ["ascending"]
    opened.run(column("Method") + ".click()")
    assert labels(opened) == sorted(METHODS, key=str.lower)
    opened.run(column("Rank") + ".click()")
    assert labels(opened) == list(METHODS)


def test_a_row_that_lacks_the_group_is_named(browser: Browser, board: BoardContent, tmp_path: Path) -> None:
    section = board.sections[0]
    scores = {group: score for group, score in section.rows[2].scores.items() if group != "unseen"}
    rows = (*section.rows[:2], replace(section.rows[2], scores=scores), *section.rows[3:])
    path = tmp_path / "board.html"
    path.write_text(page(replace(board, sections=(replace(section, rows=rows, detail=None),))), encoding="utf-8")
    browser.open(path)
    assert "DUAL-30" not in labels(browser)
    assert browser.texts(".without") == ["Without a number on unseen: DUAL-30."]
    browser.choose('[data-state="wide"]', "yes")
    assert "DUAL-30" in labels(browser)
    assert browser.texts(".without") == []


def test_text_chooses_rows(opened: Browser) -> None:
    opened.choose('[data-state="text"]', "dual")
    assert labels(opened) == ["DUAL-70", "DUAL-30"]
    assert opened.count('[data-view="dots"] circle.dot') == 2
    assert opened.count('[data-view="pairs"] tbody tr') == 2
    opened.choose('[data-state="text"]', "no such row")
    assert opened.texts('[data-view="dots"] .nothing') == ["No row to draw."]
    opened.choose('[data-state="text"]', "")
    assert labels(opened) == list(METHODS)


def test_intervals_of_the_table(opened: Browser) -> None:
    shown = f"getComputedStyle({SHOWN}.querySelector('.interval.bootstrap')).display"
    assert opened.run(shown) == "none"
    opened.choose('[data-state="interval"]', "bootstrap")
    assert opened.run(shown) == "block"


def test_every_pair_agrees_with_the_letters(opened: Browser, board: BoardContent) -> None:
    rows = [row for row in board.sections[0].rows if "unseen" in row.scores]
    apart = sum(
        not set(a.scores["unseen"].letters) & set(b.scores["unseen"].letters)
        for number, a in enumerate(rows)
        for b in rows[number + 1 :]
    )
    assert opened.count('[data-view="pairs"] td b') == 2 * apart
    assert f": {apart} of the 28 pairs shown." in opened.text('[data-view="pairs"] caption')
    difference = 100 * (rows[0].scores["unseen"].value - rows[7].scores["unseen"].value)
    last = opened.texts('[data-view="pairs"] tbody tr:first-child td')[-1]
    assert last == f"+{difference:.1f}, p .010"
    opposite = opened.texts('[data-view="pairs"] tbody tr:last-child td')[0]
    assert opposite == f"\u2212{difference:.1f}, p .010"


@pytest.mark.parametrize("way", ["link", "figure", "address"])
def test_a_row_in_detail(browser: Browser, sample_file: Path, way: str) -> None:
    browser.open(sample_file, state="row-run-2" if way == "address" else "")
    if way == "link":
        browser.run("document.querySelector('#s1 a[href=\"#row-run-2\"]').click()")
    if way == "figure":
        browser.run("document.querySelector('[data-view=\"dots\"] svg').focus()")
        for _ in range(3):
            browser.press("ArrowDown", 40)
        assert browser.text('[data-view="dots"] .readout').startswith("DUAL-30: ")
        browser.press("Enter", 13, "\r")
    browser.run("new Promise((done) => setTimeout(done, 100))")
    assert browser.run("document.getElementById('row-run-2').open") is True
    assert browser.run("document.activeElement.parentNode.id") == "row-run-2"
    assert browser.run("location.hash") == ("#row-run-2" if way == "address" else "#row=run-2")
    details = browser.texts("#row-run-2")[0]
    for words in ("joshi5", "per item", "42, 43, 44, 45, 46", "37,035", "xlt-bench run", "Two-way interval"):
        assert words in details
