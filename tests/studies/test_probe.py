"""Probes: cells of a few steps in stores aside of the results, each made once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.toy import COUNTS, write_files
from xlt_bench.errors import MethodError
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request
from xlt_bench.studies.probe import FEW, MORE, Probe, Probes

STORE = Path("xlt-results")


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    """In a folder with the toy task."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path / "toy")
    return Loader()


def experiment(backbone: Path, loader: Loader, **changes: Any) -> Experiment:
    usual = Request(
        method="spt", task="toy", sources="eng_Latn,deu_Latn", targets="swh_Latn,kat_Geor", seeds=(4,), device="cpu",
        backbone=str(backbone), settings={"n_tokens": "2"},
    )  # fmt: skip
    return prepare(replace(usual, **changes), loader)


def stored(name: str) -> list[Record]:
    records, damaged = Store(STORE).aside(name).records()
    assert not damaged
    return sorted(records, key=lambda record: record.fit["steps"])


def test_a_probe_is_two_cells_that_are_no_results(loader: Loader, tiny_backbone_folder: Path) -> None:
    asked = experiment(tiny_backbone_folder, loader)
    probe = Probes(STORE, loader).probe(asked)
    records = stored("probes-cpu")
    assert [record.fit["steps"] for record in records] == [FEW, MORE]
    assert {record.cell.seed for record in records} == {0}
    assert {record.cell.sources for record in records} == {asked.cells[0].sources}
    assert Store(STORE).records() == ([], [])
    few, more = (record.timing["fit_seconds"] for record in records)
    assert probe.step_seconds == pytest.approx(max(0.0, (more - few) / (MORE - FEW)))
    assert probe.item_seconds == pytest.approx(1.0 / records[0].timing["predict_examples_per_second"])
    assert probe.memory_bytes == max(record.peak_memory_bytes or 0 for record in records)


def test_it_is_made_once_whatever_the_sources(loader: Loader, tiny_backbone_folder: Path) -> None:
    probes = Probes(STORE, loader)
    first = probes.probe(experiment(tiny_backbone_folder, loader))
    created = [record.created for record in stored("probes-cpu")]
    other_sources = experiment(tiny_backbone_folder, loader, sources="fra_Latn", steps=50)
    assert Probes(STORE, loader).probe(other_sources) == first
    assert [record.created for record in stored("probes-cpu")] == created
    probes.probe(experiment(tiny_backbone_folder, loader, settings={"n_tokens": "3"}))
    assert len(stored("probes-cpu")) == 4


def test_half_a_probe_is_completed(loader: Loader, tiny_backbone_folder: Path) -> None:
    asked = experiment(tiny_backbone_folder, loader)
    Probes(STORE, loader).probe(asked)
    few, more = stored("probes-cpu")
    (Store(STORE).aside("probes-cpu").folder_of(more.cell.fingerprint) / "record.json").unlink()
    Probes(STORE, loader).probe(asked)
    again = stored("probes-cpu")
    assert again[0] == few
    assert again[1].cell == more.cell


def test_a_method_without_a_backbone_is_one_whole_fit(loader: Loader, tiny_backbone_folder: Path) -> None:
    asked = experiment(tiny_backbone_folder, loader, method="majority", settings={})
    probe = Probes(STORE, loader).probe(asked)
    assert probe.step_seconds == 0.0
    (record,) = stored("probes-cpu")
    assert record.cell.examples is None


def test_without_sources_a_target_is_probed(loader: Loader, tiny_backbone_folder: Path) -> None:
    Probes(STORE, loader).probe(experiment(tiny_backbone_folder, loader, sources="none"))
    assert {(record.cell.sources, len(record.cell.targets)) for record in stored("probes-cpu")} == {((), 1)}


def test_of_the_full_protocol_the_fit_on_the_sources_is_probed(loader: Loader, tiny_backbone_folder: Path) -> None:
    full = experiment(tiny_backbone_folder, loader, protocol="full", shots=(4, None), target_steps=7)
    Probes(STORE, loader).probe(full)
    assert not any(record.cell.adapts for record in stored("probes-cpu"))


def test_an_estimate_counts_steps_and_the_items_that_are_scored(loader: Loader, tiny_backbone_folder: Path) -> None:
    full = experiment(tiny_backbone_folder, loader, protocol="full", steps=450, target_steps=7)
    probe = Probe(step_seconds=2.0, item_seconds=0.5, fixed_seconds=1.0, memory_bytes=1)
    dev, test = COUNTS["dev"], COUNTS["test"]
    assert full.setup.recipe.evaluate_every == 200
    assert probe.seconds(full, full.cells[0]) == 1.0 + 7 * 2.0 + (dev + test) * 0.5
    assert probe.source_seconds(full, full.cells[0]) == 1.0 + 450 * 2.0 + 3 * 2 * dev * 0.5  # 3 evaluations, 2 sources


def test_the_arithmetic_of_a_step_does_not_depend_on_the_machine(loader: Loader, tiny_backbone_folder: Path) -> None:
    probes = Probes(STORE, loader)
    short, long = (experiment(tiny_backbone_folder, loader, settings={"n_tokens": str(n)}) for n in (2, 20))
    flops = probes.step_flops(short)
    assert flops > 0
    assert probes.step_flops(short) == flops
    assert probes.step_flops(long) > flops
    records = stored("probes-operations")
    counts = [
        record.fit["floating_point_operations"] for record in records if record.cell.hyperparameters["n_tokens"] == 2
    ]
    assert flops == (counts[1] - counts[0]) / (MORE - FEW)
    with pytest.raises(MethodError, match="does no arithmetic that grows with its steps"):
        probes.step_flops(experiment(tiny_backbone_folder, loader, method="majority", settings={}))


def test_a_failing_method_says_why_and_is_tried_again(loader: Loader, tiny_backbone_folder: Path) -> None:
    diverging = experiment(tiny_backbone_folder, loader, settings={"n_tokens": "2", "learning_rate": "1e30"})
    for _ in range(2):
        with pytest.raises(MethodError, match=r"a probe of spt .* failed: .*learning rate"):
            Probes(STORE, loader).probe(diverging)
    assert any(not record.complete for record in Store(STORE).aside("probes-cpu").records()[0])
