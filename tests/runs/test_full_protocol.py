"""The full protocol: one fit on the sources a seed, adapted to each target on its own; with few examples, too."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import xlt_bench
from tests.support import SUPPORT
from tests.support.commands import Command, process_environment
from tests.support.records import cell
from tests.support.toy import CODES, toy_task
from xlt_bench.engines import LocalEngine
from xlt_bench.errors import ConfigError
from xlt_bench.recipe import preset_recipe
from xlt_bench.records.claims import Claims
from xlt_bench.records.record import Record
from xlt_bench.records.source_fits import Fits
from xlt_bench.records.store import Store
from xlt_bench.runs.option_values import read_shots
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.protocols import protocol_of
from xlt_bench.runs.protocols.full import target_data
from xlt_bench.runs.protocols.zero_shot import source_data
from xlt_bench.runs.request import Request
from xlt_bench.tasks.sampling import stratified

STORE = Path("xlt-results")
ADAPTING = f"{SUPPORT / 'adapting_plugin.py'}:Adapting"
FULL = ("-m", ADAPTING, "--protocol", "full", "--targets", "kat_Geor,tha_Thai")


def stored() -> list[Record]:
    records, damaged = Store(STORE).records()
    assert not damaged
    return sorted(records, key=lambda record: (record.cell.seed, record.cell.targets, record.cell.shots or 99))


def calls(*kinds: str) -> list[str]:
    lines = Path("calls.txt").read_text().splitlines()
    return [line.partition(" ")[2] for line in lines if line.split()[1] in kinds]


def same(record: Record) -> Record:
    """Without what differs from run to run."""
    return replace(record, timing={}, created="", peak_memory_bytes=None)


def test_the_sources_are_fitted_once_a_seed_and_each_target_is_a_run(run: Command) -> None:
    said = run(*FULL, "--seeds", "2")
    assert said.code == 0
    assert calls("fit") == ["fit 0 3", "fit 1 3"]
    assert sorted(calls("adapt")) == [f"adapt {seed} {code} 18 9" for seed in (0, 1) for code in CODES[3:5]]
    assert [(record.cell.seed, record.cell.targets) for record in stored()] == [
        (seed, (code,)) for seed in (0, 1) for code in CODES[3:5]
    ]
    assert {record.selected_on for record in stored()} == {"target dev"}
    assert {record.cell.protocol for record in stored()} == {"full"}
    assert "Full supervision" in said.out
    assert "2 seeds" in said.out
    assert not list((STORE / ".fits").iterdir())


def test_six_seeds_are_the_default(run: Command) -> None:
    assert "12 runs, seeds 0, 1, 2, 3, 4, 5" in run(*FULL).err


def test_a_run_goes_on_where_it_stopped_and_gives_the_same(run: Command) -> None:
    run(*FULL, "--seeds", "2")
    before = stored()
    lost = STORE / before[1].cell.fingerprint
    for path in lost.iterdir():
        path.unlink()
    lost.rmdir()
    Path("calls.txt").unlink()
    assert "3 already in the store" in run(*FULL, "--seeds", "2").err
    assert calls("fit", "adapt") == ["fit 0 3", f"adapt 0 {before[1].cell.targets[0]} 18 9"]
    assert [same(record) for record in stored()] == [same(record) for record in before]


def test_the_adaptation_differs_from_the_fit(run: Command) -> None:
    run(*FULL, "--shots", "0,all", "--seeds", "1")
    zero, adapted = ([r for r in stored() if r.cell.protocol == protocol] for protocol in ("zero-shot", "full"))
    assert [record.cell.targets for record in zero] == [CODES[3:5]]
    assert zero[0].accuracy != {code: value for record in adapted for code, value in record.accuracy.items()}


def test_few_examples_are_rows_of_their_own(run: Command) -> None:
    said = run(*FULL, "--shots", "4,8,all", "--seeds", "1", "--json")
    board = json.loads(said.out)["boards"][0]
    assert [(section["title"], len(section["rows"])) for section in board["sections"]] == [
        ("4 labelled examples of the target, no backbone", 1),
        ("8 labelled examples of the target, no backbone", 1),
        ("Full supervision, no backbone", 1),
    ]
    assert "adapt 0 kat_Geor 4 4" in calls("adapt")
    assert "adapt 0 kat_Geor 8 8" in calls("adapt")
    assert "adapt 0 kat_Geor 18 9" in calls("adapt")
    assert {r.row_label.partition(":")[2] for r in stored()} == {"Adapting", "Adapting, 4 shots", "Adapting, 8 shots"}


def test_without_sources_each_target_is_fitted_alone(run: Command) -> None:
    said = run(
        "-m", ADAPTING, "--sources", "none", "--targets", "kat_Geor,tha_Thai", "--shots", "4,all", "--seeds", "1"
    )
    assert said.code == 0
    assert calls("fit", "adapt") == ["fit 0 1"] * 4
    assert {record.cell.sources for record in stored()} == {()}


def test_subsets_are_nested_stratified_and_shared() -> None:
    task = toy_task()
    train = task.split("kat_Geor", "train")
    for seed in range(5):
        subsets = [{e.id for e in stratified(train, size, seed).examples} for size in (3, 6, 12, 18)]
        assert all(small < large for small, large in pairwise(subsets))
        for size in (3, 6, 12):
            assert np.bincount(stratified(train, size, seed).gold).tolist() == [size // 3] * 3
    one = replace(cell(protocol="full", targets=("kat_Geor",)), shots=4)
    drawn = {tuple(e.id for e in target_data(replace(one, seed=seed), task)[0].examples) for seed in range(5)}
    assert len(drawn) > 1
    other = replace(one, method="spt", hyperparameters={}, sources=())
    assert target_data(one, task)[0].examples == target_data(other, task)[0].examples


def test_few_examples_do_not_mean_more_dev_evaluations() -> None:
    recipe, task = preset_recipe("paper"), toy_task()
    few = replace(cell(protocol="full", targets=("kat_Geor",)), shots=4)
    paced = protocol_of(few).recipe
    assert paced(recipe, few, task).evaluate_every == 1  # 18 items, batches of 32
    assert paced(replace(recipe, batch_size=4), few, task).evaluate_every == 5
    assert paced(recipe, replace(few, shots=None), task) == recipe


def test_the_number_of_examples_is_part_of_the_identity_and_none_is_as_before() -> None:
    one = cell(protocol="full", targets=("kat_Geor",))
    assert len({replace(one, shots=shots).configuration for shots in (None, 4, 8)}) == 3
    assert "shots" not in one._identity()
    assert replace(one, shots=4).source_fit == one.source_fit == replace(one, targets=("tha_Thai",)).source_fit
    assert one.source_fit != replace(one, seed=1).source_fit
    target_only = replace(one, recipe={"batch_size": 32, "target": 1})
    assert target_only.source_fit == replace(one, recipe={"batch_size": 32, "target": 2}).source_fit


def test_cells_of_every_number_of_examples() -> None:
    template = cell(protocol="full", targets=CODES[3:5])
    found = protocol_of(template).cells(template, (0, 1), (0, 4, None), replace(template, protocol="zero-shot"))
    assert [(c.seed, c.protocol, c.shots, len(c.targets)) for c in found[:5]] == [
        (0, "zero-shot", None, 2),
        (0, "full", 4, 1),
        (0, "full", 4, 1),
        (0, "full", None, 1),
        (0, "full", None, 1),
    ]
    assert len(found) == 10
    assert read_shots("0, 8,all", "--shots") == (0, 8, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--protocol", "full", "--shots", "19"), "--shots 19: the train split of kat_Geor has 18 items"),
        (("--protocol", "full", "--shots", "eight"), "--shots takes numbers of labelled target examples"),
        (("--protocol", "full", "--shots", "-4"), "--shots takes numbers of labelled target examples"),
        (("--protocol", "full", "--shots", "4,4"), "names a number twice"),
        (("--protocol", "full", "--shots", ""), "--shots takes numbers of labelled target examples"),
        (("--shots", "4"), "--shots is of adapting to a target; add --protocol full"),
        (("--target-steps", "4"), "--target-steps is of adapting to a target; add --protocol full"),
        (("--protocol", "full", "--target-steps", "0"), "--target-steps must be a whole number of at least 1, not 0"),
        (("--protocol", "zero-shot", "--sources", "none"), "which is no zero-shot"),
        (("--sources", "none", "--shots", "0"), "leaves nothing to learn from"),
        (("--sources", "none", "--target-steps", "4"), "its budget is --steps"),
        (("--protocol", "half"), "'half' is not one of 'zero-shot', 'full'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(run: Command, options: tuple[str, ...], said: str) -> None:
    found = run("-m", ADAPTING, "--targets", "kat_Geor,tha_Thai", *options)
    assert found.code == 2
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1
    assert not STORE.exists()


def test_a_method_that_cannot_adapt_says_so_once(run: Command, plugin: str) -> None:
    said = run("-m", plugin, "--protocol", "full", "--targets", "kat_Geor,tha_Thai", "--seeds", "1")
    assert said.code == 2
    assert "cannot go on learning from a target (Fitted has no adapt)" in said.err
    assert stored() == []


def test_a_fit_on_the_sources_that_fails_fails_its_targets_and_is_tried_once(run: Command, tmp_path: Path) -> None:
    broken = (SUPPORT / "adapting_plugin.py").read_text()
    kept = "def fit(self, train: Labelled, dev: Labelled, context: Context) -> Counted:\n"
    assert kept in broken
    path = tmp_path / "broken.py"
    path.write_text(broken.replace(kept, kept + "        if not context.seed:\n            raise ValueError('boom')\n"))
    said = run("-m", f"{path}:Adapting", *FULL[2:], "--seeds", "2")
    assert said.code == 1
    assert [(r.cell.seed, r.status) for r in stored()] == [(0, "failed")] * 2 + [(1, "complete")] * 2
    assert "boom" in (stored()[0].error or "")
    assert calls("fit") == ["fit 1 3"]


@pytest.mark.usefixtures("toy_installed")
def test_two_processes_share_the_work_and_nothing_is_done_twice(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xlt_bench", "run", "--task", "toy"]
    command += ["--sources", "joshi5", "--device", "cpu", *FULL, "--seeds", "4"]
    environment = process_environment(ADAPTING_SECONDS="0.15")
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    boards = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert boards[0] == boards[1]
    lines = [line.split(maxsplit=1) for line in (tmp_path / "calls.txt").read_text().splitlines()]
    assert len({what for _, what in lines}) == len(lines) == 4 + 8
    assert len({process for process, _ in lines}) == 2
    assert len(Store(tmp_path / STORE).records()[0]) == 8


def test_a_number_of_source_examples_is_shared_evenly(run: Command) -> None:
    said = run("-m", ADAPTING, "--targets", "kat_Geor,tha_Thai", "--examples", "18", "--seeds", "1", "--json")
    assert said.code == 0
    (record,) = stored()
    assert record.cell.examples == 18
    assert record.row_label.endswith("Adapting, 18 examples")
    train, dev = source_data(record.cell, toy_task())
    assert len(train) == len(dev) == 18
    strata = Counter((e.language, int(gold)) for e, gold in zip(train.examples, train.gold, strict=True))
    assert set(strata.values()) == {2}
    refused = run("-m", ADAPTING, "--examples", "55")
    assert refused.code == 2
    assert "--examples must lie between 1 and the sources' 54, not 55" in refused.err


@pytest.mark.parametrize("shots", [(-4,), (4, 4), (True,), ("8",), ()])
def test_shots_from_python_are_checked_too(run: Command, shots: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="--shots"):
        xlt_bench.run(ADAPTING, "joshi5", task="toy", targets="kat_Geor", protocol="full", shots=shots, device="cpu")


def test_how_one_adapts_is_no_part_of_what_stops_before(run: Command) -> None:
    options = ("-m", "spt", "--targets", "kat_Geor", "--seeds", "1", "--steps", "2", "--protocol", "full")
    assert run(*options, "--shots", "0", "--target-steps", "3").code == 0
    (record,) = stored()
    assert record.row_label == "spt, 2 steps"
    assert "1 already in the store" in run(*options[:-2]).err
    assert run(*options, "--target-steps", "3").code == 0
    assert {one.row_label for one in stored()} == {"spt, 2 steps", "spt, 2 steps, 3 target steps"}


def test_who_waits_for_the_fit_on_the_sources_claims_no_run(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(ADAPTING, task="toy", sources="joshi5", targets="kat_Geor,tha_Thai", protocol="full", seeds=(0,))
    experiment = prepare(request)
    claimed_keys: list[str] = []
    hold = Claims.hold

    def noted(claims: Claims, keys: Sequence[str]) -> AbstractContextManager[list[str]]:
        claimed_keys.extend(keys)
        return hold(claims, keys)

    source_fit = experiment.cells[0].source_fit
    with Store(STORE).claims.hold([source_fit]):
        monkeypatch.setattr(Claims, "hold", noted)
        assert list(LocalEngine().carry_out(experiment, None)) == []
    assert set(claimed_keys) == {source_fit}
    assert len(list(LocalEngine().carry_out(experiment, None))) == 2


def test_a_source_fit_that_is_gone_is_made_again(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may drop a fit, once it needs it no more, at the very moment when it is read."""
    kept = Fits.folder_of
    gone: list[str] = []

    def folder_of(self: Fits, key: str) -> Path:
        folder = kept(self, key)
        if not gone and folder.is_dir() and inspect.stack()[1].function == "_load_source":
            gone.append(key)
            shutil.rmtree(folder)
        return folder

    monkeypatch.setattr(Fits, "folder_of", folder_of)
    assert run(*FULL, "--seeds", "1").code == 0
    assert len(gone) == 1
    assert calls("fit") == ["fit 0 3"] * 2
    assert all(record.complete for record in stored())
