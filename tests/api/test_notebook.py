"""The notebook of the documentation: every cell runs, and shows what the stored outputs show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.notebook import executed
from tests.support import ROOT

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def shown(notebook: dict[str, Any]) -> list[list[str]]:
    """The kinds of what each code cell shows."""
    return [
        [kind for output in cell["outputs"] for kind in output.get("data", {"stream": ""})]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def texts(notebook: dict[str, Any]) -> list[str]:
    """The text of each result."""
    return [
        "".join(output["data"]["text/plain"])
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "data" in output
    ]


def test_the_notebook_runs_and_its_outputs_are_what_it_shows(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    stored = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    fresh = executed(stored, tmp_path)
    assert shown(fresh) == shown(stored)
    assert sum("image/png" in kinds for kinds in shown(fresh)) == 1
    assert [text.split(":")[0] for text in texts(fresh)][:2] == [text.split(":")[0] for text in texts(stored)][:2]


def test_a_cell_that_fails_fails_the_notebook(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": ["1 / 0"], "metadata": {}, "outputs": []}
    with pytest.raises(ZeroDivisionError):
        executed({"cells": [cell]}, tmp_path)
