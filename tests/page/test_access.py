"""Keyboard, screen reader, phone, light and dark, print, no JavaScript, and the size of a large board."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.page_browser import Browser

WIDTHS = [390, 1024, 1440]
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "light"), (1440, "dark")])
def test_axe_finds_nothing_serious(browser: Browser, sample_file: Path, axe: str, width: int, scheme: str) -> None:
    browser.open(sample_file, width, 900, prefers_color_scheme=scheme)
    browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    browser.run("document.querySelectorAll('.numbers').forEach((d) => d.dispatchEvent(new Event('toggle')))")
    browser.run(f"{axe}; 0")
    violations: list[dict[str, Any]] = browser.run(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map((v) =>"
        " ({ id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)) })))"
    )
    assert [violation for violation in violations if violation["impact"] in SERIOUS] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_never_scrolls_sideways(browser: Browser, sample_file: Path, hostile_file: Path, width: int) -> None:
    for path in (sample_file, hostile_file):
        browser.open(path, width, 740)
        assert browser.run("document.documentElement.scrollWidth") == width
        browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        browser.choose('[data-state="wide"]', "yes")
        assert browser.run("document.documentElement.scrollWidth") == width
        assert browser.errors() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_large_board_is_drawn_at_every_width(browser: Browser, large_file: Path, width: int) -> None:
    assert large_file.stat().st_size < 1_000_000
    browser.open(large_file, width, 900, state="scope=all")
    assert browser.errors() == []
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.count('[data-view="dots"] circle.dot') == 24
    assert browser.count('[data-view="heatmap"] .label') == 205
    assert browser.count('[data-view="map"] .place') == 204  # Interlingue has no place
    picture = base64.b64decode(browser.send("Page.captureScreenshot", format="png")["data"])
    assert len(picture) > 20_000


def test_a_phone_shows_no_wall_of_dashes(browser: Browser, sample_file: Path) -> None:
    browser.open(sample_file, 390, 844)
    cells = browser.texts("#s1 .board tbody td")
    assert sum(cell == "\u2013" for cell in cells) <= 0.1 * len(cells)
    table = "document.querySelector('#s1 .board')"
    assert browser.run(f"{table}.scrollWidth / {table}.parentNode.clientWidth") < 1.5


def test_figures_follow_the_width(opened: Browser) -> None:
    width = "document.querySelector('[data-view=\"dots\"] svg').clientWidth"
    wide = opened.run(width)
    opened.resize(390, 844)
    opened.run("new Promise((done) => setTimeout(done, 300))")
    assert opened.run(width) <= 390 < wide


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")])
def test_light_and_dark(browser: Browser, sample_file: Path, scheme: str, paper: str) -> None:
    browser.open(sample_file, prefers_color_scheme=scheme)
    assert browser.run("getComputedStyle(document.body).backgroundColor") == paper


def test_colours_of_figures_follow_the_scheme(browser: Browser, sample_file: Path) -> None:
    browser.open(sample_file, prefers_color_scheme="light")
    fill = "document.querySelector('[data-view=\"heatmap\"] svg:not(.stays) rect').getAttribute('fill')"
    light = browser.run(fill)
    browser.emulate("", prefers_color_scheme="dark")
    browser.run("new Promise((done) => setTimeout(done, 300))")
    assert browser.run(fill) != light


def test_print_is_light_whole_and_without_controls(opened: Browser) -> None:
    opened.emulate("print", prefers_color_scheme="dark")
    assert opened.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.texts(".controls, nav, .skip, .buttons, .tabs") == []
    assert opened.run("getComputedStyle(document.querySelector('#s1 .board').parentNode).overflow") == "visible"
    closed = "document.querySelectorAll('details:not([open]):not(.numbers)').length"
    assert opened.run(closed) > 0
    opened.run("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.run(closed) == 0
    assert opened.count(".numbers[open]") == 0
    opened.run("window.dispatchEvent(new Event('afterprint'))")
    assert opened.run(closed) > 0
    printed = opened.send("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")


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
    for _ in range(13):
        opened.press("Tab", 9)
        stops.append(focused(opened))
    assert all(visible for *_, visible in stops)
    names = [name for _, name, _ in stops]
    assert names[:7] == [
        "Skip to the results", "1 Record could not be read and is not on this board", "Ranking", "Every pair",
        "By language", "Two rows", "How to read this",
    ]  # fmt: skip
    assert names[7] == "Table"
    assert names[8].startswith("unseen")  # one stop for all tabs
    assert names[9:11] == ["CSV of ranking", "SVG of ranking"]
    assert stops[11][0] == "svg"


def test_single_values_by_key_and_by_pointer(opened: Browser) -> None:
    opened.run("document.querySelector('[data-view=\"heatmap\"] svg:not(.stays)').focus()")
    opened.press("ArrowDown", 40)
    readout = opened.text('[data-view="heatmap"] .readout')
    assert readout.startswith("all ")
    assert ", XPE: " in readout
    opened.press("ArrowRight", 39)
    assert ", DUAL-70: " in opened.text('[data-view="heatmap"] .readout')
    opened.run("document.querySelector('[data-view=\"map\"]').scrollIntoView()")
    x, y = opened.run(
        "(() => { const box = document.querySelector('.place').getBoundingClientRect();"
        " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )
    opened.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    opened.run("new Promise((done) => setTimeout(done, 100))")
    assert "Language " in opened.text('[data-view="map"] .readout')


def test_everything_to_operate_has_a_name(opened: Browser) -> None:
    nameless = opened.run(
        """[...document.querySelectorAll("select, input, button, [role=img], [role=region]")].filter((node) =>
          !(node.labels && node.labels.length) && !node.getAttribute("aria-label")
          && !node.getAttribute("aria-labelledby") && !node.textContent.trim())
          .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert nameless == []


def test_the_numbers_of_a_figure_are_a_table(opened: Browser) -> None:
    opened.run("document.querySelector('[data-view=\"differences\"] details summary').click()")
    opened.run("new Promise((done) => setTimeout(done, 100))")
    heads = opened.texts('[data-view="differences"] .numbers thead th')
    assert heads == ["language", "A", "B", "A less B", "q"]
    assert opened.count('[data-view="differences"] .numbers tbody tr') == opened.count('[data-view="differences"] rect')


def test_without_javascript_the_tables_stand(browser: Browser, sample_file: Path) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(sample_file)
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert len(browser.texts("table.board")) == 3
    assert browser.texts(".controls, .tabs, .view") == []
    assert len(browser.texts("noscript")) == 1
    assert json.dumps(browser.texts(".lead")).startswith('["XPE is not told apart')
