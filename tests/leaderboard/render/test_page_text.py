"""The page as a string: what it holds, what it cannot hold, its size, and that equal boards give equal bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from tests.support.page_boards import HOSTILE, few_shot_board, hostile_board, sample_board
from tests.support.page_boards import row as made_up
from xlt_bench.languages.places import language_places
from xlt_bench.leaderboard.board.detail import DevCurve
from xlt_bench.leaderboard.board.model import Against, BoardContent, Bounds
from xlt_bench.leaderboard.render.page import data
from xlt_bench.leaderboard.render.page.document import page
from xlt_bench.leaderboard.render.page.projection import projected
from xlt_bench.leaderboard.render.page.tables import LISTED
from xlt_bench.stats import IntervalMethod


class Reader(HTMLParser):
    """Elements, texts and the raw content of style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.words = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.raw:
            self.raw[self._open].append(data)
        else:
            self.words += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def board() -> BoardContent:
    return sample_board()


@pytest.fixture(scope="module")
def text(board: BoardContent) -> str:
    return page(board)


def embedded(text: str) -> dict[str, Any]:
    block: dict[str, Any] = json.loads(Reader(text).raw["script"][0])
    return block


def test_every_row_stands_in_a_table_without_javascript(board: BoardContent, text: str) -> None:
    reader = Reader(text)
    rows = [row for section in board.sections for row in section.rows]
    assert len([one for one in reader.named("table") if one.get("class") == "board"]) == len(board.sections)
    assert len([one for one in reader.named("tr") if "data-row" in one]) == len(rows)
    for row in rows:
        assert row.label in reader.words
        for score in row.scores.values():
            assert f"{100 * score.value:.1f}" in reader.words
    for caveat in (*board.caveats, *board.skipped, *(caveat for row in rows for caveat in row.caveats)):
        assert caveat in reader.words


def test_the_marks(text: str) -> None:
    words = Reader(text).words
    for mark in ("one run", "at chance", "no interval", "not tested", "2 seeds failed: 45, 46", "203 of 205"):
        assert mark in words
    assert "Without 2 languages of the group: " in words
    assert "1 Record could not be read" in words
    assert words.count("Not tested: only means by language are known.") == 2  # once a table, as a footnote


def test_tables_are_marked_up_for_a_screen_reader(text: str) -> None:
    reader = Reader(text)
    assert all(head.get("scope") in ("col", "row", "colgroup") for head in reader.named("th"))
    boards = [one for one in reader.named("table") if one.get("class") == "board"]
    assert len(reader.named("caption")) == len(boards)
    regions = [one for one in reader.named("div") if one.get("role") == "region"]
    assert regions
    assert all(one.get("tabindex") == "0" and (one.get("aria-labelledby") or one.get("aria-label")) for one in regions)
    ids = [one["id"] for _, one in reader.elements if "id" in one]
    assert len(ids) == len(set(ids))
    targets = [str(one["href"]) for one in reader.named("a")]
    assert all(target.startswith("#") and target[1:] in ids for target in targets)


def test_columns_are_numbered_as_the_cells_are(board: BoardContent, text: str) -> None:
    first = text.split("<thead>")[1].split("</thead>")[0]
    columns = sorted(int(number) for number in re.findall(r'data-column="(\d+)"', first))
    row = re.findall(r"<tr data-row.*", text)[0]
    assert columns == list(range(len(re.findall(r"<t[hd][ >]", row))))


def test_no_request_can_leave_it(text: str) -> None:
    reader = Reader(text)
    policy = str(next(one["content"] for one in reader.named("meta") if "http-equiv" in one))
    style, (_, script) = reader.raw["style"][0], reader.raw["script"]
    expected = [
        "default-src 'none'",
        f"style-src '{_sha256(style)}'",
        f"script-src '{_sha256(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert policy.split("; ") == expected
    assert not [
        tag for tag, _ in reader.elements if tag in ("img", "link", "iframe", "object", "embed", "form", "base")
    ]
    assert not [name for _, one in reader.elements for name in one if name in ("src", "srcset", "action", "style")]
    assert not [name for _, one in reader.elements for name in one if name.startswith("on")]
    assert "url(" not in style
    assert "@import" not in style
    for call in (
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "sendBeacon",
        "import(",
        "innerHTML",
        "eval(",
        "document.write",
    ):
        assert call not in script


def _sha256(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def test_hostile_texts_are_inert() -> None:
    plain, hostile = Reader(page(sample_board(count=10))), Reader(page(hostile_board()))
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in plain.elements}
    assert {name for _, one in hostile.elements for name in one} <= {name for _, one in plain.elements for name in one}
    assert len(hostile.raw["script"]) == 2
    assert hostile.raw["script"][1] == plain.raw["script"][1]
    for harmless in (text for text in HOSTILE if text.isprintable()):
        assert harmless in hostile.words


def test_hostile_texts_survive_in_the_data() -> None:
    text = page(hostile_board())
    block = Reader(text).raw["script"][0]
    assert not set("<>&") & set(block)
    names = [row["name"] for row in embedded(text)["sections"][0]["rows"]]
    assert names[:6] == list(HOSTILE[:6])
    assert "\x00" not in text
    text.encode()


def test_the_data(board: BoardContent, text: str) -> None:
    content = embedded(text)
    codes = [language["code"] for language in content["languages"]]
    row, shown = board.sections[0].rows[2], content["sections"][0]["rows"][2]
    assert codes == sorted(board.languages)
    for code, value in zip(codes, shown["byLanguage"], strict=True):
        assert value == (round(row.by_language[code], 6) if code in row.by_language else None)
    bounds = row.scores["seen"].bootstrap
    assert bounds is not None
    assert shown["scores"][1]["bootstrap"] == [round(bounds.low, 6), round(bounds.high, 6)]
    assert content["sections"][2]["rows"][0]["byLanguage"] is None
    assert "two-way" not in content["sections"][2]["rows"][0]["scores"][0]
    assert content["sections"][0]["groups"][0]["chance"] == 0.25
    assert [codes[index] for index in content["sections"][0]["groups"][2]["languages"]] == list(
        board.sections[0].groups["unseen"]
    )
    assert content["sections"][0]["opening"] == 2


def test_tests_of_pairs_in_the_data(board: BoardContent, text: str) -> None:
    """Pairs keep their order, and q its language; in thousandths."""
    section, shown = board.sections[0], embedded(text)["sections"][0]
    assert section.detail is not None
    assert section.detail.by_language is not None
    pairs = section.detail.pairs["unseen"]
    assert shown["pairs"][2]["rows"] == list(pairs.rows)
    assert shown["pairs"][2]["p"] == list(pairs.p)
    assert shown["pairs"][2]["differences"] == [round(difference, 6) for difference in pairs.differences]
    codes = [language["code"] for language in embedded(text)["languages"]]
    assert len(shown["byLanguage"]["q"]) == 28
    for pair, values in enumerate(shown["byLanguage"]["q"]):
        for code, value in zip(codes, values, strict=True):
            q = section.detail.by_language.q[code][pair]
            assert value == (None if q is None else round(1000 * q))


def test_curves_in_the_data(text: str) -> None:
    rows = embedded(text)["sections"][0]["rows"]
    assert [len(row["curves"]) for row in rows] == [2, 2, 2, 0, 0, 0, 0, 0]
    assert rows[0]["curves"][0] == {
        "seed": 42, "selected": 400, "steps": [100, 200, 300, 400, 500], "values": [0.5, 0.53, 0.56, 0.59, 0.62],
    }  # fmt: skip
    points = [row["fewShot"] for section in embedded(page(few_shot_board()))["sections"] for row in section["rows"]]
    assert [point["shots"] for point in points] == [0, 0, 8, 8, None, None]
    assert points[0]["series"] == points[2]["series"] == points[4]["series"] != points[1]["series"]


def test_places_of_languages(text: str) -> None:
    languages = {language["code"]: language for language in embedded(text)["languages"]}
    afrikaans = languages["afr_Latn"]
    assert (afrikaans["x"], afrikaans["y"]) == tuple(
        round(value, 1) for value in projected(*language_places()["afr_Latn"][:2])
    )
    assert afrikaans["area"] == "Africa"


def test_a_board_without_detail_is_a_page(board: BoardContent) -> None:
    plain = replace(board, sections=tuple(replace(section, detail=None) for section in board.sections))
    section = embedded(page(plain))["sections"][0]
    assert section["byLanguage"] is None
    assert section["pairs"] == [None, None, None, None]
    assert section["rows"][0]["curves"] == []


def test_equal_boards_give_equal_bytes(board: BoardContent, text: str) -> None:
    assert page(sample_board()) == text
    rows = [replace(row, by_language=dict(reversed(list(row.by_language.items())))) for row in board.sections[0].rows]
    sections = (replace(board.sections[0], rows=tuple(rows)), *board.sections[1:])
    turned = replace(board, sections=sections, languages=dict(reversed(list(board.languages.items()))))
    assert turned == board
    assert page(turned) == text


def test_size_of_24_rows_on_205_languages() -> None:
    """With tests of all 276 pairs in every language, and the curves of 120 runs."""
    board = sample_board(rows=24)
    section = board.sections[0]
    assert section.detail is not None
    assert section.detail.by_language is not None
    steps = tuple(range(1000, 41_000, 1000))
    curves = {
        position: tuple(
            DevCurve(seed, steps, tuple(0.123456 + 0.01 * k for k in range(40)), 40_000) for seed in range(5)
        )
        for position in range(24)
    }
    section = replace(section, detail=replace(section.detail, curves=curves))
    text = page(replace(board, sections=(section, *board.sections[1:])))
    first = embedded(text)["sections"][0]
    assert (len(first["rows"]), len(first["byLanguage"]["q"]), len(first["byLanguage"]["q"][0])) == (24, 276, 205)
    assert len(text.encode()) < 1_000_000


def test_tests_by_language_beyond_the_budget_are_left_out(board: BoardContent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MOST_Q_VALUES", 28 * len(board.languages))
    sections = embedded(page(board))["sections"]
    assert sections[0]["byLanguage"] is not None
    assert sections[1]["byLanguage"] is None
    assert sections[1]["pairs"][0] is not None


def test_size_of_a_large_board() -> None:
    """100 rows x 205 languages x 8 groups; every row lacks other languages and has a caveat of its own."""
    board = sample_board(count=205)
    codes = tuple(board.languages)
    groups = {f"group {i}": codes for i in range(8)}
    rows = [
        made_up(
            f"{i}",
            f"A method of a long name length={i}",
            0.5,
            groups,
            missing=codes[i : i + 30],
            caveats=(f"{i} " * 30,),
        )
        for i in range(100)
    ]
    section = replace(board.sections[0], groups=groups, ranked_on=groups, rows=tuple(rows), primary="", detail=None)
    assert len(page(replace(board, sections=(section,))).encode()) < 1_000_000


def test_an_empty_board_is_a_page() -> None:
    empty = BoardContent("sample", "0", 0.95, (), {}, {})
    assert "0 configurations in 0 tables" in page(empty)


def test_intervals_are_shown_within_0_and_100_and_no_variance_is_said(board: BoardContent) -> None:
    section = board.sections[0]
    scores = dict(section.rows[0].scores)
    scores["all"] = replace(scores["all"], two_way=Bounds(-0.02, 1.03), bootstrap=Bounds(0.5, 0.5))
    row = replace(section.rows[0], scores=scores)
    words = Reader(page(replace(board, sections=(replace(section, rows=(row,)),)))).words
    assert "[0.0, 100.0]" in words
    assert "no variance" in words


def test_a_reference_adds_a_column_of_differences(board: BoardContent, text: str) -> None:
    against = Against("SPT, sources joshi5", -0.0123, Bounds(-0.05, 0.02), 0.0312, "worse")
    section = board.sections[0]
    reference = next(row for row in section.rows if row.label == "SPT")
    row = replace(section.rows[0], scores={"all": replace(section.rows[0].scores["all"], against=against)})
    compared = page(replace(board, sections=(replace(section, rows=(row, replace(reference, sources="joshi5"))),)))
    words = Reader(compared).words
    assert "-1.2 [-5.0, +2.0] p .031" in words
    assert "<b>-1.2</b>" in compared  # found after the correction
    assert "Difference: from SPT, sources joshi5" in words
    assert re.findall(r'scope="row"><a [^>]*><bdi>(.*?)</bdi>.*>reference</span>', compared) == ["SPT"]
    assert len(re.findall(r"<t[hd][ >]", re.findall(r"<tr data-row.*", compared)[0])) == 1 + 4 * 4
    assert "Difference</th>" not in text


def test_ranks_of_rows_that_are_not_told_apart(board: BoardContent) -> None:
    scores = {"all": replace(board.sections[0].rows[0].scores["all"], rank=2, worst_rank=4)}
    row = replace(board.sections[0].rows[0], scores=scores)
    words = Reader(page(replace(board, sections=(replace(board.sections[0], rows=(row,)),)))).words
    assert "2\u20134 " in words


def test_source_and_licence_of_a_published_row(board: BoardContent) -> None:
    row = replace(board.sections[2].rows[0], source="a repository, commit 1a2b", licence="CC0", sources="none")
    text = page(replace(board, sections=(replace(board.sections[2], rows=(row,)),)))
    words = Reader(text).words
    assert "Adelani et al. 2024, Table 7; a repository, commit 1a2b licence: CC0" in words
    assert embedded(text)["sections"][0]["rows"][0]["sources"] == ""
    assert "point values as published" in words
    assert "Rank</th>" not in text


@pytest.mark.parametrize("kind", get_args(IntervalMethod))
def test_the_interval_that_ranks_are_made_with_is_the_one_shown(board: BoardContent, kind: IntervalMethod) -> None:
    section = board.sections[0]
    score = replace(section.rows[0].scores["all"], seeds_only=Bounds(0.123, 0.234))
    row = replace(section.rows[0], scores={"all": score})
    text = page(replace(board, interval=kind, sections=(replace(section, rows=(row,)),)))
    reader = Reader(text)
    assert [one["value"] for one in reader.named("option") if "selected" in one] == [kind]
    assert reader.named("body") == [{"class": f"show-{kind}"}]
    assert f"Ranks, letters and differences: {kind}" in reader.words
    assert ("[12.3, 23.4]" in reader.words) == (kind == "seeds")


def test_a_row_without_the_group_and_many_missing_languages(board: BoardContent) -> None:
    section = board.sections[0]
    scores = {"all": replace(section.rows[0].scores["all"], missing=section.groups["all"][: LISTED + 5])}
    row = replace(section.rows[0], scores=scores)
    text = page(replace(board, sections=(replace(section, rows=(row,)),)))
    assert " and 5 more." in Reader(text).words
    assert embedded(text)["sections"][0]["rows"][0]["scores"][1] is None


def test_colours_have_contrast() -> None:
    style = Reader(page(sample_board(count=20))).raw["style"][0]
    palettes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root {(.*?)}", style, re.S)
    ]
    assert len(palettes) == 3  # light, dark, print
    for palette in palettes:
        for ink in ("ink", "muted", "link"):
            assert _contrast(palette[ink], palette["paper"]) >= 4.5
            assert _contrast(palette[ink], palette["panel"]) >= 4.5
        assert _contrast(palette["mark"], palette["mark-paper"]) >= 4.5
        for line in range(1, 7):
            assert _contrast(palette[f"line-{line}"], palette["paper"]) >= 4.5


def _contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
