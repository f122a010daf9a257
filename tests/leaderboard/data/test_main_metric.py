"""What a task is judged by is what boards and comparisons show, unless they are told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.board_records import board_of, runs
from tests.support.toy import write_files
from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.compare.comparison import compare_entries
from xlt_bench.leaderboard.data.entries import Entry, entries_of
from xlt_bench.leaderboard.data.facts import main_metric
from xlt_bench.leaderboard.data.gathering import gather
from xlt_bench.metrics import ACCURACY, metric_named
from xlt_bench.records.answers import sheet_of
from xlt_bench.tasks import task_info


def test_nusax_is_judged_by_macro_f1_and_what_is_not_installed_by_accuracy() -> None:
    assert main_metric("nusax").name == "macro-f1"
    assert main_metric("cldr") == main_metric("nobody's") == ACCURACY


def test_a_users_task_says_it(tmp_path: Path) -> None:
    folder = write_files(tmp_path)
    path = folder / "task.toml"
    assert task_info(str(path)).metric == "accuracy"
    text = path.read_text(encoding="utf-8")
    path.write_text('metric = "macro-f1"\n' + text, encoding="utf-8")
    assert task_info(str(path)).metric == "macro-f1"
    path.write_text('metric = "f1"\n' + text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no metric 'f1'; see: accuracy, macro-f1"):
        task_info(str(path))


def test_boards_and_comparisons_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [*runs(0.6), *runs(0.8, label="SPT")]
    assert board_of(given).metric == "accuracy"
    for module in ("board.assemble", "compare.pair"):
        monkeypatch.setattr(f"xlt_bench.leaderboard.{module}.main_metric", lambda task: metric_named("macro-f1"))
    assert board_of(given).metric == "macro-f1"
    assert board_of(given, metric=ACCURACY).metric == "accuracy"
    by_fingerprint = {record.cell.fingerprint: predictions for record, predictions in given}
    records = [record for record, _ in given]
    gathered = gather(records, lambda record: sheet_of(by_fingerprint[record.cell.fingerprint], record.labels))
    first, second = entries_of(records, gathered)
    assert isinstance(first, Entry)
    assert compare_entries(first, second, {}).metric == "macro-f1"
