"""The main job on real languages with the shipped task and backbone; the whole of it in the longer tier."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import xlt_bench
from tests.support import ROOT
from xlt_bench.method import Prompting
from xlt_bench.plugins.methods import configure
from xlt_bench.plugins.registry import METHODS, names
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

SIB200 = Path(os.environ.get("XLT_SIB200_DIR", ROOT.parent / "shared/data/sib200"))


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `xlt-bench` as a user does."""
    program = str(Path(sys.executable).with_name("xlt-bench"))
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


def stored(folder: Path) -> list[Record]:
    records, damaged = Store(folder).records()
    assert not damaged
    return records


def mean(record: Record, group: str) -> float:
    codes = record.groups[group]
    return sum(record.accuracy[code] for code in codes) / len(codes)


LANGUAGE_STEPS = {"madx": 2, "lt-sft": 2, "soft-language-prompt": 2}
"""Of the fits of languages, whose usual number takes a minute a method."""
TRAINED = [name for name in names(METHODS) if not isinstance(configure(name, {}).method, Prompting)]
"""tests/runs/test_prompted.py runs the others."""


@pytest.mark.parametrize("method", TRAINED)
def test_every_shipped_method_runs_on_cldr_with_nano(tmp_path: Path, method: str) -> None:
    settings = {"language_steps": LANGUAGE_STEPS[method]} if method in LANGUAGE_STEPS else {}
    resources = {"label-words": ROOT / "docs/label-words/cldr.toml"} if method == "rosprompt-like" else {}
    options: dict[str, Any] = {"targets": "yor_Latn", "seeds": [0], "steps": 3, "device": "cpu"}
    options |= {"protocol": "full", "target_steps": 3} if method == "flare" else {}
    sources = "eng_Latn" if method == "flare" else "eng_Latn,deu_Latn"
    (record,) = xlt_bench.run(method, sources, store=tmp_path, settings=settings, resources=resources, **options)
    assert record.complete, record.error
    assert set(record.accuracy) == {"yor_Latn"}


def test_own_rows_are_compared_by_name_although_published_ones_are_alike(tmp_path: Path) -> None:
    for method in ("xpe", "spt"):
        xlt_bench.run(method, "eng_Latn", targets="deu_Latn", seeds=[0, 1], steps=3, store=tmp_path, device="cpu")
    done = command("compare", "xpe", "spt", "--store", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "xpe, 3 steps, sources eng_Latn, 2 seeds" in done.stdout


def test_runs_without_sources_are_not_called_transfer(tmp_path: Path) -> None:
    xlt_bench.run("majority", "none", targets="yor_Latn", seeds=[0], store=tmp_path)
    done = command("leaderboard", "--store", str(tmp_path), "--task", "cldr")
    assert "Full supervision" in done.stdout
    assert "transfer" not in done.stdout


@pytest.mark.slow
def test_the_main_job_learns_and_transfers(tmp_path: Path) -> None:
    words = ("run", "--method", "xpe", "--sources", "seen", "--targets", "sources,unseen")
    done = command(*words, "--store", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "unseen" in done.stdout
    records = stored(tmp_path)
    assert sorted(record.cell.seed for record in records) == [0, 1, 2]
    for record in records:
        own, unseen = (mean(record, group) for group in ("sources (in-language)", "unseen"))
        assert own > 0.55
        assert 0.45 < unseen < own


@pytest.mark.slow
@pytest.mark.skipif(not SIB200.is_dir(), reason="SIB-200 is not at hand; say where: XLT_SIB200_DIR")
def test_sib200_with_nano_scores_every_target(tmp_path: Path) -> None:
    data = ("--task", "sib200", "--data-dir", str(SIB200), "--backbone", "nano")
    job = ("-m", "xpe", "--sources", "joshi5", "--seeds", "2", "--steps", "300")
    done = command("run", *data, *job, "--store", str(tmp_path))
    assert done.returncode == 0, done.stderr
    records = stored(tmp_path)
    assert len(records) == 2
    assert {len(record.accuracy) for record in records} == {198}
