"""Packs as a user meets them: one seed or target that fails leaves the others whole, and they are trained once."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.records.record import Record
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request

PLUGIN = '''
from dataclasses import dataclass
from pathlib import Path

import torch

from xlt_bench.methods.spt import SPT


@dataclass(frozen=True, kw_only=True)
class Explosive(SPT):
    """The soft prompt of the last of several seeds, or of several targets, starts at infinity."""

    def train_lanes(self, modules, splits, contexts, phases):
        with Path("passes.txt").open("a") as file:
            file.write(f"{len(modules)}\\n")
        if len(modules) > 1:
            torch.nn.init.constant_(modules[-1].prompt.weight, torch.inf)
        return super().train_lanes(modules, splits, contexts, phases)
'''


@pytest.fixture
def method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "explosive.py").write_text(PLUGIN)
    return "explosive.py:Explosive"


def records(pack: int, **changes: object) -> list[Record]:
    request = Request(sources="eng_Latn", targets="kat_Geor,tha_Thai", steps=12, store=Path("store"), **changes)  # type: ignore[arg-type]
    return carry_out(prepare(request), LocalEngine(pack=pack))


def passes() -> list[str]:
    return Path("passes.txt").read_text().split()


def test_a_seed_that_diverges_fails_alone(method: str) -> None:
    found = records(3, method=method, seeds=(0, 1, 2))
    assert [record.status for record in found] == ["complete", "complete", "failed"]
    assert "training loss of seed 2 became nan" in str(found[2].error)
    assert passes() == ["3"], "nobody was trained again"
    assert [record.pack for record in found[:2]] == [(0, 1, 2)] * 2


def test_targets_adapt_together_and_one_that_diverges_fails_alone(method: str) -> None:
    found = records(3, method=method, protocol="full", seeds=(0,), target_steps=12)
    assert sorted(record.status for record in found) == ["complete", "failed"]
    assert passes() == ["1", "2"], "one fit on the source, one pass over the targets"
