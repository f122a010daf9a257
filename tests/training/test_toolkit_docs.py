"""The methods in docs/toolkit.md run as they stand there, with all that comes for nothing."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

import xlt_bench
from tests.support import ROOT

BLOCKS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", (ROOT / "docs/toolkit.md").read_text(encoding="utf-8"), re.S))
CLASSES = {"parallel_contrast.py": "ParallelContrast", "mixed_prompt.py": "MixedPrompt"}


def test_the_contrastive_method_takes_at_most_60_lines() -> None:
    assert set(BLOCKS) == set(CLASSES)
    assert all(len(code.splitlines()) <= 60 for code in BLOCKS.values())


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_it_fits_adapts_and_is_kept(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(BLOCKS[name], encoding="utf-8")
    records = xlt_bench.run(
        f"{path}:{CLASSES[name]}",
        "eng_Latn+deu_Latn+spa_Latn",
        targets="fra_Latn",
        protocol="full",
        shots=(8,),
        seeds=[0, 1],
        steps=8,
        target_steps=4,
        store=tmp_path / "store",
        save_weights=True,
    )
    assert [record.error for record in records] == [None] * 2
    expected = {"cross_entropy", "contrast"} if name == "parallel_contrast.py" else {"cross_entropy"}
    for record in records:
        for point in record.fit["history"]:
            assert set(point["terms"]) == expected
            assert math.isclose(sum(point["terms"].values()), point["train_loss"], rel_tol=1e-5)


def test_parallel_items_come_together(tmp_path: Path) -> None:
    """The term falls, and further than where it does not count."""
    path = tmp_path / "parallel_contrast.py"
    path.write_text(BLOCKS["parallel_contrast.py"], encoding="utf-8")
    contrast = {}
    for weight in (0.001, 1.0):
        (record,) = xlt_bench.run(
            f"{path}:ParallelContrast",
            "eng_Latn+deu_Latn+spa_Latn",
            targets="fra_Latn",
            seeds=[0],
            steps=40,
            settings={"weight": weight},
            store=tmp_path / "store",
        )
        contrast[weight] = record.fit["history"][-1]["terms"]["contrast"] / weight
    assert contrast[1.0] < 0.9 * contrast[0.001]
