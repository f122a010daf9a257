"""What is chosen stands in the address and comes back from it; files of numbers and pictures."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.page_browser import Browser
from xlt_bench.leaderboard.board.model import BoardContent

HASH = "decodeURIComponent(location.hash)"


def test_the_address_holds_what_is_chosen(browser: Browser, sample_file: Path) -> None:
    browser.open(sample_file)
    assert browser.run("location.hash") == ""
    browser.run("document.querySelectorAll('[role=tab]')[1].click()")
    for name, value in {"order": "area", "family": "Turkic", "scope": "all", "a": "run-3", "show": "b"}.items():
        browser.choose(f'[data-state="{name}"]', value)
    address: str = browser.run("location.hash")
    choices = {
        "group": "seen",
        "order": "area",
        "family": "Turkic",
        "scope": "all",
        "a": "run-3",
        "b": "run-1",
        "show": "b",
    }
    assert dict(choice.split("=") for choice in address[1:].split("&")) == choices
    lines, caption = browser.texts(".selection"), browser.text('[data-view="map"] figcaption')
    browser.open(sample_file, state=address[1:])
    assert browser.texts("[role=tab][aria-selected=true]")[0].startswith("seen")
    assert (browser.texts(".selection"), browser.text('[data-view="map"] figcaption')) == (lines, caption)
    assert browser.run("document.querySelector('[data-state=\"a\"]').value") == "run-3"
    assert browser.run("location.hash") == address
    browser.choose('[data-state="family"]', "")
    assert "family" not in browser.run("location.hash")


@pytest.mark.parametrize(
    "state",
    [
        "table=s9&group=none&order=x&a=nobody&show=z&family=Martian",
        "=&&==",
        "row-none",
        "%E0%A4%A",
        "s2",
        "constructor=1",
    ],
)
def test_an_address_that_is_wrong_is_mended(browser: Browser, sample_file: Path, state: str) -> None:
    browser.open(sample_file, state=state)
    assert browser.errors() == []
    assert browser.count("[role=tab][aria-selected=true]") == 1
    assert browser.texts("section.settings h2") == (
        ["Prompted models"] if state == "s2" else ["Cross-lingual zero-shot, backbone nano"]
    )
    assert browser.count('[data-view="dots"] circle.dot') > 0


def test_links_within_the_page_keep_what_is_chosen(opened: Browser) -> None:
    opened.run("document.querySelectorAll('[role=tab]')[0].click()")
    opened.run("document.querySelector('.views a[href=\"#methods\"]').click()")
    assert opened.run(HASH) == "#group=all"
    assert opened.run("document.activeElement.id") == "methods"
    opened.run("location.hash = '#table=s2&group=seen'")
    opened.run("new Promise((done) => setTimeout(done, 50))")
    assert opened.texts("section.settings h2") == ["Prompted models"]


def test_an_address_pasted_into_an_open_page_says_all_that_is_chosen(opened: Browser) -> None:
    opened.choose('[data-state="family"]', "Turkic")
    opened.run("location.hash = '#group=seen'")
    opened.run("new Promise((done) => setTimeout(done, 50))")
    assert opened.run("document.querySelector('[data-state=\"family\"]').value") == ""
    assert opened.run(HASH) == "#group=seen"


def saved(folder: Path) -> Path:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        files = [path for path in folder.iterdir() if not path.name.endswith(".crdownload")]
        if files and files[0].stat().st_size:
            return files[0]
        time.sleep(0.05)
    raise AssertionError("nothing was saved")


def press(browser: Browser, view: str, kind: str) -> None:
    browser.run(
        f"[...document.querySelectorAll('[data-view=\"{view}\"] .buttons button')]"
        f".find((b) => b.textContent === '{kind}').click()"
    )


def test_csv_of_the_differences(opened: Browser, board: BoardContent, tmp_path: Path) -> None:
    opened.save_downloads(tmp_path)
    press(opened, "differences", "CSV")
    path = saved(tmp_path)
    assert path.name == "sample-unseen-differences.csv"
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    a, b = board.sections[0].rows[:2]
    assert len(lines) == len(board.sections[0].groups["unseen"])
    for entry in lines:
        code = entry["language"].rpartition("(")[2].rstrip(")")
        assert float(entry["A"]) == round(a.by_language[code], 6)
        assert float(entry["A less B"]) == pytest.approx(a.by_language[code] - b.by_language[code], abs=2e-6)


def test_csv_of_the_pairs_and_of_hostile_names(browser: Browser, hostile_file: Path, tmp_path: Path) -> None:
    browser.open(hostile_file)
    browser.save_downloads(tmp_path)
    press(browser, "pairs", "CSV")
    with saved(tmp_path).open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["row", "column", "difference", "corrected p"]
    assert {len(entry) for entry in lines} == {4}
    assert not [cell for entry in lines for cell in entry[:2] if cell.startswith(("=", "@", "+"))]


@pytest.mark.parametrize("view", ["dots", "heatmap", "map", "differences", "curves"])
def test_svg_stands_alone(opened: Browser, tmp_path: Path, view: str) -> None:
    opened.save_downloads(tmp_path)
    press(opened, view, "SVG")
    root = ElementTree.parse(saved(tmp_path)).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    style = root.findtext("{http://www.w3.org/2000/svg}style")
    assert style is not None
    assert "var(" not in style
    assert "#" in style
    text = ElementTree.tostring(root, encoding="unicode")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    if view == "heatmap":  # the names of the columns are above the cells
        assert "XPE" in text
