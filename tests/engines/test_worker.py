"""Cells as JSON: a process that gets nothing else makes the same Records as the local engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from tests.support.checkpoints import reference, write_checkpoint
from tests.support.plugins import write_tuned
from tests.support.records import comparable
from tests.support.toy import write_files
from xlt_bench import __version__
from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.engines.answers import Answer
from xlt_bench.engines.plan import Plan
from xlt_bench.errors import ConfigError
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.evaluation import Evaluation
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.preparing_evaluation import prepare_evaluation
from xlt_bench.runs.request import Request
from xlt_bench.tuning import prepare_search


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the toy task and the toy method of tuning in it, and in it the tests' working folder."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path / "toy", {"train": 20, "dev": 20, "test": 20})
    write_tuned()
    return tmp_path


def request(**changes: Any) -> Request:
    usual = Request(
        method="plugin.py:Plugin", task="toy", sources="eng_Latn,deu_Latn", targets="swh_Latn", seeds=(0, 1)
    )
    return replace(usual, **changes)


def moved(experiment: Experiment, store: Store) -> Experiment:
    """The same with another store."""
    return replace(experiment, setup=replace(experiment.setup, store=store))


def work(plan: Plan, elsewhere: Path) -> subprocess.CompletedProcess[str]:
    """A worker that is started in another folder, and gets the plan as a file."""
    elsewhere.mkdir()
    path = elsewhere / "plan.json"
    path.write_text(plan.as_text(), encoding="utf-8")
    command = [sys.executable, "-m", "xlt_bench.engines.worker", str(path)]
    return subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)


def same(ours: Store, theirs: Store, fingerprint: str) -> None:
    """Whether two stores hold the same Record, to the byte as far as they can be compared."""
    manifests = [json.loads((store.folder_of(fingerprint) / "record.json").read_text()) for store in (ours, theirs)]
    assert len({json.dumps(comparable(manifest)) for manifest in manifests}) == 1
    names = {path.name for path in ours.folder_of(fingerprint).iterdir()}
    assert names == {path.name for path in theirs.folder_of(fingerprint).iterdir()}
    predictions = [(store.folder_of(fingerprint) / "predictions.parquet").read_bytes() for store in (ours, theirs)]
    assert predictions[0] == predictions[1]


def check_alike(experiment: Experiment, folder: Path) -> list[Record]:
    """Carry out an experiment here and by a worker, and compare."""
    ours = Store(folder / "ours")
    records = carry_out(moved(experiment, ours), LocalEngine(pack=2))
    plan = Plan.of(experiment, experiment.cells, pack=2)
    answer = work(plan, folder / "elsewhere")
    assert answer.returncode == 0, answer.stderr
    answers = [Answer.from_line(line) for line in answer.stdout.splitlines()]
    made = [Answer(record.cell.fingerprint, "complete") for record in records]
    assert [answer for answer in answers if not answer.doing] == made
    for record in records:
        same(ours, experiment.setup.store, record.cell.fingerprint)
    return records


def test_a_worker_makes_the_same_records(folder: Path) -> None:
    records = check_alike(prepare(request(save_weights=True)), folder)
    assert [record.cell.seed for record in records] == [0, 1]
    weights = Path("xlt-results", records[0].cell.fingerprint, "weights", "quality")
    assert weights.read_bytes() == Path("ours", *weights.parts[1:]).read_bytes()


def test_a_worker_trains_a_soft_prompt_to_the_same_bit(folder: Path, tiny_backbone_folder: Path) -> None:
    prompt = request(method="spt", backbone=str(tiny_backbone_folder), steps=3, device="cpu", init_from=None)
    check_alike(prepare(prompt), folder)


def test_a_worker_adapts_from_a_fit_on_the_sources(folder: Path, tiny_backbone_folder: Path) -> None:
    prompt = request(method="spt", backbone=str(tiny_backbone_folder), steps=2, target_steps=2, device="cpu")
    full = replace(prompt, protocol="full", shots=(4, None), seeds=(0,))
    records = check_alike(prepare(full), folder)
    assert [record.cell.shots for record in records] == [4, None]


def test_a_worker_carries_out_trials(folder: Path) -> None:
    planned = prepare_search(request(), 3).planned[2]
    (record,) = check_alike(planned.experiment, folder)
    assert record.cell.predicts == "dev"
    assert Store(Path("xlt-results")).records() == ([], [])


def test_a_worker_scores_an_adapter(folder: Path, tiny_backbone_folder: Path) -> None:
    adapter = write_checkpoint(reference(tiny_backbone_folder, 1.0), folder / "my-xpe", 1.0)
    evaluation = Evaluation(str(adapter), task="toy", targets="swh_Latn,kat_Geor", device="cpu")
    (record,) = check_alike(prepare_evaluation(evaluation).experiment, folder)
    assert record.setting.startswith("existing adapter, sources unknown")


def test_what_is_in_the_store_is_not_carried_out_again(folder: Path) -> None:
    experiment = prepare(request())
    carry_out(experiment, LocalEngine())
    made = Path("fits.txt").read_text()
    answer = work(Plan.of(experiment, experiment.cells), folder / "elsewhere")
    assert answer.returncode == 0
    assert Path("fits.txt").read_text() == made


def test_a_worker_that_is_started_again_goes_on_also_with_what_is_made_anew(folder: Path) -> None:
    carry_out(prepare(request()), LocalEngine())
    again = prepare(request(rerun="all"))
    plan = Plan.of(again, again.cells)
    (record,) = LocalEngine().carry_out(replace(again, cells=again.cells[:1]), None)
    assert plan.experiment().missing == [again.cells[1]]
    assert plan.experiment().stored == {record.cell.fingerprint: record}
    assert Plan.of(again, again.cells).experiment().missing == list(again.cells), "of a later plan both are older"


def test_other_data_are_refused_before_anything_is_computed(folder: Path) -> None:
    experiment = prepare(request())
    plan = Plan.of(experiment, experiment.cells)
    path = folder / "toy" / "swh_Latn" / "test.tsv"
    path.write_text(path.read_text().replace("\tfood\t", "\tfood\tno "))
    answer = work(plan, folder / "elsewhere")
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1].startswith("error: the plan is of task_hash ")
    assert not Path("xlt-results").exists()
    with pytest.raises(ConfigError, match="give this process the same code and data"):
        plan.experiment()


def test_a_plan_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    plain = Plan(Request(), (), tmp_path, tmp_path).as_json() | {"version": "9.9.9", "kind": "of the future"}
    with pytest.raises(
        ConfigError, match=rf"the plan is of xlt-bench 9\.9\.9, but in .*xlt_bench is {__version__}; give"
    ):
        Plan.from_json(plain)


def unusual(hint: Any, folder: Path) -> Any:
    """A value of this type that no field has by default."""
    kinds = [kind for kind in (hint, *get_args(hint)) if kind is not type(None)]
    origins = [get_origin(kind) or kind for kind in kinds]
    if Path in origins:
        return folder / "file"
    if tuple in origins:
        return (3, 5) if "float" not in str(hint) else (2.0, 0.5)
    if Literal in origins:
        return get_args(kinds[origins.index(Literal)])[-1]
    if Mapping in origins:
        if Path in get_args(hint):
            return {"name": folder / "file"}
        return {"name": "1", "results": [{"trial": 0}]}
    return next(value for kind, value in ((bool, True), (int, 7), (str, "text")) if kind in origins)


@pytest.mark.parametrize("kind", [Request, Evaluation])
def test_every_field_of_a_request_comes_back(kind: type[Request] | type[Evaluation], tmp_path: Path) -> None:
    types = get_type_hints(kind)
    full = kind(**{field.name: unusual(types[field.name], tmp_path) for field in fields(kind)})
    defaults = [field for field in fields(kind) if getattr(full, field.name) == field.default]
    assert not defaults, "a field that is as by default would pass whatever happens to it"
    plan = Plan(full, (), tmp_path, tmp_path, rerun="all", count_operations=True, pack=3)
    assert Plan.from_text(plan.as_text()) == plan


def test_a_request_with_defaults_comes_back(tmp_path: Path) -> None:
    plan = Plan(Request(), (), tmp_path, tmp_path)
    assert Plan.from_text(plan.as_text()) == plan
