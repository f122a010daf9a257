"""The search: what it looks at, what it keeps, what it chooses, and what a Record and the board say of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.plugins import tuned_fits, write_tuned
from tests.support.toy import write_files
from xlt_bench.cli.main import main
from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.records.answers import ItemLayout, Sheet
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request
from xlt_bench.stats import reduce, two_way, two_way_difference
from xlt_bench.tuning import prepare_search, search
from xlt_bench.tuning.report import command, conclusion
from xlt_bench.tuning.scores import difference, score
from xlt_bench.tuning.trial import FIRST_SEED

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """Of the toy method on the toy task, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path / "toy", {"train": 20, "dev": 20, "test": 20})
    return Request(method=write_tuned(), task="toy", sources="eng_Latn,deu_Latn", targets="swh_Latn", seeds=(0, 1))


@pytest.fixture
def tune(request_: Request, capsys: pytest.CaptureFixture[str]) -> Command:
    """`xlt-bench tune` of the toy method."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        sources = ["--sources", "eng_Latn,deu_Latn", "--targets", "swh_Latn", "--seeds", "2"]
        code = main(["tune", "-m", request_.method, "--task", "toy", *sources, *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_best_on_source_dev_is_chosen(request_: Request) -> None:
    found = search(prepare_search(request_, 8), LocalEngine())
    assert [trial.point["strength"] for trial in found.trials[:4]] == [1.0, 1.0, 0.316, 3.16]
    assert found.best.number == 3
    assert found.best.score is not None
    assert found.best.score.accuracy == 1.0  # strength 3.16: 20 of 20 items
    assert found.gain is not None
    assert found.gain.accuracy == pytest.approx(0.25)
    assert found.best.request.settings == {"strength": "3.16"}
    assert tuned_fits()[:2] == [f"{FIRST_SEED} 1", f"{FIRST_SEED} 0.316"]  # trials 0 and 1 are one fit


def test_of_equals_the_first_is_chosen(request_: Request) -> None:
    flat = replace(request_, method=write_tuned("return Fitted(0.75)"))
    found = search(prepare_search(flat, 5), LocalEngine())
    assert found.best.number == 0
    assert conclusion(found).endswith(": no setting changed a single answer, so the method may not use what is tuned.")


def test_what_is_told_of_the_best(request_: Request) -> None:
    falling = replace(request_, method=write_tuned("return Fitted(0.5 if self.strength > 1 else 0.75)"))
    assert conclusion(search(prepare_search(falling, 5), LocalEngine())).endswith(
        "over 20 items: no other setting was better."
    )
    risen = replace(request_, method=write_tuned("return Fitted(0.5 if self.strength < 3 else 0.55)"))
    told = conclusion(search(prepare_search(risen, 5), LocalEngine()))
    assert told == (
        "Best on source dev: trial 3 (strength x3.16), 55.0%, standard error 11.4 over 20 items; 5.0 above the "
        "default, standard error 5.0: no more than noise may give."
    )
    assert conclusion(search(prepare_search(replace(request_, method=write_tuned()), 4), LocalEngine())).endswith(
        "25.0 above the default, standard error 9.9."
    )


def test_a_trial_with_several_seeds(request_: Request) -> None:
    method = write_tuned("return Fitted(0.5 + 0.25 * (context.seed % 2))")
    found = search(prepare_search(replace(request_, method=method), 3, seeds=2), LocalEngine())
    assert [trial.score.accuracy for trial in found.trials if trial.score] == [0.625] * 3
    assert found.provenance()["seeds"] == [FIRST_SEED, FIRST_SEED + 1]


def test_what_is_made_is_not_made_again(request_: Request) -> None:
    search(prepare_search(request_, 4), LocalEngine())
    made = tuned_fits()
    longer = prepare_search(request_, 6)
    assert longer.missing == 2
    search(longer, LocalEngine())
    assert len(tuned_fits()) == len(made) + 2
    assert search(prepare_search(request_, 6), LocalEngine()).best.number == 3
    assert len(tuned_fits()) == len(made) + 2
    assert prepare_search(replace(request_, rerun="all"), 6).missing == 6


def test_an_interrupted_search_goes_on(tune: Command, request_: Request) -> None:
    stop = "if self.strength > 3 and not Path('again').exists(): raise KeyboardInterrupt"
    write_tuned(stop)
    code, out, err = tune("--trials", "5")
    assert (code, out) == (130, "")
    assert "stopped; 2 fits are missing; the same command goes on with them" in err
    assert not [path for path in Path("xlt-results").iterdir() if not path.name.startswith(".")]
    Path("again").touch()
    made = len(tuned_fits())
    code, out, _ = tune("--trials", "5", "--only-search")
    assert (code, len(tuned_fits())) == (0, made + 2)
    assert "(best)" in out


def test_a_failed_trial_is_shown_and_the_others_go_on(tune: Command) -> None:
    write_tuned("if self.strength > 3: raise RuntimeError('too strong')")
    code, out, err = tune("--trials", "6", "--only-search")
    assert code == 0
    assert "trial 3 of 5, strength x3.16: failed: fit raises RuntimeError: too strong" in err
    assert "failed: fit raises" in " ".join(out.split())
    made = len(tuned_fits())
    tune("--trials", "6", "--only-search")
    assert len(tuned_fits()) == made
    tune("--trials", "6", "--only-search", "--rerun", "failed")
    assert len(tuned_fits()) == made + 1


def test_all_trials_failed(tune: Command) -> None:
    write_tuned("raise RuntimeError('no luck')")
    code, out, err = tune("--trials", "3")
    assert (code, out) == (2, "")
    assert "all 3 trials of plugin.py:Plugin failed, the first with: fit raises RuntimeError: no luck" in err


def test_the_default_failed(request_: Request) -> None:
    failing = replace(request_, method=write_tuned("if self.strength == 1: raise RuntimeError('x')"))
    found = search(prepare_search(failing, 4), LocalEngine())
    assert found.best.number == 3
    assert found.gain is None
    assert conclusion(found).endswith("; the default failed.")


def test_the_run_is_marked_and_keeps_the_search(tune: Command) -> None:
    assert tune("--trials", "4")[0] == 0
    records, _ = Store(Path("xlt-results")).records()
    assert [(record.cell.tuned, record.cell.seed) for record in sorted(records, key=lambda r: r.cell.seed)] == [
        (4, 0),
        (4, 1),
    ]
    record = records[0]
    assert record.row_label == "plugin.py:Plugin (strength=3.16), tuned (4)"
    told = record.tuning
    assert (told["trials"], told["chosen"], told["selected_on"]) == (4, 3, "source dev")
    assert told["space"] == {"strength": [0.1, 10.0]}
    assert told["seeds"] == [FIRST_SEED]
    assert told["options"] == ["--set", "strength=3.16"]
    assert [one["accuracy"] for one in told["results"]] == [0.75, 0.75, 0.5, 1.0]
    assert Record.from_json(json.loads(json.dumps(record.as_json()))) == record


def test_a_tuned_setting_never_shares_a_row_with_the_default_one(tune: Command, request_: Request) -> None:
    flat = write_tuned("return Fitted(0.75)")  # the default is chosen
    assert tune("--trials", "3")[0] == 0
    (tuned,) = {record.cell.configuration for record in Store(Path("xlt-results")).records()[0]}
    by_hand = carry_out(prepare(replace(request_, method=flat)), LocalEngine())
    assert by_hand[0].cell.configuration != tuned
    assert by_hand[0].cell.hyperparameters == {"strength": 1.0, "size": 5}
    assert main(["leaderboard", "--task", "toy"]) == 0


def test_the_board_marks_tuned_and_default(
    tune: Command, request_: Request, capsys: pytest.CaptureFixture[str]
) -> None:
    tune("--trials", "3")
    carry_out(prepare(request_), LocalEngine())
    capsys.readouterr()
    assert main(["leaderboard", "--task", "toy"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Setting tuned on source dev in 3 trials: plugin.py:Plugin, tuned (3)." in said
    assert "Setting as given or by default, no search: plugin.py:Plugin." in said


def test_without_a_tuned_row_the_board_says_nothing_of_it(
    request_: Request, capsys: pytest.CaptureFixture[str]
) -> None:
    carry_out(prepare(request_), LocalEngine())
    assert main(["leaderboard", "--task", "toy"]) == 0
    assert "Setting" not in capsys.readouterr().out


def test_the_command_by_hand_gives_the_same_numbers(tune: Command, request_: Request) -> None:
    found = search(prepare_search(request_, 4), LocalEngine())
    words = command(found.best.request).split()
    assert " ".join(words) == (
        "xlt-bench run --method plugin.py:Plugin --task toy --sources eng_Latn,deu_Latn --targets swh_Latn "
        "--seeds 0,1 --set strength=3.16"
    )
    tune("--trials", "4")
    assert main([*words[1:], "--store", "other"]) == 0
    pairs = [{r.cell.seed: r.accuracy for r in Store(Path(name)).records()[0]} for name in ("xlt-results", "other")]
    assert pairs[0] == pairs[1]


def test_the_command_names_files_of_resources() -> None:
    words = command(Request(method="spt", resources={"label-words": Path("my words.toml")}))
    assert words == "xlt-bench run --method spt --resource 'label-words=my words.toml'"


def test_a_soft_prompt_with_a_backbone(request_: Request, tiny_backbone_folder: Path) -> None:
    prompt = replace(request_, method="spt", backbone=str(tiny_backbone_folder), steps=2, device="cpu", seeds=(0,))
    found = search(prepare_search(prompt, 3), LocalEngine())
    assert [set(trial.point) for trial in found.trials] == [{"own-rates", "head-rate"}] * 3
    (record,) = carry_out(prepare(replace(found.trials[2].request, tuning=found.provenance())), LocalEngine())
    assert record.row_label == "spt, 2 steps, tuned (3)"
    rates = record.cell.recipe["rates"] if record.cell.recipe else {}
    assert rates["head"]["learning_rate"] == pytest.approx(0.001 * 2.15)
    assert rates["prompt"]["learning_rate"] == pytest.approx(0.05 * 0.316)
    (by_hand,) = carry_out(prepare(found.trials[2].request), LocalEngine())
    assert by_hand.row_label == "spt, 2 steps, rates x0.316, head x2.15"
    assert by_hand.accuracy == record.accuracy
    assert by_hand.cell.configuration != record.cell.configuration


WRONG = {
    "one trial": (["--trials", "1"], "--trials must lie between 2 (the default and another setting) and 1000, not 1"),
    "many trials": (["--trials", "1001"], "and 1000, not 1001"),
    "no count": (["--trials", "many"], "'--trials'"),
    "no trials": ([], "'--trials'"),
    "no seeds": (["--trials", "3", "--trial-seeds", "0"], "--trial-seeds must be at least 1, not 0"),
    "no sources": (["--trials", "3", "--sources", "none"], "tuning selects on source dev, and --sources none has none"),
    "a seed of trials": (["--trials", "3", "--seeds", "1,4000000000"], "seed 4000000000 is held for trials"),
    "method": (["--trials", "3", "-m", "xpp"], "no method 'xpp'; did you mean 'xpe'?"),
    "nothing to tune": (["--trials", "3", "-m", "majority"], "method majority has nothing to tune"),
    "fixed": (["--trials", "3", "-m", "xpe", "--set", "learning_rate=1"], "--set learning_rate fixes what is to be tu"),
    "setting": (["--trials", "3", "--set", "strong=1"], "did you mean 'strength'?"),
    "group": (["--trials", "3", "--sources", "sen"], "did you mean 'seen'?"),
    "target": (["--trials", "3", "--targets", "eng_Latn"], "lies entirely within the sources"),
    "store": (["--trials", "3", "--store", "file"], "cannot be written"),
}


@pytest.mark.parametrize("what", WRONG)
def test_one_clear_line_before_anything_is_trained(what: str, tune: Command) -> None:
    options, message = WRONG[what]
    Path("file").touch()
    code, out, err = tune(*options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert message in err
    assert not tuned_fits()
    assert not Path("xlt-results").exists()


def test_a_trial_is_a_cell_that_predicts_the_dev_split_of_its_sources(request_: Request) -> None:
    planned = prepare_search(request_, 2)
    search(planned, LocalEngine())
    store = Store(Path("xlt-results")).aside("trials")
    (record,) = store.records()[0]  # trials 0 and 1 are one setting
    assert (record.cell.predicts, record.cell.sources) == ("dev", ("eng_Latn", "deu_Latn"))
    assert record.groups == {"source dev": record.cell.sources}
    assert record.selected_on == "nothing"
    predictions = store.predictions(record)
    assert set(predictions.language) == {"eng_Latn", "deu_Latn"}
    assert set(predictions.item_id) == {f"dev{number}" for number in range(20)}
    run = prepare(request_).cells[0]
    assert replace(record.cell, targets=run.targets, seed=run.seed, predicts="test").fingerprint == run.fingerprint
    assert replace(run, predicts="dev").fingerprint != run.fingerprint


def test_trials_are_no_results(request_: Request, capsys: pytest.CaptureFixture[str]) -> None:
    search(prepare_search(request_, 4), LocalEngine())
    assert Store(Path("xlt-results")).records() == ([], [])
    for words in (["ls", "records"], ["leaderboard", "--task", "toy"], ["rescore"]):
        capsys.readouterr()
        main(words)
        assert "plugin.py" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["record.json", "predictions.parquet"])
def test_a_damaged_trial_is_made_again(request_: Request, name: str) -> None:
    best = search(prepare_search(request_, 4), LocalEngine()).best
    made = len(tuned_fits())
    for path in Path("xlt-results/.trials").glob(f"*/{name}"):
        path.unlink()
    assert prepare_search(request_, 4).missing == 4
    again = search(prepare_search(request_, 4), LocalEngine()).best
    assert (again.number, again.score) == (best.number, best.score)
    assert len(tuned_fits()) == 2 * made


def test_two_processes_do_no_trial_twice(request_: Request, tmp_path: Path) -> None:
    write_tuned("import os, time; time.sleep(0.2); open('owners.txt', 'a').write(f'{os.getpid()}\\n')")
    command = [sys.executable, "-m", "xlt_bench", "tune", "-m", request_.method, "--task", "toy", "--trials", "9"]
    command += ["--sources", "eng_Latn,deu_Latn", "--targets", "swh_Latn", "--trial-seeds", "2", "--only-search"]
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0] == outputs[1]
    assert "Best on source dev: trial 3" in outputs[0]
    assert len(tuned_fits()) == len(set(tuned_fits())) == 2 * 8  # trials 0 and 1 are one setting
    assert len(set((tmp_path / "owners.txt").read_text().split())) == 2


def answers(right: NDArray[np.int8]) -> Sheet:
    """Answers to items that all have one class, right where `right` is 1."""
    codes, items = ("aa", "bb")[: len(right)], tuple("ijklm")[: right.shape[1]]
    gold, predicted = np.zeros(right.shape, np.int16), (1 - right).astype(np.int16)
    return Sheet(ItemLayout(codes, items, (), ("no", "yes"), gold), (), predicted)


def test_scores_are_those_of_the_statistics() -> None:
    random = np.random.default_rng(1)
    a = [answers(random.integers(0, 2, (2, 5), np.int8)) for _ in range(3)]
    b = [answers(random.integers(0, 2, (2, 5), np.int8)) for _ in range(3)]
    x = reduce(np.stack([sheet.correct for sheet in a]).astype(float))
    assert score(a).accuracy == pytest.approx(np.mean([sheet.correct.mean() for sheet in a]))
    assert score(a).error == pytest.approx(float(np.sqrt(two_way(x).variance)))
    assert difference(a, b).accuracy == pytest.approx(score(a).accuracy - score(b).accuracy)
    y = reduce(np.stack([sheet.correct for sheet in b]).astype(float))
    assert difference(a, b).error == pytest.approx(float(np.sqrt(two_way_difference(x, y).variance)))
    single = [answers(np.array([[1]], np.int8))]
    assert (score(single).accuracy, score(single).error) == (1.0, None)


def test_the_number_of_trials_is_part_of_what_a_run_is() -> None:
    plain = {
        "task": "t", "task_hash": "h", "backbone": "b", "backbone_hash": "h", "method": "m", "hyperparameters": {},
        "preset": None, "recipe": None, "sources": ["a"], "protocol": "zero-shot", "targets": ["b"],
        "precision": "fp32", "seed": 0,
    }  # fmt: skip
    default = Cell.from_json(plain)
    assert default.tuned is None
    assert replace(default, tuned=8).configuration != default.configuration
    assert replace(default, tuned=8).configuration != replace(default, tuned=9).configuration


def test_a_method_that_breaks_the_protocol_fails_its_trial(request_: Request) -> None:
    broken = replace(request_, method=write_tuned("return 3"))
    with pytest.raises(MethodError, match=r"the first with: fit must return a fitted object"):
        search(prepare_search(broken, 2), LocalEngine())


def test_a_wrong_configuration_stops_the_search(request_: Request) -> None:
    body = "from xlt_bench.errors import ConfigError; raise ConfigError('no such thing')"
    with pytest.raises(ConfigError, match="no such thing"):
        search(prepare_search(replace(request_, method=write_tuned(body)), 2), LocalEngine())
    assert len(tuned_fits()) == 1
