"""What scores is bound before a plug-in is imported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import Command
from tests.support.plugins import write_plugin
from xlt_bench.records.store import Store

REPLACING = """
import numpy
numpy.isfinite = lambda scores: numpy.ones(scores.shape, bool)
"""


class AlwaysRight(np.ndarray):
    def argmax(self, *arguments: object) -> np.ndarray:  # type: ignore[override]
        raise AssertionError("asked for its opinion")


def test_a_plug_in_that_replaces_a_function_of_numpy_is_scored_all_the_same(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(np, "isfinite", np.isfinite)  # put back afterwards
    reference = write_plugin(tmp_path, "return np.full((len(examples), 3), np.nan, np.float32)")
    file = tmp_path / "plugin.py"
    file.write_text(file.read_text(encoding="utf-8") + REPLACING, encoding="utf-8")
    output = run("-m", reference, "--seeds", 1)
    assert output.code == 1
    assert "predict must return finite scores" in output.err


def test_an_array_that_answers_for_itself_is_read_as_numbers(run: Command, tmp_path: Path) -> None:
    scores = "np.eye(3, dtype=np.float32)[[0] * len(examples)]"
    body = f"from tests.runs.test_scoring import AlwaysRight\nreturn {scores}.view(AlwaysRight)"
    assert run("-m", write_plugin(tmp_path, body), "--seeds", 1).code == 0


def test_a_row_of_nan_abstains_where_the_class_says_so(run: Command, tmp_path: Path) -> None:
    body = "scores = np.eye(3, dtype=np.float32)[[0] * len(examples)]\nscores[0] = np.nan\nreturn scores"
    reference = write_plugin(tmp_path, body)
    said = run("-m", reference, "--seeds", 1, "--targets", "tha_Thai")
    assert "predict must return finite scores; 1 rows are not" in said.err
    file = tmp_path / "plugin.py"
    name = reference.rpartition(":")[2]
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{name}.abstains = True\n", encoding="utf-8")
    assert run("-m", reference, "--seeds", 1, "--targets", "tha_Thai").code == 0
    store = Store(Path("xlt-results"))
    (record,) = [record for record in store.records()[0] if record.complete]
    predictions = store.predictions(record)
    assert predictions.predicted[0] == ""
    assert not predictions.correct[0]
    assert record.accuracy["tha_Thai"] == pytest.approx(3 / 12)  # 4 of 12 are of class 0, the first of them abstained
