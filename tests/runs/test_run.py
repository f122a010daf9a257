"""`xlt-bench run` on a toy task: what is computed, what is not again, and what a failure costs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import Command, heed_ctrl_c, process_environment
from tests.support.plugins import GOOD, write_plugin
from tests.support.toy import CODES, toy_task
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

STORE = Path("xlt-results")


def stored() -> dict[int, Record]:
    records, damaged = Store(STORE).records()
    assert not damaged
    return {record.cell.seed: record for record in records}


def files_of(record: Record) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (STORE / record.cell.fingerprint).iterdir()}


def test_more_seeds_train_only_those_that_are_missing(run: Command, plugin: str) -> None:
    assert run("-m", plugin, "--seeds", "3").code == 0
    before = {seed: files_of(record) for seed, record in stored().items()}
    said = run("-m", plugin, "--seeds", "5")
    assert said.code == 0
    assert "5 runs, seeds 0, 1, 2, 3, 4; 3 already in the store" in said.err
    assert re.search(r"predict \S+ \(\d+\)", said.err)
    assert sorted(stored()) == [0, 1, 2, 3, 4]
    assert {seed: files_of(record) for seed, record in stored().items() if seed in before} == before


def test_rerun_all_computes_again(run: Command, plugin: str) -> None:
    run("-m", plugin, "--seeds", "1")
    before = files_of(stored()[0])
    assert run("-m", plugin, "--seeds", "1", "--rerun", "all").code == 0
    assert files_of(stored()[0]) != before
    assert len(stored()) == 1


FAILS_WITH_SEED_1 = "if seed == 1:\n    raise RuntimeError('boom')\n" + GOOD


def test_a_failed_seed_is_a_record_and_the_others_go_on(run: Command, tmp_path: Path) -> None:
    said = run("-m", write_plugin(tmp_path, FAILS_WITH_SEED_1), "--seeds", "3")
    assert said.code == 1
    assert {seed: record.status for seed, record in stored().items()} == {0: "complete", 1: "failed", 2: "complete"}
    assert (stored()[1].error or "").startswith("predict raises RuntimeError: boom")
    assert "seed 1 failed: predict raises RuntimeError: boom" in said.err
    assert "Traceback" not in said.err
    assert "2 seeds, 1 failed" in said.out


def test_only_failed_seeds_are_tried_again_and_only_when_asked(run: Command, tmp_path: Path) -> None:
    broken = "import pathlib\nif not pathlib.Path('fixed').exists() and seed == 1:\n    raise OSError('no')\n" + GOOD
    reference = write_plugin(tmp_path, broken)
    assert run("-m", reference, "--seeds", "2").code == 1
    Path("fixed").touch()
    said = run("-m", reference, "--seeds", "2")
    assert said.code == 1
    assert "2 already in the store, 1 of them failed (--rerun failed tries again)" in said.err
    before = files_of(stored()[0])
    assert run("-m", reference, "--seeds", "2", "--rerun", "failed").code == 0
    assert stored()[1].complete
    assert files_of(stored()[0]) == before


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "return np.zeros((len(examples) - 1, 3))",
            "predict must return shape (12, 3), one row an item; it is (11, 3)",
        ),
        ("return np.zeros(len(examples))", "it is (12,)"),
        ("return np.full((len(examples), 3), np.nan)", "finite scores; 12 rows are not"),
        ("return np.full((len(examples), 3), 'a')", "predict must return numbers"),
        ("return None", "predict must return numbers"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_scores_that_break_the_protocol(run: Command, tmp_path: Path, body: str, message: str) -> None:
    said = run("-m", write_plugin(tmp_path, body), "--seeds", "1")
    assert said.code == 1
    assert message in (stored()[0].error or "")
    assert "failed" in said.out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return Fitted(context.seed)", "return None", "NoneType has no predict, save, summary"),
        ("summary = FitSummary(trainable_parameters=np.int64(3))", "summary = {}", "must be a FitSummary"),
    ],
)
def test_fits_that_break_the_protocol(run: Command, plugin: str, old: str, new: str, message: str) -> None:
    path = Path(plugin.rpartition(":")[0])
    path.write_text(path.read_text().replace(old, new), encoding="utf-8")
    said = run("-m", plugin, "--seeds", "1")
    assert said.code == 1
    assert message in (stored()[0].error or "")


def test_a_save_that_breaks_fails_that_run(run: Command, plugin: str) -> None:
    path = Path(plugin.rpartition(":")[0])
    path.write_text(path.read_text().replace("folder):\n", "folder):\n        1 / 0\n", 1), encoding="utf-8")
    assert run("-m", plugin, "--seeds", "1", "--save-weights").code == 1
    assert (stored()[0].error or "").startswith("save raises ZeroDivisionError: division by zero\n")
    assert run("-m", plugin, "--seeds", "1", "--rerun", "failed").code == 0


def test_weights_that_are_asked_for_later_are_made(run: Command, plugin: str) -> None:
    run("-m", plugin, "--seeds", "1")
    assert run("-m", plugin, "--seeds", "1", "--save-weights").code == 0
    assert (STORE / stored()[0].cell.fingerprint / "weights" / "weights.json").read_text() == "0"
    before = files_of(stored()[0])
    run("-m", plugin, "--seeds", "1", "--save-weights")
    assert files_of(stored()[0]) == before


def test_json_is_alone_on_standard_output(run: Command, tmp_path: Path) -> None:
    said = run("-m", write_plugin(tmp_path, "print('chatter')\n" + GOOD), "--seeds", "2", "--json")
    plain = json.loads(said.out)
    assert [record["cell"]["seed"] for record in plain["records"]] == [0, 1]
    assert "chatter" in said.err
    assert plain["records"][0]["fit"]["trainable_parameters"] == 3


def test_what_the_table_says(run: Command, plugin: str) -> None:
    run("-m", "majority", "--seeds", "2")
    said = run("-m", plugin, "--seeds", "2", "--targets", "unseen")
    assert re.search(r"unseen *\n languages +2 *\n", said.out)
    assert "plugin.py:Plugin" in said.out
    assert "majority" in said.out
    assert "xlt-bench leaderboard" in said.err


def test_each_target_on_its_own_data(run: Command) -> None:
    said = run("--sources", "none", "--targets", "unseen", "-m", "majority", "--seeds", "2")
    assert said.code == 0
    records, _ = Store(STORE).records()
    assert {(r.cell.seed, r.cell.targets, r.cell.sources, r.cell.protocol) for r in records} == {
        (seed, (code,), (), "full") for seed in (0, 1) for code in CODES[4:]
    }
    assert re.search(r"unseen *\n languages +2 *\n", said.out)


@pytest.mark.parametrize(
    ("sources", "targets", "groups"),
    [
        ("joshi5", "sources", {"sources (in-language)": CODES[:3]}),
        ("joshi5", "seen", {"seen minus 3": CODES[3:4]}),
        ("joshi5-fra_Latn", "seen,unseen", {"seen minus 2": CODES[2:4], "unseen": CODES[4:]}),
        ("eng_Latn+tha_Thai", None, {"all minus 2": (*CODES[1:4], CODES[5])}),
    ],
)
def test_targets(run: Command, sources: str, targets: str | None, groups: dict[str, tuple[str, ...]]) -> None:
    chosen = [] if targets is None else ["--targets", targets]
    assert run("-m", "majority", "--seeds", "1", "--sources", sources, *chosen).code == 0
    assert stored()[0].groups == groups


def test_a_loss_that_is_no_number_fails_that_run(run: Command) -> None:
    said = run("-m", "spt", "--set", "n_tokens=2", "--set", "learning_rate=1e30", "--seeds", "1", "--steps", "20")
    assert said.code == 1
    assert "try a lower learning rate" in said.err
    assert "Traceback" not in said.err


def test_saved_weights_predict_the_same(run: Command, tiny_backbone_folder: Path) -> None:
    from xlt_bench.backbones.backbone import Backbone
    from xlt_bench.backbones.source import locate
    from xlt_bench.method import Context
    from xlt_bench.plugins.methods import configure
    from xlt_bench.recipe import Recipe

    assert run("-m", "spt", "--set", "n_tokens=2", "--seeds", "1", "--steps", "12", "--save-weights").code == 0
    record, task = stored()[0], toy_task()
    assert record.cell.recipe is not None
    backbone = Backbone(locate(str(tiny_backbone_folder)))
    context = Context(task.labels, 0, Recipe.from_json(record.cell.recipe), load_backbone=lambda: backbone)
    method = configure("spt", {"n_tokens": "2"}).method
    fitted = method.load(STORE / record.cell.fingerprint / "weights", context)
    scores = fitted.predict(task.pool(record.cell.targets, "test").examples)
    told = np.asarray(task.labels, object)[scores.argmax(1)]
    assert told.tolist() == Store(STORE).predictions(record).predicted.tolist()


def test_a_label_tells_what_differs(run: Command) -> None:
    run("-m", "majority", "--seeds", "1", "--steps", "5")
    assert stored()[0].row_label == "majority"
    run("-m", "head-only", "--seeds", "4,", "--steps", "2")
    assert stored()[4].row_label == "head-only, 2 steps"


@pytest.mark.parametrize("file", ["record.json", "predictions.parquet"])
def test_a_damaged_record_is_told_and_computed_again(file: str, run: Command, plugin: str) -> None:
    run("-m", plugin, "--seeds", "2")
    (STORE / stored()[1].cell.fingerprint / file).write_text("{")
    said = run("-m", plugin, "--seeds", "2")
    assert said.code == 0
    assert "damaged, computed again" in said.err
    assert sorted(stored()) == [0, 1]


@pytest.mark.usefixtures("toy_installed")
def test_ctrl_c_in_the_middle_keeps_what_is_done_and_the_next_run_goes_on(tmp_path: Path, plugin: str) -> None:
    waits = "import pathlib, time, sys\nif seed == 1 and not pathlib.Path('go').exists():\n"
    waits += "    sys.stderr.write('waiting\\n'); sys.stderr.flush(); time.sleep(60)\n" + GOOD
    asked = ["run", "--task", "toy", "--sources", "joshi5", "--device", "cpu", "--seeds", "3"]
    command = [sys.executable, "-m", "xlt_bench", *asked, "-m", write_plugin(tmp_path, waits)]
    running = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=process_environment(),
        preexec_fn=heed_ctrl_c,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if line == "waiting\n":
            break
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert out == ""
    assert "stopped; 1 of 3 runs are in xlt-results and whole; the same command goes on with the rest" in err
    assert "Traceback" not in err
    records, damaged = Store(tmp_path / STORE).records()
    assert [record.cell.seed for record in records] == [0]
    assert not damaged
    assert sorted(path.name for path in (tmp_path / STORE).iterdir()) == [".claims", records[0].cell.fingerprint]

    (tmp_path / "go").touch()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=process_environment(), check=False)
    assert done.returncode == 0, done.stderr
    assert "1 already in the store" in done.stderr
    assert len(Store(tmp_path / STORE).records()[0]) == 3


def test_from_python(plugin: str, command: Command) -> None:
    import xlt_bench

    records = xlt_bench.run(plugin, "joshi5", task="toy", seeds=2, settings={"strength": 2}, device="cpu", store="s")
    assert [(r.cell.seed, dict(r.cell.hyperparameters)) for r in records] == [
        (0, {"strength": 2.0}),
        (1, {"strength": 2.0}),
    ]


def test_ids_of_test_items_tell_nothing(run: Command, tmp_path: Path) -> None:
    numbered = "ids = [int(example.id) for example in examples]\nassert ids in ([*range(12)], [*range(12, 24)]), ids\n"
    assert run("-m", write_plugin(tmp_path, numbered + GOOD), "--seeds", "1").code == 0
    assert set(Store(STORE).predictions(stored()[0]).item_id) == {f"test{number}" for number in range(12)}


@pytest.mark.parametrize(
    ("method", "options", "runs"),
    [
        ("majority", (), 1),
        ("ngram-linear", (), 1),
        ("majority", ("--examples", "9"), None),
        ("majority", ("--sources", "none", "--shots", "6", "--targets", "kat_Geor"), None),
        ("ngram-mlp", (), None),
    ],
)
def test_one_run_is_all_there_is_where_nothing_follows_from_the_seed(
    method: str, options: tuple[str, ...], runs: int | None, run: Command, command: Command
) -> None:
    assert run("-m", method, "--seeds", "1", "--steps", "2", *options).code == 0
    assert {record.runs for record in Store(Path("xlt-results")).records()[0]} == {runs}
    shown = " ".join(command("leaderboard").out.split())
    assert ("one run of a method of which another run would differ" in shown) == (runs is None)
