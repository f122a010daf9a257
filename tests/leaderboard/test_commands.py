"""The commands around the board: leaderboard, compare, rescore, import-baseline and `ls baselines`."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.board_records import CODES, GROUPS, answers, correct, run_of, runs
from tests.support.commands import Command
from xlt_bench.baselines.items import test_items as known_gold
from xlt_bench.leaderboard.rescore.rescoring import scores_by_language
from xlt_bench.records.answers import sheet_of
from xlt_bench.records.record import Predictions
from xlt_bench.records.store import Store


@pytest.fixture
def store() -> Store:
    """Two methods with three seeds in the folder `s`."""
    found = Store(Path("s"))
    for record, predictions in [*runs(0.9), *runs(0.5, label="SPT")]:
        found.write(record, predictions)
    return found


def write_answers(path: Path, right: float = 0.8, languages: tuple[str, ...] = ("kat_Geor", "eng_Latn")) -> Path:
    """Answers of a model that says `travel` where it does not know; every tenth says nothing."""
    lines = ["language\tindex_id\tgold\tanswer"]
    for code in languages:
        for place, (item, gold) in enumerate(known_gold().items()):
            told = "no idea" if place % 10 == 9 else f"It is about {gold if place % 100 < 100 * right else 'travel'}."
            lines.append(f"{code}\t{item}\t{gold}\t{told}")
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def test_leaderboard_of_a_store(command: Command, store: Store) -> None:
    said = command("leaderboard", "--store", "s")
    assert said.code == 0
    assert said.err == ""
    assert "Task toy" in said.out
    assert "sib200" not in said.out
    assert said.out.index("XPE") < said.out.index("SPT")


@pytest.mark.parametrize("form", ["table", "md", "latex", "csv", "json", "html"])
def test_every_format_on_standard_output_and_in_a_file(command: Command, store: Store, form: str) -> None:
    printed = command("leaderboard", "--store", "s", "--format", form)
    written = command("leaderboard", "--store", "s", "--format", form, "-o", "board.any")
    assert (printed.code, written.code, written.out) == (0, 0, "")
    text = Path("board.any").read_text(encoding="utf-8")
    assert "XPE" in text
    assert form == "table" or text == printed.out


def test_json_is_alone_on_standard_output(command: Command, store: Store) -> None:
    (Path("s") / sorted(path.name for path in Path("s").iterdir())[0] / "record.json").write_text("{")
    said = command("leaderboard", "--store", "s", "--json")
    assert said.code == 0
    assert len(json.loads(said.out)["boards"][0]["skipped"]) == 1
    assert said.err.startswith("skipped s/")
    assert said.err.endswith("1 Record skipped\n")


def test_an_empty_store_shows_the_stored_baselines(command: Command) -> None:
    said = command("leaderboard")
    assert said.code == 0
    assert "GPT-4" in said.out
    assert said.err == "all of these are stored results, none a run in xlt-results; make some: xlt-bench run\n"
    assert not Path("xlt-results").exists()
    assert max(map(len, said.out.splitlines())) <= 80


def test_filters(command: Command, store: Store) -> None:
    for record, predictions in [
        *runs(0.7, label="wide", backbone="wide", backbone_hash="abcd" * 4),
        *runs(0.7, label="one", sources=CODES[:1], sources_label="one"),
        *runs(0.2, label="floor", backbone="none", backbone_hash="none", recipe=None, preset=None),
    ]:
        store.write(record, predictions)

    def labels(*options: str) -> set[str]:
        said = command("leaderboard", "--store", "s", "--task", "toy", "--json", *options)
        assert said.code == 0, said.err
        sections = json.loads(said.out)["boards"][0]["sections"]
        return {row["label"] for section in sections for row in section["rows"]}

    assert labels() == {"XPE", "SPT", "wide", "one", "floor"}
    assert labels("--backbone", "wide") == labels("--backbone", "abcd") == {"wide", "floor"}
    assert labels("--sources", "one") == {"one"}
    said = command("leaderboard", "--store", "s", "--json", "--targets", f"low-performing-{CODES[3]}")
    assert {tuple(one["groups"]) for one in json.loads(said.out)["boards"][0]["sections"]} == {
        (f"low-performing-{CODES[3]}",)
    }


def test_a_target_expression_is_scored_from_the_answers(command: Command, store: Store) -> None:
    said = command("leaderboard", "--store", "s", "--json", "--targets", f"{CODES[3]},{CODES[5]}")
    rows = json.loads(said.out)["boards"][0]["sections"][0]["rows"]
    (score,) = rows[0]["scores"].values()
    assert score["value"] == pytest.approx(correct(runs(0.9), (CODES[3], CODES[5])).mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "clrd"], "no task 'clrd'; did you mean 'cldr'?"),
        (["--task", "cldr"], "no Records fit --task cldr among the 6 in s"),
        (["--backbone", "nope"], "no Records fit --backbone nope"),
        (["--targets", "unsen"], "no language or group 'unsen'"),
        (["--reference", "SPX"], "--reference: no row 'SPX'; did you mean"),
        (["-o", "board.docx"], "the ending tells no format"),
        (["-o", "none/board.md"], "-o none/board.md cannot be written"),
        (["--format", "word"], "'word' is not one of"),
        (["--level", "95"], "--level must lie between 0 and 1"),
    ],
)
def test_one_clear_line(command: Command, store: Store, options: list[str], message: str) -> None:
    said = command("leaderboard", "--store", "s", *options)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert message in said.err


def test_a_reference_that_has_no_answers(command: Command) -> None:
    said = command("leaderboard", "--task", "sib200", "--reference", "SPT")
    assert said.code == 2
    assert "cannot be tested against: there is only aggregate figures" in said.err


def test_several_tasks_are_several_boards_but_not_one_page(command: Command, store: Store) -> None:
    for record, predictions in runs(0.9, task_hash="f" * 16):
        store.write(record, predictions)
    assert command("leaderboard", "--store", "s").out.count("Task toy") == 2
    said = command("leaderboard", "--store", "s", "-o", "board.html")
    assert said.code == 2
    assert "--task toy@0123" in said.err
    assert command("leaderboard", "--store", "s", "-o", "board.html", "--task", "toy@ffff").code == 0
    assert Path("board.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_compare(command: Command, store: Store) -> None:
    said = command("compare", "XPE", "SPT", "--store", "s")
    assert said.code == 0
    assert "A is better: unseen, low-performing." in " ".join(said.out.split())
    assert "most gained by A" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    plain = json.loads(command("compare", "XPE", "SPT", "--store", "s", "--json").out)
    assert [group["group"] for group in plain["groups"]] == ["unseen", "low-performing"]
    assert plain["wins"]["a"] == 4


def test_compare_a_run_with_a_stored_baseline(command: Command) -> None:
    said = command("compare", "GPT-4", "GPT-3.5")
    assert said.code == 0
    assert "A: GPT-4, evidence per item" in said.out
    assert "Inference for these answers: no runs that differ." in said.out


def test_compare_finds_stored_baselines_beside_runs_of_another_task(command: Command, store: Store) -> None:
    said = command("compare", "GPT-4", "GPT-3.5", "--store", "s", "--targets", "low-performing")
    assert said.code == 0
    assert "Task sib200" in said.out


def test_rescore_agrees_with_scikit_learns_definition(command: Command, store: Store) -> None:
    said = command("rescore", "--store", "s", "--json")
    assert said.code == 0
    assert said.err.endswith("6 Records rescored; 6 had a metric missing or other than this\n")
    record = next(one for one in store.records()[0] if one.label == "XPE" and one.cell.seed == 0)
    own = answers(0.9)
    for code in CODES[2:]:
        gold, told = own.gold[own.language == code], own.predicted[own.language == code]
        scores = []
        for label in sorted({*gold, *told}):
            hits = np.sum((gold == label) & (told == label))
            scores.append(2 * hits / (np.sum(gold == label) + np.sum(told == label)))
        assert record.macro_f1[code] == pytest.approx(np.mean(scores))
        assert record.accuracy[code] == pytest.approx(np.mean(gold == told))
    lines = json.loads(said.out)["records"]
    xpe = next(line for line in lines if line["method"] == "XPE" and line["group"] == "unseen")
    accuracy, macro_f1 = xpe["scores"]
    assert (accuracy["metric"], macro_f1["metric"]) == ("accuracy", "macro-f1")
    assert accuracy["value"] == pytest.approx(correct(runs(0.9), GROUPS["unseen"]).mean(), abs=1e-6)
    assert accuracy["bounds"]["low"] < accuracy["value"] < accuracy["bounds"]["high"]
    assert command("rescore", "--store", "s").err == "6 Records rescored; 0 had a metric missing or other than this\n"


def test_rescore_names_a_metric_that_was_another(command: Command, store: Store) -> None:
    record = store.records()[0][0]
    store.update(replace(record, accuracy={**record.accuracy, CODES[4]: 0.123}))
    said = command("rescore", "--store", "s")
    assert f"{record.cell.fingerprint}: stored accuracy was another in {CODES[4]}" in said.err
    assert store.records()[0][0].accuracy == pytest.approx(record.accuracy)


def test_an_answer_that_names_no_class_is_a_miss_and_nothing_else() -> None:
    columns = (["x"] * 4, ["1", "2", "3", "4"], ["a", "a", "b", "b"], ["a", "", "b", "other"])
    sheet = sheet_of(Predictions(*(np.array(column, object) for column in columns)), ["a", "b"])
    assert scores_by_language(sheet) == {"accuracy": {"x": 0.5}, "macro-f1": {"x": pytest.approx(2 / 3)}}


@pytest.mark.parametrize("name", ["answers.tsv", "answers.tsv.gz"])
def test_imported_answers_are_ranked_with_the_stored_ones(command: Command, name: str) -> None:
    languages = tuple(line["code"] for line in csv.DictReader(_language_table()))
    write_answers(Path(name), languages=languages)
    said = command("import-baseline", name, "--name", "My [b]LLM[/b]", "--rule", "only-mention")
    assert said.code == 0, said.err
    assert f"{204 * 205:,} answers in 205 languages, setting zero-shot prompt" in said.out
    assert f"{20 * 205:,} of them name no class by the rule only-mention" in said.out
    board = json.loads(command("leaderboard", "--json", "--task", "sib200").out)["boards"][0]
    rows = {row["label"]: row for row in board["sections"][0]["rows"]}
    assert rows["My [b]LLM[/b]"]["scores"]["unseen"]["rank"] == 1
    assert rows["GPT-4"]["scores"]["unseen"]["rank"] == 2
    assert "My [b]LLM[/b]" in command("leaderboard").out
    listed = command("ls", "baselines").out
    assert "My [b]LLM[/b]" in listed
    assert "imported answers, rule only-mention" in listed


def _language_table() -> list[str]:
    from xlt_bench.tasks.tables import read_lines

    return read_lines("xlt_bench.tasks.sib200", "languages.csv")


def test_the_same_import_twice_is_one_record(command: Command) -> None:
    write_answers(Path("a.tsv"))
    for _ in range(2):
        assert command("import-baseline", "a.tsv", "--name", "LLM").code == 0
    assert len(Store(Path("xlt-results")).records()[0]) == 1
    assert command("import-baseline", "a.tsv", "--name", "LLM", "--rule", "exact").code == 0
    assert len(Store(Path("xlt-results")).records()[0]) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kat_Geor", "kat_Gerg", "line 2: unknown language 'kat_Gerg'"),
        ("\tgeography\t", "\tgeo\t", "unknown gold label 'geo'"),
        ("answer", "reply", "the columns are"),
    ],
)
def test_a_fault_in_a_file_of_answers_is_named_and_leaves_nothing(
    command: Command, old: str, new: str, message: str
) -> None:
    path = write_answers(Path("a.tsv"))
    path.write_text(path.read_text().replace(old, new))
    said = command("import-baseline", "a.tsv", "--name", "LLM")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith("error: a.tsv, line ")
    assert message in said.err
    assert not Path("xlt-results").exists()


def test_ls_baselines(command: Command) -> None:
    said = command("ls", "baselines")
    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80
    told = " ".join(said.out.split())
    for text in ("per_item", "per_language", "aggregate", "zero-shot prompt", "linear probe", "CC0-1.0", "2309.07445"):
        assert text in told


@pytest.mark.parametrize(
    "arguments",
    [["leaderboard"], ["leaderboard", "--json"], ["compare", "GPT-4", "GPT-3.5"], ["ls", "baselines"]],
    ids=str,
)
def test_looking_imports_no_torch(tmp_path: Path, arguments: list[str]) -> None:
    called = f"from xlt_bench.cli.main import main; assert main({arguments!r}) == 0"
    code = f"import sys; {called}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    modules = set(done.stderr.splitlines()[-1].split())
    assert not modules & {"torch", "transformers", "datasets", "pandas", "pyarrow", "matplotlib", "huggingface_hub"}


@pytest.mark.slow
def test_two_hundred_records_within_two_seconds(tmp_path: Path) -> None:
    codes = tuple(f"l{n:02d}_Latn" for n in range(98))
    own = answers(0.7, codes=codes)
    store = Store(tmp_path / "s")
    for method in range(20):
        for seed in range(10):
            told = own.gold.copy()
            told[np.random.default_rng([method, seed]).random(len(told)) < 0.3 + 0.01 * method] = "town"
            predictions = replace(own, predicted=told)
            groups = {f"g{n}": codes[n * 20 :] for n in range(4)}
            store.write(run_of(predictions, label=f"m{method}", seed=seed, targets=codes, groups=groups), predictions)
    command = [sys.executable, "-c", "from xlt_bench.cli.main import main; main(['leaderboard', '--store', 's'])"]
    seconds = []
    for _ in range(4):  # the first one makes the caches; the others are told apart by what else the machine does
        start = time.perf_counter()
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds[1:]) < 2


def test_languages_at_random_and_seeds_alone_exclude_each_other(command: Command, store: Store) -> None:
    for arguments in (("leaderboard",), ("compare", "XPE", "SPT")):
        said = command(*arguments, "--store", "s", "--languages", "random", "--interval", "seeds")
        assert said.code == 2
        assert "--languages random resamples seeds, items and languages together" in said.err
        assert said.out == ""


def test_another_metric_and_one_family_on_the_command_line(command: Command, store: Store) -> None:
    said = command("leaderboard", "--store", "s", "--metric", "macro-f1", "--family", "table")
    assert said.code == 0
    assert "macro-F1 in per cent" in said.out
    assert "of this table together" in " ".join(said.out.split())
    said = command("compare", "XPE", "SPT", "--store", "s", "--metric", "macro-f1", "--family", "group", "--json")
    report = json.loads(said.out)
    assert (report["metric"], report["family"]) == ("macro-f1", "group")
    assert {group["adjusted_p"] == group["p"] for group in report["groups"]} == {True}
    assert command("leaderboard", "--metric", "f2").code == 2


def test_rescore_shows_one_metric_with_its_interval(command: Command, store: Store) -> None:
    said = command("rescore", "--store", "s", "--metric", "macro-f1")
    assert said.code == 0
    assert "macro-F1" in said.out
    assert "accuracy" not in said.out
