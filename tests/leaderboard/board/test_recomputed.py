"""The shipped boards against a computation of their own: plain numpy from the files, none of the board's code."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from scipy import stats as scipy_stats

from tests.leaderboard.board.test_numbers import two_way_by_hand
from xlt_bench.stats import pairwise

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "leaderboard" / "reference"
BASELINES = ROOT / "baselines" / "data"

Answers = dict[int, dict[str, dict[str, bool]]]
"""Seed -> language -> item id -> whether it was right."""


@pytest.fixture(scope="module")
def runs() -> dict[str, Answers]:
    """Configuration -> its answers, read row by row from the reference Records."""
    found: dict[str, Answers] = defaultdict(dict)
    for folder in sorted(REFERENCE.iterdir()):
        manifest = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        table = parquet.read_table(folder / "predictions.parquet").to_pydict()
        answers: dict[str, dict[str, bool]] = defaultdict(dict)
        for code, item, gold, predicted in zip(
            table["language"], table["item_id"], table["gold"], table["predicted"], strict=True
        ):
            answers[code][item] = gold == predicted
        found[manifest["configuration"]][manifest["cell"]["seed"]] = dict(answers)
    return found


@pytest.fixture(scope="module")
def board() -> dict[str, object]:
    """The shipped board as JSON has it."""
    (only,) = json.loads((ROOT / "leaderboard" / "reference-board.json").read_text(encoding="utf-8"))["boards"]
    return dict(only)


def scores_of(answers: Answers, codes: list[str]) -> np.ndarray:
    """(seeds, items): each answer enters through its deviation from the mean of its language."""
    items = sorted({item for code in codes for item in answers[min(answers)][code]})
    x = np.zeros((len(answers), len(items)))
    means = {code: np.mean([np.mean(list(own[code].values())) for own in answers.values()]) for code in codes}
    for row, seed in enumerate(sorted(answers)):
        for column, item in enumerate(items):
            deviations = [
                (answers[seed][code][item] - means[code]) * len(items) / (len(codes) * len(answers[seed][code]))
                for code in codes
                if item in answers[seed][code]
            ]
            x[row, column] = np.mean(list(means.values())) + sum(deviations)
    return x


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference Records here")
def test_the_reference_board(runs: dict[str, Answers], board: dict) -> None:  # type: ignore[type-arg]
    (section,) = board["sections"]
    checked = 0
    for row in section["rows"]:
        for group, score in row["scores"].items():
            x = scores_of(runs[row["key"]], section["groups"][group])
            assert score["value"] == pytest.approx(x.mean(), abs=1e-6)
            assert score["by_seed"] == pytest.approx(x.mean(axis=1).tolist(), abs=1e-6)
            assert (score["items"], score["clusters"]) == (x.shape[1], x.shape[1])
            assert [score["two_way"][end] for end in ("low", "high")] == pytest.approx(two_way_by_hand(x), abs=2e-6)
            checked += 1
    assert checked > 100


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference Records here")
def test_the_letters_of_the_primary_group(runs: dict[str, Answers], board: dict) -> None:  # type: ignore[type-arg]
    (section,) = board["sections"]
    group = section["primary"]
    rows = sorted((row for row in section["rows"] if group in row["scores"]), key=lambda row: row["key"])
    tests = pairwise([scores_of(runs[row["key"]], section["groups"][group]) for row in rows])
    assert section["tests"][group] == len(rows) * (len(rows) - 1) // 2 == tests.tests
    for one, row in enumerate(rows):
        for other in range(one):
            shared = set(row["scores"][group]["letters"]) & set(rows[other]["scores"][group]["letters"])
            assert bool(shared) == (tests.adjusted_p[one, other] > 0.05)
        better = (tests.adjusted_p[one] <= 0.05) & (tests.differences[one] < 0)
        assert row["scores"][group]["rank"] == 1 + better.sum()


def stored(name: str) -> dict[str, list[str]]:
    """Column -> cells of a stored file."""
    lines = [line for line in (BASELINES / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    return {column: [row[column] for row in rows] for column in rows[0]}


@pytest.mark.parametrize(("file", "label"), [("gpt-4.csv", "GPT-4"), ("gpt-3.5.csv", "GPT-3.5")])
def test_the_stored_answers_by_article(file: str, label: str) -> None:
    from xlt_bench.leaderboard.board.boards import boards_of
    from xlt_bench.leaderboard.board.filters import Filter
    from xlt_bench.leaderboard.board.options import Options
    from xlt_bench.records.store import Store

    (board,) = boards_of(Store(Path("no such store")), Filter(task="sib200"), Options())
    section = next(one for one in board.sections if one.setting == "zero-shot prompt")
    row = next(one for one in section.rows if one.label == label)
    items, answers = stored("sib200-test-items.csv"), stored(file)
    classes = ("science/technology", "travel", "politics", "sports", "health", "entertainment", "geography")
    gold = np.array([str(classes.index(label)) for label in items["gold"]])
    right = {code: np.array(list(line)) == gold for code, line in zip(*answers.values(), strict=True)}
    ids = np.array(items["index_id"], int)
    order = np.argsort(ids)
    article = np.zeros(len(ids), int)
    article[order] = np.cumsum([0, *(np.diff(ids[order]) > 2)])
    for group, score in row.scores.items():
        x = np.mean([right[code] for code in section.groups[group]], axis=0)
        z = np.bincount(article, weights=x - x.mean()) / len(x)  # each article's part of the mean's error
        count = len(z)
        deviation = np.sqrt(count / (count - 1) * (z**2).sum())
        half = scipy_stats.t.ppf(0.975, count - 1) * deviation
        assert (score.items, score.clusters) == (204, 154)
        assert score.two_way is not None
        assert (score.value, score.two_way.low, score.two_way.high) == pytest.approx(
            (x.mean(), x.mean() - half, x.mean() + half)
        )
