"""Names of rows follow from the cell and the defaults, whoever ran first; a user's own lies beside the Records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import xlt_bench
from tests.support.commands import Command
from xlt_bench.errors import ConfigError, StoreError
from xlt_bench.records.labels import LABELS, Labels
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

STORE = Path("xlt-results")
SHORT = ("-m", "head-only", "--targets", "kat_Geor", "--seeds", "1")


def stored() -> list[Record]:
    records, damaged = Store(STORE).records()
    assert not damaged
    return records


def only() -> Record:
    (record,) = stored()
    return record


WAYS = {
    "steps": ("centroid", "--steps", "400"),
    "preset": ("centroid", "--preset", "cldr"),
    "rates": ("centroid", "--rate-factors", "1,1"),
    "precision": ("centroid", "--precision", "fp32"),
    "setting": ("ngram-linear", "--set", "words=2"),
    "sources": ("centroid", "--sources", "joshi5+joshi5"),
}


@pytest.mark.parametrize("order", [1, -1], ids=["default first", "said first"])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_said_and_is_the_default_is_the_same_row(run: Command, way: str, order: int) -> None:
    """With methods that train nothing, so that 400 steps cost nothing; their cells have a recipe all the same."""
    method, *said_default = WAYS[way]
    options = ("-m", method, "--targets", "kat_Geor", "--seeds", "1")
    first, second = ((), said_default)[::order]
    assert run(*options, *first).code == 0
    before = only()
    said = run(*options, *second)
    assert "1 already in the store" in said.err
    assert only() == before
    assert (only().row_label, only().sources_label) == (method, "joshi5")


def test_what_differs_from_the_default_is_in_the_name(run: Command) -> None:
    options = (
        "--steps",
        "2",
        "--precision",
        "bf16",
        "--rate-factors",
        "2,0.5",
        "--examples",
        "20",
        "--preset",
        "paper",
    )
    assert run(*SHORT, *options, "--set", "head_learning_rate=0.01").code == 0
    record = only()
    assert record.row_label == (
        "head-only (head_learning_rate=0.01), preset paper, 2 steps, rates x2, head x0.5, bf16, 20 examples"
    )
    assert "label" in json.loads((STORE / record.cell.fingerprint / "record.json").read_text())


def test_a_label_names_a_row_and_is_no_part_of_identity(run: Command, command: Command) -> None:
    assert run(*SHORT, "--steps", "2").code == 0
    plain = only()
    said = run(*SHORT, "--steps", "2", "--label", "Ours (best)")
    assert "1 already in the store" in said.err
    assert "Ours (best)" in said.out
    assert only() == plain
    assert only().row_label == "Ours (best)"
    assert "Ours (best)" in command("ls", "records").out
    assert "Ours (best)" in command("leaderboard").out
    manifest = (STORE / plain.cell.fingerprint / "record.json").read_text()
    assert "Ours" not in manifest
    board = command("leaderboard", "--reference", "Ours (best)")
    assert board.code == 0, "a row is found by its label"


@pytest.mark.parametrize("row", ["head-only, 2 steps", "head-only, 2 steps:joshi5", "fingerprint", "configuration"])
def test_the_command_names_a_row_by_what_it_is_called_or_its_digits(run: Command, command: Command, row: str) -> None:
    assert run(*SHORT, "--steps", "2", "--seeds", "2").code == 0
    cell = stored()[0].cell
    reference = {"fingerprint": cell.fingerprint, "configuration": cell.configuration[:6]}.get(row, row)
    said = command("label", reference, "A name")
    assert (said.code, said.out) == (0, f"row {cell.configuration[:8]}: A name\n")
    assert {record.row_label for record in stored()} == {"A name"}
    assert command("label", "A name", "").code == 0
    assert {record.row_label for record in stored()} == {"head-only, 2 steps"}


def test_a_row_that_is_not_there_or_is_not_one(run: Command, command: Command) -> None:
    for steps in ("2", "3"):
        assert run(*SHORT, "--steps", steps, "--label", "same").code == 0
    several = command("label", "same", "other")
    assert several.code == 2
    assert "'same' fits 2 rows; write one of" in several.err
    missing = command("label", "sane", "other")
    assert (missing.code, missing.err) == (2, "error: no row 'sane'; did you mean 'same'? see: same\n")
    empty = command("label", "same", "other", "--store", "elsewhere")
    assert (empty.code, empty.err.count("\n")) == (2, 1)
    assert "no runs in elsewhere, so no row to name; make some: xlt-bench run" in empty.err


def test_several_rows_have_no_one_name(run: Command, plugin: str) -> None:
    said = run("-m", "majority", "--sources", "none", "--targets", "kat_Geor", "--shots", "4,8", "--label", "x")
    assert said.code == 2
    assert "--label names one row, and these runs form 2" in said.err
    assert not stored(), "said before anything was run"


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31mb", " a", "a\u202eb", "x" * 81])
def test_a_name_that_tables_cannot_show_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a label is one line of at most 80 plain characters"):
        Labels(tmp_path).write("c", text)
    assert not (tmp_path / LABELS).exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}'])
def test_a_broken_file_of_names_is_said(content: str, tmp_path: Path) -> None:
    (tmp_path / LABELS).write_text(content)
    with pytest.raises(StoreError, match="mend or remove it"):
        Store(tmp_path).records()


def test_a_notebook_names_a_row_too(run: Command) -> None:
    (record,) = xlt_bench.run("majority", "joshi5", task="toy", seeds=1, label="The floor")
    assert record.row_label == "The floor"
