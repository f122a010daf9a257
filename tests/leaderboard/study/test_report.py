"""Reports of studies: the layout of the paper's tables, published values beside ours, pairs, curves and costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from xlt_bench.baselines import TASK_HASH
from xlt_bench.leaderboard.render.figures import styled
from xlt_bench.leaderboard.study.costs import is_efficient
from xlt_bench.leaderboard.study.figures import _curves
from xlt_bench.leaderboard.study.lines import Results, results_of
from xlt_bench.leaderboard.study.pairs import languages_text, pairs_table
from xlt_bench.leaderboard.study.report import report_text, show_report
from xlt_bench.leaderboard.study.tables import curve_tables, groups_table
from xlt_bench.metrics import metric_named
from xlt_bench.records.cell import Cell, Protocol
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.store import Store
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.request import Request
from xlt_bench.studies.definition import Axis, Form, Grid, ReportSpec, Study
from xlt_bench.studies.planning import Planned
from xlt_bench.tasks import sib200

ITEMS = [f"{index}" for index in range(40)]
CLASSES = np.asarray(["travel", "sports"], object)
BACKBONE = sib200.INFO.backbone


def codes_of(group: str) -> tuple[str, ...]:
    members = sib200.groups(BACKBONE)[group]
    return tuple(code for code in sib200.languages() if code in members)


TARGETS = codes_of("full-46")
GROUPS = {name: codes_of(name) for name in ("full-46", "full-23-seen", "full-23-unseen")}

GRID = Grid(("xpe",), ("joshi5",))


def sources(name: str) -> tuple[str, ...]:
    """The languages of a source group of sib200."""
    named = {"joshi5": frozenset(codes_of("seen")) - frozenset(codes_of("seen-wo-joshi5")), "none": frozenset[str]()}
    return tuple(code for code in codes_of("seen") if code in named[name])


class Made:
    """A study with made-up runs of sib200 in a store."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.planned: list[Planned] = []

    def add(self, method: str, share: float, source: str = "joshi5", **changes: Any) -> None:
        """Three seeds of a configuration that is right in about this share of answers."""
        template = Cell(
            task="sib200",
            task_hash=TASK_HASH,
            backbone=BACKBONE,
            backbone_hash="b" * 16,
            method=method,
            hyperparameters={},
            preset="paper",
            recipe={"steps": 1},
            sources=sources(source),
            protocol="full",
            targets=TARGETS,
            precision="fp32",
            seed=0,
        )
        cells = [replace(template, seed=seed, **changes) for seed in range(3)]
        for cell in cells:
            found = predictions(share, seed=cell.seed)
            record = Record(
                cell=cell,
                label=method,
                sources_label=source,
                groups=GROUPS,
                labels=tuple(CLASSES),
                status="complete",
                accuracy=found.accuracy(),
                item_hash=found.item_hash(),
                fit={"trainable_parameters": int(1000 * share)},
                timing={"fit_seconds": 10.0 * share, "predict_seconds": 1.0},
                peak_memory_bytes=2**30,
            )
            self.store.write(record, found)
        configured = SimpleNamespace(label=method)
        setup = SimpleNamespace(
            label=method, store=self.store, groups=GROUPS, target_label="", configured=configured, source="b"
        )
        self.planned.append(
            Planned(0, method, source, cast(Any, Experiment(Request(), cast(Any, setup), tuple(cells), {})))
        )

    def results(
        self, form: Form, pairs: Sequence[tuple[str, str]] = (), over: Axis | None = None, metric: str | None = None
    ) -> Results:
        """What a report of these runs is made of."""
        spec = ReportSpec(form, tuple(pairs), over, published={"full-finetuning": "xlm-roberta-large full fine-tuning"})
        return results_of(Study("made", "Made *up*", "Why?", (GRID,), spec), self.planned, metric)


def predictions(share: float, seed: int) -> Predictions:
    random = np.random.default_rng([seed, int(1000 * share)])
    language = np.repeat(np.asarray(TARGETS, object), len(ITEMS))
    item = np.tile(np.asarray(ITEMS, object), len(TARGETS))
    gold = np.tile(CLASSES[np.arange(len(ITEMS)) % 2], len(TARGETS))
    wrong = np.where(gold == CLASSES[0], *CLASSES[::-1])
    hit = random.random(len(gold)) < share
    return Predictions(language, item, gold, np.where(hit, gold, wrong).astype(object))


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    # made-up items: the board would hold them against the task's own list
    monkeypatch.setattr("xlt_bench.leaderboard.board.boards.witness_of", lambda records: {})
    return Made(tmp_path / "store")


def row_of(text: str, first: str) -> list[str]:
    """The cells of a table's row."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {first}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_published_value_stands_beside_ours_and_is_inside_or_not(made: Made) -> None:
    made.add("dual-70", 0.76)
    made.add("full-finetuning", 0.55, "none")
    text = groups_table(made.results("groups"))
    assert re.match(r"\| Target group +\| dual-70 \(joshi5\) +\| full-finetuning \(no sources\)", text)
    whole = row_of(text, "full-46 (46)")
    assert re.fullmatch(r"7[567]\.\d \(\d+\.\d-\d+\.\d\); paper 76\.3, inside", whole[1])
    assert whole[2].endswith("; paper 76.1, outside")
    assert "paper 65.1" in row_of(text, "full-23-unseen (23)")[1]
    assert "paper 88.3" in row_of(text, "full-23-seen (23)")[2]


@pytest.mark.parametrize("changes", [{"backbone": "nano"}, {"shots": 8}, {"examples": 8}, {"protocol": "zero-shot"}])
def test_a_published_value_is_for_its_own_setting_alone(made: Made, changes: dict[str, object]) -> None:
    made.add("dual-70", 0.76, **changes)
    assert "paper" not in groups_table(made.results("groups"))


def macro_f1(found: Predictions, code: str) -> float:
    """Of one language, from the definition."""
    rows = found.language == code
    gold, predicted = found.gold[rows], found.predicted[rows]
    scores = [
        2 * np.sum((gold == name) & (predicted == name)) / (np.sum(gold == name) + np.sum(predicted == name))
        for name in CLASSES
    ]
    return float(np.mean(scores))


def test_a_report_shows_and_tests_another_metric(made: Made) -> None:
    made.add("dual-70", 0.76)
    made.add("spt", 0.60)
    results = made.results("groups", [("dual-70", "spt")], metric="macro-f1")
    expected = np.mean([[macro_f1(predictions(0.76, seed), code) for code in TARGETS] for seed in range(3)])
    cell = row_of(groups_table(results), "full-46 (46)")[-2]
    assert cell.startswith(f"{100 * expected:.1f} (")
    assert "paper" not in cell, "the paper printed accuracies"
    difference = expected - np.mean([[macro_f1(predictions(0.6, seed), code) for code in TARGETS] for seed in range(3)])
    assert f"| {100 * difference:+.1f} " in pairs_table(results)
    text = report_text(results, ())
    assert "Macro-F1 in per cent" in text
    assert "Accuracy in per cent" not in text


def test_the_metric_of_a_report_is_the_studys_else_what_the_task_is_judged_by(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.add("spt", 0.60)
    assert made.results("groups").metric.name == "accuracy"
    monkeypatch.setattr("xlt_bench.leaderboard.study.lines.main_metric", lambda task: metric_named("macro-f1"))
    assert made.results("groups").metric.name == "macro-f1"
    spec = ReportSpec("groups", metric="accuracy")
    study = Study("made", "Made", "Why?", (GRID,), spec)
    assert results_of(study, made.planned).metric.name == "accuracy"
    assert results_of(study, made.planned, "macro-f1").metric.name == "macro-f1"


def test_pairs_are_tested_on_the_same_sources_and_corrected_together(made: Made) -> None:
    made.add("xpe", 0.80)
    made.add("spt", 0.60)
    made.add("full-finetuning", 0.80, "none")
    results = made.results(
        "groups", [("xpe", "spt"), ("xpe", "full-finetuning:none"), ("xpe", "full-finetuning:joshi5")]
    )
    text = pairs_table(results)
    rows = [line for line in text.splitlines() if line.startswith("| xpe")]
    assert len(rows) == 2 * len(GROUPS)
    assert all("higher" in row for row in rows[: len(GROUPS)])
    assert all("not told apart" in row and "joshi5; none" in row for row in rows[len(GROUPS) :])


def test_a_curve_has_its_places_in_order_and_all_last(made: Made) -> None:
    for method in ("xpe", "spt"):
        made.add(method, 0.5, protocol=cast(Protocol, "zero-shot"))
        made.add(method, 0.6, shots=8)
        made.add(method, 0.7, shots=32)
        made.add(method, 0.8)
    text = curve_tables(made.results("curve", over="shots"))
    table = text.split("### ")[1]
    assert [row_of(table, first)[0] for first in ("0 ", "8 ", "32 ", "all ")] == ["0", "8", "32", "all"]
    firsts = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("|")][2:]
    assert firsts == ["0", "8", "32", "all"]
    assert row_of(table, "32 ")[1].startswith("7")


def test_what_nothing_beats_is_efficient(made: Made) -> None:
    made.add("cheap", 0.5)
    made.add("middle", 0.7)
    made.add("dear", 0.9)
    results = made.results("cost")
    assert [is_efficient(line, results, "parameters") for line in results.lines] == [True, True, True]
    slow = made.results("cost")
    worse = replace(slow.lines[2], row=replace(slow.lines[2].row, scores=slow.lines[0].row.scores))
    beaten = replace(slow, lines=(*slow.lines[:2], worse))
    assert [is_efficient(line, beaten, "parameters") for line in beaten.lines] == [True, True, False]


def test_languages_are_counted(made: Made) -> None:
    made.add("xpe", 0.9)
    made.add("spt", 0.3)
    text = languages_text(made.results("languages", [("xpe", "spt")]))
    assert "ahead in 46 languages and behind in 0 of 46" in text


@pytest.mark.parametrize(("form", "over"), [("curve", "shots"), ("languages", None), ("cost", None), ("groups", None)])
def test_a_report_is_written_with_its_figure(made: Made, tmp_path: Path, form: Form, over: Axis | None) -> None:
    pytest.importorskip("matplotlib")
    made.add("xpe", 0.9)
    made.add("spt", 0.3)
    study = Study("made", "Made *up*", "Why?", (GRID,), ReportSpec(form, (("xpe", "spt"),), over, "spt"))
    show_report(study, made.planned, tmp_path / "made.md")
    text = (tmp_path / "made.md").read_text()
    assert text.startswith("# Made \\*up\\*, on sib200 with FacebookAI/xlm-roberta-large\n\nWhy?\n\n- Task sib200")
    assert "6 of 6 runs, 0 of them failed; seeds 0 to 2" in text
    drawn = form != "groups"
    assert (tmp_path / "made.png").exists() == drawn
    assert ("![made](<made.png>)" in text) == drawn


def test_missing_runs_are_said(made: Made) -> None:
    made.add("xpe", 0.9)
    planned = made.planned[0]
    assert planned.experiment is not None
    more = tuple(replace(cell, seed=cell.seed + 3) for cell in planned.experiment.cells)
    made.planned[0] = replace(planned, experiment=replace(planned.experiment, cells=planned.experiment.cells + more))
    text = report_text(made.results("groups"), ())
    assert "3 of 6 runs" in text
    assert "**Incomplete**: 3 runs are missing" in text


def test_lines_that_would_share_a_place_are_told_apart(made: Made) -> None:
    made.add("xpe", 0.5, protocol=cast(Protocol, "zero-shot"))
    made.add("xpe", 0.6, shots=8)
    made.add("xpe", 0.8)
    header = groups_table(made.results("groups")).splitlines()[0]
    assert [cell.strip() for cell in header.strip("|").split("|")][1:] == [
        "xpe, zero-shot (joshi5)",
        "xpe, 8 shots (joshi5)",
        "xpe, all examples (joshi5)",
    ]


def test_a_cost_report_leaves_out_what_never_ran(made: Made) -> None:
    made.add("xpe", 0.9)
    made.add("spt", 0.5)
    planned = made.planned[1]
    assert planned.experiment is not None
    for cell in planned.experiment.cells:
        record = made.store.find(cell.fingerprint)
        assert isinstance(record, Record)
        made.store.write(replace(record, status="failed", error="boom", accuracy={}, item_hash=None), None)
    text = report_text(made.results("cost"), ())
    assert "| xpe (joshi5)" in text
    assert "| spt" not in text
    assert "Failed: spt, sources joshi5, seeds 0 to 2." in text


def test_the_name_of_languages_that_stand_for_a_group_stays_above_its_panel(made: Made) -> None:
    pytest.importorskip("matplotlib")
    made.add("xpe", 0.9)
    results = made.results("curve", over="shots")
    with styled():
        figure = _curves(replace(results, groups={"+".join(TARGETS[:6]): TARGETS[:6]}))
        figure.canvas.draw()  # type: ignore[no-untyped-call]
    (axes,) = figure.axes
    assert axes.get_title(loc="left").endswith(": 6 languages")
    title = axes._left_title.get_window_extent()  # type: ignore[attr-defined]
    assert 0 <= title.x0 < title.x1 <= figure.bbox.x1
