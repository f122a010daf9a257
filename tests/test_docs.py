"""The code in the documentation runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import xlt_bench
from tests.support import ROOT
from xlt_bench.plugins.registry import METHODS, entries, qualified

GUIDE = (ROOT / "docs/adding-a-method.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n# (?!test_)(\S+)\n(.*?)```", GUIDE, re.S)
CLASSES = {"my_prompt.py": "LowRankPrompt", "my_encoder.py": "LastLayerApart", "centroids.py": "Centroids"}


def test_there_is_a_soft_prompt_of_about_40_lines_and_a_method_from_scratch() -> None:
    lines = {name: len([line for line in code.splitlines() if line.strip()]) for name, code in BLOCKS}
    assert set(lines) == set(CLASSES)
    assert lines["my_prompt.py"] <= 40


@pytest.mark.parametrize(("name", "code"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_method_from_the_documentation_runs_and_its_weights_load(tmp_path: Path, name: str, code: str) -> None:
    path = tmp_path / name
    path.write_text(code, encoding="utf-8")
    records = xlt_bench.run(
        f"{path}:{CLASSES[name]}",
        "eng_Latn",
        targets="deu_Latn",
        seeds=[0],
        steps=4,
        store=tmp_path / "store",
        save_weights=True,
    )
    (record,) = records
    assert record.error is None
    assert record.complete
    assert list(record.accuracy) == ["deu_Latn"]
    assert any((tmp_path / "store" / record.cell.fingerprint / "weights").iterdir())


def test_every_shipped_method_has_a_card() -> None:
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    names = {entry.name for entry in entries(METHODS) if qualified(entry).startswith("xlt-bench/")}
    assert len(names) > 20
    assert {name for name in names if f"`{name}`" not in page} == set()
