"""The page in a real browser: sorting, filters, figures, keyboard, phone, print, light and dark, hostile names."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.support.page_boards import HOSTILE, METHODS, sample_board
from tests.support.page_browser import Browser

TABLE = "document.querySelector('table.board')"
LABELS = f"[...{TABLE}.tBodies[0].rows].filter((r) => !r.hidden).map((r) => r.querySelector('bdi').textContent)"


def column(name: str, nth: int = 0) -> str:
    """JavaScript for the sort button of a column of the first table."""
    return f"[...{TABLE}.querySelectorAll('th button')].filter((b) => b.textContent === '{name}')[{nth}]"


def choose(browser: Browser, control: str, value: str) -> None:
    """Set a control as a user does."""
    browser.run(
        f"(() => {{ const c = document.querySelector('{control}'); c.value = '{value}';"
        " for (const kind of ['input', 'change']) c.dispatchEvent(new Event(kind, {bubbles: true})); })()"
    )


@pytest.fixture
def opened(browser: Browser, sample_file: Path) -> Browser:
    browser.open(sample_file)
    return browser


def test_nothing_is_requested_and_nothing_goes_wrong(opened: Browser, sample_file: Path) -> None:
    opened.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
    assert opened.requests() == [sample_file.as_uri()]
    assert opened.errors() == []


def test_the_policy_forbids_requests_and_foreign_scripts(opened: Browser) -> None:
    outcome = opened.run(
        """new Promise((done) => {
          const image = document.body.appendChild(new Image());
          image.onerror = () => done("refused");
          image.onload = () => done("loaded");
          image.src = "https://127.0.0.1:9/x.png";
        })"""
    )
    script = opened.run(
        """(() => {
          const script = document.createElement("script");
          script.textContent = "document.title = 'broken'";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<img id=evil onerror=\\"document.title='broken'\\" src=x>");
          return document.title;
        })()"""
    )
    opened.run("new Promise((done) => setTimeout(done, 100))")
    assert outcome == "refused"
    assert script == opened.run("document.title") == "sample: cross-lingual transfer"
    assert any("Content Security Policy" in line for line in opened.errors())


def test_sorting_by_number(opened: Browser) -> None:
    assert opened.run(LABELS) == list(METHODS)
    opened.run(column("Accuracy") + ".click()")
    assert opened.run(LABELS) == list(METHODS)
    opened.run(column("Accuracy") + ".click()")
    assert opened.run(LABELS) == list(reversed(METHODS))
    order = opened.run(f"[...{TABLE}.querySelectorAll('[aria-sort]')].map((h) => [h.textContent, h.ariaSort])")
    assert order == [["Accuracy", "ascending"]]


def test_sorting_by_text_by_rank_and_by_group(opened: Browser) -> None:
    opened.run(column("Method") + ".click()")
    assert opened.run(LABELS) == sorted(METHODS, key=str.lower)
    opened.run(column("Rank", 2) + ".click()")
    assert opened.run(LABELS) == list(METHODS)
    opened.run(column("Trained parameters") + ".click()")
    assert opened.run(LABELS) == list(reversed(METHODS))
    opened.run(column("Languages", 1) + ".click()")
    assert set(opened.run(LABELS)[-2:]) == {"DUAL-30", "n-gram MLP"}


def test_what_has_no_value_comes_last_either_way(opened: Browser) -> None:
    prompted = "document.querySelectorAll('table.board')[1]"
    rank = f"[...{prompted}.querySelectorAll('th button')].find((b) => b.textContent === 'Rank')"
    for _ in range(2):
        opened.run(f"{rank}.click()")
        assert "as printed" in opened.run(f"{prompted}.tBodies[0].rows[2].textContent")


def test_filters_of_rows(opened: Browser) -> None:
    choose(opened, "#filter-text", "DUAL")
    assert opened.run(LABELS) == ["DUAL-70", "DUAL-30"]
    status = opened.run("document.getElementById('shown').textContent")
    assert status == "3 of 12 rows shown, filtered by text \u201cdual\u201d."
    assert opened.run("document.querySelectorAll('.plot svg')[0].querySelectorAll('circle.dot').length") == 2
    assert opened.run("document.querySelectorAll('.plot svg')[0].querySelectorAll('circle.seed').length") == 10
    choose(opened, "#filter-evidence", "aggregate")
    assert opened.run(LABELS) == []
    assert opened.run("document.querySelectorAll('.board tbody tr:not([hidden])').length") == 1
    choose(opened, "#filter-text", "")
    choose(opened, "#filter-evidence", "")
    assert opened.run(LABELS) == list(METHODS)


def test_one_target_group_and_the_other_interval(opened: Browser) -> None:
    choose(opened, "#filter-group", "unseen")
    heads = opened.run(f"[...{TABLE}.querySelectorAll('.group')].filter((h) => !h.hidden).map((h) => h.textContent)")
    assert heads == ["unseen"]
    assert "Accuracy on unseen" in opened.run("document.querySelector('.plot svg').ariaLabel")
    shown = f"getComputedStyle({TABLE}.querySelector('.interval.bootstrap')).display"
    assert opened.run(shown) == "none"
    choose(opened, "#filter-interval", "bootstrap")
    assert opened.run(shown) == "block"


def test_filters_of_languages(opened: Browser) -> None:
    table = sample_board(count=60).languages
    panels = "[...document.querySelectorAll('#curve-figure svg .strong')].map((t) => t.textContent)"
    seen = sum(bool(facts.seen) for facts in table.values())
    assert opened.run(panels) == [
        f"Seen in pre-training: {seen} languages",
        f"Not seen in pre-training: {60 - seen} languages",
    ]
    choose(opened, "#filter-seen", "unseen")
    choose(opened, "#filter-joshi", "2")
    count = sum(not facts.seen and facts.joshi == 2 for facts in table.values())
    assert opened.run(panels) == [f"Not seen in pre-training: {count} languages"]
    assert opened.run("document.querySelectorAll('#difference-figure tbody tr').length") == count
    assert opened.run("document.getElementById('languages-shown').textContent") == f"{count} of 60 languages chosen."
    choose(opened, "#filter-joshi", "")
    choose(opened, "#filter-family", "Turkic")
    choose(opened, "#filter-script", "Arab")
    some = [f for f in table.values() if (f.family, f.script, f.seen) == ("Turkic", "Arab", False)]
    assert some
    assert opened.run("document.getElementById('languages-shown').textContent").startswith(f"{len(some)} of ")


def test_curves_are_sorted_by_the_chosen_method_and_broken_where_it_is_missing(opened: Browser) -> None:
    rows = sample_board(count=60).sections[0].rows
    choose(opened, "#curve-order", "2")
    codes = opened.run("[...document.querySelectorAll('#curve-figure tbody th')].map((t) => t.textContent)")
    values = [rows[2].by_language.get(code.split("(")[1].rstrip(")"), -1.0) for code in codes]
    assert values == sorted(values, reverse=True)
    assert values[-2:] == [-1.0, -1.0]
    assert opened.run("document.querySelectorAll('#curve-figure svg path.curve').length") == 6 * 3
    dashes = opened.run(
        "[...document.querySelectorAll('#curve-figure g .curve')].map((p) => p.getAttribute('stroke-dasharray'))"
    )
    assert len(set(dashes)) == 6
    choose(opened, "#curve-1", "")
    assert opened.run("document.querySelectorAll('#curve-figure svg path.curve').length") == 5 * 3
    assert "no controlled comparison" not in opened.run("document.getElementById('curve-figure').textContent")
    choose(opened, "#curve-1", "8")
    assert "no controlled comparison" in opened.run("document.getElementById('curve-figure').textContent")


def test_difference_counts_wins(opened: Browser) -> None:
    rows = sample_board(count=60).sections[0].rows
    choose(opened, "#difference-a", "4")
    choose(opened, "#difference-b", "2")
    both = sorted(rows[4].by_language.keys() & rows[2].by_language.keys())
    gains = [round(rows[4].by_language[code], 6) - round(rows[2].by_language[code], 6) for code in both]
    text = opened.run("document.querySelector('#difference-figure figcaption').textContent")
    wins, losses = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    assert f"A is better in {wins}, B in {losses}," in text
    assert f"of the {len(both)} languages that both have; mean difference \u2212" in text
    assert opened.run(
        "document.querySelectorAll('#difference-figure .ahead, #difference-figure .behind').length"
    ) == len(both)


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_never_scrolls_sideways(browser: Browser, sample_file: Path, hostile_file: Path, width: int) -> None:
    for path in (sample_file, hostile_file):
        browser.open(path, width, 740)
        assert browser.run("document.documentElement.scrollWidth") == width
        browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.run(f"{TABLE}.parentNode.scrollWidth > {TABLE}.parentNode.clientWidth") or width > 360


def test_figures_follow_the_width(opened: Browser) -> None:
    width = "document.querySelector('.plot svg').clientWidth"
    wide = opened.run(width)
    opened.resize(360, 740)
    opened.run("new Promise((done) => setTimeout(done, 200))")
    assert opened.run(width) <= 360 < wide
    assert opened.run("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")])
def test_light_and_dark(browser: Browser, sample_file: Path, scheme: str, paper: str) -> None:
    browser.open(sample_file, prefers_color_scheme=scheme)
    assert browser.run("getComputedStyle(document.body).backgroundColor") == paper
    picture = browser.send("Page.captureScreenshot", format="png")["data"]
    assert len(base64.b64decode(picture)) > 20_000


def test_print_is_light_whole_and_without_controls(opened: Browser) -> None:
    opened.emulate("print", prefers_color_scheme="dark")
    assert opened.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown = "[...document.querySelectorAll('.controls, nav, .skip')].some((n) => n.getClientRects().length)"
    assert opened.run(shown) is False
    assert opened.run(f"getComputedStyle({TABLE}.parentNode).overflow") == "visible"
    closed = "document.querySelectorAll('details:not([open])').length"
    assert opened.run(closed) > 0
    opened.run("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.run(closed) == 0
    opened.run("window.dispatchEvent(new Event('afterprint'))")
    assert opened.run(closed) > 0
    printed = opened.send("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")


def test_hostile_names_are_shown_as_they_are(browser: Browser, hostile_file: Path) -> None:
    browser.open(hostile_file)
    assert browser.run("document.title") == f"{HOSTILE[0]}: cross-lingual transfer"
    choose(browser, "#filter-text", "onerror")
    choose(browser, "#filter-text", "")
    browser.run("document.querySelectorAll('th button').forEach((b) => b.click())")
    assert browser.run("document.title") == f"{HOSTILE[0]}: cross-lingual transfer"
    assert browser.run("document.querySelectorAll('img, script:not([id]), a[href^=http]').length") == 1
    shown = set(browser.run(LABELS))
    assert set(HOSTILE[:6]) <= shown
    assert browser.requests() == [hostile_file.as_uri()]
    assert browser.errors() == []


def focused(browser: Browser) -> Any:
    """What a screen reader would name, and whether the focus shows."""
    return browser.run(
        """(() => {
          const node = document.activeElement, style = getComputedStyle(node);
          const label = node.labels && node.labels[0] ? node.labels[0].firstChild.textContent : node.textContent;
          const name = node.getAttribute("aria-label") || label;
          return [node.tagName, name.trim(), style.outlineStyle !== "none"];
        })()"""
    )


def test_keyboard_order_names_and_activation(opened: Browser) -> None:
    stops = []
    for _ in range(14):
        opened.press("Tab", 9)
        stops.append(focused(opened))
    assert all(visible for *_, visible in stops)
    names = [name for tag, name, _ in stops]
    assert names[0] == "Skip to the tables"
    assert names[1] == "1 Record could not be read and is not on this board"
    assert names[8:12] == ["Text", "Evidence", "Target group", "Interval"]
    assert stops[13][:2] == ["BUTTON", "Method"]
    opened.press("Enter", 13, "\r")
    assert opened.run(LABELS) == sorted(METHODS, key=str.lower)
    assert opened.run("document.activeElement.textContent") == "Method"


def test_everything_to_operate_has_a_name(opened: Browser) -> None:
    nameless = opened.run(
        """[...document.querySelectorAll("select, input, button, [role=img], [role=region]")].filter((node) =>
          !(node.labels && node.labels.length) && !node.getAttribute("aria-label")
          && !node.getAttribute("aria-labelledby") && !node.textContent.trim())
          .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert opened.run("document.querySelectorAll('[tabindex]:not([tabindex=\"0\"])').length") == 0
    assert opened.run("[...document.querySelectorAll('figure svg')].every((s) => s.ariaLabel && s.role === 'img')")


def test_without_javascript_the_tables_stand(browser: Browser, sample_file: Path) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(sample_file)
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run(LABELS) == list(METHODS)
    assert browser.run("[...document.querySelectorAll('.controls')].some((n) => n.getClientRects().length)") is False
    assert browser.run("document.querySelector('noscript').getClientRects().length") > 0
